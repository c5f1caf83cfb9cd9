"""Estimators of tables take columns as they are, and learn by the recipe."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import clearprop as cp
from clearprop.estimators.table_samples import table_of
from clearprop.layers import Dropout

RANDOM = np.random.RandomState(0)
SMALL: dict[str, Any] = {"max_iter": 30, "members": 1, "random_state": 0, "threads": 1}
X, Y = make_classification(200, 6, n_informative=4, random_state=0)


def classifier(**others: Any) -> cp.TableClassifier:
    return cp.TableClassifier(16, **{**SMALL, **others})


def regressor(**others: Any) -> cp.TableRegressor:
    return cp.TableRegressor(16, **{**SMALL, **others})


def frame(rows: int = 240) -> pd.DataFrame:
    """A table whose class is told by each kind of column in turn."""
    random = np.random.RandomState(1)
    many = [f"place {number:02}" for number in range(12)]
    return pd.DataFrame(
        {
            "size": np.where(random.uniform(size=rows) < 0.2, np.nan, random.normal(size=rows)),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.randint(0, 400, rows), "D"),
            "kind": random.choice(["a", "b"], rows),
            "place": random.choice(many, rows),
            "asked": random.choice([True, False], rows),
            "whole": pd.array(random.randint(0, 9, rows), dtype="Int64"),
        }
    )


@pytest.mark.parametrize("column", ["size", "when", "kind", "place", "asked", "whole"])
def test_every_kind_of_column_is_learned_from(column: str) -> None:
    table = frame()
    cells = table[column]
    if column == "kind":
        told = cells == "a"
    elif column == "place":
        told = cells.str[-1].isin(list("024"))
    elif column == "when":
        told = cells > pd.Timestamp("2024-07-01")
    else:
        told = cells.astype("float64").fillna(5.0) > {"size": 0.3, "asked": 0.5, "whole": 4}[column]
    told = told.to_numpy(bool)
    model = cp.TableClassifier(32, max_iter=100, random_state=0, threads=1).fit(table, told)
    assert model.score(table, told) > 0.93
    assert list(model.feature_names_in_) == list(table.columns)


def test_numbers_beside_gaps_are_numbers_whatever_holds_them() -> None:
    numbers = RANDOM.normal(size=60)
    numbers[::7] = np.nan
    y = np.nan_to_num(numbers) > 0
    objects = pd.Series(numbers, dtype=object).where(~np.isnan(numbers), None)
    frames = [
        pd.DataFrame({"a": numbers}),
        pd.DataFrame({"a": objects}),
        pd.DataFrame({"a": pd.array(numbers, dtype="Float64")}),
        pl.DataFrame({"a": pl.Series(numbers).fill_nan(None)}),
    ]
    found = [classifier().fit(one, y).predict_proba(one) for one in frames]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_other_cells_at_prediction_are_taken() -> None:
    table = frame()
    model = classifier().fit(table, table["kind"])
    other = table.head(3).assign(kind=["a", "never seen", None], size=np.nan, place="nowhere")
    assert np.isfinite(model.predict_proba(other)).all()
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.drop(columns="size"))


def test_columns_are_categories_where_somebody_says_so() -> None:
    codes = RANDOM.randint(0, 12, 120)
    y = codes % 2
    model = classifier(categorical_features=[0], max_iter=100).fit(codes[:, np.newaxis], y)
    assert model.recipe_.groups == (0, 0, (13,))
    assert model.score(codes[:, np.newaxis], y) > 0.9
    by_name = classifier(categorical_features=["code"]).fit(pd.DataFrame({"code": codes}), y)
    assert by_name.recipe_.groups == (0, 0, (13,))
    with pytest.raises(ValueError, match="x3: no column of X"):
        classifier(categorical_features=[3]).fit(codes[:, np.newaxis], y)


def test_classes_may_be_any_labels() -> None:
    names = np.array(["no", "yes"])[Y]
    model = classifier().fit(X, names)
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(X)) <= {"no", "yes"}
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_values_come_back_in_their_own_unit_and_range() -> None:
    values = 1e6 + 1e3 * make_regression(200, 4, noise=5, random_state=0)[1]
    rows = make_regression(200, 4, noise=5, random_state=0)[0]
    model = cp.TableRegressor(32, max_iter=100, random_state=0, threads=1).fit(rows, values)
    assert model.score(rows, values) > 0.9
    far = model.predict(rows * 100)
    assert values.min() <= far.min()
    assert far.max() <= values.max()


def test_several_values_are_learned_together() -> None:
    both = np.column_stack([X[:, 0], -3 * X[:, 1] + 5])
    model = cp.TableRegressor(32, max_iter=60, random_state=0, threads=1).fit(X, both)
    assert model.predict(X).shape == both.shape
    assert model.score(X, both) > 0.8


def test_members_are_averaged() -> None:
    model = classifier(members=3).fit(X, Y)
    rows = model.recipe_.transform(table_of(model, X, reset=False), np.float64)
    each = [
        network.loss.predict_proba(network.logits(rows) / model.temperature_)
        for network in model.networks_
    ]
    assert len(each) == 12  # three ends of swings, and the best epoch of each
    assert len({one.tobytes() for one in each[2::4]}) == 3
    np.testing.assert_allclose(model.predict_proba(X), np.mean(each, axis=0))


def test_the_last_of_the_best_epochs_is_kept() -> None:
    (history,) = classifier(max_iter=60).fit(X, Y).histories_
    scores = history["validation_accuracy"]
    assert history.best_epoch == 1 + max(
        place for place, score in enumerate(scores) if score == max(scores)
    )


def test_the_ends_of_swings_and_the_best_epoch_answer_together() -> None:
    model = classifier(max_iter=60).fit(X, Y)
    (history,) = model.histories_
    held_out = model._held_out(Y, np.random.RandomState(0))[0]
    shares = [
        np.mean(one.predict(model._rows(X[held_out])) == Y[held_out]) for one in model.networks_
    ]
    scores = history["validation_accuracy"]
    # Of 60 epochs 12, 28 and 60 are nearest to 3/15, 7/15 and 1 of the training.
    assert shares == pytest.approx([scores[11], scores[27], scores[59], max(scores)])
    rates = [cp.CosLogSchedule(1.0, 1500)(round(end * 1500)) for end in (3 / 15, 7 / 15, 1)]
    assert rates == pytest.approx([0, 0, 0], abs=1e-12)


def test_without_rows_held_out_the_ends_of_swings_answer() -> None:
    model = classifier(max_iter=60, validation_fraction=0.0).fit(X, Y)
    assert len(model.networks_) == 3
    assert model.temperature_ == 1
    assert len(classifier(max_iter=1, validation_fraction=0.0).fit(X, Y).networks_) == 1


def test_log_loss_is_what_chooses_where_it_counts() -> None:
    (history,) = classifier(scoring="log_loss").fit(X, Y).histories_
    assert history.best_epoch == 1 + int(np.argmin(history["validation_loss"]))


def test_few_rows_are_all_learned_from() -> None:
    model = classifier().fit(X[:4], [0, 1, 0, 1])
    assert "validation_loss" not in model.histories_[0].rows[0]


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5])
def test_a_share_of_each_class_is_held_out(fraction: float) -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 1])
    model = classifier(validation_fraction=fraction, members=3)
    model._learn_targets(labels, len(labels))
    asides = model._held_out(labels, np.random.RandomState(0))
    for aside in asides:
        for one, count in zip(range(3), (50, 30, 1), strict=True):
            assert abs(aside[labels == one].sum() - fraction * count) < 1
        assert not aside[-1]  # the only one of its class
    if fraction == 0.2:
        assert asides.sum(axis=0).max() == 1  # to each member its own


def test_a_member_is_what_it_is_alone_whatever_trains_beside_it() -> None:
    first, again = (
        cp.TableClassifier(**SMALL | {"members": 3, "threads": threads}).fit(X, Y)
        for threads in (1, None)
    )
    for one, other in zip(first.networks_, again.networks_, strict=True):
        assert one.parameters.data.tobytes() == other.parameters.data.tobytes()
    assert len({one.parameters.data.tobytes() for one in first.networks_[2::4]}) == 3


def test_probabilities_are_by_the_temperature_of_the_rows_held_out() -> None:
    random = np.random.RandomState(5)
    X = random.normal(size=(400, 3))
    y = (X[:, 0] + 2 * random.normal(size=400) > 0).astype(int)
    model = classifier(scoring="log_loss", max_iter=60, members=1).fit(X, y)
    assert model.temperature_ != 1
    logits = np.array([one.logits(model._rows(X)) for one in model.networks_]) / model.temperature_
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=2, keepdims=True))
    np.testing.assert_allclose(model.predict_proba(X), p.mean(axis=0), rtol=1e-12)
    few = classifier(members=1).fit(X[:40], y[:40])
    assert 0.6 < few.temperature_ < 1.7  # eight rows say little


def test_the_network_is_that_of_the_recipe() -> None:
    table = frame()
    network = cp.TableClassifier(**SMALL).fit(table, table["kind"]).networks_[0]
    rates = {name: spec.rate for name, spec in network.parameters.specs.items()}
    assert {rates[name] for name in rates if name.endswith((".b", "alpha", "w1", "b1"))} == {0.1}
    assert {rates[name] for name in rates if name.endswith((".W", "E"))} == {1.0}
    assert rates["1.s"] == 6
    dropped = [one.rate_at(0) for one in network.layers if isinstance(one, Dropout)]
    assert dropped == [0.15] * 3
    assert [network.parameters[f"{place}.W"].shape[1] for place in (2, 5, 8, 11)] == [256] * 3 + [2]


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two, other = (classifier(random_state=seed).fit(X, Y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))
    thawed = pickle.loads(pickle.dumps(one))  # noqa: S301 - written in the line itself
    np.testing.assert_array_equal(thawed.predict_proba(X), one.predict_proba(X))


def test_it_works_in_pipelines_and_cross_validation() -> None:
    model = make_pipeline(FunctionTransformer(), classifier(max_iter=60))
    assert cross_val_score(model, X, Y, cv=2).mean() > 0.7


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), [0, 1, 0], "infinity: row 1 of column 'a'"),
        (pd.DataFrame({"a": [1.0, 2.0]}), [1, 1], "one class, .*1"),
        (pd.DataFrame({"a": [1.0, 2.0]}), [1, 0, 1], "inconsistent numbers of samples"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "two columns called 'a'"),
        (pd.DataFrame({"a": []}), [], "minimum of 1 is required"),
        (pd.DataFrame(index=[0, 1]), [0, 1], "minimum of 1 is required|0 feature"),
        (np.array([["x"], ["y"]]), [0, 1], "could not convert string to float"),
    ],
)
def test_tables_that_can_not_be_learned_from(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, y)


@pytest.mark.parametrize("sizes", [0, (), (8, 0), (2.5,), "x"])
def test_sizes_that_can_not_be(sizes: Any) -> None:
    if sizes == ():
        assert len(cp.TableClassifier(sizes, **SMALL).fit(X, Y).networks_[0].layers) == 3
        return
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        cp.TableClassifier(sizes, **SMALL).fit(X, Y)


def test_a_target_is_needed() -> None:
    for model in (classifier(), regressor()):
        with pytest.raises(ValueError, match="y is None"):
            model.fit(X, None)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        regressor().fit(X, np.where(Y, np.nan, 1.0))
