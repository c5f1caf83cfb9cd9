"""Graphs of ONNX, run by onnxruntime and held against the model."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers_compared import (
    answer_models,
    answer_rows,
    assert_same,
    columns_model,
    drawn_models,
    drawn_picture_models,
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
from PIL import Image
from random_networks import (
    CODE_CASES,
    LAYER_CASES,
    PICTURE,
    PICTURE_CASES,
    codes_and_numbers,
    randomized,
)
from scipy.special import ndtr

import clearprop as cp
from clearprop.data import Raw, Table
from clearprop.data.tables.table import Words
from clearprop.errors import MissingExtraError, UsageError
from clearprop.exports.description import describe
from clearprop.exports.onnx.graph import IR_VERSION, OPSET, Formulas, Graph, Port
from clearprop.exports.onnx.inputs import OUTPUTS
from clearprop.exports.onnx.target import OnnxTarget
from clearprop.exports.onnx.target import given as given_rows
from clearprop.exports.rows import Rows
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

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def written(model: Model) -> bytes:
    return OnnxTarget().write(model, describe(model)).files[".onnx"]


def session_of(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def said(model: Model, raw: Raw) -> dict[str, Any]:
    """Return all that a graph gives, by name."""
    session, description = session_of(written(model)), describe(model)
    rows = given_rows(description, Rows.of(description.inputs, raw))
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(rows)), strict=True))


@settings(max_examples=60)
@given(drawn_models())
def test_drawn_networks_give_the_same(drawn: tuple[Model, Table]) -> None:
    model, rows = drawn
    assert_same(model, rows, said(model, rows))


@settings(max_examples=40)
@given(drawn_picture_models())
def test_drawn_networks_of_pictures_give_the_same(drawn: tuple[Model, np.ndarray]) -> None:
    model, pictures = drawn
    assert_same(model, pictures, said(model, pictures))


def as_values(layer: cp.Layer, shape: tuple[int, ...], dtype: str) -> Network:
    built = cp.Sequential((layer,)).build(shape)
    layers = [layer] if len(built.out_shape) == 1 else [layer, cp.Flatten()]
    net = Network(layers, loss=cp.MeanSquaredError(), input_shape=shape, dtype=dtype)
    return randomized(net, np.random.RandomState(0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [*LAYER_CASES, *CODE_CASES], ids=repr)
def test_every_layer_gives_the_same(layer: cp.Layer, dtype: str) -> None:
    x = codes_and_numbers(layer, 20) * (1 if layer in CODE_CASES else 4)
    net = as_values(layer, (5,), dtype)
    outputs = net.output_shape[0]
    model, rows = plain_model(net, ValueTarget((0.0,) * outputs, (1.0,) * outputs, "v"), x)
    assert_same(model, rows, said(model, rows))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
def test_every_layer_of_pictures_gives_the_same(layer: cp.Layer, dtype: str) -> None:
    net = as_values(layer, PICTURE, dtype)
    x = np.random.RandomState(1).standard_normal((6, *PICTURE)) * 3 + 1
    outputs = net.output_shape[0]
    recipe = Preprocessing(ArrayRecipe.fit(x), ValueTarget((0.0,) * outputs, (1.0,) * outputs, "v"))
    model = Model(net, recipe)
    assert_same(model, x, said(model, x))


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


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize(("name", "outputs"), [("adult", 2), ("german", 2), ("housing", 1)])
def test_ten_thousand_rows_of_real_tables(
    shared_data: Path, name: str, outputs: int, robust: bool
) -> None:
    model, table = real_model(shared_data, name, robust=robust, outputs=outputs)
    rows = ten_thousand(table)
    assert_same(model, rows, said(model, rows))


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


def pictures_model(size: tuple[int, int], channels: int) -> Model:
    """Return a model whose logits are the levels of pictures, by 255."""
    recipe = PictureRecipe(size, channels)
    outputs = int(np.prod(recipe.input_shape))
    target = ValueTarget((0.0,) * outputs, (1.0,) * outputs, "levels")
    net = Network(
        [cp.Flatten()], loss=cp.MeanSquaredError(), input_shape=recipe.input_shape, dtype="float64"
    )
    return Model(net, Preprocessing(recipe, target))


def resized_by_graph(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    channels = 3 if pictures.ndim == 4 else 1
    session = session_of(written(pictures_model(size, channels)))
    (found,) = session.run(["logits"], {"input": pictures})
    return np.rint(found * 255).reshape(len(pictures), *size, *pictures.shape[3:])


def resized_by_pillow(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    wanted, filter_ = (size[1], size[0]), Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(one).resize(wanted, filter_)) for one in pictures])


_sides = st.integers(1, 40)


@settings(max_examples=100)
@given(_sides, _sides, _sides, _sides, st.booleans(), st.integers(0, 1000))
def test_pictures_are_resized_as_pillow_does(
    height: int, width: int, high: int, wide: int, colour: bool, seed: int
) -> None:
    shape = (2, height, width, *((3,) if colour else ()))
    pictures = np.random.RandomState(seed).randint(0, 256, shape).astype(np.uint8)
    found = resized_by_graph(pictures, (high, wide))
    np.testing.assert_array_equal(found, resized_by_pillow(pictures, (high, wide)))


@pytest.mark.parametrize(
    ("own", "size"),
    [((480, 640), (64, 64)), ((1000, 30), (28, 28)), ((64, 64), (64, 64)), ((300, 64), (64, 64))],
)
def test_large_pictures_are_resized_as_pillow_does(
    own: tuple[int, int], size: tuple[int, int]
) -> None:
    lines = np.add.outer(np.arange(own[0]) * 7, np.arange(own[1]) * 3)
    sharp = np.where(lines % 64 < 32, 255, 0) ^ (lines % 5)
    picture = np.stack([sharp, sharp // 2, lines % 256], axis=-1).astype(np.uint8)[np.newaxis]
    np.testing.assert_array_equal(resized_by_graph(picture, size), resized_by_pillow(picture, size))


@pytest.mark.parametrize("channels", [1, 3])
def test_networks_of_pictures_answer_the_same(channels: int) -> None:
    recipe = PictureRecipe((12, 10), channels)
    layers = [cp.Conv2D(4), cp.ReLU(), cp.MaxPool2D(), cp.Flatten(), cp.Dense(3)]
    target = ClassTarget(("a", "b", "c"), "letter")
    model = model_of(layers, cp.SoftmaxCrossEntropy(), recipe, target)
    pictures = np.random.RandomState(0).randint(0, 256, (30, *recipe.input_shape)).astype(np.uint8)
    assert_same(model, pictures, said(model, pictures))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_normal_distribution_keeps_its_digits(dtype: str) -> None:
    graph = Graph(["x", "y"])
    graph.give("y", Formulas(graph, np.dtype(dtype)).call("Phi", ("x",)))
    ports = [Port(name, dtype, ("N",), "") for name in ("x", "y")]
    session = session_of(graph.model(ports[:1], ports[1:], "Phi", "").SerializeToString())
    x = np.concatenate([np.linspace(-40, 40, 4001), [0.0, -1e30, 1e30]]).astype(dtype)
    (found,) = session.run(["y"], {"x": x})
    np.testing.assert_allclose(
        found, ndtr(x), rtol=0, atol={"float32": 2e-7, "float64": 2e-13}[dtype]
    )


HOSTILE = (
    *("label", "logits", "_1", "__2", "a b", 'quo"te', "it's", "new\nline", "/", "数字"),
    "input",
)


def test_odd_names_of_columns_work() -> None:
    columns = [PlainColumn(name) for name in (*HOSTILE, "", "label (column)", "nul\0", "nul\\0")]
    model = columns_model(*columns)
    names = [one.name for one in session_of(written(model)).get_inputs()]
    assert names[2:10] == list(HOSTILE[2:10])
    assert len(set(names) - {*OUTPUTS, ""}) == len(columns)
    rows = Table({one.name: np.arange(3.0) + at for at, one in enumerate(columns)})
    assert_same(model, rows, said(model, rows))


def test_odd_names_of_classes_and_categories_are_kept() -> None:
    names = (*HOSTILE, "end\0 of it", " ", "\u202e")
    recipe = TableRecipe((CategoricalColumn("city", names),))
    layers = [cp.Dropout(0)]
    net = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(len(names),))
    model = Model(net, Preprocessing(recipe, ClassTarget(names, "same")))
    rows = Table({"city": Words.of(names)})
    found = said(model, rows)
    np.testing.assert_array_equal(found["logits"], np.eye(len(names)))
    assert found["label"].tolist() == list(names)


@pytest.mark.parametrize("place", ["column", "category", "class", "target"])
def test_half_a_character_is_refused(place: str) -> None:
    odd = dict.fromkeys(("column", "category", "class", "target"), "x") | {place: "\ud800"}
    recipe = TableRecipe((CategoricalColumn(odd["column"], (odd["category"],)),))
    target = ClassTarget((odd["class"], "other"), odd["target"])
    model = model_of([cp.Dense(2)], cp.SoftmaxCrossEntropy(), recipe, target)
    with pytest.raises(UsageError, match=rf"The {place} .*holds half of a character"):
        written(model)


def test_a_number_that_must_be_there_and_is_not_has_no_label() -> None:
    recipe = TableRecipe((PlainColumn("a"), NumericColumn("b", 1.0, 0.0, 1.0)))
    for loss, outputs in ((cp.SoftmaxCrossEntropy(), 2), (cp.BinaryCrossEntropy(), 1)):
        target = ClassTarget(("no", "yes"), "answer", threshold=0.5 if outputs == 1 else None)
        model = model_of([cp.Dense(outputs)], loss, recipe, target)
        found = said(model, Table({"a": np.array([np.nan, 1.0]), "b": np.array([1.0, np.nan])}))
        assert np.isnan(found["logits"][0]).all()
        assert found["label"][0] == ""
        assert found["label"][1] in ("no", "yes")


def test_a_category_column_without_categories_is_passed_over() -> None:
    model = columns_model(PlainColumn("a"), CategoricalColumn("city", ()))
    rows = Table({"a": np.arange(3.0), "city": Words.of(["x", "", "y"])})
    np.testing.assert_array_equal(said(model, rows)["logits"][:, 0], np.arange(3.0))


def test_no_rows_give_no_answers() -> None:
    model = table_model(robust=True, dtype="float32")
    found = said(model, table_with_gaps()[:0])
    assert found["logits"].shape == (0, 3)
    assert found["label"].shape == (0,)


def test_the_file_says_its_versions_and_is_checked() -> None:
    model = table_model(robust=False, dtype="float32")
    made = OnnxTarget().write(model, describe(model))
    read = onnx.load_model_from_string(made.files[".onnx"])
    onnx.checker.check_model(read, full_check=True)
    assert {one.domain: one.version for one in read.opset_import} == {"": OPSET, "ai.onnx.ml": 2}
    assert read.ir_version == IR_VERSION
    assert made.facts == {"versions": f"opset {OPSET}, ai.onnx.ml 2, IR version {IR_VERSION}"}
    inputs = {one.name: one.doc_string for one in read.graph.input}
    assert inputs["age"] == "The column 'age': numbers, NaN where one is missing."
    assert (
        inputs["born"]
        == "The column 'born': dates as seconds since 1970, NaN where one is missing."
    )


def test_the_same_model_gives_the_same_bytes() -> None:
    model = table_model(robust=True, dtype="float32")
    assert written(model) == written(model)


def test_run_says_logits_answers_and_the_runtime(tmp_path: Path) -> None:
    model = table_model(robust=False, dtype="float32")
    path = tmp_path / "it's a model.onnx"
    path.write_bytes(written(model))
    description = describe(model)
    ran = OnnxTarget().run(path, description, Rows.of(description.inputs, table_with_gaps()))
    assert isinstance(ran, Ran)
    assert ran.runtime == f"onnxruntime {onnxruntime.__version__}"
    assert ran.seconds > 0
    expected = logits_of(model, table_with_gaps())
    np.testing.assert_allclose(ran.logits, expected, atol=1e-5 * np.abs(expected).max())
    assert ran.answers is not None
    assert ran.answers.tolist() == model.named(expected).tolist()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    model = table_model(robust=False, dtype="float32")
    path = tmp_path / "model.onnx"
    path.write_bytes(written(model)[:-100])
    description = describe(model)
    rows = Rows.of(description.inputs, table_with_gaps())
    with pytest.raises(UsageError, match=r"model\.onnx could not be run by onnxruntime"):
        OnnxTarget().run(path, description, rows)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = table_model(robust=False, dtype="float32")
    description = describe(model)
    rows = Rows.of(description.inputs, table_with_gaps())
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    ran = OnnxTarget().run(tmp_path / "model.onnx", description, rows)
    assert ran == NotRun("onnxruntime is not installed: pip install 'clearprop[onnx]' brings it.")
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"Writing \.onnx needs onnx"):
        written(model)
