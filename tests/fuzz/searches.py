"""Files of a search that was interrupted, changed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from mutations import as_json, changed_bytes, changed_json

from clearprop.data import Dataset
from clearprop.experiment import Settings
from clearprop.experiment.folder import SEARCH, dumps
from clearprop.experiment.search import Search, begin_search, read_search

_SETTINGS = Settings(data="made", epochs=1, folds=0, validation="0", l2=0.0, batch_size=20)


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of JSON files, without end."""
    while True:
        told: Any = json.loads(dumps(_begun().to_json()))
        for _ in range(random.choice((1, 1, 3))):
            told = changed_json(told, random)
        content = as_json(told).encode("utf-8", "surrogatepass")
        yield SEARCH, changed_bytes(content, random) if random.random() < 0.3 else content


def gone_on_with(path: Path) -> None:
    """Do what the command does with what a file tells, whatever data it was of."""
    before = read_search(path.parent)
    own = replace(before, of=replace(before.of, checksum=_begun().base.checksum))
    found, _ = replace(_begun(), budget=before.budget).goes_on(own).next(1)
    dumps(found.to_json())
    found.ranked()


@cache
def _begun() -> Search:
    y = np.arange(40) % 2
    dataset = Dataset("made", "array", np.c_[y, np.arange(40)] * 1.0, y, ("a", "b"))
    found = begin_search(_SETTINGS, dataset, 2, 12.0)
    while True:
        found, jobs = found.next(1)
        if not jobs:
            return found
        found = found.and_of(jobs, [found.score(job) for job in jobs], 1.0)
