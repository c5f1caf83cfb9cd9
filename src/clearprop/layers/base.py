"""What every layer is: a frozen dataclass of hyper-parameters with forward and backward."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from clearprop.formulas import Formulas
from clearprop.parameters import Array, Parameter, Params
from clearprop.trace import Trace


@dataclass(frozen=True)
class Built:
    """What a layer becomes once the shape of its input is known.

    Parameters
    ----------
    out_shape : tuple of int
        The shape of one output sample.
    parameters : mapping of str to Parameter
        What the layer learns: gradients are written for these names.
    state : mapping of str to Parameter
        What it keeps but does not learn, such as running statistics.
    """

    out_shape: tuple[int, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    state: Mapping[str, Parameter] = field(default_factory=dict)


class Layer(ABC):
    """Base of every layer; one's own is a frozen dataclass with these three methods.

    A layer holds hyper-parameters only. Parameters and state come in as `params`, and what backward
    needs of forward lies in the trace, so one layer object may serve many networks and threads.
    """

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
            Where to put what backward needs.

        Returns
        -------
        ndarray, shape (N, *out_shape)
            Of the dtype of `x`.
        """

    @abstractmethod
    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write the gradients of the parameters and return that of the input.

        Parameters
        ----------
        params : mapping of str to ndarray
            As in forward.
        dy : ndarray, shape (N, *out_shape)
            The gradient of the loss with respect to the output. It must not be changed.
        trace : Trace
            The one that forward filled.
        grads : mapping of str to ndarray
            Where the gradients go: ``grads["W"][...] = dW``. What is there before has no meaning.

        Returns
        -------
        ndarray, shape (N, *in_shape), or None
            The gradient with respect to the input; nobody reads it where `trace.wants_dx` is false.
        """

    def update_state(self, params: Params, trace: Trace) -> None:  # noqa: B027 - most layers keep nothing
        """Write what the training pass in `trace` says about the state into `params`.

        The training loop calls it once a step; a forward pass alone changes nothing.
        """
