"""``train --augment``: what is said and drawn before training, kept for --resume, and refused."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_pictures import write_picture

from clearprop.errors import OutputError
from clearprop.experiment import folder as run_folder

SMALL = ("--epochs", 2, "--layers", "none", "--folds", 0, "--out", "run")


@pytest.fixture
def photos(elsewhere: Path) -> str:
    for seed in range(12):
        write_picture(elsewhere / f"photos/{'ab'[seed % 2]}x/{seed}.png", seed % 2 == 0, seed)
    return "photos"


def test_says_and_draws_what_training_sees(clearprop, photos):
    result = clearprop("train", photos, "--size", "16x12", "--augment", "light,erase", *SMALL)
    assert result.exit_code == 0
    told = "Pictures are changed at random in training, by flip, shift:0.06, rotate:5, "
    assert told in result.stderr
    assert "run/augmented.png shows some pictures, and what training may see" in result.stderr
    assert tomllib.loads(Path("run/config.toml").read_text())["augment"] == [
        *("flip", "shift:0.06", "rotate:5", "scale:0.08", "erase"),
    ]


def test_a_picture_of_the_changes_is_drawn_before_training(clearprop, photos):
    clearprop("train", photos, "--size", "16", "--augment", "strong,mixup", *SMALL)
    with Image.open("run/augmented.png") as image:
        assert np.asarray(image).std() > 0


def test_what_can_not_be_drawn_is_no_reason_not_to_train(clearprop, photos, monkeypatch):
    def full(_, path):
        raise OutputError(f"{path} can't be written: the disk is full.")

    monkeypatch.setattr(run_folder, "draw", full)
    result = clearprop("train", photos, "--size", 16, "--augment", "flip", *SMALL)
    assert result.exit_code == 0
    assert (
        "Not drawn: augmented.png is left out (run/augmented.png can't be written" in result.stderr
    )


@pytest.mark.slow
def test_resuming_goes_on_with_the_same_augmentation(clearprop, photos):
    train = ("train", photos, "--size", 16, "--augment", "shift:0.2,mixup", *SMALL)
    clearprop(*train)
    whole = Path("run/model.safetensors").read_bytes()
    assert clearprop("train", "--resume", "--out", "run").exit_code == 0
    assert Path("run/model.safetensors").read_bytes() == whole
    result = clearprop("train", "--resume", "--out", "run", "--augment", "flip")
    assert result.exit_code == 2
    assert "began with augment = shift:0.2,mixup, now it is flip. Go on" in result.stderr


@pytest.mark.slow
def test_the_same_command_gives_the_same_model(clearprop, photos):
    found = []
    for name in "ab":
        options = ("--size", 16, "--augment", "strong", *SMALL[:-1], name)
        clearprop("train", photos, *options, OPENBLAS_NUM_THREADS="1")
        found.append(Path(name, "model.safetensors").read_bytes())
    assert found[0] == found[1]


@pytest.mark.slow
def test_digits_asked_for_with_a_preset_are_not_mirrored(clearprop):
    result = clearprop(
        "train", "digits", "--augment", "light", "--epochs", 1, "--layers", 4, *SMALL[4:]
    )
    assert "Flip is left out, as the class '0' may not bear it" in result.stderr
    settings = json.loads(Path("run/report.json").read_text())["settings"]
    assert settings["augment"] == ["shift:0.06", "rotate:5", "scale:0.08"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("iris", "--augment", "light"), "--augment light changes pictures, and a sample of these"),
        (("digits", "--augment", "lihgt"), "Did you mean 'light'?"),
        (("digits", "--augment", "flip", "--optimizer", "lbfgs"), "leave augment out"),
        (("digits", "--augment", "flip,none"), "augment takes none alone"),
    ],
)
def test_what_can_not_be(clearprop, options, message):
    result = clearprop("train", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_other_commands_go_on_to_work(clearprop, photos):
    clearprop("train", photos, "--size", 16, "--augment", "light", *SMALL)
    for command in (("evaluate", "run", photos), ("show", "run"), ("walk", "run")):
        assert clearprop(*command).exit_code == 0, command
