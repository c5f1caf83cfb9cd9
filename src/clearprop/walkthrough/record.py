"""What is kept of a training step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearprop.layers import Layer
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array, ParameterVector


@dataclass(frozen=True, eq=False)
class Forward:
    """What a layer did on the way forward.

    Parameters
    ----------
    name : str
        Its place, dotted where it lies inside another: ``"3.0"``.
    layer : Layer
    x, y : ndarray
        Its input and its output.
    params : mapping of str to ndarray
        Its own parameters and state, without those of inner layers.
    kept : mapping of str to ndarray
        What it left in the trace.
    training : bool
        Whether it was a pass for training.
    """

    name: str
    layer: Layer
    x: Array
    y: Array
    params: Mapping[str, Array]
    kept: Mapping[str, Array]
    training: bool


@dataclass(frozen=True, eq=False)
class Backward:
    """What a layer did on the way back.

    Parameters
    ----------
    name : str
    dy : ndarray
        The gradient of its output.
    dx : ndarray or None
        That of its input; None where nobody wants it.
    grads : mapping of str to ndarray
        Those of its own parameters.
    """

    name: str
    dy: Array
    dx: Array | None
    grads: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class LossPass:
    """What the loss did.

    Parameters
    ----------
    logits : ndarray, shape (N, K)
    y : ndarray
        Targets as the loss takes them.
    weights : ndarray, shape (N,), or None
        Of the samples.
    losses : ndarray, shape (N,)
        Of each sample.
    loss : float
        Their mean.
    dlogits : ndarray, shape (N, K)
        Its gradient.
    """

    logits: Array
    y: Array
    weights: Array | None
    losses: Array
    loss: float
    dlogits: Array


@dataclass(frozen=True, eq=False)
class Update:
    """What the optimizer did, in its first step.

    Parameters
    ----------
    optimizer : Optimizer
    rate : float
        The learning rate.
    samples : float
        How many the mean loss is of, or the sum of their weights.
    penalty : float
        What L2 adds to the loss.
    before, after : ParameterVector
        The parameters.
    gradient : ParameterVector
        Of the loss, without L2.
    followed : ParameterVector
        With L2: what the optimizer follows.
    moments : mapping of str to ParameterVector
        What it keeps for the next step.
    state_before, state_after : ParameterVector
        What layers keep, such as running statistics.
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


@dataclass
class Record:
    """A step, in the order in which it was computed."""

    forward: list[Forward] = field(default_factory=list)
    backward: list[Backward] = field(default_factory=list)
    losses: list[LossPass] = field(default_factory=list)

    @property
    def loss(self) -> LossPass:
        """What the loss did."""
        return self.losses[0]
