"""Saliency: which pixels the answer hangs on, by the gradient of its logit."""

from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.explain.question import Question
from clearprop.files.models import Model
from clearprop.network import Network

_DRAWS, _NOISE = 16, 0.1


def saliency(
    model: Model | Network,
    X: Any,
    answers: Any = None,
    *,
    draws: int = _DRAWS,
    noise: float = _NOISE,
) -> Array:
    """Compute how much the logit of an answer hangs on each pixel of a picture.

    It is the gradient of that logit by the picture, averaged over copies with a little noise, as
    that of a single one changes from pixel to pixel. Of several channels the largest counts.

    Parameters
    ----------
    model : Model or Network
    X : array-like, shape (N, *input_shape), or whatever `Model.predict` takes
        Prepared samples for a network; samples as they are for a model.
    answers : int or array-like of int, shape (N,), optional
        The class number that each picture is asked about; unless given, the one that is answered.
        Of a network that predicts values, the number of an output.
    draws : int, default 16
        The number of noisy copies.
    noise : float, default 0.1
        The standard deviation of the noise, as a share of the range of a sample's numbers; with 0
        it is the gradient itself.

    Returns
    -------
    ndarray, shape (N, H, W), or (N, D) for flat samples
        The absolute values of the derivatives: logits per unit of the prepared input, which is 0
        to 1 for pictures.

    Raises
    ------
    UsageError
        If `draws` or `noise` can't be, or there are several outputs and none is the answer.
    ShapeError, DataError
        If the samples or the answers don't fit the model.

    Notes
    -----
    With S the logit and e noise of that deviation, for each place p::

        saliency_p = max_c | mean_e dS/dx_pc (x + e) |

    The same noise is drawn for each sample and at each call, so that a picture has the same
    saliency in whatever company. Sources: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional
    Networks" (2013), section 3; Smilkov, Thorat, Kim, Viégas, Wattenberg, "SmoothGrad" (2017).

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(3,))
    >>> net.parameters["0.W"][:, 0] = [0.5, -2, 0]
    >>> cp.saliency(net, np.ones((1, 3))).tolist()
    [[0.5, 2.0, 0.0]]
    """
    if not isinstance(draws, int | np.integer) or draws < 1:
        raise UsageError(f"draws is a whole number from 1; found {draws!r}.")
    if not 0 <= noise < np.inf:
        raise UsageError(f"noise is a share of the range of a sample's numbers; found {noise!r}.")
    question = Question.of(model, X, answers)
    network, copies = question.network, int(draws) if noise else 1
    shape = network.input_shape
    random = np.random.RandomState(0).standard_normal((copies, *shape)) if noise else 0.0
    found = np.empty((len(question), *(shape[:2] if len(shape) == 3 else shape)), network.dtype)
    for rows, block in question.blocks(copies):
        axes = tuple(range(1, block.ndim))
        spread = block.max(axis=axes, keepdims=True) - block.min(axis=axes, keepdims=True)
        noisy = block[:, np.newaxis] + np.asarray(
            noise * spread[:, np.newaxis] * random, network.dtype
        )
        slopes = _slopes(question, rows, block, noisy.reshape(-1, *shape))
        mean = np.abs(slopes.reshape(len(block), -1, *shape).mean(axis=1))
        found[rows] = mean.max(axis=-1) if len(shape) == 3 else mean
    return found


def _slopes(question: Question, rows: slice, block: Array, noisy: Array) -> Array:
    """Return the derivative of the logit of each sample's answer at its noisy copies.

    All copies are asked about the answer to the sample itself.
    """
    network, trace = question.network, Trace()
    seeds = question.seeds(rows, network.forward(block))
    logits = network.forward(noisy, trace)
    repeated = np.repeat(seeds, len(logits) // len(seeds), axis=0)
    dx = network.backward(repeated, trace, network.parameters.like())
    assert dx is not None  # noqa: S101 - a fresh trace wants it
    return dx
