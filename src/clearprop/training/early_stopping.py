"""Stop when it gets no better, and go back to the best weights."""

from dataclasses import dataclass

from clearprop.errors import UsageError
from clearprop.training.run import Best, Run


@dataclass(frozen=True)
class EarlyStopping:
    """End training when a column of the history has not improved for some epochs.

    However training ends, the weights of the best epoch are restored.

    Parameters
    ----------
    patience : int, default 10
        How many epochs without an improvement are borne.
    monitor : str, default "validation_loss"
        The column. A loss is to fall, everything else is to rise.
    min_delta : float, default 0.0
        What counts as an improvement must exceed it.
    """

    patience: int = 10
    monitor: str = "validation_loss"
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise UsageError(f"EarlyStopping needs a patience of 1 or more, found {self.patience}.")

    def look(self, run: Run) -> None:
        """Keep the weights of a new best epoch, or stop the run when patience is at its end.

        Raises
        ------
        UsageError
            If `monitor` is not among the columns.
        """
        row = run.history.rows[-1]
        if self.monitor not in row:
            raise UsageError(
                f"EarlyStopping monitors {self.monitor!r}, which is not measured; there are "
                f"{', '.join(row)}. Give training a validation set or share."
            )
        value = row[self.monitor]
        sign = 1 if self.monitor.endswith("loss") else -1
        if run.best is None or sign * (run.best.value - value) > self.min_delta:
            network = run.engine
            run.best = Best(
                run.epoch, value, network.parameters.data.copy(), network.state.data.copy()
            )
        self.stop_if_spent(run)

    def stop_if_spent(self, run: Run) -> None:
        """Stop the run when patience is at its end."""
        if run.best is not None and run.epoch - run.best.epoch >= self.patience:
            run.stop("early")

    @staticmethod
    def restore(run: Run) -> None:
        """Put the best weights back into the network."""
        if run.best is not None:
            run.engine.parameters.data[...] = run.best.parameters
            run.engine.state.data[...] = run.best.state
            run.history.best_epoch = run.best.epoch
