"""The check of what clearprop's networks are made of: layers, losses, and networks of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.gradcheck.check import check_subject, cost_not_finite, require_finite
from clearprop.gradcheck.report import Report
from clearprop.gradcheck.subject import Noticed, Subject, carefully
from clearprop.gradcheck.watching import Passes, Seen, watch, where_it_begins
from clearprop.layers import Flatten, Layer
from clearprop.losses import Loss
from clearprop.network import Network, twin_of

_MOST = 32  # samples that a network is checked on
_FEW = 5  # samples for a layer or a loss alone


def check_gradients(net: Network, X: Any, y: Any, sample_weight: Any = None) -> Report:
    """Check the gradients of a network, layers and losses of one's own included.

    The network is taken as it trains: dropout drops, the same in every pass, and batch norm uses
    the statistics of the batch. It is checked at its present parameters, and not changed. One that
    computes in float32 is checked in float64; a note tells what float32 adds.

    Parameters
    ----------
    net : Network
    X : array-like, shape (N, *input_shape)
        The samples; of more than 32, 32 are drawn: what is right for them is right for all.
    y : array-like, shape (N,) or (N, K)
    sample_weight : array-like, shape (N,), optional

    Returns
    -------
    Report
        The report, true where the gradients are right; ``print`` shows the table.

    Raises
    ------
    ShapeError, DataError
        If X, y or the weights don't fit the network, or the loss is not finite.
    UsageError
        If the network has no parameters, or two passes with the same parameters differ.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> net = cp.Network(
    ...     [cp.Dense(3), cp.Tanh(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    ... )
    >>> bool(cp.check_gradients(net, np.eye(2), [0, 1]))
    True
    """
    if not net.parameters:
        raise UsageError("The network learns nothing: none of its layers has parameters.")
    own = net.copy()
    X, y = own.inputs(X), own.targets(y)
    if len(X) != len(y):
        raise ShapeError(f"X has {len(X)} samples and y has {len(y)}.")
    weight = None if sample_weight is None else own.sample_weights(sample_weight, len(X))
    require_finite({**own.parameters, "X": X})
    passes, notes = Passes(own, X, y, weight), []
    if len(X) > _MOST:
        passes = _drawn(passes)
        notes.append(f"checked on {len(passes.X)} of {len(X)} samples.")
    seen = watch(passes)  # before anything else: it says which layer makes a pass fail
    if not np.isfinite(cost := passes.cost(own.parameters)):
        raise cost_not_finite(cost, seen.origin)
    if own.dtype == np.float32:
        passes, rounded = _in_float64(passes), passes
        notes.append(
            "the network computes in float32, and was checked in float64; rounding moves its "
            f"gradients by up to {_rounding(rounded, passes):.0e} of the largest."
        )
    return _check(passes, seen, notes=notes)


def check_layer(layer: Layer, in_shape: tuple[int, ...]) -> Report:
    """Check a layer alone: the gradients of its parameters, and that of its input.

    It is taken as it trains, at random parameters near those that it starts with. Columns of codes
    have no derivative: the input is checked without them.

    Parameters
    ----------
    layer : Layer
    in_shape : tuple of int
        The shape of one input sample, without the axis of samples.

    Returns
    -------
    Report
        The report, true where the gradients are right. In its table ``x`` is the input and ``0.W``
        the W of the layer, as in a network of this layer alone.

    Raises
    ------
    ShapeError
        If the layer can't take such input, or gives another shape than `build` says.
    DataError
        If it gives numbers that are not finite.
    UsageError
        If two passes with the same parameters differ.

    Examples
    --------
    >>> import clearprop as cp
    >>> bool(cp.check_layer(cp.Residual((cp.Dense(4), cp.Tanh())), (4,)))
    True
    """
    out_shape = layer.build(in_shape).out_shape
    net = Network(
        [layer] if len(out_shape) == 1 else [layer, Flatten()],
        loss=_Projection(),
        input_shape=in_shape,
    )
    random_state = np.random.RandomState(0)
    for values in net.parameters.values():  # near what they start with: some must stay positive
        values += 0.1 * (1 + np.abs(values)) * random_state.standard_normal(values.shape)
    X = random_state.standard_normal((_FEW, *in_shape))
    for column, count in layer.codes(in_shape).items():
        X[:, column] = random_state.randint(0, count, _FEW)
    y = random_state.standard_normal((_FEW, *net.output_shape))
    passes = Passes(net, X, y)
    return _check(passes, watch(passes), with_input=True)


def check_loss(loss: Loss, outputs: int, y: Any = None) -> Report:
    """Check a loss alone: its gradient with respect to the logits.

    Parameters
    ----------
    loss : Loss
    outputs : int
        The number K of logits of a sample.
    y : array-like, shape (N,) or (N, K), optional
        The targets. Unless given, random ones: real numbers, zeros and ones, or class numbers,
        whatever the loss takes first.

    Returns
    -------
    Report
        The report, true where the gradient is right. In its table ``x`` are the logits.

    Raises
    ------
    ShapeError
        If the loss does not give a number a sample, and as many derivatives as logits.
    UsageError
        If it takes none of the random targets.
    DataError
        If it gives numbers that are not finite.

    Examples
    --------
    >>> import clearprop as cp
    >>> bool(cp.check_loss(cp.SoftmaxCrossEntropy(), 3))
    True
    """
    net = Network([Flatten()], loss=loss, input_shape=(outputs,))
    targets = _random_targets(net) if y is None else net.targets(y)
    logits = np.random.RandomState(1).standard_normal((len(targets), outputs))
    passes = Passes(net, logits, targets)
    return _check(passes, watch(passes), with_input=True)


@dataclass(frozen=True)
class _Projection(Loss):
    """The scalar product of a layer's output with random numbers, whose gradient they are."""

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        return (logits * y).sum(axis=1), y.copy()


def _check(
    passes: Passes, seen: Seen, *, with_input: bool = False, notes: Sequence[str] = ()
) -> Report:
    moving = passes.moving() if with_input else {}
    arrays = {**moving, **passes.net.parameters}
    noticed = Noticed()
    subject = Subject(
        cost=carefully(passes.cost, arrays, noticed),
        gradients=carefully(passes.gradients, arrays, noticed),
        parameters={name: array.copy() for name, array in arrays.items()},
        X=None if with_input else passes.X,
        Y=None if with_input else passes.y,
        samples_are="rows",
        outputs=carefully(passes.outputs, arrays, noticed),
    )
    report = check_subject(
        subject, noticed, notes=(*seen.notes, *notes), origin=lambda: seen.origin
    )
    is_evident = with_input and not passes.net.layers[0].inner()  # there is only one part
    if not report.wrong or seen.blamed or is_evident:
        return report
    return replace(report, origin=where_it_begins(passes) or "")


def _drawn(passes: Passes) -> Passes:
    """Return passes of some samples, drawn from those that count."""
    X, y, weight = passes.X, passes.y, passes.sample_weight
    counting = np.arange(len(X)) if weight is None else np.flatnonzero(weight)
    rows = np.sort(np.random.RandomState(0).permutation(counting)[:_MOST])
    weight = None if weight is None else weight[rows]
    return replace(passes, X=X[rows], y=y[rows], sample_weight=weight)


def _in_float64(passes: Passes) -> Passes:
    """Return the same passes, computed in float64."""
    net, weight = twin_of(passes.net, dtype=np.float64), passes.sample_weight
    return Passes(
        net,
        net.inputs(passes.X),
        net.targets(passes.y),
        None if weight is None else net.sample_weights(weight, len(weight)),
    )


def _rounding(single: Passes, double: Passes) -> float:
    """Return the largest rounding of a gradient in float32, as a share of the largest gradient."""
    rounded = single.backward(single.net.parameters, fill=0)[0].data
    closer = double.backward(double.net.parameters, fill=0)[0].data
    return float(np.abs(rounded - closer).max() / max(np.abs(closer).max(), np.finfo(float).tiny))


def _random_targets(net: Network) -> Array:
    random_state = np.random.RandomState(0)
    outputs = net.output_shape[0]
    for y in (
        random_state.standard_normal((_FEW, outputs)),
        random_state.randint(0, 2, (_FEW, outputs)),
        random_state.randint(0, outputs, _FEW),
    ):
        try:
            return net.targets(y)
        except (DataError, ShapeError):
            continue
    raise UsageError(
        f"{net.loss} takes neither real numbers, nor zeros and ones, nor class numbers as "
        "targets. Give it some: check_loss(loss, outputs, y)."
    )
