"""A forward pass as plain operations, for whoever writes it down in another language.

There are a dozen of them, and every layer of the package says by `Layer.describe` which of them it
is made of outside training. What is written from a program needs to know these, and no layer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np

from clearprop.core.expressions import Expression
from clearprop.core.trace import Array

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Value:
    """What an operation gives for a sample, or what goes in.

    Parameters
    ----------
    place : int
        Its place in the program: the input has 0, and each operation's output one more.
    shape : tuple of int
        The shape of one sample, in C order.
    """

    place: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of numbers of a sample."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Operation:
    """Base of the operations.

    Parameters
    ----------
    inputs : tuple of Value
        What it computes from.
    out : Value
        What it gives.
    layer : str
        The place of the layer that it belongs to, dotted inside a container: ``"3.0"``.
    """

    inputs: tuple[Value, ...]
    out: Value
    layer: str

    @property
    def arrays(self) -> dict[str, Array]:
        """Its constant arrays by name, of the network's dtype."""
        return {name: one for name, one in vars(self).items() if isinstance(one, np.ndarray)}


@dataclass(frozen=True, eq=False)
class Affine(Operation):
    """y = x W + b, along the last axis.

    Parameters
    ----------
    W : ndarray, shape (D, M)
    b : ndarray, shape (M,)
    """

    W: Array
    b: Array


@dataclass(frozen=True, eq=False)
class Scaling(Operation):
    """y = x factor + shift, along the last axis.

    Parameters
    ----------
    factor, shift : ndarray, shape (C,)
    """

    factor: Array
    shift: Array


@dataclass(frozen=True, eq=False)
class Normalisation(Operation):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, by each flat sample's own moments.

    Parameters
    ----------
    gamma, beta : ndarray, shape (D,)
    epsilon : float
    """

    gamma: Array
    beta: Array
    epsilon: float


@dataclass(frozen=True, eq=False)
class Elementwise(Operation):
    """y = g(x), number by number.

    Parameters
    ----------
    formula : Expression
        The formula, whose one symbol is x: `clearprop.core.spelling.spelled` writes it.
    """

    formula: Expression


@dataclass(frozen=True, eq=False)
class Convolution(Operation):
    """y[i, j] = b + sum_pq x[i s + p - top, j t + q - left] W[p, q], with x zero outside.

    Parameters
    ----------
    W : ndarray, shape (kh, kw, C, F)
    b : ndarray, shape (F,)
    stride : (int, int)
        The steps s and t.
    before, after : (int, int)
        The lines of zeros above and to the left of x (H, W, C), and those below and to its right.
    """

    W: Array
    b: Array
    stride: Pair
    before: Pair
    after: Pair


@dataclass(frozen=True, eq=False)
class Pooling(Operation):
    """The largest or the mean of each window, channel by channel.

    Parameters
    ----------
    largest : bool
        Whether it is the largest number, rather than the mean.
    window, stride : (int, int)
        Height and width of a window, and the steps from one to the next. Windows lie wholly on the
        picture: what is left at its end is in none.
    """

    largest: bool
    window: Pair
    stride: Pair


@dataclass(frozen=True, eq=False)
class Reshaped(Operation):
    """The same numbers in another shape, in C order."""


@dataclass(frozen=True, eq=False)
class Added(Operation):
    """The sum of two values of one shape."""


@dataclass(frozen=True, eq=False)
class Part(Operation):
    """Some columns of a flat sample.

    Parameters
    ----------
    start, stop : int
    """

    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Joined(Operation):
    """Flat samples side by side."""


@dataclass(frozen=True, eq=False)
class Waves(Operation):
    """y[d] = cos(2 pi w1[d] x[d] + b1[d]) W2[d] + b2[d] of each number d, one after the other.

    Parameters
    ----------
    w1, b1 : ndarray, shape (D, F)
    W2 : ndarray, shape (D, F, K)
    b2 : ndarray, shape (D, K)
    """

    w1: Array
    b1: Array
    W2: Array
    b2: Array


@dataclass(frozen=True, eq=False)
class Looked(Operation):
    """y[c] = E[first[c] + x[c]] of each code x[c], a whole number, one after the other.

    Parameters
    ----------
    E : ndarray, shape (R, K)
    first : ndarray of int64, shape (C,)
    """

    E: Array
    first: Array


class Program:
    """Operations in the order of computing; methods add one, and return what it gives.

    Parameters
    ----------
    input_shape : tuple of int
        The shape of one sample.

    Attributes
    ----------
    input : Value
    operations : list of Operation
    output : Value
        What the last operation gives.
    """

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        self.input = Value(0, input_shape)
        self.operations: list[Operation] = []
        self._place: tuple[str, ...] = ()

    @property
    def output(self) -> Value:
        """What the last operation gives, or the input."""
        return self.operations[-1].out if self.operations else self.input

    @contextmanager
    def layer(self, name: str) -> Iterator[None]:
        """Say that what is added belongs to the layer of that name, inside the one of now."""
        above = self._place
        self._place = (*above, name)
        try:
            yield
        finally:
            self._place = above

    def affine(self, x: Value, W: Array, b: Array | None = None) -> Value:
        """Add y = x W + b."""
        b = np.zeros(W.shape[1], W.dtype) if b is None else b
        return self._add(Affine, (x,), (*x.shape[:-1], W.shape[1]), W, b)

    def scaling(self, x: Value, factor: Array, shift: Array | None = None) -> Value:
        """Add y = x factor + shift, of pictures channel by channel."""
        shift = np.zeros_like(factor) if shift is None else shift
        return self._add(Scaling, (x,), x.shape, factor, shift)

    def normalisation(self, x: Value, gamma: Array, beta: Array, epsilon: float) -> Value:
        """Add the normalisation of each flat sample by its own moments."""
        return self._add(Normalisation, (x,), x.shape, gamma, beta, epsilon)

    def elementwise(self, x: Value, formula: Expression) -> Value:
        """Add y = g(x)."""
        return self._add(Elementwise, (x,), x.shape, formula)

    def convolution(
        self,
        x: Value,
        W: Array,
        b: Array | None,
        stride: Pair,
        out: Pair,
        before: Pair,
        after: Pair,
    ) -> Value:
        """Add a convolution of pictures (H, W, C) to pictures (*out, F)."""
        b = np.zeros(W.shape[-1], W.dtype) if b is None else b
        shape = (*out, W.shape[-1])
        return self._add(Convolution, (x,), shape, W, b, stride, before, after)

    def pooling(self, x: Value, window: Pair, stride: Pair, out: Pair, *, largest: bool) -> Value:
        """Add a pool of pictures (H, W, C) to pictures (*out, C)."""
        return self._add(Pooling, (x,), (*out, x.shape[-1]), largest, window, stride)

    def reshaped(self, x: Value, shape: tuple[int, ...]) -> Value:
        """Add another shape, where it is another one."""
        return x if x.shape == shape else self._add(Reshaped, (x,), shape)

    def added(self, left: Value, right: Value) -> Value:
        """Add the sum of two."""
        return self._add(Added, (left, right), left.shape)

    def part(self, x: Value, start: int, stop: int) -> Value:
        """Add some columns, where they are not all."""
        if (start, stop) == (0, x.size):
            return x
        return self._add(Part, (x,), (stop - start,), start, stop)

    def joined(self, values: tuple[Value, ...]) -> Value:
        """Add flat samples side by side."""
        if len(values) == 1:
            return values[0]
        return self._add(Joined, values, (sum(one.size for one in values),))

    def waves(self, x: Value, w1: Array, b1: Array, W2: Array, b2: Array) -> Value:
        """Add the waves of each number."""
        return self._add(Waves, (x,), (b2.size,), w1, b1, W2, b2)

    def looked(self, x: Value, E: Array, first: Array) -> Value:
        """Add the rows of a table that codes name."""
        return self._add(Looked, (x,), (x.size * E.shape[1],), E, first)

    def _add(
        self,
        kind: type[Operation],
        inputs: tuple[Value, ...],
        shape: tuple[int, ...],
        *fields: object,
    ) -> Value:
        out = Value(len(self.operations) + 1, shape)
        self.operations.append(kind(inputs, out, ".".join(self._place), *fields))
        return out
