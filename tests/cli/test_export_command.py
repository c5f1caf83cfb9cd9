"""``clearprop export``: what is written, what is said of it, and what is refused."""

import json
import runpy
import shutil

import pytest

from clearprop.exports.python.target import PythonTarget
from clearprop.files.models import load


def test_it_writes_a_file_and_says_how_near_it_comes(clearprop, table_run, elsewhere):
    result = clearprop("export", table_run, "people.py")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("people.py (")
    assert "Run by Python" in result.stdout
    assert "answers changed 0" in result.stdout
    assert result.stderr == ""
    module = runpy.run_path(str(elsewhere / "people.py"))
    rows = {"age": [30, None, 61], "colour": ["red", "green", None], "weight": [1, 2.5, 3]}
    model = load(table_run / "model.safetensors")
    expected = model.predict(rows).tolist()
    assert module["predict"](rows).tolist() == expected


def test_json_tells_the_proof(clearprop, table_run, people, strict_json):
    result = clearprop("export", table_run, "p.py", "--verify", people, "--json")
    told = strict_json(result.stdout)
    proof = told["proof"]
    assert proof["holds"] is True
    assert proof["kinds"]["data"] > 80  # those that it was trained on, and these
    assert proof["kinds"].keys() >= {"extremes", "missing cells", "unknown categories"}
    assert told["files"]["p.py"] > 1000


@pytest.mark.parametrize("end", ["", ",buys"], ids=["no answers", "other classes"])
def test_rows_of_ones_own_need_no_answers_that_are_known(clearprop, table_run, elsewhere, end):
    answer = ",perhaps" if end else ""
    rows = [
        f"age,colour,weight{end}",
        *(f"{one}{answer}" for one in ("31,red,2.5", ",blue,", "77,,1e9")),
    ]
    (elsewhere / "new.csv").write_text("\n".join(rows))
    proofs = [
        json.loads(clearprop("export", table_run, f"p{len(more)}.py", "--json", *more).stdout)[
            "proof"
        ]
        for more in ((), ("--verify", "new.csv"))
    ]
    assert proofs[1]["kinds"]["data"] == proofs[0]["kinds"]["data"] + 3
    assert proofs[1]["right"] == proofs[0]["right"]  # what is right is known of the others


def test_rows_of_ones_own_that_can_not_be_read_are_named(clearprop, table_run, elsewhere):
    (elsewhere / "new.csv").write_text("age\n31\n")
    for name, said in (("new.csv", "colour"), ("absent.csv", "absent.csv")):
        result = clearprop("export", table_run, "p.py", "--verify", name)
        assert result.exit_code != 0
        assert said in result.stderr
    assert not (elsewhere / "p.py").exists()


def test_without_its_data_rows_are_made_up_and_that_is_said(clearprop, table_run, tmp_path):
    lone = tmp_path / "alone.safetensors"
    shutil.copy(table_run / "model.safetensors", lone)
    result = clearprop("export", lone, "p.py")
    assert result.exit_code == 0, result.stderr
    assert "(300 drawn, " in result.stdout
    assert "proved on rows that are made up" in result.stderr
    assert clearprop("export", lone, "q.py", "--data", "absent.csv").exit_code != 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["m.txt"], "the ending .txt, which tells no target; expected one of .c, "),
        (["m"], "has no ending, which tells no target"),
        (["m.py", "--int8"], "--int8 is of C alone"),
        (["m.safetensors", "--format", "c", "--force"], "is the name of a model's file"),
        (["m.py", "--format", "pyton"], "Did you mean 'python'?"),
    ],
)
def test_what_is_not_known_is_a_mistake_of_the_command(clearprop, table_run, given, said):
    result = clearprop("export", table_run, *given)
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_stands_there_is_kept_unless_forced(clearprop, table_run, elsewhere):
    path = elsewhere / "p.py"
    path.write_text("mine")
    result = clearprop("export", table_run, path)
    assert (result.exit_code, path.read_text()) == (2, "mine")
    assert "--force" in result.stderr
    assert clearprop("export", table_run, path, "--force").exit_code == 0
    assert "def predict" in path.read_text()


def test_an_export_that_is_not_equal_is_not_written(clearprop, table_run, elsewhere, monkeypatch):
    monkeypatch.setattr(PythonTarget, "tolerance", -1.0)
    result = clearprop("export", table_run, "p.py")
    assert result.exit_code == 1
    assert "p.py was not written, as it does not do what the model does" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(clearprop, table_run):
    result = clearprop("export", table_run, "nowhere/p.py")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
