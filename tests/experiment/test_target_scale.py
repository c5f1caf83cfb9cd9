"""Values that are learned on another scale, and told on their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import clearprop as cp
from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.experiment import Settings, Task, learn, measure, set_task
from clearprop.experiment.evaluation import evaluate
from clearprop.experiment.folder import save_run
from clearprop.experiment.inspection import make_ready, walk_step
from clearprop.experiment.prediction import predict_files
from clearprop.experiment.settings import settings_in
from clearprop.preprocessing import ValueTarget

Values = NDArray[np.float64]


def multiplied(count: int = 600, spread: float = 1.0, seed: int = 0) -> Dataset:
    """Make prices that many factors multiply: their logarithm is a sum."""
    random_state = np.random.RandomState(seed)
    X = random_state.randn(count, 4)
    noise = 0.1 * random_state.randn(count)
    y = np.exp(spread * (X @ [0.8, 0.6, -0.7, 0.5] + noise) + 8)
    return Dataset("made", "array", X, y, None, target_name="price")


def task(dataset: Dataset, **given: Any) -> Task:
    plain = {"data": "made", "layers": (16,), "epochs": 30, "learning_rate": 0.01, "folds": 0}
    return set_task(Settings(**(plain | given)), dataset)


def target_of(found: Task) -> ValueTarget:
    assert isinstance(found.recipe.target, ValueTarget)
    return found.recipe.target


def test_a_logarithm_is_learned_and_all_is_told_in_the_values_themselves() -> None:
    found = task(multiplied(), target_scale="log")
    assert found.notes == ("price is learned as its logarithm, as --target-scale asks.",)
    target, train, held = target_of(found), found.train, found.test
    assert held is not None
    _, encoded = found.prepared(train)
    np.testing.assert_allclose(
        encoded[:, 0], (np.log(train.y) - np.log(train.y).mean()) / np.log(train.y).std(), rtol=1e-6
    )
    trained = learn(found)
    measured = evaluate(trained.model, held)
    # By hand: the network's answer is standardised ln(price / unit).
    X = (np.asarray(held.X) - train.X[:].mean(axis=0)) / train.X[:].std(axis=0)
    logits = trained.model.network.logits(X.astype(np.float32))[:, 0].astype(np.float64)
    assert target.scale is not None
    expected = np.exp(logits * target.std[0] + target.mean[0]) * target.scale.unit
    np.testing.assert_allclose(measured.answers.predicted, expected, rtol=1e-4)
    np.testing.assert_array_equal(measured.answers.truth, held.y)
    off = held.y - measured.answers.predicted
    r2 = 1 - np.square(off).sum() / np.square(held.y - held.y.mean()).sum()
    assert measured.score == pytest.approx(r2, rel=1e-9)
    worst = int(np.argmax(np.abs(off)))
    assert measured.mistakes[0].row == worst
    assert measured.mistakes[0].truth == f"{held.y[worst]:.6g}"


def test_predictions_and_reports_are_on_the_values_own_scale(tmp_path: Path) -> None:
    dataset = multiplied()
    trained = learn(task(dataset, target_scale="log"))
    np.savez(tmp_path / "new.npz", X=dataset.X[:5])
    with predict_files(trained.model, [tmp_path / "new.npz"]) as found:
        said = [one.prediction for one in found.answers()]
    expected = evaluate(trained.model, dataset.take(np.arange(5))).answers.predicted
    np.testing.assert_allclose(said, expected)
    report: Any = save_run(tmp_path, trained, measure(trained))
    for part in ("train", "validation", "test"):
        found = evaluate(trained.model, getattr(trained.task, part))
        assert report[part]["r2"] == found.score
        assert report[part]["loss"] == found.loss
    assert report["notes"] == list(trained.task.notes)


def test_what_multiplies_is_learned_as_its_logarithm_by_itself() -> None:
    dataset = multiplied(spread=1.3)
    found = task(dataset)
    assert found.settings.target_scale == "auto"  # each fold chooses by itself
    assert target_of(found).scale is not None
    (note,) = found.notes
    assert note.startswith("price is skewed (")
    assert "): learned as its logarithm, which left " in note
    assert note.endswith("; --target-scale none learns it as it is.")
    plain = task(dataset, target_scale="none")
    scores = [measure(learn(one)).score for one in (found, plain)]
    assert scores[0].score > scores[1].score + 0.1  # type: ignore[union-attr]
    again = task(dataset, target_scale="log")
    assert again.recipe == found.recipe == task(dataset).recipe


def test_a_target_that_adds_up_is_left_as_it_is_and_that_is_said() -> None:
    random_state = np.random.RandomState(0)
    X = random_state.exponential(size=(400, 3))
    dataset = Dataset("made", "array", X, X @ [3.0, 2.0, 0.5] + 0.1, None, target_name="sum")
    found = task(dataset)
    assert target_of(found).scale is None
    (note,) = found.notes
    assert note.endswith("learned as it is, as its logarithm was not clearly better in a trial.")


@pytest.mark.parametrize(
    "values",
    [
        lambda y: np.log(y),  # not skewed
        lambda y: y - np.quantile(y, 0.9),  # some below 0
        lambda y: -y,
        lambda y: np.stack([y, y], axis=1),
    ],
)
def test_other_targets_are_not_tried(values: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.experiment.target_scale._errors", None)  # would fail
    dataset = multiplied()
    found = task(replace(dataset, y=values(dataset.y)))
    assert target_of(found).scale is None
    assert found.notes == ()


def test_the_choice_knows_nothing_of_what_is_held_out() -> None:
    dataset = multiplied(spread=1.3)
    known = task(dataset)
    learned = [int(source[4:]) - 1 for source in known.train.sources]
    held = ~np.isin(np.arange(len(dataset)), learned)
    assert held.sum() == len(known.validation) + len(known.test) == 216  # type: ignore[arg-type]
    other = task(replace(dataset, y=np.where(held, dataset.y.max() - dataset.y + 1, dataset.y)))
    assert (other.recipe, other.notes) == (known.recipe, known.notes)


def test_a_zero_that_is_held_out_has_its_place_on_the_scale() -> None:
    dataset = multiplied(100)
    for row in range(3):  # held out or not
        y = dataset.y.copy()
        y[row] = 0.0
        found = task(replace(dataset, y=y), target_scale="log")
        target = target_of(found)
        assert target.scale is not None
        assert target.scale.shift == 1


def test_a_scale_that_does_not_fit_is_refused() -> None:
    iris = cp.load_data("iris")
    with pytest.raises(
        UsageError, match=r"--target-scale log is for one value a sample, and .* cla"
    ):
        set_task(Settings(data="iris", target_scale="log"), iris)
    assert set_task(Settings(data="iris"), iris).notes == ()
    dataset = multiplied(50)
    with pytest.raises(UsageError, match=r"--target-scale power is .* several values a sample"):
        task(replace(dataset, y=np.stack([dataset.y] * 2, axis=1)), target_scale="power")
    with pytest.raises(DataError, match="values below 0 have no logarithm"):
        task(replace(dataset, y=-dataset.y), target_scale="log")
    assert target_of(task(replace(dataset, y=-dataset.y), target_scale="power")).scale is not None


@pytest.mark.parametrize("scale", ["auto", "none", "log", "power"])
def test_targets_at_the_end_of_all_numbers_are_refused_in_one_sentence(scale: str) -> None:
    dataset = multiplied(200)
    y = dataset.y.copy()
    y[[3, 150]] = 1.7e308
    with pytest.raises(DataError, match=r"^The target of row \d+ .* 1.7e\+308; .* power of ten\.$"):
        task(replace(dataset, y=y), target_scale=scale)


def test_a_run_of_an_earlier_version_learned_values_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('data = "diabetes"\nepochs = 3\n')
    assert settings_in(path).target_scale == "none"
    Settings(data="diabetes", target_scale="log").save(path)
    assert settings_in(path).target_scale == "log"


def test_a_walk_writes_the_scale(tmp_path: Path) -> None:
    dataset = multiplied(100)
    np.savez(tmp_path / "made.npz", X=dataset.X, y=dataset.y)
    settings = Settings(data=str(tmp_path / "made.npz"), layers=(3,), epochs=2, target_scale="log")
    trained = learn(set_task(settings, dataset))
    cp.save(tmp_path / "model.safetensors", trained.model)
    walk = walk_step(
        make_ready(str(tmp_path / "model.safetensors"), data=settings.data), 0, "engine"
    )
    target = target_of(trained.task)
    assert target.scale is not None
    told = [fact for fact in walk.facts if "another scale" in fact]
    mean, std = target.mean[0], target.std[0]
    assert len(told) == 1
    assert f"y = (ln(price / {target.scale.unit:.6g}) - {mean:.6g}) / {std:.6g}" in told[0]


def test_a_large_network_is_not_tried_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.experiment.target_scale._errors", None)  # would fail
    found = task(multiplied(), layers=(600, 600))
    assert target_of(found).scale is None
    assert (
        "too large to try other scales. --target-scale log learns its logarithm" in found.notes[0]
    )


def test_ctrl_c_in_a_trial_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> cp.History:
        history = cp.History()
        history.stopped = "interrupted"
        return history

    monkeypatch.setattr(cp.Trainer, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        task(multiplied())


def test_a_trial_that_diverges_chooses_nothing() -> None:
    found = task(multiplied(), optimizer="sgd", learning_rate=1e30, schedule="constant")
    assert target_of(found).scale is None
