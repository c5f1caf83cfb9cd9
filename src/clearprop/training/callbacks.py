"""What may happen along the way."""

from clearprop.training.run import Run


class Callback:
    """Base of every callback: override what you need; each method gets the run.

    ``run.history`` holds what was reached, ``run.network`` the present weights, and ``run.stop()``
    ends training. What a callback itself keeps is not part of a checkpoint.
    """

    @property
    def wants_every_step(self) -> bool:
        """Whether `on_step_end` is to come after each update, not after some tenths of a second.

        Unless overridden: where the class has one of its own.
        """
        return type(self).on_step_end is not Callback.on_step_end

    def on_train_begin(self, run: Run) -> None:
        """Before the first update, or before the first one after a checkpoint."""

    def on_step_end(self, run: Run) -> None:
        """After every update; ``run.loss`` is that of its batch."""

    def on_epoch_end(self, run: Run) -> None:
        """After every epoch, when its row stands in the history."""

    def on_train_end(self, run: Run) -> None:
        """At the end, however training ended: by an error, too."""
