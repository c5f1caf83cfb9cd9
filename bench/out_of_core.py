"""Training on a table larger than memory: ``python -m bench.out_of_core FOLDER``.

Writes 100 million rows of 25 numbers and a target to Parquet files in the folder, 21 GB, unless
they are there; then measures, of the whole table:

- the one pass of the survey against pyarrow's own reading of the same files;
- updates of 4,096 rows read from disk against the same updates on rows in memory, by turns, with
  [25, 64, 1] and with the default network of tables;
- the memory of ``clearprop train`` with all its processes, from start to end, and when its first
  update is done.
"""

import argparse
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import clearprop as cp
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.whole.survey import survey
from clearprop.experiment import Settings, Task, load_dataset, set_task

_FEATURES, _GROUP, _FILES = 25, 1_000_000, 20
_BATCH, _IN_MEMORY = 4096, 2_000_000
_ROUNDS = 2
_PAUSE = 2.0  # seconds from the first update to the first line of progress
_STEPS = {"64": 24_000, "table": 800}
_LEFT_OUT = 4  # the part of the updates in which the window fills
_DENSE: dict[str, Any] = {"layers": (64,), "dropout": 0.0}


def write(folder: Path, rows: int) -> None:
    """Write the table, a file after the other, where there is room for it."""
    import pyarrow as pa
    from pyarrow import parquet

    need, free = rows * (_FEATURES + 1) * 8, shutil.disk_usage(folder).free
    weights = np.random.default_rng(0).standard_normal(_FEATURES)
    each = rows // _FILES
    files = [folder / f"part-{file:02}.parquet" for file in range(_FILES)]
    missing = [file for file in files if not file.exists()]
    if missing and free < 1.1 * need * len(missing) / _FILES:
        raise SystemExit(
            f"{folder} has {free / 1e9:.0f} GB free; the table takes {need / 1e9:.0f}."
        )
    for number, file in enumerate(files):
        if file.exists():
            continue
        part, writer = file.with_suffix(".part"), None
        for group in range(max(each // _GROUP, 1)):
            random = np.random.default_rng([number, group])
            X = random.standard_normal((_FEATURES, min(_GROUP, each)))
            y = weights @ np.tanh(X) + random.standard_normal(X.shape[1])
            table = pa.table({**{f"x{at}": column for at, column in enumerate(X)}, "y": y})
            writer = writer or parquet.ParquetWriter(part, table.schema, use_dictionary=False)
            writer.write_table(table, row_group_size=_GROUP)
        assert writer is not None  # noqa: S101 - a file has a row group
        writer.close()
        part.replace(file)


def forget(folder: Path) -> None:
    """Have the system forget what it has read of the files, where it can be asked to."""
    if hasattr(os, "posix_fadvise"):
        for file in folder.glob("*.parquet"):
            with file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def reading_rate(folder: Path) -> float:
    """Return the rows a second of pyarrow alone."""
    from pyarrow import parquet

    began, rows = time.perf_counter(), 0
    for file in sorted(folder.glob("*.parquet")):
        opened = parquet.ParquetFile(file)
        for group in range(opened.num_row_groups):
            rows += opened.read_row_group(group).num_rows
    return rows / (time.perf_counter() - began)


def survey_rate(folder: Path) -> float:
    """Return the rows a second of the survey."""
    files = ColumnFiles.of(folder)
    began = time.perf_counter()
    survey(files)
    return len(files) / (time.perf_counter() - began)


class _Clock(cp.Callback):
    """Notes when updates end: after the first few hundredths of them, and at last."""

    def __init__(self) -> None:
        self.times: list[tuple[int, float]] = []

    @property
    def wants_every_step(self) -> bool:
        """No: it would part updates that are done at once."""
        return False

    def on_step_end(self, run: cp.Run) -> None:
        """Note the time."""
        self.times.append((run.step, time.perf_counter()))

    def rate(self, steps: int) -> float:
        """Return the updates a second, without the first ones."""
        later = [one for one in self.times if one[0] >= steps // _LEFT_OUT]
        (first, began), (last, ended) = later[0], later[-1]
        return (last - first) / (ended - began)


def update_rates(task: Task, given: Sequence[tuple[Any, Any]], steps: int) -> list[float]:
    """Return the updates a second on each of some data, by turns."""
    found: list[list[float]] = [[] for _ in given]
    for _ in range(_ROUNDS):
        for rates, data in zip(found, given, strict=True):
            clock, network = _Clock(), task.network.copy()
            trainer = replace(task.trainer(), max_steps=steps, epochs=steps, early_stopping=None)
            trainer.fit(network, *data, callbacks=[clock])
            rates.append(clock.rate(steps))
    return [statistics.median(rates) for rates in found]


def in_memory(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return the first rows as they are learned from."""
    blocks, X, y = task.given[0], [], []
    for block in blocks.cut(_GROUP // 2):
        X.append(np.empty((block.rows, *blocks.input_shape), blocks.dtype))
        y.append(blocks.read(block, X[-1]))
        if sum(map(len, X)) >= _IN_MEMORY:
            break
    return np.concatenate(X), np.concatenate(y)


def tree(pid: int) -> Iterator[int]:
    """Give a process and all that it began, as Linux tells them."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from tree(int(child))


def memory(pid: int) -> int:
    """Return the bytes of memory of a process with its children; shared pages count once."""
    total = 0
    for one in tree(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return total


def trained(folder: Path, runs: Path, *options: str) -> tuple[int, float, float]:
    """Train by the command; return its most bytes, the seconds to its first update and in all."""
    command = [sys.executable, "-m", "clearprop", "train", str(folder), "--target", "y"]
    command += ["--batch-size", str(_BATCH), "--epochs", "1", "--patience", "0", *options]
    began, most, first = time.perf_counter(), 0, 0.0
    out = Path(tempfile.mkdtemp(dir=runs)) / "run"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 - of our own words
        [*command, "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        assert child.stderr is not None  # noqa: S101 - it is a pipe
        while child.poll() is None:
            most = max(most, memory(child.pid))
            told = (
                os.read(child.stderr.fileno(), 2**16).decode()
                if select.select([child.stderr], [], [], 0)[0]
                else ""
            )
            if not first and "epoch 0/1" in told:
                first = time.perf_counter() - began
            time.sleep(0.2)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}.")
    return most, first, time.perf_counter() - began


def main() -> None:
    """Measure, and print each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    write(given.folder, given.rows)
    forget(given.folder)
    own = reading_rate(given.folder)
    forget(given.folder)
    surveyed = survey_rate(given.folder)
    print(f"pyarrow reads {own / 1e6:.2f} million rows a second, the survey {surveyed / 1e6:.2f}")
    print(f"  {surveyed / own:.2f} of pyarrow's rate")
    runs = given.folder.parent / "out-of-core-runs"
    runs.mkdir(exist_ok=True)
    for name, steps in _STEPS.items():
        extra = _DENSE if name == "64" else {}
        settings = Settings(data=str(given.folder), target="y", batch_size=_BATCH, **extra)
        task = set_task(settings, load_dataset(settings, kept_in=runs))
        disk, here = update_rates(task, [task.given, in_memory(task)], steps)
        print(f"--layers {name}: {disk:.1f} updates a second from disk, {here:.1f} from memory")
        print(f"  {disk / here:.2f} of the rate in memory")
    most, first, seconds = trained(given.folder, runs, "--layers", "64")
    print(f"clearprop train, an epoch: {seconds:.0f} s, {most / 1e9:.2f} GB of memory at most")
    _, first, _ = trained(given.folder, runs, "--layers", "64")
    print(f"  where the survey is kept, the first update is done after {first - _PAUSE:.1f} s")


if __name__ == "__main__":
    main()
