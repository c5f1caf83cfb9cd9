"""A run that is stopped, or whose data change, between two checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.errors import UsageError

X, Y = two_classes(40)


class StopAt(cp.Callback):
    """Ends training after so many updates."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, run: cp.Run) -> None:
        if run.step == self.step:
            run.stop()


def trainer(epochs: int = 6) -> cp.Trainer:
    return cp.Trainer(optimizer=cp.Adam(0.01), epochs=epochs, batch_size=10)


@pytest.mark.parametrize("step", [5, 8, 11, 23])
def test_a_stop_within_an_epoch_writes_the_end_of_the_last_one(tmp_path: Path, step: int) -> None:
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=1e9)
    stopped = trainer().fit(small_network(), X, Y, checkpoint=checkpoint, callbacks=[StopAt(step)])
    assert len(stopped) == step // 4
    steps: list[int] = []

    class Look(cp.Callback):
        def on_train_begin(self, run: cp.Run) -> None:
            steps.append(run.step)

    whole, resumed = small_network(), small_network()
    trainer().fit(whole, X, Y)
    trainer().fit(resumed, X, Y, checkpoint=checkpoint, resume=True, callbacks=[Look()])
    assert steps == [step // 4 * 4]
    assert resumed.parameters.data.tobytes() == whole.parameters.data.tobytes()


def test_a_stop_within_the_first_epoch_writes_nothing(tmp_path: Path) -> None:
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors")
    trainer().fit(small_network(), X, Y, checkpoint=checkpoint, callbacks=[StopAt(3)])
    assert not checkpoint.exists()


@pytest.mark.parametrize("changed", ["X", "y", "weights"])
def test_data_that_changed_are_not_gone_on_with(tmp_path: Path, changed: str) -> None:
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors")
    data: dict[str, Any] = {"X": X.copy(), "y": Y.copy(), "weights": np.ones(len(Y))}

    def fit(epochs: int) -> None:
        trainer(epochs).fit(
            small_network(),
            data["X"],
            data["y"],
            sample_weight=data["weights"],
            checkpoint=checkpoint,
            resume=True,
        )

    fit(2)
    fit(3)
    data[changed][7] = 1 - data[changed][7]
    with pytest.raises(UsageError, match="was made with data = "):
        fit(4)
