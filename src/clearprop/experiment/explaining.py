"""Why a model of a table answers as it does: which columns matter, how, and what each adds."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearprop import explain
from clearprop.core.blas import blas_threads, choose_threads
from clearprop.core.parameters import Array
from clearprop.data import Dataset, Table
from clearprop.data.tables.table import as_words
from clearprop.errors import DataError, UsageError, counted, naming, unknown_name
from clearprop.experiment.answers import answers_of
from clearprop.experiment.explained import Explained
from clearprop.experiment.loading import recipe_of
from clearprop.experiment.scores import headline, scores_of
from clearprop.experiment.task import Task
from clearprop.files.models import Model, decided
from clearprop.preprocessing import ClassTarget, PictureRecipe, Preprocessing, TableRecipe, prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHOLE, BESIDE = 2**36, 2**33
"""Multiplications that importance may cost where it is asked for, and beside a training."""

_OF = {"test": "held out to test", "validation": "held out to choose", "train": "learned from"}
_AT_ONCE = 1024  # rows that are mixed at a time, about
_ROWS, _REPEATS, _FEWEST = 1000, 5, 50
_DEPENDENCE_ROWS = 500
_BACKGROUND, _LEAST_BACKGROUND = 100, 20  # rows
_MIXED = 2**34  # multiplications that exact contributions may cost, about


def recipe_of_table(model: Model) -> tuple[Preprocessing, TableRecipe]:
    """Return the recipe of a model of a table, and that of its inputs.

    Raises
    ------
    UsageError
        If it takes pictures or arrays, or was saved without a recipe.
    """
    recipe = recipe_of(model, "tell of its columns")
    if isinstance(recipe.inputs, TableRecipe):
        return recipe, recipe.inputs
    takes = "pictures" if isinstance(recipe.inputs, PictureRecipe) else "arrays"
    raise UsageError(
        f"explain tells what the columns of a table do, and this model takes {takes}. What it sees "
        f"in one, and where it looks: clearprop predict MODEL FILE --show"
    )


def places_of(inputs: TableRecipe) -> dict[str, NDArray[np.int64]]:
    """Return the prepared inputs of each column, by its name."""
    every = np.arange(inputs.input_shape[0])
    return {name: every[place] for name, place in inputs.places.items()}


def importance_of(
    model: Model, dataset: Dataset, of: str, score_name: str | None = None, work: int = WHOLE
) -> explain.Importance:
    """Shuffle each column of a table among up to 1,000 rows, up to five times; see the score fall.

    Parameters
    ----------
    model : Model
    dataset : Dataset
        Rows with their truth.
    of : str
        What they are.
    score_name : {"accuracy", "balanced_accuracy", "r2"}, optional
        The score; unless given the one that counts.
    work : int
        The multiplications that it may cost: fewer repeats, then fewer rows are taken.

    Raises
    ------
    UsageError
        If the model is not one of a table.
    DataError
        If there is a single row, the score is not defined for the rows, or they don't fit.
    """
    recipe, inputs = recipe_of_table(model)
    places = places_of(inputs)
    rows, repeats = _bounded(len(dataset), len(places), model.network.multiplications, work)
    with naming(dataset.name):
        some = _some(dataset, rows)
        own = answers_of(model.network, recipe, some)
        X = prepare(some.X, inputs, model.network.dtype)[:]
    name = score_name or headline(own, recipe.target)
    target, loss = recipe.target, model.network.loss

    def score_of(X: Array) -> float:
        logits = model.network.logits(X)
        if not isinstance(target, ClassTarget):
            restored = target.restore(loss.predict(logits))
            return scores_of(replace(own, predicted=restored), target)["r2"]
        is_right = decided(target, loss, logits) == own.truth
        if name == "accuracy":
            return float(is_right.mean())
        return float(np.mean([is_right[own.truth == k].mean() for k in np.unique(own.truth)]))

    with _few_threads(model, rows), np.errstate(over="ignore", invalid="ignore"):  # if diverged
        score, drops = explain.permutation_drops(score_of, X, places, repeats)
    if not np.isfinite(score):
        raise DataError(
            f"{dataset.name}: the score {name} of {counted(len(some), 'row')} is not defined, so "
            "nothing is known of what it would lose. Give rows whose answers differ."
        )
    return explain.Importance(tuple(places), drops, name, score, len(some), of)


def importance_of_run(task: Task, model: Model) -> explain.Importance | None:
    """Return the importance of a run's columns, on samples that were held out if any were.

    Where each was held out once, from another network, those that were learned from have to do.
    """
    held = {"test": task.test, "validation": task.validation, "train": task.train}
    of, dataset = next((of, one) for of, one in held.items() if one is not None)
    return importance_beside(model, dataset, of)


def importance_beside(
    model: Model, dataset: Dataset, of: str, score_name: str | None = None
) -> explain.Importance | None:
    """Return the importance of columns where that is told beside something else.

    Takes what `importance_of` does.

    Returns
    -------
    Importance or None
        None where it is no table, it can't be told, or would take as long as a short training.
    """
    recipe = model.preprocessing
    if recipe is None or not isinstance(recipe.inputs, TableRecipe):
        return None
    if len(recipe.inputs.columns) * _FEWEST * model.network.multiplications > BESIDE:
        return None
    try:
        return importance_of(model, dataset, of, score_name, BESIDE)
    except DataError:  # a single row, or answers that are all alike
        return None


def _bounded(samples: int, columns: int, cost: int, work: int) -> tuple[int, int]:
    """Return how many samples are taken, and how often each column is shuffled."""
    rows = min(samples, _ROWS)
    passes = work // max(1, columns * cost * rows)
    if passes >= 1:
        return rows, min(passes, _REPEATS)
    return min(rows, max(_FEWEST, work // (columns * cost))), 1


def _some(dataset: Dataset, rows: int) -> Dataset:
    """Return some samples, drawn at random, in their order."""
    return dataset if rows >= len(dataset) else dataset.take(_drawn(len(dataset), rows))


def _drawn(count: int, rows: int) -> NDArray[np.int64]:
    """Draw rows of so many, always the same; in their order."""
    return np.sort(np.random.RandomState(0).permutation(count)[:rows])


def answer_names(model: Model, said: str | None = None) -> tuple[str, ...]:
    """Return the answers that dependence is told of: one class, all of several, or the value.

    Raises
    ------
    UnknownNameError, UsageError
        If there is no class of that name, or no class at all.
    """
    names, target = model.class_names, recipe_of_table(model)[0].target
    if said is not None:
        return (class_named(model, said),)
    if not isinstance(target, ClassTarget) or names is None:
        return (target.name or "value",)
    return names if target.positive_name is None else (target.positive_name,)


def class_named(model: Model, name: str) -> str:
    """Return the name of a class, if the model has it.

    Raises
    ------
    UnknownNameError, UsageError
        If it has not, or none at all.
    """
    if model.class_names is None:
        raise UsageError("--class names a class, and this model predicts values: leave it out.")
    if name not in model.class_names:
        raise unknown_name("class", name, model.class_names)
    return name


def dependence_of(
    model: Model, table: Table, columns: Iterable[str], said: str | None = None
) -> list[explain.Dependence]:
    """Return how the answer goes with some columns, over up to 500 rows.

    Parameters
    ----------
    model : Model
    table : Table
        The rows, of which `check` has nothing to say against.
    columns : iterable of str
    said : str, optional
        The class whose probability is told; unless given the positive of two, all of more.
    """
    recipe, inputs = recipe_of_table(model)
    asked = answer_names(model, said)
    raw = table[_drawn(len(table), _DEPENDENCE_ROWS)]
    X = prepare(raw, inputs, model.network.dtype)[:]
    target, places, found = recipe.target, places_of(inputs), []

    def answers(X: Array) -> Array:
        logits = model.network.logits(X)
        if not isinstance(target, ClassTarget):
            return target.restore(model.network.loss.predict(logits)).reshape(len(X), -1)
        numbers = [target.class_names.index(name) for name in asked]
        if model.gives_probabilities:
            return model.shares(logits)[:, numbers]
        return np.column_stack([_logit(logits, number) for number in numbers])

    own = {column.name: column for column in inputs.columns}
    with _few_threads(model, len(X)):
        base = answers(X).mean(axis=0)
        for name in columns:
            cells, more = explain.grid(table.columns[name])
            alone = replace(inputs, columns=(own[name],))
            changed = alone.transform(Table({name: cells}), X.dtype)
            means = explain.partial_dependence(answers, X, places[name], changed)
            found.append(explain.Dependence(name, cells, means, base, asked, len(X), more))
    return found


def _few_threads(model: Model, rows: int) -> AbstractContextManager[None]:
    """Let small products have one thread: to wake others takes longer than it saves."""
    return blas_threads(choose_threads(model.network.multiplications, rows))


def _logit(logits: Array, number: int) -> Array:
    if logits.shape[1] > 1:
        return logits[:, number]
    return (2 * number - 1) * logits[:, 0]


def explain_row(
    model: Model,
    table: Table,
    row: int,
    source: str,
    background: Table,
    of: str,
    *,
    said: str | None = None,
    groups: Sequence[Sequence[str]] = (),
) -> Explained:
    """Explain the answer for one row of a table.

    Parameters
    ----------
    model : Model
    table : Table
        Rows that the recipe's `check` has nothing to say against.
    row : int
        The row, counted from 0.
    source : str
        Its name.
    background : Table
        Rows to compare with, of which up to 100 are taken.
    of : str
        The name of the data that they are from.
    said : str, optional
        The class that is asked about; unless given the one that is answered.
    groups : sequence of sequence of str
        Columns that are taken as one.

    Raises
    ------
    UsageError
        If the model is not one of a table, there is no such row, class or column, a column is in
        two groups, or there is a single row to compare with, the one that is explained.
    DataError
        If the rows don't fit the model.
    """
    recipe, inputs = recipe_of_table(model)
    require_sample(row, len(table), source)
    network, target = model.network, recipe.target
    one = table[row : row + 1]
    X = prepare(one, inputs, network.dtype)[:]
    logits = network.logits(X)
    which = 0
    if isinstance(target, ClassTarget):
        which = int(decided(target, network.loss, logits)[0])
        if said is not None:
            which = target.class_names.index(class_named(model, said))
    elif said is not None:
        class_named(model, said)
    places = places_of(inputs)
    members = members_of(places, groups)
    players = {name: np.concatenate([places[one] for one in own]) for name, own in members.items()}
    asked = explain.Asked.of(model, which)
    x = inputs.transform(one, np.float64)[0]
    is_exact = len(players) <= explain.MOST_PLAYERS
    rows = _BACKGROUND
    if is_exact:
        cost = 2 ** len(players) * max(1, network.multiplications)
        rows = max(_LEAST_BACKGROUND, min(_BACKGROUND, _MIXED // cost))
    others = inputs.transform(background[_drawn(len(background), rows)], np.float64)
    if (others == x).all():
        raise UsageError(
            f"All rows of {of} that could be compared with are like the one that is explained, so "
            "no column adds anything. Give others: --background FILE"
        )
    names = explain.Embedded(asked).names(inputs.input_names)
    with _few_threads(model, _AT_ONCE):
        found = _found(asked, x, others, players)
    cells = {
        column.name: as_words(one.columns[column.name]).tolist()[0].removesuffix(" 00:00:00")
        for column in inputs.columns
    }
    prediction = model.named(logits).tolist()[0]
    return Explained(source, prediction, asked, cells, members, found, len(others), of, names)


def require_sample(sample: int, count: int, name: str) -> None:
    """Raise UsageError if data of so many rows have no sample of a number, from 0."""
    if not 0 <= sample < count:
        raise UsageError(
            f"{name} has {counted(count, 'sample')}, 0 to {count - 1}; there is no sample {sample}."
        )


def _found(
    asked: explain.Asked, x: Array, others: Array, players: explain.Groups
) -> explain.Contributions:
    """Return exact Shapley values, or integrated gradients where there are too many players."""
    if len(players) <= explain.MOST_PLAYERS:
        return explain.shapley_values(asked.values, x, others, players)
    embedded = explain.Embedded(asked)
    lifted = embedded.lift(np.vstack([x[np.newaxis], others]))
    baseline = lifted[1:].mean(axis=0)
    return explain.integrated_gradients(
        embedded.slopes, lifted[0], baseline, embedded.groups(players)
    )


def members_of(
    columns: Iterable[str], groups: Sequence[Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the columns of each group by its name, in the place of the first; others are alone.

    Raises
    ------
    UnknownNameError, UsageError
        If there is no such column, or one is in two groups.
    """
    columns, owner = tuple(columns), {}
    for group in groups:
        for column in group:
            if column not in columns:
                raise unknown_name("column", column, columns)
            if column in owner:
                raise UsageError(f"--group has {column!r} twice; a column is in one group.")
            owner[column] = tuple(group)
    found: dict[str, tuple[str, ...]] = {}
    for column in columns:
        group = owner.get(column, (column,))
        found.setdefault(" + ".join(group), group)
    return found


def draw_importance(found: explain.Importance) -> "Figure":
    """Draw how much each column matters."""
    from clearprop import plots

    score = {"balanced_accuracy": "balanced accuracy", "r2": "R²"}.get(
        found.score_name, found.score_name
    )
    about = f"{counted(found.samples, 'row')} {rows_in_words(found.of)}"
    return plots.importance(found.names, found.means, found.spreads, score, about)


def draw_dependence(model: Model, found: Sequence[explain.Dependence]) -> "Figure":
    """Draw how the answer goes with some columns."""
    from clearprop import plots

    panels = [plots.Panel(one.name, one.axis, one.drawn, one.base) for one in found]
    names = found[0].answer_names if found else ()
    recipe, _ = recipe_of_table(model)
    unit = recipe.target.name or "value"
    if isinstance(recipe.target, ClassTarget):
        unit = "probability" if model.gives_probabilities else "logit"
        unit += f" of {names[0]!r}" if len(names) == 1 else ""
    return plots.dependence(panels, names, unit)


def rows_in_words(of: str) -> str:
    """Say what rows importance was measured on: ``held out to test``."""
    return _OF.get(of, f"of {of}")
