"""Samples for a page: as the network takes them, and as a person knows them, within bounds."""

from base64 import b64encode
from typing import Final

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.core.printable import printable
from clearprop.data import Dataset, Table
from clearprop.data.tables.table import Words
from clearprop.preprocessing import PreparedRows, Preprocessing

_MOST: Final = 300  # that are shown: a page is looked at, and not evaluated
_LARGEST: Final = 2**18  # bytes of their inputs


def samples_data(
    part: str,
    dataset: Dataset,
    recipe: Preprocessing,
    *,
    most: int = _MOST,
    largest: int = _LARGEST,
) -> dict[str, Json] | None:
    """Describe samples in JSON values: evenly spaced ones, where all would be too many.

    Parameters
    ----------
    part : str
        The name of the part of the data: ``"test"``.
    dataset : Dataset
    recipe : Preprocessing
        The recipe that prepares them.
    most : int
        The number of samples at most.
    largest : int
        The bytes of their inputs at most.

    Returns
    -------
    dict or None
        None where not even one fits.
    """
    prepared = PreparedRows(dataset.X, recipe.inputs, np.float32)
    each = int(np.prod(prepared.shape[1:]))
    is_bytes = dataset.kind == "pictures"
    count = min(len(dataset), most, largest // max(each * (1 if is_bytes else 4), 1))
    if count == 0:
        return None
    rows = np.unique(np.linspace(0, len(dataset) - 1, count).astype(np.int64))
    inputs, shown = np.asarray(prepared[rows], np.float32), dataset.take(rows)
    truth = np.asarray(shown.y)
    sources = None if dataset.sources is None else shown.sources  # else rows are called by numbers
    return {
        "part": part,
        "of": len(dataset),
        "shape": [int(size) for size in inputs.shape],
        **_numbers(inputs),
        "truth": truth.tolist(),
        "rows": rows.tolist(),
        "sources": None if sources is None else [printable(name) for name in sources],
        "raw": _columns(shown.X) if isinstance(shown.X, Table) else None,
    }


def _numbers(inputs: Array) -> dict[str, Json]:
    """Write numbers in base64: as bytes, where they are 255ths, as pictures are."""
    of_255 = np.round(inputs * 255)
    if inputs.min() >= 0 and inputs.max() <= 1 and np.abs(of_255 / 255 - inputs).max() < 1e-6:
        return {"type": "u8", "data": _base64(of_255.astype(np.uint8))}
    return {"type": "f32", "data": _base64(inputs.astype("<f4"))}


def _base64(array: Array) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _columns(table: Table) -> dict[str, Json]:
    """Write the cells of a table by column; what is missing is null."""
    found: dict[str, Json] = {}
    for name, column in table.columns.items():
        if isinstance(column, Words):
            found[name] = [cell or None for cell in column.tolist()]
        else:
            found[name] = [_cell(value) for value in np.asarray(column).tolist()]
    return found


def _cell(value: object) -> Json:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)
