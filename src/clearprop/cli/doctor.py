"""``clearprop doctor``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.options import command_of, setting_option, typed
from clearprop.cli.scores import text
from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.experiment import Measured, Settings, Trained, load_dataset
from clearprop.experiment.runs import SETTINGS, saved_or_data

if TYPE_CHECKING:
    from clearprop.doctor import Examination, Finding


@command(
    "clearprop doctor runs/people",
    "clearprop doctor people.csv --target buys",
    "clearprop doctor mnist-ffn --data data",
)
@click.argument("run_or_data", type=DataName())
@click.option(
    "--data",
    metavar="PATH",
    help="Where the data of a run lie now; or the folder of a published experiment's data.",
)
@click.option(
    "--apply",
    "applies",
    is_flag=True,
    help="Train anew with the first advice, beside the run, and examine again: until a run is "
    "healthy, or there is no advice left.",
)
@setting_option("target")
@setting_option("size")
@output.json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    run_or_data: str,
    data: str | None,
    applies: bool,
    target: str | None,
    size: tuple[int, int] | None,
    as_json: bool,
) -> None:
    """Say what is wrong with a training, by which measurement, and what to type instead.

    RUN_OR_DATA is the folder of a run; or the name or path of data, on which a short training with
    default settings is examined; or the name of a published experiment, such as mnist-ffn.

    Advice is tried before it is given, by short trainings. A healthy training has no findings.
    """
    from clearprop.experiment.consultation import examine_data, examine_run
    from clearprop.reproduce import EXPERIMENTS

    saved = None if run_or_data in EXPERIMENTS else saved_or_data(run_or_data)
    if saved is not None and saved.folder is None:
        raise UsageError(
            f"{run_or_data} is a model alone. Give the folder of its run, which holds its history "
            "and names its data; in Python, clearprop.examine takes a network and arrays."
        )
    if applies and saved is None:
        raise UsageError(
            f"--apply is for a run, and there is none in {run_or_data}. Train first: clearprop "
            f"train {output.word(run_or_data)}"
        )
    published = EXPERIMENTS[run_or_data].published if run_or_data in EXPERIMENTS else None
    again, watched = "", output.progress()
    if saved is not None:
        _refuse("a run has its own", target=target, size=size)
        found = examine_run(saved.file.parent, data, watched)
        again = f"clearprop train --config {output.word(str(saved.file.parent / SETTINGS))}"
    elif published is not None:
        _refuse("a published experiment has its own", target=target, size=size)
        output.note("Its first updates, as published:")
        found = published.examine(None if data is None else Path(data), watched)
    else:
        _refuse("it is for runs and published experiments", data=data)
        settings = Settings(data=run_or_data, target=target, size=size)
        found = examine_data(settings, _load(settings), watched)
        again = " ".join(
            map(output.word, ["clearprop", "train", run_or_data, *typed(target=target, size=size)])
        )
    if applies and saved is not None:
        ctx.exit(0 if _apply(saved.file.parent, data, found, as_json=as_json) else 1)
    if as_json:
        output.say_json({"examined": run_or_data, **found.to_json()})
        return
    output.say(found)
    if again and found.command:
        output.say(f"\nAll of it:  {again} {found.command}")


def _apply(path: Path, data: str | None, found: "Examination", *, as_json: bool) -> bool:
    """Follow the advice, tell each round, and return whether it came to a healthy run."""
    from clearprop.experiment.consultation import treat

    rounds, best, flatters = [], path, False
    for number, one in enumerate(treat(path, found, data, output.progress()), start=1):
        found, best, flatters = one.found, one.best, flatters or one.score_chose
        rounds.append(
            {
                "finding": one.finding.to_json(),
                "run": str(one.folder),
                "before": one.before,
                "after": one.after,
                "chosen_by": one.chosen_by,
                "diverged": one.diverged,
            }
        )
        output.note_undrawn(one.undrawn)
        if not as_json:
            output.say_line(f"{number}. {one.finding.name}: {one.finding.command}")
            if one.diverged is not None:
                output.say_line(f"   Diverged again: {one.diverged}")
            output.say_line(f"   {_score(one.before)} before, {_score(one.after)} after.")
            worse = "" if best == one.folder else " It is worse, and left behind."
            output.say_line(f"   Saved in {one.folder}.{worse}")
    if as_json:
        told = {"examined": str(path), "rounds": rounds, "run": str(best)}
        output.say_json({**told, "score_chose": flatters, **found.to_json()})
        return not found
    if flatters:
        again = f"clearprop train --config {output.word(str(path / SETTINGS))} --test 0.2"
        output.say_line(
            "The samples that give these scores also chose between the runs, so the better one's "
            f"flatters. To hold some out that choose nothing, begin with: {again}"
        )
    if not found:
        output.say_line(f"Healthy{'' if rounds else ' as it is'}: {best}")
    else:
        left = ", ".join(finding.name.lower() for finding in found)
        output.say_line(f"No advice is left to try for {best}, which still has: {left}.")
    return not found


def _score(scores: Mapping[str, Any]) -> str:
    return text(scores["score"], scores[scores["score"]]) if scores else "no held-out score"


def ask_doctor(
    trained: Trained, measured: Measured, settings: Settings, run: Path
) -> tuple[dict[str, Any] | None, bool]:
    """Ask the doctor about a training that has just ended, if something went wrong.

    Parameters
    ----------
    trained : Trained
    measured : Measured
    settings : Settings
        The settings as they were given.
    run : Path
        The folder in which all is saved already.

    Returns
    -------
    told : dict of str to object, or None
        The first finding and what to type instead.
    interrupted : bool
        Whether Ctrl-C ended the doctor's work.
    """
    from clearprop.experiment.consultation import first_finding, needs_doctor

    try:
        if not needs_doctor(trained, measured):
            return None, False
        output.note("The doctor looks for the reason, by short trials ...")
        finding = first_finding(trained)
    except KeyboardInterrupt:
        again = f"clearprop doctor {output.word(str(run))}"
        output.note(f"The run is saved. To ask the doctor again: {again}")
        return None, True
    if finding is None:
        output.note(
            "It finds nothing wrong: there may be too few samples, or no more to learn in them."
        )
        return None, False
    return _in_short(finding, settings), False


def say_closing(told: Mapping[str, Any]) -> None:
    """Say what `ask_doctor` told."""
    output.say_line(f"Doctor: {told['finding']} {told['advice']}")
    if told["command"]:
        output.say_line(f"Try:    {told['command']}")


def _in_short(finding: "Finding", settings: Settings) -> dict[str, Any]:
    return {
        "illness": finding.illness,
        "finding": f"{finding.name}. {finding.measurement}",
        "advice": finding.advice,
        "changes": dict(finding.changes),
        "command": command_with(finding, settings) if finding.changes else None,
    }


def command_with(finding: "Finding", settings: Settings) -> str:
    """Write the command of settings with the advice of a finding; defaults need no word."""
    return command_of(finding.apply(settings))


def _load(settings: Settings) -> Dataset:
    try:
        dataset = load_dataset(settings)
    except DataError as error:
        if not Path(settings.data).is_dir():
            raise
        raise DataError(
            f"{settings.data} holds neither a run, which has a {SETTINGS}, nor data. {error}"
        ) from error
    output.note_data(dataset)
    output.note(
        f"{settings.data} holds no run: a short training with default settings is examined."
    )
    return dataset


def _refuse(reason: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"--{name} is of no use here: {reason}.")
