"""Data sets that have a name: real ones that scikit-learn brings along, and generated ones.

Those that are generated have X of float64, shape (samples, 2); their classes follow each other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.tables.table import Table
from clearprop.errors import UsageError


def planar(samples: int = 400, seed: int = 1) -> Dataset:
    """Make the course's flower: petals of two classes, taking turns around the origin.

    Class j has the points (r sin t, r cos t), with t spread over 3.12 j to 3.12 (j + 1) and
    r = 4 sin(4 t), both with normal noise of 0.2. The default seed gives the published points.
    """
    random_state = np.random.RandomState(seed)
    parts = []
    for petals, count in enumerate(_shares(samples, 2)):
        t = np.linspace(petals * 3.12, (petals + 1) * 3.12, count) + 0.2 * random_state.randn(count)
        r = 4 * np.sin(4 * t) + 0.2 * random_state.randn(count)
        parts.append(np.column_stack([r * np.sin(t), r * np.cos(t)]))
    return _points("planar", parts, ("0", "1"))


def moons(samples: int = 400, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Make two half circles of radius 1 that reach into each other.

    `noise` is the standard deviation of what is added to each coordinate.
    """
    random_state = np.random.RandomState(seed)
    upper, lower = (np.linspace(0, np.pi, count) for count in _shares(samples, 2))
    parts = [
        np.column_stack([np.cos(upper), np.sin(upper)]),
        np.column_stack([1 - np.cos(lower), 0.5 - np.sin(lower)]),
    ]
    noisy = [part + noise * random_state.randn(*part.shape) for part in parts]
    return _points("moons", noisy, ("upper", "lower"))


def spirals(samples: int = 600, arms: int = 3, noise: float = 0.02, seed: int = 0) -> Dataset:
    """Make arms that wind around the origin up to radius 1, one class each.

    `noise` is the standard deviation of what is added to each coordinate.
    """
    random_state = np.random.RandomState(seed)
    parts = []
    for arm, count in enumerate(_shares(samples, arms)):
        radius = np.linspace(0.05, 1, count)
        angle = 2 * np.pi * (arm / arms + 0.75 * radius)
        arc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        parts.append(arc + noise * random_state.randn(count, 2))
    return _points("spirals", parts, tuple(f"arm {arm + 1}" for arm in range(arms)))


def blobs(samples: int = 300, centres: int = 3, seed: int = 0) -> Dataset:
    """Make round heaps with standard deviation 1 at random places in a square of side 12."""
    random_state = np.random.RandomState(seed)
    counts = _shares(samples, centres)
    places = random_state.uniform(-6, 6, size=(centres, 2))
    parts = [
        place + random_state.randn(count, 2) for place, count in zip(places, counts, strict=True)
    ]
    return _points("blobs", parts, tuple(f"blob {blob + 1}" for blob in range(centres)))


def linear(samples: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Make values y of float64, shape (samples,): 2 x1 - x2 + 0.5, plus noise.

    It is the simplest regression; `noise` is the standard deviation of what is added.
    """
    random_state = np.random.RandomState(seed)
    X = random_state.randn(*_shares(samples, 1), 2)
    y = X @ np.array([2.0, -1.0]) + 0.5 + noise * random_state.randn(samples)
    return Dataset("linear", "array", X, y, None, ("x1", "x2"), target_name="y")


TOYS: dict[str, Callable[..., Dataset]] = {
    "blobs": blobs,
    "linear": linear,
    "moons": moons,
    "planar": planar,
    "spirals": spirals,
}


def _shares(samples: int, parts: int) -> list[int]:
    if parts < 1 or samples < parts:
        raise UsageError(f"{samples} samples can't be spread over {parts} classes; give more.")
    return [samples // parts + (part < samples % parts) for part in range(parts)]


def _points(name: str, parts: list[NDArray[np.float64]], class_names: tuple[str, ...]) -> Dataset:
    y = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    X = np.concatenate(parts)
    return Dataset(name, "array", X, y, class_names, ("x1", "x2"), target_name="class")


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


def _classes(bunch: Any) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    return bunch["target"].astype(np.int64), tuple(str(name) for name in bunch["target_names"])


def _columns(bunch: Any) -> Table:
    columns = np.ascontiguousarray(bunch["data"].T, dtype=np.float64)
    return Table(dict(zip(map(str, bunch["feature_names"]), columns, strict=True)))


def _fetch(loader: str) -> Any:
    # The files lie in the package itself; nothing is downloaded.
    from sklearn import datasets

    return getattr(datasets, loader)()
