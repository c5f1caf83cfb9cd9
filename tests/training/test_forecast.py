"""The forecast of a training: its time as measured, its memory by its arrays, said once."""

import io
import math
import re

import pytest
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.training import Forecast, Run, progress

X, Y = two_classes()
BATCH = 8
UPDATES = math.ceil(len(X) / BATCH)  # of an epoch


class Remarks(cp.Callback):
    """Collect what is remarked, after every single update."""

    def on_step_end(self, run: Run) -> None:
        self.found = list(run.remarks)


def forecast(*callbacks: cp.Callback, epochs: int, trainings: int = 1) -> list[str]:
    remarks = Remarks()
    trainer = cp.Trainer(epochs=epochs, batch_size=BATCH, sample_space=False)
    trainer.fit(small_network(), X, Y, callbacks=[Forecast(trainings), *callbacks, remarks])
    return remarks.found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second go by between two looks at the clock: an update takes one."""
    looks = iter(range(10**6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(looks)))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("epochs", "trainings"), [(40, 1), (40, 6), (61, 1)])
def test_time_is_that_of_all_updates_after_the_first(epochs: int, trainings: int) -> None:
    (remark,) = forecast(epochs=epochs, trainings=trainings)
    found = re.search(r"takes about (?:(\d+):)?(\d+):(\d\d), less if it stops early", remark)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    assert hours * 3600 + minutes * 60 + seconds == epochs * UPDATES * trainings - 1


class SlowFirstLook(cp.Callback):
    """Let half an hour go by after the first epoch, as if something were compiled."""

    def __init__(self, tick) -> None:
        self.tick = tick

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch == 1:
            for _ in range(1800):
                self.tick()


def test_the_first_look_at_other_samples_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter(range(10**6))
    tick = lambda: float(next(looks))  # noqa: E731
    monkeypatch.setattr(progress.time, "monotonic", tick)
    remarks = Remarks()
    trainer = cp.Trainer(epochs=100, batch_size=len(X), sample_space=False)
    callbacks = [Forecast(), SlowFirstLook(tick), remarks]
    trainer.fit(small_network(), X, Y, callbacks=callbacks)
    (remark,) = remarks.found
    assert "takes about 1:38" in remark  # 98 further updates of a second each


@pytest.mark.usefixtures("clock")
def test_nothing_is_said_of_a_minute() -> None:
    assert forecast(epochs=60 // UPDATES) == []


def test_nothing_is_said_of_a_quick_one() -> None:
    assert forecast(epochs=50) == []


@pytest.mark.usefixtures("clock")
def test_memory_is_that_of_samples_weights_and_a_batch() -> None:
    (remark,) = forecast(epochs=100)
    net = small_network()
    samples = X.astype(net.dtype).nbytes + net.targets(Y).nbytes
    weights = 5 * net.parameters.data.nbytes  # Adam keeps two moments beside the gradient, the best
    values = 2 * BATCH * sum(math.prod(row.output_shape) for row in net.summary().rows)
    expected = samples + weights + values * net.dtype.itemsize
    assert f"about {expected / 1024:.1f} KiB of memory" in remark


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("moves", [False, True])
def test_it_is_written_once_on_a_line_of_its_own(moves: bool) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: moves
    (remark,) = forecast(cp.ProgressLine(stream), epochs=100)
    lines = re.split(r"[\r\n]+", stream.getvalue())
    assert [line.rstrip() for line in lines].count(remark) == 1
    assert stream.getvalue().count(remark) == 1
