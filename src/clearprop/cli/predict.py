"""``clearprop predict``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearprop.cli.output import json_option, note, percent, say_json, say_table
from clearprop.errors import UsageError

_DRAWN = 50  # pictures at most: a table has thousands of rows

if TYPE_CHECKING:
    from clearprop.experiment.prediction import Predictions


@click.command()
@click.argument("model", type=click.Path())
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--show", is_flag=True, help="Draw what the network sees beside its answer.")
@click.option(
    "--out", default=".", show_default=True, help="The folder that --show puts pictures into."
)
@json_option
@click.pass_context
def predict(
    ctx: click.Context, /, model: str, files: tuple[str, ...], show: bool, out: str, as_json: bool
) -> None:
    """Say what the file MODEL makes of FILES: pictures, or one CSV, TSV or NPZ file."""
    from clearprop.experiment.prediction import predict_files
    from clearprop.model_file import load

    found = predict_files(load(model), files)
    for problem in found.problems:
        note(f"Left out: {problem}.")
    drawn = _draw(found, Path(out)) if show else []
    if as_json:
        say_json(
            {
                "model": model,
                "predictions": [answer.to_json() for answer in found.answers],
                "problems": [vars(problem) for problem in found.problems],
                "pictures": [str(path) for path in drawn],
            }
        )
    else:
        _say(found)
        for path in drawn:
            click.echo(path)
    if found.problems:
        ctx.exit(1)


def _say(found: "Predictions") -> None:
    rows = [
        (answer.source, answer.prediction)
        if answer.probabilities is None
        else (
            answer.source,
            answer.prediction,
            percent(answer.probabilities[answer.prediction]),
        )
        for answer in found.answers
    ]
    if rows:
        say_table(("sample ", "prediction ", "probability")[: len(rows[0])], rows)


def _draw(found: "Predictions", out: Path) -> list[Path]:
    from clearprop import plots
    from clearprop.data.pictures import named_like_a_picture, preview
    from clearprop.files import make_folder

    if found.answers and found.answers[0].probabilities is None:
        raise UsageError("--show draws probabilities of classes; this model predicts values.")
    folder = make_folder(out)
    drawn = []
    for answer, seen in zip(found.answers[:_DRAWN], found.prepared, strict=False):
        file = Path(answer.source)
        shares = answer.probabilities or {}
        given = preview(file) if named_like_a_picture(file) else seen
        figure = plots.what_it_sees(given, seen, [*shares.values()], [*shares])
        drawn.append(folder / f"{file.name.replace('.', '-').replace(' ', '-')}-seen.png")
        plots.save(figure, drawn[-1])
    if len(found.answers) > _DRAWN:
        note(f"Only the first {_DRAWN} of {len(found.answers)} samples are drawn.")
    return drawn
