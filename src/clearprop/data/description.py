"""What was understood of a data set, in plain values."""

from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.data.dataset import Dataset, Raw
from clearprop.data.rows import blocks
from clearprop.data.table import Column, Table, is_numeric


def describe(dataset: Dataset) -> dict[str, Json]:
    """Describe a data set: counts, shapes, classes, ranges, and what was left out.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    dict
        Ready for JSON: ``name``, ``kind``, ``samples``, ``bytes`` (of X), ``target``, ``task``
        ("classification" or "regression"), ``problems``, ``test`` (the same, or None); with
        ``classes`` (samples by class name) or ``values`` (lowest and highest); with
        ``shape`` (of one sample), ``dtype`` and ``range``, or for a table ``columns``.
    """
    task: dict[str, Json]
    if dataset.class_names is None:
        task = {"task": "regression", "values": _range(dataset.y)}
    else:
        task = {"task": "classification", "classes": dict(dataset.counts())}
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "samples": len(dataset),
        "bytes": dataset.X.nbytes,
        **_describe_inputs(dataset.X),
        "target": dataset.target_name,
        **task,
        "problems": [
            {"source": problem.source, "reason": problem.reason} for problem in dataset.problems
        ],
        "test": describe(dataset.test) if dataset.test else None,
    }


def _describe_inputs(X: Raw) -> dict[str, Json]:
    if isinstance(X, Table):
        return {"columns": [_describe_column(name, X.columns[name]) for name in X.names]}
    ranges = [_range(block) for _, block in blocks(X)]
    return {
        "shape": list(X.shape[1:]),
        "dtype": str(X.dtype),
        "range": [min(low for low, _ in ranges), max(high for _, high in ranges)],
    }


def _describe_column(name: str, column: Column) -> dict[str, Json]:
    if is_numeric(column):
        present = column[~np.isnan(column)]
        missing = len(column) - len(present)
        span: Json = _range(present) if len(present) else None
        return {"name": name, "kind": "numeric", "missing": missing, "range": span}
    categories = np.unique(column[column != ""])
    missing = int(np.sum(column == ""))
    return {
        "name": name,
        "kind": "categorical",
        "missing": missing,
        "categories": len(categories),
    }


def _range(values: np.ndarray[Any, Any]) -> list[Any]:
    return [values.min().item(), values.max().item()]
