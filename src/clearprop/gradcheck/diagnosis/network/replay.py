"""The network of the code under check, run again: forward once, backward step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearprop.gradcheck.diagnosis.network.costs import Cost
from clearprop.gradcheck.diagnosis.network.form import Dense, Form
from clearprop.gradcheck.diagnosis.network.functions import Activation
from clearprop.gradcheck.subject import Arrays
from clearprop.parameters import Array

_WIDE = 256  # inputs, more than which add nothing but time


@dataclass(frozen=True)
class Dropout:
    """What dropout left of the hidden layers.

    Parameters
    ----------
    masks : mapping of int to ndarray
        1 where a unit was kept, by layer, shape (n[l], m).
    keep : float
        The share that was kept.
    scaled : bool
        Whether forward divides by it.
    """

    masks: Mapping[int, Array]
    keep: float
    scaled: bool

    def apply(self, layer: int, array: Array) -> Array:
        """Return the array after the dropout of a layer; unchanged where there is none."""
        if layer not in self.masks:
            return array
        return array * self.masks[layer] / (self.keep if self.scaled else 1)


@dataclass(frozen=True)
class Plan:
    """What a network is made of, apart from its numbers.

    Parameters
    ----------
    form : Form
    layers : sequence of Dense
        The names of the parameters, from the input to the output.
    hidden : sequence of Activation
        One for each layer but the last.
    cost : Cost
    scale : float
        By what the mean of the losses over the samples is multiplied, or their sum.
    summed : bool
        Whether it is the sum.
    decay, bias_decay : float
        What L2 adds to dW for each unit of W, and to db for each unit of b.
    dropout : Dropout
    """

    form: Form
    layers: Sequence[Dense]
    hidden: Sequence[Activation]
    cost: Cost
    scale: float = 1
    summed: bool = False
    decay: float = 0
    bias_decay: float = 0
    dropout: Dropout = Dropout({}, 1, scaled=False)

    def in_columns(self, gradients: Arrays) -> dict[str, Array]:
        """Turn gradients of parameters into columns, in float64."""
        turned = {layer.W: self.form.weights for layer in self.layers}
        turned |= {layer.b: self.form.bias for layer in self.layers}
        return {
            name: turn(np.asarray(gradients[name], np.float64))
            for name, turn in turned.items()
            if name in gradients
        }


@dataclass(frozen=True)
class Run:
    """A forward pass, in columns: entry l of each sequence belongs to layer l, from 1 to L.

    Parameters
    ----------
    plan : Plan
    Y : ndarray, shape (K, m)
    W, b : sequence of ndarray
        Shapes (n[l], n[l-1]) and (n[l], 1). Entry 0 is empty.
    Z : sequence of ndarray
        Shapes (n[l], m). Entry 0 is X, so that "the layer before" always has a Z.
    H : sequence of ndarray
        g(Z).
    A : sequence of ndarray
        The same after dropout; A[0] is X.
    inputs : int
        The number n_x of inputs; A[0] may hold some of them only.
    """

    plan: Plan
    Y: Array
    W: Sequence[Array]
    b: Sequence[Array]
    Z: Sequence[Array]
    H: Sequence[Array]
    A: Sequence[Array]
    inputs: int

    @property
    def L(self) -> int:
        """The number of layers."""
        return len(self.W) - 1

    @property
    def m(self) -> int:
        """The number of samples."""
        return self.Y.shape[1]

    @property
    def scale(self) -> float:
        """By what the mean of the losses is multiplied."""
        return self.plan.scale * (self.m if self.plan.summed else 1)

    def slope(self, layer: int) -> Array:
        """Return g'(Z) of a hidden layer."""
        return self.plan.hidden[layer - 1].at_Z.of(self.Z[layer])

    def gradients(self) -> dict[str, Array]:
        """Return the right gradient of every parameter, in columns."""
        found = {}
        plan = self.plan
        dZ = self.scale * plan.cost.dZ(self.A[-1], self.Y)
        for layer in range(self.L, 0, -1):
            names = plan.layers[layer - 1]
            found[names.W] = dZ @ self.A[layer - 1].T / self.m + plan.decay * self.W[layer]
            if names.b:
                db = dZ.sum(axis=1, keepdims=True) / self.m
                found[names.b] = db + plan.bias_decay * self.b[layer]
            if layer > 1:
                dA = plan.dropout.apply(layer - 1, self.W[layer].T @ dZ)
                dZ = dA * self.slope(layer - 1)
        return found


def thinned(run: Run, theirs: Mapping[str, Array]) -> tuple[Run, dict[str, Array]]:
    """Leave out most inputs of a very wide network: a part of dW of the first layer tells enough.

    Parameters
    ----------
    run : Run
    theirs : mapping of str to ndarray
        Their gradients in columns.

    Returns
    -------
    run : Run
    theirs : dict of str to ndarray
    """
    inputs, first = len(run.A[0]), run.plan.layers[0].W
    W, dW = run.W[1], theirs.get(first)
    if inputs <= _WIDE or (dW is not None and dW.shape != W.shape):
        return run, dict(theirs)
    some = np.linspace(0, inputs - 1, _WIDE).astype(np.intp)
    X = run.A[0][some]
    narrow = replace(
        run,
        inputs=inputs,
        W=[run.W[0], W[:, some], *run.W[2:]],
        Z=[X, *run.Z[1:]],
        H=[X, *run.H[1:]],
        A=[X, *run.A[1:]],
    )
    return narrow, {**theirs, **({} if dW is None else {first: dW[:, some]})}


@dataclass(frozen=True)
class Point:
    """Data and parameters in columns, with the one product that no activation changes.

    Parameters
    ----------
    X, Y : ndarray, shapes (n_x, m) and (K, m)
    W, b : sequence of ndarray
        As in `Run`.
    Z1 : ndarray, shape (n[1], m)
        W[1] X + b[1].
    """

    X: Array
    Y: Array
    W: Sequence[Array]
    b: Sequence[Array]
    Z1: Array


def point(form: Form, layers: Sequence[Dense], parameters: Arrays, X: Array, Y: Array) -> Point:
    """Bring parameters into columns.

    Parameters
    ----------
    form : Form
    layers : sequence of Dense
    parameters : mapping of str to ndarray
        In the layout of the code under check.
    X, Y : ndarray, shapes (n_x, m) and (K, m)

    Returns
    -------
    Point
    """
    W = [X[:0], *(form.weights(parameters[layer.W]) for layer in layers)]
    pairs = zip(layers, W[1:], strict=True)
    b = [X[:0], *(form.bias_of(parameters, layer, len(its_W)) for layer, its_W in pairs)]
    return Point(X, Y, W, b, W[1] @ X + b[1])


def run(plan: Plan, at: Point) -> Run:
    """Run a network forward.

    Parameters
    ----------
    plan : Plan
    at : Point

    Returns
    -------
    Run
    """
    Z, H, A = [at.X], [at.X], [at.X]
    for layer in range(1, len(at.W)):
        Z.append(at.W[layer] @ A[-1] + at.b[layer] if layer > 1 else at.Z1)
        last = layer == len(at.W) - 1
        H.append(plan.cost.output(Z[-1]) if last else plan.hidden[layer - 1].g(Z[-1]))
        A.append(plan.dropout.apply(layer, H[-1]))
    return Run(plan, at.Y, at.W, at.b, Z, H, A, len(at.X))
