"""Normalisation of activations: over the batch, or over each sample's features."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.core.formulas import Formulas, known, mean_d, named, sum_d, sum_n
from clearprop.core.initializers import Constant, Zeros
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import D, Setting, Symbol, dx, dy, maximum, sqrt, x, y
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.layers.base import Built, Layer
from clearprop.layers.dense import flat_size
from clearprop.layers.place_formulas import number_of_places, sum_of_places
from clearprop.layers.windows import picture_shape

_gamma, _beta = Symbol("gamma", "scale"), Symbol("beta", "shift")
_dgamma, _dbeta = _gamma.gradient, _beta.gradient
_mean = Symbol("mean", "mean of each feature over the batch")
_variance = Symbol("variance", "variance of each feature over the batch")
_running_mean = Symbol("running_mean", "running mean")
_running_variance = Symbol("running_variance", "running variance")
_s = Symbol("s", "standard deviation")
_xhat = Symbol("xhat", "normalised input", per_sample=True)
_dxhat = named("dxhat", dy * _gamma)
_count = number_of_places()
_momentum, _epsilon = Setting("momentum"), Setting("epsilon")


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalise each feature over the batch, then scale and shift: y = gamma xhat + beta.

    Of pictures (H, W, C) the features are the channels, and every place of every sample counts.

    xhat = (x - mean) / sqrt(variance + epsilon), with mean and variance of the batch while
    training, and with their running averages otherwise.

    Parameters
    ----------
    momentum : float, default 0.1
        The weight of the newest batch in the running averages, above 0 and at most 1.
    epsilon : float, default 1e-5
        The number that keeps the division finite; positive.

    Notes
    -----
    With sums over the N samples (of pictures, over their places, too, so that N is samples times H
    W) and s = sqrt(variance + epsilon)::

        dgamma = sum_n dy xhat
        dbeta  = sum_n dy
        dx     = gamma / s (dy - dbeta / N - xhat dgamma / N)

    The running variance averages the unbiased estimate, N / (N - 1) times that of the batch.
    Source: Ioffe, Szegedy, "Batch Normalization" (2015), algorithms 1 and 2.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    repeatable: ClassVar[bool] = False

    formulas = Formulas(
        {
            _mean: sum_of_places(x) / _count,
            _variance: sum_of_places((x - _mean) ** 2) / _count,
            _s: sqrt(known(_mean, _variance, _running_variance) + _epsilon),
            _xhat: (x - known(_mean, _mean, _running_mean)) / _s,
            y: _gamma * _xhat + _beta,
        },
        {
            _dgamma: sum_of_places(dy * _xhat),
            _dbeta: sum_of_places(dy),
            dx: known(
                _mean,
                _gamma / _s * (dy - _dbeta / _count - _xhat * _dgamma / _count),
                dy * (_gamma / _s),
            ),
        },
        {
            _running_mean: (1 - _momentum) * _running_mean + _momentum * _mean,
            _running_variance: (1 - _momentum) * _running_variance
            + _momentum * _variance * _count / maximum(_count - 1, 1),
        },
        not_training="This pass is not one of training, so the running statistics are used.",
    )

    def __post_init__(self) -> None:
        if not 0 < self.momentum <= 1:
            raise UsageError(f"BatchNorm's momentum is above 0, at most 1; found {self.momentum}.")
        _check_epsilon("BatchNorm", self.epsilon)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take and give flat samples (D,), or pictures (H, W, C) or (H, W)."""
        features = in_shape if len(in_shape) == 1 else picture_shape("BatchNorm", in_shape)[2:]
        return Built(
            in_shape,
            parameters=_scale_and_shift(features),
            state={
                "running_mean": Parameter(features, Zeros()),
                "running_variance": Parameter(features, Constant(1.0)),
            },
        )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = gamma xhat + beta, of the shape of x."""
        lines, gamma, beta = x.reshape(len(x), -1), params["gamma"], params["beta"]
        xhat = trace.buffer("xhat", lines.shape, x.dtype)
        y = trace.buffer("y", lines.shape, x.dtype)
        if trace.training:
            mean = _average(lines, gamma.size)
            np.subtract(lines, _along(mean, lines), out=xhat)
            variance = _average(np.multiply(xhat, xhat, out=y), gamma.size)
            trace["mean"], trace["variance"] = mean, variance
        else:
            variance = params["running_variance"]
            np.subtract(lines, _along(params["running_mean"], lines), out=xhat)
        s = np.sqrt(variance + self.epsilon)
        xhat /= _along(s, lines)
        trace["xhat"], trace["s"] = xhat.reshape(x.shape), s
        np.multiply(_along(gamma, lines), xhat, out=y)
        y += _along(beta, lines)
        return y.reshape(x.shape)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Write dgamma and dbeta; return dx, through mean and variance while training."""
        shape, s, gamma = dy.shape, trace["s"], params["gamma"]
        dy, xhat = dy.reshape(len(dy), -1), trace["xhat"].reshape(len(dy), -1)
        dx = trace.buffer("dx", dy.shape, dy.dtype)
        grads["gamma"][...] = _total(np.multiply(dy, xhat, out=dx), gamma.size)
        grads["beta"][...] = _total(dy, gamma.size)
        if trace.training:
            count = dy.size // gamma.size
            np.multiply(xhat, _along(grads["gamma"] / -count, dy), out=dx)
            dx += dy
            dx -= _along(grads["beta"] / count, dy)
            dx *= _along(gamma / s, dy)
        else:
            np.multiply(dy, _along(gamma / s, dy), out=dx)
        return dx.reshape(shape)

    def update_state(self, params: Params, trace: Trace) -> None:
        """Move the running averages towards the batch's mean and unbiased variance."""
        count = trace["xhat"].size // trace["mean"].size
        unbiased = trace["variance"] * (count / max(count - 1, 1))
        for running, new in (
            (params["running_mean"], trace["mean"]),
            (params["running_variance"], unbiased),
        ):
            running *= 1 - self.momentum
            running += self.momentum * new

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is y = gamma / s x + (beta - gamma / s mean), by the running averages."""
        s = np.sqrt(params["running_variance"].astype(np.float64) + self.epsilon)
        factor = params["gamma"] / s
        shift, dtype = params["beta"] - factor * params["running_mean"], params["gamma"].dtype
        pictures = x if len(x.shape) != 2 else program.reshaped(x, (*x.shape, 1))
        y = program.scaling(
            pictures, *(np.atleast_1d(one).astype(dtype) for one in (factor, shift))
        )
        return program.reshaped(y, x.shape)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Normalise each sample over its features, then scale and shift: y = gamma xhat + beta.

    xhat = (x - mean) / sqrt(variance + epsilon), with mean and variance of the sample's D features,
    while training and otherwise.

    Parameters
    ----------
    epsilon : float, default 1e-5
        The number that keeps the division finite; positive.

    Notes
    -----
    With dxhat = dy gamma, s = sqrt(variance + epsilon), and means over the D features::

        dgamma = sum_n dy xhat
        dbeta  = sum_n dy
        dx     = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / s

    Source: Ba, Kiros, Hinton, "Layer Normalization" (2016), equation 4.
    """

    epsilon: float = 1e-5

    formulas = Formulas(
        {
            _s: sqrt(sum_d((x - mean_d(x)) ** 2) / D + _epsilon),
            _xhat: (x - mean_d(x)) / _s,
            y: _gamma * _xhat + _beta,
        },
        {
            _dgamma: sum_n(dy * _xhat),
            _dbeta: sum_n(dy),
            dx: (_dxhat - mean_d(_dxhat) - _xhat * mean_d(_dxhat * _xhat)) / _s,
        },
    )

    def __post_init__(self) -> None:
        _check_epsilon("LayerNorm", self.epsilon)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take and give flat samples (D,)."""
        flat_size("LayerNorm", in_shape)
        return Built(in_shape, parameters=_scale_and_shift(in_shape))

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y = gamma xhat + beta, shape (N, D)."""
        xhat = trace.buffer("xhat", x.shape, x.dtype)
        y = trace.buffer("y", x.shape, x.dtype)
        np.subtract(x, x.mean(axis=1, keepdims=True), out=xhat)
        variance = np.multiply(xhat, xhat, out=y).mean(axis=1, keepdims=True)
        s = np.sqrt(variance + self.epsilon)
        xhat /= s
        trace["xhat"], trace["s"] = xhat, s
        np.multiply(params["gamma"], xhat, out=y)
        y += params["beta"]
        return y

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
        """Write dgamma and dbeta; return dx, through each sample's mean and variance."""
        xhat, s = trace["xhat"], trace["s"]
        product = trace.buffer("product", xhat.shape, xhat.dtype)
        np.multiply(dy, xhat, out=product).sum(axis=0, out=grads["gamma"])
        np.sum(dy, axis=0, out=grads["beta"])
        dxhat = np.multiply(dy, params["gamma"], out=trace.buffer("dx", xhat.shape, xhat.dtype))
        along = np.multiply(dxhat, xhat, out=product).mean(axis=1, keepdims=True)
        dx = dxhat
        dx -= dxhat.mean(axis=1, keepdims=True)
        dx -= np.multiply(xhat, along, out=product)
        dx /= s
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that it is a normalisation of each sample."""
        return program.normalisation(x, params["gamma"], params["beta"], self.epsilon)


def _along(features: Array, lines: Array) -> Array:
    """Repeat features for each place of a picture: long lines are quicker than short ones."""
    places = lines.shape[1] // features.size
    return np.tile(features, places) if places > 1 else features


def _total(lines: Array, features: int) -> Array:
    """Return the sum of each feature over all samples and places."""
    total: Array = lines.sum(axis=0)
    return total if total.size == features else total.reshape(-1, features).sum(axis=0)


def _average(lines: Array, features: int) -> Array:
    return _total(lines, features) / (lines.size // features)


def _scale_and_shift(in_shape: tuple[int, ...]) -> dict[str, Parameter]:
    return {"gamma": Parameter(in_shape, Constant(1.0)), "beta": Parameter(in_shape, Zeros())}


def _check_epsilon(name: str, epsilon: float) -> None:
    if not epsilon > 0:
        raise UsageError(f"{name} needs a positive epsilon, found {epsilon}.")
