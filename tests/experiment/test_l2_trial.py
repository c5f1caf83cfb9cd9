"""The strength of L2 of a table: the one whose training has the best validation loss."""

from pathlib import Path

import numpy as np
import pytest

from clearprop.experiment import Settings, learn, load_dataset, set_task

ROWS = 2400


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose columns say little on its two classes."""
    draw = np.random.RandomState(0)
    X = draw.randn(ROWS, 8)
    chance = 1 / (1 + np.exp(-(0.3 * X[:, 0] - 0.3 * X[:, 1] - 1.2)))
    names = np.where(draw.rand(ROWS) < chance, "yes", "no")
    return _table(tmp_path_factory.mktemp("tables") / "noisy.csv", X, names)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose columns decide its two classes, by a line that is not straight."""
    X = np.random.RandomState(1).rand(ROWS, 2)
    names = np.where(np.sin(9 * X[:, 0]) > 4 * X[:, 1] - 2, "in", "out")
    return _table(tmp_path_factory.mktemp("tables") / "clean.csv", X, names)


def _table(path: Path, X: np.ndarray, names: np.ndarray) -> Path:
    head = [*(f"x{k}" for k in range(X.shape[1])), "kind"]
    rows = [[*(f"{x:.4f}" for x in row), name] for row, name in zip(X, names, strict=True)]
    path.write_text("\n".join(",".join(row) for row in [head, *rows]) + "\n")
    return path


def _task(path: Path, **given):
    settings = Settings(data=str(path), epochs=12, layers=(16,), **given)
    return set_task(settings, load_dataset(settings))


def test_noise_takes_a_strong_one_and_a_clean_table_a_weak_one(noisy: Path, clean: Path) -> None:
    assert _task(noisy).settings.l2 == 0.3
    assert _task(clean).settings.l2 == 0.003


def test_the_losses_told_are_those_of_trainings_with_these_strengths(noisy: Path) -> None:
    (note,) = _task(noisy).notes
    for strength in (0.003, 0.03, 0.3):
        history = learn(_task(noisy, l2=strength)).history
        best = min(row["validation_loss"] for row in history.rows)
        assert f"{strength:g}: {best:.4f}" in note


def test_what_was_asked_for_stays(clean: Path) -> None:
    task = _task(clean, l2=0.2)
    assert task.settings.l2 == 0.2
    assert task.notes == ()


def test_without_rows_to_choose_with_nothing_is_tried(clean: Path) -> None:
    for given, l2 in (({"validation": "0"}, 0.03), ({"folds": 3}, None)):  # folds choose it later
        task = _task(clean, **given)
        assert task.settings.l2 == l2
        assert task.notes == ()


def test_trials_that_all_diverge_change_nothing(clean: Path) -> None:
    task = _task(clean, learning_rate=1e30, optimizer="sgd")
    assert task.settings.l2 == 0.03
    assert task.notes == ()
