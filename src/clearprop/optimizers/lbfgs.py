"""L-BFGS: few updates, each of which looks at all samples several times."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from clearprop.core.parameters import ParameterVector
from clearprop.errors import UsageError
from clearprop.optimizers.base import Optimizer, OptimizerState


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """A quasi-Newton method: steps along -H g, where H is learned from the last steps.

    Each update looks along a line for a point that is low enough, with the loss and the gradient of
    all samples, so that there are neither batches nor a learning rate; and it ends by itself where
    the loss falls no further. `clearprop.training.lbfgs` has the search and the rules for its end,
    and ``docs/derivations/lbfgs.md`` says why they are so.

    Parameters
    ----------
    alpha : float, default 0.0
        L2, as scikit-learn scales it.
    memory : int, default 10
        The number of past steps that H is made of.
    tolerance : float, default 1e-4
        The largest gradient of a parameter at which training has converged.
    max_evaluations : int, optional
        The number of looks at the loss after which training ends, when the update is done.

    Notes
    -----
    Source: Nocedal, "Updating Quasi-Newton Matrices with Limited Storage" (1980).
    """

    learning_rate: float = field(default=1.0, init=False, repr=False)
    memory: int = 10
    tolerance: float = 1e-4
    max_evaluations: int | None = None

    name: ClassVar[str] = "lbfgs"
    full_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("memory", "max_evaluations"):
            count = getattr(self, name)
            if not isinstance(count, int | np.integer | None) or (count is not None and count < 1):
                raise UsageError(
                    f"LBFGS needs {name} to be a whole number of at least 1, found {count!r}."
                )
        for name in ("alpha", "tolerance"):
            value = getattr(self, name)
            if not (value >= 0 and np.isfinite(value)):
                raise UsageError(f"LBFGS needs a {name} of at least 0, found {value}.")

    def start(self, parameters: ParameterVector) -> OptimizerState:
        """Return an empty memory.

        Returns
        -------
        dict of str to ndarray
            s and y (memory, P), sy (memory,), and counts (4,): of pairs, of looks at the loss, the
            number of the reason for which it has ended, or 0, and of iterations; and x (P,), where
            it is, with digits that parameters of single precision have not.
        """
        return self.start_of(parameters.data.size)

    def start_of(self, size: int) -> OptimizerState:
        """Return an empty memory of steps of so many numbers."""
        return {
            "s": np.zeros((self.memory, size)),
            "y": np.zeros((self.memory, size)),
            "sy": np.zeros(self.memory),
            "counts": np.zeros(4, np.uint32),
            "x": np.zeros(size),
        }

    def step(
        self,
        parameters: ParameterVector,
        gradient: ParameterVector,
        state: OptimizerState,
        step: int,
    ) -> None:
        """Refuse an update from one gradient, by a UsageError: L-BFGS looks along a line."""
        raise UsageError(
            "LBFGS has no update that follows from one gradient: it looks along a line. "
            "Trainer(optimizer=LBFGS()) trains by it; take another optimizer here, such as SGD."
        )
