"""Inputs between which there is a way: categories by the numbers that were learned for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array, Params
from clearprop.core.trace import Trace
from clearprop.explain.asked import Asked, Numbers
from clearprop.explain.contributions import Groups
from clearprop.layers import Embedding
from clearprop.layers.base import Layer, StandIn, every_layer, stand_in_for
from clearprop.network import Network
from clearprop.network.network import twin_of


class Embedded:
    """A number that is explained, of samples whose codes are followed by what they stand for.

    There is no derivative by a code, and nothing between two codes. So the learned numbers of each
    code, E of all `Embedding` layers together, are inputs of their own beside the D of a sample.
    Without such layers nothing is added.

    Parameters
    ----------
    asked : Asked
    """

    def __init__(self, asked: Asked) -> None:
        self._memory = _Memory()
        network = asked.network
        self._size = network.input_shape[0]
        every = every_layer(network.body.inner())
        embeddings = [(name, one) for name, one in every if isinstance(one, Embedding)]
        self._widths = [(name, len(one.sizes) * one.width) for name, one in embeddings]
        # Codes are told in the order of the layers that look them up, as these are listed.
        widths = [one.width for _, one in embeddings for _ in one.sizes]
        ends = self._size + np.cumsum([0, *widths])
        codes = network.body.codes(network.input_shape)
        self._of_code = {
            code: np.arange(start, end)
            for code, start, end in zip(codes, ends[:-1], ends[1:], strict=True)
        }
        self._asked = asked
        if embeddings:
            self._asked = Asked(
                _with_memory(network, self._memory), asked.target, asked.which, asked.is_probability
            )

    def lift(self, X: Array) -> Numbers:
        """Return prepared samples (n, D) with the E numbers that their codes stand for."""
        self._memory.given = None
        self._memory.seen.clear()
        self._asked.network.forward(self._asked.network.inputs(X))
        return np.hstack([X, *(self._memory.seen[name] for name, _ in self._widths)])

    def groups(self, groups: Groups) -> Groups:
        """Return groups of inputs with the learned numbers of the codes among them."""
        none: NDArray[np.int64] = np.arange(0)
        return {
            name: np.concatenate([places, *(self._of_code.get(one, none) for one in places)])
            for name, places in groups.items()
        }

    def names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of all inputs: ``city: number 1`` is the first that stands for it."""
        of_codes = (
            f"{names[code]}: number {place}"
            for code, places in self._of_code.items()
            for place in range(1, len(places) + 1)
        )
        return (*names, *of_codes)

    def slopes(self, lifted: Array) -> tuple[Numbers, Numbers]:
        """Return the numbers (n,) for lifted samples (n, D + E), and the derivatives (n, D + E)."""
        if not self._widths:
            return self._asked.slopes(lifted)
        values, slopes = np.empty(len(lifted)), np.empty(lifted.shape)
        for rows in self._asked.blocks(len(lifted)):
            start, self._memory.given = self._size, {}
            for name, width in self._widths:
                self._memory.given[name] = lifted[rows, start : start + width]
                start += width
            values[rows], slopes[rows, : self._size] = self._asked.slopes(
                lifted[rows, : self._size]
            )
            slopes[rows, self._size :] = np.hstack(
                [self._memory.slopes[name] for name, _ in self._widths]
            )
        return values, slopes


class _Memory:
    """What embeddings are to say, what they said, and the derivatives by it, by their names."""

    def __init__(self) -> None:
        self.given: dict[str, Array] | None = None
        self.seen: dict[str, Array] = {}
        self.slopes: dict[str, Array] = {}


@dataclass(frozen=True, eq=False)
class _Told(StandIn):
    """An embedding that says what it is told to, where it is told."""

    memory: _Memory

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        if self.memory.given is not None:
            return self.memory.given[self.name]
        y = super().forward(params, x, trace)
        self.memory.seen[self.name] = y.copy()
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        self.memory.slopes[self.name] = dy.copy()
        return np.zeros((len(dy), len(self.codes(()))))

    def codes(self, in_shape: tuple[int, ...]) -> dict[int, int]:
        """Return the columns of codes."""
        return dict(self.layer.codes(in_shape))


def _with_memory(network: Network, memory: _Memory) -> Network:
    def make(layer: Layer, worker: Layer, name: str) -> StandIn:
        if isinstance(layer, Embedding):
            return _Told(layer, worker, name, memory)
        return StandIn(layer, worker, name)

    return twin_of(
        network,
        layers=[stand_in_for(one, name, make) for name, one in network.body.inner().items()],
    )
