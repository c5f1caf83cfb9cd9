"""The network of tables, from settings to a model: the recipe of the estimators, in a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import clearprop as cp
from clearprop.doctor.outcome import Underfitting
from clearprop.experiment import Settings, learn, load_dataset, measure, set_task
from clearprop.experiment import cross_validation as folds
from clearprop.experiment.baselines import fit_linear
from clearprop.experiment.learning import case_of
from clearprop.experiment.settings import settings_in
from clearprop.files.linear import linear_network

FEW = {"epochs": 4, "batch_size": 32}


def table(path: Path, rows: int = 120, *, values: bool = False) -> Path:
    """Write a table with gaps, few and many categories, and a target that they tell."""
    draw = np.random.RandomState(0)
    size, many = draw.normal(size=rows), draw.randint(0, 20, rows)
    found = pd.DataFrame(
        {
            "size": np.where(draw.uniform(size=rows) < 0.1, np.nan, size),
            "kind": draw.choice(["a", "b"], rows),
            "place": [f"place {number}" for number in many],
        }
    )
    score = np.nan_to_num(found["size"]) + (many % 3)
    found["target"] = score if values else np.where(score > 1, "high", "low")
    found.to_csv(path, index=False)
    return path


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return table(tmp_path / "classes.csv")


@pytest.fixture
def values(tmp_path: Path) -> Path:
    return table(tmp_path / "values.csv", values=True)


def task_of(data: Path, **given):
    settings = Settings(data=str(data), **{**FEW, **given})
    return set_task(settings, load_dataset(settings))


@pytest.mark.parametrize(("of", "estimator"), [("classes", 0), ("values", 1)])
def test_network_and_trainer_are_those_of_the_estimators(of, estimator, request) -> None:
    task = task_of(request.getfixturevalue(of), test="0", folds=0, epochs=2)
    kind = (cp.TableClassifier, cp.TableRegressor)[estimator]
    frame = pd.read_csv(task.settings.data)
    y = frame.pop("target")
    model = kind(max_iter=2, batch_size=32, validation_fraction=1 / 6, random_state=0)
    model.fit(frame, y)
    own, other = task.network, model.networks_[0]
    assert own.loss == other.loss
    assert [type(layer) for layer in own.layers] == [type(layer) for layer in other.layers]
    assert own.layers[3:-1:3] == other.layers[3:-1:3]  # the activations
    trainer = task.trainer()
    assert (trainer.drop_last, trainer.batch_size) == (True, 32)
    monitor = "validation_loss" if estimator else "validation_accuracy"
    assert trainer.early_stopping == cp.EarlyStopping(2, monitor, last=True)
    steps = 2 * (len(task.train) // 32)
    rate = 0.2 if estimator else 0.04
    assert trainer.optimizer == cp.AdamW(
        cp.CosLogSchedule(rate, steps),
        beta_2=0.95,
        weight_decay=cp.FlatCosineSchedule(0.02, steps),
    )
    assert cp.Dropout(cp.FlatCosineSchedule(0.15, steps)) in own.layers


def test_first_values_are_fitted_to_what_is_learned_from_alone(classes: Path) -> None:
    task = task_of(classes, test="0.2", folds=0)
    X, _ = task.prepared(task.train)
    alike = task.network.copy()
    alike.initialize(0)
    assert not np.array_equal(alike.parameters.data, task.network.parameters.data)
    alike.initialize_from(X, np.random.RandomState(0))
    assert np.array_equal(alike.parameters.data, task.network.parameters.data)
    first = task.network.parameters.data.copy()
    trained = learn(task)
    case = case_of(trained.task, trained.history)
    assert np.array_equal(case.start.parameters.data, first)
    assert case.is_trained


def test_each_fold_begins_with_values_of_its_own_rows(classes: Path, monkeypatch) -> None:
    task, begun = task_of(classes, folds=3), []

    def note(trial_task, *_):
        begun.append((trial_task, trial_task.network.parameters.data.copy()))
        return original(trial_task, *_)

    original = folds._Trial.of
    monkeypatch.setattr(folds._Trial, "of", note)
    found = folds.cross_validate(task)
    assert len(begun) == 3
    for one, first in begun:
        alike = one.network.copy()
        alike.initialize(0)
        alike.initialize_from(one.prepared(one.train)[0], np.random.RandomState(0))
        assert np.array_equal(alike.parameters.data, first)
    assert sorted(found.rows.tolist()) == list(range(120))


def test_of_classes_the_last_epoch_with_the_fewest_errors_is_kept(classes: Path) -> None:
    found = folds.cross_validate(task_of(classes, folds=3, epochs=12, layers=(8,), network="table"))
    scores = [row["validation_accuracy"] for row in found.curve]
    best = max(scores)
    last = max(place for place, score in enumerate(scores, 1) if score > best - 1e-9)
    assert found.epoch == last


def test_answers_are_kept_within_the_range_learned_from(values: Path, tmp_path: Path) -> None:
    trained = learn(task_of(values, test="0", folds=0, validation="0"))
    truth = pd.read_csv(values)["target"]
    model = trained.model
    model.network.parameters["11.b"][...] = 99
    cp.save(tmp_path / "model.safetensors", model)
    loaded = cp.load(tmp_path / "model.safetensors")
    frame = pd.read_csv(values).drop(columns="target")
    assert np.allclose(loaded.predict(frame), truth.max())
    slopes = loaded.preprocessing.target.slope(np.array([[99.0], [0.0]]))
    assert slopes[0] == 0 < slopes[1]


def test_intervals_reach_beyond_the_range_learned_from(values: Path) -> None:
    trained = learn(task_of(values, test="0", folds=0, validation="0", coverage=0.9))
    truth = pd.read_csv(values)["target"]
    trained.task.network.parameters.data[...] = 0  # the mean for all
    trained.task.network.parameters["11.b"][...] = 99
    model = trained.model
    target = model.preprocessing.target
    frame = pd.read_csv(values).drop(columns="target")
    low, high = model.predict_interval(frame).T
    middle = model.predict(frame)
    assert np.allclose((low + high) / 2, middle)
    assert (high > truth.max()).all()
    assert np.allclose(high - middle, target.coverage.score * target.std[0])


def test_two_classes_have_thresholds_temperatures_sets_and_a_linear_model(classes: Path) -> None:
    task = task_of(classes, threshold="f1", coverage=0.8, folds=3, epochs=8)
    trained = learn(task)
    assert trained.task.network.output_shape == (2,)
    measured = measure(trained)
    found = measured.score
    assert trained.threshold is not None
    assert trained.temperature.samples > 0
    assert {"constant", "linear"} <= set(found.baselines)
    shares = measured.model.predict_proba(pd.read_csv(classes).drop(columns="target"))
    assert np.allclose(shares.sum(axis=1), 1)
    said = measured.model.predict(pd.read_csv(classes).drop(columns="target"))
    target = measured.model.preprocessing.target
    named = shares[:, target.positive] >= target.threshold
    assert ((said == target.positive_name) == named).all()
    assert found.covered is None or 0 <= found.covered.share <= 1


def test_the_linear_model_has_an_input_for_each_code(classes: Path) -> None:
    task = task_of(classes, folds=0, test="0")
    line = fit_linear(task)
    X, y = task.prepared(task.train)
    assert task.recipe.inputs.groups[2] == (21,)  # 20 places, and 0
    codes = np.eye(21)[X[:, -1].astype(int)][:, 1:]
    plain = np.hstack([X[:, :-1], codes])
    oracle = LogisticRegression(max_iter=200).fit(plain, y)
    assert np.allclose(line.predict_proba(X), oracle.predict_proba(plain), atol=1e-4)
    unknown = X[:1].copy()
    unknown[0, -1] = 0
    expected = oracle.predict_proba(np.hstack([X[:1, :-1], np.zeros((1, 20))]))
    assert np.allclose(line.predict_proba(unknown), expected, atol=1e-4)


def test_a_linear_model_of_codes_is_loaded_as_it_was_saved(classes: Path, tmp_path: Path) -> None:
    model = measure(learn(task_of(classes, epochs=1))).model
    cp.save(tmp_path / "model.safetensors", model)
    loaded = cp.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.linear.parameters.data, model.linear.parameters.data)
    assert loaded.linear.layers == linear_network(model.network).layers


def test_runs_of_before_whose_layers_folds_have_chosen_stay_dense() -> None:
    before = {"data": "iris", "network": "auto", "folds": 5}
    assert settings_in("config.toml", before).network == "dense"
    assert settings_in("config.toml", {"data": "iris", "folds": 5}).network == "dense"
    assert settings_in("config.toml", {**before, "layers": [8]}).network == "auto"
    assert settings_in("config.toml", {**before, "network": "table"}).network == "table"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, None),
        ({"layers": (4,)}, None),
        ({"network": "dense"}, None),
        ({"optimizer": "sgd"}, "A dense network, as --optimizer is for one"),
        ({"batch_norm": True}, "A dense network, as --batch-norm is for one"),
    ],
    ids=str,
)
def test_a_table_that_gets_a_dense_network_says_why(classes: Path, given, told) -> None:
    notes = [note for note in task_of(classes, **given).notes if note.startswith("A dense")]
    assert [note.partition(";")[0] for note in notes] == ([] if told is None else [told])


def test_the_doctor_advises_nothing_that_the_network_of_tables_has_not(classes: Path) -> None:
    trained = learn(task_of(classes, folds=0, test="0"))
    case = case_of(trained.task, trained.history)
    assert case.cure({"init": "he"}) is None
    assert case.cure({"batch_norm": True}) is None
    changes = Underfitting()._more(replace(case, history=cp.History(), trainer=None))
    assert "layers" not in changes  # 64,32 would be fewer units
