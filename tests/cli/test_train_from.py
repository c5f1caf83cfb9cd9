"""``clearprop train --from``: training goes on from a model."""

import os
import shutil
import signal
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.training import ProgressLine

STILL = ("--learning-rate", 1e-30, "--l2", 0)  # float32 weights do not feel it


def table(path, *, seed, shift=0.0, classes=("no", "yes"), rows=60):
    random_state = np.random.RandomState(seed)
    size = random_state.randn(rows) + shift
    label = np.array(classes)[np.searchsorted([shift, shift + 0.8], size) % len(classes)]
    lines = [
        f"{a:.4f},{b},{c}" for a, b, c in zip(size, ["red", "blue"] * rows, label, strict=False)
    ]
    Path(path).write_text("\n".join(["size,colour,kind", *lines, ""]))
    return path


@pytest.fixture
def begun(clearprop):
    """A run that has held a fifth out, and new data of the same kind on another scale."""
    table("old.csv", seed=0, rows=100)
    table("new.csv", seed=1, shift=5.0)
    options = ("--layers", 5, "--activation", "tanh", "--epochs", 4, "--folds", 0)
    assert clearprop("train", "old.csv", *options, "--out", "old").exit_code == 0
    return Path("old")


def weights(run):
    return cp.load(Path(run, "model.safetensors")).network.parameters.data


def settings(run):
    return tomllib.loads(Path(run, "config.toml").read_text())


class TestGoingOn:
    @pytest.mark.parametrize("word", ["old", "old/model.safetensors", "alone.safetensors"])
    def test_takes_weights_recipe_and_settings(self, clearprop, begun, word):
        shutil.copy("old/model.safetensors", "alone.safetensors")
        result = clearprop("train", "new.csv", "--from", word, *STILL, "--out", "more")
        assert result.exit_code == 0, result.stderr
        np.testing.assert_array_equal(weights("more"), weights("old"))
        old, more = (cp.load(f"{name}/model.safetensors") for name in ("old", "more"))
        assert more.preprocessing.inputs == old.preprocessing.inputs
        fitted = replace(more.preprocessing.target, temperature=1.0)  # each to its own rows
        assert fitted == replace(old.preprocessing.target, temperature=1.0)
        told = {"data", "start", "learning_rate", "l2"}
        kept = {name: value for name, value in settings("more").items() if name not in told}
        assert kept == {name: value for name, value in settings("old").items() if name not in told}
        assert f"Goes on from {word}: its weights" in result.stderr
        assert "but for learning_rate, l2." in result.stderr

    def test_learns_further(self, clearprop, begun):
        options = ("--from", begun, "--epochs", 20, "--out", "more")
        assert clearprop("train", "new.csv", *options).exit_code == 0
        assert not np.array_equal(weights("more"), weights("old"))
        assert settings("more")["epochs"] == 20

    def test_without_data_takes_those_of_the_run_and_the_same_parts(
        self, clearprop, begun, strict_json
    ):
        found = strict_json(clearprop("train", "--from", begun, *STILL, "--json").stdout)
        report = strict_json((begun / "report.json").read_text())
        for name in ("samples", "accuracy", "log_loss", "baselines"):
            assert found["test"][name] == report["test"][name]
        assert found["data"] == str(Path("old.csv").resolve())

    def test_in_folds_begins_each_with_the_weights(self, clearprop, begun, strict_json):
        options = ("--from", begun, *STILL, "--folds", 3)
        found = strict_json(clearprop("train", "new.csv", *options, "--json").stdout)
        scored = strict_json(clearprop("evaluate", begun, "new.csv", "--json").stdout)
        assert found["folds"]["accuracy"] == scored["accuracy"]
        assert found["folds"]["samples"] == 60

    def test_drops_what_suited_another_optimizer(self, clearprop, begun):
        options = ("--from", begun, "--optimizer", "sgd", "--out", "more")
        assert clearprop("train", "new.csv", *options).exit_code == 0
        assert settings("more")["learning_rate"] == cp.SGD.usual_rate

    def test_takes_fewer_classes_in_any_order_and_passes_columns_over(
        self, clearprop, elsewhere, strict_json
    ):
        table("three.csv", seed=0, classes=("low", "mid", "top"), rows=120)
        options = ("--layers", 4, "--epochs", 3, "--folds", 0, "--out", "three")
        assert clearprop("train", "three.csv", *options).exit_code == 0
        rows = Path("three.csv").read_text().splitlines()
        kept = [rows[0] + ",extra", *(f"{row},1" for row in rows[1:] if not row.endswith("mid"))]
        Path("two.csv").write_text("\n".join(kept))
        options = (
            "--from",
            "three",
            *STILL,
            "--class-weight",
            "balanced",
            "--out",
            "two",
            "--json",
        )
        result = clearprop("train", "two.csv", *options)
        assert result.exit_code == 0, result.stderr
        assert "1 column that three does not take, passed over: extra." in result.stderr
        assert cp.load("two/model.safetensors").class_names == ("low", "mid", "top")
        known = strict_json(clearprop("evaluate", "three", "two.csv", "--json").stdout)
        found = strict_json(result.stdout)
        counts = [found[part]["samples"] for part in ("train", "validation", "test")]
        right = sum(
            found[p]["accuracy"] * found[p]["samples"] for p in ("train", "validation", "test")
        )
        assert right / sum(counts) == pytest.approx(known["accuracy"])

    def test_takes_values_and_their_scale(self, clearprop, elsewhere):
        for name, seed in (("a.csv", 0), ("b.csv", 1)):
            x = np.random.RandomState(seed).rand(60)
            lines = [f"{one:.4f},{3 * one + seed:.4f}" for one in x]
            Path(name).write_text("\n".join(["x,y", *lines]))
        assert clearprop("train", "a.csv", "--epochs", 3, "--out", "a").exit_code == 0
        assert clearprop("train", "b.csv", "--from", "a", *STILL, "--out", "b").exit_code == 0
        one, other = (cp.load(f"{name}/model.safetensors") for name in "ab")
        np.testing.assert_array_equal(one.predict("b.csv"), other.predict("b.csv"))

    def test_takes_pictures_to_the_size_of_the_model(self, clearprop, picture_model, photos):
        options = ("--from", picture_model.parent, *STILL, "--out", "more")
        result = clearprop("train", photos, *options)
        assert result.exit_code == 0, result.stderr
        np.testing.assert_array_equal(weights("more"), weights(picture_model.parent))

    def test_holds_the_groups_out_that_the_run_did(self, clearprop, elsewhere):
        for name, seed in (("a.csv", 0), ("b.csv", 1)):
            rows = Path(table(name, seed=seed, rows=100)).read_text().splitlines()
            named = [f"{row},p{place % 10}" for place, row in enumerate(rows[1:])]
            Path(name).write_text("\n".join([rows[0] + ",person", *named]))
        options = ("--target", "kind", "--group", "person", "--epochs", 2)
        assert clearprop("train", "a.csv", *options, "--out", "a").exit_code == 0
        result = clearprop("train", "b.csv", "--from", "a", "--out", "b")
        assert result.exit_code == 0, result.stderr
        assert "'person' is left out of the inputs" in result.stderr
        assert settings("b")["group"] == "person"


class TestARunThatWentOn:
    def test_is_repeated_to_the_byte_from_its_settings(self, clearprop, begun, monkeypatch):
        assert clearprop("train", "new.csv", "--from", begun, "--out", "more").exit_code == 0
        config = Path("more/config.toml").resolve()
        Path("away").mkdir()
        monkeypatch.chdir("away")
        assert clearprop("train", "--config", config, "--out", "again").exit_code == 0
        again = Path("again/model.safetensors").read_bytes()
        assert again == (config.parent / "model.safetensors").read_bytes()
        assert str(config.parents[1]).encode() not in again

    def test_goes_on_to_the_same_bytes_after_ctrl_c(self, clearprop, begun, monkeypatch):
        options = ("train", "new.csv", "--from", begun, "--epochs", 6, "--checkpoint-every", 0)
        assert clearprop(*options, "--out", "whole").exit_code == 0

        def interrupt(_line, run):
            if run.epoch == 3:
                os.kill(os.getpid(), signal.SIGINT)

        with monkeypatch.context() as patched:
            patched.setattr(ProgressLine, "on_epoch_end", interrupt)
            assert clearprop(*options, "--out", "part").exit_code == 130
        assert clearprop("train", "--resume", "--out", "part").exit_code == 0
        np.testing.assert_array_equal(weights("part"), weights("whole"))

    def test_has_learned_from_the_data_before_it_too(self, clearprop, begun, strict_json):
        assert clearprop("train", "new.csv", "--from", begun, "--out", "more").exit_code == 0
        found = strict_json(clearprop("evaluate", "more", "old.csv", "--json").stdout)
        assert found["learned_from"]


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--layers", 7), "old has 5 as layers"),
            (("--activation", "relu"), "old has tanh as activation"),
            (("--batch-norm",), "as batch_norm, which belongs to the model"),
            (("--target", "size"), "as target, which belongs to the model"),
            (("--target-scale", "log"), "old has auto as target_scale"),
        ],
    )
    def test_is_what_the_model_can_not_become(self, clearprop, begun, options, message):
        result = clearprop("train", "new.csv", "--from", begun, *options)
        assert result.exit_code == 2
        assert message in result.stderr
        assert not Path("runs").exists()

    def test_are_classes_that_it_does_not_know(self, clearprop, begun):
        table("other.csv", seed=2, classes=("no", "yes", "perhaps"))
        result = clearprop("train", "other.csv", "--from", begun)
        assert result.exit_code == 1
        assert "has the class 'perhaps', and old knows no, yes" in result.stderr

    @pytest.mark.parametrize(
        ("data", "message"),
        [("iris", "'size' is missing"), ("digits", "expected a table"), ("gone.csv", "gone.csv")],
    )
    def test_are_other_data(self, clearprop, begun, data, message):
        result = clearprop("train", data, "--from", begun)
        assert result.exit_code == 1
        assert message in result.stderr

    @pytest.mark.parametrize(
        "options",
        [
            ("--seed", 1),
            ("--test", 0.4),
            ("--folds", 5),
            ("old.csv", "--seed", 2),
            ("new.csv", "--test", "old.csv"),
        ],
    )
    def test_is_a_score_by_samples_that_were_learned_from(self, clearprop, begun, options):
        result = clearprop("train", "--from", begun, *options)
        assert result.exit_code == 2
        assert "old has learned from samples of" in result.stderr
        (advice,) = (line for line in result.stderr.splitlines() if "--folds 0" in line)
        without = advice[advice.index("--folds") :].split()
        done = clearprop("train", "--from", begun, *without, "--out", "more")
        assert done.exit_code == 0, done.stderr
        assert "Held out" not in done.stdout

    def test_is_that_score_over_several_models_too(self, clearprop, begun):
        assert clearprop("train", "new.csv", "--from", begun, "--out", "more").exit_code == 0
        result = clearprop("train", "old.csv", "--from", "more", "--seed", 1)
        assert result.exit_code == 2
        assert "has learned from samples of old.csv" in result.stderr

    @pytest.mark.slow
    def test_is_that_score_of_a_run_in_folds(self, clearprop, begun):
        assert clearprop("train", "new.csv", "--layers", 3, "--out", "folds").exit_code == 0
        result = clearprop("train", "--from", "folds", "--folds", 0)
        assert result.exit_code == 2
        assert "folds has learned from samples of" in result.stderr

    def test_is_a_model_that_train_did_not_make(self, clearprop, begun):
        cp.save("mine.safetensors", cp.load("old/model.safetensors").network)
        result = clearprop("train", "new.csv", "--from", "mine.safetensors")
        assert result.exit_code == 2
        assert "does not say how it was trained" in result.stderr
