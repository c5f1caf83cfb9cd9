"""``kill -9`` in the middle of training costs nothing but time."""

from pathlib import Path

import pytest
from kill_and_resume import same_model_after_kills


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert same_model_after_kills(1, 1, tmp_path, "--folds", "0")


@pytest.mark.slow
def test_a_killed_run_with_folds_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert same_model_after_kills(3, seed=1, folder=tmp_path)


@pytest.mark.slow
def test_a_killed_run_on_augmented_pictures_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    options = ("--augment", "strong,mixup", "--folds", "0")
    assert same_model_after_kills(2, 2, tmp_path, *options)
