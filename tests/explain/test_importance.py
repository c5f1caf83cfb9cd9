"""Permutation importance and partial dependence are scikit-learn's, of whole columns."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import partial_dependence as of_scikit_learn
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from table_models import model_of_classes, model_of_values, people

from clearprop.data import Dataset, Table
from clearprop.data.tables.table import Words
from clearprop.errors import DataError, UnknownNameError, UsageError
from clearprop.experiment.explaining import dependence_of, importance_of, members_of
from clearprop.explain import grid, partial_dependence, permutation_drops


@pytest.fixture
def fitted():
    random = np.random.RandomState(0)
    X = random.randn(80, 4)
    y = (X[:, 0] + 0.5 * X[:, 2] + 0.3 * random.randn(80) > 0).astype(int)
    return LogisticRegression().fit(X, y), X, y


@pytest.mark.parametrize("seed", [0, 7])
def test_drops_are_those_of_scikit_learn(fitted, seed):
    model, X, y = fitted
    expected = permutation_importance(model, X, y, n_repeats=6, random_state=seed)
    places = [np.array([place]) for place in range(4)]
    score, drops = permutation_drops(lambda X: model.score(X, y), X, places, 6, seed)
    assert score == model.score(X, y)
    np.testing.assert_allclose(drops, expected.importances, atol=1e-15)


def test_inputs_of_a_column_are_shuffled_together(fitted):
    _, X, _ = fitted
    X[:, 1] = -X[:, 0]

    def together(X):
        return float(np.array_equal(X[:, 1], -X[:, 0]))

    _, drops = permutation_drops(together, X, {"a": np.array([0, 1]), "b": np.array([2, 3])}, 3)
    assert (drops == 0).all()
    _, drops = permutation_drops(together, X, {"a": np.array([0]), "b": np.array([2, 3])}, 3)
    assert drops.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_samples_are_left_as_they_were(fitted):
    _, X, _ = fitted
    before = X.copy()
    permutation_drops(np.mean, X, [np.arange(2)], 2)
    np.testing.assert_array_equal(X, before)


def test_a_single_row_can_not_be_shuffled():
    with pytest.raises(DataError, match="single row"):
        permutation_drops(np.mean, np.zeros((1, 2)), [np.arange(2)], 1)


@pytest.mark.parametrize("kind", ["accuracy", "r2"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whole_columns_of_a_table_are_shuffled(kind):
    table = people()
    random = np.random.RandomState(1)
    if kind == "accuracy":
        model, y = model_of_classes(table), random.randint(0, 2, len(table))
        dataset = Dataset("people", "table", table, y, ("no", "yes"), target_name="buys")
        truth = np.array(["no", "yes"])[y]
    else:
        model, y = model_of_values(table), random.rand(len(table)) * 30
        dataset = Dataset("people", "table", table, y, None, target_name="price")
        truth = y
    found = importance_of(model, dataset, "test")
    assert (found.score_name, found.samples, found.of) == (kind, 60, "test")

    def score(_, rows, truth):  # of a table whose cells are told by the numbers of their rows
        mixed = {name: table.columns[name][rows[:, k]] for k, name in enumerate(table.names)}
        measure = accuracy_score if kind == "accuracy" else r2_score
        return measure(truth, model.predict(Table(mixed)))

    rows = np.tile(np.arange(60)[:, np.newaxis], (1, 4))
    expected = permutation_importance(
        RandomForestRegressor(), rows, truth, scoring=score, n_repeats=5, random_state=0
    )
    np.testing.assert_allclose(found.drops, expected.importances, atol=1e-12)
    assert found.names == table.names
    told = found.to_json()["columns"]
    assert [one["mean"] for one in told] == sorted(found.means.tolist(), reverse=True)


def test_balanced_accuracy_counts_where_a_class_is_rare():
    table = people(200)
    y = np.zeros(200, np.int64)
    y[:8] = 1
    dataset = Dataset("people", "table", table, y, ("no", "yes"), target_name="buys")
    found = importance_of(model_of_classes(table), dataset, "test")
    assert found.score_name == "balanced_accuracy"
    recalls = model_of_classes(table).predict(table) == np.array(["no", "yes"])[y]
    assert found.score == pytest.approx((recalls[:8].mean() + recalls[8:].mean()) / 2)


def test_rows_and_repeats_are_bounded():
    table = people(3000)
    dataset = Dataset("people", "table", table, np.arange(3000) % 2, ("no", "yes"))
    model = model_of_classes(table)
    cost = 4 * model.network.multiplications
    whole = importance_of(model, dataset, "test")
    assert (whole.samples, whole.drops.shape) == (1000, (4, 5))
    less = importance_of(model, dataset, "test", work=2 * 1000 * cost)
    assert (less.samples, less.drops.shape) == (1000, (4, 2))
    least = importance_of(model, dataset, "test", work=200 * cost)
    assert (least.samples, least.drops.shape) == (200, (4, 1))


def test_a_score_that_is_not_defined_is_refused():
    table = people(5)
    dataset = Dataset("five", "table", table, np.ones(5), None, target_name="price")
    with pytest.raises(DataError, match="five: the score r2 of 5 rows is not defined"):
        importance_of(model_of_values(table), dataset, "test")


def test_dependence_is_that_of_scikit_learn():
    random = np.random.RandomState(0)
    X = random.randn(50, 3)
    model = RandomForestRegressor(5, random_state=0).fit(X, X[:, 0] ** 2 + X[:, 1])
    cells = np.array([-1.0, 0.2, 0.9])
    expected = of_scikit_learn(
        model, X, [1], custom_values={1: cells}, method="brute", kind="average"
    )["average"]
    found = partial_dependence(
        lambda X: model.predict(X)[:, np.newaxis], X, np.array([1]), cells[:, np.newaxis]
    )
    np.testing.assert_allclose(found, expected.T, atol=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_dependence_on_columns_of_a_table_is_the_mean_of_predictions():
    table = people()
    model = model_of_classes(table, ("a", "b", "c"))
    found = {one.name: one for one in dependence_of(model, table, table.names)}
    assert list(found) == list(table.names)
    for name, one in found.items():
        assert one.answer_names == ("a", "b", "c")
        np.testing.assert_allclose(one.base, model.predict_proba(table).mean(axis=0))
        for place in range(len(one.cells)):
            cell = one.cells[np.full(len(table), place)]
            shares = model.predict_proba(Table({**table.columns, name: cell}))
            np.testing.assert_allclose(one.answers[place], shares.mean(axis=0), atol=1e-12)
    told = found["city"].to_json()
    assert set(told["cells"]) == {"Oslo", "Rome", "Lima", None}
    assert found["city"].axis[-1] == "(missing)"
    assert found["born"].to_json()["cells"][0][:2] == "19"
    assert np.isnan(found["age"].cells[-1])
    assert not np.isnan(found["age"].axis).any()
    assert len(found["age"].drawn) == len(found["age"].axis)
    (yes,) = dependence_of(model_of_classes(table), table, ["age"])
    assert yes.answer_names == ("yes",)
    (no,) = dependence_of(model_of_classes(table), table, ["age"], "no")
    np.testing.assert_allclose(no.answers + yes.answers, 1)


class TestGrid:
    def test_numbers_are_quantiles_that_rows_have_each_once(self):
        cells, more = grid(np.array([3.0, 1, 2, np.nan, 2]))
        assert (cells[:-1].tolist(), np.isnan(cells[-1]), more) == ([1, 2, 3], True, 0)
        cells, _ = grid(np.arange(1000.0))
        assert len(cells) == 20
        assert (cells[0], cells[-1]) == (25, 974)

    def test_words_are_the_most_frequent(self):
        words = Words.of([f"w{k}" for k in range(40) for _ in range(k + 1)])
        cells, more = grid(words)
        assert (cells.tolist()[0], len(cells), more) == ("w39", 12, 28)

    @pytest.mark.parametrize("column", [np.full(4, np.nan), Words.of(["", ""])])
    def test_of_nothing_but_gaps_a_gap_is_left(self, column):
        assert len(grid(column)[0]) == 1


class TestMembers:
    def test_groups_stand_in_the_place_of_their_first_column(self):
        assert members_of("abcd", [("d", "b")]) == {
            "a": ("a",),
            "d + b": ("d", "b"),
            "c": ("c",),
        }

    def test_columns_must_be_there_and_in_one_group(self):
        with pytest.raises(UnknownNameError, match="There is no column 'e'"):
            members_of("abcd", [("a", "e")])
        with pytest.raises(UsageError, match="--group has 'a' twice"):
            members_of("abcd", [("a", "b"), ("c", "a")])
