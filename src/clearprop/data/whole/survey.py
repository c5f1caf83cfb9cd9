"""The one pass over a table on disk that all else builds on, and a file that keeps it.

It finds out what each column is as a whole, and draws a sample of the rows: those whose numbers,
well mixed, lie below a bound. So every row has the same chance, whichever file it lies in, and the
same rows are drawn wherever and in whatever order it is read.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.blas import blas_threads
from clearprop.data.tables import arrow
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.errors import OutputError

SAMPLE = 2**17
"""Rows of the sample, about: a share of them is known to 0.3%, a quantile to a rank of 0.3%."""

_AHEAD = 2  # pieces that are read before they are asked for
_VERSION = 1
_KEY = b"clearprop.survey"

Told = Callable[[int, int], None]
"""Hears of progress: the rows that are read, and those of all."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a table on disk.

    Parameters
    ----------
    fingerprint : str
        What tells its files from others.
    columns : dict of str to ColumnSurvey
    missing : dict of str to ndarray of int64, shape (P,)
        The missing cells of each column in each piece of the files.
    sample : pyarrow.Table
        Some of the rows.
    places : ndarray of int64
        Their numbers among all rows, in order.
    """

    fingerprint: str
    columns: dict[str, ColumnSurvey]
    missing: dict[str, NDArray[np.int64]]
    sample: Any
    places: NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write it as a Parquet file of the sample, which tells the rest in its head.

        Raises
        ------
        OutputError
        """
        pa = arrow.library()
        told = {
            "version": _VERSION,
            "fingerprint": self.fingerprint,
            "columns": {name: one.to_json() for name, one in self.columns.items()},
            "missing": {name: one.tolist() for name, one in self.missing.items()},
            "places": self.places.tolist(),
        }
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            about = {_KEY: json.dumps(told).encode()}
            pa.parquet.write_table(self.sample.replace_schema_metadata(about), beside)
            beside.replace(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise OutputError(f"{path} can't be written: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> "Survey | None":
        """Read what `save` wrote; None where there is none, or it is of other files."""
        if not path.is_file():
            return None
        try:
            sample, _ = arrow.read_whole(path)
            told = json.loads((sample.schema.metadata or {}).get(_KEY, b"{}"))
            if (told["version"], told["fingerprint"]) != (_VERSION, fingerprint):
                return None
            columns = {name: ColumnSurvey.from_json(one) for name, one in told["columns"].items()}
            missing = {name: np.array(one, np.int64) for name, one in told["missing"].items()}
            places = np.array(told["places"], np.int64)
            if len(places) != sample.num_rows or list(columns) != sample.column_names:
                return None
            return cls(fingerprint, columns, missing, sample.replace_schema_metadata(None), places)
        except Exception:  # torn, or somebody else's: it is made anew
            return None


def survey(files: ColumnFiles, tell: Told | None = None) -> Survey:
    """Read all rows once; a thread of its own reads while others count.

    Parameters
    ----------
    files : ColumnFiles
    tell : callable, optional
        Hears of progress.

    Raises
    ------
    DataError
        If a file can't be read.
    """
    pa = arrow.library()
    columns = {name: ColumnSurvey() for name in files.names}
    missing = {name: np.zeros(len(files.pieces), np.int64) for name in files.names}
    share, done = min(SAMPLE / len(files), 1.0), 0
    places, samples = [], []
    # A thread of products that is woken would spin on, and be in the way of whoever reads.
    with blas_threads(1), ThreadPoolExecutor(1, "clearprop-survey") as threads:
        for piece, table in enumerate(_ahead(files, threads)):
            for name, column in zip(files.names, table.columns, strict=True):
                missing[name][piece] = columns[name].add(arrow.cells_of(arrow.decoded(column)))
            chosen = drawn(done, table.num_rows, share)
            places.append(done + chosen)
            samples.append(arrow.with_own_texts(table.take(pa.array(chosen))))
            done += table.num_rows
            if tell is not None:
                tell(done, len(files))
    sample = pa.concat_tables(samples, promote_options="permissive").combine_chunks()
    return Survey(files.fingerprint(), columns, missing, sample, np.concatenate(places))


def drawn(start: int, rows: int, share: float) -> NDArray[np.int64]:
    """Return which of some rows are drawn, by their numbers among all.

    Source of the mixing: Steele, Lea, Flood, "Fast splittable pseudorandom number generators"
    (2014), the finaliser of SplitMix64 in Vigna's variant.
    """
    if share >= 1:
        return np.arange(rows)
    z = np.arange(start + 1, start + 1 + rows, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.flatnonzero((z ^ (z >> np.uint64(31))) < np.uint64(int(share * 2.0**64)))


def _ahead(files: ColumnFiles, threads: ThreadPoolExecutor) -> Iterator[Any]:
    """Walk over the pieces, the next of which is read meanwhile."""
    coming: deque[Future[Any]] = deque()
    for piece in files.pieces:
        coming.append(threads.submit(files.read, piece))
        if len(coming) > _AHEAD:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()
