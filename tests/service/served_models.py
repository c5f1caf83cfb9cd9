"""A model of each kind that can be served, with random weights, and samples for it."""

import base64
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from random_networks import randomized

import clearprop as cp
from clearprop.files.models import Model
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    Coverage,
    Preprocessing,
    ValueTarget,
    fit_recipe,
)

PEOPLE = [
    {
        "age": 18 + i % 60,
        "height": None if i % 7 == 0 else 1.5 + i % 11 / 20,
        "city": ["Oslo", "Rome", "7", ""][i % 4],
        "member": i % 3 == 0,
        "since": "" if i % 5 == 0 else f"20{10 + i % 14}-0{1 + i % 9}-1{i % 10}",
        "buys": "yes" if i % 60 > 30 else "no",
    }
    for i in range(200)
]
"""Rows with every kind of column, and gaps in some."""

ROWS = [
    {"age": 20, "height": 1.8, "city": "Oslo", "member": True, "since": "2015-03-12"},
    {"age": 70.5, "height": None, "city": "Bonn", "member": False, "since": None},
    {"age": 1e6, "height": 2, "city": 7, "member": None, "since": "2019-12-31T18:30:00Z"},
    {"age": -3, "height": 1.7, "city": None, "member": True, "since": ""},
    {"age": None, "height": 1.61234567890123, "city": " Rome ", "member": False, "since": None},
]
_BATCH = np.random.RandomState(0).standard_normal((30, 4))


@dataclass(frozen=True)
class Served:
    """A model, and samples for it as JSON holds them.

    `write` writes them to a file, or several, for ``clearprop predict``, which needs a recipe.
    """

    model: Model
    samples: list[Any]
    write: Callable[[Path], list[Path]] | None = None

    @property
    def key(self) -> str:
        return "pictures" if isinstance(self.samples[0], str) else "rows"

    def body(self, samples: list[Any] | None = None) -> bytes:
        return json.dumps({self.key: self.samples if samples is None else samples}).encode()


def of_people(folder: Path, *, robust: bool, missing: tuple[str, ...] = ()) -> Served:
    path = folder / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, PEOPLE[0])
        writer.writeheader()
        writer.writerows(PEOPLE)
    data = cp.load_data(path, target="buys")
    recipe = fit_recipe(data, robust=robust)
    inputs = replace(recipe.inputs, form=replace(recipe.inputs.form, missing=missing))

    def write(place: Path) -> list[Path]:
        lines = "".join(json.dumps(row) + "\n" for row in ROWS)
        (place / "new.jsonl").write_text(lines, encoding="utf-8")
        return [place / "new.jsonl"]

    return Served(with_network(replace(recipe, inputs=inputs), 2), ROWS, write)


def of_arrays(target: Any, loss: Any = None, *, outputs: int = 3) -> Served:
    recipe = Preprocessing(ArrayRecipe.fit(_BATCH), target)

    def write(place: Path) -> list[Path]:
        np.save(place / "new.npy", _BATCH[:5])
        return [place / "new.npy"]

    return Served(with_network(recipe, outputs, loss), _BATCH[:5].tolist(), write)


def of_pictures(channels: int) -> Served:
    shape = (20, 6, 8) if channels == 1 else (20, 6, 8, 3)
    pixels = np.random.RandomState(1).randint(0, 256, shape).astype(np.uint8)
    data = cp.Dataset("made", "pictures", pixels, np.arange(20) % 3, ("cat", "dog", "emu"))
    files = pictures()

    def write(place: Path) -> list[Path]:
        paths = [place / f"{at}.{kind}" for at, (kind, _) in enumerate(files)]
        for path, (_, content) in zip(paths, files, strict=True):
            path.write_bytes(content)
        return paths

    samples = [base64.b64encode(content).decode() for _, content in files]
    return Served(with_network(fit_recipe(data), 3), samples, write)


def pictures() -> list[tuple[str, bytes]]:
    """Make files of several sizes, colours and formats."""
    noise = np.random.RandomState(2).randint(0, 256, (31, 17, 4)).astype(np.uint8)
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    return [
        ("png", encoded(Image.fromarray(noise[..., :3]), "PNG")),
        ("png", encoded(Image.fromarray(noise), "PNG")),
        ("png", encoded(Image.fromarray(noise[:6, :8, 0]), "PNG")),
        ("png", encoded(Image.fromarray(deep), "PNG")),
        ("jpg", encoded(Image.fromarray(noise[..., :3]).convert("CMYK"), "JPEG")),
        ("gif", encoded(Image.fromarray(noise[..., :3]).quantize(7), "GIF")),
    ]


def encoded(image: Any, kind: str) -> bytes:
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def with_network(recipe: Preprocessing, outputs: int, loss: Any = None) -> Model:
    """Put a network with random weights behind a recipe."""
    return Model(network(recipe.inputs.input_shape, outputs, loss), recipe)


def network(shape: tuple[int, ...], outputs: int, loss: Any = None) -> cp.Network:
    found = cp.Network(
        [cp.Flatten(), cp.Dense(5), cp.Tanh(), cp.Dense(outputs)],
        loss=cp.SoftmaxCrossEntropy() if loss is None else loss,
        input_shape=shape,
        dtype="float32",
    )
    return randomized(found, np.random.RandomState(3))


_CLASSES = ClassTarget(("a", "b", 'c"\n<b>'), "kind", temperature=0.7)
_SURE = Coverage(0.9, 40, 0.5)
_VALUE = ValueTarget((10.0,), (3.0,), "price")

KINDS: dict[str, Callable[[Path], Served]] = {
    "table": lambda folder: of_people(folder, robust=False),
    "robust table": lambda folder: of_people(folder, robust=True),
    "table with marks": lambda folder: of_people(folder, robust=False, missing=("-3", "bonn")),
    "array": lambda _: of_arrays(_CLASSES),
    "sets": lambda _: of_arrays(replace(_CLASSES, coverage=_SURE)),
    "threshold": lambda _: of_arrays(
        ClassTarget(("no", "yes"), None, threshold=0.3), cp.BinaryCrossEntropy(), outputs=1
    ),
    "no probabilities": lambda _: of_arrays(_CLASSES, cp.MulticlassHinge()),
    "value": lambda _: of_arrays(_VALUE, cp.MeanSquaredError(), outputs=1),
    "interval": lambda _: of_arrays(
        replace(_VALUE, coverage=_SURE), cp.MeanSquaredError(), outputs=1
    ),
    "values": lambda _: of_arrays(
        ValueTarget((1.0, 2.0), (1.0, 5.0), None, coverage=_SURE), cp.MeanSquaredError(), outputs=2
    ),
    "quantiles": lambda _: of_arrays(_VALUE, cp.Quantiles((0.1, 0.5, 0.9)), outputs=3),
    "grey pictures": lambda _: of_pictures(1),
    "colour pictures": lambda _: of_pictures(3),
    "network alone": lambda _: Served(
        Model(network((2, 3), 4)), np.arange(12.0).reshape(2, 2, 3).tolist()
    ),
    "values alone": lambda _: Served(
        Model(network((3,), 2, cp.MeanSquaredError())), [[1, 2, 3], [0.5, -1e3, 0]]
    ),
}
"""Every kind of model, made in a folder."""
