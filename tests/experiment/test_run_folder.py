"""The folder of a run: never another run's, and readable by others."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

import clearprop as cp
from clearprop.errors import OutputError, UsageError
from clearprop.experiment import Settings, learn, measure, set_task
from clearprop.experiment.folder import dumps, open_folder, save_run


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def occupied(folder: Path) -> Path:
    (folder / "config.toml").write_text('data = "iris"\n')
    return folder


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("digits", "digits"),
        ("some/photos/", "photos"),
        ("some/table.csv", "table"),
        ("../up/mine.npz", "mine"),
    ],
)
def test_a_folder_is_called_like_its_data_and_never_taken_twice(data: str, name: str) -> None:
    for expected in (name, f"{name}-2", f"{name}-3"):
        folder = occupied(open_folder(None, data, resume=False))
        assert folder == Path("runs", expected)


def test_a_named_folder_that_holds_a_run_is_refused_unless_it_goes_on() -> None:
    folder = open_folder("mine/run", "digits", resume=False)
    assert open_folder("mine/run", "digits", resume=False) == folder  # nothing stands there yet
    occupied(folder)
    with pytest.raises(UsageError, match=r"mine/run holds a run already.*--resume --out mine/run"):
        open_folder("mine/run", "digits", resume=False)
    assert open_folder("mine/run", "digits", resume=True) == folder


def test_a_folder_that_can_not_be_made_is_named() -> None:
    Path("file").touch()
    with pytest.raises(OutputError, match="file/run can't be written"):
        open_folder("file/run", "digits", resume=False)
    with pytest.raises(OutputError, match="file can't be written"):
        open_folder("file", "digits", resume=False)


def test_json_has_null_for_what_is_not_finite() -> None:
    value = {"a": [math.nan, 1.5], "b": (math.inf, {"c": -math.inf}), "ä": None, "d": True}
    assert json.loads(dumps(value)) == {
        "a": [None, 1.5],
        "b": [None, {"c": None}],
        "ä": None,
        "d": True,
    }
    assert "ä" in dumps(value)


@pytest.mark.parametrize("folds", [0, 3])
@pytest.mark.parametrize(("data", "score"), [("iris", "accuracy"), ("diabetes", "r2")])
def test_model_history_and_report_are_saved(data: str, score: str, folds: int) -> None:
    settings = Settings(data=data, layers=(3,), epochs=2, folds=folds)
    run = learn(set_task(settings, cp.load_data(data)))
    folder = open_folder(None, data, resume=False)
    measured = measure(run)
    report = save_run(folder, run, measured)
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "config.toml",
        "history.csv",
        "report.json",
    }
    assert json.loads((folder / "report.json").read_text()) == report
    assert cp.History.load(folder / "history.csv").rows == run.history.rows
    part = "folds" if folds else "test"
    training = cp.load(folder / "model.safetensors").training
    assert training.items() > run.model.training.items()
    assert training["score"] == report[part]
    found = report[part]
    assert (found["score"], found[score]) == (score, measured.score.score)
    assert found["loss"] == measured.score.loss
    assert found["baselines"].keys() == {"constant", "linear"}
    learned, of = run.task.train, accuracy_score if score == "accuracy" else r2_score
    truth = np.array(learned.class_names)[learned.y] if learned.class_names else learned.y
    kept = cp.load(folder / "model.safetensors").predict(learned.X)
    assert report["train"][score] == pytest.approx(of(truth, kept), rel=1e-5)
    if folds:
        assert report["samples"] == {"folds": len(run.task.train), "train": len(run.task.train)}
    else:
        parts = {"test": run.task.test, "validation": run.task.validation, "train": run.task.train}
        assert report["samples"] == {name: len(one) for name, one in parts.items()}
    assert report["epochs"] == len(run.history)
    assert (report["stopped"], report["data"]) == ("finished", data)
