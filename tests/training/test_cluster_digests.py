"""One worker, two, three, five or eight, with and without a SIGKILL: the bytes of a model."""

import hashlib
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from clusters import After, cluster_of, kill_one
from PIL import Image

from clearprop.experiment import Settings, learn, load_dataset, set_task
from clearprop.files import models

pytestmark = pytest.mark.cluster

KILLED_AFTER = 5
SETTINGS = {
    "digits": {"epochs": 3, "batch_size": 128, "layers": (32,), "dropout": 0.1},
    "table": {"epochs": 3, "batch_size": 64, "layers": (32, 32), "network": "table"},
    "pictures": {
        "epochs": 3,
        "batch_size": 32,
        "layers": ("conv4", "pool", 16),
        "batch_norm": True,
        "augment": ("flip", "shift", "mixup"),
    },
}


def table(folder):
    """Write a table with gaps, two columns of categories, and a target that they tell."""
    draw = np.random.RandomState(0)
    size, many = draw.normal(size=400), draw.randint(0, 20, 400)
    frame = pd.DataFrame(
        {
            "size": np.where(draw.uniform(size=400) < 0.1, np.nan, size),
            "kind": draw.choice(["a", "b"], 400),
            "place": [f"place {number}" for number in many],
            "target": np.where(np.nan_to_num(size) + many % 3 > 1, "high", "low"),
        }
    )
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def pictures(folder):
    """Write pictures of two kinds: light at the top, and light at the bottom."""
    draw = np.random.RandomState(0)
    for place in ("top", "bottom"):
        (folder / place).mkdir()
        for number in range(60):
            pixels = draw.randint(0, 160, (12, 12, 3))
            pixels[slice(6) if place == "top" else slice(6, 12)] += 90
            Image.fromarray(pixels.astype(np.uint8)).save(folder / place / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Where the data lie."""
    folder = tmp_path_factory.mktemp("pictures")
    return {
        "digits": "digits",
        "table": table(tmp_path_factory.mktemp("tables")),
        "pictures": pictures(folder),
    }


def digest(what, place, callbacks=(), **given):
    """Train, save the model, and return the SHA-256 of the file."""
    settings = Settings(data=str(place), shards=8, test="0", folds=0, **SETTINGS[what], **given)
    trained = learn(set_task(settings, load_dataset(settings)), callbacks=callbacks)
    assert trained.history.stopped == "finished"
    assert all(one.done == 1 for one in callbacks)
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        models.save(path, trained.model)
        return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def alone(what, place):
    """Return the digest of a training by this process."""
    return digest(what, place)


@pytest.fixture(scope="module", params=[1, 2, 3, 5, 8])
def cluster(request):
    with cluster_of(request.param) as found:
        yield found


@pytest.mark.parametrize("what", SETTINGS)
@pytest.mark.parametrize("killed", [False, True])
def test_neither_the_number_of_workers_nor_a_kill_leaves_a_mark(cluster, places, what, killed):
    if killed and os.name == "nt":
        pytest.skip("there is no SIGKILL on Windows")
    one, client = cluster
    kill = [After({KILLED_AFTER}, lambda: kill_one(client))] if killed else []
    found = digest(what, places[what], kill, cluster=one.scheduler_address)
    assert found == alone(what, places[what])
