"""The base of all layers, frozen dataclasses of hyper-parameters with forward and backward.

And of those that stand in the place of others, to look on while they work, inside containers, too.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from clearprop.core.formulas import Formulas
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.spelling import output_formula
from clearprop.core.trace import Trace
from clearprop.errors import UsageError


@dataclass(frozen=True)
class Built:
    """A layer's arrays and output, known once the shape of its input is.

    Parameters
    ----------
    out_shape : tuple of int
        The shape of one output sample.
    parameters : mapping of str to Parameter
        The arrays that the layer learns: gradients are written for these names.
    state : mapping of str to Parameter
        The arrays that it keeps but does not learn, such as running statistics.
    """

    out_shape: tuple[int, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    state: Mapping[str, Parameter] = field(default_factory=dict)


class Layer(ABC):
    """Base of every layer; one's own is a frozen dataclass with these three methods.

    A layer holds hyper-parameters only. Parameters and state come in as `params`, and what backward
    needs of forward lies in the trace, so one layer object may serve many networks and threads.
    """

    weights: ClassVar[str | None] = None
    """The parameter that the input is multiplied by, of the very classes whose products, with a
    bias added, compiled steps may do."""

    repeatable: ClassVar[bool] = True
    """Whether training passes give a sample the same output each time, in whatever batch."""

    chains: ClassVar[bool] = False
    """Whether the layers of `inner` pass their output on to each other, in that order."""

    formulas: ClassVar[Formulas | None] = None
    """Its formulas, as `clearprop.walk` writes them out; without any, it shows only the numbers."""

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Say what comes out, and what is learned and kept.

        Parameters
        ----------
        in_shape : tuple of int
            The shape of one input sample, without the axis of samples.

        Returns
        -------
        Built
            Unless overridden: an output of the same shape, and no parameters.

        Raises
        ------
        ShapeError
            If the layer can't take such input.
        """
        return Built(in_shape)

    @abstractmethod
    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Compute the output of a batch.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays that `build` named, parameters and state.
        x : ndarray, shape (N, *in_shape)
            The input. It must not be changed.
        trace : Trace
            The place for all that backward needs.

        Returns
        -------
        ndarray, shape (N, *out_shape)
            The output, of the dtype of `x`.
        """

    @abstractmethod
    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write the gradients of the parameters and return that of the input.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays of forward.
        dy : ndarray, shape (N, *out_shape)
            The gradient of the loss with respect to the output. It must not be changed.
        trace : Trace
            The trace that forward filled.
        grads : mapping of str to ndarray
            The arrays that take the gradients: ``grads["W"][...] = dW``. They may hold anything
            before.

        Returns
        -------
        ndarray, shape (N, *in_shape), or None
            The gradient with respect to the input; nobody reads it where `trace.wants_dx` is false.
        """

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say in plain operations what forward does outside training.

        Unless overridden, an element-wise layer is described by its `formulas`.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays of forward.
        x : Value
            The input.
        program : Program
            The operations so far, to which its own are added.

        Returns
        -------
        Value
            The output.

        Raises
        ------
        UsageError
            If it has no formula of single numbers.
        """
        formula = output_formula(self)
        if formula is None:
            raise undescribed(self)
        return program.elementwise(x, formula)

    def initialize_from(  # noqa: B027 - first values of most layers depend on no samples
        self, params: Params, x: Array, random_state: np.random.RandomState
    ) -> None:
        """Fit the first values that depend on samples, once they were drawn.

        Parameters
        ----------
        params : mapping of str to ndarray
            The arrays of forward, changed in place.
        x : ndarray, shape (N, *in_shape)
            The samples as they reach the layer. It must not be changed.
        random_state : numpy.random.RandomState
            The source of random numbers, which is advanced.
        """

    def update_state(self, params: Params, trace: Trace) -> None:  # noqa: B027 - most layers keep nothing
        """Write what the training pass in `trace` says about the state into `params`.

        The training loop calls it once a step; a forward pass alone changes nothing.
        """

    def codes(self, in_shape: tuple[int, ...]) -> Mapping[int, int]:
        """Return the columns of flat input that hold codes, with the number of codes of each.

        Codes are whole numbers from 0 that name something, stored as floats; there is no derivative
        by them, and their part of dx is zero. Unless overridden there are none.
        """
        return {}

    def inner(self) -> Mapping[str, "Layer"]:
        """Return the layers inside a container; unless overridden there are none.

        A container gives each its own part of everything by the same name: ``params["left"]`` and
        ``grads["left"]`` (`build` names their arrays ``"left.W"``), and ``trace.child("left")``.
        """
        return {}

    def with_inner(self, inner: Mapping[str, "Layer"]) -> Self:
        """Return the same container with other layers inside, by the names of `inner`.

        Unless overridden, each of them is a field of that name.

        Raises
        ------
        UsageError
            If it is not.
        """
        container: Any = self
        known = {field.name for field in fields(container)} if is_dataclass(container) else set()
        if missing := [name for name in inner if name not in known]:
            raise UsageError(
                f"{type(self).__name__} has no field {missing[0]!r}, though inner() has a layer of "
                "that name. Name them alike, or write a with_inner() for it, too."
            )
        return replace(container, **inner)


def described(layer: Layer, params: Params, x: Value, program: Program) -> Value:
    """Return what `Layer.describe` does, of a class whose forward is the one that it describes.

    Raises
    ------
    UsageError
        If the layer can't be described, or its forward is another one than that of the class that
        it is described by.
    """
    order = type(layer).__mro__
    of_describe, of_forward = (
        next(place for place, kind in enumerate(order) if name in vars(kind))
        for name in ("describe", "forward")
    )
    if of_describe > of_forward and order[of_describe] is not Layer:
        raise undescribed(layer)
    return layer.describe(params, x, program)


def undescribed(layer: Layer) -> UsageError:
    """Return the error of a layer that no other language can be told of."""
    return UsageError(
        f"The layer {type(layer).__name__} does not say what it computes, so it can't be written "
        "in another language. Give it a method describe(params, x, program), as Dense has one; or, "
        "if it is element-wise, formulas, as ReLU has them."
    )


def every_layer(inner: Mapping[str, Layer], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield all layers by dotted name, ``"3.0"``: a container before those inside it."""
    for name, layer in inner.items():
        yield prefix + name, layer
        yield from every_layer(layer.inner(), f"{prefix}{name}.")


@dataclass(frozen=True, eq=False)
class StandIn(Layer):
    """A layer that leaves all work to another one: base of those that look on.

    Parameters
    ----------
    layer : Layer
        The layer in whose place it stands.
    worker : Layer
        The same, with stand-ins for the layers inside it.
    name : str
        The layer's place, dotted inside a container: ``"3.0"``.
    """

    layer: Layer
    worker: Layer
    name: str

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Build the worker."""
        return self.worker.build(in_shape)

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return the worker's output."""
        return self.worker.forward(params, x, trace)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Have the worker write its gradients; return its dx."""
        return self.worker.backward(params, dy, trace, grads)

    def codes(self, in_shape: tuple[int, ...]) -> Mapping[int, int]:
        """Return the worker's columns of codes."""
        return self.worker.codes(in_shape)

    def update_state(self, params: Params, trace: Trace) -> None:
        """Let the worker update its own."""
        self.worker.update_state(params, trace)


def stand_in_for(layer: Layer, name: str, make: Callable[[Layer, Layer, str], StandIn]) -> StandIn:
    """Make a stand-in for a layer, and one for each layer inside it.

    Parameters
    ----------
    layer : Layer
    name : str
        The layer's place.
    make : callable
        The function that makes a stand-in of a layer, its worker, and its name.
    """
    inner = {key: stand_in_for(one, f"{name}.{key}", make) for key, one in layer.inner().items()}
    return make(layer, layer.with_inner(inner) if inner else layer, name)
