"""L-BFGS by the training loop: the same numbers as SciPy's, checkpoints, callbacks and Ctrl-C."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from small_training import without_seconds

import clearprop as cp
from clearprop.errors import DivergedError, UsageError


def data(samples: int = 60, features: int = 5) -> tuple[Any, Any]:
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((samples, features))
    return X, (X[:, 0] + 0.3 * random_state.standard_normal(samples) > 0).astype(int)


def network(features: int = 5, *hidden: cp.Layer, dtype: Any = np.float64) -> cp.Network:
    return cp.Network(
        [cp.Dense(4), *(hidden or (cp.Tanh(),)), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(features,),
        dtype=dtype,
    )


def trainer(**changed: Any) -> cp.Trainer:
    return cp.Trainer(**({"optimizer": cp.LBFGS(alpha=0.1), "epochs": 20} | changed))


def test_losses_are_those_of_scipy() -> None:
    (X, y), net, twin = data(), network(), network()
    history = trainer(epochs=8).fit(net, X, y)
    weighed = [name for name in twin.parameters if name.endswith(".W")]

    def function(vector: Any) -> tuple[float, Any]:
        twin.parameters.data[...] = vector
        loss, gradient = twin.loss_and_gradient(X, y)
        for name in weighed:
            loss += 0.1 / 60 / 2 * float(np.square(twin.parameters[name]).sum())
            gradient[name][...] += 0.1 / 60 * twin.parameters[name]
        return loss, gradient.data.copy()

    for epochs in (1, 3, 8):
        found = minimize(
            function,
            network().parameters.data,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": epochs},
        )
        np.testing.assert_allclose(history["loss"][epochs - 1], found.fun, rtol=1e-8)


def test_the_row_of_an_epoch_is_of_the_weights_after_it() -> None:
    (X, y), net = data(), network()
    history = trainer(epochs=4).fit(net, X, y, validation=(X, y))
    assert history.columns == (
        *("epoch", "step", "loss", "accuracy", "validation_loss", "validation_accuracy", "seconds"),
    )
    assert history["accuracy"] == history["validation_accuracy"]
    assert history["accuracy"][-1] == (net.predict(X) == y).mean()
    assert history["step"] == history["epoch"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changed", "stopped"),
    [
        ({}, "finished"),
        ({"epochs": 2000}, "converged"),
        ({"max_steps": 3}, "finished"),
        ({"optimizer": cp.LBFGS(max_evaluations=4)}, "finished"),
        ({"optimizer": cp.LBFGS(tolerance=1e9)}, "converged"),
    ],
)
def test_it_says_why_it_has_ended(changed: dict[str, Any], stopped: str) -> None:
    X, y = data()
    history = trainer(**changed).fit(network(), X, y)
    assert history.stopped == stopped
    assert (len(history) < 5) == (changed not in ({}, {"epochs": 2000}))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("features", [5, 300])
@pytest.mark.parametrize("cut", [1, 3, 12])
def test_a_resumed_run_goes_on_to_the_same_bits(
    dtype: Any, features: int, cut: int, tmp_path: Path
) -> None:
    X, y = data(20, features)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)
    whole, resumed = network(features, dtype=dtype), network(features, dtype=dtype)
    expected = trainer().fit(whole, X, y)
    trainer(epochs=cut).fit(network(features, dtype=dtype), X, y, checkpoint=checkpoint)
    history = trainer().fit(resumed, X, y, checkpoint=checkpoint, resume=True)
    assert resumed.parameters.data.tobytes() == whole.parameters.data.tobytes()
    assert without_seconds(history) == without_seconds(expected)


def test_a_run_that_has_converged_stays_so_when_it_is_resumed(tmp_path: Path) -> None:
    X, y = data()
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors")
    first = trainer(epochs=2000).fit(network(), X, y, checkpoint=checkpoint)
    again = trainer(epochs=3000).fit(network(), X, y, checkpoint=checkpoint, resume=True)
    assert (len(again), again.stopped) == (len(first), "converged")


def test_where_it_is_stuck_the_last_epoch_is_saved(tmp_path: Path) -> None:
    (X, y), path = data(), tmp_path / "run.safetensors"

    class Walled(cp.BinaryCrossEntropy):
        """A loss that has no value from some look on."""

        looks = 0

        def each(self, logits: Any, y: Any) -> Any:
            Walled.looks += 1
            losses, dlogits = super().each(logits, y)
            return (losses if Walled.looks < 12 else losses * np.nan), dlogits

    nets = [
        cp.Network([cp.Dense(4), cp.Tanh(), cp.Dense(1)], loss=Walled(), input_shape=(5,))
        for _ in range(2)
    ]
    checkpoint = cp.Checkpoint(path, every=1000)
    first = trainer().fit(nets[0], X, y, checkpoint=checkpoint)
    assert first.stopped == "stuck"
    assert len(first) > 2
    Walled.looks = 0
    again = trainer().fit(nets[1], X, y, checkpoint=checkpoint, resume=True)
    assert (again.rows, again.stopped) == (first.rows, "stuck")
    assert nets[1].parameters.data.tobytes() == nets[0].parameters.data.tobytes()


@pytest.mark.parametrize("asked", [50, 3])
def test_a_resumed_run_stays_in_the_coordinates_of_the_samples(asked: int, tmp_path: Path) -> None:
    X, y = data(200, 450)  # 50 iterations pay for the coordinates, 3 would not
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)

    class Stop(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            if run.epoch == 2:
                assert run.engine.is_in_sample_space
                run.stop()

    trainer(epochs=50).fit(network(450), X, y, checkpoint=checkpoint, callbacks=[Stop()])
    history = trainer(epochs=asked).fit(network(450), X, y, checkpoint=checkpoint, resume=True)
    assert 3 <= len(history) <= asked


@pytest.mark.parametrize("features", [5, 300])
def test_samples_none_of_which_counts_leave_the_weights_alone(features: int) -> None:
    (X, y), net = data(20, features), network(features)
    before = net.parameters.data.copy()
    history = trainer(optimizer=cp.LBFGS()).fit(net, X, y, sample_weight=np.zeros(20))
    assert (len(history), history.stopped) == (0, "converged")
    np.testing.assert_allclose(net.parameters.data, before, rtol=1e-12)
    trainer(epochs=2).fit(net, X, y, sample_weight=np.zeros(20))  # L2 pulls all the same
    assert np.abs(net.parameters["0.W"]).sum() < np.abs(before[: net.parameters["0.W"].size]).sum()


def test_a_network_without_parameters_has_converged() -> None:
    X, _ = data()
    net = cp.Network([cp.ReLU()], loss=cp.MeanSquaredError(), input_shape=(5,))
    assert trainer().fit(net, X, X).stopped == "converged"


def test_few_samples_of_many_features_take_the_same_steps_for_less() -> None:
    X, y = data(20, 300)
    nets, histories = [network(300), network(300)], []
    for net, choice in zip(nets, ("auto", False), strict=True):
        sizes: list[int] = []

        class Look(cp.Callback):
            def on_train_begin(self, run: cp.Run, sizes: list[int] = sizes) -> None:
                sizes.append(run.engine.parameters.data.size)

        histories.append(trainer(sample_space=choice).fit(net, X, y, callbacks=[Look()]))
        assert (sizes[0] < net.parameters.data.size) == (choice == "auto")
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-9)
    np.testing.assert_allclose(nets[0].parameters.data, nets[1].parameters.data, atol=1e-9)


def test_callbacks_see_the_weights_and_may_stop_it() -> None:
    (X, y), net, seen = data(20, 300), network(300), []

    class Watching(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            seen.append(run.write_back().loss_and_gradient(X, y)[0])
            if run.epoch == 3:
                run.stop()

    history = trainer(optimizer=cp.LBFGS()).fit(net, X, y, callbacks=[Watching()])
    assert history.stopped == "asked"
    np.testing.assert_allclose(seen, history["loss"], rtol=1e-10)


def test_an_interrupt_within_a_search_keeps_the_weights_of_the_last_epoch() -> None:
    X, y = data()

    class Pressing(cp.BinaryCrossEntropy):
        """A loss during which Ctrl-C is pressed twice, so to say, at the 20th look."""

        looks = 0

        def each(self, logits: Any, y: Any) -> Any:
            Pressing.looks += 1
            if Pressing.looks == 20:
                raise KeyboardInterrupt
            return super().each(logits, y)

    net = cp.Network([cp.Dense(4), cp.Tanh(), cp.Dense(1)], loss=Pressing(), input_shape=(5,))
    kept = []

    class Keep(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            kept.append(run.engine.parameters.data.copy())

    with pytest.raises(KeyboardInterrupt):
        trainer().fit(net, X, y, callbacks=[Keep()])
    np.testing.assert_array_equal(net.parameters.data, kept[-1])


def test_single_precision_converges_to_its_own_digits() -> None:
    X, y = data()
    nets = [network(), network(dtype=np.float32)]
    losses = [trainer(epochs=300).fit(net, X, y)["loss"][-1] for net in nets]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


@pytest.mark.parametrize(
    ("changed", "layer", "message"),
    [
        ({"batch_size": 8}, cp.Tanh(), "leave batch_size out"),
        ({"replacement": True}, cp.Tanh(), "leave replacement out"),
        ({"clip_norm": 1.0}, cp.Tanh(), "leave clip_norm out"),
        ({"sample_space": True}, cp.Tanh(), "sample_space='auto'"),
        ({}, cp.Dropout(0.1), "not with Dropout"),
        ({}, cp.Residual((cp.BatchNorm(),)), "not with BatchNorm"),
    ],
)
def test_what_it_can_t_do_is_refused(
    changed: dict[str, Any], layer: cp.Layer, message: str
) -> None:
    X, y = data()
    with pytest.raises(UsageError, match=message):
        trainer(**changed).fit(network(5, layer), X, y)


@pytest.mark.parametrize("given", [{"memory": 0}, {"max_evaluations": 1.5}, {"tolerance": -1.0}])
def test_impossible_parameters_are_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(given))):
        cp.LBFGS(**given)


def test_a_loss_that_is_no_number_from_the_start_is_reported() -> None:
    (X, y), net = data(), network(5, cp.ReLU())
    net.parameters.data[...] = 1e308
    with pytest.raises(DivergedError, match="scaled to about 1") as caught:
        trainer().fit(net, X, y)
    assert caught.value.history.stopped == "diverged"


def test_it_has_no_update_from_one_gradient() -> None:
    X, y = data()
    with pytest.raises(UsageError, match="looks along a line"):
        cp.walk(network(), X, y, optimizer=cp.LBFGS())
