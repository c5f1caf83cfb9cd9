"""When callbacks are called, what they see, and how they end training."""

import numpy as np
import pytest
from small_training import Recorder, small_network, two_classes

import clearprop as cp
from clearprop.errors import DivergedError

X, Y = two_classes(10)


class Diary(cp.Callback):
    """Writes down every call in a list that several diaries share."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines

    def on_train_begin(self, run: cp.Run) -> None:
        self.lines.append(f"{self.name} begin {run.step}")

    def on_step_end(self, run: cp.Run) -> None:
        assert np.isfinite(run.loss)
        self.lines.append(f"{self.name} step {run.step}")

    def on_epoch_end(self, run: cp.Run) -> None:
        assert run.history["epoch"][-1] == run.epoch == len(run.history)
        self.lines.append(f"{self.name} epoch {run.epoch}")

    def on_train_end(self, run: cp.Run) -> None:
        self.lines.append(f"{self.name} end {run.history.stopped}")


class StopAt(cp.Callback):
    """Asks for the end after a number of updates or epochs."""

    def __init__(self, *, step: int | None = None, epoch: int | None = None) -> None:
        self.step, self.epoch = step, epoch

    def on_step_end(self, run: cp.Run) -> None:
        if run.step == self.step:
            run.stop()

    def on_epoch_end(self, run: cp.Run) -> None:
        if run.epoch == self.epoch:
            run.stop()


class Fail(cp.Callback):
    def on_epoch_end(self, run: cp.Run) -> None:
        raise KeyError("mine")


def test_callbacks_are_called_in_order() -> None:
    lines: list[str] = []
    cp.Trainer(epochs=2, batch_size=5).fit(
        small_network(), X, Y, callbacks=[Diary("a", lines), Diary("b", lines)]
    )
    events = [
        *("begin 0", "step 1", "step 2", "epoch 1", "step 3", "step 4", "epoch 2"),
        "end finished",
    ]
    assert lines == [f"{name} {event}" for event in events for name in "ab"]


def test_one_that_overrides_nothing_changes_nothing() -> None:
    net, twin = small_network(), small_network()
    cp.Trainer(epochs=2).fit(net, X, Y, callbacks=[cp.Callback()])
    cp.Trainer(epochs=2).fit(twin, X, Y)
    np.testing.assert_array_equal(net.parameters.data, twin.parameters.data)


@pytest.mark.parametrize(
    ("at", "steps", "epochs"),
    [
        ({"step": 1}, 1, 0),  # within the first epoch, which is not put on record
        ({"step": 4}, 4, 1),
        ({"step": 6}, 6, 2),  # with the last batch of the second epoch
        ({"epoch": 2}, 6, 2),
    ],
    ids=str,
)
def test_stop_ends_training_after_the_update(at: dict[str, int], steps: int, epochs: int) -> None:
    recorder = Recorder()
    history = cp.Trainer(epochs=5, batch_size=4).fit(
        small_network(), X, Y, callbacks=[StopAt(**at), recorder]
    )
    assert len(recorder.losses) == steps
    assert len(history) == len(recorder.weights) == epochs
    assert history.stopped == "asked"


def test_a_stopped_run_has_the_weights_of_its_last_update() -> None:
    stopped, short = small_network(), small_network()
    cp.Trainer(epochs=5, batch_size=4).fit(stopped, X, Y, callbacks=[StopAt(step=4)])
    cp.Trainer(epochs=5, batch_size=4, max_steps=4).fit(short, X, Y)
    np.testing.assert_array_equal(stopped.parameters.data, short.parameters.data)


def test_the_end_is_told_after_an_error_too() -> None:
    lines: list[str] = []
    with pytest.raises(KeyError, match="mine"):
        cp.Trainer(epochs=2).fit(small_network(), X, Y, callbacks=[Diary("a", lines), Fail()])
    assert lines[-1] == "a end None"
    with pytest.raises(DivergedError):
        cp.Trainer(optimizer=cp.SGD(1e200), epochs=9).fit(
            cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(3,)),
            1e3 * X,
            X[:, 0],
            callbacks=[Diary("b", lines)],
        )
    assert lines[-1] == "b end diverged"
