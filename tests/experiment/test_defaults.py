"""Defaults that depend on the data."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.errors import UsageError
from clearprop.experiment import Settings
from clearprop.experiment.defaults import Extent
from clearprop.experiment.settings import resolve


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
    ("samples", "epochs"),
    [
        (1_322, 143),  # as of other data: 42 updates an epoch
        (54_000, 9),  # for about 4000 updates, each of more pictures
        (10**6, 5),
    ],
)
def test_many_pictures_are_seen_less_often(samples: int, epochs: int) -> None:
    extent = Extent(samples, 784, has_test_set=False, shape=(28, 28))
    assert resolve(Settings(data="x"), extent).epochs == epochs


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


def parts(settings: Settings) -> tuple[int | None, str | None, str | None]:
    return settings.folds, settings.test, settings.validation


@pytest.mark.parametrize(
    ("samples", "features", "expected"),
    [
        (1_999, 999, (5, None, None)),
        (2_000, 999, (0, "0.2", "0.2")),
        (1_999, 1_000, (0, "0.2", "0.2")),  # pictures would take five times as long
        (9_999, 4, (0, "0.2", "0.2")),
        (10_000, 4, (0, "0.2", "0.1")),
    ],
)
def test_few_samples_are_dealt_out_to_folds_and_of_more_two_parts_are_held_out(
    samples: int, features: int, expected: tuple[int, str | None, str | None]
) -> None:
    assert parts(resolved(samples, features)) == expected


@pytest.mark.parametrize(
    "said", [{"validation": "0.3"}, {"patience": 7}, {"group": "patient"}, {"time": "day"}], ids=str
)
def test_what_folds_have_no_use_for_leaves_them_out(said: dict[str, Any]) -> None:
    expected = {"folds": 0, "test": "0.2", "validation": "0.2"} | said
    found = resolved(**said)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("came", "given", "expected"),
    [
        ("test", {}, (5, None, None)),
        ("test", {"folds": 0}, (0, None, "0.2")),
        ("test", {"folds": 0, "validation": "0"}, (0, None, "0")),
        ("validation", {}, (5, None, None)),  # those give the score
        ("validation", {"folds": 0}, (0, None, "0.2")),
        ("validation", {"validation": "0.3"}, (0, None, "0.3")),
        ("validation", {"test": "0.3"}, (0, "0.3", None)),  # those choose
        ("validation", {"test": "0"}, (0, "0", None)),
        ("both", {}, (0, None, None)),
        ("both", {"validation": "0.3"}, (0, None, "0.3")),
        ("both", {"folds": 3}, (3, None, None)),
    ],
    ids=str,
)
def test_what_came_along_is_not_held_out_again(
    came: str, given: dict[str, Any], expected: tuple[int, str | None, str | None]
) -> None:
    extent = Extent(1000, 4, has_test_set=came != "validation", has_validation_set=came != "test")
    found = resolve(Settings(data="x", **given), extent)
    assert parts(found) == expected
    assert resolve(found, extent) == found


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        ({"epochs": 200}, 100),
        ({"epochs": 8}, 10),
        ({"validation": "0"}, 0),  # nothing chooses
        ({"patience": 3}, 3),
        ({"folds": 5}, None),  # every fold goes all the way
    ],
    ids=str,
)
def test_training_stops_when_it_got_no_better_for_half_of_its_epochs(
    given: dict[str, Any], patience: int | None
) -> None:
    assert resolved(**({"folds": 0} if "folds" not in given else {}), **given).patience == patience


def of_table(
    samples: int = 1000, features: int = 4, class_names: tuple[str, ...] = (), **given: Any
) -> Settings:
    extent = Extent(samples, features, has_test_set=False, is_table=True, class_names=class_names)
    return resolve(Settings(data="x", **given), extent)


@pytest.mark.parametrize(
    ("class_names", "activation", "rate"), [(("a", "b"), "selu", 0.04), ((), "mish", 0.2)]
)
def test_tables_get_the_network_of_realmlp(
    class_names: tuple[str, ...], activation: str, rate: float
) -> None:
    found = of_table(5000, 20, class_names)
    assert (found.network, found.layers) == ("table", (256, 256, 256))
    assert (found.activation, found.learning_rate) == (activation, rate)
    assert (found.epochs, found.batch_size, found.dropout) == (256, 256, 0.15)
    assert (found.schedule, found.patience, found.l2, found.init) == ("coslog", 256, 0, None)
    assert (found.test, found.validation) == ("0.2", "0.2")


@pytest.mark.parametrize(
    ("samples", "given", "epochs"),
    [
        (100_000, {}, 256),  # 390 updates an epoch
        (1_000_000, {}, 25),  # 3906: as many as make 100,000
        (10**9, {}, 10),
        (1_000_000, {"epochs": 300}, 300),
        (1_000_000, {"batch_size": 0}, 256),
    ],
    ids=str,
)
def test_very_many_rows_of_a_table_are_seen_less_often(
    samples: int, given: dict[str, Any], epochs: int
) -> None:
    assert of_table(samples, **given).epochs == epochs


@pytest.mark.parametrize(
    "given",
    [
        {"layers": (8,)},
        {"layers": ()},
        {"activation": "tanh"},
        {"init": "he"},
        {"batch_norm": True},
        {"optimizer": "sgd"},
        {"optimizer": "lbfgs"},
        {"optimizer": "adamw"},
        {"network": "dense"},
    ],
    ids=str,
)
def test_what_describes_a_dense_network_gets_one_of_a_table_too(given: dict[str, Any]) -> None:
    found = of_table(**given)
    assert found.network == "dense"
    assert found.activation in ("relu", "tanh")
    assert found.init in ("he", "glorot")
    assert found.schedule == (None if given.get("optimizer") == "lbfgs" else "one-cycle")


def test_of_very_many_columns_the_network_is_a_dense_one() -> None:
    assert of_table(features=999).network == "table"
    assert of_table(features=1000).network == "dense"
    assert of_table(features=1000, network="table").layers == (256, 256, 256)


@pytest.mark.parametrize(
    "given",
    [
        {"learning_rate": 0.01},
        {"schedule": "constant"},
        {"epochs": 3},
        {"batch_size": 32},
        {"dropout": 0.5},
        {"l2": 0.1},
        {"patience": 7, "folds": 0},
        {"class_weight": "balanced"},
        {"clip_norm": 1.0},
        {"network": "table", "layers": (64, 32)},
        {"network": "table", "layers": ()},
        {"network": "table", "activation": "tanh"},
    ],
    ids=str,
)
def test_what_the_network_of_tables_has_too_changes_it(given: dict[str, Any]) -> None:
    found = of_table(**given)
    assert found.network == "table"
    assert {name: getattr(found, name) for name in given} == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "sgd"}, "--optimizer: that network is trained by adam"),
        ({"optimizer": "lbfgs"}, "--optimizer: that network is trained by adam"),
        ({"init": "he"}, "--init: that network fits its first weights to the data"),
        ({"batch_norm": True}, "--batch-norm: that network has scales of its own"),
        ({"layers": ("conv4", 8)}, "--layers conv4,8 is for pictures"),
    ],
    ids=str,
)
def test_what_the_network_of_tables_has_not_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        of_table(network="table", **given)


def test_the_network_of_tables_is_for_tables() -> None:
    with pytest.raises(UsageError, match="--network table is for tables"):
        resolved(network="table")
    assert resolved().network == "auto"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(1_999, ((64, 32), 0.01, 0.1, 0.2)), (2_000, ((128, 64), 0.01, 0.03, 0.1))],
)
def test_dense_networks_of_tables_have_defaults_of_their_own(
    samples: int, expected: tuple[Any, ...]
) -> None:
    def of(**given: Any) -> tuple[Any, ...]:
        found = of_table(samples, 300, network="dense", **given)
        return found.layers, found.learning_rate, found.l2, found.dropout

    assert of() == expected
    assert of(optimizer="sgd")[1] == 0.1  # the rate was measured for adam
    assert of(optimizer="lbfgs")[1:] == (None, 0, 0)
    assert resolved(samples, 300).l2 == 0


@given(
    samples=st.integers(1, 10**7),
    features=st.integers(1, 10**6),
    has_test_set=st.booleans(),
    has_validation_set=st.booleans(),
    is_table=st.booleans(),
    given=st.fixed_dictionaries(
        {},
        optional={
            "network": st.sampled_from(["auto", "dense"]),
            "layers": st.sampled_from([(), (3,), (7, 5)]),
            "batch_size": st.integers(0, 10**4),
            "epochs": st.integers(1, 10**4),
            "activation": st.sampled_from(["relu", "tanh"]),
            "optimizer": st.sampled_from(["adam", "momentum"]),
            "dropout": st.sampled_from([0.0, 0.5]),
            "validation": st.sampled_from(["0.3", "0"]),
            "test": st.sampled_from(["0.3", "0"]),
            "seed": st.integers(0, 9),
        },
    ),
)
def test_what_is_given_stays_and_what_is_resolved_resolves_to_itself(
    samples: int,
    features: int,
    has_test_set: bool,
    has_validation_set: bool,
    is_table: bool,
    given: dict[str, Any],
) -> None:
    extent = Extent(samples, features, has_test_set, has_validation_set, is_table)
    settings = resolve(Settings(data="x", **given), extent)
    for name, value in given.items():
        if name != "network":
            assert getattr(settings, name) == value
    assert given.get("network", "auto") in ("auto", settings.network)
    assert (settings.init is None) == (settings.network == "table")
    for name in ("layers", "activation", "dropout", "batch_size", "epochs", "learning_rate"):
        assert getattr(settings, name) is not None
    assert resolve(settings, extent) == settings
    if settings.folds == 0 and settings.validation is None:
        assert has_validation_set
