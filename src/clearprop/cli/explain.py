"""``clearprop explain``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.contributions import LONGEST, say_coalitions, say_sample, say_way
from clearprop.cli.options import form_options
from clearprop.cli.scores import text, value
from clearprop.core.printable import fitted
from clearprop.data import Dataset, Problem, Table
from clearprop.data.named import BUILTINS
from clearprop.errors import ClearpropError, DataError, UnknownNameError, UsageError, counted
from clearprop.experiment import explaining
from clearprop.experiment.explained import Coalitions
from clearprop.experiment.folder import beside, draw
from clearprop.experiment.loading import load_dataset, load_for, read_as
from clearprop.experiment.parts import split
from clearprop.experiment.runs import Saved, require_saved
from clearprop.experiment.task import resolve_for
from clearprop.experiment.values import Names
from clearprop.explain import Importance
from clearprop.files.models import Model
from clearprop.files.written import make_folder
from clearprop.preprocessing import found_files, read_parts

_NAMES = Names("COLUMNS")
_WITHOUT = "Without DATA, a run's folder takes the rows that it held out, where it did."
_DRAWN = 6  # columns whose dependence is drawn


@command(
    "clearprop explain runs/people",
    "clearprop explain runs/people newer.csv --out why",
    "clearprop explain runs/people new.csv --sample 3",
    "clearprop explain runs/people new.csv --sample 3 --open age",
)
@click.argument("model", type=click.Path())
@click.argument("data", required=False, type=DataName())
@click.option("--sample", type=int, metavar="N", help="Explain the answer for this row, from 0.")
@click.option("--open", "opened", metavar="COLUMN", help="Show what its contribution is made of.")
@click.option(
    "--class", "said", metavar="NAME", help="Of this class, not the one that is answered."
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="COLUMNS",
    help='Take some columns as one, such as "height,weight"; may be given several times.',
)
@click.option(
    "--background",
    metavar="DATA",
    help="The rows that a sample is compared with.  [default: those that the run was trained on]",
)
@click.option(
    "--out",
    metavar="FOLDER",
    help="Draw importance, and how the answer goes with the columns that matter most, there.",
)
@form_options
@output.json_option
def explain(
    model: str,
    data: str | None,
    sample: int | None,
    opened: str | None,
    said: str | None,
    groups: tuple[str, ...],
    background: str | None,
    out: str | None,
    as_json: bool,
    **form: Any,
) -> None:
    """Say which columns of a table the answers of MODEL hang on; or what each adds to one answer.

    MODEL is a file or the folder of a run. DATA is a table whose answers are known; with --sample
    they need not be. Without DATA it is the run's own: what it held out, or with --sample all.
    """
    saved = require_saved(model)
    loaded = read_as(saved.model, form)
    explaining.recipe_of_table(loaded)
    if sample is None:
        _require_no_sample(opened, groups, background)
        _explain_model(saved, loaded, data, said, out, as_json)
    elif out is not None:
        raise UsageError("--out draws what matters in all rows, --sample explains one. Choose one.")
    else:
        words = [tuple(_NAMES.parse(group)) for group in groups]
        _explain_sample(saved, loaded, data, sample, opened, said, words, background, as_json)


def _require_no_sample(opened: str | None, groups: Sequence[str], background: str | None) -> None:
    given = {"--open": opened, "--group": groups, "--background": background}
    if name := next((name for name, value in given.items() if value), None):
        raise UsageError(f"{name} is for the answer to one row: say which with --sample N.")


def _explain_model(
    saved: Saved, model: Model, data: str | None, said: str | None, out: str | None, as_json: bool
) -> None:
    explaining.answer_names(model, said)  # before anything is read
    with output.waiting(f"Reading {data or 'the data'}"):
        dataset, of = _rows_of(saved, model, data)
    output.note_left_out(dataset.problems)
    with output.waiting("Shuffling"):
        found = explaining.importance_of(model, dataset, of)
    assert isinstance(dataset.X, Table)  # noqa: S101 - the recipe has taken it
    most = [found.names[place] for place in found.order()[:_DRAWN]]
    with output.waiting("Asking"):
        depends = explaining.dependence_of(model, dataset.X, most, said)
    drawn: list[Path] = []
    undrawn: list[Problem] = []
    if out is not None:
        folder = make_folder(Path(out))
        figures = {
            "importance": lambda: explaining.draw_importance(found),
            "dependence": lambda: explaining.draw_dependence(model, depends),
        }
        with output.waiting("Drawing"):
            for name, figure in figures.items():
                path = folder / f"{name}.png"
                problem = draw(figure, path)
                drawn += [path] if problem is None else []
                undrawn += [] if problem is None else [problem]
    output.note_undrawn(undrawn)
    if as_json:
        output.say_json(
            {
                "model": saved.word,
                "data": dataset.name,
                "importance": found.to_json(),
                "dependence": [one.to_json() for one in depends],
                "pictures": [str(path) for path in drawn],
            }
        )
        return
    _say_importance(found)
    for path in drawn:
        output.say_line(path)


def _rows_of(saved: Saved, model: Model, data: str | None) -> tuple[Dataset, str]:
    """Return rows with their truth: those of DATA, or what the run held out; and what they are."""
    if data is not None:
        try:
            dataset = load_for(model, data)
        except UnknownNameError as error:
            raise UsageError(
                f"{data}: {error} What matters is measured by true answers; --sample 0 explains "
                "the answer to a row without."
            ) from error
        if dataset.test is None and any(one.knows(data) for one, _ in saved.trainings()):
            output.note(f"Note: {saved.word} has mostly learned from {data}. {_WITHOUT}")
        return dataset.test or dataset, data
    settings = saved.on(None)
    dataset = load_dataset(settings, kept_in=beside(saved.file.parent))
    inputs = explaining.recipe_of_table(model)[1]
    parts = split(resolve_for(settings, dataset, inputs.input_shape), dataset)
    held = {"test": parts.test, "validation": parts.validation, "train": parts.train}
    return next((one, of) for of, one in held.items() if one is not None)


def _say_importance(found: Importance) -> None:
    rows, repeats = found.samples, found.drops.shape[1]
    reached = text(found.score_name, found.score)
    times = f", the mean and spread of {repeats} times" if repeats > 1 else ""
    output.say_line(
        f"{reached} on {counted(rows, 'row')} {explaining.rows_in_words(found.of)}. What it loses "
        f"as a column is shuffled among them{times}:"
    )
    means, spreads = found.means.tolist(), found.spreads.tolist()
    output.say_table(
        ("column ", "loses", "±"),
        [
            (
                fitted(found.names[place], LONGEST),
                value(found.score_name, means[place]),
                value(found.score_name, spreads[place]),
            )
            for place in found.order()
        ],
        most=output.MOST_ROWS,
    )


def _explain_sample(
    saved: Saved,
    model: Model,
    data: str | None,
    sample: int,
    opened: str | None,
    said: str | None,
    groups: Sequence[tuple[str, ...]],
    background: str | None,
    as_json: bool,
) -> None:
    with output.waiting(f"Reading {data or 'the data'}"):
        table, sources, notes = _samples(saved, model, data)
        others, of = _background(saved, model, background, table, data)
    output.note_all(notes)
    explaining.require_sample(sample, len(table), data or saved.word)
    with output.waiting("Explaining"):
        found = explaining.explain_row(
            model, table, sample, sources[sample], others, of, said=said, groups=groups
        )
    number = None if opened is None else found.open(opened)
    if as_json:
        told = {"model": saved.word, "sample": sample, **found.to_json(), "notes": notes}
        output.say_json(told if number is None else told | {"opened": number.to_json()})
    elif number is None:
        say_sample(found, sample)
    elif isinstance(number, Coalitions):
        say_coalitions(found, number)
    else:
        say_way(found, number)


def _samples(
    saved: Saved, model: Model, data: str | None
) -> tuple[Table, Sequence[str], list[str]]:
    """Return rows to explain, what they are called, and what there is to say of them."""
    recipe, _ = explaining.recipe_of_table(model)
    if data is None or (data in BUILTINS and not Path(data).exists()):
        dataset = load_for(model, saved.on(None).data if data is None else data)
        assert isinstance(dataset.X, Table)  # noqa: S101 - a model of a table reads nothing else
        return dataset.X, [dataset.source(row) for row in range(len(dataset))], []
    with found_files([data], recipe.inputs) as files:
        parts, problems = read_parts(files, recipe, model.network.dtype)
        if len(parts) != 1 or problems:
            raise DataError(f"{data} holds more than one table; --sample counts the rows of one.")
        inputs = parts[0].inputs
    assert isinstance(inputs.raw, Table)  # noqa: S101 - a recipe of tables reads nothing else
    return inputs.raw, inputs.sources, [*files.notes, *inputs.notes]


def _background(
    saved: Saved, model: Model, asked: str | None, table: Table, data: str | None
) -> tuple[Table, str]:
    """Return the rows to compare with, and the name of their data."""
    if asked is not None:
        rows, _, _ = _samples(saved, model, asked)
        return rows, asked
    if data is None:
        return table, "its own data"
    if saved.folder is not None:
        try:
            settings = saved.on(None)
            own, _, _ = _samples(saved, model, None)
        except ClearpropError as error:
            output.note(f"Compared with rows of {data}, as the run's own can't be read. {error}")
        else:
            return own, settings.data
    if len(table) < 2:
        raise UsageError(
            f"{data} has a single row, and the rows that the model has learned from are not at "
            "hand: there is nothing to compare it with. Give some: --background FILE"
        )
    return table, data
