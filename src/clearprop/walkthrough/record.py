"""Everything that is kept of a training step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearprop.optimizers import Optimizer
from clearprop.parameters import ParameterVector
from clearprop.probe import Backward, Forward, LossPass


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


@dataclass
class Record:
    """A step, in the order in which it was computed."""

    forward: list[Forward] = field(default_factory=list)
    backward: list[Backward] = field(default_factory=list)
    losses: list[LossPass] = field(default_factory=list)

    @property
    def loss(self) -> LossPass:
        """The pass of the loss."""
        return self.losses[0]
