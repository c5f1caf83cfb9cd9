"""Model files whose bytes, descriptions or arrays are wrong."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mutations import ODD_NUMBERS, as_json, changed_bytes, changed_json
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save

import clearprop as cp
from clearprop.data import Dataset, load
from clearprop.experiment.baselines import constant_of
from clearprop.files.models import linear_network
from clearprop.preprocessing import fit_recipe

Parts = tuple[dict[str, np.ndarray], dict[str, Any]]


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        yield "model.safetensors", changed_file(*random.choice(_models()), random)


def changed_file(arrays: dict[str, np.ndarray], described: Any, random: Random) -> bytes:
    """Write arrays with their description, one of which, or whose bytes, are changed."""
    kind = random.random()
    if kind < 0.7:
        described = changed_json(described, random)
    elif kind < 0.85:
        arrays = _changed_arrays(arrays, random)
    content = save(arrays, metadata={"clearprop": as_json(described)})
    return changed_bytes(content, random) if kind >= 0.85 else content


def _changed_arrays(arrays: dict[str, np.ndarray], random: Random) -> dict[str, np.ndarray]:
    name = random.choice(list(arrays))
    array = arrays[name].copy()
    if random.random() < 0.4 and array.size:
        odd_floats = [one for one in ODD_NUMBERS if isinstance(one, float)]
        with np.errstate(all="ignore"):
            odd = np.array(random.choice(odd_floats)).astype(array.dtype)
        array.reshape(-1)[random.randrange(array.size)] = odd
        return arrays | {name: array}
    odd = random.choice(
        (
            np.zeros(array.shape, np.float16),
            array.astype(np.int64),
            array.reshape(-1)[:-1],
            array.reshape(1, *array.shape),
            np.zeros((0, 3), np.float32),
        )
    )
    return arrays | {random.choice((name, "0.X", "\x1b[2J", "x" * 300)): odd}


@cache
def _models() -> tuple[Parts, ...]:
    hidden = (
        [cp.Dense(3), cp.ELU(0.5), cp.BatchNorm(), cp.Dropout(0.5)],
        [cp.Residual((cp.Dense(4), cp.LayerNorm())), cp.LeakyReLU(0.1)],
        [cp.Flatten(), cp.Dense(2, cp.Constant(0.5)), cp.GELU()],
    )
    losses = (cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy(), cp.BinaryCrossEntropy())
    outputs = (1, 3, 1)
    with TemporaryDirectory() as name:
        sources = (_table(Path(name)), "iris", _pictures(Path(name)))
        return tuple(
            _parts(load(source), [*layers, cp.Dense(units)], loss, Path(name))
            for source, layers, units, loss in zip(sources, hidden, outputs, losses, strict=True)
        )


def _parts(dataset: Dataset, layers: list[Any], loss: cp.Loss, folder: Path) -> Parts:
    recipe = fit_recipe(dataset)
    network = cp.Network(layers, loss=loss, input_shape=recipe.inputs.input_shape, seed=1)
    settings = {"data": "digits", "layers": [3], "epochs": 2}
    training = {"settings": settings, "stopped": "finished", "epoch": 2, "loss": 0.5}
    training["constant"] = constant_of(dataset, loss)
    training["score"] = {"samples": 9, "score": "accuracy", "accuracy": 0.5}
    path = folder / "model.safetensors"
    cp.save(path, cp.Model(network, recipe, training, linear=linear_network(network)))
    return parts_of(path)


def parts_of(path: Path) -> Parts:
    """Return the arrays and the description of a file."""
    with safe_open(path, framework="numpy") as file:
        described = json.loads(file.metadata()["clearprop"])
    return load_file(path), described


def _table(folder: Path) -> Path:
    rows = [
        f"{row},{'red' if row % 3 else 'green'},{'yes' if row % 2 else 'no'}" for row in range(12)
    ]
    path = folder / "people.csv"
    path.write_text("\n".join(["age,colour,buys", *rows, ",red,no"]))
    return path


def _pictures(folder: Path) -> Path:
    for place, name in enumerate(("dark", "light")):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(2):
            picture = Image.new("RGB", (8, 8), (200 * place + number,) * 3)
            picture.save(folder / "photos" / name / f"{number}.png")
    return folder / "photos"
