"""Ctrl-C: training ends after the update that is under way, and everything is as before."""

import os
import signal
import threading

import numpy as np
import pytest
from small_training import Recorder, small_network, two_classes

import clearprop as cp

X, Y = two_classes(10)


class PressCtrlC(cp.Callback):
    """Sends this process what Ctrl-C sends, after some updates."""

    def __init__(self, *steps: int) -> None:
        self.steps = steps

    def on_step_end(self, run: cp.Run) -> None:
        if run.step in self.steps:
            os.kill(os.getpid(), signal.SIGINT)


class HandlerSeen(cp.Callback):
    handler: object = None

    def on_step_end(self, run: cp.Run) -> None:
        self.handler = signal.getsignal(signal.SIGINT)


@pytest.fixture(autouse=True)
def python_handles_interrupts() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def fit(*callbacks: cp.Callback, net: cp.Network | None = None) -> cp.History:
    net = small_network() if net is None else net
    return cp.Trainer(epochs=4, batch_size=4).fit(net, X, Y, callbacks=callbacks)


@pytest.mark.parametrize(("step", "epochs"), [(2, 0), (5, 1), (6, 2)])
def test_an_interrupt_ends_training_after_the_update(step: int, epochs: int) -> None:
    recorder, net, short = Recorder(), small_network(), small_network()
    history = fit(PressCtrlC(step), recorder, net=net)
    assert history.stopped == "interrupted"
    assert len(recorder.losses) == step
    assert len(history) == epochs
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    cp.Trainer(epochs=4, batch_size=4, max_steps=step).fit(short, X, Y)
    np.testing.assert_array_equal(net.parameters.data, short.parameters.data)


def test_a_second_interrupt_is_not_put_off() -> None:
    class Twice(cp.Callback):
        def on_step_end(self, run: cp.Run) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(Twice())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_is_restored_after_an_error() -> None:
    class Fail(cp.Callback):
        def on_step_end(self, run: cp.Run) -> None:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fit(Fail())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_is_left_in_charge() -> None:
    pressed = []

    def theirs(*_: object) -> None:
        pressed.append(True)

    signal.signal(signal.SIGINT, theirs)
    try:
        seen = HandlerSeen()
        history = fit(PressCtrlC(2), seen)
        assert signal.getsignal(signal.SIGINT) is theirs
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert seen.handler is theirs
    assert pressed == [True]
    assert history.stopped == "finished"


def test_outside_the_main_thread_nothing_is_touched() -> None:
    seen, histories = HandlerSeen(), []
    thread = threading.Thread(target=lambda: histories.append(fit(seen)))
    thread.start()
    thread.join()
    assert histories[0].stopped == "finished"
    assert seen.handler is signal.default_int_handler
