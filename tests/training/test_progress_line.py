"""The progress line: lines by time in a file, one that moves on a terminal."""

import io
import re
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.training import progress
from clearprop.training.together import together

X, Y = two_classes()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes by so many seconds with every look at it."""

    def __init__(self, tick: float) -> None:
        self.tick, self.now = tick, 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def tick(seconds: float) -> None:
        monkeypatch.setattr(progress.time, "monotonic", Clock(seconds))

    return tick


def shown(stream: io.StringIO, epochs: int, **fit: object) -> str:
    trainer = cp.Trainer(epochs=epochs, batch_size=8)
    trainer.fit(small_network(), X, Y, callbacks=[cp.ProgressLine(stream)], **fit)
    return stream.getvalue()


def test_a_file_gets_the_end_of_a_short_training(clock: Callable[[float], None]) -> None:
    clock(0.0)
    for epochs in (1, 40):
        text = shown(io.StringIO(), epochs)
        assert re.fullmatch(rf"epoch {epochs}/{epochs}  loss \S+  accuracy \S+\n", text)


@pytest.mark.slow
def test_a_file_gets_lines_by_time_at_pauses_that_grow(clock: Callable[[float], None]) -> None:
    times = []

    class File(io.StringIO):
        def write(self, text: str) -> int:
            times.append(progress.time.monotonic.now)
            return super().write(text)

    clock(0.04)
    text = shown(File(), 2500)
    assert "\r" not in text
    pauses = [after - before for before, after in pairwise([0.0, *times])]
    assert len(pauses) > 8
    for pause, wanted in zip(pauses, [2, 4, 8, 16, 30, 30, 30, 30], strict=False):
        assert pause == pytest.approx(wanted, abs=0.1)


def test_a_line_comes_within_a_long_epoch_too(clock: Callable[[float], None]) -> None:
    clock(1.0)
    text = shown(io.StringIO(), 1)
    assert text.startswith("epoch 0/1  ")
    assert re.match(r"epoch 0/1  0:\d\d left  loss \d\.\d{4}\n", text)


def test_a_line_has_epoch_time_left_loss_and_scores(clock: Callable[[float], None]) -> None:
    clock(50.0)
    lines = shown(io.StringIO(), 2, validation=0.3).splitlines()
    number = r"\d\.\d{4}"
    reached = rf"loss {number}  accuracy {number}  validation loss {number}  validation accuracy"
    first = next(line for line in lines if line.startswith("epoch 1/2"))
    assert re.fullmatch(rf"epoch 1/2  \d+:\d\d left  {reached} {number}", first)
    assert re.fullmatch(rf"epoch 2/2  {reached} {number}", lines[-1])


def moved(text: str) -> list[str]:
    """Return the pictures of a moving line."""
    return text.rstrip("\n").split("\r")[1:]


def test_on_a_terminal_one_line_moves(clock: Callable[[float], None]) -> None:
    clock(50.0)
    text = shown(Terminal(), 3)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    lines = moved(text)
    assert lines[-1].startswith("epoch 3/3  loss ")
    assert re.match(r"epoch 0/3  \d\d?:\d\d left  loss \d\.\d{4}$", lines[0])  # within the first
    for before, after in pairwise(lines):  # nothing of the one before is left to be seen
        assert len(after) >= len(before.rstrip())


@pytest.mark.parametrize("columns", [20, 45, 80])
def test_it_is_never_broken_on_a_narrow_terminal(
    clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    clock(1.0)
    lines = moved(shown(Terminal(), 3, validation=0.3))
    assert all(len(line) < columns for line in lines)
    assert lines[-1].startswith("epoch 3/3")
    for line in lines:  # what has no room is left out whole
        assert re.fullmatch(r"epoch \d/3(  0:\d\d left)?(  [a-z ]+ \d\.\d{4})* *", line)


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "\r" not in shown(Terminal(), 2)


def test_several_trainings_are_one_progress(clock: Callable[[float], None]) -> None:
    at = {}  # the time and the time left of the last line of each

    class Watched(Terminal):
        def write(self, text: str) -> int:
            if found := re.match(r"\r([^,]+), .* (\d+):(\d\d) left", text):
                at[found[1]] = progress.time.monotonic.now, 60 * int(found[2]) + int(found[3])
            return super().write(text)

    clock(1.0)
    stream = Watched()
    line = cp.ProgressLine(stream, labels=["fold 1 of 2", "fold 2 of 2", "all samples"])
    for epochs in (20, 20, 10):
        cp.Trainer(epochs=epochs).fit(small_network(), X, Y, callbacks=[line])
    text = stream.getvalue()
    assert text.count("\n") == 1
    lines = moved(text)
    labels = [line.partition(",")[0] for line in lines]
    assert list(dict.fromkeys(labels)) == ["fold 1 of 2", "fold 2 of 2", "all samples"]
    assert re.match(r"all samples, epoch 10/10  loss", lines[-1])
    passed, left = at["fold 1 of 2"]
    assert left == pytest.approx(2 * passed, rel=0.2)
    passed, left = at["fold 2 of 2"]
    assert left == pytest.approx(passed / 2, rel=0.2)


def test_trainings_at_once_are_one_progress_too() -> None:
    stream = Terminal()
    line = cp.ProgressLine(stream, labels=["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"])
    met = threading.Barrier(2)

    class Meet(cp.Callback):
        def on_train_begin(self, run: cp.Run) -> None:
            met.wait()

    def train(*others: cp.Callback) -> None:
        cp.Trainer(epochs=30, threads=1).fit(small_network(), X, Y, callbacks=[line, *others])

    together([lambda: train(Meet()), lambda: train(Meet()), train], 2)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert re.match(r"fold \d of 3, epoch 30/30  loss", moved(text)[-1])


def test_a_training_of_several_that_is_interrupted_leaves_its_line() -> None:
    class Stop(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            run.stop("interrupted")

    stream = Terminal()
    line = cp.ProgressLine(stream, labels=["fold 1 of 2", "fold 2 of 2"])
    cp.Trainer(epochs=3).fit(small_network(), X, Y, callbacks=[line, Stop()])
    assert stream.getvalue().endswith("\n")
    assert moved(stream.getvalue())[-1].startswith("fold 1 of 2, epoch 1/3")


def test_hours_are_written_where_there_are_any(clock: Callable[[float], None]) -> None:
    clock(50.0)
    assert re.search(r"  \d+:\d\d:\d\d left", shown(Terminal(), 100))


def test_it_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    cp.Trainer(epochs=1).fit(small_network(), X, Y, callbacks=[cp.ProgressLine()])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("epoch 1/1  loss ")


class TestWaiting:
    def test_says_what_takes_long_and_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(progress, "_STILL", 0.0)
        seen = threading.Event()

        class Watched(Terminal):
            def write(self, text: str) -> int:
                seen.set()
                return super().write(text)

        stream = Watched()
        with progress.waiting("Read\x1bing", stream):
            assert seen.wait(60)
        *shown, blank, rest = stream.getvalue().split("\r")
        assert shown[1] == r"Read\x1bing, 0:00"
        assert (blank.strip(), rest) == ("", "")
        assert len(blank) == len(shown[1])

    @pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
    def test_says_nothing_of_what_is_done_at_once(self, stream: io.StringIO) -> None:
        with progress.waiting("Reading", stream):
            pass
        assert stream.getvalue() == ""

    def test_ends_with_what_is_raised(self) -> None:
        before = threading.active_count()
        with pytest.raises(KeyboardInterrupt), progress.waiting("Reading", Terminal()):
            raise KeyboardInterrupt
        assert threading.active_count() == before

    def test_goes_without_where_there_are_no_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        with progress.waiting("Reading", Terminal()):
            done = True
        assert done
