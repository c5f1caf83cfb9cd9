"""Tables that stay on disk, from the command line: trained, evaluated, predicted, and gone on."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from disk_tables import split, write

from clearprop.data.tables.column_files import ColumnFiles, Piece
from clearprop.data.whole import survey
from clearprop.experiment import going_on

Clearprop = Callable[..., Result]

ROWS = 3000
TRAIN = ("--layers", 16, "--epochs", 6, "--memory", "20kB")


def people(rows: int = ROWS, seed: int = 0) -> dict[str, Any]:
    """Return columns of every kind, a class and a value that they tell, with gaps."""
    random_state = np.random.RandomState(seed)
    age = random_state.uniform(18, 80, rows)
    colour = random_state.choice(["red", "green", "blue"], rows)
    day = [
        datetime(2020, 1, 1) + timedelta(days=int(at)) for at in random_state.randint(0, 900, rows)
    ]
    worth = age / 15 + 3 * (colour == "red") + random_state.standard_normal(rows) / 8
    buys = np.where(worth > np.median(worth), "yes", "no").tolist()
    return {
        "age": [None if row % 11 == 0 else one for row, one in enumerate(age.tolist())],
        "colour": [None if row % 13 == 0 else one for row, one in enumerate(colour.tolist())],
        "day": day,
        "member": (random_state.random_sample(rows) < 0.5).tolist(),
        "worth": worth.tolist(),
        "buys": [None if row % 50 == 7 else one for row, one in enumerate(buys)],
    }


@pytest.fixture
def data() -> str:
    """Write three files into the current folder, and return the pattern that finds them."""
    split(Path("x"), people(), [1000, 700], group=400)
    return "x/*.parquet"


def report(folder: str) -> dict[str, Any]:
    return json.loads(Path(folder, "report.json").read_text())


def model(folder: str) -> bytes:
    return Path(folder, "model.safetensors").read_bytes()


def test_a_training_of_classes_says_what_stays_and_is_as_good(
    clearprop: Clearprop, data: str
) -> None:
    said = ("--target", "buys", "--drop", "worth")
    result = clearprop("train", data, *said, *TRAIN, "--out", "runs/disk")
    assert result.exit_code == 0, result.output
    assert "2,940 rows in 3 files of 0.0" in result.stderr
    assert "stay on disk" in result.stderr
    assert "1881 samples to train on, 471 to choose the epoch, 588 to test" in result.stderr
    assert "rows and" in result.stderr
    clearprop("train", data, *said, *TRAIN[:-2], "--folds", 0, "--out", "runs/memory")
    mine, expected = (report(f"runs/{name}")["test"]["accuracy"] for name in ("disk", "memory"))
    assert mine == pytest.approx(expected, abs=0.03)
    assert mine > 0.9


def test_a_training_of_values(clearprop: Clearprop, data: str) -> None:
    said = ("--target", "worth", "--drop", "buys")
    result = clearprop("train", data, *said, *TRAIN, "--out", "run")
    assert result.exit_code == 0, result.output
    assert report("run")["test"]["r2"] > 0.8


@pytest.mark.slow
def test_the_networks_of_tables(clearprop: Clearprop) -> None:
    split(Path("x"), people(900), [300], group=250)
    said = ("--target", "buys", "--drop", "worth", "--network", "table", "--epochs", 3)
    result = clearprop("train", "x", *said, "--memory", "10kB", "--out", "run")
    assert result.exit_code == 0, result.output
    assert report("run")["test"]["accuracy"] > 0.8


def test_a_seed_gives_the_same_bytes_and_the_survey_is_kept(
    clearprop: Clearprop, data: str
) -> None:
    for name in ("one", "two"):
        clearprop("train", data, "--target", "buys", *TRAIN, "--out", f"runs/{name}")
    assert model("runs/one") == model("runs/two")
    [kept] = Path("runs").glob("survey-*.parquet")
    written = kept.stat().st_mtime_ns
    clearprop("train", data, "--target", "worth", *TRAIN, "--out", "runs/three")
    assert kept.stat().st_mtime_ns == written


@pytest.mark.parametrize("place", ["x", "x/month=*", "x/**/*.parquet"])
def test_a_model_answers_every_row_of_every_file(clearprop: Clearprop, place: str) -> None:
    table = people()
    for number, month in enumerate((1, 2, 3)):
        rows = slice(1000 * number, 1000 * (number + 1))
        part = {name: column[rows] for name, column in table.items()}
        write(Path(f"x/month={month}/part-0.parquet"), part, 400)
    said = ("--target", "buys", "--drop", "worth")
    clearprop("train", "x", *said, *TRAIN, "--out", "run")
    result = clearprop("predict", "run", place, "--out", "answers.csv")
    assert result.exit_code == 0, result.output
    with Path("answers.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [row["month"] for row in rows] == [
        str(month) for month in (1, 2, 3) for _ in range(1000)
    ]
    right = [row["prediction"] == row["buys"] for row in rows if row["buys"]]
    assert np.mean(right) > 0.9
    result = clearprop("evaluate", "run", place, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["samples"] == 2940


def test_standard_output_is_json_when_that_is_asked(
    clearprop: Clearprop, data: str, strict_json: Callable[[str], Any]
) -> None:
    result = clearprop("train", data, "--target", "buys", *TRAIN, "--out", "run", "--json")
    assert result.exit_code == 0
    assert strict_json(result.stdout)["test"]["samples"] == 588


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--group", "colour"), "--group can't be followed in data that stay on disk: keep rows"),
        (("--time", "day"), "--time can't be followed in data that stay on disk: keep rows apart"),
        (("--folds", 3), "Data that stay on disk are not dealt out to folds: leave --folds out"),
        (("--optimizer", "lbfgs"), "on disk are learned from in batches: leave"),
        (("--memory", "some"), "memory takes bytes such as 512MB or 8GB, found"),
        (("--memory", "0"), "memory takes bytes such as 512MB or 8GB, found"),
    ],
)
def test_what_can_not_be_had_is_refused_in_a_sentence(
    clearprop: Clearprop, data: str, options: tuple[Any, ...], said: str
) -> None:
    result = clearprop("train", data, "--target", "buys", *TRAIN, "--out", "run", *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not Path("run", "model.safetensors").exists()


def test_later_files_give_the_score_where_rows_are_kept_apart(
    clearprop: Clearprop, data: str
) -> None:
    write(Path("later/a.parquet"), people(500, seed=1))
    said = ("--target", "buys", "--drop", "worth", "--test", "later/*.parquet")
    result = clearprop("train", data, *said, *TRAIN, "--out", "run")
    assert result.exit_code == 0, result.output
    assert report("run")["test"]["samples"] == 490


def test_rows_that_were_learned_from_give_no_score_where_others_are_drawn(
    clearprop: Clearprop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (survey, going_on):
        monkeypatch.setattr(one, "SAMPLE", 1000)
    split(Path("x"), people() | {"same": [1] * ROWS}, [1000], group=400)
    said = ("--target", "buys", *TRAIN[:-1])
    assert clearprop("train", "x", *said, "150kB", "--out", "old").exit_code == 0
    # Without the column that is always the same, it would fit into that memory.
    for more in ((), ("--memory", "10MB")):
        result = clearprop("train", "x", "--from", "old", *more, "--out", "new")
        assert result.exit_code == 2
        assert "old has learned from samples of x that would give the score" in result.stderr
    result = clearprop("train", "x", "--from", "old", "--memory", "50kB", "--out", "new")
    assert result.exit_code == 0, result.output
    assert "stay on disk" in result.stderr


@pytest.mark.parametrize("command", ["train", "data"])
def test_files_that_do_not_fit_are_both_named(
    clearprop: Clearprop, data: str, command: str
) -> None:
    write(Path("x/part-003.parquet"), {**people(50), "more": range(50)})
    result = clearprop(command, data, "--target", "buys")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "x/part-000.parquet has no column 'more', which x/part-003.parquet has" in said
    assert "--drop more" in said
    assert "Traceback" not in said


def test_training_goes_on_where_a_file_became_unreadable_and_was_mended(
    clearprop: Clearprop, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ("train", data, "--target", "buys", "--drop", "worth", *TRAIN)
    clearprop(*said, "--out", "runs/whole")
    torn, reads, read = Path("x/part-001.parquet"), list[Piece](), ColumnFiles.read
    content, stamp = torn.read_bytes(), torn.stat().st_mtime_ns

    def change(new: bytes) -> None:
        torn.write_bytes(new)
        os.utime(torn, ns=(stamp, stamp))

    def counted(files: ColumnFiles, piece: Piece) -> Any:
        reads.append(piece)
        if len(reads) == 22:  # in the third epoch of eight pieces each
            change(content[:4] + b"\xff" * (len(content) - 8) + content[-4:])
        return read(files, piece)

    monkeypatch.setattr(ColumnFiles, "read", counted)
    result = clearprop(*said, "--out", "runs/torn", "--checkpoint-every", 3600)
    assert result.exit_code == 1, result.output
    assert "x/part-001.parquet can't be read, or is damaged" in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert Path("runs/torn/checkpoint.safetensors").exists()
    monkeypatch.setattr(ColumnFiles, "read", read)
    change(content)
    result = clearprop("train", "--resume", "--out", "runs/torn")
    assert result.exit_code == 0, result.output
    assert model("runs/torn") == model("runs/whole")
    assert len([*Path("runs").glob("survey-*.parquet")]) == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_table() -> None:
    """1.6 million rows of 20 columns are 256 MB as they lie in memory."""
    random_state = np.random.RandomState(0)
    for number in range(4):
        X = random_state.randint(0, 200, (20, 400_000)).astype(np.float64)
        names = {f"x{place}": column for place, column in enumerate(X)}
        write(Path(f"x/{number}.parquet"), names | {"y": (X[0] > X[1]).astype(int)}, 100_000)
    program = (
        "import resource, sys; from clearprop.cli import main\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    train = ("train", "x", "--target", "y", "--layers", "8", "--epochs", "1", "--quiet")

    def peak(memory: str, *options: str) -> int:
        arguments = (*train, "--batch-size", "4096", "--memory", memory, "--out", memory, *options)
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        return int(done.stderr.split()[-1]) * 1024

    assert peak("16MB") < peak("4GB", "--folds", "0") - 256_000_000
