"""The options that describe a run, shared by ``train`` and ``compare``."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from clearprop.cli.parameters import BATCH_SIZE, SIZE
from clearprop.errors import UsageError
from clearprop.experiment.settings import (
    ACTIVATIONS,
    CLASS_WEIGHTS,
    DTYPES,
    INITS,
    SCHEDULES,
    Settings,
    read_settings,
)
from clearprop.optimizers import OPTIMIZERS

target_option = click.option(
    "--target",
    metavar="COLUMN",
    help="What to learn of a table.  [default: target, label, class or y, else the last]",
)
size_option = click.option(
    "--size",
    type=SIZE,
    metavar="HEIGHTxWIDTH",
    help="What a folder's pictures are brought to.  [default: 64x64]",
)

_OPTIONS = (
    target_option,
    size_option,
    click.option("--activation", type=click.Choice(ACTIVATIONS), help="[default: relu]"),
    click.option(
        "--init", type=click.Choice(INITS), help="[default: he; glorot for tanh, sigmoid]"
    ),
    click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), help="[default: adam]"),
    click.option(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="The largest of the schedule.  [default: by the optimizer]",
    ),
    click.option("--schedule", type=click.Choice(SCHEDULES), help="[default: one-cycle]"),
    click.option(
        "--epochs", type=int, metavar="N", help="[default: 10 to 200, fewer for more samples]"
    ),
    click.option(
        "--batch-size",
        type=BATCH_SIZE,
        metavar="N|full",
        help="[default: 32; 128 from 10000 samples on]",
    ),
    click.option(
        "--dropout",
        type=float,
        metavar="SHARE",
        help="What is dropped after each hidden layer.  [default: 0.2; 0 with --layers]",
    ),
    click.option("--batch-norm", is_flag=True, default=None, help="Normalise hidden layers."),
    click.option(
        "--l2", type=float, metavar="ALPHA", help="L2, as scikit-learn scales it.  [default: 0]"
    ),
    click.option(
        "--clip-norm", type=float, metavar="NORM", help="The longest gradient.  [default: any]"
    ),
    click.option("--class-weight", type=click.Choice(CLASS_WEIGHTS), help="[default: none]"),
    click.option(
        "--patience",
        type=int,
        metavar="N",
        help="Stop after N epochs without a better validation loss, and keep the best weights.  "
        "[default: train all epochs]",
    ),
    click.option(
        "--validation",
        metavar="SHARE|DATA",
        help="What is held out; 0 for nothing.  [default: 0.2; 0.1 beside a test set]",
    ),
    click.option("--dtype", type=click.Choice(DTYPES), help="[default: float32]"),
    click.option("--seed", type=int, metavar="N", help="[default: 0]"),
    click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        help="Settings in TOML, such as a run's config.toml; what is given here goes before them.",
    ),
)


def task_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a run to a command; what is not given is None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_from(data: str | None, options: Mapping[str, Any]) -> Settings:
    """Put settings together: the command line goes before --config.

    Parameters
    ----------
    data : str or None
        The argument DATA.
    options : mapping
        What `task_options` gave.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        If nobody says which data.
    """
    layered = _given(data, options)
    if "data" not in layered:
        raise UsageError("Say what to learn from: clearprop train DATA, such as digits or photos/.")
    return Settings(**layered)


def settings_of_run(path: Path, data: str | None, options: Mapping[str, Any]) -> Settings:
    """Read the settings that a run began with, and check that nothing else is asked of it now.

    Only more epochs may be asked, and only of a constant learning rate: every other schedule is
    laid out for the epochs it began with.

    Parameters
    ----------
    path : pathlib.Path
        The settings in the run's folder.
    data, options
        As in `settings_from`.

    Returns
    -------
    Settings

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
    began = Settings(**read_settings(path))
    asked = began.changed(_given(data, options))
    for name in (field.name for field in fields(Settings)):
        before, now = getattr(began, name), getattr(asked, name)
        extended = name == "epochs" and began.schedule == "constant"
        if before != now and not extended:
            raise UsageError(
                f"The run in {path.parent} began with {name} = {before}, now it is {now}. "
                "Go on with what it began with, or begin another run in another folder."
            )
    return asked


def _given(data: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    config = given.pop("config", None)
    layered: dict[str, Any] = read_settings(config) if config is not None else {}
    return layered | given | ({} if data is None else {"data": data})
