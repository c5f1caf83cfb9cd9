"""Epochs that leave their last batch out, and the last of the best epochs."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_training import RecordedRows, small_network, two_classes

import clearprop as cp
from clearprop.training.samples import steps_per_epoch


@given(
    samples=st.integers(1, 40),
    batch_size=st.integers(1, 45),
    epochs=st.integers(1, 3),
    replacement=st.booleans(),
)
def test_an_epoch_has_whole_batches_only_unless_there_is_but_one(
    samples: int, batch_size: int, epochs: int, replacement: bool
) -> None:
    rows = RecordedRows(np.ones((samples, 2)))
    trainer = cp.Trainer(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=cp.SGD(0.1),
        drop_last=True,
        replacement=replacement,
    )
    history = trainer.fit(small_network(inputs=2), rows, np.zeros(samples, int))
    each = max(samples // batch_size, 1)
    assert steps_per_epoch(samples, batch_size, drop_last=True) == each
    assert history["step"] == [each * epoch for epoch in range(1, epochs + 1)]
    if not replacement:
        assert {len(batch) for batch in rows.asked} == {min(batch_size, samples)}
        for epoch in range(epochs):
            seen = np.concatenate(rows.asked[epoch * each : (epoch + 1) * each])
            assert len(set(seen)) == len(seen)


def test_what_is_left_out_changes_from_epoch_to_epoch() -> None:
    X, y = two_classes(23)
    rows = RecordedRows(X)
    cp.Trainer(epochs=6, batch_size=5, drop_last=True).fit(small_network(), rows, y)
    epochs = [set(np.concatenate(rows.asked[at : at + 4])) for at in range(0, 24, 4)]
    assert {len(seen) for seen in epochs} == {20}
    assert set.union(*epochs) == set(range(23))


def test_a_stop_between_whole_batches_ends_no_epoch_early() -> None:
    """An epoch that was left after its last whole batch is a whole one, and on record."""

    class StopIn(cp.Callback):
        def on_step_end(self, run: cp.Run) -> None:
            if run.step == 4:
                run.stop("interrupted")

    X, y = two_classes(23)
    trainer = cp.Trainer(epochs=6, batch_size=5, drop_last=True)
    history = trainer.fit(small_network(), X, y, callbacks=[StopIn()])
    assert history["epoch"] == [1]


def looked(stopping: cp.EarlyStopping, values: list[float]) -> tuple[int, int | None]:
    """Return the best epoch, and the one that early stopping ended with, if it did."""
    ended: list[int] = []
    run = SimpleNamespace(best=None, epoch=0, engine=SimpleNamespace(weights=lambda: None))
    run.stop = lambda _: ended.append(run.epoch)
    for value in values:
        run.epoch += 1
        run.history = cp.History([{"epoch": run.epoch, stopping.monitor: value}])
        stopping.look(run)  # type: ignore[arg-type]
        if ended:
            break
    return run.best.epoch, ended[0] if ended else None


@given(
    values=st.lists(st.sampled_from([0.5, 0.6, 0.7]), min_size=1, max_size=12),
    monitor=st.sampled_from(["validation_accuracy", "validation_loss"]),
)
def test_the_last_of_the_best_epochs_is_kept_where_that_is_asked_for(
    values: list[float], monitor: str
) -> None:
    best = max(values) if monitor == "validation_accuracy" else min(values)
    epochs = [epoch for epoch, value in enumerate(values, start=1) if value == best]
    assert looked(cp.EarlyStopping(99, monitor, last=True), values) == (epochs[-1], None)
    assert looked(cp.EarlyStopping(99, monitor), values) == (epochs[0], None)


def test_one_that_is_as_good_renews_patience() -> None:
    values = [0.7, 0.6, 0.7, 0.6, 0.6, 0.6]
    assert looked(cp.EarlyStopping(2, "accuracy"), values) == (1, 3)
    assert looked(cp.EarlyStopping(2, "accuracy", last=True), values) == (3, 5)


@pytest.mark.parametrize("last", [False, True])
def test_the_weights_of_that_epoch_come_back(last: bool) -> None:
    X, y = two_classes(30)
    net = small_network()
    kept: list[np.ndarray] = []

    class Keep(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            kept.append(run.engine.weights().parameters.copy())

    trainer = cp.Trainer(
        optimizer=cp.Adam(0.02),
        epochs=30,
        batch_size=8,
        early_stopping=cp.EarlyStopping(30, "validation_accuracy", last=last),
    )
    history = trainer.fit(net, X, y, validation=0.3, callbacks=[Keep()])
    scores = np.array(history["validation_accuracy"])
    best = np.flatnonzero(scores == scores.max()) + 1
    assert len(best) > 1
    assert history.best_epoch == best[-1 if last else 0]
    np.testing.assert_array_equal(net.parameters.data, kept[history.best_epoch - 1])
