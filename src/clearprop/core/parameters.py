"""One flat vector of parameters with named views, so that whoever updates them sees one array."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clearprop.core.initializers import Initializer
from clearprop.errors import ShapeError, UsageError, listed

Array: TypeAlias = NDArray[Any]
Params: TypeAlias = Mapping[str, Any]
"""A layer's arrays: ``params["W"]`` is one, ``params["0"]`` has those of an inner layer."""


@dataclass(frozen=True)
class Parameter:
    """The description of an array that a layer learns or keeps.

    Parameters
    ----------
    shape : tuple of int
    init : Initializer
        The rule for its first values.
    decays : bool, default False
        Whether L2 and weight decay pull it to zero: true for weights; false for biases and for
        the scale and shift of a normalisation.
    rate : float, default 1.0
        The factor of the learning rate; positive.

    Raises
    ------
    UsageError
        If `rate` is no such number.
    """

    shape: tuple[int, ...]
    init: Initializer
    decays: bool = False
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise UsageError(
                f"The rate of a parameter is the factor of its learning rate, a positive number; "
                f"found {self.rate!r}."
            )


class ParameterVector(Mapping[str, Array]):
    """Named arrays that are views into one contiguous vector.

    Views are written to (``vector["0.W"][...] = W``), never rebound: an optimizer updates
    `data` in place, and every view shows it.

    Parameters
    ----------
    specs : mapping of str to Parameter
        The arrays by dotted name (``"0.W"``, ``"3.P"``), in order.
    dtype : dtype-like
        The dtype of the vector: float32 or float64.

    Attributes
    ----------
    data : ndarray, shape (P,)
        The whole vector, zero at first.
    tree : dict
        The views nested by layer: ``tree["0"]["W"]``.
    decayed : tuple of str
        The names that L2 and weight decay pull to zero.
    stretches : tuple of (slice, float)
        The parts of `data` that have one factor of the learning rate, and that factor: arrays of
        the same that follow each other are one.
    """

    def __init__(self, specs: Mapping[str, Parameter], dtype: DTypeLike) -> None:
        self.specs = dict(specs)
        sizes = [math.prod(spec.shape) for spec in self.specs.values()]
        self.data: Array = np.zeros(sum(sizes), dtype=dtype)
        self.tree: dict[str, Any] = {}
        self._views: dict[str, Array] = {}
        start, begin = 0, 0
        stretches: list[tuple[slice, float]] = []
        for (name, spec), size in zip(self.specs.items(), sizes, strict=True):
            if not stretches or spec.rate != stretches[-1][1]:
                begin = start
                stretches.append((slice(0), spec.rate))
            stretches[-1] = slice(begin, start + size), spec.rate
            view = self.data[start : start + size].reshape(spec.shape)
            start += size
            self._views[name] = view
            *path, leaf = name.split(".")
            branch = self.tree
            for part in path:
                branch = branch.setdefault(part, {})
            branch[leaf] = view
        self.decayed = tuple(name for name, spec in self.specs.items() if spec.decays)
        self.stretches = tuple(stretches)

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    __eq__ = object.__eq__  # a mapping's own would compare arrays, which have no single answer
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {view.shape}" for name, view in self.items())
        return f"ParameterVector({self.data.size} {self.data.dtype}: {arrays})"

    def initialize(self, random_state: np.random.RandomState) -> None:
        """Draw every array anew by its own initializer, in order."""
        for name, spec in self.specs.items():
            self._views[name][...] = spec.init.draw(random_state, spec.shape)

    def like(self) -> "ParameterVector":
        """Return a vector of the same names, shapes and dtype, filled with zeros."""
        return ParameterVector(self.specs, self.data.dtype)

    def copy(self) -> "ParameterVector":
        """Return a vector of the same names, shapes, dtype and values."""
        twin = self.like()
        twin.data[...] = self.data
        return twin

    def assign(self, arrays: Mapping[str, Array]) -> None:
        """Write named arrays into the views.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Exactly the names and shapes of this vector.

        Raises
        ------
        ShapeError
            If a name is missing or unknown, or a shape differs. Nothing is written then.
        """
        if missing := sorted(self._views.keys() - arrays.keys()):
            raise ShapeError(f"The parameter {missing[0]!r} is missing.")
        if unknown := sorted(arrays.keys() - self._views.keys()):
            raise ShapeError(
                f"{unknown[0]!r} is no parameter here; there are {listed(self._views)}."
            )
        for name, view in self._views.items():
            if np.shape(arrays[name]) != view.shape:
                raise ShapeError(
                    f"{name!r} has shape {np.shape(arrays[name])}, expected {view.shape}."
                )
        for name, view in self._views.items():
            view[...] = arrays[name]
