"""Dropout whose rate is a schedule: each update has its own, resumed, and beside compiled steps."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_training import small_network, two_classes, without_seconds

import clearprop as cp
from clearprop.compiled import is_chain
from clearprop.core.kernels import kernel
from clearprop.errors import UsageError

X, Y = two_classes(40)
RATE = cp.StepSchedule(0.6, every=8, factor=0.5)


@dataclass(frozen=True, eq=False)
class Noting(cp.Dropout):
    """Dropout that notes the largest factor of every pass of training."""

    noted: list[float] = field(default_factory=list)

    def forward(self, params: Any, x: Any, trace: cp.Trace) -> Any:
        y = super().forward(params, x, trace)
        if trace.training:
            self.noted.append(float(trace["m"].max()))
        return y


@pytest.mark.parametrize("inside", [False, True])
def test_every_update_drops_by_the_rate_of_its_step(inside: bool) -> None:
    dropout = Noting(RATE)
    layer = cp.Sequential((cp.Tanh(), dropout)) if inside else dropout
    cp.Trainer(epochs=4, batch_size=8).fit(small_network(cp.Dense(30), layer), X, Y)
    rates = np.array([RATE(step) for step in range(20)])
    np.testing.assert_allclose(dropout.noted, 1 / (1 - rates), rtol=1e-4)


def test_the_share_that_is_dropped_is_the_rate() -> None:
    layer, x = cp.Dropout(cp.FlatCosineSchedule(0.5, steps=10)), np.ones((100, 200))
    for step, rate in ((0, 0.5), (5, 0.5), (8, 0.5 * (1 + np.cos(0.6 * np.pi)) / 2), (10, 0.0)):
        trace = cp.Trace(training=True, random_state=np.random.RandomState(0))
        trace.step = step
        y = layer.forward({}, x, trace)
        assert np.mean(y == 0) == pytest.approx(rate, abs=0.01)
        np.testing.assert_allclose(y.max(), 1 / (1 - rate), rtol=1e-4)


def test_a_constant_schedule_is_the_number_to_the_last_bit() -> None:
    nets = []
    for rate in (0.3, cp.ConstantSchedule(0.3)):
        nets.append(small_network(cp.Dense(6), cp.Tanh(), cp.Dropout(rate)))
        cp.Trainer(epochs=3, batch_size=8).fit(nets[-1], X, Y)
    np.testing.assert_array_equal(nets[0].parameters.data, nets[1].parameters.data)


@pytest.mark.parametrize("stop_after", [1, 7, 12])
def test_a_resumed_run_goes_on_to_the_same_bits(tmp_path: Path, stop_after: int) -> None:
    class StopIn(cp.Callback):
        def on_step_end(self, run: cp.Run) -> None:
            if run.step == stop_after:
                run.stop("interrupted")

    def run(path: Path, *, resume: bool = False, callbacks: list[cp.Callback] | None = None):
        net = small_network(cp.Dense(6), cp.Tanh(), cp.Dropout(RATE))
        trainer = cp.Trainer(
            optimizer=cp.AdamW(0.05, weight_decay=cp.FlatCosineSchedule(0.3, steps=20)),
            epochs=4,
            batch_size=7,
            drop_last=True,
            early_stopping=cp.EarlyStopping(4, "accuracy", last=True),
        )
        history = trainer.fit(
            net, X, Y, checkpoint=cp.Checkpoint(path, 0), resume=resume, callbacks=callbacks or []
        )
        return net, history

    net, history = run(tmp_path / "whole")
    run(tmp_path / "cut", callbacks=[StopIn()])
    resumed, told = run(tmp_path / "cut", resume=True)
    np.testing.assert_array_equal(resumed.parameters.data, net.parameters.data)
    assert without_seconds(told) == without_seconds(history)
    assert told.best_epoch == history.best_epoch


def test_compiled_steps_leave_it_to_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    net = small_network(cp.Dense(6), cp.Tanh(), cp.Dense(4), cp.ReLU(), cp.Dropout(RATE))
    number = small_network(cp.Dense(6), cp.Tanh(), cp.Dense(4), cp.ReLU(), cp.Dropout(0.3))
    assert is_chain(number, number.loss, cp.Adam())
    assert not is_chain(net, net.loss, cp.Adam())
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    found = []
    for mode in ("numpy", "compiled"):
        monkeypatch.setattr(kernel, "_mode", kernel._Mode(mode))
        twin = net.copy()
        cp.Trainer(epochs=3, batch_size=8).fit(twin, X, Y)
        found.append(twin.parameters.data)
    np.testing.assert_array_equal(*found)


def test_a_network_with_it_is_saved_and_comes_back(tmp_path: Path) -> None:
    net = small_network(cp.Dense(6), cp.Tanh(), cp.Dropout(RATE))
    cp.save(tmp_path / "model.safetensors", net)
    assert cp.load(tmp_path / "model.safetensors").network.layers == net.layers


def test_a_rate_of_one_or_more_is_refused_when_it_comes() -> None:
    with pytest.raises(UsageError, match=r"found 1\.5 after 0 updates"):
        cp.Dropout(cp.ConstantSchedule(1.5))
    late = cp.Dropout(cp.WarmUp(4, cp.ConstantSchedule(1.0)))
    with pytest.raises(UsageError, match=r"found 1\.0 after 3 updates"):
        late.rate_at(3)
