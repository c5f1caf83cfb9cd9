"""Answers of a model to files whose truth is not known."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data import Problem, Table
from clearprop.data.tables.table import Words
from clearprop.errors import UsageError, unknown_name
from clearprop.experiment.coverage import promise_in_words
from clearprop.experiment.loading import recipe_of
from clearprop.experiment.rows import logits_by_block
from clearprop.files.certainty import covering
from clearprop.files.models import Model, decided
from clearprop.losses import Quantiles
from clearprop.preprocessing import ClassTarget, Part, found_files, read_parts, shown
from clearprop.preprocessing.inputs import as_written
from clearprop.training.units import Cluster, cluster_of


@dataclass(frozen=True)
class Answer:
    """The answer of a model to one sample.

    Parameters
    ----------
    source : str
        Its file, with its row where a file has several; or its cell of a column of ids.
    prediction : str or float or list of float
        The class's name, or the values.
    probabilities : dict of str to float, or None
        The probability of each class, or of the likeliest ones, the likeliest first, by name; None
        for values, and where the loss has none, as hinge.
    set : list of str or None
        The classes that hold the true one for the share of samples that is promised, the likeliest
        first; None without a coverage, and for values.
    lower, upper : float or list of float, or None
        Where the interval that does so begins and ends; None without a coverage, and for classes.
    quantiles : dict of str to float, or None
        The quantiles by their level as text; None where none were learned.
    """

    source: str
    prediction: Any
    probabilities: dict[str, float] | None
    set: list[str] | None = None
    lower: Any = None
    upper: Any = None
    quantiles: dict[str, float] | None = None

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class Block:
    """The answers to n consecutive samples.

    Parameters
    ----------
    part : Part
        The samples that were read with them.
    rows : slice
        Their places in it.
    sources : sequence of str, n long
    prediction : ndarray, shape (n,) or (n, outputs)
        The names of classes, or values on their own scale.
    probabilities : ndarray, shape (n, K), or None
        The probability of each class, or those of the `likeliest`, the largest first.
    likeliest : ndarray of str, shape (n, top), or None
        The names of the likeliest classes, if that is what was asked for.
    sets : sequence of list of str, n long, or None
        The classes in each set, the likeliest first, where a coverage is promised.
    intervals : ndarray of float64, shape (n, 2) or (n, 2, outputs), or None
        The interval of each value, where a coverage is promised.
    quantiles : ndarray of float64, shape (n, number of levels), or None
        The quantiles of each value, where some were learned.
    """

    part: Part
    rows: slice
    sources: Sequence[str]
    prediction: Array
    probabilities: Array | None
    likeliest: Array | None
    sets: Sequence[list[str]] | None = None
    intervals: Array | None = None
    quantiles: Array | None = None


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers of a model to some files; they are computed when they are walked over.

    Parameters
    ----------
    model : Model
    parts : tuple of Part
        The samples.
    problems : tuple of Problem
        The files that can't be read.
    notes : tuple of str
        Sentences on what was passed over, and on samples that are unlike the training data.
    id : str or None
        The column that names the samples.
    top : int or None
        The number of likeliest classes that are told; None for all classes in their order.
    cluster : Cluster or None
        Who answers, block by block; None for this process.
    """

    model: Model
    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    id: str | None = None
    top: int | None = None
    cluster: Cluster | None = None

    def __len__(self) -> int:
        return sum(len(part.prepared) for part in self.parts)

    @cached_property
    def written(self) -> tuple[Mapping[str, Words], ...]:
        """The cells of each part's table, by column, as they are in its file; {} for no table."""
        recipe = recipe_of(self.model, "read files")
        nothing: dict[str, Words] = {}
        return tuple(
            nothing if part.path is None else as_written(part.path, recipe) for part in self.parts
        )

    @property
    def levels(self) -> list[str]:
        """The levels of the quantiles as text, where some were learned: ``0.1``."""
        loss = self.model.network.loss
        return list(map(repr, loss.levels)) if isinstance(loss, Quantiles) else []

    def blocks(self) -> Iterator[Block]:
        """Walk over the answers, block by block."""
        columns: Mapping[str, Words] = {}
        for place, part in enumerate(self.parts):
            if self.id is not None:
                columns = self.written[place]
            sources = part.inputs.sources if self.id is None else columns[self.id].tolist()
            for rows, logits in logits_by_block(self.model, part.prepared, self.cluster):
                likeliest = shares = None
                if self.model.gives_probabilities:
                    shares = self.model.shares(logits)
                    if self.top is not None:
                        likeliest, shares = self._likeliest(shares, logits)
                said = self.model.named(logits)
                held, several = self._holding(logits), self.model.quantiles(logits)
                yield Block(part, rows, sources[rows], said, shares, likeliest, *held, several)

    def answers(self) -> Iterator[Answer]:
        """Walk over the answers, one by one."""
        for block in self.blocks():
            n = len(block.sources)
            names = [self.model.class_names] * n if block.likeliest is None else block.likeliest
            shares: Any = [None] * n
            if block.probabilities is not None:
                pairs = zip(names, block.probabilities.tolist(), strict=True)
                shares = (dict(zip(map(str, named), row, strict=True)) for named, row in pairs)
            nothing: list[Any] = [None] * n
            sets = nothing if block.sets is None else block.sets
            ends = [nothing, nothing]
            if block.intervals is not None:
                ends = [block.intervals[:, place].tolist() for place in (0, 1)]
            several = nothing
            if block.quantiles is not None:
                rows = block.quantiles.tolist()
                several = [dict(zip(self.levels, row, strict=True)) for row in rows]
            said = block.prediction.tolist()
            for one in zip(block.sources, said, shares, sets, *ends, several, strict=True):
                yield Answer(*one)

    def first(self, count: int) -> Iterator[tuple[Answer, Array | None, Array]]:
        """Walk over the first answers, with their samples as given and as the network took them.

        A table's samples are given as no single array, so there is None.
        """
        answers = self.answers()
        for part in self.parts:
            raw = part.inputs.raw
            for row in range(min(count, len(part.prepared))):
                given = None if isinstance(raw, Table) else raw[row : row + 1][0]
                yield next(answers), given, part.prepared[row : row + 1][0]
            count -= min(count, len(part.prepared))

    def _holding(self, logits: Array) -> tuple[list[list[str]] | None, Array | None]:
        """Return the sets of classes or the intervals of values that logits say."""
        target, loss = recipe_of(self.model, "read files").target, self.model.network.loss
        held = covering(target, loss, logits)
        if held is None or not isinstance(target, ClassTarget):
            return None, held
        names, order = target.class_names, np.argsort(-logits, axis=1, kind="stable")
        if logits.shape[1] == 1:  # of the second of two classes
            order = np.where(logits > 0, (1, 0), (0, 1))
        return [
            [names[k] for k in row if own[k]]
            for row, own in zip(order.tolist(), held.tolist(), strict=True)
        ], None

    def _likeliest(self, shares: Array, logits: Array) -> tuple[Array, Array]:
        target = recipe_of(self.model, "read files").target
        assert isinstance(target, ClassTarget)  # noqa: S101 - others have no probabilities
        predicted = decided(target, self.model.network.loss, logits)
        order = -shares
        order[np.arange(len(order)), predicted] = -np.inf  # first among equals
        chosen = np.argsort(order, axis=1, kind="stable")[:, : self.top]
        names = np.array(self.model.class_names)[chosen]
        return names, np.take_along_axis(shares, chosen, axis=1)


@contextmanager
def predict_files(
    model: Model,
    names: Sequence[str | os.PathLike[str]],
    *,
    id: str | None = None,  # noqa: A002 - the column's usual name, and the option's
    top: int | None = None,
    cluster: Any = None,
) -> Iterator[Predictions]:
    """Read files, and answer for every sample in them while the block lasts.

    Parameters
    ----------
    model : Model
    names : sequence of str or path-like
        Files, folders, patterns, or ``-`` for standard input: see `found_files`.
    id : str, optional
        The column of tables that names the samples; by default their file and row do.
    top : int, optional
        The number of likeliest classes that are told of each sample; all by default.
    cluster : distributed.Client or str, optional
        The Dask cluster that answers, to the same bits as this process; see
        `clearprop.training.units.cluster_of`.

    Raises
    ------
    UsageError
        If the model has no preprocessing, `top` can't be, or the files are not tables with a column
        `id`.
    DataError, ShapeError
        If none of the files can be read, or fits the model.
    ClusterError
        If there is no such cluster, or, while they are walked over, nobody is left of it.
    """
    recipe = recipe_of(model, "read files")
    _check_top(model, top)
    with found_files(names, recipe.inputs) as files, cluster_of(cluster) as workers:
        parts, problems = read_parts(files, recipe, model.network.dtype, id)
        notes = promise_in_words(recipe.target) + files.notes
        notes += tuple(note for part in parts for note in part.inputs.notes)
        found = Predictions(model, parts, problems, notes, id, top, workers)
        for part, columns in zip(parts, found.written, strict=True) if id is not None else ():
            if not columns:
                raise UsageError("--id names a column of a table; pictures and arrays have none.")
            if id not in columns:
                place = "" if part.path is None else f" of {shown(part.path)}"
                raise unknown_name(f"column{place}", str(id), columns)
        yield found


def _check_top(model: Model, top: int | None) -> None:
    if top is None:
        return
    if not model.gives_probabilities or model.class_names is None:
        raise UsageError("This model gives no probabilities of classes, so there is no --top.")
    if not 1 <= top <= len(model.class_names):
        raise UsageError(f"--top is {top}, but the model has {len(model.class_names)} classes.")
