"""``clearprop report``, and the page that ``train`` writes."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from clearprop.files.models import load


def data_of(page: Path) -> dict:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found.group(1), parse_constant=pytest.fail)


def test_train_writes_the_page_of_its_run(table_run, people, tmp_path):
    (run,) = data_of(table_run / "report.html")["runs"]
    assert run["command"].startswith(f"clearprop train {people}")
    assert "--layers 16" in run["command"]
    assert run["samples"]["part"] == "test"
    assert run["train"] is None
    assert run["history"]["epoch"] == list(range(1, 101))
    assert [one["epoch"] for one in run["kept"]] == list(range(0, 97, 8))
    path = tmp_path / "model.safetensors"
    path.write_bytes(base64.b64decode(run["model"]))
    raw = run["samples"]["raw"]
    np.testing.assert_allclose(
        load(path).predict_proba(raw), load(table_run / "model.safetensors").predict_proba(raw)
    )


def test_the_page_is_written_anew_with_the_data_in_it(clearprop, table_run, strict_json):
    result = clearprop("report", table_run, "--embed-data", "--out", "page.html", "--json")
    assert result.exit_code == 0, result.stderr
    told = strict_json(result.stdout)
    assert told == {
        "runs": [str(table_run)],
        "page": "page.html",
        "bytes": Path("page.html").stat().st_size,
    }
    (run,) = data_of(Path("page.html"))["runs"]
    (before,) = data_of(table_run / "report.html")["runs"]
    assert run["train"]["shape"][0] + run["samples"]["shape"][0] <= 80
    assert run["train"]["part"] == "train"
    assert {name: run[name] for name in before if name != "train"} == {
        name: value for name, value in before.items() if name != "train"
    }


def test_the_doctor_s_finding_stays(clearprop):
    options = ("--folds", 0, "--epochs", 40, "--learning-rate", 1e7, "--layers", 32)
    assert clearprop("train", "iris", *options).exit_code == 1
    (before,) = data_of(Path("runs/iris/report.html"))["runs"]
    (finding,) = before["doctor"]
    assert finding["said"].startswith("Learning rate too high.")
    assert "clearprop train iris" in finding["advice"]
    assert clearprop("report", "runs/iris").exit_code == 0
    (after,) = data_of(Path("runs/iris/report.html"))["runs"]
    assert after["doctor"] == before["doctor"]
    assert after["report"] == before["report"]


@pytest.mark.parametrize("doctor", ["x", [], {"illness": "x"}, {"illness": 1, "finding": "x"}])
def test_a_finding_that_is_none_is_not_shown(clearprop, run, doctor):
    path = run / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"doctor": doctor}))
    assert clearprop("report", run).exit_code == 0
    assert data_of(run / "report.html")["runs"][0]["doctor"] is None


def test_several_runs_stand_beside_each_other(clearprop, table_run, array_model):
    result = clearprop("report", table_run, array_model.parent, "--out", "both.html")
    assert result.exit_code == 0, result.stderr
    assert "both.html, " in result.stdout
    names = [run["name"] for run in data_of(Path("both.html"))["runs"]]
    assert names == ["people", "run"]


def test_without_its_data_it_shows_no_samples(clearprop, people, tmp_path):
    data = tmp_path / "gone.csv"
    data.write_bytes(people.read_bytes())
    short = ("--layers", 4, "--epochs", 2, "--folds", 0, "--out", "run")
    assert clearprop("train", data, *short).exit_code == 0
    data.unlink()
    result = clearprop("report", "run")
    assert result.exit_code == 0
    assert "shows no samples" in result.stderr
    assert data_of(Path("run/report.html"))["runs"][0]["samples"] is None
    refused = clearprop("report", "run", "--embed-data")
    assert refused.exit_code == 2
    assert "gone.csv" in refused.stderr
    assert clearprop("report", "run", "--embed-data", "--data", people).exit_code == 0


def test_what_is_no_run_is_refused(clearprop):
    result = clearprop("report", "nothing")
    assert result.exit_code == 2
    assert "nothing is no run's folder" in result.stderr


@pytest.fixture
def run(clearprop, people) -> Path:
    """A short run that a test may damage."""
    short = ("--layers", 4, "--epochs", 2, "--folds", 0, "--out", "run")
    assert clearprop("train", people, *short).exit_code == 0
    return Path("run")


def test_samples_of_other_classes_are_not_shown_as_those_of_the_model(clearprop, people, run):
    Path("other.csv").write_text(people.read_text().replace(",yes\n", ",maybe\n"))
    result = clearprop("report", run, "--data", "other.csv")
    assert result.exit_code == 0
    assert "have the classes maybe, no now, and the model knows no, yes" in result.stderr
    assert data_of(run / "report.html")["runs"][0]["samples"] is None


@pytest.mark.parametrize("text", [b'{"a":', b"\xff\xfe", b"[1, 2]", b'{"settings": []}'])
def test_a_damaged_report_is_named(clearprop, run, text):
    (run / "report.json").write_bytes(text)
    result = clearprop("report", run)
    assert result.exit_code == 1
    assert "report.json" in result.stderr
    assert "Traceback" not in result.stderr


def test_damaged_epochs_are_told(clearprop, run):
    (run / "epochs.safetensors").write_bytes((run / "epochs.safetensors").read_bytes()[:-7])
    result = clearprop("report", run)
    assert result.exit_code == 0
    assert "epochs.safetensors is damaged" in result.stderr
    assert data_of(run / "report.html")["runs"][0]["kept"] == []


def test_a_page_does_not_tell_where_files_lie(people, run):
    told = data_of(run / "report.html")["runs"][0]
    assert told["report"]["data"] == told["settings"]["data"] == people.name
    assert "model" not in told["report"]
    commands = {"command": "", "doctor": None}  # as they were, or are to be typed
    assert str(people.parent) not in json.dumps(told | commands)
