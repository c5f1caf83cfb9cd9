"""Several trainings at once are each what they are alone, and Ctrl-C ends them all."""

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.training.together import together

X = np.random.RandomState(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def trained(seed: int, epochs: int = 5, callbacks: Any = ()) -> tuple[bytes, str | None]:
    layers = [cp.Dense(8), cp.ReLU(), cp.Dropout(0.2), cp.Dense(1)]
    network = cp.Network(layers, loss=cp.BinaryCrossEntropy(), input_shape=(4,), seed=seed)
    trainer = cp.Trainer(
        optimizer=cp.Adam(0.01), epochs=epochs, batch_size=16, seed=seed, threads=1
    )
    history = trainer.fit(network, X, Y, callbacks=callbacks)
    return network.parameters.data.tobytes(), history.stopped


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_each_is_what_it_is_alone_in_the_order_asked_for(threads: int | None) -> None:
    jobs = [lambda seed=seed: trained(seed) for seed in range(5)]
    assert together(jobs, threads) == [trained(seed) for seed in range(5)]


def test_nothing_to_do_is_done() -> None:
    assert together([]) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_the_failure_of_a_job_is_raised_and_what_has_not_begun_never_does(threads: int) -> None:
    begun = []

    def fail() -> None:
        begun.append("failing")
        raise ValueError("no such thing")

    def wait() -> None:
        begun.append("late")

    with pytest.raises(ValueError, match="no such thing"):
        together([fail, *[wait] * 40], threads)
    assert begun[0] == "failing"
    assert len(begun) < 41


def test_ctrl_c_stops_those_under_way_after_their_update() -> None:
    class Interrupting(cp.Callback):
        """Press Ctrl-C when both are under way."""

        met = threading.Barrier(2)

        def on_epoch_end(self, run: Any) -> None:
            if run.epoch == 1 and self.met.wait() == 0:
                os.kill(os.getpid(), signal.SIGINT)

    ends = []

    def job(seed: int) -> None:
        ends.append(trained(seed, epochs=10**7, callbacks=[Interrupting()])[1])

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        together([lambda: job(0), lambda: job(1), lambda: job(2)], 2)
    assert ends == ["interrupted"] * 2
    assert signal.getsignal(signal.SIGINT) is before
