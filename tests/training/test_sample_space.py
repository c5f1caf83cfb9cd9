"""Training in sample space gives what the plain path gives, up to rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import DivergedError, UsageError
from clearprop.network import Network
from clearprop.training.engines import SampleSpaceEngine
from clearprop.training.engines.sample_space import is_cheaper

PUBLISHED = [
    0.771749, 0.672053, 0.648263, 0.611507, 0.567047, 0.540138, 0.527930, 0.465477, 0.369126,
    0.391747, 0.315187, 0.272700, 0.237419, 0.199601, 0.189263, 0.161189, 0.148214, 0.137775,
    0.129740, 0.121225, 0.113821, 0.107839, 0.102855, 0.100897, 0.092878, 0.088440,
]  # fmt: skip


def wide_data(samples: int, features: int, seed: int = 0) -> tuple[Any, Any]:
    random_state = np.random.RandomState(seed)
    X = random_state.standard_normal((samples, features)) / np.sqrt(features)
    return X, random_state.randint(0, 3, samples)


def wide_network(features: int, *middle: cp.Layer, dtype: Any = np.float64) -> Network:
    return Network(
        [cp.Dense(6), *(middle or (cp.Tanh(),)), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(features,),
        seed=2,
        dtype=dtype,
    )


def both_ways(network: Network, X: Any, y: Any, fit: dict[str, Any], **settings: Any) -> Any:
    """Train twice; return networks and histories, the plain ones first."""
    networks = [network, network.copy()]
    histories = [
        cp.Trainer(**settings, sample_space=choice).fit(one, X, y, **fit)
        for one, choice in zip(networks, (False, True), strict=True)
    ]
    return networks, histories


def assert_same(networks: Any, histories: Any, tolerance: float) -> None:
    plain, other = networks
    for vector in ("parameters", "state"):
        np.testing.assert_allclose(
            getattr(other, vector).data,
            getattr(plain, vector).data,
            rtol=tolerance,
            atol=tolerance,
        )
    plainly, otherwise = (history.to_dict() for history in histories)
    assert plainly.keys() == otherwise.keys()
    for column in plainly.keys() - {"seconds"}:
        np.testing.assert_allclose(
            otherwise[column], plainly[column], rtol=tolerance, atol=tolerance, err_msg=column
        )


OPTIMIZERS = st.one_of(
    st.builds(
        kind,
        st.sampled_from([0.01, 0.1, cp.CosineSchedule(0.1, 12)]),
        alpha=st.sampled_from([0.0, 0.5]),
        weight_decay=st.sampled_from([0.0, 0.1]),
    )
    for kind in (cp.SGD, cp.Momentum, cp.Nesterov)
)
MIDDLES = st.sampled_from(
    [
        (cp.Tanh(),),
        (cp.Sigmoid(), cp.LayerNorm()),
        (cp.Softplus(), cp.Dropout(0.3)),
        (cp.Residual((cp.Dense(4), cp.Tanh(), cp.Dense(6))),),
    ]
)


@settings(max_examples=60)
@given(
    optimizer=OPTIMIZERS,
    middle=MIDDLES,
    batch_size=st.sampled_from([None, 1, 4, 5]),
    replacement=st.booleans(),
    clip_norm=st.sampled_from([None, 0.05]),
    class_weight=st.sampled_from([None, "balanced"]),
    weighted=st.booleans(),
    validation=st.sampled_from([None, 0.3]),
    seed=st.integers(0, 1000),
)
def test_random_trainings_are_those_of_the_plain_path(
    optimizer: cp.Optimizer,
    middle: tuple[cp.Layer, ...],
    batch_size: int | None,
    replacement: bool,
    clip_norm: float | None,
    class_weight: str | None,
    weighted: bool,
    validation: float | None,
    seed: int,
) -> None:
    X, y = wide_data(13, 40, seed)
    X[3], X[:, 5] = X[4], 1.0  # a sample twice, and a constant feature
    fit = {
        "validation": validation,
        "sample_weight": np.random.RandomState(seed).random_sample(13) if weighted else None,
    }
    networks, histories = both_ways(
        wide_network(40, *middle),
        X,
        y,
        fit,
        optimizer=optimizer,
        epochs=4,
        batch_size=batch_size,
        replacement=replacement,
        clip_norm=clip_norm,
        class_weight=class_weight,
        seed=seed,
    )
    # A training that diverges, as one sample a step may, blows up rounding with everything else.
    exploded = not max(histories[0]["loss"]) < _EXPLODED
    assert_same(networks, histories, 1e-5 if exploded else 1e-9)


_EXPLODED = 1e3  # of a loss that begins near 1


def test_a_smooth_network_stays_the_same_over_2500_iterations() -> None:
    X, y = wide_data(20, 300)
    networks, histories = both_ways(
        wide_network(300), X, y, {}, optimizer=cp.SGD(0.1), epochs=2500, batch_size=None
    )
    assert_same(networks, histories, 1e-9)


def test_values_are_learned_too() -> None:
    X, _ = wide_data(20, 50)
    network = Network([cp.Dense(4), cp.Tanh(), cp.Dense(2)], loss=cp.MeanSquaredError(),
                      input_shape=(50,))  # fmt: skip
    networks, histories = both_ways(
        network, X, X[:, :2], {"validation": 0.2}, optimizer=cp.Momentum(0.05), epochs=10
    )
    assert_same(networks, histories, 1e-10)


def test_float32_follows_the_plain_path_to_its_own_precision() -> None:
    X, y = wide_data(20, 500)
    networks, histories = both_ways(
        wide_network(500, dtype=np.float32), X, y, {}, optimizer=cp.SGD(0.1), epochs=200,
        batch_size=None,
    )  # fmt: skip
    assert_same(networks, histories, 2e-5)
    assert networks[1].parameters.data.dtype == np.float32


def test_float32_is_nearer_to_float64_in_sample_space_than_plainly() -> None:
    X, y = wide_data(20, 500)
    X += 1  # what all samples share is where single precision loses what sets them apart
    trained = {
        (choice, dtype): cp.Trainer(
            optimizer=cp.Momentum(0.01), epochs=100, batch_size=None, sample_space=choice
        ).fit(wide_network(500, dtype=dtype), X, y)["loss"][-1]
        for choice in (True, False)
        for dtype in (np.float32, np.float64)
    }
    exact = trained[False, np.float64]
    assert abs(trained[True, np.float32] - exact) <= abs(trained[False, np.float32] - exact)


def test_the_published_costs_come_back(shared_data: Path) -> None:
    train = cp.load_data(shared_data / "catvnoncat").take(np.arange(209))
    X = train.X.reshape(209, -1) / 255
    y = np.array([train.class_names[index] == "cat" for index in train.y])
    layers: list[cp.Layer] = [cp.Dense(20, cp.Scaled())]
    for units in (7, 5, 1):
        layers += [cp.ReLU(), cp.Dense(units, cp.Scaled())]
    network = Network(layers, loss=cp.BinaryCrossEntropy(), input_shape=(12288,), seed=1)
    trainer = cp.Trainer(optimizer=cp.SGD(0.0075), epochs=2500, batch_size=None)
    costs = trainer.fit(network, X, y)["loss"]
    assert np.round([*costs[::100], costs[-1]], 6).tolist() == PUBLISHED
    assert (network.predict(X) == y).mean().round(4) == 0.9856


class TestChoosing:
    def fit(self, network: Network, X: Any, y: Any, **settings: Any) -> list[str]:
        remarks: list[str] = []

        class Listen(cp.Callback):
            def on_train_begin(self, run: cp.Run) -> None:
                remarks.extend(run.remarks)

        settings = {"optimizer": cp.SGD(), "epochs": 200, "batch_size": None} | settings
        cp.Trainer(**settings).fit(network, X, y, callbacks=[Listen()])
        return remarks

    def test_few_samples_of_many_features_are_trained_in_sample_space(self) -> None:
        X, y = wide_data(10, 600)
        assert self.fit(wide_network(600), X, y) == [
            "training in sample space: 60 times fewer operations in the first layer, same result"
        ]

    def test_many_samples_of_few_features_are_not(self) -> None:
        X, y = wide_data(60, 50)
        assert self.fit(wide_network(50), X, y) == []

    def test_nor_is_what_would_not_be_exact(self) -> None:
        X, y = wide_data(10, 600)
        assert self.fit(wide_network(600), X, y, optimizer=cp.Adam()) == []

    @pytest.mark.parametrize(
        ("layers", "optimizer", "reason"),
        [
            ([cp.Dense(3)], cp.Adam(), "updates of Adam are not linear"),
            ([cp.Dropout(0.1), cp.Dense(3)], cp.SGD(), "Dropout lies below the first Dense"),
            ([cp.BatchNorm()], cp.SGD(), "BatchNorm lies below the first Dense"),
        ],
    )
    def test_asking_for_what_is_not_exact_says_why(
        self, layers: list[cp.Layer], optimizer: cp.Optimizer, reason: str
    ) -> None:
        X, y = wide_data(10, 3)
        network = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
        trainer = cp.Trainer(optimizer=optimizer, sample_space=True)
        with pytest.raises(UsageError, match=f"would not be exact, because .*{reason}"):
            trainer.fit(network, X, y)

    def test_numbers_whose_squares_overflow_are_left_to_the_plain_path(self) -> None:
        X, y = wide_data(10, 600)
        X[0, 0] = 1e150
        assert self.fit(wide_network(600, cp.Sigmoid()), X, y, epochs=60) == []
        with pytest.raises(UsageError, match=r"as large as 1e\+150 overflow"):
            cp.Trainer(optimizer=cp.SGD(), sample_space=True).fit(wide_network(600), X, y)

    def test_an_optimizer_of_ones_own_is_not_taken_for_its_base(self) -> None:
        class Sign(cp.SGD):
            pass

        X, y = wide_data(10, 600)
        assert self.fit(wide_network(600), X, y, optimizer=Sign()) == []

    def test_a_matrix_larger_than_memory_says_what_it_needs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("clearprop.training.plan.fits", lambda *_: False)
        X, y = wide_data(10, 20)
        with pytest.raises(UsageError, match="needs a matrix of 800 B, more than half"):
            cp.Trainer(optimizer=cp.SGD(), sample_space=True).fit(wide_network(20), X, y)

    def test_a_large_matrix_is_never_made_unasked(self) -> None:
        assert is_cheaper(10**6, 20, 11_000, 0, 11_000, 1000)
        assert not is_cheaper(10**6, 20, 12_000, 0, 12_000, 1000)

    def test_a_wrong_choice_is_refused(self) -> None:
        with pytest.raises(UsageError, match="sample_space"):
            cp.Trainer(sample_space="yes")  # type: ignore[arg-type]


def test_callbacks_see_ordinary_weights() -> None:
    X, y = wide_data(10, 300)
    plain = wide_network(300)
    seen: dict[bool, list[Any]] = {True: [], False: []}
    for choice, found in seen.items():

        class Look(cp.Callback):
            def on_epoch_end(self, run: cp.Run, found: list[Any] = found) -> None:
                found.append(run.write_back().parameters["0.W"].copy())

        trainer = cp.Trainer(
            optimizer=cp.Momentum(0.1), epochs=3, batch_size=4, sample_space=choice
        )
        trainer.fit(plain.copy(), X, y, callbacks=[Look()])
    np.testing.assert_allclose(seen[True], seen[False], rtol=1e-10, atol=1e-12)


def test_early_stopping_restores_the_same_weights() -> None:
    X, y = wide_data(30, 300)
    networks, histories = both_ways(
        wide_network(300), X, y, {"validation": 0.3}, optimizer=cp.Momentum(0.3), epochs=60,
        batch_size=None, early_stopping=cp.EarlyStopping(patience=5),
    )  # fmt: skip
    assert histories[0].best_epoch == histories[1].best_epoch
    assert histories[0].stopped == histories[1].stopped == "early"
    assert_same(networks, histories, 1e-9)


def test_divergence_is_reported_as_in_the_plain_path() -> None:
    X, y = wide_data(10, 300)
    messages = []
    for choice in (False, True):
        trainer = cp.Trainer(
            optimizer=cp.SGD(1e200), epochs=9, batch_size=None, sample_space=choice
        )
        network = wide_network(300, cp.ReLU())
        with pytest.raises(DivergedError) as caught:
            trainer.fit(network, X * 1e100, y)
        assert np.isfinite(network.parameters.data).all()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_a_resumed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    X, y = wide_data(12, 300)
    settings: dict[str, Any] = {"optimizer": cp.Nesterov(0.05, alpha=0.1), "batch_size": 5}
    whole, network = wide_network(300), wide_network(300)
    cp.Trainer(**settings, epochs=9, sample_space=True).fit(whole, X, y, validation=0.25)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)
    for epochs in (4, 9):
        cp.Trainer(**settings, epochs=epochs, sample_space=True).fit(
            network, X, y, validation=0.25, checkpoint=checkpoint, resume=True
        )
        network = wide_network(300) if epochs == 4 else network
        network.parameters.data[...] += epochs == 4  # the checkpoint's weights count, not these
    assert network.parameters.data.tobytes() == whole.parameters.data.tobytes()


def test_resuming_for_longer_does_not_change_the_way(tmp_path: Path) -> None:
    X, y = wide_data(12, 100)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)
    ways = []

    class Look(cp.Callback):
        def on_train_begin(self, run: cp.Run) -> None:
            ways.append(isinstance(run.engine, SampleSpaceEngine))

    for epochs in (1, 400):
        cp.Trainer(optimizer=cp.SGD(), epochs=epochs, batch_size=None).fit(
            wide_network(100), X, y, checkpoint=checkpoint, resume=True, callbacks=[Look()]
        )
    assert ways == [False, False]


@pytest.mark.parametrize("optimizer", [cp.SGD(0.1), cp.LBFGS()])
def test_a_kind_of_dense_layer_of_ones_own_is_trained_as_it_is(optimizer: cp.Optimizer) -> None:
    class Turned(cp.Dense):
        """A Dense layer with the sign turned."""

        def forward(self, params: Any, x: Any, trace: Any) -> Any:
            return -super().forward(params, x, trace)

        def backward(self, params: Any, dy: Any, trace: Any, grads: Any) -> Any:
            return super().backward(params, -dy, trace, grads)

    X = np.random.RandomState(0).standard_normal((20, 300))
    nets = [
        cp.Network(
            [Turned(4), cp.Tanh(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(300,)
        )
        for _ in range(2)
    ]
    for net, choice in zip(nets, ("auto", False), strict=True):
        trainer = cp.Trainer(
            optimizer=optimizer,
            epochs=100 if optimizer.is_linear else 5,
            batch_size=None,
            sample_space=choice,
        )
        trainer.fit(net, X, X[:, 0] > 0)
    np.testing.assert_array_equal(nets[0].parameters.data, nets[1].parameters.data)
