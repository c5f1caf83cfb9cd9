"""How good the default is: paired differences, who is flagged, and the measure itself."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # bench/ is no part of the package

from bench.defaults import CONSTANT, LINEAR, MLP, NOW, TREES, Split, difference, measure, report


@pytest.fixture
def table(tmp_path):
    """A table whose classes x parts without a mistake; a column of words says nothing."""
    x = np.linspace(-1, 1, 60)
    lines = [f"{at:.3f},{'ab'[row % 2]},{'yes' if at > 0.4 else 'no'}" for row, at in enumerate(x)]
    path = tmp_path / "parted.csv"
    path.write_text("\n".join(["x,word,target", *lines]) + "\n", encoding="utf-8")
    return path


def test_a_difference_is_paired():
    mean, error = difference([0.8, 0.9], [0.7, 0.7])
    assert mean == pytest.approx(0.15)
    assert error == pytest.approx(0.05)  # the differences 0.1 and 0.2 spread by 0.1 / sqrt(2)


def test_only_what_is_below_by_more_than_two_errors_is_named():
    def figures(*accuracy):
        return {"accuracy": list(accuracy), "log loss": [0.5] * 2, "seconds": [1.0] * 2}

    models = {
        NOW: figures(0.70, 0.71),
        CONSTANT: figures(0.71, 0.71),  # 0.005 +- 0.005 above
        LINEAR: figures(0.80, 0.81),  # 0.1 +- 0 above
        MLP: figures(0.9, 0.9),
    }
    told = report({"a": {"rows": 10, "kind": "classes", "models": models}}, ["a"])
    below = [line for line in told.splitlines() if "below" in line]
    assert below == ["a is below linear: accuracy -0.1000 ± 0.0000."]
    assert "| a | 10 | 0.705 ± 0.005 | 0.900 ± 0.000 | 0.805 ± 0.005 | 0.710 ± 0.000 |" in told


def test_peers_are_measured_on_the_rows_held_out(table):
    done = {}
    assert list(measure(table, done, {})) == [CONSTANT, LINEAR, MLP, TREES]
    assert (done["rows"], done["kind"]) == (60, "classes")
    assert done["models"][CONSTANT]["accuracy"] == [0.66667] * 5  # 8 of the 12 in proportion
    assert min(done["models"][LINEAR]["accuracy"]) > 0.8
    assert list(measure(table, done, {})) == []  # what is known is not measured again


def test_the_files_of_a_split_share_no_row_and_the_answers_hold_no_truth(table, tmp_path):
    Split(table, "target", True, 0, tmp_path / "0")
    known = (tmp_path / "0/train.csv").read_text(encoding="utf-8").splitlines()
    asked = (tmp_path / "0/test.csv").read_text(encoding="utf-8").splitlines()
    assert (known[0], asked[0]) == ("x,word,target", "x,word")
    rows = {line.rpartition(",")[0] for line in known[1:]} | set(asked[1:])
    assert (len(known), len(asked), len(rows)) == (49, 13, 60)
