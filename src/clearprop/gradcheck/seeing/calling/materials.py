"""Small random data of every kind that a learner's functions may want, the richest first."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import watch

Layout: TypeAlias = Literal[
    "rows",
    "columns",
    "listed rows",
    "listed columns",
    "row",
    "column",
    "flat",
    "letters",
    "sequences",
    "columns in sequences",
    "columns in time",
]
Targets: TypeAlias = Literal[
    "one-hot",
    "labels",
    "binary",
    "flat binary",
    "values",
    "flat values",
    "turned binary",
    "letters",
]

_WORDS = {
    "rows": "samples as rows",
    "columns": "samples as columns",
    "listed rows": "a list of samples, each a row",
    "listed columns": "a list of samples, each a column",
    "row": "one sample as a row",
    "column": "one sample as a column",
    "flat": "one sample without a second axis",
    "letters": "letters as integers",
    "sequences": "sequences of vectors, samples first",
    "columns in sequences": "sequences of columns, samples first",
    "columns in time": "one sequence of columns",
}
_TOLD = {
    "one-hot": "one-hot targets",
    "labels": "classes as integers",
    "binary": "one output, 0 or 1",
    "flat binary": "targets 0 or 1 without a second axis",
    "values": "one output",
    "flat values": "targets without a second axis",
    "turned binary": "one output, 0 or 1, laid the other way than inputs",
    "letters": "the next letters as targets",
}
STEPS = 3
"""How long sequences are."""

SEVERAL_OUTPUTS, ONE_OUTPUT, ONE_BY_ONE, ONE_SAMPLE = range(4)
"""How rich data are: in ranks, the richest first."""


@dataclass(frozen=True)
class Kind:
    """What data look like.

    Parameters
    ----------
    layout : str
        How samples lie in the inputs.
    targets : str
    samples, features, hidden, classes : int
    layers : int
        The layers with weights, where the code does not say how many.
    options : tuple of (str, int)
        Which of several readings of the code to take, by its name; the first of what is not named.
    """

    layout: Layout
    targets: Targets = "one-hot"
    samples: int = 6
    features: int = 4
    hidden: int = 5
    classes: int = 3
    layers: int = 2
    options: tuple[tuple[str, int], ...] = ()

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{_WORDS[self.layout]}, {_TOLD[self.targets]}"

    @property
    def is_in_steps(self) -> bool:
        """Whether a sample is a sequence of vectors."""
        return self.layout in ("sequences", "columns in sequences", "columns in time")

    @property
    def learns(self) -> bool:
        """Whether arguments with which a call fails are changed by what its failure says."""
        return ("lessons", 1) in self.options

    @property
    def outputs(self) -> int:
        """The number of outputs that a network has."""
        return self.classes if self.targets in ("one-hot", "labels", "letters") else 1

    @property
    def rank(self) -> int:
        """How rich it is; 0 is the richest."""
        if self.layout in ("row", "column", "flat", "columns in time"):
            return ONE_SAMPLE
        if self.layout.startswith("listed"):
            return ONE_BY_ONE
        return SEVERAL_OUTPUTS if self.outputs > 1 else ONE_OUTPUT

    @property
    def in_rows(self) -> bool:
        """Whether weights are multiplied from the right."""
        return self.layout in ("rows", "listed rows", "row", "flat", "sequences")

    @property
    def sizes(self) -> list[int]:
        """The units of every layer, inputs and outputs included."""
        between = [self.hidden + number for number in range(self.layers - 1)]
        return [self.features, *between, self.outputs]


@dataclass(eq=False)
class Data:
    """Watched arrays of a kind.

    Parameters
    ----------
    kind : Kind
    """

    kind: Kind
    inputs: Any = field(init=False)
    targets: Any = field(init=False)
    pairs: list[tuple[Any, Any]] = field(init=False)

    def __post_init__(self) -> None:
        kind, random = self.kind, np.random.RandomState(5)
        count = 1 if kind.rank == ONE_SAMPLE else kind.samples
        steps = (STEPS,) if kind.is_in_steps else ()
        x = random.uniform(0, 1, (count, *steps, kind.features))
        if kind.features < 100:
            x = 2 * x - 1
        classes = (np.arange(count) + (kind.rank == ONE_SAMPLE)) % max(kind.classes, 2)
        if kind.targets in ("one-hot", "labels", "letters"):
            t = np.eye(kind.classes)[classes % kind.classes]
        elif "binary" in kind.targets:
            t = (classes % 2)[:, None].astype(float)
        else:
            t = random.uniform(0.1, 0.9, (count, 1))
        self.labels = classes
        if kind.layout == "letters":
            self.inputs = [int(one) for one in classes]
            self.targets = [*self.inputs[1:], 1]
        else:
            self.inputs = watch(self._laid(x), "data")
            self.targets = watch(self._answers(t), "data")
        self.pairs = [
            (watch(one[:, None], "data"), watch(two[:, None], "data"))
            for one, two in zip(x, t, strict=True)
        ]
        self.one_by_one = t

    def _laid(self, rows: Array) -> Array:
        layout = self.kind.layout
        if layout in ("columns", "column"):
            return rows.T.copy()
        if layout == "listed rows":
            return rows[:, None, :]
        if layout in ("listed columns", "columns in sequences"):
            return rows[..., None]
        if layout == "columns in time":
            return rows[0, ..., None]
        return rows[0] if layout == "flat" else rows

    def _answers(self, rows: Array) -> Array:
        if self.kind.targets == "labels":
            return self.labels
        if self.kind.targets.startswith("flat"):
            return rows.ravel()
        return self._laid(rows).T.copy() if "turned" in self.kind.targets else self._laid(rows)

    @property
    def arrays(self) -> list[Any]:
        """All that is data."""
        return [self.inputs, self.targets, *(one for pair in self.pairs for one in pair)]


def kinds(
    layers: int = 2, samples: int = 6, classes: int = 3, *, recurrent: bool = False
) -> Iterator[Kind]:
    """Yield every kind of data, the richest first.

    Parameters
    ----------
    layers : int
        The layers with weights that the code speaks of.
    samples, classes : int
        The samples of a batch, and the classes, that it speaks of.
    recurrent : bool
        Whether it speaks of sequences.
    """
    usual = Kind("rows", layers=layers, samples=max(samples, classes + 2), classes=classes)
    yield usual
    yield replace(usual, layout="columns")
    if recurrent:
        yield replace(usual, layout="sequences")
        yield replace(usual, layout="sequences", targets="labels")
        yield replace(usual, layout="columns in sequences")
    for layout in ("rows", "columns"):
        yield replace(usual, layout=layout, targets="labels")
    several: tuple[Targets, ...] = ("binary", "values")
    for targets in several:
        yield replace(usual, targets=targets)
        yield replace(usual, layout="columns", targets=targets)
    for targets in ("flat binary", "flat values"):
        yield replace(usual, targets=targets)
    yield replace(usual, targets="turned binary")
    if recurrent:
        letters = replace(usual, layout="letters", targets="letters", features=5, classes=5)
        yield replace(letters, hidden=4)
    one_by_one: tuple[Layout, ...] = ("listed rows", "listed columns", "column", "flat", "row")
    if recurrent:
        one_by_one = "columns in time", *one_by_one
    for layout in one_by_one:
        yield replace(usual, layout=layout)
        yield replace(usual, layout=layout, targets="binary")
