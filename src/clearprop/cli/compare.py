"""``clearprop compare``."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.options import setting_option, settings_from, task_options
from clearprop.cli.scores import name, value
from clearprop.errors import UsageError
from clearprop.experiment import comparison
from clearprop.experiment.runs import saved_or_data
from clearprop.files.written import make_folder


@click.command()
@click.argument("data")
@setting_option(
    "layers",
    "every",
    multiple=True,
    required=True,
    help="The hidden layers of one architecture: 20,7,5, or none. Give it again for each.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    metavar="N",
    default=3,
    show_default=True,
    help="How often each is trained, with seeds that count up.",
)
@task_options
@click.option(
    "--out",
    metavar="FOLDER",
    default="comparison",
    show_default=True,
    help="Where the picture is written.",
)
@output.json_option
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    data: str,
    every: tuple[list[int], ...],
    repeats: int,
    out: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Train several architectures on DATA, in parallel, and compare mean and spread.

    For DATA, a run's folder or a model file stands for its data and its settings.
    """
    from clearprop import plots

    if len(set(map(tuple, every))) < len(every):
        raise UsageError("An architecture is given twice; each --layers must differ.")
    run = saved_or_data(data)
    if run is None:
        settings = settings_from(data, options)
    else:
        settings = replace(settings_from(None, options, run.settings), start=None)
        output.note(f"Data and settings of {data}, but for what is given here.")
    folder = make_folder(Path(out))
    found = []
    for architecture in comparison.compare(settings, list(map(tuple, every)), repeats):
        found.append(architecture)
        output.note(f"{architecture.label} is trained, {len(found)} of {len(every)}.")
    score = found[0].trials[0].score_name
    picture = folder / "comparison.png"
    rows = [(one.label, one.trials[0].parameters, one.scores) for one in found]
    plots.save(plots.comparison(rows, f"held-out {name(score)}"), picture)
    if as_json:
        output.say_json(
            {
                "data": data,
                "architectures": [architecture.to_json() for architecture in found],
                "picture": str(picture),
            }
        )
    else:
        _say(found, score)
        output.say(f"\nPicture: {picture}")
    if diverged := sum(len(one.trials) - len(one.ended) for one in found):
        output.note(
            f"{diverged} of {repeats * len(found)} trainings diverged and are left out. "
            "Try a lower --learning-rate."
        )
        ctx.exit(1)


def _say(found: Sequence[comparison.Architecture], score: str) -> None:
    mean = f"mean {name(score)}"
    output.say_table(
        ("hidden layers ", "parameters", mean, "spread", "lowest", "highest", "time each"),
        (
            (
                architecture.label,
                f"{architecture.trials[0].parameters:,}",
                value(score, architecture.mean),
                value(score, architecture.spread),
                value(score, min(architecture.ended, default=math.nan)),
                value(score, max(architecture.ended, default=math.nan)),
                output.duration(fmean(trial.seconds for trial in architecture.trials)),
            )
            for architecture in found
        ),
    )
    to_beat = found[0].baselines
    constant = "the mean" if score == "r2" else "the larger class"
    words = {"constant": f"always naming {constant}", "linear": "a linear model"}
    told = [f"{words[key]} {value(score, to_beat[key])}" for key in words if key in to_beat]
    if told:
        output.say(f"To beat: {', '.join(told)}.")
    below = [one.label for one in found if any(one.mean < x for x in to_beat.values())]
    if below:
        output.say(
            f"Below that: {', '.join(below)}. The doctor may know why: clearprop doctor with the "
            "data, or with the folder of a run."
        )
