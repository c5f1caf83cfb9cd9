"""A loss that stops being a number: what is said, and what is kept."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from small_training import RecordedRows, Recorder, two_classes

import clearprop as cp
from clearprop.errors import DivergedError

X, Y = two_classes(40)


def values_network(dtype: type = np.float32) -> cp.Network:
    return cp.Network(
        [cp.Dense(8), cp.BatchNorm(), cp.ReLU(), cp.Dense(1)],
        loss=cp.MeanSquaredError(),
        input_shape=(3,),
        dtype=dtype,
    )


@dataclass(frozen=True)
class Jump(cp.Schedule):
    """A good learning rate for some updates, and then one that ends it."""

    good: int
    factor: float

    def __call__(self, step: int) -> float:
        return 1e-3 if step < self.good else 1e-3 * self.factor


class EveryUpdate(cp.Callback):
    """Keeps the weights and the state after every update."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []
        self.states: list[np.ndarray] = []

    def on_step_end(self, run: cp.Run) -> None:
        self.weights.append(run.write_back().parameters.data.copy())
        self.states.append(run.write_back().state.data.copy())


def diverge(net: cp.Network, **settings: object) -> tuple[DivergedError, Recorder]:
    recorder = Recorder()
    trainer = cp.Trainer(**({"optimizer": cp.SGD(1e6), "epochs": 40, "batch_size": 10} | settings))
    with pytest.raises(DivergedError) as caught:
        trainer.fit(net, X, 100 * X[:, 0], callbacks=[recorder])
    return caught.value, recorder


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_epoch_update_and_learning_rate_are_named_and_weights_stay_finite(dtype: type) -> None:
    net = values_network(dtype)
    error, recorder = diverge(net)
    done = len(recorder.losses)
    assert f"in epoch {done // 4 + 1}, update {done + 1}, with a learning rate of 1e+06" in str(
        error
    )
    assert "Try a lower learning rate" in str(error)
    assert np.isfinite(recorder.losses).all()
    assert np.isfinite(net.parameters.data).all()
    assert np.isfinite(net.state.data).all()
    assert isinstance(error.history, cp.History)
    assert error.history.stopped == "diverged"
    assert len(error.history) == done // 4 == len(recorder.weights)


@pytest.mark.parametrize("batch_size", [None, 10])
@pytest.mark.parametrize("good", [1, 6, 49, 50, 130])
@pytest.mark.parametrize("factor", [1e100, 1e160, 1e300])
def test_the_kept_weights_are_those_of_the_update_that_is_named(
    batch_size: int | None, good: int, factor: float
) -> None:
    net = values_network(np.float64)
    updates = EveryUpdate()
    trainer = cp.Trainer(optimizer=cp.SGD(Jump(good, factor)), epochs=200, batch_size=batch_size)
    with pytest.raises(DivergedError) as caught:
        trainer.fit(net, X, 100 * X[:, 0], callbacks=[updates])
    kept = int(re.search(r"the weights after (\d+) updates are kept", str(caught.value))[1])
    assert good / 2 <= kept <= good + 1
    np.testing.assert_array_equal(net.parameters.data, updates.weights[kept - 1])
    np.testing.assert_array_equal(net.state.data, updates.states[kept - 1])
    assert np.isfinite(net.loss_and_gradient(X, 100 * X[:, 0])[0])


def test_early_stopping_gives_its_best_weights_back() -> None:
    net = values_network(np.float64)
    error, recorder = diverge(
        net,
        optimizer=cp.SGD(cp.StepSchedule(1e-3, every=130, factor=1e100)),
        early_stopping=cp.EarlyStopping(40, "loss"),
    )
    best = int(np.argmin(error.history["loss"]))
    assert error.history.best_epoch == best + 1
    np.testing.assert_array_equal(net.parameters.data, recorder.weights[best])


@pytest.mark.parametrize("stopping", [None, cp.EarlyStopping(9, "loss")])
def test_weights_that_the_very_last_update_breaks_are_found(
    stopping: cp.EarlyStopping | None,
) -> None:
    net = values_network()
    first = net.parameters.data.copy()
    error, _ = diverge(
        net, optimizer=cp.SGD(1e38), epochs=1, batch_size=None, early_stopping=stopping
    )
    assert "The weights stopped being finite in epoch 1, update 1, with" in str(error)
    assert "the weights after 0 updates are kept" in str(error)
    assert len(error.history) == 1
    assert error.history.best_epoch is None
    np.testing.assert_array_equal(net.parameters.data, first)


def test_rows_that_turn_out_to_hold_nan_end_training_in_the_same_way() -> None:
    broken = X.copy()
    broken[20, 1] = np.nan
    net = values_network()
    with pytest.raises(DivergedError, match="in epoch 1"):
        cp.Trainer(batch_size=10).fit(net, RecordedRows(broken), X[:, 0])
    assert np.isfinite(net.parameters.data).all()
