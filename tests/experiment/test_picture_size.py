"""The size that a folder's pictures are brought to: chosen, kept, and as it was in earlier runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearprop.experiment import Settings
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.settings import settings_in
from clearprop.experiment.task import set_task


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make five noisy pictures of 100 x 120 for each of two classes."""
    random_state = np.random.RandomState(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            pixels = random_state.randint(0, 256, (100, 120, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def resolved(data: str, **given: Any) -> Settings:
    settings = Settings(data=data, **given)
    return set_task(settings, load_dataset(settings)).settings


@pytest.mark.parametrize(
    ("given", "side"),
    [
        ({}, 96),
        ({"network": "convolution"}, 96),
        ({"layers": ("conv4", "pool", 8)}, 96),
        ({"network": "dense"}, 64),
        ({"layers": (8,)}, 64),
        ({"network": "dense", "size": (80, 80)}, 80),
        ({"size": (32, 32)}, 32),
    ],
)
def test_larger_pictures_are_for_convolutions_and_their_size_is_kept(
    photos: Path, given: dict[str, Any], side: int
) -> None:
    assert resolved(str(photos), **given).size == (side, side)


def test_data_that_are_no_files_of_pictures_have_no_size(tmp_path: Path) -> None:
    assert resolved("digits", folds=0).size is None
    np.save(tmp_path / "x.npy", np.random.RandomState(0).rand(20, 16, 16))
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    assert resolved(str(tmp_path / "x.npy"), folds=0).size is None


def test_a_run_writes_the_size_and_reads_it_again(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    resolved(str(photos)).save(path)
    assert settings_in(path).size == (96, 96)


def test_runs_of_before_there_was_a_choice_had_small_pictures(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    Settings(data=str(photos), layers=("conv4", 8), folds=0).save(path)
    assert settings_in(path).size == (64, 64)
    assert load_dataset(settings_in(path)).X.shape[1:] == (64, 64, 3)
    Settings(data="digits", folds=0).save(path)
    assert settings_in(path).size is None
