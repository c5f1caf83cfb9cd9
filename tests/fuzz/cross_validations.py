"""Files of a cross-validation that was interrupted, changed."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from mutations import as_json, changed_bytes, changed_json

from clearprop.data import Dataset
from clearprop.experiment import Settings
from clearprop.experiment.fold_scores import CrossValidation, begin, read_begun
from clearprop.experiment.folder import FOLDS, dumps

_SETTINGS = Settings(data="made", layers=(2,), epochs=2, folds=0, validation="0", coverage=0.6)


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of JSON files, without end."""
    while True:
        told: Any = json.loads(dumps(_begun().to_json()))
        for _ in range(random.choice((1, 1, 3))):
            told = changed_json(told, random)
        content = as_json(told).encode("utf-8", "surrogatepass")
        yield FOLDS, changed_bytes(content, random) if random.random() < 0.3 else content


def gone_on_with(path: Path) -> None:
    """Do what the command does with the folds that a file tells, whatever data it was of."""
    found = CrossValidation(_SETTINGS, _begun().parts, 0, (), read_begun(path.parent).folds)
    dumps(found.to_json())


@cache
def _begun() -> CrossValidation:
    y = np.arange(40) % 2
    dataset = Dataset("made", "array", np.c_[y, np.arange(40)] * 1.0, y, ("a", "b"))
    found = begin(_SETTINGS, dataset, 3)
    for _ in range(2):
        found = found.and_of(found.score())
    return found
