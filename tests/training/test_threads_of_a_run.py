"""The number of threads is part of what gives the same bytes: a checkpoint keeps it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpointed_training import content

import clearprop as cp
from clearprop.core import blas as backend
from clearprop.network import Network


def run(path: Path, epochs: int, **settings: Any) -> tuple[Network, list[str]]:
    """Train or go on, and return the network and the remarks."""
    random_state = np.random.RandomState(0)
    X, y = random_state.standard_normal((40, 6)), random_state.randint(0, 2, 40)
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(6,))
    remarks: list[str] = []

    class Listen(cp.Callback):
        def on_train_begin(self, run: cp.Run) -> None:
            remarks.extend(run.remarks)

    cp.Trainer(epochs=epochs, **settings).fit(
        net, X, y, checkpoint=cp.Checkpoint(path), resume=True, callbacks=[Listen()]
    )
    return net, remarks


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in backend._USERS_OWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(backend, "available_cores", lambda: 4)


def test_a_resumed_run_has_as_many_as_before(tmp_path: Path) -> None:
    run(tmp_path / "run", 1, threads=2)
    _, remarks = run(tmp_path / "run", 2)  # of itself it would have one
    assert remarks == []
    assert content(tmp_path / "run")[1]["settings"]["threads"] == 2


@pytest.mark.parametrize("way", ["asked", "environment", "machine"])
def test_where_it_can_t_have_as_many_it_says_so(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "run", 1, threads=3)
    settings = {"threads": 1} if way == "asked" else {}
    if way == "environment":
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if way == "machine":
        monkeypatch.setattr(backend, "available_cores", lambda: 2)
    _, remarks = run(tmp_path / "run", 2, **settings)
    assert remarks == [
        "the checkpoint was made with 3 threads and this run has 1: from here on numbers may "
        "differ in their last digits from those of a whole run"
    ]
    assert content(tmp_path / "run")[1]["settings"]["threads"] == 1
