"""Early stopping: when it ends training, and that the best weights come back."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from small_training import Recorder, small_network, two_classes

import clearprop as cp
from clearprop.errors import UsageError

X, Y = two_classes(20)
X_HELD, Y_HELD = two_classes(60)
Y_HELD = np.roll(Y_HELD, 7)  # what is learned does not help here, so that the best comes early


def overfit(
    stopping: cp.EarlyStopping, epochs: int = 60
) -> tuple[cp.Network, cp.History, Recorder]:
    net, recorder = small_network(cp.Dense(8), cp.BatchNorm(), cp.Tanh()), Recorder()
    trainer = cp.Trainer(
        optimizer=cp.Adam(0.03), epochs=epochs, batch_size=10, early_stopping=stopping, seed=2
    )
    history = trainer.fit(net, X, Y, validation=(X_HELD, Y_HELD), callbacks=[recorder])
    return net, history, recorder


def assert_restored(net: cp.Network, recorder: Recorder, epoch: int) -> None:
    np.testing.assert_array_equal(net.parameters.data, recorder.weights[epoch - 1])
    np.testing.assert_array_equal(net.state.data, recorder.states[epoch - 1])


@pytest.mark.parametrize(
    ("monitor", "best"),
    [
        ("validation_loss", np.argmin),
        ("loss", np.argmin),
        ("validation_accuracy", np.argmax),
        ("accuracy", np.argmax),
    ],
)
@pytest.mark.parametrize("patience", [1, 4])
def test_losses_are_to_fall_and_accuracies_to_rise(
    monitor: str, best: type(np.argmin), patience: int
) -> None:
    net, history, recorder = overfit(cp.EarlyStopping(patience, monitor))
    expected = int(best(history[monitor])) + 1  # the first of equals
    assert history.best_epoch == expected
    assert_restored(net, recorder, expected)
    if history.stopped == "early":
        assert len(history) == expected + patience
    else:
        assert len(history) == 60
        assert len(history) < expected + patience


def test_validation_loss_ends_an_overfitting_run_early() -> None:
    _, history, _ = overfit(cp.EarlyStopping(5))
    assert history.stopped == "early"
    assert 5 < len(history) < 60


def test_min_delta_is_the_least_that_counts_as_better() -> None:
    _, free, _ = overfit(cp.EarlyStopping(60, "loss"))
    delta, patience = 0.04, 10
    best, epoch = free["loss"][0], 1
    for number, loss in enumerate(free["loss"], start=1):
        if best - loss > delta:
            best, epoch = loss, number
        elif number - epoch >= patience:
            break
    stopping = cp.EarlyStopping(patience, "loss", min_delta=delta)
    net, history, recorder = overfit(stopping)
    assert (history.best_epoch, len(history)) == (epoch, number)
    assert number < 60
    _, impatient, _ = overfit(cp.EarlyStopping(patience, "loss"))
    assert len(impatient) > number
    assert_restored(net, recorder, epoch)


def test_the_best_weights_come_back_when_all_epochs_are_done() -> None:
    net, history, recorder = overfit(cp.EarlyStopping(50), epochs=20)
    assert history.stopped == "finished"
    assert len(history) == 20
    assert history.best_epoch == np.argmin(history["validation_loss"]) + 1 < 20
    assert_restored(net, recorder, history.best_epoch)


def test_a_column_that_is_not_measured_is_refused() -> None:
    trainer = cp.Trainer(epochs=1, early_stopping=cp.EarlyStopping())
    with pytest.raises(UsageError, match="'validation_loss', which is not measured"):
        trainer.fit(small_network(), X, Y)


def test_no_patience_is_refused() -> None:
    with pytest.raises(UsageError, match="found 0"):
        cp.EarlyStopping(0)


def test_a_value_that_is_no_number_is_worse_than_any() -> None:
    values = iter([math.nan, 2.0, 1.0, math.nan, 3.0, 4.0])
    run = SimpleNamespace(
        best=None, epoch=0, engine=SimpleNamespace(weights=lambda: None), stop=lambda _: None
    )
    for value in values:
        run.epoch += 1
        run.history = cp.History([{"epoch": run.epoch, "loss": value}])
        cp.EarlyStopping(9, "loss").look(run)  # type: ignore[arg-type]
    assert (run.best.epoch, run.best.value) == (3, 1.0)
