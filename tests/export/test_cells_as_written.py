"""Cells as programs write them, and what an export says of the cells that it takes."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from random_networks import randomized

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.exports.c.target import CTarget
from clearprop.exports.description import describe
from clearprop.exports.onnx.target import OnnxTarget
from clearprop.exports.python.target import module_text
from clearprop.exports.sql import target as sql
from clearprop.exports.sql.target import SqlTarget
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    CategoricalColumn,
    DateColumn,
    NumericColumn,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)

CATEGORIES = ("007", "12.5", "3", "7", "Abc", "TRUE", "false")
MEANT = {
    **{one: one for one in CATEGORIES},
    "7.0": "7",
    "3.0": "3",
    "True": "TRUE",
    "true": "TRUE",
    "False": "false",
    "FALSE": "false",
    "007.0": "7",
    "abc": "",
    "ABC": "",
    "Abc.0": "",
    "12.5.0": "",
}
"""What a cell is, by its text: a category, or "" where it is none."""


class NAType:
    """What pandas has for a missing cell: neither equal nor unequal to anything."""

    def __eq__(self, other: object) -> Any:
        return self

    def __ne__(self, other: object) -> Any:
        return self

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


def model_with(*columns: Any, layers: Sequence[cp.Layer] = ()) -> Model:
    recipe = TableRecipe(columns)
    net = Network(
        [*layers, cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=recipe.input_shape
    )
    randomized(net, np.random.RandomState(3))
    return Model(net, Preprocessing(recipe, ValueTarget((0.0,), (1.0,), "y")))


def module_of(model: Model) -> Any:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(module_text(describe(model)), "exported.py", "exec"), namespace)  # noqa: S102
    return SimpleNamespace(**namespace)


CODES = model_with(CategoricalColumn("code", CATEGORIES))


def of_categories(*texts: str) -> np.ndarray:
    """Return what the model says of categories as training spelled them."""
    return np.asarray(CODES.predict(Table({"code": Words.of(texts)})))


def test_python_knows_a_category_as_programs_write_it() -> None:
    found = module_of(CODES).predict({"code": list(MEANT)})
    assert found == pytest.approx(of_categories(*MEANT.values()))
    cells = [7, 7.0, np.float64(3), 12.5, True, np.False_, None, np.nan, NAType(), "7.00", 8.0]
    meant = ["7", "7", "3", "12.5", "TRUE", "false", "", "", "", "7", ""]
    assert module_of(CODES).predict({"code": cells}) == pytest.approx(of_categories(*meant))


def test_onnx_knows_a_category_as_programs_write_it() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    content = OnnxTarget().write(CODES, describe(CODES)).files[".onnx"]
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    cells = np.array([*MEANT], object)[:, np.newaxis]
    (found,) = session.run(["value"], {"code": cells})
    assert found == pytest.approx(of_categories(*MEANT.values()))


def test_sql_knows_a_category_as_databases_write_it() -> None:
    query = SqlTarget().write(CODES, describe(CODES)).files[".sql"].decode()
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE data (code)")
        cells = [7, 7.0, 3, 12.5, *MEANT]
        connection.executemany("INSERT INTO data VALUES (?)", [(one,) for one in cells])
        found = [value for _, value, *_ in sorted(connection.execute(query).fetchall())]
    assert found == pytest.approx(of_categories("7", "7", "3", "12.5", *MEANT.values()))


HOURS = model_with(
    NumericColumn("starts", 9.0, 9.0, 2.0, unit="hours"), DateColumn("day", (0.0,) * 4, (1.0,) * 4)
)


@pytest.mark.parametrize("layers", [[], [cp.Dense(4), cp.ReLU()], [cp.Dense(4), cp.GELU()]])
def test_a_text_that_is_no_date_has_no_answer_in_sql(layers: list[cp.Layer]) -> None:
    model = model_with(DateColumn("day", (0.0,) * 5, (1.0,) * 5), layers=layers)
    query = SqlTarget().write(model, describe(model)).files[".sql"].decode()
    dates = ["2024-01-31", "2024-01-31T12:34", None, "31.01.2024", "1/31/2024", "1706659200", ""]
    with closing(sqlite3.connect(":memory:")) as connection:
        sql.teach(connection)
        connection.execute("CREATE TABLE data (day)")
        connection.executemany("INSERT INTO data VALUES (?)", [(one,) for one in dates])
        found = [value for _, value, *_ in sorted(connection.execute(query).fetchall())]
    known = np.array([date or "NaT" for date in dates[:3]], "datetime64[s]")
    prepared = model.preprocessing.inputs.transform(Table({"day": known}), "float64")
    assert found[:3] == pytest.approx(model.network.logits(prepared)[:, 0])
    assert found[3:] == [None] * 4


def test_units_are_told_where_cells_are_described() -> None:
    assert "    starts: a number, in hours\n    day: a date\n" in module_text(describe(HOURS))
    header = CTarget().write(HOURS, describe(HOURS)).files[".h"].decode()
    assert 'double starts; /* "starts", in hours */' in header
    query = SqlTarget().write(HOURS, describe(HOURS)).files[".sql"].decode()
    assert "--   'starts', a number, in hours\n" in query


def test_onnx_tells_units() -> None:
    onnx = pytest.importorskip("onnx")
    made = onnx.load_from_string(OnnxTarget().write(HOURS, describe(HOURS)).files[".onnx"])
    assert "numbers in hours, NaN" in made.graph.input[0].doc_string


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"starts": "10:15"}, "Row 2 of column 'starts' is '10:15', expected a plain number"),
        ({"day": "31.01.2024"}, "Row 2 of column 'day' is '31.01.2024', expected a date such as"),
    ],
)
def test_python_names_a_cell_that_it_can_not_read(row: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        module_of(HOURS).predict([{}, row])


def test_python_takes_dates_of_any_kind_and_year() -> None:
    days = ["0900-03-01", "1969-12-31", "2024-02-29", "12024-07-01"]
    found = module_of(HOURS).predict({"starts": [9] * 4, "day": days})
    dates = np.array(days, "datetime64[s]")
    rows = Table({"starts": np.full(4, 9.0), "day": dates})
    prepared = HOURS.preprocessing.inputs.transform(rows, "float64")
    assert found == pytest.approx(HOURS.network.logits(prepared)[:, 0], rel=1e-6)
    kinds = [date(2024, 2, 29), datetime(2024, 2, 29), np.datetime64("2024-02-29")]
    again = module_of(HOURS).predict({"starts": [9] * 3, "day": kinds})
    assert again == pytest.approx(found[[2, 2, 2]])
