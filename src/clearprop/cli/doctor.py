"""``clearprop doctor``."""

from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.options import setting_option, typed
from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.experiment import Settings, load_dataset
from clearprop.experiment.runs import SETTINGS, saved_or_data


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
@setting_option("target")
@setting_option("size")
@output.json_option
def doctor(
    run_or_data: str,
    data: str | None,
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
    if as_json:
        output.say_json({"examined": run_or_data, **found.to_json()})
        return
    output.say(found)
    if again and found.command:
        output.say(f"\nAll of it:  {again} {found.command}")


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
