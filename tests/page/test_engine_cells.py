"""Rows of tables as people give them, in the page's engine as in Python."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_models import assert_predicts_alike, model_of
from twins import in_base64

from clearprop.data import Table
from clearprop.data.reading import TextForm
from clearprop.data.tables.table import Words
from clearprop.preprocessing import DateColumn, NumericColumn, PlainColumn, TableRecipe

NAN = math.nan
NUMBERS = [1.5, NAN, 3.0, 8.25, -2.0, 1e6, 0.0, 4.0]
COLOURS = ["red", "", "blue", "red", "green", "7", "red", "True"]
SIZES = ["small", "large", "", "large", "small", "small", "large", "small"]
TOWNS = [f"town {n}" for n in range(11)]
DAYS = ["2024-01-31", "NaT", "1969-12-31", "2000-02-29", "1970-01-01", "2031-07-04"]


def rows_of(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Turn columns into rows, in which what is missing is None."""
    cells = {
        name: [None if cell in ("", "NaT") or cell != cell else cell for cell in column]
        for name, column in columns.items()
    }
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def table(*, with_dates: bool = True) -> Table:
    random = np.random.RandomState(0)
    columns: dict[str, Any] = {
        "width": np.array(NUMBERS * 8),
        "height": random.standard_normal(64),
        "colour": Words.of(COLOURS * 8),
        "size": Words.of(SIZES * 8),
        "town": Words.of(TOWNS[n] for n in random.randint(0, 11, 64)),
    }
    if with_dates:
        columns["day"] = np.array([DAYS[n % 6] for n in range(64)], "datetime64[s]")
        columns["hour"] = np.array(["2024-05-06T07:08:09", "1969-05-06T23:59:59"] * 32, "M8[s]")
    return Table(columns)


CELLS = {
    "width": st.one_of(st.floats(-1e3, 1e3), st.just(NAN)),
    "height": st.floats(-3, 3),
    "colour": st.sampled_from([*COLOURS, "pink"]),
    "size": st.sampled_from([*SIZES, "huge"]),
    "town": st.sampled_from([*TOWNS, "", "village"]),
}


@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6), st.booleans())
def test_rows_of_a_table(engine: Any, cells: list[dict[str, Any]], robust: bool) -> None:
    recipe = TableRecipe.fit(table(with_dates=False), robust=robust)
    columns = {name: [row[name] for row in cells] for name in CELLS}
    X = {name: np.array(c) if name in ("width", "height") else c for name, c in columns.items()}
    assert_predicts_alike(engine, model_of(recipe), X, rows_of(columns))


@given(
    st.lists(
        st.datetimes(
            min_value=np.datetime64("1801-01-01T00:00:00").item(),
            max_value=np.datetime64("2199-12-31T23:59:59").item(),
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_dates_of_a_table(engine: Any, moments: list[Any], robust: bool) -> None:
    whole = table()
    dates = Table({name: whole.columns[name] for name in ("day", "hour")})
    recipe = TableRecipe.fit(dates, robust=robust)
    texts = [moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") for moment in moments]
    days = [text[:10] for text in texts[1:]] + ["NaT"]
    X = {"day": np.array(days, "M8[s]"), "hour": np.array(texts, "M8[s]")}
    rows = rows_of({"day": days, "hour": texts})
    assert_predicts_alike(engine, model_of(recipe), X, rows)


@pytest.mark.parametrize(
    "cell",
    [
        *("12", " 12.5", "-3", "+4.", ".5", "1e3", "1,234.5", "$1,200", "(5)", "5 %", "€ -7"),
        *(
            "1 000 000",
            "EUR 5",
            "5 USD",
            "12:30",
            "7:05 pm",
            "12:00 AM",
            "\N{MINUS SIGN}4",
            "1'234",
        ),
    ],
)
def test_numbers_as_people_write_them(engine: Any, cell: str) -> None:
    recipe = TableRecipe.fit(Table({"width": np.array(NUMBERS)}))
    X = {"width": np.array([cell])}
    assert_predicts_alike(engine, model_of(recipe), X, [{"width": cell}])


@pytest.mark.parametrize(("cell", "same"), [("1,5", "1.5"), ("1.234,5", "1234.5"), ("3", "3")])
def test_numbers_with_a_comma_as_training_had_them(engine: Any, cell: str, same: str) -> None:
    recipe = TableRecipe.fit(Table({"width": np.array(NUMBERS)}), form=TextForm(decimal=","))
    model = model_of(recipe)
    assert_predicts_alike(engine, model, {"width": np.array([cell])}, [{"width": cell}])
    assert_predicts_alike(engine, model, {"width": np.array([float(same)])}, [{"width": cell}])


@pytest.mark.parametrize("day_first", [None, False, True])
@pytest.mark.parametrize(
    "cell",
    [
        *("2024-01-31", "2024/1/31", "31.1.2024", "1/2/2024", "13/2/2024", "2/13/2024", "5-6-24"),
        *("31 Jan 2024", "3rd March, 2021", "Jan 5, 2020", "March 7 1999", "2024-05", "20240131"),
        *("2024-01-31 10:20", "2024-01-31T10:20:30Z", "2024-01-31T23:20:30+02:00"),
        "2024-01-31T23:20:30-0530",
        "1.2.69 5:06 pm",
    ],
)
def test_dates_as_people_write_them(engine: Any, cell: str, day_first: bool | None) -> None:
    whole = table()
    form = TextForm(day_first=day_first)
    recipe = TableRecipe.fit(Table({"hour": whole.columns["hour"]}), form=form)
    X = {"hour": np.array([cell])}
    assert_predicts_alike(engine, model_of(recipe), X, [{"hour": cell}])


@pytest.mark.parametrize(
    ("cell", "same"),
    [
        *((7, "7"), ("7.0", "7"), ("TRUE", "True"), (True, "True"), ("true", "True")),
        *((" red ", "red"), ("nobody", ""), (None, "")),
    ],
)
def test_categories_of_any_spelling(engine: Any, cell: Any, same: str) -> None:
    recipe = TableRecipe.fit(Table({"colour": Words.of(COLOURS)}))
    assert_predicts_alike(engine, model_of(recipe), {"colour": [same]}, [{"colour": cell}])


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "?", "-", "NaN", "unknown", "x", -99, "-99.0"])
def test_markers_of_missing_cells(engine: Any, cell: Any) -> None:
    form = TextForm(missing=("X", "-99"))
    recipe = TableRecipe.fit(Table({"width": np.array(NUMBERS)}), form=form)
    model = model_of(recipe)
    assert_predicts_alike(engine, model, {"width": np.array([NAN])}, [{"width": cell}])
    assert_predicts_alike(engine, model, {"width": np.array([99.0])}, [{"width": "99"}])


def test_plain_columns(engine: Any) -> None:
    recipe = TableRecipe((PlainColumn("a"), PlainColumn("b")))
    X = {"a": np.array([1.0, 2.0]), "b": np.array([-0.5, 4.0])}
    assert_predicts_alike(engine, model_of(recipe), X, [{"a": 1, "b": -0.5}, {"a": 2, "b": 4}])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"a": None, "n": 1, "d": None}, 'Row 1 of column "a" is missing'),
        ({"a": 1, "d": None}, 'The column "n" is missing; found a, d'),
        ({"a": 1, "n": "many", "d": None}, 'Row 1 of column "n" is "many", expected a number'),
        ({"a": 1, "n": 2, "d": "soon"}, 'Row 1 of column "d" is "soon", expected a date'),
        ({"a": 1, "n": 2, "d": "2023-02-29"}, 'column "d" is "2023-02-29", expected a date'),
        ({"a": 1, "n": "1_000", "d": None}, 'column "n" is "1_000", expected a number'),
        ({"a": 1, "n": "82E87321", "d": None}, 'column "n" is "82E87321", expected a number'),
        ({"a": 1, "n": 500 * "1", "d": None}, r'column "n" is "1{40}\.\.\.", expected a number'),
        ({"a": 1, "n": 2, "d": 500 * "1"}, r'column "d" is "1{40}\.\.\.", expected a date'),
        (
            {"a": 1, "n": 1e308, "d": None},
            'column "n" is 1e\\+308, expected a finite number within',
        ),
    ],
)
def test_a_row_that_does_not_fit_is_told(
    engine: Any, node_error: type[Exception], row: dict[str, Any], message: str
) -> None:
    dates = DateColumn.fit("d", np.array(["2024-01-01", "2025-01-01"], "M8[s]"))
    columns = (PlainColumn("a"), NumericColumn("n", 0.0, 0.0, std=1e-5), dates)
    model = in_base64(model_of(TableRecipe(columns)))
    with pytest.raises(node_error, match=message):
        engine.ask(ask="predicted", model=model, rows=[row])
