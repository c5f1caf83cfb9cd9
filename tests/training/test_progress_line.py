"""The progress line: about ten lines in a file, one that moves on a terminal."""

import io
import re
from itertools import pairwise

import pytest
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.training import progress

X, Y = two_classes()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look at the clock take 50 seconds."""
    looks = iter(range(10**6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: 50.0 * next(looks))


def shown(stream: io.StringIO, epochs: int, **fit: object) -> str:
    trainer = cp.Trainer(epochs=epochs, batch_size=8)
    trainer.fit(small_network(), X, Y, callbacks=[cp.ProgressLine(stream)], **fit)
    return stream.getvalue()


@pytest.mark.parametrize(("epochs", "lines"), [(1, 1), (4, 4), (10, 10), (40, 10), (47, 11)])
def test_a_file_gets_about_ten_lines(epochs: int, lines: int) -> None:
    text = shown(io.StringIO(), epochs)
    assert text.count("\n") == lines
    assert "\r" not in text


@pytest.mark.usefixtures("clock")
def test_a_line_has_epoch_loss_score_and_time_left() -> None:
    first, last = shown(io.StringIO(), 2, validation=0.3).splitlines()
    number = r"\d\.\d{4}"
    reached = rf"loss {number}  accuracy {number}  validation loss {number}  validation accuracy"
    assert re.fullmatch(rf"epoch 1/2  {reached} {number}  0:50 left", first)
    assert re.fullmatch(rf"epoch 2/2  {reached} {number}", last)


@pytest.mark.usefixtures("clock")
def test_on_a_terminal_one_line_moves() -> None:
    text = shown(Terminal(), 3)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    *_, last = text.rstrip("\n").split("\r")
    assert last.startswith("epoch 3/3  loss ")
    assert re.search(r"\repoch 0/3  loss \d\.\d{4}  \d", text)  # within the first epoch
    lines = text.rstrip("\n").split("\r")[1:]
    for before, after in pairwise(lines):  # nothing of the one before is left to be seen
        assert len(after) >= len(before.rstrip())


@pytest.mark.usefixtures("clock")
def test_hours_are_written_where_there_are_any() -> None:
    assert re.search(r"  \d+:\d\d:\d\d left", shown(Terminal(), 100))


def test_it_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    cp.Trainer(epochs=1).fit(small_network(), X, Y, callbacks=[cp.ProgressLine()])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("epoch 1/1  loss ")
