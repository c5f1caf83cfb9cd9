"""``clearprop walk``."""

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, OneOf, command
from clearprop.cli.options import setting_option
from clearprop.errors import UsageError
from clearprop.experiment.inspection import make_ready, walk_step


@command(
    "clearprop walk iris",
    "clearprop walk runs/people --sample 3 --layer 1",
    "clearprop walk iris --entry 1.y[0,2] --notation course",
    "clearprop walk iris --html walk.html",
)
@click.argument("model_or_data", metavar="MODEL_OR_DATA", type=DataName())
@click.option(
    "--sample", type=int, default=0, show_default=True, help="Which is looked at, from 0."
)
@click.option("--layer", metavar="NAME", help="Show this one alone; also input, loss.")
@click.option("--entry", metavar="NAME[I,J]", help="Show this number alone: 1.y[3,0], or Z1[0,3].")
@click.option(
    "--notation",
    type=OneOf(["engine", "course"]),
    default="engine",
    show_default=True,
    help="Samples are rows, or columns as in the course.",
)
@click.option("--data", metavar="DATA", help="Of a model: other data than it was trained on.")
@setting_option("target")
@setting_option("size")
@click.option("--html", metavar="FILE", help="Write a page in which every number opens.")
@output.json_option
def walk(
    model_or_data: str,
    sample: int,
    layer: str | None,
    entry: str | None,
    notation: str,
    data: str | None,
    target: str | None,
    size: tuple[int, int] | None,
    html: str | None,
    as_json: bool,
) -> None:
    """Write out one training step: every layer forward, the loss, backward, and the update.

    MODEL_OR_DATA is a run's folder, a model file, or data by name or path. For data, the network is
    the one that train without options begins with. Nothing is trained.
    """
    if html is not None and entry is not None:
        raise UsageError("--entry shows one number, --html writes a page of all. Choose one.")
    ready = make_ready(model_or_data, data=data, target=target, size=size)
    output.note_left_out(ready.dataset.problems)
    found = walk_step(ready, sample, notation)
    if layer is not None:
        found = found.of(layer)
    if html is not None:
        found.save(html)
    if as_json:
        page = {} if html is None else {"page": html}
        number = None if entry is None else found.entry(entry)
        output.say_json(found.to_dict() | page if number is None else number.to_dict())
    elif html is not None:
        output.say_line(html)
    else:
        output.say(found if entry is None else found.entry(entry))
