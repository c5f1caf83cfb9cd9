"""The command line in this process, and small data and models to use it on."""

import csv
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from small_pictures import write_picture

from clearprop.cli import cli, evaluate, predict
from clearprop.experiment import comparison, folder, load_dataset

Clearprop = Callable[..., Result]

# Enough to get it right, once: folds would train five times more.
LEARNED = ("--epochs", 100, "--learning-rate", 0.02, "--folds", 0, "--patience", 0)
DRAW_RUN = folder.draw_run


@pytest.fixture(scope="session")
def clearprop() -> Clearprop:
    """Run a command and return its result; what crashes it is raised here."""

    def run(*args: object, **env: str) -> Result:
        result = CliRunner(env=env).invoke(cli, [str(arg) for arg in args])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder: commands write to the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def everything_can_be_drawn(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let no mistake in a figure pass for a picture that can't be drawn, but where one is meant."""
    if "undrawable" in request.fixturenames:
        return
    draw = predict.draw

    def strict(figure: Callable[[], Any], path: Path) -> None:
        problem = draw(figure, path)
        assert problem is None, problem

    monkeypatch.setattr(folder, "draw", strict)
    monkeypatch.setattr(predict, "draw", strict)
    monkeypatch.setattr(evaluate, "draw", strict)


@pytest.fixture
def undrawable() -> None:
    """Allow pictures that can't be drawn."""


@pytest.fixture(autouse=True, scope="module")
def undrawn() -> Iterator[None]:
    """Leave out the pictures of runs, which take most of the time of a short one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "draw_run", lambda *_: ([], []))
        yield


@pytest.fixture
def with_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the pictures of runs, for a test that looks at them."""
    monkeypatch.setattr(folder, "draw_run", DRAW_RUN)


class _Here:
    """A pool of processes that starts none."""

    def __init__(self, *_: object, **__: object) -> None:
        self.imap = map

    def __enter__(self) -> "_Here":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `compare` train here: a process of its own takes seconds to import what it needs."""
    context = SimpleNamespace(get_context=lambda _: SimpleNamespace(Pool=_Here))
    monkeypatch.setattr(comparison, "multiprocessing", context)
    monkeypatch.setattr(comparison, "_load_once", load_dataset)  # files of one name in many folders


@pytest.fixture(scope="session")
def contents() -> Callable[..., dict[str, str]]:
    """Tell the files in a folder by digests: where bytes differ, pytest takes minutes to say so."""

    def digests(folder: Path, pattern: str = "*") -> dict[str, str]:
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob(pattern)}

    return digests


@pytest.fixture(scope="session")
def strict_json() -> Callable[[str], Any]:
    """Parse JSON as the standard has it: NaN and Infinity are none."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    return lambda text: json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with numbers, categories and missing cells, which 'buys' depends on."""
    random_state = np.random.RandomState(0)
    path = tmp_path_factory.mktemp("tables") / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["age", "colour", "weight", "buys"])
        for row in range(80):
            age, colour = random_state.randint(18, 80), random_state.choice(["red", "green"])
            buys = "yes" if age + 30 * (colour == "red") > 60 else "no"
            lines.writerow(
                [age if row % 11 else "", colour if row % 13 else "", f"{row / 7:.3f}", buys]
            )
    return path


def _train(clearprop: Clearprop, *options: object) -> None:
    """Train a run that tests share, with its pictures, whichever of them asks for it first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "draw_run", DRAW_RUN)
        result = clearprop("train", *options)
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="session")
def table_run(clearprop: Clearprop, people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run on `people`."""
    run = tmp_path_factory.mktemp("runs") / "people"
    _train(clearprop, people, "--layers", 16, *LEARNED, "--out", run)
    return run


@pytest.fixture(scope="session")
def table_model(table_run: Path) -> Path:
    return table_run / "model.safetensors"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with six bright and six dark pictures."""
    for seed in range(6):
        write_picture(tmp_path / f"photos/bright/{seed}.png", bright=True, seed=seed)
        write_picture(tmp_path / f"photos/dark/{seed}.png", bright=False, seed=seed)
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def picture_model(clearprop: Clearprop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that tells bright pictures from dark ones, at 8x8 pixels."""
    place = tmp_path_factory.mktemp("pictures")
    for seed in range(12):
        write_picture(place / f"photos/bright/{seed}.png", bright=True, seed=seed)
        write_picture(place / f"photos/dark/{seed}.png", bright=False, seed=seed)
    options = ("--size", 8, "--layers", 8, *LEARNED, "--out", place / "run")
    _train(clearprop, place / "photos", *options)
    return place / "run/model.safetensors"


@pytest.fixture(scope="session")
def array_model(clearprop: Clearprop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of six numbers a sample, of which the first decides."""
    place = tmp_path_factory.mktemp("arrays")
    X = np.random.RandomState(0).randn(60, 6)
    np.savez(place / "arrays.npz", X=X, y=(X[:, 0] > 0).astype(int))
    _train(clearprop, place / "arrays.npz", "--layers", 8, *LEARNED, "--out", place / "run")
    return place / "run/model.safetensors"
