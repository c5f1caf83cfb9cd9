"""A table of people, and a network for it that has learned nothing."""

from typing import Any

import numpy as np

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.files.models import Model
from clearprop.preprocessing import (
    CategoricalColumn,
    ClassTarget,
    DateColumn,
    NumericColumn,
    PlainColumn,
    Preprocessing,
    TableRecipe,
)


def table_of(rows: list[dict[str, Any]]) -> Table:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    numbers = {name: np.array(columns[name], float) for name in ("age", "size")}
    return Table(
        {
            "age": numbers["age"],
            "city": Words.of(columns["city"]),
            "born": np.array(columns["born"], "datetime64[s]"),
            "size": numbers["size"],
        }
    )


def table_model() -> Model:
    born = np.array(["2000-01-01", "2000-01-02", "2000-01-03"], "datetime64[s]")
    recipe = TableRecipe(
        (
            NumericColumn("age", 20.0, 22.0, 9.0, 10.0, 40.0, "years"),
            CategoricalColumn("city", ("Bergen", "Oslo")),
            DateColumn.fit("born", born),
            PlainColumn("size"),
        )
    )
    layers = [cp.Dense(5), cp.Tanh(), cp.Dense(2)]
    network = cp.Network(
        layers, loss=cp.SoftmaxCrossEntropy(), input_shape=recipe.input_shape, seed=4
    )
    return Model(network, Preprocessing(recipe, ClassTarget(("no", "yes"), "kind")), {})
