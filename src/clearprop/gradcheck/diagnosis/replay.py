"""The network run again: forward once, and backward to wherever a mistake may stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.formulas import Dense, parse_symbol, value_of
from clearprop.gradcheck.diagnosis.networks import Lines, Plan
from clearprop.gradcheck.subject import Arrays, Layout

_WIDE = 256  # inputs, more than which add nothing but time


@dataclass(frozen=True)
class Run:
    """A forward pass, in columns: entry l of each sequence belongs to layer l, from 1 to L.

    Parameters
    ----------
    plan : Plan
    X, Y : ndarray, shapes (n_x, m) and (K, m)
    W, b : sequence of ndarray
        The parameters, shapes (n[l], n[l-1]) and (n[l], 1). Entry 0 is empty.
    Z : sequence of ndarray
        The sums, shapes (n[l], m). Entry 0 is X, so that "the layer before" always has a Z.
    A : sequence of ndarray
        The outputs g(Z), after dropout; A[0] is X, perhaps some of its inputs only.
    """

    plan: Plan
    X: Array
    Y: Array
    W: Sequence[Array]
    b: Sequence[Array]
    Z: Sequence[Array]
    A: Sequence[Array]

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.W) - 1

    @property
    def m(self) -> int:
        """The number of samples."""
        return self.Y.shape[1]

    def gradients(self) -> dict[str, Array]:
        """Return the right gradient of every parameter, in columns."""
        found: dict[str, Array] = {}
        at = Place(self, self.L)
        for names in reversed(self.plan.layers):
            at = at.right()
            found |= {names.W: at.value(at.lines.right("dW"))}
            found |= {names.b: at.value(at.lines.right("db"))} if names.b else {}
            at = replace(at, layer=at.layer - 1)
        return found


@dataclass(frozen=True)
class Place:
    """The point that a backward pass has reached, as far as the code under check is explained.

    Its symbols are those of formulas: ``at["A_prev"]``.

    Parameters
    ----------
    run : Run
    layer : int
        The layer whose gradients come next.
    dZ, dA : mapping of int to ndarray
        The arrays of the layers above, with the mistakes in them that were found; and those of the
        layer itself, where they are taken as given.
    dW : mapping of int to ndarray
        The gradients of the code under check, by layer.
    close : float
        The largest difference that counts as rounding, over the largest entry.
    number : float
        The value of ``number`` in formulas: of a learning rate, say, that nobody told us.
    """

    run: Run
    layer: int
    dZ: Mapping[int, Array] = field(default_factory=dict)
    dA: Mapping[int, Array] = field(default_factory=dict)
    dW: Mapping[int, Array] = field(default_factory=dict)
    close: float = 0
    number: float = 0

    def __getitem__(self, symbol: str) -> Any:
        run, plan = self.run, self.run.plan
        if symbol in ("X", "Y", "m", "number"):
            return getattr(self if symbol == "number" else run, symbol)
        if symbol == "kept":
            return True  # of the axis of a sum, in columns
        if symbol == "keep_prob":
            return plan.dropout.keep
        if symbol == "lambd":
            return plan.shrinking * run.m
        base, offset, reshaped = parse_symbol(symbol) or ("", 0, False)
        if not base:  # a function
            raise KeyError(symbol)
        layer = self.layer + offset
        if base == "D":
            return plan.dropout.masks[layer]
        array = getattr(self if base in ("dZ", "dA", "dW") else run, base)[layer]
        if not reshaped:
            return array
        turn = plan.layout.weights if base == "W" else plan.layout.samples
        return turn(turn(array).reshape(turn(array).shape[::-1]))

    @property
    def lines(self) -> Lines:
        """The right lines of this layer."""
        return Lines(self.run.plan, self.layer)

    @property
    def is_last(self) -> bool:
        """Whether this is the last layer."""
        return self.layer == self.run.L

    def value(self, formula: str) -> Array:
        """Compute a formula, or the right side of a line."""
        return value_of(formula, self)

    def value_like(self, formula: str, array: Array) -> Array | None:
        """Compute a formula that is to give the shape of an array; None where it does not."""
        try:
            value = self.value(formula)
        except ValueError:  # of factors that don't fit
            return None
        value = np.broadcast_to(value, array.shape) if not value.ndim else value
        return value if value.shape == array.shape else None

    def step(
        self,
        cause: str,
        target: str,
        theirs: str,
        variant: str = "",
        equals: tuple[str, ...] = (),
    ) -> "Step":
        """Make the step of a wrong line in the place of the right one."""
        ours = self.lines.right(target)
        return Step(cause, self.layer, target, theirs, ours, variant or cause, equals)

    def given(self, *, dA: Array | None = None, dZ: Array | None = None) -> "Place":
        """Take dA or dZ of this layer as given."""
        at = self if dA is None else replace(self, dA={**self.dA, self.layer: dA})
        return at if dZ is None else replace(at, dZ={**self.dZ, self.layer: dZ})

    def right(self) -> "Place":
        """Take the right dA and dZ of this layer as given."""
        dA = self.value(self.lines.right("dA").partition("; ")[0])
        at = self.given(dA=dA)
        return at.given(dZ=at.value(self.lines.right("dZ")))


@dataclass(frozen=True)
class Step:
    """One line of a backward pass that is not as it should be.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    layer : int
    target : str
        The array that the line computes: ``"dZ"``, ``"dA"``, ``"dW"`` or ``"db"``.
    theirs, ours : str
        The line as it seems to be, and as it should be, as formulas.
    variant : str
        The same text for the same mistake in another layer.
    equals : tuple of str
        Causes that would give the same numbers.
    factor : float
        The multiple of the right value that it gives, where that is all.
    """

    cause: str
    layer: int
    target: str
    theirs: str
    ours: str
    variant: str = ""
    equals: tuple[str, ...] = ()
    factor: float | None = None


Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Guess:
    """A value that a line might compute.

    Parameters
    ----------
    value : ndarray
    steps : tuple of Step
        The lines that would be wrong; empty for the right value.
    free : ndarray, optional
        An array that may be added any number of times: the ``number`` of the last step's formula.
    least : float
        The least number that makes sense.
    """

    value: Array
    steps: Steps = ()
    free: Array | None = None
    least: float = -np.inf


def thinned(run: Run, theirs: Mapping[str, Array]) -> tuple[Run, dict[str, Array]]:
    """Leave out most inputs of a very wide network: a part of the first dW tells enough."""
    inputs, first = len(run.A[0]), run.plan.layers[0].W
    W, dW = run.W[1], theirs.get(first)
    if inputs <= _WIDE or (dW is not None and dW.shape != W.shape):
        return run, dict(theirs)
    some = np.linspace(0, inputs - 1, _WIDE).astype(np.intp)
    X = run.A[0][some]
    narrow = replace(
        run, W=[run.W[0], W[:, some], *run.W[2:]], Z=[X, *run.Z[1:]], A=[X, *run.A[1:]]
    )
    return narrow, {**theirs, **({} if dW is None else {first: dW[:, some]})}


@dataclass(frozen=True)
class Point:
    """Data and parameters in columns, as in `Run`, with the product Z1 = W[1] X + b[1].

    No activation changes that one.
    """

    X: Array
    Y: Array
    W: Sequence[Array]
    b: Sequence[Array]
    Z1: Array


def point(layout: Layout, layers: Sequence[Dense], parameters: Arrays, X: Array, Y: Array) -> Point:
    """Bring parameters from the layout of the code under check into columns, as X and Y are."""
    W = [X[:0], *(layout.weights(parameters[layer.W]) for layer in layers)]
    b = [X[:0]]
    for layer, its_W in zip(layers, W[1:], strict=True):
        b.append(layout.bias(parameters[layer.b]) if layer.b else np.zeros((len(its_W), 1)))
    return Point(X, Y, W, b, W[1] @ X + b[1])


def run(plan: Plan, at: Point) -> Run:
    """Run a network forward."""
    Z, A = [at.X], [at.X]
    last = len(at.W) - 1
    for layer in range(1, last + 1):
        Z.append(at.W[layer] @ A[-1] + at.b[layer] if layer > 1 else at.Z1)
        if layer == last:
            A.append(plan.cost.output(Z[-1]))
            continue
        given = {"u": Z[-1], "D": plan.dropout.masks.get(layer), "keep_prob": plan.dropout.keep}
        A.append(value_of(plan.dropout.of(layer, f"({plan.hidden[layer - 1].g})"), given))
    return Run(plan, at.X, at.Y, at.W, at.b, Z, A)
