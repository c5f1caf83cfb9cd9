"""Small raw data, and the numbers that random data are drawn from."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from clearprop.data import Dataset, Table
from clearprop.data.tables.table import Words

FINITE = st.floats(-1e100, 1e100, allow_subnormal=False)
FLOATS = st.sampled_from([np.float32, np.float64])


def table_of(**columns: list[Any]) -> Table:
    return Table(
        {
            name: Words.of(cells) if isinstance(cells[0], str) else np.array(cells, np.float64)
            for name, cells in columns.items()
        }
    )


def dataset_of(X: Any, y: list[float], names: tuple[str, ...] | None = ("no", "yes")) -> Dataset:
    kind = "table" if isinstance(X, Table) else "pictures" if X.dtype == np.uint8 else "array"
    return Dataset("made", kind, X, np.array(y, np.int64 if names else np.float64), names)


TABLE = table_of(width=[1.0, np.nan, 3.0, 8.0], colour=["red", "", "blue", "red"])
PICTURES = np.random.RandomState(0).randint(0, 256, size=(4, 3, 5, 3)).astype(np.uint8)


# Pictures
