"""Runs with a coverage: rows that fit it and do nothing else, its measure, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from disk_tables import columns, on_disk, write
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.data import Dataset, Table
from clearprop.errors import DataError, UsageError
from clearprop.experiment import Settings, evaluate, learn, load_dataset, measure, set_task
from clearprop.experiment.coverage import fit_coverage, promise_in_words
from clearprop.experiment.parts import split
from clearprop.files.certainty import scores
from clearprop.preprocessing import Coverage

PLAIN = {"layers": (8,), "epochs": 6, "learning_rate": 0.02, "l2": 0.0, "dtype": "float64"}


def noisy(n=300, kind="classes", seed=0):
    random_state = np.random.RandomState(seed)
    X = random_state.randn(n, 3)
    hidden = X[:, 0] + random_state.randn(n)
    if kind == "values":
        return Dataset("noisy", "array", X, 10 + 3 * hidden, None)
    if kind == "prices":
        return Dataset("noisy", "array", X, 1000 * np.exp(hidden), None)
    if kind == "pairs":
        return Dataset("noisy", "array", X, np.column_stack([hidden, 9 * X[:, 1]]), None)
    y = np.digitize(hidden, (-0.7, 0.7) if kind == "classes" else (0,))
    return Dataset("noisy", "array", X, y, ("a", "b", "c")[: y.max() + 1])


def task_of(data, **given):
    return set_task(Settings(data=data.name, **(PLAIN | {"coverage": 0.9} | given)), data)


def sources(*parts):
    return [set() if part is None else set(part.sources) for part in parts]


@pytest.mark.parametrize(
    "given", [{"folds": 0}, {"folds": 3}, {"folds": 3, "test": "0.2"}], ids=str
)
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_the_rows_that_fit_it_are_in_no_other_part(given, kind):
    task = task_of(noisy(kind=kind), **given)
    train, validation, test, own = sources(task.train, task.validation, task.test, task.calibration)
    assert not own & (train | validation | test)
    assert len(train) + len(validation) + len(test) + len(own) == 300
    left = 300 - len(test)
    assert len(own) == round(0.2 * left)
    assert any(
        note.startswith("To fit the coverage of 90%, and for nothing") for note in task.notes
    )
    assert learn(task).model.preprocessing.target.coverage.samples == len(own)


def test_without_a_coverage_no_row_is_held_out_for_it():
    task = task_of(noisy(), coverage=None, folds=0)
    assert task.calibration is None
    model = learn(task).model
    assert model.preprocessing.target.coverage is None
    for ask in (model.predict_set, model.predict_interval):
        with pytest.raises(UsageError, match="--coverage 90%"):
            ask(noisy().X)
    assert promise_in_words(model.preprocessing.target) == ()


@pytest.mark.parametrize("given", [{"folds": 0}, {"folds": 3}], ids=str)
def test_the_rows_that_fit_it_choose_nothing_else(given):
    """Were their truth another one, nothing would change but the coverage."""
    data = replace(noisy(), test=noisy(100, seed=3))
    given = given | ({"test": "0"} if given["folds"] else {})
    one = task_of(data, **given)
    y = data.y.copy()
    y[np.isin(np.arange(300), [int(place[4:]) - 1 for place in one.calibration.sources])] = 2
    other = task_of(replace(data, y=y), **given)
    assert sources(one.calibration) == sources(other.calibration)
    first, second = measure(learn(one)), measure(learn(other))
    np.testing.assert_array_equal(
        first.model.network.parameters.data, second.model.network.parameters.data
    )
    targets = [found.model.preprocessing.target for found in (first, second)]
    assert targets[0].coverage != targets[1].coverage
    assert targets[0] == replace(targets[1], coverage=targets[0].coverage)
    assert first.score.scores == second.score.scores


@pytest.mark.parametrize("kind", ["classes", "two", "values", "prices", "pairs"])
def test_the_rest_is_covered_as_is_promised(kind):
    data = noisy(3000, kind)
    found = learn(task_of(data, folds=0, test="0.5", target_scale="auto"))
    score = measure(found).score
    low, high = score.covered.between
    assert low <= score.covered.share <= high
    told = score.to_json()["coverage"]
    assert told["within"] is True
    X, n = found.task.test.X, len(found.task.test)
    assert (told["promised"], told["samples"], told["fitted_on"]) == (0.9, n, 300)
    if kind in ("classes", "two"):
        sets = found.model.predict_set(X)
        held = sets[np.arange(n), found.task.test.y]
        assert told["mean_size"] == pytest.approx(sets.sum(axis=1).mean())
        assert told["empty"] == (~sets.any(axis=1)).sum()
        with pytest.raises(UsageError, match="intervals of values"):
            found.model.predict_interval(X)
    else:
        lower, upper = np.moveaxis(found.model.predict_interval(X), 1, 0)
        y = found.task.test.y
        held = ((lower <= y) & (y <= upper)).reshape(n, -1).all(axis=1)
        assert told["mean_size"] == pytest.approx((upper - lower).mean())
        assert (lower < upper).all()
        with pytest.raises(UsageError, match="sets of classes"):
            found.model.predict_set(X)
    assert told["measured"] == held.mean()


def test_values_learned_as_logarithms_get_intervals_of_their_own_scale():
    found = learn(task_of(noisy(1000, "prices"), folds=0, target_scale="log", epochs=20))
    lower, upper = found.model.predict_interval(found.task.test.X).T
    said = found.model.predict(found.task.test.X)
    assert (lower > 0).all()
    np.testing.assert_allclose(upper / said, said / lower, rtol=1e-9)  # a factor both ways


def test_the_score_that_covers_is_that_of_the_rows():
    found = learn(task_of(noisy(), folds=0))
    task, target = found.task, found.task.recipe.target
    X, _ = task.prepared(task.calibration)
    own = scores(target, task.network.loss, task.network.logits(X), task.calibration, 0.9)
    assert target.coverage == Coverage.fit(0.9, own)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99])
def test_rows_are_a_fifth_or_as_many_as_are_needed(share):
    task = task_of(noisy(300), folds=0, test="0", coverage=share)
    assert len(task.calibration) == max(60, {0.99: 99}.get(share, 0))


def test_many_rows_give_two_thousand():
    data = Dataset("many", "array", np.zeros((30_000, 1)), np.arange(30_000.0), None)
    settings = Settings(data="many", coverage=0.9, test="0", validation="0", folds=0)
    assert len(split(settings, data).calibration) == 2000


@pytest.mark.parametrize(
    ("share", "n", "needed"), [(0.9, 17, 18), (0.95, 30, 38), (0.99, 150, 198)]
)
def test_too_few_rows_are_refused_and_it_is_said_how_many_do(share, n, needed):
    settings = {"folds": 0, "test": "0", "validation": "0", "coverage": share}
    with pytest.raises(DataError, match=f"{needed} are needed") as refused:
        task_of(noisy(n), **settings)
    assert f"there are {n}" in str(refused.value)
    task = task_of(noisy(needed), **settings)
    assert len(task.calibration) == needed // 2


@given(st.lists(st.integers(0, 5), min_size=20, max_size=120), st.integers(0, 99))
def test_every_class_is_still_learned_from(y, seed):
    y = np.unique(y, return_inverse=True)[1]
    data = Dataset("some", "array", np.zeros((len(y), 1)), y, tuple("abcdef"[: y.max() + 1]))
    settings = Settings(data="some", coverage=0.8, test="0", validation="0", folds=0, seed=seed)
    parts = split(settings, data)
    assert set(parts.train.y) == set(y)
    assert len(parts.train) + len(parts.calibration) == len(y)
    lacking = [name for name, count in parts.calibration.counts().items() if not count]
    assert any("none among them" in note for note in parts.notes) == bool(lacking)


def test_a_class_without_a_row_among_them_is_named():
    data = noisy()
    y = np.where(np.arange(300) < 2, 2, np.minimum(data.y, 1))
    task = task_of(replace(data, y=y), folds=0, test="0", validation="0")
    assert set(task.calibration.y) == {0, 1}
    assert any(
        note.startswith("Of 'c' there is none among them: how often sets hold it is not known.")
        for note in task.notes
    )
    model = learn(task).model
    assert model.predict_set(data.X).shape == (300, 3)


def visits(n=400):
    random_state = np.random.RandomState(0)
    X = random_state.randn(n)
    table = Table({"x": X, "patient": np.arange(n) // 4 * 1.0})
    y = 3 * X + random_state.randn(n)
    return Dataset("visits", "table", table, y, None, feature_names=("x", "patient"))


def test_a_class_without_a_row_among_those_of_a_sample_is_named(tmp_path):
    table = columns(300)
    table["y"] = ["seldom" if row < 2 else name for row, name in enumerate(table["y"])]
    data = on_disk(write(tmp_path / "x.parquet", table))
    given = {"coverage": 0.8, "folds": 0, "test": "0", "validation": "0", "batch_size": 8}
    parts = split(Settings(data="x", **given), data)
    lacks = "seldom" not in {data.class_names[at] for at in parts.calibration.y}
    assert any("Of 'seldom' there is none among them" in note for note in parts.notes) == lacks
    assert lacks


@pytest.mark.parametrize("by", ["group", "time"])
def test_rows_follow_groups_or_time_and_the_doubt_is_told(by):
    task = task_of(visits(), **{by: "patient"})
    own, train = (
        set((np.array([int(place.split()[-1]) for place in part.sources]) - 1) // 4)
        for part in (task.calibration, task.train)
    )
    assert not own & train
    doubt = next(
        note for note in task.notes if note.startswith("The coverage is promised for rows")
    )
    assert ("groups" in doubt) == (by == "group")


def test_a_run_that_diverged_promises_nothing():
    wild = {"learning_rate": 1e9, "optimizer": "sgd", "schedule": "constant", "folds": 0}
    found = learn(task_of(noisy(kind="values"), **wild))
    assert found.diverged is not None
    assert found.model.preprocessing.target.coverage is None


def test_answers_beyond_all_numbers_are_refused():
    data = noisy(kind="values")
    task = task_of(data, folds=0)
    task.network.parameters.data[:] = np.nan
    with pytest.raises(DataError, match="answers beyond all numbers"):
        fit_coverage(0.9, task.network, task.recipe, task.calibration)


def test_the_same_run_comes_out_of_a_file(tmp_path):
    found = learn(task_of(noisy(), folds=0))
    path = tmp_path / "model.safetensors"
    cp.save(path, found.model)
    loaded, X = cp.load(path), noisy(50, seed=9).X
    assert loaded.preprocessing == found.model.preprocessing
    np.testing.assert_array_equal(loaded.predict_set(X), found.model.predict_set(X))
    assert (
        evaluate(loaded, noisy(50, seed=9)).covered.promise == loaded.preprocessing.target.coverage
    )


def test_what_is_told_is_json_and_the_promise_is_in_words():
    found = learn(task_of(noisy(), folds=0))
    json.dumps(measure(found).to_json())
    (told,) = promise_in_words(found.model.preprocessing.target)
    assert "sets hold the true class of 90% of all rows" in told
    assert "48 rows" in told


def test_training_that_goes_on_does_not_fit_it_to_rows_that_were_learned_from(tmp_path):
    first = learn(task_of(load_dataset(Settings(data="iris")), coverage=None, folds=0))
    path = tmp_path / "model.safetensors"
    cp.save(path, first.model)
    settings = replace(first.task.settings, start=str(path), coverage=0.9)
    with pytest.raises(UsageError, match="the score or the coverage"):
        set_task(settings, load_dataset(settings))
