"""One answer with what each column adds to it, and each of these numbers with its operands."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.errors import unknown_name
from clearprop.explain import Asked, Contributions, IntegratedGradients, ShapleyValues

_MISSING = "(missing)"


@dataclass(frozen=True, eq=False)
class Explained:
    """One answer, and what each column adds to it.

    Parameters
    ----------
    source : str
        The sample: its file and row.
    prediction : str or float
        What the model answers.
    asked : Asked
        The number that is explained.
    cells : dict of str to str
        The sample's cells by column, as text; "" where missing.
    members : dict of str to tuple of str
        The columns of each contribution: one, or those of a group.
    found : Contributions
    background : int
        The number of rows that stand for what is not known.
    of : str
        The data that these are from.
    input_names : tuple of str
        The name of each prepared input.
    """

    source: str
    prediction: Any
    asked: Asked
    cells: dict[str, str]
    members: dict[str, tuple[str, ...]]
    found: Contributions
    background: int
    of: str
    input_names: tuple[str, ...]

    @cached_property
    def order(self) -> list[int]:
        """The places of the contributions, the largest first, whatever their sign."""
        places: list[int] = np.argsort(-np.abs(self.found.values), kind="stable").tolist()
        return places

    @property
    def ordered(self) -> list[float]:
        """What is added, in that order."""
        added: list[float] = self.found.values[self.order].tolist()
        return added

    @property
    def method(self) -> str:
        """The name of the method: ``shapley``, or ``integrated gradients``."""
        is_path = isinstance(self.found, IntegratedGradients)
        return "integrated gradients" if is_path else "shapley"

    def cell(self, name: str) -> str:
        """Return the cell of a column, or those of a group."""
        return ", ".join(self.cells[one] or _MISSING for one in self.members[name])

    def adds(self, name: str) -> float:
        """Return what a column, or a group, adds.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        if name not in self.found.names:
            raise unknown_name("column", name, self.found.names)
        return float(self.found.values[self.found.place(name)])

    def open(self, name: str) -> "Coalitions | Way":
        """Return the operands of what a column, or a group, adds.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        adds = self.adds(name)
        if isinstance(self.found, ShapleyValues):
            terms = self.found.terms(name)
            return Coalitions(
                name,
                adds,
                terms.members(self.found.names),
                np.stack([terms.weights, terms.without, terms.joined, terms.products], axis=1),
                terms.by_size(),
            )
        assert isinstance(self.found, IntegratedGradients)  # noqa: S101 - there are two kinds
        found, slopes = self.found, self.found.slopes(name)
        places = found.groups[name]
        return Way(
            name,
            adds,
            tuple(self.input_names[place] for place in places.tolist()),
            found.baseline[places],
            found.x[places],
            found.nodes,
            found.weights,
            slopes,
        )

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, the largest contribution first."""
        found = self.found
        names = [found.names[place] for place in self.order]
        return {
            "source": self.source,
            "prediction": self.prediction,
            "of": self.asked.name,
            "method": self.method,
            "base": found.base,
            "answer": found.answer,
            "contributions": [
                {"name": name, "cell": self.cell(name), "adds": adds}
                for name, adds in zip(names, self.ordered, strict=True)
            ],
            "residual": found.residual,
            "background": {"rows": self.background, "of": self.of},
        }


@dataclass(frozen=True, eq=False)
class Coalitions:
    """A Shapley value, with the coalitions of other columns that it is the sum over.

    Parameters
    ----------
    name : str
    adds : float
        The value.
    known : list of tuple of str, length T
        The columns that are known before.
    numbers : ndarray of float64, shape (T, 4)
        The weight of each coalition, its worth without and with the column, and the term that
        these come to: weight (with - without).
    by_size : list of (int, float)
        For each number of columns that are known before, the mean of what is added then.
    """

    name: str
    adds: float
    known: list[tuple[str, ...]]
    numbers: NDArray[np.float64]
    by_size: list[tuple[int, float]]

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "name": self.name,
            "adds": self.adds,
            "by_number_known": [{"known": size, "adds": mean} for size, mean in self.by_size],
            "terms": [
                {"known": list(known), "weight": w, "without": low, "with": high, "term": term}
                for known, (w, low, high, term) in zip(
                    self.known, self.numbers.tolist(), strict=True
                )
            ],
        }


@dataclass(frozen=True, eq=False)
class Way:
    """What a column adds on the way from the baseline, with the derivatives along it.

    Parameters
    ----------
    name : str
    adds : float
    input_names : tuple of str, length W
        The prepared inputs of the column.
    baseline, x : ndarray of float64, shape (W,)
        Where the way begins and ends.
    nodes, weights : ndarray of float64, shape (n,)
        The places on the way, 0 to 1, and their weights.
    slopes : ndarray of float64, shape (n, W)
        The derivatives of the answer by the inputs there.
    """

    name: str
    adds: float
    input_names: tuple[str, ...]
    baseline: NDArray[np.float64]
    x: NDArray[np.float64]
    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]
    slopes: NDArray[np.float64]

    @property
    def difference(self) -> NDArray[np.float64]:
        """How far each input goes, shape (W,)."""
        return self.x - self.baseline

    @property
    def mean_slopes(self) -> NDArray[np.float64]:
        """The mean derivative by each input, shape (W,): sum of weight times slope."""
        return self.weights @ self.slopes

    @property
    def terms(self) -> NDArray[np.float64]:
        """What each node gives, shape (n,): its weight times the slopes times the differences."""
        return self.weights * (self.slopes @ self.difference)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        adds = self.difference * self.mean_slopes
        names = ("baseline", "value", "difference", "mean_slope", "adds")
        columns = (self.baseline, self.x, self.difference, self.mean_slopes, adds)
        return {
            "name": self.name,
            "adds": self.adds,
            "inputs": [
                {"name": one, **dict(zip(names, row, strict=True))}
                for one, row in zip(
                    self.input_names, np.stack(columns, axis=1).tolist(), strict=True
                )
            ],
            "nodes": {
                "t": self.nodes.tolist(),
                "weight": self.weights.tolist(),
                "slopes": self.slopes.tolist(),
                "term": self.terms.tolist(),
            },
        }
