"""Passes of a network whose parameters, and perhaps whose input, come in from outside."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.gradcheck.subject import Arrays
from clearprop.network import Network

INPUT = "x"
"""The name of a network's input where its gradient is checked, too."""


@dataclass(frozen=True)
class Passes:
    """A network, a batch, and passes as in training, all of them with the same dropout.

    Parameters
    ----------
    net : Network
        The network, which is written to: a copy that nobody else needs.
    X, y : ndarray
        The batch as the network takes it.
    sample_weight : ndarray or None
    """

    net: Network
    X: Array
    y: Array
    sample_weight: Array | None = None

    def cost(self, arrays: Arrays) -> float:
        """Return the loss at given parameters and, under `INPUT`, a given input."""
        return self._loss(self.outputs(arrays))[0]

    def outputs(self, arrays: Arrays) -> Array:
        """Return the logits."""
        return self.net.forward(self._take(arrays), self._trace())

    def gradients(self, arrays: Arrays) -> dict[str, Array]:
        """Return the gradients that backward writes, and that of the input where it was given.

        Backward gets arrays full of ones, which it is to overwrite; what it leaves is left out.
        """
        gradient, dx = self.backward(arrays, fill=1)
        found = {name: gradient[name].copy() for name in self.written(arrays)}
        return {INPUT: dx, **found} if INPUT in arrays and dx is not None else found

    def backward(self, arrays: Arrays, *, fill: float) -> tuple[ParameterVector, Array | None]:
        """Return dx, and what backward makes of a gradient that is full of some number."""
        X, trace = self._take(arrays), self._trace()
        trace.wants_dx = INPUT in arrays
        gradient = self.net.parameters.like()
        gradient.data[...] = fill
        _, dlogits = self._loss(self.net.forward(X, trace))
        return gradient, self.net.backward(dlogits, trace, gradient)

    def written(self, arrays: Arrays) -> list[str]:
        """Return the names of the gradients that backward does not leave as they were."""
        ones, zeros = (self.backward(arrays, fill=fill)[0] for fill in (1, 0))
        return [name for name in ones if (ones[name] != 1).any() or (zeros[name] != 0).any()]

    def added_to(self, arrays: Arrays) -> list[str]:
        """Return the names of the gradients that backward adds to what was there before."""
        ones, zeros = (self.backward(arrays, fill=fill)[0] for fill in (1, 0))
        return [name for name in self.written(arrays) if (ones[name] != zeros[name]).any()]

    def _loss(self, logits: Array) -> tuple[float, Array]:
        return self.net.loss(logits, self.y, self.sample_weight)

    def _take(self, arrays: Arrays) -> Array:
        self.net.parameters.assign({name: arrays[name] for name in self.net.parameters})
        return arrays.get(INPUT, self.X)

    def _trace(self) -> Trace:
        self._random_state.seed(self.net.seed)  # much faster than to make another
        return Trace(training=True, random_state=self._random_state)

    @cached_property
    def _random_state(self) -> np.random.RandomState:
        return random_state_of(self.net.seed)
