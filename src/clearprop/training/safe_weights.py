"""Weights to fall back to when the loss is not finite any more."""

import numpy as np

from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.early_stopping import EarlyStopping
from clearprop.training.run import Run

SAFE_EVERY = 50  # updates at most between two copies


class SafeWeights:
    """Weights that gave a finite loss, copied too rarely to cost anything.

    That is after 1, 2, 4, ... updates, and then after every 50.

    Parameters
    ----------
    run : Run
        Before its first update.
    """

    def __init__(self, run: Run) -> None:
        network = run.engine
        self._run = run
        self._step = run.step
        self._kept = network.parameters.data.copy(), network.state.data.copy()
        self._spare = np.empty_like(self._kept[0]), np.empty_like(self._kept[1])
        self._copied_at: int | None = None

    def prepare(self) -> None:
        """Copy the present weights if it is time to; their loss is not known yet."""
        run = self._run
        self._copied_at = None
        if run.step - self._step >= min(max(self._step, 1), SAFE_EVERY):
            self._copied_at = run.step
            self._spare[0][...] = run.engine.parameters.data
            self._spare[1][...] = run.engine.state.data

    def confirm(self) -> None:
        """Keep what `prepare` copied, whose loss was found to be finite."""
        if self._copied_at is not None and all(map(_all_finite, self._spare)):
            self._step = self._copied_at
            self._kept, self._spare = self._spare, self._kept

    def put_back(self) -> str:
        """Restore the best weights where early stopping has some, else these; say from when."""
        run = self._run
        if run.best is not None:
            EarlyStopping.restore(run)
            if is_finite(run.engine):
                return f"epoch {run.best.epoch}"
            run.history.best_epoch = None
        run.engine.parameters.data[...], run.engine.state.data[...] = self._kept
        return f"{self._step} updates"


def is_finite(network: Network) -> bool:
    """Whether all that a network holds is finite."""
    return _all_finite(network.parameters.data) and _all_finite(network.state.data)


def _all_finite(array: Array) -> bool:
    return bool(np.isfinite(array).all())
