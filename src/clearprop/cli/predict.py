"""``clearprop predict``."""

import warnings
from pathlib import Path

import click

from clearprop.cli import output
from clearprop.data.picture_files import named_like_a_picture, preview
from clearprop.errors import UsageError
from clearprop.experiment.evaluation import Predictions, predict_files
from clearprop.files.models import load
from clearprop.files.written import make_folder

_DRAWN = 50  # pictures at most: a table has thousands of rows


@click.command()
@click.argument("model", type=click.Path())
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--show", is_flag=True, help="Draw what the network sees beside its answer.")
@click.option(
    "--out",
    metavar="FOLDER",
    default=".",
    show_default=True,
    help="Where --show writes its pictures.",
)
@output.json_option
@click.pass_context
def predict(
    ctx: click.Context, /, model: str, files: tuple[str, ...], show: bool, out: str, as_json: bool
) -> None:
    """Say what the file MODEL makes of FILES: pictures, or one CSV, TSV or NPZ file."""
    found = predict_files(load(model), files)
    output.note_left_out(found.problems)
    drawn = _draw(found, Path(out)) if show else []
    if as_json:
        output.say_json(
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
            output.say_line(path)
    if found.problems:
        ctx.exit(1)


def _say(found: Predictions) -> None:
    rows = [
        (answer.source, answer.prediction)
        if answer.probabilities is None
        else (
            answer.source,
            answer.prediction,
            output.percent(answer.probabilities[answer.prediction]),
        )
        for answer in found.answers
    ]
    if rows:
        output.say_table(("sample ", "prediction ", "probability")[: len(rows[0])], rows)


def _draw(found: Predictions, out: Path) -> list[Path]:
    from clearprop import plots

    if found.answers and found.answers[0].probabilities is None:
        raise UsageError("--show draws probabilities of classes; this model gives none.")
    folder = make_folder(out)
    drawn: list[Path] = []
    for row, answer in enumerate(found.answers[:_DRAWN]):
        file = Path(answer.source)
        shares = answer.probabilities or {}
        given = None if found.given is None else found.given[row]
        if named_like_a_picture(file):
            with warnings.catch_warnings():  # of what has been read and predicted already
                warnings.simplefilter("ignore")
                given = preview(file)  # in its own proportions
        figure = plots.what_it_sees(given, found.prepared[row], [*shares.values()], [*shares])
        drawn.append(_free(folder, file, drawn))
        plots.save(figure, drawn[-1])
    if len(found.answers) > _DRAWN:
        output.note(f"Only the first {_DRAWN} of {len(found.answers)} samples are drawn.")
    return drawn


def _free(folder: Path, source: Path, taken: list[Path]) -> Path:
    """Name the picture of a sample; files of one name may come from several folders."""
    stem = source.stem if named_like_a_picture(source) else source.name
    stem = "-".join(stem.replace(".", " ").split())
    path, number = folder / f"{stem}-seen.png", 2
    while path in taken:
        path, number = folder / f"{stem}-seen-{number}.png", number + 1
    return path
