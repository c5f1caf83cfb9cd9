"""``clearprop compare``: several architectures, their mean and spread."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest
from PIL import Image

FAST = ("--epochs", 2, "--repeats", 2, "--folds", 0)


class TestCompare:
    def test_gives_mean_and_spread_of_each_architecture(self, clearprop, strict_json):
        layers = ("--layers", "3", "--layers", "4,3", "--layers", "none")
        result = clearprop("compare", "iris", *layers, *FAST, "--json")
        assert result.exit_code == 0
        found = strict_json(result.stdout)
        assert [one["layers"] for one in found["architectures"]] == [[3], [4, 3], []]
        # 4 inputs, 3 classes: W and b of every layer
        assert [one["parameters"] for one in found["architectures"]] == [27, 47, 15]
        for one in found["architectures"]:
            assert len(one["scores"]) == 2
            assert one["mean"] == pytest.approx(mean(one["scores"]))
            assert one["spread"] == pytest.approx(stdev(one["scores"]))
            assert one["baselines"]["constant"] == pytest.approx(1 / 3)  # every class alike
            assert 0.8 < one["baselines"]["linear"] <= 1
            assert one["score"] == "accuracy"
        with Image.open(found["picture"]) as picture:
            picture.verify()
        assert result.stderr.splitlines()[-1] == "none is trained, 3 of 3."

    @pytest.mark.slow
    def test_says_a_table_and_the_picture(self, clearprop, in_this_process):
        result = clearprop("compare", "iris", "--layers", 3, "--epochs", 1, "--repeats", 1)
        header, row, beaten, below, _, picture = result.stdout.splitlines()
        assert header.split()[:2] == ["hidden", "layers"]
        assert row.split()[:2] == ["3", "27"]
        assert re.fullmatch(
            r"To beat: always naming the larger class 33.33%, a linear model 9[\d.]+%\.", beaten
        )
        assert below == (
            "Below that: 3. The doctor may know why: clearprop doctor with the data, or with the "
            "folder of a run."
        )
        assert picture == "Picture: comparison/comparison.png"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("held", "part", "said"),
        [
            ({"test": 0}, "validation", "Of samples that give no score, as they chose the epoch."),
            (
                {"test": 0, "validation": 0},
                "train",
                "Of samples that give no score, as they were learned from.",
            ),
        ],
    )
    def test_says_of_samples_that_were_seen_that_they_give_no_score(
        self, clearprop, in_this_process, strict_json, held, part, said
    ):
        options = [word for name, share in held.items() for word in (f"--{name}", share)]
        compare = ("compare", "iris", "--layers", 3, "--epochs", 1, "--repeats", 1, "--folds", 0)
        assert said in clearprop(*compare, *options).stdout.splitlines()
        found = strict_json(clearprop(*compare, *options, "--json").stdout)
        assert found["architectures"][0]["part"] == part

    @pytest.mark.slow
    def test_says_the_mean_of_values_to_beat_and_doubts_nothing_that_beats_it(
        self, clearprop, in_this_process
    ):
        x = np.random.RandomState(0).randn(60, 2).round(3)
        rows = [f"{one},{other},{one * one + other / 9:.3f}" for one, other in x]  # no line
        Path("bow.csv").write_text("\n".join(["x,z,y", *rows]))
        task = ("--target", "y", "--task", "regress", "--folds", 0, "--patience", 0)
        able = ("--layers", 32, "--epochs", 200, "--repeats", 1, "--l2", 0, "--learning-rate", 0.05)
        result = clearprop("compare", "bow.csv", *task, *able)
        assert re.search(
            r"^To beat: always naming the mean -?[\d.]+, a linear model -?[\d.]+\.$",
            result.stdout,
            re.MULTILINE,
        )
        assert "Below that" not in result.stdout

    @pytest.mark.slow
    def test_leaves_out_what_diverges_and_says_so(self, clearprop, in_this_process, strict_json):
        wild = ("--optimizer", "sgd", "--schedule", "constant", "--learning-rate", 1e30)
        result = clearprop("compare", "iris", "--layers", 3, *wild, *FAST, "--json")
        assert result.exit_code == 1
        (one,) = strict_json(result.stdout)["architectures"]
        assert one["mean"] is None
        assert "2 of 2 trainings diverged" in result.stderr
        assert "Warning" not in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["iris"], "Missing option '--layers'"),
            (["iris", "--layers", "4", "--layers", "4"], "An architecture is given twice"),
            (["iris", "--layers", "0"], "layers takes whole numbers from 1"),
            (["iris", "--layers", "4", "--repeats", "0"], "0 is not in the range"),
            (["irs", "--layers", "4"], "Did you mean 'iris'?"),
        ],
    )
    def test_refuses_what_cant_be(self, clearprop, arguments, message):
        result = clearprop("compare", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr

    @pytest.mark.slow
    def test_ends_its_processes_on_ctrl_c(self):
        endless = ("--layers", "none", "--layers", "1500,1500", "--epochs", "9", "--repeats", "1")
        endless += ("--folds", "0")
        with subprocess.Popen(
            [sys.executable, "-m", "clearprop", "compare", "digits", *endless],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "none is trained, 1 of 2.\n"
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()  # ends when every process that holds it has ended
        assert process.returncode == 130
        assert rest.strip() == "Interrupted."
        assert not Path("comparison/comparison.png").exists()
