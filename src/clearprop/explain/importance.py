"""Which columns the answers hang on: what the score loses as a column is shuffled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.errors import DataError

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Importance:
    """The permutation importance of each column.

    Parameters
    ----------
    names : tuple of str, length C
    drops : ndarray of float64, shape (C, repeats)
        What the score loses in each repeat.
    score_name : str
    score : float
        The score of the samples as they are.
    samples : int
        How many they are.
    of : str
        What they are: ``test``, ``validation``, ``train``, or the name of data.
    """

    names: tuple[str, ...]
    drops: Numbers
    score_name: str
    score: float
    samples: int
    of: str

    @property
    def means(self) -> Numbers:
        """The mean of each column's drops, shape (C,)."""
        return self.drops.mean(axis=1)

    @property
    def spreads(self) -> Numbers:
        """The standard deviation of each column's drops, shape (C,)."""
        return self.drops.std(axis=1)

    def order(self) -> list[int]:
        """Return the places of the columns, the most important first."""
        found: list[int] = np.argsort(-self.means, kind="stable").tolist()
        return found

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, the most important column first."""
        means, spreads = self.means.tolist(), self.spreads.tolist()
        return {
            "of": self.of,
            "samples": self.samples,
            "repeats": self.drops.shape[1],
            "score": self.score_name,
            "value": self.score,
            "columns": [
                {"name": self.names[place], "mean": means[place], "spread": spreads[place]}
                for place in self.order()
            ],
        }


def permutation_drops(
    score_of: Callable[[Array], float],
    X: Array,
    places: Sequence[NDArray[np.int64]] | Mapping[str, NDArray[np.int64]],
    repeats: int,
    seed: int = 0,
) -> tuple[float, Numbers]:
    """Shuffle each column among the samples, and see what the score loses.

    Parameters
    ----------
    score_of : callable
        Gives the score of prepared samples (N, D), in the order of their truth.
    X : ndarray, shape (N, D)
        The prepared samples.
    places : sequence, or mapping, of C ndarray of int
        The inputs of each column: they are shuffled together, as they are what one cell becomes.
    repeats : int
        How often each column is shuffled.
    seed : int, default 0

    Returns
    -------
    score : float
        That of the samples as they are.
    drops : ndarray of float64, shape (C, repeats)
        That score, minus the one with the column shuffled.

    Raises
    ------
    DataError
        If there is a single sample: its columns can't be shuffled.

    Notes
    -----
    The shuffles are those of `sklearn.inspection.permutation_importance`: the same for every
    column, each on top of the one before. Source: Breiman, "Random Forests" (2001), section 10.
    """
    if len(X) < 2:
        raise DataError(
            "A single row can't be shuffled, so nothing is known of the columns. Give more rows; "
            "--sample 0 explains the answer to one."
        )
    random = np.random.RandomState(np.random.RandomState(seed).randint(2**31))
    shuffles, order = np.empty((repeats, len(X)), np.int64), np.arange(len(X))
    composed = order.copy()
    for repeat in range(repeats):
        random.shuffle(order)
        composed = composed[order]
        shuffles[repeat] = composed
    score, mixed = score_of(X), X.copy()
    each = list(places.values() if isinstance(places, Mapping) else places)
    drops = np.zeros((len(each), repeats))
    for column, own in enumerate(each):
        for repeat, rows in enumerate(shuffles):
            mixed[:, own] = X[np.ix_(rows, own)]
            drops[column, repeat] = score - score_of(mixed)
        mixed[:, own] = X[:, own]
    return score, drops
