"""Queries of SQL, run by SQLite and held against the model."""

import datetime
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers_compared import (
    Found,
    answer_models,
    answer_rows,
    assert_same,
    columns_model,
    drawn_models,
    logits_of,
    model_of,
    plain_model,
    real_model,
    table_model,
    table_with_gaps,
    ten_thousand,
    unknown_rows,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import CODE_CASES, LAYER_CASES, codes_and_numbers, randomized

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.errors import UsageError
from clearprop.exports.description import ClassAnswer, describe
from clearprop.exports.rows import Rows
from clearprop.exports.sql import target as sql
from clearprop.exports.sql.query import MOST_COLUMNS, comment, literal
from clearprop.exports.sql.target import SqlTarget
from clearprop.exports.target import NotRun, Ran
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    CategoricalColumn,
    ClassTarget,
    DateColumn,
    NumericColumn,
    PictureRecipe,
    PlainColumn,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)

Asked = Callable[[Model, str, Table], tuple[list[str], list[Any]]]
"""What runs a query on rows, and returns the names of its columns and its rows."""


def written(model: Model) -> str:
    return SqlTarget().write(model, describe(model)).files[".sql"].decode()


def by_sqlite(model: Model, text: str, raw: Table) -> tuple[list[str], list[Any]]:
    description = describe(model)
    with closing(sqlite3.connect(":memory:")) as connection:
        sql.fill(connection, description, Rows.of(description.inputs, raw))
        cursor = connection.execute(text)
        return [one[0] for one in cursor.description], cursor.fetchall()


def by_duckdb(model: Model, text: str, raw: Table) -> tuple[list[str], list[Any]]:
    duckdb = pytest.importorskip("duckdb")
    description = describe(model)
    with closing(sqlite3.connect(":memory:")) as source, closing(duckdb.connect()) as connection:
        sql.fill(source, description, Rows.of(description.inputs, raw))
        rows = source.execute("SELECT * FROM data").fetchall()
        columns = [
            (name, "TIMESTAMP" if name in ("born", "day") else kind)
            for _, name, kind, *_ in source.execute("PRAGMA table_info(data)")
        ]
        described = ", ".join(
            f'"{name}" {kind.replace("REAL", "DOUBLE")}' for name, kind in columns
        )
        connection.execute(f"SET threads = 1; CREATE TABLE data ({described})")
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO data VALUES ({places})", rows)  # noqa: S608
        cursor = connection.execute(text)
        return [one[0] for one in cursor.description], cursor.fetchall()


def said(model: Model, raw: Table, ask: Asked = by_sqlite) -> Found:
    """Return all that a query gives, in the shapes of Python."""
    names, rows = ask(model, written(model), raw)
    rows.sort(key=lambda row: row[names.index("row_id")])
    assert [row[names.index("row_id")] for row in rows] == list(range(1, len(raw) + 1))
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))

    def together(start: str) -> Any:
        return np.array([columns[one] for one in names if one.startswith(start)]).T

    found = {"logits": together("logit_").astype(float)}
    answers = together("answer")
    answers = answers[:, 0] if answers.shape[1] == 1 else answers
    if isinstance(describe(model).answer, ClassAnswer):
        found |= {"label": answers, "probabilities": together("probability_")}
        found["set"] = together("in_set_").astype(bool)
    else:
        several = "answer_0" in names
        ends = [together(end).astype(float) for end in ("low", "high")]
        found |= {"value": answers, "quantiles": together("quantile_")}
        found["interval"] = np.stack(ends, axis=1)
        if not several and found["interval"].size:
            found["interval"] = found["interval"][:, :, 0]
    return {name: one for name, one in found.items() if one.size}


@settings(max_examples=40)
@given(drawn_models())
def test_drawn_networks_give_the_same(drawn: tuple[Model, Table]) -> None:
    model, rows = drawn
    assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [*LAYER_CASES, *CODE_CASES], ids=repr)
def test_every_layer_gives_the_same(layer: cp.Layer, dtype: str) -> None:
    x = codes_and_numbers(layer, 20) * (1 if layer in CODE_CASES else 4)
    net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,), dtype=dtype)
    outputs = net.output_shape[0]
    target = ValueTarget((0.0,) * outputs, (1.0,) * outputs, "v")
    model, rows = plain_model(randomized(net, np.random.RandomState(0)), target, x)
    assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("name", answer_models())
def test_every_answer_is_the_same(name: str) -> None:
    model = answer_models()[name]
    assert_same(model, answer_rows(), said(model, answer_rows()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("robust", [False, True])
def test_tables_with_gaps_and_unknown_categories(robust: bool, dtype: str) -> None:
    model = table_model(robust=robust, dtype=dtype)
    for rows in (table_with_gaps(), unknown_rows()):
        assert_same(model, rows, said(model, rows))


@pytest.mark.slow
@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize(("name", "outputs"), [("adult", 2), ("german", 2), ("housing", 1)])
def test_ten_thousand_rows_of_real_tables(
    shared_data: Path, name: str, outputs: int, robust: bool
) -> None:
    model, table = real_model(shared_data, name, robust=robust, outputs=outputs)
    rows = ten_thousand(table)
    assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("robust", [False, True])
def test_duckdb_says_the_same_of_tables(robust: bool) -> None:
    model = table_model(robust=robust, dtype="float32")
    assert_same(model, unknown_rows(), said(model, unknown_rows(), by_duckdb))


@pytest.mark.parametrize("name", ["sets", "threshold", "quantiles", "shifted power", "two values"])
def test_duckdb_answers_the_same(name: str) -> None:
    model = answer_models()[name]
    assert_same(model, answer_rows(), said(model, answer_rows(), by_duckdb))


@settings(max_examples=30)
@given(st.lists(st.datetimes(), min_size=20, max_size=60))
def test_dates_are_taken_apart_as_the_calendar_does(dates: list[datetime.datetime]) -> None:
    model = columns_model(DateColumn("born", (0.0,) * 5, (1.0,) * 5))
    whole = [date.replace(microsecond=0) for date in dates]
    found = said(model, Table({"born": np.array(whole, "datetime64[s]")}))["logits"]
    for date, (days, year, month, weekday, hour) in zip(whole, found, strict=True):
        since = (date - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)
        np.testing.assert_allclose(days, since, rtol=1e-15, atol=1e-12)
        assert (year, month, weekday) == (date.year, date.month, date.weekday())
        assert hour == pytest.approx(date.hour + date.minute / 60 + date.second / 3600, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2024-02-29", 0), ("2024-02-29 06:30", 6.5), ("2024-02-29T06:30:36Z", 6.51), (None, None)],
)
def test_dates_are_texts_of_any_length(text: str | None, hour: float | None) -> None:
    text_of = written(columns_model(DateColumn("born", (0.0,) * 5, (1.0,) * 5)))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE data (born TEXT)")
        connection.execute("INSERT INTO data VALUES (?)", (text,))
        cursor = connection.execute(text_of)
        names, row = [one[0] for one in cursor.description], cursor.fetchone()
    found = [row[names.index(f"logit_{k}")] for k in range(5)]
    expected = [0.0] * 5 if hour is None else [19782 + hour / 24, 2024, 2, 3, hour]
    np.testing.assert_allclose(found, expected)


HOSTILE = (
    *(
        "row_id",
        "answer",
        "x0_0",
        "c0",
        "select",
        "a b",
        'quo"te',
        "it's",
        "'; DROP TABLE data; --",
    ),
    *("new\nline", "*/", "/*", "{0}", "{}", "%s", "?", ":a", "back\\", "数字", "\u2028", "--"),
)


def test_hostile_names_are_names_and_nothing_else() -> None:
    recipe = TableRecipe(
        (
            *(PlainColumn(name) for name in HOSTILE[:-1]),
            CategoricalColumn(HOSTILE[-1], HOSTILE),
        )
    )
    net = Network(
        [cp.Dense(len(HOSTILE))], loss=cp.SoftmaxCrossEntropy(), input_shape=recipe.input_shape
    )
    net.parameters["0.W"][...] = np.vstack(
        [np.zeros((len(HOSTILE) - 1, len(HOSTILE))), np.eye(len(HOSTILE))]
    )
    model = Model(net, Preprocessing(recipe, ClassTarget(HOSTILE, HOSTILE[8])))
    numbers = {name: np.arange(float(len(HOSTILE))) for name in HOSTILE[:-1]}
    rows = Table({**numbers, HOSTILE[-1]: Words.of(HOSTILE)})
    found = said(model, rows)
    np.testing.assert_array_equal(found["logits"], np.eye(len(HOSTILE)))
    assert found["label"].tolist() == list(HOSTILE)


def test_thresholds_of_classes_with_braces() -> None:
    recipe = TableRecipe((PlainColumn("a"),))
    target = ClassTarget(("{0}", "{1} it's"), "t", threshold=0.3)
    model = model_of([cp.Dense(1)], cp.BinaryCrossEntropy(), recipe, target)
    rows = Table({"a": np.linspace(-9, 9, 20)})
    assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("place", ["column", "category", "class"])
@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_what_no_text_holds_is_refused(place: str, character: str) -> None:
    odd = dict.fromkeys(("column", "category", "class"), "x") | {place: f"a{character}"}
    recipe = TableRecipe((CategoricalColumn(odd["column"], (odd["category"],)),))
    target = ClassTarget((odd["class"], "other"), "t")
    model = model_of([cp.Dense(2)], cp.SoftmaxCrossEntropy(), recipe, target)
    with pytest.raises(UsageError, match=rf"The {place} .*that no text of a database can"):
        written(model)


def test_a_column_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="The column has no name"):
        written(columns_model(PlainColumn("")))


def test_a_number_that_must_be_there_and_is_not_has_no_answer() -> None:
    recipe = TableRecipe((PlainColumn("a"), NumericColumn("b", 1.0, 0.0, 1.0)))
    rows = Table({"a": np.array([np.nan, 1.0]), "b": np.array([1.0, np.nan])})
    hidden = [cp.Dense(3), cp.ReLU(), cp.Dense(3), cp.GELU(), cp.Dense(3), cp.ELU()]
    for loss, outputs in ((cp.SoftmaxCrossEntropy(), 2), (cp.BinaryCrossEntropy(), 1)):
        for threshold in (None, 0.5):
            target = ClassTarget(("no", "yes"), "answer", threshold=threshold)
            model = model_of([*hidden, cp.Dense(outputs)], loss, recipe, target)
            names, found = by_sqlite(model, written(model), rows)
            assert set(found[0][1:]) == {None}
            assert found[1][names.index("answer")] in ("no", "yes")


def test_numbers_far_beyond_the_data_are_answered() -> None:
    layers = [cp.Dense(4), cp.Sigmoid(), cp.Dense(4), cp.Mish(), cp.Dense(4), cp.Softplus()]
    recipe = TableRecipe((NumericColumn("a", 0.0, 0.0, 1.0),))
    target = ClassTarget(("x", "y"), "t")
    loss = cp.SoftmaxCrossEntropy()
    model = model_of([*layers, cp.Dense(2)], loss, recipe, target, "float64")
    rows = Table({"a": np.array([1e6, -1e6, 1e12, -1e12, 1e-300])})
    with np.errstate(over="ignore"):
        assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("recipe", [PictureRecipe((4, 4), 1), ArrayRecipe((3,), (0.0,), (1.0,))])
def test_pictures_and_arrays_are_refused(recipe: Any) -> None:
    target = ClassTarget(("x", "y"), "t")
    model = model_of([cp.Flatten(), cp.Dense(2)], cp.SoftmaxCrossEntropy(), recipe, target)
    with pytest.raises(UsageError, match=r"SQL is for models of tables.*such as \.onnx"):
        written(model)


def test_networks_too_wide_are_refused_with_figures() -> None:
    recipe = TableRecipe((PlainColumn("a"),))
    target = ValueTarget((0.0,), (1.0,), "v")
    layers = [cp.Dense(MOST_COLUMNS), cp.Dense(1)]
    model = model_of(layers, cp.MeanSquaredError(), recipe, target)
    with pytest.raises(UsageError, match=r"step_1 .* have 1,601 columns, and databases hold 1,600"):
        written(model)


def test_networks_too_large_are_refused_with_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MOST_PARAMETERS", 5)
    with pytest.raises(UsageError, match="has 31 weights, and a query of more than 5 takes"):
        written(answer_models()["softmax"])


def test_the_widest_network_runs() -> None:
    recipe = TableRecipe((PlainColumn("a"), PlainColumn("b")))
    layers = [cp.Dense(MOST_COLUMNS - 1), cp.ReLU(), cp.Dense(1)]
    model = model_of(layers, cp.MeanSquaredError(), recipe, ValueTarget((0.0,), (1.0,), "v"))
    rows = Table({"a": np.linspace(-1, 1, 5), "b": np.linspace(0, 3, 5)})
    assert_same(model, rows, said(model, rows))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_to_the_last_digit(value: float) -> None:
    assert float(literal(value)) == value
    assert "E" in literal(value)
    single = np.float32(value) if abs(value) < 1e38 else np.float32(1)
    assert np.float32(literal(single)) == single


def test_comments_end_nowhere_but_at_lines() -> None:
    text = comment("a\rb\u2028c\x0b*/\nd")
    assert [line[:2] for line in text.splitlines()] == ["--", "--"]


def test_run_says_logits_answers_and_the_runtime(tmp_path: Path) -> None:
    for model, rows in (
        (table_model(robust=False, dtype="float32"), table_with_gaps()),
        (answer_models()["two values"], answer_rows()),
    ):
        path = tmp_path / "model.sql"
        path.write_text(written(model), encoding="utf-8")
        description = describe(model)
        ran = SqlTarget().run(path, description, Rows.of(description.inputs, rows))
        assert isinstance(ran, Ran)
        assert ran.runtime == f"SQLite {sqlite3.sqlite_version}"
        assert ran.seconds > 0
        expected = logits_of(model, rows)
        np.testing.assert_allclose(ran.logits, expected, atol=1e-5 * np.abs(expected).max())
        assert ran.answers is not None
        answers = model.named(expected)
        if model.class_names:
            assert ran.answers.tolist() == answers.tolist()
        else:
            np.testing.assert_allclose(ran.answers.astype(float), answers, rtol=1e-4, atol=1e-4)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    model = answer_models()["softmax"]
    path = tmp_path / "model.sql"
    path.write_text(written(model).replace("FROM answers;", "FROM lost;"), encoding="utf-8")
    description = describe(model)
    rows = Rows.of(description.inputs, answer_rows())
    with pytest.raises(UsageError, match=r"could not be run by SQLite: no such table: lost"):
        SqlTarget().run(path, description, rows)


def test_a_query_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = answer_models()["softmax"]
    path = tmp_path / "model.sql"
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM(i) FROM n"
    path.write_text(endless, encoding="utf-8")
    monkeypatch.setattr(sql, "_SECONDS", 0.05)
    description = describe(model)
    rows = Rows.of(description.inputs, answer_rows())
    ran = SqlTarget().run(path, description, rows)
    assert ran == NotRun("SQLite was not done with 60 rows in 0.05 seconds.")


def test_the_functions_that_sqlite_may_lack_are_taught() -> None:
    taught: dict[str, Any] = {}

    class Bare:
        def execute(self, text: str) -> None:
            raise sqlite3.OperationalError(f"no such function: {text}")

        def create_function(self, name: str, count: int, function: Any, **_: Any) -> None:
            taught[name] = function

    sql.teach(Bare())  # type: ignore[arg-type] # of which it needs two methods
    assert sorted(taught) == ["cos", "exp", "floor", "ln", "sqrt"]
    assert taught["ln"](taught["exp"](1.5)) == pytest.approx(1.5)
    assert taught["sqrt"](None) is None


def test_the_same_model_gives_the_same_text() -> None:
    model = table_model(robust=True, dtype="float32")
    assert written(model) == written(model)
    made = SqlTarget().write(model, describe(model))
    assert made.notes == ("Dates are DATE, TIMESTAMP, or texts such as 2024-01-31 12:34:56.",)
