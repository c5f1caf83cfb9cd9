"""The small real data sets that scikit-learn brings along."""

from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop.data.dataset import Dataset
from clearprop.data.table import Table


def digits() -> Dataset:
    """Return 1797 handwritten digits: grey pictures of 8x8.

    The 17 shades are spread from 0..16 to a picture's 0..255, so that a network that has learned
    them reads picture files too.
    """
    bunch = _fetch("load_digits")
    pixels = np.round(bunch["images"] * (255 / 16)).astype(np.uint8)
    return Dataset("digits", "pictures", pixels, *_classes(bunch), target_name="digit")


def iris() -> Dataset:
    """Return 150 irises of three species by the size of their leaves, in cm."""
    return _table("iris", "species")


def wine() -> Dataset:
    """Return 178 wines of three growers by 13 chemical measures."""
    return _table("wine", "class")


def breast_cancer() -> Dataset:
    """Return 569 tumours, malignant or benign, by 30 measures of their cell nuclei."""
    return _table("breast_cancer", "diagnosis")


def diabetes() -> Dataset:
    """Return 442 patients by 10 measures; the target is how far their illness went in a year."""
    bunch = _fetch("load_diabetes")
    table = _columns(bunch)
    y = bunch["target"].astype(np.float64)
    return Dataset("diabetes", "table", table, y, None, table.names, target_name="progression")


BUILTINS: dict[str, Callable[[], Dataset]] = {
    "breast_cancer": breast_cancer,
    "diabetes": diabetes,
    "digits": digits,
    "iris": iris,
    "wine": wine,
}


def _table(name: str, target_name: str) -> Dataset:
    bunch = _fetch(f"load_{name}")
    table = _columns(bunch)
    return Dataset(
        name, "table", table, *_classes(bunch), feature_names=table.names, target_name=target_name
    )


def _classes(bunch: Any) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    return bunch["target"].astype(np.int64), tuple(str(name) for name in bunch["target_names"])


def _columns(bunch: Any) -> Table:
    columns = np.ascontiguousarray(bunch["data"].T, dtype=np.float64)
    return Table(dict(zip(map(str, bunch["feature_names"]), columns, strict=True)))


def _fetch(loader: str) -> Any:
    # The files lie in the package itself; nothing is downloaded.
    from sklearn import datasets

    return getattr(datasets, loader)()
