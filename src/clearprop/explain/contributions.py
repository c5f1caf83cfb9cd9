"""Why one answer is what it is: what each column adds to it, by exact Shapley values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import factorial, fsum

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.errors import ShapeError, UsageError

Numbers = NDArray[np.float64]
Groups = Mapping[str, NDArray[np.int64]]
"""The places of the prepared inputs that belong together, by the name of the group."""

MOST_PLAYERS = 12
"""Columns or groups up to which Shapley values are exact: 4,096 coalitions."""

_AT_ONCE = 2**21  # numbers in the samples that are mixed at a time: 16 MiB


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each column, or group of columns, adds to one answer.

    Parameters
    ----------
    names : tuple of str, length P
    values : ndarray of float64, shape (P,)
        What each adds, in the unit of the answer.
    base : float
        The answer that nothing is added to: where no column is known.
    answer : float
        The answer for the sample.
    """

    names: tuple[str, ...]
    values: Numbers
    base: float
    answer: float

    @property
    def residual(self) -> float:
        """The sum of all contributions, minus what they have to come to: answer - base."""
        return fsum([*self.values.tolist(), self.base, -self.answer])

    def place(self, name: str) -> int:
        """Return the place of a name among the columns and groups."""
        return self.names.index(name)


@dataclass(frozen=True, eq=False)
class ShapleyValues(Contributions):
    """Exact Shapley values.

    Parameters
    ----------
    names, values, base, answer
        As of `Contributions`; `base` is the mean answer for the background.
    worths : ndarray of float64, shape (2^P,)
        The worth of each coalition: bit p of its number says whether `names[p]` is in it.
    """

    worths: Numbers

    def terms(self, name: str) -> "Terms":
        """Return the terms that the contribution of a name is the sum of."""
        return terms(self.worths, self.place(name), len(self.names))


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of one Shapley value: weight (worth with - worth without), summed.

    Parameters
    ----------
    coalitions : ndarray of int64, shape (2^(P - 1),)
        The coalitions without the player, by number.
    weights, without, joined : ndarray of float64, shape (2^(P - 1),)
        The weight of each, and its worth without and with the player.
    """

    coalitions: NDArray[np.int64]
    weights: Numbers
    without: Numbers
    joined: Numbers

    @property
    def products(self) -> Numbers:
        """The terms, shape (2^(P - 1),)."""
        return self.weights * (self.joined - self.without)

    def members(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return the names in each coalition."""
        return [
            tuple(name for place, name in enumerate(names) if number >> place & 1)
            for number in self.coalitions.tolist()
        ]

    def by_size(self) -> list[tuple[int, float]]:
        """Return, for each number of columns that are known before, the mean that is added then.

        Every number has the same weight: the contribution is the mean of these means.
        """
        sizes, added = np.bitwise_count(self.coalitions), self.joined - self.without
        return [(size, float(added[sizes == size].mean())) for size in range(sizes.max() + 1)]


def shapley_values(
    values_of: Callable[[Array], Numbers], x: Array, background: Array, groups: Groups
) -> ShapleyValues:
    """Compute the Shapley value of each group of inputs for one sample.

    Parameters
    ----------
    values_of : callable
        The answer that is explained: prepared samples (n, D) in, numbers (n,) out.
    x : ndarray, shape (D,)
        The sample.
    background : ndarray, shape (M, D)
        The samples whose inputs stand in for those that a coalition does not know.
    groups : mapping of str to ndarray of int
        The inputs of each player. Those of no group stay as the background has them.

    Raises
    ------
    UsageError
        If there are more than 12 groups, or none.
    ShapeError
        If the background has no samples, or others than x.

    Notes
    -----
    With P players, b a sample of the background, and x_S, b_S their inputs of the coalition S::

        v(S)  = mean_b f(x_S, b_not S)
        phi_p = sum over S without p of |S|! (P - |S| - 1)! / P! (v(S with p) - v(S))

    All phi together are v(all) - v(none) = f(x) - mean_b f(b). Sources: Shapley, "A Value for
    n-Person Games" (1953), equation 12; the worth, which takes columns for independent of each
    other, so that none that the network does not use gets a share: Janzing, Minorics, Blöbaum,
    "Feature relevance quantification in explainable AI" (2020), equation 6.
    """
    P = len(groups)
    if not 1 <= P <= MOST_PLAYERS:
        raise UsageError(
            f"Exact Shapley values are for 1 to {MOST_PLAYERS} columns or groups; found {P}."
        )
    if background.ndim != 2 or not len(background) or background.shape[1:] != x.shape:
        raise ShapeError(
            f"Found a background of shape {background.shape}, expected (M, {x.size}): at least one "
            "sample like the one that is explained."
        )
    owned = np.zeros((P, x.size), np.bool_)
    for player, places in enumerate(groups.values()):
        owned[player, places] = True
    worths = np.empty(2**P)
    step = max(1, _AT_ONCE // background.size)
    for start in range(0, 2**P, step):
        numbers = np.arange(start, min(start + step, 2**P))
        known = (numbers[:, np.newaxis] >> np.arange(P) & 1).astype(np.bool_) @ owned
        mixed = np.where(known[:, np.newaxis], x, background)
        worth = values_of(mixed.reshape(-1, x.size)).reshape(len(numbers), -1)
        worths[numbers] = worth.mean(axis=1)
    values = np.array([fsum(terms(worths, p, P).products) for p in range(P)])
    return ShapleyValues(tuple(groups), values, float(worths[0]), float(worths[-1]), worths)


def terms(worths: Numbers, player: int, players: int) -> Terms:
    """Return the terms of the Shapley value of a player, from the worths of all coalitions."""
    weight_of_size = np.array(
        [
            factorial(size) * factorial(players - size - 1) / factorial(players)
            for size in range(players)
        ]
    )
    numbers = np.arange(len(worths))
    without = numbers[numbers >> player & 1 == 0]
    without = without[np.argsort(np.bitwise_count(without), kind="stable")]
    weights = weight_of_size[np.bitwise_count(without)]
    return Terms(without, weights, worths[without], worths[without | 1 << player])
