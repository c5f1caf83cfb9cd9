"""Defaults that depend on the data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.experiment import Settings
from clearprop.experiment.settings import Extent, resolve


def resolved(
    samples: int = 1000, features: int = 4, *, has_test_set: bool = False, **given: Any
) -> Settings:
    return resolve(Settings(data="x", **given), Extent(samples, features, has_test_set))


@pytest.mark.parametrize(
    ("samples", "features", "layers"),
    [
        (9_999, 63, (64, 32)),
        (10_000, 63, (64, 32)),
        (9_999, 64, (256, 128)),
        (10_000, 64, (512, 256)),
    ],
)
def test_many_features_and_many_samples_get_wider_layers(
    samples: int, features: int, layers: tuple[int, ...]
) -> None:
    assert resolved(samples, features=features).layers == layers


def test_dropout_comes_with_layers_that_nobody_chose() -> None:
    assert resolved().dropout == 0.2
    assert resolved(layers=(5,)).dropout == resolved(layers=()).dropout == 0
    assert resolved(layers=(5,), dropout=0.3).dropout == 0.3
    assert resolved(dropout=0.0).dropout == 0


@pytest.mark.parametrize(("samples", "batch_size"), [(9_999, 32), (10_000, 128)])
def test_many_samples_get_larger_batches(samples: int, batch_size: int) -> None:
    assert resolved(samples).batch_size == batch_size


@pytest.mark.parametrize(
    ("samples", "batch_size", "epochs"),
    [
        (1_437, None, 133),  # 45 updates an epoch
        (60_000, None, 13),  # 469
        (20, None, 200),  # 1, and so as many as there may be
        (10**6, None, 10),  # 7813, and so as few
        (1_000, 100, 200),
        (6_400, 64, 60),
        (1_000, 0, 6_000),  # full batches
    ],
)
def test_there_are_epochs_for_about_6000_updates(
    samples: int, batch_size: int | None, epochs: int
) -> None:
    assert resolved(samples, batch_size=batch_size).epochs == epochs


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        *((name, "he") for name in ("relu", "leaky-relu", "elu", "gelu", "softplus")),
        *((name, "glorot") for name in ("tanh", "sigmoid")),
    ],
)
def test_initial_weights_suit_the_activation(activation: str, init: str) -> None:
    assert resolved(activation=activation).init == init
    assert resolved(activation=activation, init="scaled").init == "scaled"


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        ("adam", 0.002),
        ("adamw", 0.002),
        ("rmsprop", 0.001),
        ("adagrad", 0.02),
        ("sgd", 0.1),
        ("momentum", 0.02),
        ("nesterov", 0.02),
    ],
)
def test_the_learning_rate_suits_the_optimizer(optimizer: str, rate: float) -> None:
    assert resolved(optimizer=optimizer).learning_rate == rate
    assert resolved(optimizer=optimizer, learning_rate=0.5).learning_rate == 0.5


@pytest.mark.parametrize(
    ("features", "rate"), [(1_000, 0.002), (4_000, 0.001), (12_288, 0.002 * (1000 / 12_288) ** 0.5)]
)
def test_very_many_features_lower_the_learning_rate(features: int, rate: float) -> None:
    assert resolved(features=features).learning_rate == pytest.approx(rate)
    assert resolved(features=features, learning_rate=0.002).learning_rate == 0.002


def test_less_is_held_out_beside_a_test_set() -> None:
    assert resolved().validation == "0.2"
    assert resolved(has_test_set=True).validation == "0.1"
    assert resolved(has_test_set=True, validation="0").validation == "0"


def test_nothing_is_held_out_where_samples_to_validate_with_came_along() -> None:
    extent = Extent(1000, 4, has_test_set=True, has_validation_set=True)
    assert resolve(Settings(data="x"), extent).validation is None
    assert resolve(Settings(data="x", validation="0.3"), extent).validation == "0.3"


@given(
    samples=st.integers(1, 10**7),
    features=st.integers(1, 10**6),
    has_test_set=st.booleans(),
    given=st.fixed_dictionaries(
        {},
        optional={
            "layers": st.sampled_from([(), (3,), (7, 5)]),
            "batch_size": st.integers(0, 10**4),
            "epochs": st.integers(1, 10**4),
            "activation": st.sampled_from(["relu", "tanh"]),
            "optimizer": st.sampled_from(["adam", "momentum"]),
            "dropout": st.sampled_from([0.0, 0.5]),
            "validation": st.just("0.3"),
            "seed": st.integers(0, 9),
        },
    ),
)
def test_what_is_given_stays_and_what_is_resolved_resolves_to_itself(
    samples: int, features: int, has_test_set: bool, given: dict[str, Any]
) -> None:
    settings = resolved(samples, features, has_test_set=has_test_set, **given)
    for name, value in given.items():
        assert getattr(settings, name) == value
    for name in ("layers", "dropout", "batch_size", "epochs", "init", "learning_rate"):
        assert getattr(settings, name) is not None
    assert resolve(settings, Extent(samples, features, has_test_set)) == settings
