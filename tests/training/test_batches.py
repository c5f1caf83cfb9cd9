"""Which samples each update sees, and that it does to them what is written by hand here."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss
from small_training import RecordedRows, Recorder, small_network, two_classes

import clearprop as cp
from clearprop.errors import DataError, ShapeError, UsageError

X, Y = two_classes()


def test_full_batches_equal_logistic_regression_by_hand() -> None:
    rate, beta = 0.3, 0.9
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(3,), seed=4)
    W, b = net.parameters["0.W"][:, 0].copy(), net.parameters["0.b"][0]
    trainer = cp.Trainer(optimizer=cp.Momentum(rate, beta), epochs=7, batch_size=None)
    history = trainer.fit(net, X, Y)

    velocity_W, velocity_b = np.zeros(3), 0.0
    losses, accuracies = [], []
    for _ in range(7):
        p = 1 / (1 + np.exp(-(X @ W + b)))
        losses.append(-np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p)))
        accuracies.append(np.mean((p > 0.5) == Y))
        velocity_W = beta * velocity_W + X.T @ (p - Y) / len(Y)
        velocity_b = beta * velocity_b + np.mean(p - Y)
        W = W - rate * velocity_W
        b = b - rate * velocity_b
    np.testing.assert_allclose(net.parameters["0.W"][:, 0], W, rtol=1e-12)
    np.testing.assert_allclose(net.parameters["0.b"], [b], rtol=1e-12)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    assert history["accuracy"] == accuracies
    assert history["epoch"] == history["step"] == [1, 2, 3, 4, 5, 6, 7]
    assert history["learning_rate"] == [rate] * 7
    assert history.stopped == "finished"
    assert history["seconds"] == sorted(history["seconds"])


@given(samples=st.integers(1, 40), batch_size=st.integers(1, 45), epochs=st.integers(1, 3))
def test_shuffled_batches_show_every_sample_once_an_epoch(
    samples: int, batch_size: int, epochs: int
) -> None:
    rows = RecordedRows(np.ones((samples, 2)))
    net = small_network(inputs=2)
    trainer = cp.Trainer(epochs=epochs, batch_size=batch_size, optimizer=cp.SGD(0.1))
    history = trainer.fit(net, rows, np.zeros(samples, int))
    each = -(-samples // batch_size)
    assert history["step"] == [each * epoch for epoch in range(1, epochs + 1)]
    for epoch in range(epochs):
        asked = rows.asked[epoch * each : (epoch + 1) * each]
        assert sorted(chain(*asked)) == list(range(samples))
        assert [len(batch) for batch in asked[:-1]] == [batch_size] * (each - 1)


def test_every_epoch_has_another_order_and_every_seed_its_own() -> None:
    def orders(seed: int) -> list[tuple[int, ...]]:
        rows = RecordedRows(X)
        trainer = cp.Trainer(epochs=2, batch_size=8, seed=seed)
        trainer.fit(small_network(), rows, Y)
        return [tuple(chain(*rows.asked[:3])), tuple(chain(*rows.asked[3:]))]

    first = orders(0)
    assert first == orders(0)
    assert len({*first, *orders(1), tuple(range(len(X)))}) == 5


def test_full_batches_are_all_samples_in_order() -> None:
    rows = RecordedRows(X)
    cp.Trainer(epochs=2, batch_size=None).fit(small_network(), rows, Y)
    assert rows.asked == [list(range(len(X)))] * 2


def test_replacement_draws_every_batch_from_all_samples() -> None:
    rows = RecordedRows(X)
    history = cp.Trainer(epochs=20, batch_size=7, replacement=True).fit(small_network(), rows, Y)
    assert history["step"][-1] == 20 * 4
    assert {len(batch) for batch in rows.asked} == {7}
    everyone = set(range(len(X)))
    epochs = [set(chain(*rows.asked[start : start + 4])) for start in range(0, 80, 4)]
    assert set.union(*epochs) == everyone
    assert all(epoch != everyone for epoch in epochs)  # 28 draws out of 23
    assert any(len(set(batch)) < 7 for batch in rows.asked)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_minibatches_equal_a_loop_over_the_same_rows(replacement: bool, weighted: bool) -> None:
    rows, recorder = RecordedRows(X), Recorder()
    weights = np.linspace(0, 2, len(X)) if weighted else None
    trainer = cp.Trainer(
        optimizer=cp.SGD(0.2), epochs=3, batch_size=5, replacement=replacement, seed=3
    )
    net, twin = small_network(), small_network()
    history = trainer.fit(net, rows, Y, sample_weight=weights, callbacks=[recorder])
    losses = []
    for batch in rows.asked:
        weight = None if weights is None else weights[batch]
        loss, gradient = twin.loss_and_gradient(X[batch], Y[batch], weight)
        twin.parameters.data[...] -= 0.2 * gradient.data
        losses.append(loss)
    np.testing.assert_allclose(net.parameters.data, twin.parameters.data, rtol=1e-11)
    np.testing.assert_allclose(recorder.losses, losses, rtol=1e-11)
    sizes = [len(batch) for batch in rows.asked]
    each = len(sizes) // 3
    means = [
        np.average(losses[start : start + each], weights=sizes[start : start + each])
        for start in range(0, len(sizes), each)
    ]
    np.testing.assert_allclose(history["loss"], means, rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_prepared_when_asked_for_train_as_an_array(dtype: type) -> None:
    whole, asked = small_network(dtype=dtype), small_network(dtype=dtype)
    cp.Trainer(epochs=2, batch_size=4).fit(whole, X, Y)
    cp.Trainer(epochs=2, batch_size=4).fit(asked, RecordedRows(X), Y)
    # An array may be trained on by compiled steps, which are the same up to rounding.
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(whole.parameters.data, asked.parameters.data, rtol=tolerance)


def test_running_statistics_follow_every_batch() -> None:
    rows = RecordedRows(X)
    net = small_network(cp.BatchNorm(momentum=0.3), cp.Dense(4), cp.Tanh())
    cp.Trainer(epochs=3, batch_size=6).fit(net, rows, Y)
    mean, variance = np.zeros(3), np.ones(3)
    for batch in rows.asked:
        mean = 0.7 * mean + 0.3 * X[batch].mean(axis=0)
        variance = 0.7 * variance + 0.3 * X[batch].var(axis=0, ddof=1)
    np.testing.assert_allclose(net.state["0.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(net.state["0.running_variance"], variance, rtol=1e-12)


def test_max_steps_ends_training_within_an_epoch() -> None:
    rows, recorder = RecordedRows(X), Recorder()
    history = cp.Trainer(epochs=9, batch_size=10, max_steps=5).fit(
        small_network(), rows, Y, callbacks=[recorder]
    )
    assert [len(batch) for batch in rows.asked] == [10, 10, 3, 10, 10]
    assert history["step"] == [3, 5]
    assert history.stopped == "finished"
    np.testing.assert_allclose(history["loss"][-1], np.mean(recorder.losses[3:]))


def test_a_validation_share_is_drawn_at_random_and_never_trained_on() -> None:
    rows = RecordedRows(X)
    net = small_network()
    history = cp.Trainer(epochs=2, batch_size=5).fit(net, rows, Y, validation=0.3)
    kept, held = rows.asked
    assert len(held) == 7  # of 23
    assert sorted(kept + held) == list(range(23))
    assert kept == sorted(kept)
    assert held == sorted(held)
    assert held != list(range(23))[-7:]
    assert history["step"] == [4, 8]  # 16 samples in batches of 5
    twin = small_network()
    cp.Trainer(epochs=2, batch_size=5, seed=8).fit(
        twin, others := RecordedRows(X), Y, validation=0.3
    )
    assert others.asked[1] != held


def test_validation_columns_are_measured_with_the_weights_after_the_epoch() -> None:
    net = small_network(cp.Dense(5), cp.ReLU(), cp.Dropout(0.5))
    X_held, y_held = two_classes(40)
    history = cp.Trainer(epochs=3, batch_size=5).fit(net, X, Y, validation=(X_held, y_held))
    assert history.columns == (
        "epoch",
        "step",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    )
    assert history["validation_loss"][-1] == pytest.approx(
        log_loss(y_held, net.predict_proba(X_held))
    )
    assert history["validation_accuracy"][-1] == accuracy_score(y_held, net.predict(X_held))


@pytest.mark.parametrize("share", [0, 1, 0.01, 0.99, -0.5, 7, float("nan")])
def test_a_share_that_leaves_one_side_empty_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="validation share"):
        cp.Trainer().fit(small_network(), X, Y, validation=share)


@pytest.mark.parametrize("found", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_by_row_and_column(found: float) -> None:
    broken = X.copy()
    broken[17, 2] = found
    with pytest.raises(DataError, match=f"sample 17 has {found} at feature 2"):
        cp.Trainer().fit(small_network(), broken, Y)
    with pytest.raises(DataError, match="sample 17"):
        cp.Trainer().fit(small_network(), X, Y, validation=(broken, Y))


def test_infinities_that_cancel_are_found_and_huge_numbers_are_none() -> None:
    broken = X.copy()
    broken[3, 0], broken[4, 0] = np.inf, -np.inf
    with pytest.raises(DataError, match="sample 3 has inf at feature 0"):
        cp.Trainer().fit(small_network(), broken, Y)
    huge = np.full((2, 3), 1e308)  # their sum is infinite
    cp.Trainer(optimizer=cp.SGD(0.0), epochs=1).fit(
        cp.Network([cp.Dense(1, cp.Zeros())], loss=cp.BinaryCrossEntropy(), input_shape=(3,)),
        huge,
        [0, 1],
    )


class FrameLike:
    """A table that, like a data frame, has a shape, but whose index takes columns."""

    shape = X.shape

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return X

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, column: object) -> object:
        raise KeyError(column)


def test_data_frames_train_as_their_arrays_do() -> None:
    net, twin = small_network(), small_network()
    cp.Trainer(epochs=1).fit(net, FrameLike(), Y.tolist())
    cp.Trainer(epochs=1).fit(twin, X, Y)
    np.testing.assert_array_equal(net.parameters.data, twin.parameters.data)


def test_samples_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="X has 23 samples and y has 22"):
        cp.Trainer().fit(small_network(), X, Y[1:])
    with pytest.raises(ShapeError, match=r"\(N, 3\)"):
        cp.Trainer().fit(small_network(), X[:, :2], Y)
    with pytest.raises(ShapeError, match=r"\(N, 3\)"):
        cp.Trainer().fit(small_network(), RecordedRows(X[:, :2]), Y)
    with pytest.raises(DataError, match="no samples"):
        cp.Trainer().fit(small_network(), X[:0], Y[:0])


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"optimizer": "adam"},
        {"epochs": 2.5},
        {"batch_size": 0},
        {"batch_size": "32"},
        {"max_steps": 0},
        {"clip_norm": 0},
        {"clip_norm": float("nan")},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, object]) -> None:
    [(name, value)] = settings.items()
    with pytest.raises(UsageError, match=f"{name} .*found {value!r}"):
        cp.Trainer(**settings)
