"""``clearprop predict``."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearprop.cli import options, output
from clearprop.cli.command import command
from clearprop.core.parameters import Array
from clearprop.data import Problem
from clearprop.data.pictures.files import preview
from clearprop.data.pictures.formats import named_like_a_picture
from clearprop.errors import UsageError, counted, listed
from clearprop.experiment.answer_files import require_format, save_answers
from clearprop.experiment.backbones import found_at
from clearprop.experiment.folder import draw
from clearprop.experiment.loading import read_as
from clearprop.experiment.looking import look_at
from clearprop.experiment.prediction import Answer, Predictions, predict_files
from clearprop.experiment.runs import require_saved
from clearprop.experiment.thresholds import overruled
from clearprop.files.models import Model
from clearprop.files.written import make_folder
from clearprop.preprocessing.coverage import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = 50  # pictures at most: a table has thousands of rows


@command(
    "clearprop predict runs/people new.csv",
    "clearprop predict runs/people new.csv --out answers.csv --id name",
    "clearprop predict runs/photos photo.png --show",
)
@click.argument("model", type=click.Path())
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option(
    "--out",
    metavar="FILE",
    help="Write the answers to FILE (.csv, .jsonl or .parquet) instead of printing them: each row "
    "as it was given, the prediction, the probability of each class.",
)
@click.option(
    "--proba",
    is_flag=True,
    help="Print the probability of every class. FILE has them anyway, unless --id is given.",
)
@click.option(
    "--top", type=click.IntRange(min=1), metavar="K", help="Tell the K likeliest classes."
)
@click.option(
    "--id",
    "id_column",
    metavar="COLUMN",
    help="Name the rows of a table by this column of it; FILE has it alone beside the answers.",
)
@click.option(
    "--show",
    is_flag=True,
    help="Draw what the network sees beside its answer, in this folder; of a picture, where it "
    "looks, too.",
)
@click.option("--show-in", metavar="FOLDER", help="The same, in another folder.")
@options.features_option
@options.threshold_option
@options.form_options
@options.cluster_option
@output.json_option
@click.pass_context
def predict(
    ctx: click.Context,
    /,
    model: str,
    files: tuple[str, ...],
    out: str | None,
    proba: bool,
    top: int | None,
    id_column: str | None,
    show: bool,
    show_in: str | None,
    features: str | None,
    threshold: float | None,
    cluster: str | None,
    as_json: bool,
    **form: Any,
) -> None:
    """Say what MODEL, a file or the folder of a run, makes of FILES.

    FILES are pictures or tables (CSV, TSV, NPZ), folders of them, patterns such as "new/*.png", or
    - for standard input.
    """
    own = found_at(require_saved(model).model, features)
    loaded, counts = overruled(read_as(own, form), threshold)
    drawn_in = show_in if show_in is not None else "." if show else None
    if proba and top is not None:
        raise UsageError("--proba tells all classes, --top some of them; give one of the two.")
    if not loaded.gives_probabilities and (proba or drawn_in is not None):
        option = "--proba tells" if proba else "--show draws"
        raise UsageError(f"{option} probabilities of classes; this model gives none.")
    if out is not None:
        require_format(out)
        _require_apart(out, [model, *files])
    workers = options.on_cluster(ctx, cluster)
    with ExitStack() as opened:
        with output.waiting("Reading"):
            reading = predict_files(loaded, files, id=id_column, top=top, cluster=workers)
            found = opened.enter_context(reading)
        output.note_left_out(found.problems)
        notes = [*counts, *found.notes]
        output.note_all(notes)
        said: dict[str, object] = {"model": model}
        if out is not None:
            with output.waiting(f"Writing {out}"):
                renamed = save_answers(out, found, all_classes=proba or id_column is None)
            output.note_all(renamed)
            notes += renamed
            said |= {"out": out, "samples": len(found)}
            if not as_json:
                output.say_line(f"{out}: {counted(len(found), 'answer')}")
        elif as_json:
            said["predictions"] = [answer.to_json() for answer in found.answers()]
        else:
            _say(found, proba)
        drawn = [] if drawn_in is None else _draw(found, Path(drawn_in))
        if as_json:
            output.say_json(
                said
                | {
                    "problems": [vars(problem) for problem in found.problems],
                    "notes": notes,
                    "pictures": [str(path) for path in drawn],
                }
            )
        else:
            for path in drawn:
                output.say_line(path)
    if found.problems:
        ctx.exit(1)


def _require_apart(out: str, given: list[str]) -> None:
    """Refuse to write the answers over what they are made of."""
    place = Path(out)
    for name in given:
        if place.exists() and Path(name).exists() and place.samefile(name):
            raise UsageError(f"--out would replace {name}, which is read. Choose another name.")


def _say(found: Predictions, proba: bool) -> None:
    columns = [f"{found.id or 'sample'} "]
    if found.top is not None:
        for place in range(1, found.top + 1):
            number = f" {place}" if place > 1 else ""
            columns += [f"prediction{number} ", f"probability{number}"]
    else:
        columns.append("prediction ")
        columns += list(found.model.class_names or ()) if proba else []
        columns += ["probability"] if found.model.gives_probabilities and not proba else []
        columns += [f"quantile {level}" for level in found.levels]
    recipe = found.model.preprocessing
    promise = None if recipe is None else recipe.target.coverage
    if promise is not None:
        share, classes = percent(promise.share), found.model.class_names
        columns += [f"{share} set "] if classes else [f"{share} from", "to"]
    rows = []
    for answer in found.answers():
        shares = answer.probabilities or {}
        row: list[Any] = [answer.source]
        if found.top is not None:
            row += [
                cell for name, share in shares.items() for cell in (name, output.percent(share))
            ]
        elif proba:
            row += [answer.prediction, *map(output.percent, shares.values())]
        elif shares:
            row += [answer.prediction, output.percent(shares[answer.prediction])]
        else:
            row += [answer.prediction, *(answer.quantiles or {}).values()]
        if answer.set is not None:
            row.append(listed(answer.set) or "(none)")
        elif answer.lower is not None:
            row += [answer.lower, answer.upper]
        rows.append(row)
    if rows:
        output.say_table(columns, rows)


def _draw(found: Predictions, out: Path) -> list[Path]:
    folder = make_folder(out)
    taken: list[Path] = []
    undrawn: list[Problem] = []
    for answer, given, seen in found.first(_DRAWN):
        file = Path(answer.source)
        taken.append(_free(folder, file, taken))
        picture = file if found.id is None and named_like_a_picture(file) else None
        figure = partial(_seen, found.model, answer, picture, given, seen)
        undrawn += filter(None, [draw(figure, taken[-1])])
    output.note_undrawn(undrawn)
    if len(found) > _DRAWN:
        output.note(f"Only the first {_DRAWN} of {len(found)} samples are drawn.")
    failed = {problem.source for problem in undrawn}
    return [path for path in taken if path.name not in failed]


def _seen(
    model: Model, answer: Answer, picture: Path | None, given: Array | None, seen: Array
) -> "Figure":
    """Draw a sample as it was given, a picture in its own proportions, and what is seen of it."""
    from clearprop import plots

    if picture is not None:
        given = preview(picture)
    shares = answer.probabilities or {}
    looks = look_at(model, seen, answer.prediction)
    return plots.what_it_sees(given, seen, [*shares.values()], [*shares], **looks)


def _free(folder: Path, source: Path, taken: list[Path]) -> Path:
    """Name the picture of a sample; files of one name may come from several folders."""
    stem = source.stem if named_like_a_picture(source) else source.name
    stem = "-".join(stem.replace(".", " ").split())
    path, number = folder / f"{stem}-seen.png", 2
    while path in taken:
        path, number = folder / f"{stem}-seen-{number}.png", number + 1
    return path
