"""Where threads can't let each other go first, loops are compiled, and whole steps are not."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.core import kernels
from clearprop.core.kernels import kernel

pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")


def train(network: Any) -> None:
    X = np.random.RandomState(0).randn(40, 4)
    y = (X[:, 0] > 0).astype(int)
    if isinstance(network, cp.Network):
        cp.Trainer(epochs=2).fit(network, X, y)
    else:
        network.partial_fit(X, y, classes=[0, 1])


def networks() -> list[Any]:
    layers = [cp.Dense(3), cp.ReLU(), cp.Dense(2)]
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(4,))
    return [network, cp.MLPClassifier(3, random_state=0)]


@pytest.fixture(autouse=True)
def compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("compiled"))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which loops were asked for, and which whole steps were made."""
    taken: list[Any] = []
    own = kernel.Kernel.twin

    def twin(self: kernel.Kernel, first: Any) -> Any:
        taken.append(self)
        return own(self, first)

    def steps(*_: Any, **__: Any) -> None:
        taken.append("steps")
        raise RuntimeError("not in this test")

    monkeypatch.setattr(kernel.Kernel, "twin", twin)
    monkeypatch.setattr("clearprop.training.step.FusedSteps", steps)
    return taken


@pytest.mark.parametrize("network", networks(), ids=["network", "estimator"])
def test_a_system_that_is_not_posix_compiles_loops_alone(
    network: Any, taken: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearprop.compiled.building.os", SimpleNamespace(name="nt"))
    train(network)  # without a warning
    assert kernels.adapt in taken
    assert "steps" not in taken
    assert kernels.are_compiled()


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
@pytest.mark.parametrize("network", networks(), ids=["network", "estimator"])
def test_a_posix_system_compiles_whole_steps(network: Any, taken: list[Any]) -> None:
    with pytest.warns(RuntimeWarning, match="not in this test"):
        train(network)
    assert "steps" in taken


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
@pytest.mark.parametrize("epochs", [60_000, 4])
def test_a_resumed_run_goes_on_by_compiled_steps(
    epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.random.RandomState(0).randn(40, 4)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)

    class Stop(cp.Callback):
        def __init__(self, epoch: int) -> None:
            self.epoch = epoch

        def on_epoch_end(self, run: cp.Run) -> None:
            if run.epoch == self.epoch:
                run.stop()

    rows = []
    for number, stop in ((60_000, 2), (epochs, 4)):
        monkeypatch.setattr(kernel, "_mode", kernel._Mode("auto"))  # as in a process of its own
        net = networks()[0]
        trainer = cp.Trainer(epochs=number, batch_size=None, sample_space=False)
        history = trainer.fit(
            net, X, X[:, 0] > 0, callbacks=[Stop(stop)], checkpoint=checkpoint, resume=True
        )
        rows.append(len(history))
        assert kernels.are_compiled()
    assert rows == [2, 4]
