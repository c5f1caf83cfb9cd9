"""Data sets of arrays: samples, targets and parts, found by their names and brought in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearprop.data.arrays.layout import (
    as_column,
    is_multi_label,
    is_one_hot,
    laid_out,
    sample_count,
)
from clearprop.data.arrays.names import EXPECTED, Stored, Told, role_of, tell
from clearprop.data.dataset import Dataset, kind_of
from clearprop.data.format import Samples
from clearprop.data.reading import MEMORY
from clearprop.data.selected_rows import Array, SelectedRows, changed, require_finite
from clearprop.data.tables.table import as_numbers, is_numeric
from clearprop.data.target import index_labels, understand_target
from clearprop.errors import DataError, ShapeError, listed

MOST_LISTED = 12
"""Arrays that are looked at, and listed in a message, where no name says what they are."""

_UNREADABLE = (
    "is compressed as a whole, so that it was read into memory as a whole: to keep it on disk, "
    "save it as a file of its own, numpy.save('X.npy', X)."
)

_FAR = 1e150
"""Targets beyond this can't be squared in float64, so that no loss of theirs is a number."""


def dataset_of(
    place: str, stored: Sequence[Stored], unseen: int = 0, *, memory: int = MEMORY
) -> Dataset:
    """Read the samples and targets of every part among some arrays; `tell` tells them apart.

    Parameters
    ----------
    place : str
        The file or folder.
    stored : sequence of Stored
    unseen : int, default 0
        The number of further arrays, which no message can list.
    memory : int
        Bytes of samples above which they stay in their file.

    Returns
    -------
    Dataset
        The training part, with `test` and `validation` where they are there with their targets;
        one of these, if there is no other. `notes` say what was taken, changed and left out.

    Raises
    ------
    DataError
        If it can't be told which arrays these are, or one is damaged or has no finite numbers.
    ShapeError
        If samples and targets don't belong together.
    """
    told = tell(stored)
    parts = {part: (pair.X, pair.y) for part, pair in told.parts.items() if pair.y is not None}
    order = ["train", "", "validation", "test"]
    main = next((part for part in order if part in parts), None)
    if main is None:
        raise _untold(place, stored, unseen, told)
    names, columns = (
        None if one is None or one.is_numeric else _names(one) for one in (told.names, told.columns)
    )
    reader = _Reader(names, columns, memory)
    train = reader.read(place, *parts[main])
    rest = {
        part: reader.read(f"{place}: {part}", *parts[part], train)
        for part in ("validation", "test")
        if part in parts and part != main
    }
    notes = [_taken({main: parts[main], **{part: parts[part] for part in rest}}), *train.notes]
    bare = [pair.X for pair in told.parts.values() if pair.y is None]
    if bare:
        notes.append(f"{_listed(bare)} has no targets: left out here, but predict takes it.")
    used = {main, *rest}
    known = [one for part in used for one in parts[part]]
    left = [one for one in stored if one not in (*known, *bare, told.names, told.columns)]
    if left or unseen:
        notes.append(f"Not used: {_listed(left, unseen)}.")
    return replace(
        train, test=rest.get("test"), validation=rest.get("validation"), notes=tuple(notes)
    )


def inputs_of(
    place: str, stored: Sequence[Stored], unseen: int = 0, *, memory: int = MEMORY
) -> Samples:
    """Read the samples alone among some arrays, shape (N, ...), to predict from.

    One array is the samples, whatever its name. Of several, X goes before X_test, that before the
    samples of the validation and the training part.

    Raises
    ------
    DataError
        If it can't be told which these are, or they are no finite numbers.
    """
    parts = tell(stored).parts
    part = next((part for part in ("", "test", "validation", "train") if part in parts), None)
    if part is not None:
        one = parts[part].X
    elif len(stored) == 1 and not unseen and getattr(role_of(stored[0].name), "kind", "X") == "X":
        one = stored[0]
    else:
        raise DataError(
            f"{place} has no array 'X' to predict from, but {_listed(stored, unseen)}. Save the "
            "samples alone, or as X: numpy.savez(path, X=X)."
        )
    others = [other.name for other in stored if other is not one]
    note = f"Of its arrays {one.name!r} is taken; passed over: {listed(others, 5)}."
    X, said = _numbers(place, one, memory)
    return Samples(X, ((note,) if others else ()) + said)


@dataclass(frozen=True)
class _Reader:
    """Reads parts, with the names of their classes and features where there are some."""

    names: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    memory: int

    def read(
        self, place: str, samples: Stored, targets: Stored, train: Dataset | None = None
    ) -> Dataset:
        """Read a part; its classes are those of the training part, if there is one."""
        (X, read), y = _numbers(place, samples, self.memory), targets.read()
        if X.ndim < 2 or y.ndim not in (1, 2):
            raise ShapeError(
                f"{place}: {samples} and its targets {targets} can't be learned from; expected "
                "samples of at least one feature, (N, ...), and targets (N,) or (N, outputs)."
            )
        count = sample_count(X.shape, y.shape)
        X, notes = laid_out(X, count)
        y = as_column(y, count)
        _require_plain(y, targets.name)
        if train is None:
            labels, names, understood = self._learned(y, targets.name)
        else:
            labels, names, understood = self._like(y, targets.name, train), train.class_names, ()
        if names is None:
            _require_within_reach(labels, targets.name)
        fits = self.columns is not None and X.shape[1:] == (len(self.columns),)
        return Dataset(
            place,
            kind_of(X),
            X,
            labels,
            names,
            self.columns if fits else None,
            notes=(*read, *notes, *understood),
        )

    def _learned(
        self, y: Array, name: str
    ) -> tuple[Array, tuple[str, ...] | None, tuple[str, ...]]:
        """Find the classes, or values, of the part that is learned from."""
        if is_one_hot(y):
            present, labels = np.unique(y.argmax(axis=1), return_inverse=True)
            names = self._spelled(y.shape[1])
            note = f"{name} is one-hot: {y.shape[1]} classes."
            if len(present) < y.shape[1]:
                absent = next(k for k in range(y.shape[1]) if k not in present)
                note += (
                    f" {y.shape[1] - len(present)} of them have no sample, as {names[absent]!r}."
                )
            return labels, tuple(names[k] for k in present.tolist()), (note,)
        if self.names is not None and y.ndim == 1 and is_numeric(y):
            return _places(y, name), self.names, ()
        labels, classes = understand_target(y, name)
        if is_multi_label(y):
            return (
                labels,
                classes,
                (
                    f"{name} has rows with several or no 1: each of its {y.shape[1]} columns is "
                    "learned as a value.",
                ),
            )
        return labels, classes, ()

    def _like(self, y: Array, name: str, train: Dataset) -> Array:
        """Find the classes, or values, of another part."""
        if train.class_names is None:
            return as_numbers(y.reshape(-1), name).reshape(y.shape)
        if is_one_hot(y):
            names = self._spelled(y.shape[1])
            return index_labels(np.array(names)[y.argmax(axis=1)], train.class_names, name)
        if self.names is not None and is_numeric(y) and train.class_names == self.names:
            return _places(y, name)
        return index_labels(y, train.class_names, name)

    def _spelled(self, count: int) -> tuple[str, ...]:
        if self.names is not None and len(self.names) == count:
            return self.names
        return tuple(map(str, range(count)))


def _numbers(
    place: str, stored: Stored, memory: int
) -> tuple[Array | SelectedRows, tuple[str, ...]]:
    """Read samples, or leave them in their file if they are larger than memory may be; and say so.

    The rows of an array on disk are all of them.
    """
    X: Array | SelectedRows
    notes: tuple[str, ...] = ()
    stays = stored.is_numeric and len(stored.shape) > 1 and stored.nbytes > memory
    if stays and stored.stay is not None:
        X = SelectedRows.all_of(stored.stay(memory))
        notes = (
            f"{stored} takes {X.nbytes / 1e9:.3g} GB: it stays on disk, and is read block by "
            "block.",
        )
    else:
        X = np.atleast_1d(stored.read())
        if stays:
            notes = (f"{stored} {_UNREADABLE}",)
    if not stored.is_numeric:
        raise DataError(f"{place}: {stored} holds {stored.dtype}, expected numbers.")
    if X.dtype.itemsize > 8:
        X = changed(X, _in_float64)
    require_finite(X, f"{place}: {stored.name}")
    return X, notes


def _in_float64(rows: Array) -> Array:
    with np.errstate(over="ignore"):  # looked for where it is asked for, and named
        return rows.astype(np.float64)


def _names(stored: Stored) -> tuple[str, ...]:
    values = stored.read().reshape(-1)
    _require_plain(values, stored.name)
    return tuple(
        one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for one in values.tolist()
    )


def _places(y: Array, name: str) -> NDArray[np.int64]:
    if not np.array_equal(y, np.round(y)):
        raise DataError(f"{name} has names of classes beside it; expected whole numbers from 0.")
    return y.astype(np.int64)


def _require_plain(values: Array, name: str) -> None:
    """Check that text is text: a file may hold any 32 bits for a character."""
    if values.dtype.kind != "U":
        return
    points = np.ascontiguousarray(values).view(np.uint32).reshape(len(values), -1)
    wrong = ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any(axis=1)
    if wrong.any():
        raise DataError(
            f"Row {int(np.argmax(wrong)) + 1} of {name!r} is no text: it has a character that "
            "Unicode does not know. The file is damaged; get it anew."
        )


def _require_within_reach(y: Array, name: str) -> None:
    require_finite(y, name)
    far = np.abs(y) > _FAR
    if far.any():
        place = tuple(np.argwhere(far)[0].tolist())
        raise DataError(
            f"Row {place[0] + 1} of {name!r} is {y[place]}, too large to be squared. Give the "
            "targets in other units."
        )


def _taken(parts: dict[str, tuple[Stored, Stored]]) -> str:
    """Say which arrays were taken for what."""
    ways = {"validation": "to validate: ", "test": "to test: "}
    return (
        "; ".join(
            f"{ways.get(part, '') if place else ''}{X} are the samples, {y} their targets"
            for place, (part, (X, y)) in enumerate(parts.items())
        )
        + "."
    )


def _listed(stored: Sequence[Stored], unseen: int = 0) -> str:
    shown = ", ".join(map(str, stored[:MOST_LISTED]))
    more = unseen + len(stored[MOST_LISTED:])
    return f"{shown} and {more} more" if more else shown or "no array at all"


def _untold(place: str, stored: Sequence[Stored], unseen: int, told: Told) -> DataError:
    listed = _listed(stored, unseen)
    if told.parts:
        found, advice = f"samples, but no targets: {listed}", "; samples alone are for predict."
    else:
        found = f"{listed}, which does not say what the samples and the targets are"
        advice = ": numpy.savez(path, X=X, y=y)."
    return DataError(f"{place} has {found}. {EXPECTED}{advice}")
