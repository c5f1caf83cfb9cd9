"""``clearprop compare``."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.options import setting_option, settings_for, task_options
from clearprop.cli.scores import PARTS, name, value
from clearprop.errors import UsageError
from clearprop.experiment import comparison
from clearprop.files.written import make_folder


@command(
    "clearprop compare iris --layers none --layers 16 --layers 64,32",
    "clearprop compare people.csv --target buys --layers 8 --layers 64 --repeats 5",
)
@click.argument("data", type=DataName())
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
    settings = settings_for(data, options)
    folder = make_folder(Path(out))
    found: list[comparison.Architecture] = []
    trained = comparison.compare(settings, list(map(tuple, every)), repeats)
    while len(found) < len(every):
        with output.waiting(f"Training, {len(found)} of {len(every)} are done"):
            found.append(next(trained))
        output.note(f"{found[-1].label} is trained, {len(found)} of {len(every)}.")
    first = next((one for one in found if one.ended), found[0]).first
    score, part = first.score_name, first.part
    _, about = PARTS[part]
    seen = part in ("validation", "train")
    what = f"{name(score)}: {about}" if seen else f"held-out {name(score)}"
    picture = folder / "comparison.png"
    rows = [(one.label, one.trials[0].parameters, one.scores) for one in found]
    plots.save(plots.comparison(rows, what), picture)
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
        if seen:
            output.say(f"Of samples that give {about}.")
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
                value(score, min((one.score for one in architecture.ended), default=math.nan)),
                value(score, max((one.score for one in architecture.ended), default=math.nan)),
                output.duration(fmean(trial.seconds for trial in architecture.trials)),
            )
            for architecture in found
        ),
    )
    to_beat = next((one.baselines for one in found if one.ended), {})
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
