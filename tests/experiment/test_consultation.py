"""What the doctor says of runs whose settings held-out samples chose."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clearprop.doctor import Examination, Finding
from clearprop.doctor.learning_rate import LearningRateTooLow
from clearprop.experiment import Settings, load_dataset, measure, set_task
from clearprop.experiment.consultation import Treatment, examine_run, treat
from clearprop.experiment.folder import save_run, save_settings
from clearprop.experiment.learning import learn
from clearprop.experiment.runs import REPORT, list_runs, require_run


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the pictures of runs, which take longer than to train them."""
    monkeypatch.setattr("clearprop.experiment.folder.draw_run", lambda *_: ([], []))


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, by folds, on a table whose columns say nothing of its classes."""
    folder = tmp_path_factory.mktemp("noise")
    draw = np.random.RandomState(3)
    rows = [
        f"{a:.3f},{b:.3f},{'uv'[k]}"
        for a, b, k in zip(*draw.randn(2, 600), draw.randint(2, size=600), strict=True)
    ]
    (folder / "noise.csv").write_text("\n".join(["a,b,kind", *rows]) + "\n")
    data, network = str(folder / "noise.csv"), "dense"
    return _train(folder / "runs" / "one", data=data, network=network, epochs=20)


def _train(folder: Path, **given) -> Path:
    settings = Settings(**given)
    task = set_task(settings, load_dataset(settings))
    folder.mkdir(parents=True)
    save_settings(folder, task.open_settings)
    trained = learn(task)
    save_run(folder, trained, measure(trained))
    return folder


@pytest.mark.slow
def test_regularisation_that_folds_chose_is_not_taken_back(noise: Path) -> None:
    assert set(require_run(str(noise)).chosen) == {"layers", "l2"}
    found = examine_run(noise)
    assert found.changes == {}  # whatever is learned by heart holds for no other sample
    assert list(treat(noise, found, None)) == []


def test_columns_that_tell_nothing_are_named_as_the_reason(noise: Path) -> None:
    (last,) = [one for one in examine_run(noise) if one.illness == "underfitting"]
    assert last.measurement.endswith("asking their ten nearest neighbours reaches no more.")
    assert last.advice.startswith("Perhaps the inputs don't tell the target")


def test_the_list_of_runs_has_the_layers_that_folds_chose(noise: Path) -> None:
    (listed,), _ = list_runs(noise.parent)
    assert listed.layers == require_run(str(noise)).chosen["layers"] is not None


@pytest.mark.slow
def test_a_run_that_diverged_chooses_anew_with_the_advice(noise: Path, tmp_path: Path) -> None:
    rows = Path(require_run(str(noise)).on(None).data).read_text().splitlines(keepends=True)
    (tmp_path / "less.csv").write_text("".join(rows[:201]))
    given = {"network": "dense", "epochs": 5, "learning_rate": 1e4}
    run = _train(tmp_path / "runs" / "far", data=str(tmp_path / "less.csv"), **given)
    first = next(treat(run, examine_run(run), None))
    assert first.finding.illness == "learning_rate_too_high"
    assert set(require_run(str(first.folder)).chosen) == {"layers", "l2"}


@pytest.fixture
def slow(tmp_path: Path) -> Callable[..., Path]:
    """Train on the moons, at a rate that leads nowhere."""
    return lambda **given: _train(
        tmp_path / "runs" / "slow", data="moons", epochs=30, learning_rate=1e-5, **given
    )


def _first_treatment(run: Path) -> Treatment:
    bad = Finding(LearningRateTooLow(), 10.0, 10.0, changes={"learning_rate": 0.01})
    return next(treat(run, Examination((bad,)), None))


@pytest.mark.slow
def test_samples_that_give_the_score_do_not_choose_between_runs(
    slow: Callable[..., Path],
) -> None:
    run = slow(folds=0)
    report = json.loads((run / REPORT).read_text())
    report["test"] |= {report["test"]["score"]: 1.0, "loss": 0.0}
    (run / REPORT).write_text(json.dumps(report))
    found = _first_treatment(run)
    assert found.before["accuracy"] == 1 > found.after["accuracy"]
    assert (found.chosen_by, found.score_chose) == ("validation", False)
    assert found.best == found.folder != run


@pytest.mark.slow
@pytest.mark.parametrize(("test", "score_chose"), [(None, True), ("0.2", False)])
def test_folds_that_choose_between_runs_flatter_unless_others_score(
    slow: Callable[..., Path], test: str | None, score_chose: bool
) -> None:
    found = _first_treatment(slow(folds=3, test=test))
    assert (found.chosen_by, found.score_chose) == ("folds", score_chose)
    assert found.best == found.folder


@pytest.mark.slow
def test_without_a_report_of_the_first_run_any_score_is_better(slow: Callable[..., Path]) -> None:
    run = slow(folds=0)
    (run / REPORT).unlink()
    found = _first_treatment(run)
    assert (found.chosen_by, found.score_chose, found.before) == (None, False, {})
    assert found.best == found.folder
