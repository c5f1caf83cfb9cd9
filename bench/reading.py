"""``python -m bench.reading``: a table of 200,000 rows and 20 columns, understood and prepared.

Numbers, categories and dates, of which 1% is missing. Each turn is a process of its own; what the
csv module alone takes for the same file is measured beside it, and the peak of memory is that above
what the process held before it began to read.
"""

import csv
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np

ROWS, TURNS = 200_000, 7


def write_table(path: Path, rows: int = ROWS, seed: int = 0) -> None:
    """Write twelve columns of numbers, five of categories, two of dates, and a target."""
    random_state = np.random.RandomState(seed)
    columns: dict[str, list[str]] = {}
    for at in range(12):
        values = random_state.randn(rows) * 10.0 ** (at % 4)
        columns[f"number {at}"] = [f"{value:.5g}" for value in values.tolist()]
    for at in range(5):
        words = [f"category {place}" for place in range(3 + 4 * at)]
        chosen = random_state.randint(0, len(words), rows)
        columns[f"category {at}"] = [words[place] for place in chosen.tolist()]
    for at in range(2):
        days = random_state.randint(0, 3000, rows)
        columns[f"date {at}"] = [str(date(2015, 1, 1) + timedelta(int(day))) for day in days]
    for cells in columns.values():
        for row in np.flatnonzero(random_state.rand(rows) < 0.01).tolist():
            cells[row] = "" if row % 2 else "NA"
    columns["target"] = np.array(["no", "yes"])[random_state.randint(0, 2, rows)].tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def turn(path: str) -> None:
    """Read, understand and prepare the table once, and print the seconds and the MiB."""
    from clearprop import preprocessing
    from clearprop.data import load

    began = time.perf_counter()
    with Path(path).open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    alone = time.perf_counter() - began
    before = _memory("VmRSS")
    began = time.perf_counter()
    dataset = load(path)
    recipe = preprocessing.fit_recipe(dataset)
    preprocessing.prepare(dataset.X, recipe.inputs, "float32")
    taken = time.perf_counter() - began
    print(alone, taken, _memory("VmHWM") - before)


def _memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return float(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def main() -> None:
    """Print the medians of some turns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path)
        size = path.stat().st_size / 2**20
        command = [sys.executable, "-m", "bench.reading", str(path)]
        turns = [
            [float(part) for part in subprocess.check_output(command, text=True).split()]  # noqa: S603 - this very file
            for _ in range(TURNS)
        ]
    alone, taken, memory = (median(column) for column in zip(*turns, strict=True))
    print(f"{ROWS:,} rows x 20 columns, {size:.1f} MiB, medians of {TURNS} turns")
    print(f"the csv module alone            {alone:6.2f} s")
    print(f"understood and prepared         {taken:6.2f} s, {taken - alone:.2f} s beyond that")
    print(f"peak memory above the process   {memory:6.1f} MiB, {memory / size:.2f} x the file")


if __name__ == "__main__":
    turn(sys.argv[1]) if len(sys.argv) > 1 else main()
