"""The options that describe a run, and what several of them come to together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from clearprop.cli import output
from clearprop.cli.command import OneOf, Option
from clearprop.data.tables.column_paths import is_there
from clearprop.errors import UsageError, listed
from clearprop.experiment import layer_words
from clearprop.experiment.runs import require_saved, saved_or_data
from clearprop.experiment.settings import Settings, described, read_settings, settings_in
from clearprop.experiment.values import Choice, Flag, Kind, Place, Switch
from clearprop.training.units import Cluster, cluster_of

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Typed(click.ParamType[Any]):
    """The values of a kind, for click."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = kind.metavar

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self.kind.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def setting_option(name: str, *declared: str, **changes: Any) -> Callable[[_Command], _Command]:
    """Make the option of a setting, from what its field says.

    Parameters
    ----------
    name : str
        The setting.
    *declared : str
        The name of the command's parameter, where it is another one.
    **changes : object
        Arguments of `click.option` that differ from those of the field.
    """
    about, setting = described(Settings)[name], name
    said = [about.help, f"[default: {about.told}]" if about.told else ""]
    arguments: dict[str, Any] = {"cls": Option, "group": about.group}
    if isinstance(about.kind, Switch):
        name = f"{name}/--no-{name}"
        arguments |= {"is_flag": True, "default": None}
    elif isinstance(about.kind, Flag):
        arguments |= {"is_flag": True, "default": None}
    elif isinstance(about.kind, Choice):
        arguments |= {"type": OneOf(about.kind.names), "metavar": about.kind.metavar or "NAME"}
        if not about.kind.metavar:
            said[0] = f"{about.help} One of: {listed(about.kind.names)}.".lstrip()
    else:
        arguments |= {"type": _Typed(about.kind), "metavar": about.kind.metavar}
    arguments["help"] = "  ".join(filter(None, said))
    return click.option(_flag(name), *(declared or (setting,)), **arguments | changes)


def typed(**settings: Any) -> list[str]:
    """Write settings as arguments of the command line; what is None is left out."""
    about = described(Settings)
    given = {name: value for name, value in settings.items() if value is not None}
    written = [
        (_flag(f"no_{name}" if value is False else name), about[name].kind.write(value))
        for name, value in given.items()
    ]
    return [word for pair in written for word in pair if word]


def command_of(settings: Settings) -> str:
    """Write the command of settings, as one types it; defaults need no word."""
    given = {
        one.name: value
        for one in fields(Settings)
        if one.name != "data" and (value := getattr(settings, one.name)) != one.default
    }
    return " ".join(map(output.word, ["clearprop", "train", settings.data, *typed(**given)]))


def _flag(name: str) -> str:
    return "--from" if name == "start" else f"--{name.replace('_', '-')}"  # from is Python's word


_OF_TABLES = ("drop", "keep", "category", "number", "missing", "encoding", "delimiter", "decimal")


def table_options(command: _Command) -> _Command:
    """Add the options that say how a table is to be read."""
    for name in reversed(("target", *_OF_TABLES, "header", "task")):
        command = setting_option(name)(command)
    return command


FORM = ("encoding", "delimiter", "decimal", "header")
"""The settings that say how the text of a table is to be read."""


def form_options(command: _Command) -> _Command:
    """Add the options of `FORM`, for files whose text is written otherwise than training's."""
    for name in reversed(FORM):
        command = setting_option(name)(command)
    return command


threshold_option = click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="The probability from which on the positive of two classes is the answer, instead of the "
    "model's.",
)


cluster_option = click.option(
    "--cluster",
    metavar="local:N|ADDRESS",
    help="Who does the work, to the same bits: N processes of this machine, or the workers of a "
    "Dask scheduler, such as tcp://host:8786.",
)


def on_cluster(ctx: click.Context, cluster: str | None) -> Cluster | None:
    """Connect to the cluster of ``--cluster``, if one is given, until the command ends."""
    if cluster is None:
        return None
    with output.waiting(f"Connecting to {cluster}"):
        return ctx.with_resource(cluster_of(cluster))


features_option = click.option(
    "--features",
    metavar="FILE",
    help="Where the pretrained network lies whose features the model takes; unless given, where it "
    "lay at the training, or beside the model.",
)


def task_options(command: _Command, without: Sequence[str] = ()) -> _Command:
    """Add the options of a run but ``--layers`` to a command; what is not given is None.

    Parameters
    ----------
    command : callable
    without : sequence of str
        The settings that the command has no use for, or asks for in its own way.
    """
    command = click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        help="Settings in TOML, such as a run's config.toml; what is given here goes before them.",
    )(command)
    for name in reversed(described(Settings)):
        if name not in ("data", "start", "layers", *without):
            command = setting_option(name)(command)
    return command


def settings_from(
    data: str | None, options: Mapping[str, Any], before: Settings | None = None
) -> Settings:
    """Put settings together: the command line, DATA and `task_options`, goes before --config.

    What neither says is as it was before, in a run or the model that training goes on from.

    Raises
    ------
    UsageError
        If nobody says which data.
    """
    layered = _given(data, options)
    if before is None and "start" in layered:
        before = require_saved(layered["start"]).settings
    if before is not None:
        layered = _taken_over(before, layered)
    if "data" not in layered:
        raise UsageError("Say what to learn from: clearprop train DATA, such as digits or photos/.")
    return Settings(**layered)


def settings_for(data: str, options: Mapping[str, Any]) -> Settings:
    """Put settings together as `settings_from`, where a run stands for its data and its settings.

    What folds have chosen is open, and a training that went on from a model begins anew.
    """
    if (run := saved_or_data(data)) is None:
        return settings_from(data, options)
    output.note(f"Data and settings of {data}, but for what is given here.")
    return replace(settings_from(None, options, run.open_settings), start=None)


_GO_WITH = {
    "optimizer": ("learning_rate", "schedule", "batch_size", "clip_norm"),
    "folds": ("test", "validation", "patience"),
    "validation": ("folds", "patience"),
    **dict.fromkeys(("patience", "group", "time"), ("folds",)),
}
"""Settings that suit the value of another one, and say nothing of a new value of it."""


def _taken_over(before: Settings, given: dict[str, Any]) -> dict[str, Any]:
    """Put settings of a run below those that are given, but for what went with other ones."""
    taken = before.to_json()
    for name, others in _GO_WITH.items():
        if name in given and given[name] != taken.get(name):
            taken = {other: value for other, value in taken.items() if other not in others}
    return taken | given


def settings_of_run(path: Path, data: str | None, options: Mapping[str, Any]) -> Settings:
    """Read the settings that a run began with, and check that nothing else is asked of it now.

    Only more epochs may be asked, and only of a constant learning rate or of none: every other
    schedule is laid out for the epochs it began with.

    Raises
    ------
    UsageError
        If there is no run, or it began with something else.
    """
    if not path.exists():
        raise UsageError(
            f"There is no run in {path.parent} to go on with: it has no {path.name}. "
            "Leave --resume out to begin one."
        )
    return as_it_began(settings_in(path), path.parent, data, options, may_train_longer=True)


def as_it_began(
    began: Settings,
    folder: Path,
    data: str | None,
    options: Mapping[str, Any],
    *,
    may_train_longer: bool = False,
) -> Settings:
    """Check that nothing but what it began with is asked of a run, and return its settings.

    Parameters
    ----------
    began : Settings
    folder : Path
    data : str or None
    options : mapping of str to object
        Those of `task_options`.
    may_train_longer : bool, default False
        Whether more epochs may be asked, of a constant learning rate or of none.

    Raises
    ------
    UsageError
    """
    asked = began.changed(_given(data, options)).with_places(Place.absolute)
    began = began.with_places(Place.absolute)
    for name, about in described(began).items():
        if not about.marks:
            continue
        before, now = getattr(began, name), getattr(asked, name)
        extended = name == "epochs" and may_train_longer and began.schedule in (None, "constant")
        extended = extended and began.network != "table"  # whose dropout and decay fall, too
        moved = name == "data" and Path(before).is_absolute() and not is_there(before)
        if before != now and not (extended or moved):  # the checkpoint knows other data as such
            then, today = (
                layer_words.written(one) if isinstance(one, tuple) else one for one in (before, now)
            )
            raise UsageError(
                f"The run in {folder} began with {name} = {then}, now it is {today}. "
                "Go on with what it began with, or begin another run in another folder."
            )
    return asked


def _given(data: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    config = given.pop("config", None)
    layered: dict[str, Any] = read_settings(config) if config is not None else {}
    return layered | given | ({} if data is None else {"data": data})
