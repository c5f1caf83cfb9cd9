"""Candidates for a table: the one whose training has the best validation loss is taken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearprop.experiment import Settings, learn, load_dataset, set_task
from clearprop.experiment.candidates import handicapped

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
    settings = Settings(
        **{"data": str(path), "network": "dense", "epochs": 12, "layers": (16,), **given}
    )
    return set_task(settings, load_dataset(settings))


def test_noise_takes_a_strong_one_and_a_clean_table_a_weak_one(noisy: Path, clean: Path) -> None:
    assert _task(noisy).settings.l2 == 0.3
    assert _task(clean).settings.l2 == 0.003


def test_the_losses_told_are_those_of_trainings_with_these_strengths(noisy: Path) -> None:
    (note,) = _task(noisy).notes
    for strength in (0.003, 0.03, 0.3):
        history = learn(_task(noisy, l2=strength)).history
        best = min(row["validation_loss"] for row in history.rows)
        assert f"{best:.4f} with L2 {strength:g}" in note


def test_what_was_asked_for_stays(clean: Path) -> None:
    task = _task(clean, l2=0.2)
    assert task.settings.l2 == 0.2
    assert task.notes == ()


def test_without_rows_to_choose_with_nothing_is_tried(clean: Path) -> None:
    task = _task(clean, validation="0")
    assert task.settings.l2 == 0.003
    assert task.notes == ()


def test_trials_that_all_diverge_change_nothing(clean: Path) -> None:
    task = _task(clean, learning_rate=1e30, optimizer="sgd")
    assert task.settings.l2 == 0.003
    assert task.notes == ()


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of few rows whose target is a sum of its columns, and noise."""
    draw = np.random.RandomState(2)
    X = draw.randn(300, 12)
    y = X @ draw.randn(12) + 1.5 * draw.randn(300)
    return _table(tmp_path_factory.mktemp("tables") / "straight.csv", X, np.char.mod("%.4f", y))


def test_hidden_layers_that_do_harm_are_left_out_and_it_is_said(straight: Path) -> None:
    task = _task(straight, layers=None, epochs=40)
    assert [one.layers for one in task.candidates] == [(64, 32), (64, 32), ()]
    trained = learn(task)
    assert trained.task.settings.layers == ()
    assert [row.parameters for row in trained.model.network.summary().rows] == [13]
    assert trained.task.notes[-1].startswith("Chosen by validation loss: --layers none --l2 0.1 (")


def test_layers_that_were_asked_for_stay(straight: Path) -> None:
    task = _task(straight, layers=(64, 32))
    assert {one.layers for one in task.candidates} == {(64, 32)}
    assert learn(replace(task, settings=replace(task.settings, epochs=3))).task.settings.layers


def test_hidden_layers_stay_where_the_line_is_better_by_chance(clean: Path) -> None:
    losses = np.array([1.0, 1.0, 0.99])
    tried = _task(clean, layers=None, folds=3).candidates
    assert int(np.argmin(handicapped(losses, tried))) == 0
    assert int(np.argmin(handicapped(losses * [1, 1, 0.9], tried))) == 2


def test_trials_that_explode_to_finite_losses_choose_nothing(clean: Path) -> None:
    task = _task(clean, learning_rate=1e5)
    assert (task.settings.l2, task.notes) == (0.003, ())


def test_folds_without_a_finite_loss_choose_nothing(clean: Path) -> None:
    task = _task(clean, folds=2, learning_rate=1e9, optimizer="sgd", layers=(8,))
    assert learn(task).task.notes == task.notes
