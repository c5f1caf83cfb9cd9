"""A learner's functions run one after the other, whatever they take and return."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clearprop.errors import ShapeError, UsageError
from clearprop.gradcheck.calling import Noticed, as_cost, same
from clearprop.gradcheck.claims import describe, named_gradients
from clearprop.gradcheck.learner.binding import call, returned_names
from clearprop.gradcheck.learner.layouts import Layout
from clearprop.gradcheck.learner.names import Functions
from clearprop.gradcheck.learner.words import say
from clearprop.parameters import Array

_NUMBERS = (int, float, np.number, np.ndarray)


@dataclass(frozen=True)
class Forward:
    """What a forward pass gave.

    Parameters
    ----------
    outputs : ndarray or None
        What the last layer gives; None where forward gives the cost instead.
    cache : object
        What it keeps for backward.
    cost : float or None
    named : dict of str to ndarray
        Arrays that go by a name: of a dictionary, or of ``return Z1, A1, Z2, A2``.
    """

    outputs: Array | None
    cache: Any
    cost: float | None
    named: dict[str, Any]


@dataclass(frozen=True)
class Code:
    """A learner's functions, with data and sizes that they are run with.

    Parameters
    ----------
    functions : Functions
    layout : Layout
    sizes : tuple of int
        The features of a sample, and the units of every layer.
    X, Y : ndarray
        In that layout; the functions get copies.
    m : int
        The number of samples.
    noticed : Noticed
        Where it is noted if they write into X or Y.
    """

    functions: Functions
    layout: Layout
    sizes: tuple[int, ...]
    X: Array
    Y: Array
    m: int
    noticed: Noticed = field(default_factory=Noticed)

    def forward(self, parameters: dict[str, Array]) -> Forward:
        """Run the forward pass.

        Raises
        ------
        ShapeError
            If it gives no array of the outputs of all samples.
        """
        with self._data() as data:
            return self._forward(parameters, data)

    def cost(self, parameters: dict[str, Array]) -> float:
        """Run the forward pass and the cost."""
        with self._data() as data:
            passed = self._forward(parameters, data)
            if self.functions.cost is not None:
                return as_cost(self._after(self.functions.cost, parameters, data, passed))
        if passed.cost is None:
            raise UsageError(say("no cost value", forward=self.functions.forward.__name__))
        return passed.cost

    def gradients(self, parameters: dict[str, Array]) -> dict[str, Array]:
        """Run the forward and the backward pass."""
        with self._data() as data:
            passed = self._forward(parameters, data)
            returned = self._after(self.functions.backward, parameters, data, passed)
            return named_gradients(returned, parameters)

    @contextmanager
    def _data(self) -> Iterator[dict[str, Any]]:
        """Give copies of the data, and note if they were written into."""
        copies = {"X": self.X.copy(), "Y": self.Y.copy()}
        sizes = {"m": self.m, "sizes": list(self.sizes), "L": len(self.sizes) - 1}
        yield copies | sizes
        for name, copy in copies.items():
            if not same(copy, getattr(self, name)):
                self.noticed.changes.add(name)

    def _forward(self, parameters: dict[str, Array], data: Mapping[str, Any]) -> Forward:
        named = dict(dict.items(parameters))  # not by its own methods, which may be watched
        return self._read(call(self.functions.forward, {**data, "parameters": parameters}, named))

    def _after(
        self,
        function: Callable[..., Any],
        parameters: dict[str, Array],
        data: Mapping[str, Any],
        passed: Forward,
    ) -> Any:
        """Call what comes after the forward pass."""
        given = {**data, "parameters": parameters, "cache": passed.cache}
        named = {**parameters, **passed.named}
        if passed.outputs is not None:
            given["output"] = passed.outputs
            named.setdefault(f"A{data['L']}", passed.outputs)
        return call(function, given, named)

    def _read(self, result: Any) -> Forward:
        size = self.sizes[-1] * self.m
        if isinstance(result, Mapping):
            named = {name: value for name, value in result.items() if isinstance(name, str)}
            outputs = _last_activation(named)
            if outputs is not None and outputs.size == size:
                return Forward(outputs, result, None, named)
        else:
            items = list(result) if isinstance(result, tuple | list) else [result]
            names = returned_names(self.functions.forward)
            pairs = zip(names, items, strict=True) if len(names) == len(items) else ()
            named = {name: item for name, item in pairs if name}
            if items and np.ndim(items[0]) == 0 and isinstance(items[0], _NUMBERS):
                return Forward(None, _one(items[1:]), as_cost(items[0]), named)
            fitting = [
                place
                for place, item in enumerate(items)
                if isinstance(item, np.ndarray) and item.size == size
            ]
            if fitting:
                # Of a pair the outputs are one and the cache the other; of Z1, A1, Z2, A2 the last.
                at = fitting[0 if len(items) == 2 else -1]
                cache = items[1 - at] if len(items) == 2 else tuple(items)
                return Forward(items[at], cache, None, named)
        name, found = self.functions.forward.__name__, describe(result)
        raise ShapeError(
            say("no outputs", forward=name, found=found, outputs=self.sizes[-1], samples=self.m)
        )


def _last_activation(named: Mapping[str, Any]) -> Array | None:
    """Return what a dictionary calls AL, or A with the highest number."""
    numbered = {
        int(name[1:]): name for name in named if name[:1] in ("A", "a") and name[1:].isdigit()
    }
    candidates = ["AL", *([numbered[max(numbered)]] if numbered else []), "A", "y_hat", "Y_hat"]
    name = next((name for name in candidates if name in named), None)
    return None if name is None else np.asarray(named[name])


def _one(items: list[Any]) -> Any:
    """Return the only item of a list, or all of them."""
    return items[0] if len(items) == 1 else tuple(items)
