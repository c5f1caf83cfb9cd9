"""Holding samples out, to see how well a network does on what it has not learned from."""

import numpy as np

from clearprop.data.dataset import Dataset
from clearprop.errors import DataError, UsageError


def hold_out(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split a data set in two at random; each class in the same proportion.

    Both parts keep the order of the samples. Each side gets at least one sample of every class.

    Parameters
    ----------
    dataset : Dataset
    share : float
        The part to hold out, between 0 and 1.
    seed : int
        Of the `numpy.random.RandomState` that chooses.

    Returns
    -------
    train, held_out : Dataset

    Raises
    ------
    UsageError
        If `share` is not between 0 and 1.
    DataError
        If a class, or the whole of a regression set, has a single sample.
    """
    if not 0 < share < 1:
        raise UsageError(f"The share to hold out is {share}, expected a number between 0 and 1.")
    random_state = np.random.RandomState(seed)
    held = np.zeros(len(dataset), dtype=bool)
    for name, members in _strata(dataset):
        if len(members) == 1:
            raise DataError(
                f"{name} of {dataset.name} has one sample only, {dataset.source(members[0])}: it "
                "can't be both learned from and held out. Add samples, or remove the class."
            )
        count = min(max(round(share * len(members)), 1), len(members) - 1)
        held[random_state.permutation(members)[:count]] = True
    return dataset.take(~held), dataset.take(held)


def _strata(dataset: Dataset) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    if dataset.class_names is None:
        return [("The whole", np.arange(len(dataset)))]
    members = [np.flatnonzero(dataset.y == index) for index in range(len(dataset.class_names))]
    return [
        (f"The class {name!r}", rows)
        for name, rows in zip(dataset.class_names, members, strict=True)
        if len(rows)
    ]
