"""Estimators' files whose descriptions or bytes are wrong."""

import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from models import Parts, changed_file, parts_of

from clearprop.estimators import MLPClassifier, MLPRegressor


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        arrays, described = random.choice(_estimators())
        yield "estimator.safetensors", changed_file(arrays, described, random)


@cache
def _estimators() -> tuple[Parts, ...]:
    X = np.random.RandomState(0).randn(12, 2)
    targets = (
        np.array(["a", "b", "c"] * 4),
        np.arange(12) % 2,
        X[:, 0],
        np.eye(3, dtype=int)[[0, 1, 2] * 4],
    )
    kinds = (MLPClassifier, MLPClassifier, MLPRegressor, MLPClassifier)
    found = []
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two epochs, which are not enough to converge
        path = Path(folder) / "estimator.safetensors"
        for kind, y in zip(kinds, targets, strict=True):
            estimator = kind(hidden_layer_sizes=(3,), max_iter=2, random_state=0)
            estimator.fit(X, y).save(path)
            found.append(parts_of(path))
    return tuple(found)
