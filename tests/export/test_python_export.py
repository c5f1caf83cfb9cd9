"""A Python export computes what the model does, of any network and any recipe."""

import ast
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from answers_compared import exportable_networks
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
from script_cases import HOSTILE, dense_case, picture_case, table, table_cases, values_case

import clearprop as cp
from clearprop.core.formulas import activation
from clearprop.core.symbols import Setting, absolute, x
from clearprop.data import Table
from clearprop.errors import UsageError
from clearprop.exports.description import describe
from clearprop.exports.python import parts as numpy_parts
from clearprop.exports.python.target import PythonTarget, module_text
from clearprop.exports.rows import Rows
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ClassTarget,
    Coverage,
    PowerScale,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)


def module_of(model: Model) -> Any:
    """Run an export in this process."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(module_text(describe(model)), "exported.py", "exec"), namespace)  # noqa: S102
    return SimpleNamespace(**namespace)


def assert_close(found: np.ndarray, expected: np.ndarray, share: float) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= share * np.abs(expected).max()


def rows_as_given(case: Any) -> Any:
    """Return rows as a person gives them: cells in lists, None where missing."""
    if not hasattr(case.rows, "columns"):
        return case.rows
    columns = {}
    for name, column in case.rows.columns.items():
        cells = column.tolist()
        if getattr(column, "dtype", None) is not None and column.dtype.kind == "M":
            cells = [None if np.isnat(cell) else str(cell) for cell in column]
        columns[name] = [None if cell == "" or cell != cell else cell for cell in cells]
    return columns


@given(exportable_networks())
@settings(max_examples=60, deadline=None)
def test_any_network(drawn):
    net, samples, _, _ = drawn
    assert_close(module_of(Model(net)).logits(samples), net.logits(samples), 1e-12)


@pytest.mark.parametrize("layer", [*LAYER_CASES, *CODE_CASES], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_layer(layer, dtype):
    samples = codes_and_numbers(layer, 7)
    layers, loss = [layer, cp.Flatten(), cp.Dense(2)], cp.MeanSquaredError()
    net = Network(layers, loss=loss, input_shape=(5,), dtype=dtype)
    randomized(net, np.random.RandomState(1))
    share = 1e-12 if dtype == "float64" else 2e-6
    assert_close(module_of(Model(net)).logits(samples), net.logits(samples), share)


SHAPES = [
    (layer, shape)
    for layer in PICTURE_CASES
    for shape in (PICTURE, (6, 7))
    if len(shape) == 3 or not isinstance(layer, cp.Residual)  # which can't add an axis
]


@pytest.mark.parametrize(("layer", "shape"), SHAPES, ids=str)
def test_each_layer_of_pictures(layer, shape):
    samples = np.random.RandomState(0).standard_normal((4, *shape))
    net = Network([layer, cp.Flatten(), cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=shape)
    randomized(net, np.random.RandomState(1))
    assert_close(module_of(Model(net)).logits(samples), net.logits(samples), 1e-12)


@pytest.mark.parametrize("value", [800.0, -800.0, 40.0, -40.0, 0.0])
@pytest.mark.parametrize("layer", [one for one in LAYER_CASES if hasattr(one, "loop")], ids=str)
def test_activations_far_out(layer, value):
    net = Network([layer, cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(1,))
    found = module_of(Model(net)).logits(np.array([[value]]))
    assert np.isfinite(found).all()
    assert found == pytest.approx(net.logits([[value]]), rel=1e-12, abs=1e-15)


def test_recipes_of_every_kind(tmp_path):
    cases = [dense_case(), dense_case("float64"), picture_case(tmp_path), *table_cases()]
    for case in [*cases, values_case()]:
        module, rows = module_of(case.model), rows_as_given(case)
        share = 1e-12 if case.model.network.dtype == np.float64 else 2e-6
        assert_close(module.logits(rows), case.logits, share)
        answers = case.model.named(case.model.network.logits(case.prepared))
        if answers.dtype.kind == "U":
            assert module.predict(rows).tolist() == answers.tolist()
        else:
            assert_close(module.predict(rows), answers, 1e-9)


def test_rows_may_be_mappings_one_by_one_or_columns():
    case = next(table_cases())
    module, columns = module_of(case.model), rows_as_given(case)
    names = [column.name for column in case.model.preprocessing.inputs.columns]
    mappings = [{name: columns[name][row] for name in names} for row in range(60)]
    assert module.logits(mappings) == pytest.approx(module.logits(columns))
    left_out = [{key: cell for key, cell in one.items() if cell is not None} for one in mappings]
    assert module.logits(left_out) == pytest.approx(module.logits(columns))


LOSSES = [
    (cp.SoftmaxCrossEntropy(), 3),
    (cp.SmoothedCrossEntropy(), 3),
    (cp.SoftmaxFocal(), 2),
    (cp.BinaryCrossEntropy(), 1),
    (cp.BinaryFocal(), 1),
    (cp.Hinge(), 1),
    (cp.MulticlassHinge(), 2),
    (cp.MulticlassHinge(), 4),
]


@pytest.mark.parametrize(("loss", "outputs"), LOSSES, ids=str)
@pytest.mark.parametrize("threshold", [None, 0.8])
@pytest.mark.parametrize("positive", [0, 1])
def test_classes_probabilities_and_sets(loss, outputs, threshold, positive):
    known, classes = table(), max(outputs, 2)
    has_none = "Hinge" in type(loss).__name__
    if (threshold is not None and (classes > 2 or has_none)) or (positive == 0 and classes > 2):
        return
    coverage = None if has_none else Coverage(0.9, 40, 0.4)
    target = ClassTarget(
        tuple(f"c{k}" for k in range(classes)), "kind", threshold, positive, 1.6, coverage
    )
    model = table_model(known, target, loss, outputs)
    module = module_of(model)
    rows = rows_as_given(SimpleNamespace(rows=known))
    assert module.predict(rows).tolist() == model.predict(known).tolist()
    if not has_none:
        assert module.predict_proba(rows) == pytest.approx(model.predict_proba(known), abs=1e-12)
        assert module.predict_set(rows).tolist() == model.predict_set(known).tolist()


def table_model(known, target, loss, outputs):
    """Return a model of a table, in float64, with random weights."""
    recipe = TableRecipe.fit(known)
    layers = [cp.Dense(5), cp.Tanh(), cp.Dense(outputs)]
    net = Network(layers, loss=loss, input_shape=recipe.input_shape, dtype="float64")
    return Model(randomized(net, np.random.RandomState(8)), Preprocessing(recipe, target))


SCALES = [
    None,
    PowerScale(0.0, 0, 3.0, (0.0, 900.0)),
    PowerScale(0.0, 1, 3.0, (-90.0, 900.0)),
    PowerScale(0.5, 0, 3.0, (0.0, 900.0)),
    PowerScale(-0.4, 0, 3.0, (0.0, 900.0)),
    PowerScale(1.7, 1, 3.0, (-90.0, 900.0)),
]


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("levels", [(), (0.1, 0.5, 0.9), (0.2, 0.7)])
@pytest.mark.parametrize("score", [1.3, -0.6])
@pytest.mark.parametrize("within", [False, True])
def test_values_quantiles_and_intervals(scale, levels, score, within):
    known = table()
    low, high = ((-1.0,), (1.2,)) if within else (None, None)
    target = ValueTarget((0.3,), (1.4,), "price", scale, Coverage(0.8, 40, score), low, high)
    loss = cp.Quantiles(levels) if levels else cp.MeanSquaredError()
    model = table_model(known, target, loss, max(len(levels), 1))
    module, rows = module_of(model), rows_as_given(SimpleNamespace(rows=known))
    assert_close(module.predict(rows), model.predict(known), 1e-10)
    assert_close(module.predict_interval(rows), model.predict_interval(known), 1e-10)
    if levels:
        assert_close(module.predict_quantiles(rows), model.predict_quantiles(known), 1e-10)


def test_several_values_and_counts():
    known = table()
    for loss in (cp.AbsoluteError(), cp.Huber(), cp.PoissonDeviance()):
        target = ValueTarget((0.3, -2.0), (1.4, 7.0), None, coverage=Coverage(0.8, 40, 1.1))
        model = table_model(known, target, loss, 2)
        module, rows = module_of(model), rows_as_given(SimpleNamespace(rows=known))
        assert_close(module.predict(rows), model.predict(known), 1e-10)
        assert_close(module.predict_interval(rows), model.predict_interval(known), 1e-10)


def test_names_that_end_a_string_or_a_comment_are_but_names():
    columns = dict(zip(HOSTILE, table().columns.values(), strict=False))
    known = Table(columns)
    model = table_model(known, ClassTarget(HOSTILE[:3], HOSTILE[3]), cp.SoftmaxCrossEntropy(), 3)
    text = module_text(describe(model, 'a """ name'))
    ast.parse(text)
    module, rows = module_of(model), rows_as_given(SimpleNamespace(rows=known))
    assert HOSTILE[:3] == module.CLASSES
    assert module.predict(rows).tolist() == model.predict(known).tolist()


def test_it_imports_numpy_and_what_python_brings():
    for case in (dense_case(), *table_cases()):
        imported = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
            for node in ast.walk(ast.parse(module_text(describe(case.model))))
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert imported - {"numpy"} <= sys.stdlib_module_names


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_pictures_are_resized_as_pillow_does(size, wanted, grey):
    shape = size if grey else (*size, 3)
    levels = np.random.RandomState(sum(size)).randint(0, 256, shape).astype(np.uint8)
    height, width = wanted
    pillow = Image.fromarray(levels).resize((width, height), Image.Resampling.LANCZOS)
    found = numpy_parts.resized(levels, height, width)
    assert np.array_equal(found, np.asarray(pillow))


def test_it_runs_in_a_process_of_its_own(tmp_path):
    for case in (dense_case(), *table_cases()):
        description = describe(case.model)
        path = tmp_path / "model.py"
        path.write_bytes(PythonTarget().write(case.model, description).files[".py"])
        ran = PythonTarget().run(path, description, Rows.of(description.inputs, case.rows))
        assert_close(ran.logits, case.logits, 2e-6)
        assert "NumPy" in ran.runtime
        assert ran.answers.tolist() == module_of(case.model).predict(rows_as_given(case)).tolist()


@dataclass(frozen=True)
class Squash(cp.Layer):
    """A layer of one's own, with the formula of what it does."""

    sharpness: float = 2.0

    formulas = activation(x / (1 + absolute(Setting("sharpness") * x)), x)

    def forward(self, params, x, trace):
        return x / (1 + np.abs(self.sharpness * x))

    def backward(self, params, dy, trace, grads):
        return dy


class Opaque(Squash):
    """One that says nothing of itself."""


@dataclass(frozen=True)
class Doubled(cp.Dense):
    """One whose class describes another forward."""

    def forward(self, params, x, trace):
        return 2 * super().forward(params, x, trace)


def test_an_element_wise_layer_of_ones_own_goes_by_its_formula():
    net = Network([Squash(3.0), cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(3,))
    samples = np.random.RandomState(0).standard_normal((5, 3))
    assert_close(module_of(Model(net)).logits(samples), net.logits(samples), 1e-14)


@pytest.mark.parametrize("layer", [Opaque(), Doubled(4), cp.Sequential((Doubled(4),))], ids=str)
def test_a_layer_that_does_not_say_what_it_computes_is_named(layer):
    net = Network([layer, cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(3,))
    name = type(layer.layers[0] if isinstance(layer, cp.Sequential) else layer).__name__
    with pytest.raises(UsageError, match=name):
        describe(Model(net))
