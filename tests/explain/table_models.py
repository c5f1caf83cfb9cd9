"""Small models of tables, as training leaves them, and the tables that they answer for."""

import numpy as np

import clearprop as cp
from clearprop.data import Table
from clearprop.preprocessing import (
    CategoricalColumn,
    ClassTarget,
    DateColumn,
    NumericColumn,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)

LAYERS = (cp.Dense(7), cp.Tanh())


def people(rows=60, seed=0):
    """A table of a number with gaps, a number, a category with gaps, and a date."""
    random = np.random.RandomState(seed)
    age = random.randint(18, 80, rows).astype(float)
    age[::9] = np.nan
    city = random.choice(["Oslo", "Rome", "Lima", ""], rows)
    born = np.datetime64("1950-01-01") + random.randint(0, 20_000, rows)
    return Table({"age": age, "height": random.rand(rows) * 100, "city": city, "born": born})


def recipe_of(table):
    kinds = {"age": NumericColumn, "height": NumericColumn, "city": CategoricalColumn}
    return TableRecipe(
        tuple(kinds.get(name, DateColumn).fit(name, one) for name, one in table.columns.items())
    )


def model_of(table, layers, target, loss, outputs=1, dtype="float64"):
    recipe = recipe_of(table)
    network = cp.Network(
        [*layers, cp.Dense(outputs)],
        loss=loss,
        input_shape=recipe.input_shape,
        seed=3,
        dtype=dtype,
    )
    random = np.random.RandomState(5)
    network.parameters.data[...] += 0.2 * random.standard_normal(network.parameters.data.size)
    return cp.Model(network, Preprocessing(recipe, target))


def model_of_classes(table, names=("no", "yes"), layers=LAYERS, **target):
    one = len(names) == 2
    loss = cp.BinaryCrossEntropy() if one else cp.SoftmaxCrossEntropy()
    return model_of(
        table, layers, ClassTarget(names, "buys", **target), loss, 1 if one else len(names)
    )


def model_of_values(table, scale=None, layers=LAYERS):
    target = ValueTarget((30.0,), (12.0,), "price", scale)
    return model_of(table, layers, target, cp.MeanSquaredError())
