"""The doctor at the end of ``train``, where something went wrong, and ``doctor --apply``."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from clearprop.cli.doctor import command_with
from clearprop.cli.options import settings_from
from clearprop.cli.train import train
from clearprop.doctor import Examination, Finding
from clearprop.doctor.learning_rate import LearningRateTooHigh
from clearprop.doctor.outcome import OneAnswer
from clearprop.experiment import Settings, consultation
from clearprop.experiment.runs import SETTINGS, require_run
from clearprop.experiment.settings import described, settings_in

Clearprop = Callable[..., Result]

SHORT = ("--folds", 0, "--epochs", 40)
NO_NUMBER = ("iris", "--optimizer", "sgd", "--learning-rate", 1e9, "--layers", "16,16", *SHORT)
HUGE = ("iris", "--learning-rate", 1e7, "--layers", 32, *SHORT)


@pytest.mark.parametrize("options", [NO_NUMBER, HUGE], ids=["no number", "a huge one"])
def test_a_run_that_diverged_says_so_first_and_ends_with_what_to_type(
    clearprop: Clearprop, options: tuple[object, ...]
) -> None:
    result = clearprop("train", *options)
    assert result.exit_code == 1
    first, *_, doctor, to_type = result.stdout.splitlines()
    assert first.startswith("Diverged: ")
    assert doctor.startswith("Doctor: Learning rate too high. With a rate of 1")
    assert "Next:" not in result.stdout
    assert to_type.startswith("Try:    clearprop train iris ")
    again = clearprop(*shlex.split(to_type.removeprefix("Try:    clearprop ")))
    assert again.exit_code == 0
    assert "Diverged" not in again.stdout
    for option in map(str, options):
        assert option in shlex.split(to_type) or option.startswith("1") or option == "--folds"


def test_a_loss_that_is_huge_and_finite_is_told_in_json(
    clearprop: Clearprop, strict_json: Callable[[str], Any]
) -> None:
    result = clearprop("train", *HUGE, "--json")
    assert result.exit_code == 1
    told = strict_json(result.stdout)
    assert told["stopped"] != "diverged"
    assert told["diverged"].endswith("training diverged.")
    assert told["doctor"]["illness"] == "learning_rate_too_high"
    assert told["doctor"]["finding"].startswith("Learning rate too high. ")
    assert told["doctor"]["command"].startswith("clearprop train iris ")
    assert told["doctor"]["changes"]["learning_rate"] < 1
    assert strict_json(Path("runs/iris/report.json").read_text())["diverged"] == told["diverged"]


def test_a_healthy_run_ends_without_the_doctor_s_words(
    clearprop: Clearprop, strict_json: Callable[[str], Any]
) -> None:
    result = clearprop("train", "moons", *SHORT)
    assert result.exit_code == 0
    assert "octor" not in result.output
    told = strict_json(clearprop("train", "moons", *SHORT, "--json").stdout)
    assert told["diverged"] is None
    assert told["doctor"] is None


def test_weights_kept_far_above_the_best_call_the_doctor(clearprop: Clearprop) -> None:
    noisy = np.random.RandomState(3)
    X = noisy.randn(300, 40)
    y = (X[:, 0] + 0.5 * noisy.randn(300) > 0).astype(int)
    np.savez("noise.npz", X=X, y=y)
    options = ("noise.npz", "--layers", 64, "--learning-rate", 0.02, "--validation", 0.5)
    overfitted = clearprop("train", *options, "--epochs", 60, "--patience", 0, "--test", 0)
    assert overfitted.exit_code == 0
    assert "Doctor: Overfitting. " in overfitted.stdout
    assert "--patience 10" in overfitted.stdout.splitlines()[-3]


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_at_the_doctor_s_costs_nothing_but_the_advice(
    clearprop: Clearprop,
    strict_json: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    as_json: bool,
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(consultation, "first_finding", interrupted)
    result = clearprop("train", *HUGE, *(["--json"] if as_json else []))
    assert result.exit_code == 130
    assert "The run is saved. To ask the doctor again: clearprop doctor runs/iris" in result.stderr
    if as_json:
        assert strict_json(result.stdout)["doctor"] is None
    assert Path("runs/iris/model.safetensors").exists()
    assert clearprop("evaluate", "runs/iris/model.safetensors", "iris").exit_code == 0


def test_advice_is_applied_beside_the_run_until_it_is_healthy(clearprop: Clearprop) -> None:
    clearprop("train", *NO_NUMBER, "--out", "kept/first")
    before = {path: path.read_bytes() for path in Path("kept/first").iterdir()}
    result = clearprop("doctor", "kept/first", "--apply")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "1. Learning rate too high: --learning-rate 0.1"
    assert lines[1].startswith("   accuracy ")
    assert lines[2] == "   Saved in kept/first-2."
    assert lines[-1].startswith("Healthy: kept/first-")
    assert {path: path.read_bytes() for path in Path("kept/first").iterdir()} == before
    assert clearprop("doctor", "kept/first-2").stdout.count("Learning rate too high") == 0
    assert not Path("runs").exists()


def test_rounds_are_told_in_json(clearprop: Clearprop, strict_json: Callable[[str], Any]) -> None:
    clearprop("train", *HUGE)
    told = strict_json(clearprop("doctor", "runs/iris", "--apply", "--json").stdout)
    first = told["rounds"][0]
    assert first["finding"]["illness"] == "learning_rate_too_high"
    assert first["diverged"] is None
    assert first["after"]["accuracy"] >= first["before"]["accuracy"]
    assert first["after"]["loss"] < first["before"]["loss"]
    assert first["after"]["accuracy"] > first["after"]["baselines"]["constant"]["accuracy"]
    assert told["healthy"] is True
    assert told["run"] == told["rounds"][-1]["run"]
    assert strict_json(clearprop("doctor", told["run"], "--apply", "--json").stdout)["rounds"] == []


def test_where_no_advice_is_left_that_is_said(clearprop: Clearprop) -> None:
    heaps = np.random.RandomState(0)
    y = np.arange(300) % 3
    X = np.array([[0, 3], [3, -2], [-3, -2]])[y] + heaps.randn(300, 2) * 0.7
    np.savez("heaps.npz", X=X, y=np.where(heaps.rand(300) < 0.12, (y + 1) % 3, y))
    clearprop("train", "heaps.npz", *SHORT)
    result = clearprop("doctor", "runs/heaps", "--apply")
    assert result.exit_code == 1
    assert result.stdout == (
        "No advice is left to try for runs/heaps, which still has: labels that look wrong.\n"
    )
    assert not Path("runs/heaps-2").exists()


def test_advice_that_makes_it_worse_is_left_behind(clearprop: Clearprop) -> None:
    assert clearprop("train", "moons", *SHORT).exit_code == 0
    bad = Finding(OneAnswer(), 1.0, 1.0, changes={"learning_rate": 1e9})
    (only,) = consultation.treat(Path("runs/moons"), Examination((bad,)), None)
    assert only.folder == Path("runs/moons-2")
    assert only.diverged is not None
    assert only.best == Path("runs/moons")
    assert only.found == Examination((bad,))


def test_folds_choose_again_where_advice_is_applied(clearprop: Clearprop) -> None:
    """What all folds have chosen together would flatter the score of each."""
    clearprop("train", "iris", "--network", "dense", "--epochs", 3)
    saved = require_run("runs/iris")
    assert saved.settings is not None
    assert None not in (saved.settings.l2, saved.settings.layers)
    advice = Finding(OneAnswer(), 1.0, 1.0, changes={"epochs": 4})
    new = next(consultation.treat(Path("runs/iris"), Examination((advice,)), None)).folder
    settings = settings_in(new / SETTINGS)
    assert (settings.epochs, settings.l2, settings.layers) == (4, None, None)


@pytest.mark.parametrize("more", [(), pytest.param(("--test", 0.2), marks=pytest.mark.slow)])
def test_a_score_that_chose_between_runs_says_so(
    clearprop: Clearprop, strict_json: Callable[[str], Any], more: tuple[object, ...]
) -> None:
    options = ("--epochs", 30, "--learning-rate", 1e-4, "--layers", 8, "--l2", 0, *more)
    clearprop("train", "iris", *options, "--out", "kept/low")
    said = clearprop("doctor", "kept/low", "--apply").stdout
    told = strict_json(clearprop("doctor", "kept/low", "--apply", "--json").stdout)
    assert told["score_chose"] is ("flatters" in said) is (not more)
    assert {one["chosen_by"] for one in told["rounds"]} == {"folds"}
    if not more:
        command = said.split("begin with: ")[1].splitlines()[0]
        assert clearprop(*shlex.split(command)[1:], "--out", "kept/again").exit_code == 0
        again = clearprop("doctor", "kept/again", "--apply").stdout
        assert "flatters" not in again


@pytest.mark.parametrize("what", ["iris", "nowhere", "mnist-ffn"])
def test_only_a_run_is_treated(clearprop: Clearprop, what: str) -> None:
    result = clearprop("doctor", what, "--apply")
    assert result.exit_code == 2
    assert "--apply is for a run" in result.stderr
    assert not list(Path().iterdir())


def test_the_command_says_again_whatever_was_said() -> None:
    given = ("my data.csv", "--no-header", "--drop", "a b,c", "--batch-norm", "--layers", "none")
    said = train.make_context("train", [*given, "--target", "$x", "--learning-rate", "1e9"])
    options = {name: said.params[name] for name in described(Settings) if name in said.params}
    bad = Finding(LearningRateTooHigh(), 0.1, 0.1, changes={"learning_rate": 0.5})
    command = command_with(bad, settings_from(None, options))
    again = train.make_context("train", shlex.split(command)[2:])
    assert again.params == said.params | {"learning_rate": 0.5}
