"""The network as training sees it, and the interface of whatever stands in for it."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.losses import Loss
from clearprop.network import LayerStack, Network
from clearprop.network.stack import ROWS

_CHUNK = 2**17  # numbers in the widest layer at a time: 1 MiB in float64, within a core's cache


class Weights(NamedTuple):
    """Copies of an engine's vectors."""

    parameters: Array
    state: Array

    @property
    def are_finite(self) -> bool:
        """Whether all numbers are finite."""
        return all(bool(np.isfinite(array).all()) for array in self)


class CompiledInputs(NamedTuple):
    """The samples of an engine as compiled steps take them.

    Parameters
    ----------
    X : ndarray, shape (N, D)
        The samples; in sample space K (N, N).
    Z_0 : ndarray, shape (N, M), or None
        The outputs of the first weights, in sample space.
    first_squares : float
        The sum of the first weights' squares, in sample space.
    """

    X: Array
    Z_0: Array | None = None
    first_squares: float = 0.0


class Engine:
    """A network as training sees it; this one is the network itself.

    An engine of another kind stands in for a network where that costs less: it has parameters of
    its own, which optimizers change and checkpoints keep, and gives the network its weights when
    it is asked to. Nobody asks an engine of which kind it is.

    Parameters
    ----------
    network : Network
        The network that is trained.
    loss : Loss
        The loss that is minimised: the network's, or one that is reported in its place.
    X : ndarray, shape (N, *input_shape), or rows that are prepared as they are asked for
        The samples that are trained on.
    held_out : the same of (H, *input_shape), optional
        Samples that are predicted meanwhile.
    stack : LayerStack, optional
        The layers that compute, and their parameters; the network's own unless given.

    Attributes
    ----------
    X, held_out : ndarray or rows
        The samples as this engine takes them: batches are taken of these.
    parameters, state : ParameterVector
    body : Sequential
        The layers that compute.
    dtype : numpy.dtype
        The dtype of all computation.
    remark : str or None
        A sentence for whoever watches the training.
    """

    remark: str | None = None

    is_in_sample_space: ClassVar[bool] = False
    """Whether the first weights are trained in coordinates of the samples: a checkpoint says so."""

    def __init__(
        self,
        network: Network,
        loss: Loss,
        X: Any,
        held_out: Any = None,
        *,
        stack: LayerStack | None = None,
    ) -> None:
        self.network, self.loss, self.X, self.held_out = network, loss, X, held_out
        self.stack: LayerStack = network if stack is None else stack
        self.parameters, self.state = self.stack.parameters, self.stack.state
        self.body, self.dtype = self.stack.body, self.stack.dtype
        # Arrays were looked at when training began; rows that are prepared on the way were not.
        given = [X] if held_out is None else [X, held_out]
        self._is_ready = all(
            isinstance(rows, np.ndarray) and rows.dtype == self.dtype for rows in given
        )

    def inputs(self, x: Any) -> Any:
        """Bring a batch of `X` or `held_out` into the form that the first layer takes."""
        return x if self._is_ready else self.stack.inputs(x)

    def forward(self, x: Any, trace: Trace) -> Array:
        """Return the logits (B, K) of a batch of `X` or `held_out`, as `Network.forward` does."""
        return self.body.forward(self.stack.params, self.inputs(x), trace)

    def backward(self, dlogits: Array, trace: Trace, gradient: ParameterVector) -> None:
        """Write the gradient of this engine's parameters, as `Network.backward` does."""
        self.body.backward(self.stack.params, dlogits, trace, gradient.tree)

    def update_state(self, trace: Trace) -> None:
        """Let each layer update the state that it keeps, after a training pass."""
        self.body.update_state(self.stack.params, trace)

    def squared_norm(self, vector: ParameterVector, names: Iterable[str]) -> float:
        """Return the sum of squares that some arrays have for the network.

        Parameters
        ----------
        vector : ParameterVector
            This engine's parameters, or their gradient.
        names : iterable of str
            The arrays that count.
        """
        return self.stack.squared_norm(vector, names)

    def is_flat(self, gradient: ParameterVector, tolerance: float) -> bool:
        """Whether no parameter of the network has a gradient above a tolerance."""
        data = gradient.data
        return bool(max(data.max(initial=0), -data.min(initial=0)) <= tolerance)

    @property
    def multiplications(self) -> int:
        """The number of multiplications that one sample costs on its way up, about."""
        return self.stack.multiplications

    @property
    def chunk(self) -> int:
        """The number of samples that are best passed through the layers at a time."""
        return max(1, _CHUNK // self.stack.widest_output)

    def logits(self, X: Any) -> Array:
        """Compute the logits (N, K) of any number of rows of `X` or `held_out`."""
        trace, passes = Trace(), self.stack.passes
        chunk = self.chunk if passes is None else ROWS
        logits = np.empty((len(X), *self.stack.output_shape), self.dtype)
        for start in range(0, len(X), chunk):
            rows = slice(start, start + chunk)
            if passes is None:
                logits[rows] = self.forward(X[rows], trace)
            else:
                logits[rows] = passes.logits(self.inputs(X[rows]))
        return logits

    def write_back(self) -> Network:
        """Give the network its present weights, and return it."""
        return self.network

    def moments(self, state: Mapping[str, Array]) -> dict[str, Array]:
        """Return an optimizer's state of this engine as it is of the network's parameters."""
        return dict(state)

    def weights(self) -> Weights:
        """Return copies of the present weights."""
        return Weights(self.parameters.data.copy(), self.state.data.copy())

    def put(self, weights: Weights) -> None:
        """Make copied weights the present ones."""
        self.parameters.data[...], self.state.data[...] = weights

    @property
    def is_finite(self) -> bool:
        """Whether all present weights are finite."""
        return Weights(self.parameters.data, self.state.data).are_finite

    def network_with(self, weights: Weights) -> Network:
        """Return a copy of the network with other weights; the present ones stay as they are."""
        present = self.weights()
        try:
            self.put(weights)
            with np.errstate(over="ignore", invalid="ignore"):
                return self.write_back().copy()
        finally:
            self.put(present)
            self.write_back()

    def kept(self) -> dict[str, Array]:
        """Return the arrays that a checkpoint keeps besides parameters and state, to be read into.

        None of them changes in training.
        """
        return {}

    def take_up(self) -> None:
        """Follow from arrays that were read into those of `kept`."""

    def compiled_inputs(self) -> CompiledInputs | None:
        """Return the samples as compiled code takes them; None where they don't lie in a piece."""
        X = self.X
        if not (isinstance(X, np.ndarray) and X.flags.c_contiguous):
            return None
        return CompiledInputs(X.reshape(len(X), -1))
