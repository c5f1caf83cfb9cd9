"""Which of some arrays are the samples, which the targets, and of which part: by their names."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.data.rows_on_disk import RowsOnDisk
from clearprop.data.selected_rows import Array
from clearprop.errors import listed

_PARTS = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "va", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "te", "t10k"), "test"),
}
_KINDS = {  # those that go before others first: pictures before the same numbers made flat
    "X": "x images image imgs img pixels data dataset features inputs input samples",
    "y": "y labels label targets target outputs output class",
    "names": "listclasses classnames targetnames labelnames classes categories",
    "columns": "featurenames columnnames",
}
_WORDS = {
    word: (kind, rank) for kind, words in _KINDS.items() for rank, word in enumerate(words.split())
}
_ROLE = re.compile(
    r"(?P<before>{parts})?(set)?(?P<word>{words})(set)?(orig)?(?P<after>{parts})?".format(
        parts="|".join(_PARTS), words="|".join(_WORDS)
    )
)

EXPECTED = (
    "Expected X and y, or X_train, y_train, X_test, y_test, or images and labels, data and target, "
    "features and targets, inputs and outputs"
)


@dataclass(frozen=True)
class Stored:
    """An array that lies in a file: what its header says, and how to read it.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : dtype
    read : callable
        Reads it, and raises DataError where the header lied.
    stay : callable, optional
        Leaves it in its file, of which rows may take so many bytes in memory; raises DataError
        where the header lied. None where it can't be read row by row.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Array]
    stay: Callable[[int], RowsOnDisk] | None = None

    @property
    def nbytes(self) -> int:
        """The bytes of its numbers, as its header claims."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers, not text."""
        return self.dtype.kind in "biuf"

    def __str__(self) -> str:
        of = " of Python objects" if self.dtype.kind == "O" else ""
        return f"{listed([self.name])} ({'x'.join(map(str, self.shape)) or 'a single number'}{of})"


@dataclass(frozen=True)
class Role:
    """The role that an array's name gives it.

    Parameters
    ----------
    family : str
        The other words, as in ``mnist_X``: only arrays with the same ones belong together.
    part : {"", "train", "validation", "test"}
    kind : {"X", "y", "names", "columns"}
        Samples, targets, the classes' names, or the features'.
    rank : int
        The place among the words of its kind; the lowest is taken.
    """

    family: str
    part: str
    kind: str
    rank: int


@dataclass(frozen=True)
class Pair:
    """The samples of a part, and its targets, if it has some."""

    X: Stored
    y: Stored | None


@dataclass(frozen=True)
class Told:
    """The roles of some arrays, as far as they can be told.

    Parameters
    ----------
    parts : dict of str to Pair
        By "" (where no part is named), "train", "validation" and "test".
    names, columns : Stored or None
        The names of the classes and of the features.
    """

    parts: dict[str, Pair]
    names: Stored | None = None
    columns: Stored | None = None


def role_of(name: str) -> Role | None:
    """Tell an array's role by its name, in any case and with any signs between the words."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length, -1, -1):
            match = _ROLE.fullmatch("".join(words[start : start + length]))
            if match and not (match["before"] and match["after"]):
                part = _PARTS.get(match["before"] or match["after"], "")
                others = (*words[:start], *words[start + length :])
                return Role(" ".join(others), part, *_WORDS[match["word"]])
    return None


def tell(stored: Sequence[Stored]) -> Told:
    """Tell the roles of arrays: by their names, else by their order, else by their shapes.

    By order, where they are named ``arr_0``, ``arr_1`` as by ``numpy.savez(path, X, y)``; by
    shape, where of two arrays one has a number or text for each of the other's samples.

    Returns
    -------
    Told
        Without parts where it can't be told; there may be several sets with other words, too.
    """
    families: dict[str, dict[tuple[str, str], tuple[int, Stored]]] = {}
    for one in stored:
        if role := role_of(one.name):
            family = families.setdefault(role.family, {})
            ranked = family.setdefault((role.part, role.kind), (role.rank, one))
            if role.rank < ranked[0]:
                family[role.part, role.kind] = (role.rank, one)
    whole = {
        prefix: Told(_pairs(family), *(_named(family, kind) for kind in ("names", "columns")))
        for prefix, family in families.items()
        if _pairs(family)
    }
    learnable = [
        prefix for prefix, told in whole.items() if any(pair.y for pair in told.parts.values())
    ]
    if "" in learnable or len(learnable) == 1:
        return whole["" if "" in learnable else learnable[0]]
    if learnable:
        return Told({})
    alone = next(iter(whole.values())).parts if len(whole) == 1 else {}
    return Told(_by_order(stored) or _by_shape(stored) or alone)


def _pairs(family: dict[tuple[str, str], tuple[int, Stored]]) -> dict[str, Pair]:
    samples = {part: one for (part, kind), (_, one) in family.items() if kind == "X"}
    targets = {part: one for (part, kind), (_, one) in family.items() if kind == "y"}
    if len(samples) == 1 and [*targets] == [""]:  # X_train with y
        return {part: Pair(one, targets[""]) for part, one in samples.items()}
    return {part: Pair(one, targets.get(part)) for part, one in samples.items()}


def _named(family: dict[tuple[str, str], tuple[int, Stored]], kind: str) -> Stored | None:
    return next((one for (_, other), (_, one) in family.items() if other == kind), None)


def _by_order(stored: Sequence[Stored]) -> dict[str, Pair]:
    by_name = {one.name: one for one in stored}
    ordered = [
        by_name[f"arr_{place}"] for place in range(len(by_name)) if f"arr_{place}" in by_name
    ]
    lengths = [one.shape[:1] for one in ordered]
    if len(ordered) < len(stored):
        return {}
    if len(ordered) == 2:
        return {"": Pair(*ordered)}
    if len(ordered) != 4:
        return {}
    a, b, c, d = ordered
    if a.shape[1:] == b.shape[1:] and lengths[0] == lengths[2] and lengths[1] == lengths[3]:
        return {"train": Pair(a, c), "test": Pair(b, d)}  # as scikit-learn's train_test_split gives
    if lengths[0] == lengths[1] and lengths[2] == lengths[3]:
        return {"train": Pair(a, b), "test": Pair(c, d)}
    return {}


def _by_shape(stored: Sequence[Stored]) -> dict[str, Pair]:
    if len(stored) != 2:
        return {}
    y, X = sorted(stored, key=lambda one: (one.is_numeric, len(one.shape), one.shape[1:]))
    fits = X.is_numeric and len(X.shape) > 1 and X.shape[1:] != (1,) and y.shape[1:] in ((), (1,))
    return {"": Pair(X, y)} if fits and X.shape[:1] == y.shape[:1] else {}
