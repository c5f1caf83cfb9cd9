"""``clearprop doctor``: runs, data, published experiments, and what it can't examine."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

Clearprop = Callable[..., Result]

ONCE = ("--folds", 0, "--patience", 0)  # trained once, to the last epoch
STALLED = ("--layers", "16,16,16", "--init", "normal", "--optimizer", "sgd", "--epochs", 30, *ONCE)


@pytest.fixture(scope="module")
def stalled_run(clearprop: Clearprop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose first weights are too small for its depth."""
    folder = tmp_path_factory.mktemp("runs") / "wine"
    assert clearprop("train", "wine", *STALLED, "--out", folder).exit_code == 0
    return folder


@pytest.mark.slow
def test_a_run_is_explained_with_what_to_type(clearprop: Clearprop, stalled_run: Path) -> None:
    result = clearprop("doctor", stalled_run)
    assert result.exit_code == 0
    assert result.stdout.startswith("1. Initial weights too small for this depth")
    assert "command line:  --init he" in result.stdout
    assert f"clearprop train --config {stalled_run}/config.toml --init he" in result.stdout


def test_what_it_says_to_type_cures_the_run(
    clearprop: Clearprop, stalled_run: Path, tmp_path: Path
) -> None:
    said = clearprop("doctor", stalled_run).stdout
    line = next(line for line in said.splitlines() if line.startswith("All of it:"))
    _, _, *arguments = line.removeprefix("All of it:").split()
    assert clearprop("train", *arguments, "--out", tmp_path / "cured").exit_code == 0
    assert "Initial weights" not in clearprop("doctor", tmp_path / "cured").stdout


def test_json_is_one_object_with_every_finding(
    clearprop: Clearprop, stalled_run: Path, strict_json: Callable[[str], Any]
) -> None:
    told = strict_json(clearprop("doctor", stalled_run, "--json").stdout)
    assert told["examined"] == str(stalled_run)
    assert told["healthy"] is False
    assert told["findings"][0]["illness"] == "small_initial_weights"
    assert told["changes"]["init"] == "he"


def test_data_are_examined_by_a_short_training(clearprop: Clearprop) -> None:
    result = clearprop("doctor", "moons")
    assert result.exit_code == 0
    assert result.stdout == "Healthy: no illness was found.\n"
    assert "short training" in result.stderr
    assert not list(Path().iterdir())


def test_mislabelled_data_are_found(clearprop: Clearprop, tmp_path: Path) -> None:
    random_state = np.random.RandomState(0)
    y = np.arange(300) % 3
    X = np.array([[0, 3], [3, -2], [-3, -2]])[y] + random_state.randn(300, 2) * 0.7
    wrong = random_state.rand(300) < 0.12
    np.savez(tmp_path / "heaps.npz", X=X, y=np.where(wrong, (y + 1) % 3, y))
    said = clearprop("doctor", tmp_path / "heaps.npz").stdout
    assert said.startswith("1. Labels that look wrong")
    named = [int(row) for row in re.findall(r"row\s+(\d+)", said)]
    assert len(named) == 10
    assert wrong[np.array(named) - 1].all()


def test_a_run_that_diverged_is_repeated_up_to_there(clearprop: Clearprop, tmp_path: Path) -> None:
    options = ("--optimizer", "sgd", "--learning-rate", 1e5, "--schedule", "constant")
    diverged = clearprop("train", "wine", *options, "--epochs", 9, "--out", tmp_path / "run")
    assert diverged.exit_code == 1
    update = re.search(r"update \d+", diverged.stderr)
    assert update is not None
    said = clearprop("doctor", tmp_path / "run").stdout
    assert said.startswith("1. Learning rate too high")
    assert update[0] in said


def run_of_lbfgs(clearprop: Clearprop, folder: Path, *options: object) -> Path:
    trained = clearprop("train", *options, "--optimizer", "lbfgs", *ONCE, "--out", folder)
    assert trained.exit_code == 0, trained.stderr
    return folder


@pytest.mark.slow
def test_advice_for_lbfgs_is_what_it_can_train_with(clearprop: Clearprop, tmp_path: Path) -> None:
    kept_to_the_last = ("diabetes", "--validation", "0.3", "--patience", 0)
    overfitted = clearprop("doctor", run_of_lbfgs(clearprop, tmp_path / "a", *kept_to_the_last))
    assert overfitted.stdout.startswith("1. Overfitting")
    assert overfitted.stdout.endswith("config.toml --patience 10\n")
    deep = ("breast_cancer", "--layers", "50,50,50", "--activation", "sigmoid", "--init", "normal")
    stalled = clearprop("doctor", run_of_lbfgs(clearprop, tmp_path / "b", *deep))
    assert stalled.exit_code == 0, stalled.stderr
    assert stalled.stdout.endswith("config.toml --activation relu --init he\n")


def test_a_run_of_lbfgs_without_an_epoch_needs_other_first_weights(
    clearprop: Clearprop, tmp_path: Path
) -> None:
    flat = ("iris", "--layers", "16,16,16,16", "--init", "normal", "--activation", "tanh")
    result = clearprop("doctor", run_of_lbfgs(clearprop, tmp_path / "run", *flat))
    assert result.exit_code == 1
    assert "finds no way down from the first weights. Draw others: --init" in result.stderr


def test_a_published_experiment_needs_its_data(clearprop: Clearprop, tmp_path: Path) -> None:
    result = clearprop("doctor", "mnist-ffn")
    assert result.exit_code == 2
    assert "--data DIR" in result.stderr
    result = clearprop("doctor", "mnist-ffn", "--data", tmp_path)
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr


def test_a_published_experiment_is_examined(clearprop: Clearprop, shared_data: Path) -> None:
    said = clearprop("doctor", "cat-tanh", "--data", shared_data).stdout
    assert said.startswith("1. Initial weights too small for this depth")
    assert "--init scaled" in said


@pytest.mark.slow
def test_data_that_moved_are_asked_for_and_taken(
    clearprop: Clearprop, people: Path, tmp_path: Path
) -> None:
    table = shutil.copy(people, tmp_path / "people.csv")
    options = ("--epochs", 40, *ONCE, "--out", tmp_path / "run")
    assert clearprop("train", table, *options).exit_code == 0
    moved = Path(table).rename(tmp_path / "moved.csv")
    lost = clearprop("doctor", tmp_path / "run")
    assert lost.exit_code == 2
    assert "--data PATH" in lost.stderr
    assert str(table) in lost.stderr
    assert clearprop("doctor", tmp_path / "run", "--data", moved).exit_code == 0


@pytest.mark.parametrize(
    ("files", "what", "code", "message"),
    [
        ([], "nowhere", 2, "There is no data set or path 'nowhere'"),
        ([], "some/where", 1, "There is no file or folder some/where"),
        (["empty/"], "empty", 1, "empty holds neither a run, which has a config.toml, nor data"),
        (["model.safetensors"], "model.safetensors", 2, "Give the folder of its run"),
    ],
)
def test_what_can_t_be_examined_is_said(
    clearprop: Clearprop, files: list[str], what: str, code: int, message: str
) -> None:
    for name in files:
        Path(name).mkdir() if name.endswith("/") else Path(name).touch()
    result = clearprop("doctor", what)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_a_run_without_an_epoch_says_how_to_go_on(
    clearprop: Clearprop, stalled_run: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(stalled_run, tmp_path / "run"))
    (folder / "history.csv").write_text("")
    result = clearprop("doctor", folder)
    assert result.exit_code == 1
    assert "no finished epoch" in result.stderr
    assert f"--resume --out {folder}" in result.stderr


@pytest.mark.parametrize("name", ["model.safetensors", "history.csv"])
def test_a_run_with_a_file_missing_names_it(
    clearprop: Clearprop, stalled_run: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(stalled_run, tmp_path / "run"))
    (folder / name).unlink()
    result = clearprop("doctor", folder)
    assert result.exit_code == 1
    assert str(folder / name) in result.stderr


def test_other_data_than_the_run_s_are_refused(clearprop: Clearprop, stalled_run: Path) -> None:
    result = clearprop("doctor", stalled_run, "--data", "iris")
    assert result.exit_code == 1
    assert "samples of shape (4,)" in result.stderr


@pytest.mark.parametrize(
    "options", [("moons", "--data", "."), ("cat-tanh", "--target", "x"), ("cat-tanh", "--size", 8)]
)
def test_an_option_of_no_use_is_refused(clearprop: Clearprop, options: tuple[object, ...]) -> None:
    result = clearprop("doctor", *options)
    assert result.exit_code == 2
    assert "of no use here" in result.stderr
