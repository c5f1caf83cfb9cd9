"""A picture that can't be drawn never costs the results."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from clearprop import plots
from clearprop.data import Problem
from clearprop.experiment import folder

Clearprop = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("with_pictures")

FEW = ("--layers", 4, "--epochs", 2, "--folds", 0)


def break_mistakes(*_: Any) -> None:
    raise ZeroDivisionError("a figure\nof nothing")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Arrays whose classes nobody can tell, so that there are mistakes."""
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(60, 3, 5, 6, 2), random_state.randint(0, 2, 60)
    np.savez(tmp_path / "noise.npz", X=X, y=y)
    return tmp_path / "noise.npz"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawable")
def test_samples_of_many_axes_are_trained_on_though_no_mistake_can_be_drawn(
    clearprop: Clearprop, noise: Path
) -> None:
    result = clearprop("train", noise, *FEW, "--out", "run")
    assert result.exit_code == 0
    assert "Held out" in result.stdout
    lines = [line for line in result.stderr.splitlines() if line.startswith("Not drawn")]
    assert lines == [
        "Not drawn: mistakes.png can't be drawn (ShapeError: A sample of shape (3, 5, 6, 2) can't "
        "be drawn; expected a row (D,) or a picture (H, W) or (H, W, 3))."
    ]
    assert sorted(path.name for path in Path("run").glob("*.png")) == [
        "calibration.png",
        "confusion.png",
        "curves.png",
    ]
    assert "mistakes" not in result.stdout
    again = clearprop("plot", "run", "--json")
    assert again.exit_code == 0
    assert len(json.loads(again.stdout)["pictures"]) == 3
    assert again.stderr.splitlines() == lines


@pytest.mark.usefixtures("undrawable")
def test_whatever_a_figure_raises_is_one_line(
    clearprop: Clearprop, table_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "confusion", break_mistakes)
    result = clearprop("plot", table_run)
    assert result.exit_code == 0
    assert result.stderr == (
        "Not drawn: confusion.png can't be drawn (ZeroDivisionError: a figure).\n"
    )
    assert "curves.png" in result.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("undrawable")
def test_predictions_are_told_though_what_it_sees_can_t_be_drawn(
    clearprop: Clearprop, noise: Path
) -> None:
    clearprop("train", noise, *FEW, "--out", "run")
    result = clearprop("predict", "run/model.safetensors", noise, "--show-in", "seen")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 61
    told = [line for line in result.stderr.splitlines() if "drawn" in line]
    assert len(told) == 12
    assert told[0].startswith("Not drawn: noise-npz-row-1-seen.png can't be drawn (ShapeError")
    assert told[10:] == [
        "Nor are 40 more drawn.",
        "Only the first 50 of 60 samples are drawn.",
    ]


def test_a_picture_that_can_t_be_written_and_a_warning_are_no_matter_of_drawing(
    tmp_path: Path,
) -> None:
    def warn() -> None:
        raise UserWarning("odd")

    with pytest.raises(UserWarning, match="odd"):
        folder.draw(warn, tmp_path / "a.png")
    with pytest.raises(OSError, match="can't be written"):
        folder.draw(lambda: plots.curves({"epoch": [1], "loss": [1]}), tmp_path / "no/a.png")
    assert (
        folder.draw(lambda: plots.curves({"epoch": [1], "loss": [1]}), tmp_path / "a.png") is None
    )


@pytest.mark.usefixtures("undrawable")
def test_a_reason_without_words_is_its_kind(tmp_path: Path) -> None:
    def fail() -> None:
        raise MemoryError

    assert folder.draw(fail, tmp_path / "a.png") == Problem("a.png", "can't be drawn (MemoryError)")


@pytest.mark.slow
def test_pictures_with_their_colours_first_are_drawn(clearprop: Clearprop, tmp_path: Path) -> None:
    random_state = np.random.RandomState(0)
    X = random_state.randint(0, 256, (60, 3, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", X=X, y=random_state.randint(0, 2, 60))
    result = clearprop("train", tmp_path / "a.npz", *FEW, "--out", "run")
    assert result.exit_code == 0
    assert Path("run/mistakes.png").exists()
    assert Path("run/weights.png").exists()


@pytest.mark.slow
def test_odd_metadata_of_a_picture_are_no_matter_of_its_drawing(
    picture_model: Path, tmp_path: Path
) -> None:
    odd = b"Exif\0\0MM\0*\0\0\0\x08\0\xffgarbage"  # of which Pillow itself would warn
    Image.new("RGB", (9, 9)).save(tmp_path / "odd.jpg", "JPEG", exif=odd)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "clearprop",
            "predict",
            picture_model,
            tmp_path / "odd.jpg",
            "--show",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "odd-seen.png" in done.stdout
    assert "Warning" not in done.stderr
