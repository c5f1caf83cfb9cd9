"""Pictures that a folder holds more than once: in two classes, in two parts, or just again.

The first can't be learned, the second makes a score too good. They are compared as they are
learned from, brought to one size: copies of another size or format are seldom the same then.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearprop.core.printable import printable
from clearprop.data.dataset import Dataset, Raw
from clearprop.data.selected_rows import blocks
from clearprop.data.tables.table import Table
from clearprop.errors import listed

_TOLD: Final = 3  # pairs that are named
_BYTES: Final = 16  # of a digest


def repeated(dataset: Dataset) -> tuple[str, ...]:
    """Say which pictures stand in two classes, or in two parts of the data, and how many again.

    Parameters
    ----------
    dataset : Dataset
        Of any kind; nothing is said of others than pictures with classes.
    """
    if dataset.kind != "pictures" or dataset.class_names is None:
        return ()
    parts = [one for one in (dataset, dataset.test, dataset.validation) if one is not None]
    digests = np.concatenate([_digests(one.X) for one in parts])
    ends = np.cumsum([len(one) for one in parts])
    classes: list[str] = []
    across: list[str] = []
    again = 0
    for first, later in _alike(digests):
        (seen, at), (part, row) = (_place(number, ends) for number in (first, later))
        is_of_one_class = parts[seen].y[at] == parts[part].y[row]
        if is_of_one_class and seen == part:
            again += 1
            continue
        pair = f"{_named(parts[seen], at)} and {_named(parts[part], row)}"
        (across if is_of_one_class else classes).append(pair)
    return (
        *_told(classes, "in two classes", "What is both can't be learned: leave one out."),
        *_told(across, "in two parts of the data", "A score on what was learned from is too good."),
        *_plainly(again),
    )


def _digests(X: Raw) -> NDArray[np.bytes_]:
    """Digest each picture, in 16 bytes: there may be millions that are on disk."""
    assert not isinstance(X, Table)  # noqa: S101 - pictures are none
    found = np.empty(len(X), f"V{_BYTES}")
    for where, block in blocks(X):
        rows = np.ascontiguousarray(block)
        found[where] = [blake2b(one.data, digest_size=_BYTES).digest() for one in rows]
    return found.view(f"S{_BYTES}")


def _alike(digests: NDArray[np.bytes_]) -> Iterator[tuple[int, int]]:
    """Walk over those that were there before: the number of the first, and its own, in order."""
    order = np.argsort(digests, kind="stable")
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = digests[order[1:]] != digests[order[:-1]]
    firsts = order[np.flatnonzero(is_new)][np.cumsum(is_new) - 1]
    later = np.flatnonzero(~is_new)
    later = later[np.argsort(order[later])]
    return zip(firsts[later].tolist(), order[later].tolist(), strict=True)


def _place(number: int, ends: NDArray[np.int64]) -> tuple[int, int]:
    """Return the part that a number among all pictures lies in, and the row there."""
    part = int(np.searchsorted(ends, number, side="right"))
    return part, number - int(ends[part - 1] if part else 0)


def _told(pairs: Sequence[str], where: str, consequence: str) -> tuple[str, ...]:
    if not pairs:
        return ()
    count = "1 picture stands" if len(pairs) == 1 else f"{len(pairs):,} pictures stand"
    return (f"{count} {where}: {listed(pairs, _TOLD)}. {consequence}",)


def _plainly(again: int) -> tuple[str, ...]:
    if not again:
        return ()
    count = "1 picture is" if again == 1 else f"{again:,} pictures are"
    return (
        f"{count} there more than once: where one is learned from and its twin scores, that score "
        "is too good.",
    )


def _named(dataset: Dataset, row: int) -> str:
    assert dataset.class_names is not None  # noqa: S101 - others are passed over
    name = dataset.class_names[int(dataset.y[row])]
    if dataset.sources is None:
        return printable(f"row {row} ({name})", one_line=True)
    return printable(dataset.sources[row], one_line=True)
