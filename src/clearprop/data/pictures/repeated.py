"""Pictures that a folder holds more than once: in two classes, in two parts, or just again.

The first can't be learned, the second makes a score too good. They are compared as they are
learned from, brought to one size: copies of another size or format are seldom the same then.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np

from clearprop.core.printable import printable
from clearprop.data.dataset import Dataset
from clearprop.errors import listed

_TOLD: Final = 3  # pairs that are named


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
    first: dict[bytes, tuple[int, int]] = {}
    classes: list[str] = []
    across: list[str] = []
    again = 0
    for part, one in enumerate(parts):
        for row in range(len(one)):
            digest = blake2b(np.ascontiguousarray(one.X[row]).data, digest_size=16).digest()
            seen, at = first.setdefault(digest, (part, row))
            if (seen, at) == (part, row):
                continue
            pair = f"{_named(parts[seen], at)} and {_named(one, row)}"
            if parts[seen].y[at] != one.y[row]:
                classes.append(pair)
            elif seen != part:
                across.append(pair)
            else:
                again += 1
    return (
        *_told(classes, "in two classes", "What is both can't be learned: leave one out."),
        *_told(across, "in two parts of the data", "A score on what was learned from is too good."),
        *_plainly(again),
    )


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
