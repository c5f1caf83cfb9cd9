"""A network: a stack of layers, and the loss that it is trained for."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from clearprop.core import html
from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.layers import Layer
from clearprop.losses import Loss
from clearprop.network.drawing import drawing_of
from clearprop.network.stack import ROWS, LayerStack

_CACHED = 2**19  # the same of feature maps
_CHUNK = 2**24  # numbers in the widest layer at a time while predicting: 128 MiB in float64


class Network(LayerStack):
    """Layers one after the other, and the loss that they are trained for.

    Parameters
    ----------
    layers : sequence of Layer
        From input to output. The last one gives logits: the final sigmoid or softmax belongs to the
        loss.
    loss : Loss
        The loss that is minimised.
    input_shape : tuple of int
        The shape of one sample: ``(12288,)``, or ``(64, 64, 3)`` before a `Flatten`.
    seed : int, default 0
        The seed of the first weights.
    dtype : dtype-like, default float64
        The dtype of all computation: float64 or float32.

    Attributes
    ----------
    parameters : ParameterVector
        The arrays that are learned, by dotted name: ``net.parameters["0.W"]`` has shape (D, M).
    state : ParameterVector
        The arrays that are kept but not learned: the running statistics of `BatchNorm`.
    output_shape : tuple of int
        The shape (K,) of one sample's logits.

    Raises
    ------
    ShapeError
        If a layer or the loss can't take what the layers below give.
    UsageError
        If `dtype` is neither float32 nor float64, there are no layers, or `input_shape` is no
        tuple of sizes.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> net = cp.Network(
    ...     [cp.Dense(3), cp.Tanh(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    ... )
    >>> X, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    >>> loss, gradient = net.loss_and_gradient(X, y)
    >>> gradient["0.W"].shape
    (2, 3)
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        loss: Loss,
        input_shape: tuple[int, ...],
        seed: int = 0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(layers, input_shape, dtype)
        if not isinstance(loss, Loss):
            raise UsageError(f"loss is a loss such as SoftmaxCrossEntropy(), found {loss!r}.")
        self.loss = loss
        loss.check_outputs(self.output_shape[0])
        self.initialize(seed)

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], loss={self.loss!r}, input_shape={self.input_shape})"

    def _repr_html_(self) -> str:
        return html.fragment(*self.markup())

    def markup(self) -> tuple[html.Markup, ...]:
        """Return a sentence, a drawing and a table that opens, as HTML."""
        summary = self.summary()
        facts = f"{summary.parameters:,} parameters, {self.dtype.name}, {type(self.loss).__name__}"
        said = html.Markup(f"<strong>Network</strong>, {html.escape(facts)}")
        table = html.folded(f"{len(summary.rows):,} layers", summary.table())
        return html.element("p", said), drawing_of(self), table

    def __getstate__(self) -> dict[str, Any]:
        """Return what pickle and deepcopy take: views of one vector would become vectors apart."""
        return {
            "layers": self.layers,
            "loss": self.loss,
            "input_shape": self.input_shape,
            "seed": self.seed,
            "dtype": self.dtype,
            "parameters": self.parameters.data,
            "state": self.state.data,
        }

    def __setstate__(self, described: dict[str, Any]) -> None:
        described = dict(described)
        parameters, state = described.pop("parameters"), described.pop("state")
        layers = described.pop("layers")
        Network.__init__(self, layers, **described)
        self.parameters.data[...] = parameters
        self.state.data[...] = state

    def copy(self) -> "Network":
        """Return a network of the same layers, loss, parameters and state, sharing no memory."""
        return twin_of(self)

    def loss_and_gradient(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        trace: Trace | None = None,
        gradient: ParameterVector | None = None,
    ) -> tuple[float, ParameterVector]:
        """Compute the mean loss of a batch and the gradient of every parameter.

        Nothing of the network changes: two calls with the same arguments give the same numbers.

        Parameters
        ----------
        X : array-like, shape (N, *input_shape)
        y : array-like, shape (N,) or (N, K)
            Targets, as the loss takes them.
        sample_weight : array-like, shape (N,), optional
        trace : Trace, optional
            Unless given, a fresh one for training, whose random numbers come from the network's
            seed.
        gradient : ParameterVector, optional
            The vector to write to; a new one unless given.

        Returns
        -------
        loss : float
        gradient : ParameterVector
            ``gradient["0.W"]`` has the shape of ``net.parameters["0.W"]``.

        Raises
        ------
        ShapeError, DataError
            If X, y or the weights don't fit the network, the loss, or each other.
        """
        X = self.inputs(X)
        y = self.targets(y)
        if len(X) != len(y):
            raise ShapeError(f"X has {len(X)} samples and y has {len(y)}.")
        if not len(X):
            raise DataError("X has no samples, and a mean loss needs at least one.")
        if sample_weight is not None:
            sample_weight = self.sample_weights(sample_weight, len(X))
        if trace is None:
            trace = Trace(training=True, random_state=random_state_of(self.seed))
            trace.wants_dx = False
        if gradient is None:
            gradient = self.parameters.like()
        loss, dlogits = self.loss(self.forward(X, trace), y, sample_weight)
        self.backward(dlogits, trace, gradient)
        return loss, gradient

    def logits(self, X: Any) -> Array:
        """Compute the logits of any number of samples, a chunk of rows at a time.

        Parameters
        ----------
        X : array-like, shape (N, *input_shape)
            The samples, or rows that are prepared as they are asked for.

        Returns
        -------
        ndarray, shape (N, K)
        """
        if not hasattr(X, "shape"):
            X = np.asarray(X)
        passes, trace = self.passes, Trace()  # whose memory serves chunk after chunk
        rows = self._rows_at_once if passes is None else ROWS
        logits = np.empty((len(X), *self.output_shape), self.dtype)
        for start in range(0, len(X), rows):
            chunk = self.inputs(X[start : start + rows])
            found = self.forward(chunk, trace) if passes is None else passes.logits(chunk)
            logits[start : start + rows] = found
        return logits

    @cached_property
    def _rows_at_once(self) -> int:
        # What is computed at each place of a picture is computed soonest from a core's cache.
        chunk = _CACHED if self.multiplications > self.parameters.data.size else _CHUNK
        return max(1, chunk // max(math.prod(self.input_shape), self.widest_output))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like, shape (N, *input_shape)

        Returns
        -------
        ndarray, shape (N, number of classes)

        Raises
        ------
        UsageError
            If the loss is not one of classes.
        """
        return self.loss.predict_proba(self.logits(X))

    def predict(self, X: Any) -> Array:
        """Return class numbers (N,), or the predicted values (N,) or (N, K)."""
        return self.loss.predict(self.logits(X))

    def targets(self, y: Any) -> Array:
        """Check targets and bring them into the form that the loss takes."""
        return self.loss.targets(y, self.output_shape[0], self.dtype)

    def sample_weights(self, sample_weight: Any, samples: int) -> Array:
        """Check sample weights and bring them into the network's dtype.

        Raises
        ------
        ShapeError
            If there is not one for each sample.
        DataError
            If they are not numbers, or one is negative or not finite.
        """
        weights = np.asarray(sample_weight)
        if weights.dtype.kind not in "iubf":
            raise DataError(f"Sample weights must be numbers, found {weights.dtype}.")
        weights = weights.astype(self.dtype, copy=False)
        if weights.shape != (samples,):
            raise ShapeError(f"Sample weights have shape {weights.shape}, expected ({samples},).")
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise DataError("Sample weights must be finite and not negative.")
        return weights


def twin_of(
    network: Network,
    *,
    layers: Sequence[Layer] | None = None,
    loss: Loss | None = None,
    dtype: DTypeLike | None = None,
) -> Network:
    """Return a network like another one, with copies of its parameters and state.

    Layers that are given in the place of its own have the same parameters and state.
    """
    twin = Network(
        network.layers if layers is None else layers,
        loss=network.loss if loss is None else loss,
        input_shape=network.input_shape,
        seed=network.seed,
        dtype=network.dtype if dtype is None else dtype,
    )
    twin.parameters.data[...] = network.parameters.data
    twin.state.data[...] = network.state.data
    return twin
