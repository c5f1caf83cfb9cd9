"""The folder of a run: never another run's, and readable by others."""

import json
import math
from pathlib import Path

import pytest

import clearprop as cp
from clearprop.errors import OutputError, UsageError
from clearprop.experiment import Settings, learn, set_task
from clearprop.experiment.folder import dumps, measure, open_folder, save_run


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


@pytest.mark.parametrize(("data", "score"), [("iris", "accuracy"), ("diabetes", "r2")])
def test_model_history_and_report_are_saved(data: str, score: str) -> None:
    run = learn(set_task(Settings(data=data, layers=(3,), epochs=2), cp.load_data(data)))
    folder = open_folder(None, data, resume=False)
    measured = measure(run)
    report = save_run(folder, run, measured)
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "history.csv",
        "report.json",
    }
    assert json.loads((folder / "report.json").read_text()) == report
    assert cp.History.load(folder / "history.csv").rows == run.history.rows
    assert cp.load(folder / "model.safetensors").training == run.model.training
    assert report["validation"] == {"loss": measured.held_out.loss, score: measured.held_out.score}
    assert report["train"][score] == run.history[score][-1]
    assert report["samples"] == {"train": len(run.task.train), "validation": len(run.task.held_out)}
    assert (report["epochs"], report["stopped"], report["data"]) == (2, "finished", data)
    assert "test" not in report
