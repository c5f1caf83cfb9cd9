"""A model as a module of JavaScript says what it says in Python."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from random_networks import (
    CODE_CASES,
    LAYER_CASES,
    PICTURE,
    PICTURE_CASES,
    codes_and_numbers,
    networks,
    randomized,
)
from script_cases import HOSTILE, Case, dense_case, picture_case, table_cases, values_case

import clearprop as cp
from clearprop import losses
from clearprop.configuration import classes_in
from clearprop.data import Table
from clearprop.data.pictures.backbone import Backbone
from clearprop.data.pictures.depth import Depth
from clearprop.data.tables.table import Words
from clearprop.errors import UsageError
from clearprop.exports.description import describe
from clearprop.exports.proof import Proof, prove
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target
from clearprop.exports.web.node import run_script
from clearprop.exports.web.page import PageTarget
from clearprop.exports.web.script import ScriptTarget, script_text
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    CategoricalColumn,
    ClassTarget,
    Coverage,
    FeatureRecipe,
    NumericColumn,
    Preprocessing,
    TableRecipe,
    ValueTarget,
)

LARGEST_DIFFERENCE = 1e-5  # of the largest logit

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def logits_by_node(model: Model, rows: Any, folder: Path) -> np.ndarray:
    path = folder / "model.js"
    path.write_text(script_text(model), encoding="utf-8")
    found = run_script(path, rows)
    assert isinstance(found, Ran)
    assert re.fullmatch(r"Node \d+\.\d+\.\d+", found.runtime)
    assert found.answers is not None
    assert len(found.answers) == len(rows)
    return found.logits


def assert_same_logits(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare logits, and the labels of those whose margin exceeds twice the difference."""
    assert found.shape == expected.shape
    difference = np.abs(found - expected).max()
    assert difference <= LARGEST_DIFFERENCE * np.abs(expected).max()
    if expected.shape[1] > 1:
        first, second = -np.sort(-expected, axis=1)[:, :2].T
        is_clear = first - second > 2 * difference
        assert is_clear.any()
        np.testing.assert_array_equal(
            found.argmax(axis=1)[is_clear], expected.argmax(axis=1)[is_clear]
        )


def said_by_node(folder: Path, script: str) -> Any:
    """Run a module beside model.mjs, and return what it prints as JSON."""
    path = folder / "asks.mjs"
    path.write_text(f'import * as model from "./model.mjs";\n{script}', encoding="utf-8")
    program = shutil.which("node")
    assert program is not None
    done = subprocess.run([program, path], capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_module(model: Model, folder: Path) -> Path:
    (folder / "model.mjs").write_text(script_text(model), encoding="utf-8")
    return folder


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dense_layers_of_pictures(tmp_path: Path, dtype: str) -> None:
    case = dense_case(dtype)
    assert_same_logits(logits_by_node(case.model, case.rows, tmp_path), case.logits)


def test_convolutions_of_pictures_of_other_sizes(tmp_path: Path) -> None:
    case = picture_case(tmp_path)
    assert_same_logits(logits_by_node(case.model, case.rows, tmp_path), case.logits)


@pytest.mark.parametrize("case", tuple(table_cases()), ids=["plain", "robust"])
def test_tables_with_gaps_categories_and_dates(tmp_path: Path, case: Case) -> None:
    assert_same_logits(logits_by_node(case.model, case.rows, tmp_path), case.logits)


def test_arrays_and_values_on_another_scale(tmp_path: Path) -> None:
    case = values_case()
    assert_same_logits(logits_by_node(case.model, case.rows, tmp_path), case.logits)
    rows = json.dumps(case.rows.reshape(len(case.rows), -1).tolist())
    script = f"process.stdout.write(JSON.stringify(model.predict({rows})));"
    found = said_by_node(as_module(case.model, tmp_path), script)
    np.testing.assert_allclose(found, case.model.predict(case.rows), rtol=1e-9)


@given(drawn=networks())
@settings(max_examples=5)
def test_drawn_networks_without_a_recipe(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any
) -> None:
    net, x, _, _ = drawn
    folder = tmp_path_factory.mktemp("drawn")
    found = logits_by_node(Model(net), x, folder)
    np.testing.assert_allclose(
        found, net.logits(x), rtol=0, atol=1e-5 * np.abs(net.logits(x)).max()
    )


def alone(layers: list[cp.Layer], loss: cp.Loss, shape: tuple[int, ...]) -> Network:
    return randomized(
        Network(layers, loss=loss, input_shape=shape, dtype="float64"), np.random.RandomState(0)
    )


def nets_with_samples() -> list[tuple[Network, np.ndarray]]:
    """Return a network of each layer, and one of each loss, with a prepared sample."""
    loss = cp.MeanSquaredError()
    random = np.random.RandomState(1)
    flat, picture = random.standard_normal((1, 5)), random.standard_normal((1, *PICTURE))
    kinds = classes_in(vars(losses), cp.Loss)
    assert len(kinds) > 10
    return [
        *((alone([one, cp.Dense(2)], loss, (5,)), flat) for one in LAYER_CASES),
        *((alone([one, cp.Dense(2)], loss, (5,)), codes_and_numbers(one, 1)) for one in CODE_CASES),
        *(
            (alone([one, cp.Flatten(), cp.Dense(2)], loss, PICTURE), picture)
            for one in PICTURE_CASES
        ),
        *((alone([cp.Dense(3)], kind(), (5,)), flat) for kind in kinds),
    ]


def test_no_part_misses_what_was_left_out_of_a_module(tmp_path: Path) -> None:
    """Each has a module that knows no other part; all run in one process."""
    nets = nets_with_samples()
    for place, (net, _) in enumerate(nets):
        text = script_text(Model(net))
        (tmp_path / f"model{place}.mjs").write_text(text, encoding="utf-8")
    rows = json.dumps([x.ravel().tolist() for _, x in nets])
    (tmp_path / "model.mjs").touch()
    found = said_by_node(
        tmp_path,
        f"const rows = {rows};\nconst found = [];\n"
        "for (const [place, row] of rows.entries()) {\n"
        "  const { logits, predict } = await import(`./model${place}.mjs`);\n"
        "  found.push([logits([row])[0], predict([row]).flat()]);\n}\n"
        "process.stdout.write(JSON.stringify(found));",
    )
    for (net, x), (logits, answers) in zip(nets, found, strict=True):
        expected = net.logits(x)
        np.testing.assert_allclose(logits, expected[0], rtol=1e-9, atol=1e-9)
        said = np.asarray(net.loss.predict(expected)).ravel()
        np.testing.assert_allclose(answers, said, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("target", [ScriptTarget(), PageTarget()], ids=lambda one: one.name)
@pytest.mark.parametrize("kind", ["pictures", "plain table", "robust table", "values"])
def test_the_proof_holds(tmp_path: Path, target: Target, kind: str) -> None:
    plain, robust = table_cases()
    cases = {"pictures": dense_case(), "plain table": plain, "robust table": robust}
    case = cases.get(kind) or values_case()
    description = describe(case.model, "a model")
    written = target.write(case.model, description)
    path = tmp_path / f"model{target.ending}"
    path.write_bytes(written.files[target.ending])
    proof = prove(target, path, case.model, description, Rows.of(description.inputs, case.rows))
    assert isinstance(proof, Proof)
    assert proof.holds
    assert proof.at_border < proof.rows / 10


def test_classes_and_probabilities_are_those_of_python(tmp_path: Path) -> None:
    case = dense_case()
    rgba = np.full((len(case.rows), 8, 8, 4), 255, np.uint8)
    rgba[..., :3] = case.rows[..., np.newaxis]
    pictures = json.dumps(rgba.reshape(len(rgba), -1).tolist())
    found = said_by_node(
        as_module(case.model, tmp_path),
        f"const rows = {pictures}.map((data) => ({{ width: 8, height: 8, data }}));\n"
        "const { classNames, predict, predictProbabilities } = model;\n"
        "const answers = [classNames, predict(rows), predictProbabilities(rows), predict([])];\n"
        "process.stdout.write(JSON.stringify(answers));",
    )
    assert found[0] == ["a", "b", "c"]
    assert found[1] == case.model.predict(case.rows).tolist()
    np.testing.assert_allclose(found[2], case.model.predict_proba(case.rows), atol=1e-6)
    assert found[3] == []


def test_a_module_exports_what_is_asked_for_and_no_more(tmp_path: Path) -> None:
    found = said_by_node(
        as_module(dense_case().model, tmp_path),
        "process.stdout.write(JSON.stringify(Object.keys(model)));",
    )
    assert found == ["classNames", "logits", "predict", "predictProbabilities"]


def test_sets_and_intervals_are_those_of_python(tmp_path: Path) -> None:
    for case, coverage, name in (
        (dense_case(), Coverage(0.9, 100, 1.2), "predictSets"),
        (values_case(), Coverage(0.8, 50, 0.4), "predictIntervals"),
    ):
        recipe = case.model.preprocessing
        assert recipe is not None
        target = replace(recipe.target, coverage=coverage)
        model = replace(case.model, preprocessing=replace(recipe, target=target))
        if name == "predictSets":
            rows = [
                {"width": 8, "height": 8, "data": np.repeat(one.ravel(), 4).tolist()}
                for one in case.rows | 0
            ]
            for row in rows:
                row["data"][3::4] = [255] * 64
        else:
            rows = case.rows.reshape(len(case.rows), -1).tolist()
        folder = tmp_path / name
        folder.mkdir()
        found = said_by_node(
            as_module(model, folder),
            f"process.stdout.write(JSON.stringify(model.{name}({json.dumps(rows)})));",
        )
        if name == "predictSets":
            expected = model.predict_set(case.rows)
            names = np.array(model.class_names)
            assert [set(one) for one in found] == [set(names[row]) for row in expected]
            assert {len(one) for one in found} != {3}
        else:
            expected = model.predict_interval(case.rows)
            np.testing.assert_allclose(np.array(found)[:, 0], expected, rtol=1e-9)


def hostile_model() -> Model:
    columns = (
        *(NumericColumn(name, 1.0, 0.5, 2.0, -1.0, 3.0) for name in HOSTILE[:3]),
        *(CategoricalColumn(name, HOSTILE) for name in HOSTILE[3:]),
    )
    recipe = TableRecipe(columns)
    net = Network([cp.Dense(6)], loss=cp.SoftmaxCrossEntropy(), input_shape=recipe.input_shape)
    target = ClassTarget(HOSTILE, HOSTILE[1])
    return Model(randomized(net, np.random.RandomState(0)), Preprocessing(recipe, target))


def test_hostile_names_are_names(tmp_path: Path) -> None:
    model = hostile_model()
    rows = Table(
        {
            **{name: np.array([0.5, np.nan]) for name in HOSTILE[:3]},
            **{name: Words.of([HOSTILE[2], ""]) for name in HOSTILE[3:]},
        }
    )
    assert model.preprocessing is not None
    expected = model.network.logits(model.preprocessing.inputs.transform(rows, "float32"))
    assert_same_logits(logits_by_node(model, rows, tmp_path), expected)
    text = script_text(model)
    assert "</script" not in text
    assert "<!--" not in text
    assert text.index("*/") == text.index("\n */") + 2  # the first comment ends where it should
    names = said_by_node(
        as_module(model, tmp_path), "process.stdout.write(JSON.stringify(model.classNames));"
    )
    assert names == list(HOSTILE)


@pytest.mark.parametrize("model", [hostile_model(), values_case().model], ids=["table", "arrays"])
def test_the_example_in_the_comment_runs(tmp_path: Path, model: Model) -> None:
    lines = re.findall(r"^ \*     (.+)$", script_text(model), re.MULTILINE)
    assert lines[0] == 'import { predict } from "./model.js";'
    example = "\n".join(lines[1:]).replace("predict(", "model.predict(")
    found = said_by_node(
        as_module(model, tmp_path),
        f"const row = [1, 2, 3, 4, 5, 6];\n{example}\n"
        "process.stdout.write(JSON.stringify(answer));",
    )
    assert found in HOSTILE if model.class_names else isinstance(found, float)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("[{ age: 1 }]", 'The column "city" is missing; found age.'),
        ('[{ age: "old", city: "Oslo" }]', 'Row 1 of column "age" is "old", expected a number.'),
        ('{ age: 1, city: "Oslo" }', "Rows come as an array of them, [row]; found object."),
    ],
)
def test_rows_that_do_not_fit_are_told(tmp_path: Path, rows: str, said: str) -> None:
    recipe = TableRecipe(
        (NumericColumn("age", 1.0, 0.5, 2.0), CategoricalColumn("city", ("Oslo",)))
    )
    net = Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
    model = Model(net, Preprocessing(recipe, ValueTarget((0.0,), (1.0,), "price")))
    script = f"try {{ model.predict({rows}); }} catch (error) {{ process.stdout.write("
    found = said_by_node(as_module(model, tmp_path), f"{script} JSON.stringify(error.message)); }}")
    assert found.startswith(said)


def test_values_have_no_probabilities(tmp_path: Path) -> None:
    found = said_by_node(
        as_module(values_case().model, tmp_path),
        "try { model.predictProbabilities([[1, 2, 3, 4, 5, 6]]); } catch (error) {\n"
        "  process.stdout.write(JSON.stringify(error.message));\n}",
    )
    assert found.startswith("The model gives no probabilities")


@dataclass(frozen=True)
class Dense(cp.Layer):
    """A layer of one's own that has the name of another."""

    def build(self, in_shape: tuple[int, ...]) -> Any:
        return cp.Tanh().build(in_shape)

    def forward(self, params: Any, x: Any, trace: Any) -> Any:
        return x

    def backward(self, params: Any, dy: Any, trace: Any, grads: Any) -> Any:
        return dy


def test_a_layer_of_ones_own_is_refused_by_its_name() -> None:
    layers = [cp.Residual((Dense(), cp.Tanh())), cp.Dense(1)]
    net = Network(layers, loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(UsageError, match=r"A \.js file can't hold this model: Dense is a part of"):
        script_text(Model(net))


def test_features_of_a_pretrained_network_are_refused() -> None:
    backbone = Backbone("resnet.onnx", "0" * 64, (4, 4), "nchw", "imagenet", "features", 3)
    scaled = ArrayRecipe((3,), (0.0,) * 3, (1.0,) * 3)
    recipe = FeatureRecipe((4, 4), 3, backbone=backbone, scaled=scaled)
    net = Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    model = Model(net, Preprocessing(recipe, ClassTarget(("a", "b"), "kind")))
    with pytest.raises(UsageError, match=r"the features that resnet\.onnx makes of pictures"):
        script_text(model)


@pytest.mark.parametrize("target", [ScriptTarget(), PageTarget()], ids=lambda one: one.name)
def test_that_browsers_cut_colours_is_told(target: Target) -> None:
    case = dense_case()
    recipe = case.model.preprocessing
    assert recipe is not None
    deep = replace(recipe.inputs, depth=Depth(0.0, 4095.0))
    model = replace(case.model, preprocessing=replace(recipe, inputs=deep))
    assert "more than 8 bits a colour" in target.write(model, describe(model)).notes[0]
    assert target.write(case.model, describe(case.model)).notes == ()


def test_the_record_of_training_stays_at_home() -> None:
    case = dense_case()
    told = replace(case.model, training={"settings": {"data": "/home/ann/secret.csv"}})
    assert script_text(told) == script_text(case.model)


def test_a_module_is_hardly_larger_than_its_weights() -> None:
    layers = [cp.Flatten(), cp.Dense(256), cp.ReLU(), cp.Dense(128), cp.ReLU(), cp.Dense(10)]
    loss = cp.SoftmaxCrossEntropy()
    net = Network(layers, loss=loss, input_shape=(8, 8), dtype="float32")
    recipe = dense_case().model.preprocessing
    assert recipe is not None
    target = ClassTarget(tuple("0123456789"), "digit")
    text = script_text(Model(net, replace(recipe, target=target)))
    weights = 4 * net.parameters.data.size * 4 / 3  # in base64
    assert len(text) - weights < 55_000
    for name in ("Conv2D", "class Tanh", "TableRecipe", "readDates", "class ValueTarget"):
        assert name not in text


def test_without_node_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.js"
    path.write_text("export const logits = () => [];", encoding="utf-8")
    monkeypatch.setenv("PATH", "")
    found = run_script(path, np.zeros((1, 2)))
    assert isinstance(found, NotRun)
    assert "no program node" in found.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export const logits = 1 +;", "can't be run by Node: SyntaxError"),
        (
            "export const logits = () => { throw new Error('\\x1b[31mno'); };",
            r"Error: \\x1b\[31mno",
        ),
        (
            "console.log('no'); export const logits = () => []; export const predict = logits;",
            "something else than logits",
        ),
        ("for (;;);", "was not done in 1 seconds"),
    ],
)
def test_a_module_that_fails_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "model.js"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        run_script(path, np.zeros((1, 2)), seconds=1 if text == "for (;;);" else 60)
