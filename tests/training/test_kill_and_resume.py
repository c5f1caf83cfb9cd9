"""``kill -9`` in the middle of training costs nothing but time."""

from pathlib import Path

import numpy as np
import pytest
from disk_tables import split
from kill_and_resume import same_model_after_kills

pytestmark = pytest.mark.slow  # a process for every kill


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert same_model_after_kills(1, 1, tmp_path, "--folds", "0")


def test_a_killed_run_with_folds_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert same_model_after_kills(3, seed=1, folder=tmp_path)


def test_a_killed_run_on_augmented_pictures_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    options = ("--augment", "strong,mixup", "--folds", "0")
    assert same_model_after_kills(2, 2, tmp_path, *options)


def test_a_killed_run_on_data_on_disk_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    x, z = np.random.RandomState(0).standard_normal((2, 4000))
    split(tmp_path / "x", {"x": x, "z": z, "y": x > z}, [1500, 700], group=200)
    train = ("train", str(tmp_path / "x/*.parquet"), "--target", "y", "--memory", "20kB")
    options = ("--layers", "16", "--dropout", "0.2")
    assert same_model_after_kills(1, 3, tmp_path / "runs", *options, trains=train)
