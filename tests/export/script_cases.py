"""Models of every kind of input, with samples as they are and what Python says of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from random_networks import randomized

import clearprop as cp
from clearprop.data import Table
from clearprop.data.pictures.files import read_pictures
from clearprop.data.tables.table import Words
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    InputRecipe,
    PictureRecipe,
    PowerScale,
    Preprocessing,
    TableRecipe,
    TargetRecipe,
    ValueTarget,
)

HOSTILE = (
    'ends "a" string\\',
    "*/ throw new Error('code'); /*",
    "</script><script>document.title = 1</script>",
    "${alert(1)} `b`",
    "two\u2028lines<!--",
    "数字",
)
"""Names that end a string, a comment, a script or a line where they are not escaped."""


@dataclass(frozen=True, eq=False)
class Case:
    """A model, and samples to ask it about.

    Parameters
    ----------
    model : Model
    rows : Table, ndarray or list of ndarray
        The samples before any preparation.
    prepared : ndarray
        The same, prepared by Python.
    """

    model: Model
    rows: Any
    prepared: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        return self.model.network.logits(self.prepared).astype(np.float64)


def model_with(
    inputs: InputRecipe, layers: list[cp.Layer], target: TargetRecipe, loss: cp.Loss, dtype: str
) -> Model:
    net = Network(layers, loss=loss, input_shape=inputs.input_shape, dtype=dtype)
    return Model(randomized(net, np.random.RandomState(3)), Preprocessing(inputs, target))


def dense_case(dtype: str = "float32") -> Case:
    """Return grey pictures of the size of training, behind dense layers."""
    pictures = np.random.RandomState(0).randint(0, 256, (40, 8, 8)).astype(np.uint8)
    recipe = PictureRecipe.fit(pictures)
    layers = [cp.Flatten(), cp.Dense(20), cp.ReLU(), cp.Dropout(0.2), cp.Dense(3)]
    target = ClassTarget(("a", "b", "c"), "letter", temperature=1.7)
    model = model_with(recipe, layers, target, cp.SoftmaxCrossEntropy(), dtype)
    return Case(model, pictures, recipe.transform(pictures, dtype))


def picture_case(folder: Path) -> Case:
    """Return coloured pictures of other sizes than those of training, behind convolutions."""
    random = np.random.RandomState(1)
    sizes = [(12, 10), (31, 17), (7, 40), (64, 64), (1, 1)]
    rows = [random.randint(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    files = [folder / f"{place}.png" for place in range(len(rows))]
    for file, row in zip(files, rows, strict=True):
        Image.fromarray(row).save(file)
    recipe = PictureRecipe((12, 10), 3)
    block = cp.Residual((cp.Conv2D(4), cp.BatchNorm(), cp.SELU()))
    layers = [cp.Conv2D(4, 3), cp.ReLU(), cp.MaxPool2D(), block, cp.GlobalAveragePool2D()]
    target = ClassTarget(("yes", "no"), "kind", threshold=0.3)
    net = [*layers, cp.Dense(1)]
    model = model_with(recipe, net, target, cp.BinaryCrossEntropy(), "float32")
    pixels = read_pictures(files, size=(12, 10)).pixels
    return Case(model, rows, recipe.transform(pixels, "float32"))


def table() -> Table:
    """Return numbers with gaps, categories, dates with and without hours, and extremes."""
    random = np.random.RandomState(2)
    age = np.round(random.uniform(10, 90, 60), 1)
    age[::7] = np.nan
    born = np.datetime64("1950-01-01", "s") + random.randint(0, 10**9, 60)
    born[::9] = np.datetime64("NaT")
    day = born.astype("datetime64[D]").astype("datetime64[s]")
    city = random.choice(["", "Oslo", "Bergen", "7", "Tromsø"], 60)
    street = np.array([f"street {place % 23}" for place in range(60)])
    answer = random.choice(["yes", "no"], 60)
    return Table(
        {
            "age": age,
            "city": Words.of(city.tolist()),
            "born": born,
            "day": day,
            "size": random.standard_normal(60) * 1e6,
            "street": Words.of(street.tolist()),
            "answer": Words.of(answer.tolist()),
        }
    )


def table_cases() -> Iterator[Case]:
    """Give tables by the plain recipe, and by the one of robust columns with codes."""
    known = table()
    asked = Table(
        {
            **known.columns,
            "city": Words.of(["Nowhere", "7", *["Oslo"] * 58]),  # one that is not known
            "age": np.array([np.nan, 1e9, *known.columns["age"][2:]]),
        }
    )
    for robust in (False, True):
        recipe = TableRecipe.fit(known, robust=robust)
        layers: list[cp.Layer] = [cp.Dense(9), cp.Mish(), cp.Dense(2)]
        if robust:
            numbers, plain, sizes = recipe.groups
            layers = [cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes), *layers]
        target = ClassTarget(("left", "right"), "answer")
        model = model_with(recipe, layers, target, cp.SoftmaxCrossEntropy(), "float32")
        yield Case(model, asked, recipe.transform(asked, "float32"))


def values_case() -> Case:
    """Return arrays of two axes, whose values are learned on another scale."""
    rows = np.random.RandomState(4).standard_normal((30, 2, 3)) * 50
    recipe = ArrayRecipe.fit(rows)
    scale = PowerScale(0.3, 1, 2.0, (-500.0, 900.0))
    target = ValueTarget((1.5,), (0.7,), "price", scale)
    layers = [cp.Flatten(), cp.Dense(6), cp.GELU(), cp.Dense(1)]
    model = model_with(recipe, layers, target, cp.MeanSquaredError(), "float64")
    return Case(model, rows, recipe.transform(rows, "float64"))
