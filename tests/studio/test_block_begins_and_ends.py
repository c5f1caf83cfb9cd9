"""How a live block begins and ends, what it is refused, and how long its page stays."""

import signal
import socket
import sys
from contextlib import closing, suppress
from typing import Any

import numpy as np
import pytest
from asking import SECONDS, Asker, InThread

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.studio import block

pytestmark = pytest.mark.usefixtures("closed")

SIGNALS = [name for name in block._SIGNALS if hasattr(signal, name)]


def test_ctrl_c_goes_on_its_way() -> None:
    with pytest.raises(KeyboardInterrupt), cp.watch(live=True) as live:
        raise KeyboardInterrupt
    assert live._block.state == "stopped"


def test_a_block_that_trains_nothing_says_so() -> None:
    with cp.watch(live=True) as live:
        pass
    live._judging.join(SECONDS)
    assert live._block.verdict["passed"] is None
    assert live._block.verdict["told"].startswith("No training was seen")
    with pytest.raises(UsageError):
        live.report()


def test_a_thread_is_left_from_the_page_by_its_next_log() -> None:
    with cp.watch(live=True) as live:
        live._block.stop()
        live.log(cost=1.0)
        pytest.fail("it goes on")
    assert live._block.state == "stopped"


def test_log_stands_within_the_block() -> None:
    live = cp.watch(live=True)
    with pytest.raises(UsageError, match="within the block"):
        live.log(cost=1.0)
    with live:
        pass
    with pytest.raises(UsageError, match="within the block"):
        live.log(cost=1.0)


def test_a_watch_is_for_one_block_and_none_within_another() -> None:
    with cp.watch(live=True) as live:
        with pytest.raises(UsageError, match="watched already"), cp.watch():
            pass
        with pytest.raises(UsageError, match="watched already"), cp.watch(live=True):
            pass
    with pytest.raises(UsageError, match="a block already"), live:
        pass


def test_a_port_in_use_is_said_before_anything_runs() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"Port {port} is in use"),
            cp.watch(live=True, port=port),
        ):
            pytest.fail("it runs")
    with pytest.raises(UsageError, match="that of the live page"):
        cp.watch(port=port)


def test_a_signal_that_means_something_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = lambda *_: None  # noqa: E731
    name = SIGNALS[0]
    number = getattr(signal, name)
    before = signal.signal(number, mine)
    try:
        with cp.watch(live=True) as live:
            assert signal.getsignal(number) is mine
            assert live._ticks._signal not in (None, number)
        monkeypatch.setattr(block, "_SIGNALS", (name,))
        with cp.watch(live=True) as live:
            assert not live._ticks.can_start
            live.log(cost=1.0)
        assert live._block.lists["cost"] == [1.0]
    finally:
        signal.signal(number, before)


def test_no_look_begins_within_another() -> None:
    looked: list[Any] = []

    def look(frame: Any) -> None:
        looked.append(frame)
        if len(looked) < 3:
            ticks._handle(0, frame)  # as a signal that comes meanwhile

    ticks = block._Ticks(look)
    ticks._handle(0, sys._getframe())
    assert len(looked) == 1
    ticks._handle(0, sys._getframe())
    assert len(looked) == 2


def test_the_page_stays_until_it_is_closed_there() -> None:
    with cp.watch(live=True) as live:
        pass
    waiting = InThread(live.wait)
    assert Asker(live.address).control("close").status == 204
    waiting.result()
    assert live not in block._OPEN
    with pytest.raises(OSError, match="refused"):
        Asker(live.address).get("/")


def test_the_next_block_takes_the_place_of_the_page_before() -> None:
    with cp.watch(live=True) as first:
        pass
    with cp.watch(live=True) as second:
        assert [second] == block._OPEN
        with pytest.raises(OSError, match="refused"):
            Asker(first.address).get("/")


def test_a_page_hears_how_it_has_ended() -> None:
    with cp.watch(live=True) as live:
        events = Asker(live.address).events()
        with suppress(StopIteration):
            events.until(lambda name, _: name == "state")
        live.log(cost=1.0, parameters={"W": np.ones((2, 2))})
    live.close()
    with events:
        told = [data for name, data in events if name == "program"]
    assert told[-1]["state"] == "ended"
    assert [one["name"] for one in told[-1]["arrays"]] == ["W"]
