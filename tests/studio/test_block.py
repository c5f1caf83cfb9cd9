"""``with cp.watch(live=True):`` shows a block of one's own program, and changes nothing in it."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from asking import SECONDS, Asker, InThread

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.studio import block
from clearprop.studio.block import LiveWatch
from clearprop.studio.program_messages import Seen

pytestmark = pytest.mark.usefixtures("closed")

RATE = 0.1


class Net:
    """A network as a learner writes one."""

    def __init__(self, slope: Callable[[Any], Any] = lambda a: 1 - a**2) -> None:
        rng = np.random.default_rng(3)
        self.X, self.Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
        self.W1, self.W2 = rng.normal(size=(4, 5)), rng.normal(size=(5, 2))
        self.b1 = np.zeros(5)
        self.slope = slope
        self.costs: list[float] = []

    def step(self) -> None:
        A1 = np.tanh(self.X @ self.W1 + self.b1)
        error = A1 @ self.W2 - self.Y
        cost = np.mean(error**2)
        self.costs.append(cost)
        dZ2 = 2 * error / error.size
        self.dW2 = A1.T @ dZ2
        dZ1 = dZ2 @ self.W2.T * self.slope(A1)
        self.dW1, self.db1 = self.X.T @ dZ1, dZ1.sum(axis=0)
        self.W1 -= RATE * self.dW1
        self.b1 -= RATE * self.db1
        self.W2 -= RATE * self.dW2


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Callable[[LiveWatch], None]:
    """Let the test say when it is looked: nothing happens by the clock."""
    monkeypatch.setattr(block._Ticks, "start", lambda _: None)
    monkeypatch.setattr(block, "_RECORDED", (0.0,))
    monkeypatch.setattr("clearprop.studio.program_looking.INTERVAL", 0.0)
    monkeypatch.setattr("clearprop.studio.program_looking._REST", 0.0)

    def look(live: LiveWatch) -> None:
        frame = sys._getframe(1)
        live._tick(frame)

    return look


def roles_known(live: LiveWatch) -> None:
    assert live._are_roles_known.wait(SECONDS)


def shown(live: LiveWatch) -> dict[str, Seen]:
    return live._block.arrays


def numbers(one: Seen) -> Any:
    return np.frombuffer(one.numbers, "<f4").reshape(one.rows, one.columns)


def trained(steps: int) -> Net:
    net = Net()
    for _ in range(steps):
        net.step()
    return net


def same(net: Net, other: Net) -> None:
    for name in ("W1", "b1", "W2"):
        assert type(getattr(net, name)) is np.ndarray
        assert np.array_equal(getattr(net, name), getattr(other, name))
    assert net.costs == other.costs


def test_a_block_is_shown_and_checked_and_computes_the_same_bits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    net = Net()
    with cp.watch(live=True) as live:
        for _ in range(400):
            net.step()
    same(net, trained(400))
    assert f"Live page: {live.address}\n" in capsys.readouterr().err
    assert live.report().passed
    state = Asker(live.address).get("/state").json()
    program = state["program"]
    assert program["state"] == "ended"
    assert program["name"] == "test_block.py"
    assert program["verdict"]["passed"] is True
    assert {row["parameter"] for row in program["verdict"]["rows"]} == {"W1", "b1", "W2"}
    assert program["lists"]["net.costs"]["values"] == net.costs
    for name in ("W1", "b1", "W2"):
        one = shown(live)[f"net.{name}"]
        left = np.atleast_2d(getattr(net, name))
        assert one.role == "parameter"
        assert np.array_equal(numbers(one), left.astype(np.float32))
        assert shown(live)[f"net.d{name}"].of == f"net.{name}"


def test_what_is_wrong_is_said_with_its_line() -> None:
    net = Net(lambda a: 1 - a)
    with cp.watch(live=True) as live:
        for _ in range(5):
            net.step()
    assert {row.parameter for row in live.report().wrong} == {"W1", "b1"}
    live._judging.join(SECONDS)
    verdict = live._block.verdict
    assert verdict["passed"] is False
    assert verdict["line"]["number"] > 0


def test_the_first_updates_alone_are_recorded(by_hand: Callable[[LiveWatch], None]) -> None:
    net = Net()
    with cp.watch(live=True) as live:
        assert type(net.W1) is Watched
        for _ in range(4):
            net.step()
        by_hand(live)
        assert type(net.W1) is np.ndarray  # from here on it computes as fast as ever
        assert type(np).__name__ == "module"
        by_hand(live)
        roles_known(live)
        recorded = len(live._watch.tape)
        for _ in range(4):
            net.step()
        assert len(live._watch.tape) in (0, recorded)
    same(net, trained(8))


def test_an_update_and_what_lies_in_functions_are_seen(
    by_hand: Callable[[LiveWatch], None],
) -> None:
    net, shares = Net(), []
    with cp.watch(live=True) as live:
        for _ in range(4):
            net.step()
        by_hand(live)
        by_hand(live)
        roles_known(live)
        for _ in range(20):
            before = net.W1.copy()
            by_hand(live)
            net.step()
            shares.append(np.linalg.norm(net.W1 - before) / np.linalg.norm(before))
    ratios = [row["ratios"]["net.W1"] for row in live._block.rows if "net.W1" in row["ratios"]]
    assert ratios
    assert all(np.isclose(shares, one, rtol=1e-9).any() for one in ratios)
    assert shown(live)["net.A1"].role == "activation"
    assert shown(live)["net.A1"].shape == (30, 5)
    assert any(row["cost"] in net.costs for row in live._block.rows)
    same(net, trained(24))


def test_the_variables_of_a_function_are_its_own_again() -> None:
    def train() -> tuple[Any, Any, LiveWatch]:
        rng = np.random.default_rng(3)
        X, Y, W = rng.normal(size=(30, 4)), rng.normal(size=(30, 2)), np.zeros((4, 2))
        with cp.watch(live=True) as live:
            for _ in range(20):
                error = X @ W - Y
                cost = np.mean(error**2)
                dW = 2 * X.T @ error / error.size
                W -= 0.1 * dW
        assert cost == np.mean(error**2)
        return W, dW, live

    W, dW, live = train()
    assert type(W) is type(dW) is np.ndarray
    assert live.report().passed
    assert np.array_equal(numbers(shown(live)["W"]), W.astype(np.float32))
    assert (shown(live)["dW"].role, shown(live)["dW"].of) == ("gradient", "W")


def test_the_block_is_left_from_the_page_and_the_program_goes_on() -> None:
    net, asked = Net(), threading.Event()
    opened: list[LiveWatch] = []

    def stop() -> int:
        assert asked.wait(SECONDS)
        return Asker(opened[0].address).control("stop").status

    asking = InThread(stop)
    with cp.watch(live=True) as live:
        opened.append(live)
        while asking.error is None:
            net.step()
            asked.set()
    assert asking.result() == 204
    assert live._block.state == "stopped"
    assert type(net.W1) is np.ndarray
    assert net.costs == trained(len(net.costs)).costs  # left within the step that came last


def test_an_error_is_shown_and_goes_on_its_way() -> None:
    net = Net()

    def fail() -> None:
        net.step()
        net.X @ net.W2

    with pytest.raises(ValueError, match="mismatch"), cp.watch(live=True) as live:
        fail()
    assert live._block.state == "failed"
    assert "Two arrays that don't fit are multiplied" in live._block.why
    assert 'test_block.py", line' in live._block.why
    same(net, trained(1))


def test_what_is_logged_is_shown_in_the_place_of_what_is_found() -> None:
    net = Net()
    with cp.watch(live=True) as live:
        for _ in range(30):
            net.step()
            live.log(
                cost=net.costs[-1],
                parameters={"first": net.W1, "second": net.W2},
                gradients={"first": net.dW1, "dsecond": net.dW2},
            )
    same(net, trained(30))
    arrays = shown(live)
    assert {name: (one.role, one.of) for name, one in arrays.items()} == {
        "first": ("parameter", None),
        "second": ("parameter", None),
        "gradient of first": ("gradient", "first"),
        "dsecond": ("gradient", "second"),
    }
    assert live._block.lists["cost"] == net.costs
    assert live.report().passed


def test_in_another_thread_it_shows_what_is_logged() -> None:
    def work() -> tuple[Net, LiveWatch]:
        net = Net()
        with cp.watch(live=True) as live:
            for _ in range(3):
                net.step()
                assert type(net.W1) is np.ndarray
                live.log(cost=net.costs[-1], parameters={"W1": net.W1})
        return net, live

    net, live = InThread(work).result()
    same(net, trained(3))
    assert [*shown(live)] == ["W1"]
    assert live._block.state == "ended"
    assert "main thread" in live._block.verdict["told"]
    with pytest.raises(UsageError, match="There is no report"):
        live.report()


def test_a_debugger_keeps_its_lines(by_hand: Callable[[LiveWatch], None]) -> None:
    net, lines = Net(), 0

    def trace(frame: Any, *_: Any) -> Any:
        nonlocal lines
        lines += frame.f_code is Net.step.__code__
        return trace

    before = sys.gettrace()
    with cp.watch(live=True) as live:
        for _ in range(4):
            net.step()
        by_hand(live)
        by_hand(live)
        roles_known(live)
        sys.settrace(trace)
        try:
            for _ in range(5):
                by_hand(live)
                net.step()
            assert sys.gettrace() == trace
        finally:
            sys.settrace(before)
    assert lines > 5 * 10


def test_lines_are_followed_no_longer_than_the_block() -> None:
    before, net = sys.gettrace(), Net()
    with cp.watch(live=True):
        for _ in range(300):
            net.step()
    assert sys.gettrace() is before
    assert sys._getframe().f_trace is None


def test_whatever_fails_in_looking_is_none_of_the_program_s_business(
    by_hand: Callable[[LiveWatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = Net()

    def fail(*_: Any) -> None:
        raise RuntimeError("of its own")

    with cp.watch(live=True) as live:
        net.step()
        by_hand(live)
        by_hand(live)
        roles_known(live)
        with monkeypatch.context() as patch:
            patch.setattr("clearprop.studio.program_looking.Looker.tick", fail)
            by_hand(live)
        net.step()
    same(net, trained(2))
    assert live._block.note == "It can't be looked at any more: of its own"


class Odd:
    """An object that can't be looked into at first."""

    asked = -1

    def __getattribute__(self, name: str) -> Any:
        if name == "__dict__" and Odd.asked == 0:
            Odd.asked += 1
            raise RuntimeError("not for you")
        return object.__getattribute__(self, name)


def test_an_object_that_fails_when_it_is_looked_into_ends_the_looking_alone(
    by_hand: Callable[[LiveWatch], None],
) -> None:
    net = Net()
    with cp.watch(live=True) as live:
        net.step()
        by_hand(live)
        by_hand(live)
        roles_known(live)
        live._judging.join(SECONDS)  # which looks into what lies there, too
        odd, Odd.asked = Odd(), 0
        by_hand(live)
        assert Odd.asked == 1
        net.step()
    assert odd is not None
    same(net, trained(2))
    assert live._block.note == "It can't be looked at any more: not for you"


def test_no_line_is_followed_where_arrays_are_logged(by_hand: Callable[[LiveWatch], None]) -> None:
    before, net = sys.gettrace(), Net()
    with cp.watch(live=True) as live:
        for _ in range(4):
            net.step()
        by_hand(live)
        by_hand(live)
        roles_known(live)
        by_hand(live)
        assert sys.gettrace() not in (None, before)
        live.log(cost=1.0)
        assert sys.gettrace() is before
