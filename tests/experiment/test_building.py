"""From settings to layers, loss, optimizer and schedule."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.defaults import Extent
from clearprop.experiment.settings import ACTIVATIONS, INITS, SCHEDULES, resolve
from clearprop.optimizers import OPTIMIZERS

TWO = cp.fit_recipe(cp.load_data("moons"))
THREE = cp.fit_recipe(cp.load_data("iris"))
VALUES = cp.fit_recipe(cp.load_data("diabetes"))
PICTURES = cp.fit_recipe(
    cp.Dataset("faces", "pictures", np.zeros((2, 4, 5, 3), np.uint8), np.arange(2), ("a", "b"))
)


def settings(**given: Any) -> Settings:
    return resolve(Settings(data="x", **given), Extent(100, 4, has_test_set=False))


@pytest.mark.parametrize(
    ("recipe", "loss", "outputs"),
    [
        (TWO, cp.BinaryCrossEntropy(), 1),
        (THREE, cp.SoftmaxCrossEntropy(), 3),
        (VALUES, cp.MeanSquaredError(), 1),
    ],
    ids=["two classes", "three classes", "values"],
)
def test_the_target_decides_loss_and_outputs(
    recipe: cp.Preprocessing, loss: cp.Loss, outputs: int
) -> None:
    net = build_network(settings(layers=[3]), recipe)
    assert net.loss == loss
    assert net.output_shape == (outputs,)
    assert net.input_shape == recipe.inputs.input_shape


def test_layers_stand_in_their_order() -> None:
    he = cp.HeNormal()
    assert build_network(settings(layers=[]), TWO).layers == (cp.Dense(1, he),)
    net = build_network(
        settings(layers=[6, 5], batch_norm=True, dropout=0.3, seed=7, dtype="float64"), PICTURES
    )
    block = (cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.3))
    assert net.layers == (
        cp.Flatten(),
        cp.Dense(6, he, bias=False),
        *block,
        cp.Dense(5, he, bias=False),
        *block,
        cp.Dense(1, he),
    )
    assert (net.seed, net.dtype, net.input_shape) == (7, np.float64, (4, 5, 3))


def test_every_activation_has_its_layer() -> None:
    built = {
        name: build_network(settings(layers=[3], activation=name), TWO).layers[1]
        for name in ACTIVATIONS
    }
    assert built == {
        "relu": cp.ReLU(),
        "leaky-relu": cp.LeakyReLU(),
        "elu": cp.ELU(),
        "selu": cp.SELU(),
        "gelu": cp.GELU(),
        "mish": cp.Mish(),
        "softplus": cp.Softplus(),
        "tanh": cp.Tanh(),
        "sigmoid": cp.Sigmoid(),
    }


def test_every_initializer_has_its_class() -> None:
    built = {name: build_network(settings(layers=[], init=name), TWO).layers for name in INITS}
    assert built == {
        "he": (cp.Dense(1, cp.HeNormal()),),
        "he-uniform": (cp.Dense(1, cp.HeUniform()),),
        "glorot": (cp.Dense(1, cp.GlorotNormal()),),
        "glorot-uniform": (cp.Dense(1, cp.GlorotUniform()),),
        "scaled": (cp.Dense(1, cp.Scaled()),),
        "normal": (cp.Dense(1, cp.Normal()),),
        "zeros": (cp.Dense(1, cp.Zeros()),),
    }


def test_every_schedule_ends_with_the_last_update() -> None:
    built = {
        name: build_trainer(
            settings(schedule=name, learning_rate=0.5, epochs=6, batch_size=20), 90
        ).optimizer.learning_rate
        for name in SCHEDULES
    }
    assert built == {  # of 30 updates
        "constant": cp.ConstantSchedule(0.5),
        "step": cp.StepSchedule(0.5, every=10),
        "exponential": cp.ExponentialSchedule(0.5, every=30, factor=0.01),
        "cosine": cp.CosineSchedule(0.5, 30),
        "one-cycle": cp.OneCycleSchedule(0.5, 30),
        "coslog": cp.CosLogSchedule(0.5, 30),
        "warm-up": cp.WarmUp(3, cp.ConstantSchedule(0.5)),
    }


@given(
    schedule=st.sampled_from(sorted(SCHEDULES)),
    epochs=st.integers(1, 5),
    batch_size=st.integers(0, 40),
    samples=st.integers(1, 40),
)
def test_every_rate_lies_between_zero_and_the_one_asked_for(
    schedule: str, epochs: int, batch_size: int, samples: int
) -> None:
    trainer = build_trainer(
        settings(schedule=schedule, learning_rate=0.5, epochs=epochs, batch_size=batch_size),
        samples,
    )
    each = 1 if batch_size == 0 else -(-samples // min(batch_size, samples))
    rates = [trainer.optimizer.rate(step) for step in range(epochs * each)]
    lowest = -1.0 if schedule == "coslog" else 0.0  # which begins at 0
    assert all(lowest < rate <= 0.5 for rate in rates)


@pytest.mark.parametrize("name", [name for name, one in OPTIMIZERS.items() if not one.full_batch])
def test_every_optimizer_gets_its_rate_and_l2(name: str) -> None:
    trainer = build_trainer(
        settings(optimizer=name, learning_rate=0.25, l2=0.5, schedule="constant"), 100
    )
    assert type(trainer.optimizer) is OPTIMIZERS[name]
    assert trainer.optimizer.rate(0) == 0.25
    assert trainer.optimizer.alpha == 0.5


def test_lbfgs_gets_its_l2_and_all_samples() -> None:
    trainer = build_trainer(settings(optimizer="lbfgs", l2=0.5, batch_size=0), 100)
    assert trainer.optimizer == cp.LBFGS(alpha=0.5)
    assert trainer.samples_per_update is None


@pytest.mark.parametrize(
    "unused",
    [
        {"learning_rate": 0.25},
        {"schedule": "constant"},
        {"batch_size": 8},
        {"dropout": 0.1, "batch_norm": True, "clip_norm": 1.0},
    ],
    ids=list,
)
def test_lbfgs_refuses_settings_that_it_has_no_use_for(unused: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"leave {', '.join(unused)} out"):
        settings(optimizer="lbfgs", **unused)


def test_the_rest_of_the_trainer_is_as_asked_for() -> None:
    trainer = build_trainer(
        settings(
            epochs=7, batch_size=500, patience=3, class_weight="balanced", clip_norm=2.0, seed=5
        ),
        100,
    )
    assert (trainer.epochs, trainer.batch_size, trainer.seed) == (7, 100, 5)
    assert trainer.early_stopping == cp.EarlyStopping(3)
    assert (trainer.class_weight, trainer.clip_norm) == ("balanced", 2.0)
    plain = build_trainer(settings(batch_size=0, clip_norm=0.0), 100)
    assert (plain.batch_size, plain.early_stopping) == (None, None)
    assert (plain.class_weight, plain.clip_norm) == (None, None)
