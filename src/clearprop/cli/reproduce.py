"""``clearprop reproduce``."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.training import Callback

if TYPE_CHECKING:
    from clearprop.reproduce import Experiment, Report

_EQUAL = {True: "yes", False: "no", None: "–"}


@command(
    "clearprop reproduce",
    "clearprop reproduce mnist-ffn --data data",
)
@click.argument("name", required=False)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder that holds the data sets, or the data set's own folder.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where pictures go.  [default: reproduced/NAME]",
)
@output.json_option
def reproduce(name: str | None, data: Path | None, out: Path | None, as_json: bool) -> None:
    """Run a published experiment again, and show its figures beside the published ones.

    Without a NAME, list the experiments, the data that each needs, and whether they were found.
    """
    from clearprop.reproduce import EXPERIMENTS, find_experiment

    if name is None:
        _list(EXPERIMENTS.values(), data, as_json)
        return
    experiment = find_experiment(name)
    report = experiment.run(data, out or Path("reproduced") / name, _watch)
    if as_json:
        output.say_json(report.to_json())
    else:
        _show(experiment.title, report)


def _list(experiments: "Iterable[Experiment]", data: Path | None, as_json: bool) -> None:
    listed = [
        (experiment, experiment.needs is None or experiment.needs.is_in(data))
        for experiment in experiments
    ]
    if as_json:
        output.say_json(
            {
                "experiments": [
                    {
                        "name": experiment.name,
                        "title": experiment.title,
                        "articles": experiment.articles,
                        "needs": experiment.needs and experiment.needs.name,
                        "found": found,
                    }
                    for experiment, found in listed
                ]
            }
        )
        return
    output.say_table(
        ("name ", "what it is ", "article ", "needs ", "found "),
        (
            (
                experiment.name,
                experiment.title,
                ", ".join(map(str, experiment.articles)),
                experiment.needs.name if experiment.needs else "nothing",
                "yes" if found else "no",
            )
            for experiment, found in listed
        ),
    )
    output.note("Run one: clearprop reproduce NAME --data DIR, where DIR holds what it needs.")


def _watch(title: str) -> Sequence[Callback]:
    output.note(title)
    return output.progress()


def _show(title: str, report: "Report") -> None:
    output.say_table(
        ("what ", "published", "measured", "equal "),
        ((row.what, *row.texts(), _EQUAL[row.equal]) for row in report.rows),
        title,
    )
    output.say(textwrap.fill(report.lesson, 80))
    for path in report.pictures:
        output.say(f"Picture: {path}")
    output.say(f"Took {report.seconds:.1f} s.")
