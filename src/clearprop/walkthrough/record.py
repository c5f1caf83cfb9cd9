"""One training step of the engine itself, with everything that it leaves behind kept apart.

The network that is walked stays as it is: the step is made on a watched copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.initializers import random_state_of
from clearprop.core.parameters import Array, ParameterVector
from clearprop.core.trace import Trace
from clearprop.network import Network
from clearprop.network.probe import Record, watched
from clearprop.optimizers import Optimizer


@dataclass(frozen=True, eq=False)
class Update:
    """The optimizer's first step.

    Parameters
    ----------
    optimizer : Optimizer
    rate : float
        The learning rate.
    samples : float
        The number of samples that the mean loss is of, or the sum of their weights.
    penalty : float
        The share of L2 in the loss.
    before, after : ParameterVector
        The parameters.
    gradient : ParameterVector
        The gradient of the loss, without L2.
    followed : ParameterVector
        The gradient with L2, which the optimizer follows.
    moments : mapping of str to ParameterVector
        The arrays that it keeps for the next step.
    state_before, state_after : ParameterVector
        The arrays that layers keep, such as running statistics.
    """

    optimizer: Optimizer
    rate: float
    samples: float
    penalty: float
    before: ParameterVector
    after: ParameterVector
    gradient: ParameterVector
    followed: ParameterVector
    moments: Mapping[str, ParameterVector]
    state_before: ParameterVector
    state_after: ParameterVector


def record_step(
    network: Network,
    X: Any,
    y: Any,
    sample_weight: Any,
    optimizer: Optimizer,
    trace: Trace | None,
) -> tuple[Record, Update]:
    """Make one training step on a copy of a network, the optimizer's first, and keep all of it.

    All else is taken, and refused, as by `Network.loss_and_gradient`.
    """
    record = Record()
    twin = watched(network, record)
    if trace is None:
        trace = Trace(training=True, random_state=random_state_of(network.seed))
        trace.wants_dx = False
    before, state_before = twin.parameters.copy(), twin.state.copy()
    with np.errstate(all="ignore"):  # what is not finite is shown, and said
        _, gradient = twin.loss_and_gradient(X, y, sample_weight, trace=trace)
        weights, count = record.losses[0].weights, len(record.losses[0].losses)
        samples = count if weights is None else float(weights.sum()) or count
        followed = gradient.copy()
        penalty = optimizer.regularize(twin, followed, samples)
        state = optimizer.start(twin.parameters)
        optimizer.step(twin.parameters, followed, state, 0)
        if trace.training:
            twin.update_state(trace)
    return record, Update(
        optimizer=optimizer,
        rate=optimizer.rate(0),
        samples=samples,
        penalty=penalty,
        before=before,
        after=twin.parameters,
        gradient=gradient,
        followed=followed,
        moments={name: _named(array, before) for name, array in state.items()},
        state_before=state_before,
        state_after=twin.state,
    )


def _named(flat: Array, like: ParameterVector) -> ParameterVector:
    vector = like.like()
    vector.data[...] = flat
    return vector
