"""The measures of a trained model, each on the samples that it is due to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge

import clearprop as cp
from clearprop.data import Dataset
from clearprop.experiment import Settings, evaluate, learn, measure, measure_anew, set_task
from clearprop.experiment.folder import dumps
from clearprop.experiment.measuring import Measured, measure_folds

Values = NDArray[np.float64]


def measured(data: Dataset, **given: Any) -> Measured:
    plain: dict[str, Any] = {"layers": (4,), "epochs": 4, "dtype": "float64"}
    return measure(learn(set_task(Settings(data=data.name, **(plain | given)), data)))


def noisy(count: int = 120, rare: int | None = None) -> Dataset:
    """Make two classes of normal numbers, of which the first one tells a little."""
    random_state = np.random.RandomState(0)
    X = random_state.randn(count, 3)
    y = (X[:, 0] + random_state.randn(count) > 0).astype(int)
    if rare is not None:
        y = (np.arange(count) < rare).astype(int)
    return Dataset("noisy", "array", X, y, ("no", "yes"))


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"folds": 0}, ["test", "validation", "train"]),
        ({"folds": 3}, ["folds", "train"]),
        ({"folds": 3, "test": "0.2"}, ["test", "folds", "train"]),
        ({"test": "0", "validation": "0.2"}, ["validation", "train"]),
        ({"test": "0.2", "validation": "0"}, ["test", "train"]),
        ({"test": "0", "validation": "0"}, ["train"]),
    ],
    ids=str,
)
def test_what_has_chosen_or_was_learned_from_gives_no_score(
    given: dict[str, Any], parts: list[str]
) -> None:
    found = measured(noisy(), **given)
    assert list(found.parts) == parts
    assert list(found.to_json()) == parts
    honest = parts[0] if parts[0] in ("test", "folds") else None
    assert found.score is (None if honest is None else found.parts[honest])  # type: ignore[index]
    told = found.model.training.get("score")
    assert told == (None if honest is None else found.to_json()[honest])
    assert (found.scored is None) == (honest is None)
    if found.score is not None and found.scored is not None:
        assert found.score.samples == len(found.scored)
        truth = found.score.answers.truth
        np.testing.assert_array_equal(found.scored.y, truth)  # in the order of the answers


def test_what_came_from_folds_stands_beside_baselines_that_know_as_much() -> None:
    dataset = noisy()
    settings = Settings(data="noisy", layers=(4,), epochs=4, folds=3, dtype="float64")
    trained = learn(set_task(settings, dataset))
    assert trained.out_of_fold is not None
    found = measure(trained)
    assert found.score is not None
    shares, linear = np.zeros((120, 2)), np.zeros((120, 2))
    for _, fold in trained.out_of_fold.trials:
        held = np.isin(np.arange(120), [int(source[4:]) - 1 for source in fold.sources])
        X, y = np.asarray(dataset.X), dataset.y
        mean, std = X[~held].mean(axis=0), X[~held].std(axis=0)
        model = LogisticRegression(max_iter=200).fit((X[~held] - mean) / std, y[~held])
        linear[held] = model.predict_proba((X[held] - mean) / std)
        shares[held] = np.bincount(y[~held]) / np.count_nonzero(~held)
    for name, expected in (("constant", shares), ("linear", linear)):
        scores = found.score.baselines[name]
        assert scores["accuracy"] == metrics.accuracy_score(dataset.y, expected.argmax(axis=1))
        assert scores["log_loss"] == pytest.approx(metrics.log_loss(dataset.y, expected))
    again, scored = measure_folds(trained.task, trained.out_of_fold)
    assert again.scores == found.score.scores
    assert sorted(scored.sources) == sorted(map(dataset.source, range(120)))


def test_values_stand_beside_ridge_regression_and_the_mean() -> None:
    found = measured(cp.load_data("diabetes"), folds=0)
    assert found.score is not None
    assert found.scored is not None
    trained_on = set_task(
        Settings(data="diabetes", layers=(4,), epochs=4, dtype="float64", folds=0),
        cp.load_data("diabetes"),
    ).train

    def prepared(part: Dataset) -> Values:
        recipe = found.model.preprocessing
        assert recipe is not None
        return recipe.inputs.transform(part.X, np.float64)

    y = trained_on.y
    theirs = Ridge().fit(prepared(trained_on), (y - y.mean()) / y.std())
    said = theirs.predict(prepared(found.scored)) * y.std() + y.mean()
    truth = found.scored.y
    linear, constant = (found.score.baselines[name] for name in ("linear", "constant"))
    assert linear["r2"] == pytest.approx(metrics.r2_score(truth, said))
    assert linear["mae"] == pytest.approx(metrics.mean_absolute_error(truth, said))
    mean = np.full(len(truth), y.mean())
    assert constant["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, mean))


def test_a_rare_class_is_scored_by_balanced_accuracy_everywhere() -> None:
    found = measured(noisy(300, rare=20), folds=3)
    assert found.score is not None
    assert found.score.score_name == "balanced_accuracy"
    assert found.score.baselines["constant"]["balanced_accuracy"] == 0.5
    assert found.score.baselines["constant"]["accuracy"] == pytest.approx(280 / 300)
    told = json.loads(dumps(found.to_json()))["folds"]
    assert told["score"] == "balanced_accuracy"
    assert told["balanced_accuracy"] == found.score.score


def test_a_score_beats_only_what_it_is_above() -> None:
    found = measured(noisy(), folds=0)
    assert found.score is not None
    for name, scores in found.score.baselines.items():
        assert found.score.beats(name) == (found.score.score > scores["accuracy"])
    assert found.score.beats("constant") is not None
    assert found.score.beats("nobody") is None


@pytest.mark.parametrize(
    "given", [{"folds": 3}, {"folds": 0}, {"folds": 3, "test": "0.2"}], ids=str
)
def test_a_model_of_the_task_is_measured_anew_as_it_was(given: dict[str, Any]) -> None:
    settings = Settings(data="noisy", layers=(4,), epochs=4, **given)
    task = set_task(settings, noisy())
    found = measure(learn(task))
    again, scored = measure_anew(set_task(task.settings, noisy()), found.model)
    assert again is not None
    assert scored is not None
    assert found.score is not None
    assert again.scores == found.score.scores
    assert again.baselines == found.score.baselines
    assert scored.sources == found.scored.sources  # type: ignore[union-attr]


def test_without_a_test_a_model_is_measured_anew_on_what_has_chosen() -> None:
    settings = Settings(data="noisy", layers=(4,), epochs=4, test="0", validation="0.3")
    task = set_task(settings, noisy())
    found = measure(learn(task))
    again, scored = measure_anew(task, found.model)
    assert again is not None
    assert scored is task.validation
    assert again.scores == found.parts["validation"].scores


def test_a_saved_model_brings_its_score_and_baselines(tmp_path: Path) -> None:
    found = measured(noisy(), folds=0)
    assert found.scored is not None
    cp.save(tmp_path / "model.safetensors", found.model)
    model = cp.load(tmp_path / "model.safetensors")
    assert model.training["score"] == found.to_json()["test"]
    again = evaluate(model, found.scored)
    assert again.scores_to_json() == found.to_json()["test"]
