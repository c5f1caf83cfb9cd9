"""Tables in several files, and what is read of them, without clearprop's help."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc, parquet

from clearprop.data import Dataset, load
from clearprop.data.reading import Reading
from clearprop.data.tables.column_files import ColumnFiles, Piece
from clearprop.data.whole.whole import Memory

ON_DISK = Memory(1)
"""So little that every table stays on disk."""


def columns(rows: int, seed: int = 0, **more: Any) -> dict[str, Any]:
    """Return a number x, and a target y that it tells."""
    x = np.random.RandomState(seed).standard_normal(rows)
    return {"x": x, "y": np.where(x > 0, "yes", "no"), **more}


def write(path: Path, table: Any, group: int | None = None) -> Path:
    """Write columns in row groups of a size, as the file's name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = table if isinstance(table, pa.Table) else pa.table(table)
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=group)
    else:
        with ipc.new_file(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=group)
    return path


def split(folder: Path, table: dict[str, Any], sizes: Iterable[int], group: int = 7) -> Path:
    """Write the rows of a table to files of some sizes, and the rest to the last."""
    whole, start = pa.table(table), 0
    for number, rows in enumerate([*sizes, None]):
        write(folder / f"part-{number:03}.parquet", whole.slice(start, rows), group)
        start += rows or 0
    return folder


def read_in_order(files: ColumnFiles, pieces: Iterable[Piece]) -> Any:
    """Read pieces in an order, and put them in their places."""
    read = {piece: files.read(piece) for piece in pieces}
    return pa.concat_tables([read[piece] for piece in files.pieces])


def plain(table: Any) -> dict[str, list[Any]]:
    """Return the cells of a table as Python has them, however they are kept."""
    return {name: table.column(name).to_pylist() for name in table.column_names}


def on_disk(path: Path, **said: Any) -> Dataset:
    """Load a table that stays on disk."""
    return load(path, reading=Reading(**{"target": "y"} | said), memory=ON_DISK)


def in_memory(path: Path, **said: Any) -> Dataset:
    """Load the same table into memory."""
    return load(path, reading=Reading(**{"target": "y"} | said))
