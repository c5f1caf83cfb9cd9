"""A proof tells an export that does what its model does from one that almost does."""

import math
from dataclasses import replace

import numpy as np
import pytest
from script_cases import dense_case, picture_case, table_cases, values_case

import clearprop as cp
from clearprop.errors import ExportError, OutputError, UsageError
from clearprop.exports.description import describe
from clearprop.exports.exporting import TARGETS, export, write_export
from clearprop.exports.proof import logits_of, preferred, prove
from clearprop.exports.python.target import PythonTarget
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Written
from clearprop.exports.trial_rows import trial_of
from clearprop.files.models import Model
from clearprop.preprocessing import ClassTarget, Preprocessing
from clearprop.preprocessing.cells import CategoryCells, NumberCells


class Wrong(PythonTarget):
    """A target that writes another model than it was asked for."""

    def __init__(self, change):
        self.change = change

    def write(self, model, description):
        return super().write(model, self.change(description))


def changed_columns(change):
    """Return a change of a description: of its columns' cells."""

    def changed(description):
        columns = tuple(map(change, description.inputs.columns))
        return replace(description, inputs=replace(description.inputs, columns=columns))

    return changed


def multiplied_by_what_divides(cells):
    return replace(cells, factor=1 / cells.factor) if isinstance(cells, NumberCells) else cells


def one_hots_in_another_order(cells):
    if not isinstance(cells, CategoryCells):
        return cells
    return replace(cells, rows=np.vstack([cells.rows[:1], cells.rows[1:][::-1]]))


def unknown_as_the_first(cells):
    if not isinstance(cells, CategoryCells):
        return cells
    return replace(cells, rows=np.vstack([cells.rows[1:2], cells.rows[1:]]))


def gaps_as_zero(cells):
    return replace(cells, instead=0.0) if isinstance(cells, NumberCells) else cells


def a_little_off(cells):
    if not isinstance(cells, NumberCells):
        return cells
    return replace(cells, centre=cells.centre + 1e-3 / abs(cells.factor))


@pytest.mark.parametrize(
    "change",
    [
        multiplied_by_what_divides,
        one_hots_in_another_order,
        unknown_as_the_first,
        gaps_as_zero,
        a_little_off,
    ],
)
@pytest.mark.parametrize("has_data", [True, False])
def test_what_goes_wrong_with_columns_is_noticed(change, has_data, tmp_path):
    case = next(table_cases())
    ordinary = case.rows[np.arange(20, 60)]  # without the unknown category at their start
    data = Rows.of(describe(case.model).inputs, ordinary) if has_data else None
    path = tmp_path / "model.py"
    with pytest.raises(ExportError, match="was not written"):
        write_export(case.model, path, Wrong(changed_columns(change)), data, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_order_of_classes_is_noticed(tmp_path):
    case = dense_case()

    def swapped(description):
        names = description.answer.names
        return replace(description, answer=replace(description.answer, names=names[::-1]))

    with pytest.raises(ExportError, match=r"answers changed [1-9]"):
        write_export(case.model, tmp_path / "m.py", Wrong(swapped), None, overwrite=False)


def test_a_value_on_another_scale_is_noticed(tmp_path):
    def unscaled(description):
        return replace(description, answer=replace(description.answer, scale=None))

    with pytest.raises(ExportError, match=r"answers changed [1-9]"):
        write_export(values_case().model, tmp_path / "m.py", Wrong(unscaled), None, overwrite=False)


def test_what_was_exported_holds(tmp_path):
    for case in [dense_case(), picture_case(tmp_path), *table_cases(), values_case()]:
        made = export(case.model, tmp_path / "m.py", overwrite=True)
        assert made.proof.holds
        assert made.proof.changed == made.proof.at_border == 0
        assert sum(made.proof.kinds.values()) == made.proof.rows
        assert f"{made.proof.rows:,} rows" in str(made)


def test_rows_that_matter_are_among_those_tried():
    description = describe(next(table_cases()).model)
    case = next(table_cases())

    def labels(rows):
        return preferred(description, logits_of(case.model, description, rows))

    trial = trial_of(description, None, labels)
    assert trial.kinds.keys() == {
        *("drawn", "extremes", "missing cells", "unknown categories", "class borders"),
    }
    known = set(case.model.preprocessing.inputs.columns[1].categories)
    assert {None} | known < set(trial.rows.columns["city"])
    ages = trial.rows.columns["age"]
    assert np.isnan(ages).any()
    spread = case.model.preprocessing.inputs.columns[0]
    assert np.nanmax(ages) >= spread.mean + 9 * spread.std
    at_border = trial.rows.take(np.arange(trial.rows.count)[-trial.kinds["class borders"] :])
    _, margin = labels(at_border)
    assert margin.max() < 1e-4
    assert margin.min() > 1e-7  # halved no further than that rounding decides


@pytest.mark.parametrize("threshold", [None, 0.2, 0.9])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize(
    ("loss", "outputs"), [(cp.BinaryCrossEntropy(), 1), (cp.SoftmaxCrossEntropy(), 2)], ids=str
)
def test_the_preferred_class_is_the_models_answer(threshold, positive, loss, outputs):
    target = ClassTarget(("no", "yes"), "kind", threshold, positive, 1.3)
    case = next(table_cases())
    recipe = case.model.preprocessing.inputs
    net = cp.Network([cp.Dense(outputs)], loss=loss, input_shape=recipe.input_shape, seed=3)
    model = Model(net, Preprocessing(recipe, target))
    logits = net.logits(case.prepared).astype(np.float64)
    found, _ = preferred(describe(model), logits)
    assert np.array(target.class_names)[found].tolist() == model.named(logits).tolist()


class Absent(PythonTarget):
    """A target whose runtime is not there."""

    def run(self, path, description, rows):
        return NotRun("It needs a runtime that is not installed.")


def test_what_was_not_run_is_not_called_equal(tmp_path):
    made = write_export(dense_case().model, tmp_path / "m.py", Absent(), None, overwrite=False)
    assert made.proof == NotRun("It needs a runtime that is not installed.")
    assert "Not run: It needs a runtime" in str(made)
    assert "difference" not in str(made)


def test_a_file_that_stands_there_is_kept(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"model.py is there already.*--force"):
        export(dense_case().model, path)
    assert path.read_text() == "mine"
    export(dense_case().model, path, overwrite=True)
    assert "def predict" in path.read_text()


class Meanwhile(PythonTarget):
    """A target whose file somebody else writes, too, while it is run."""

    def __init__(self, path):
        self.path = path

    def run(self, path, description, rows):
        self.path.write_text("theirs")
        return super().run(path, description, rows)


def test_a_file_that_came_while_it_was_proved_is_kept(tmp_path):
    path = tmp_path / "model.py"
    with pytest.raises(UsageError, match=r"model.py is there already"):
        write_export(dense_case().model, path, Meanwhile(path), None, overwrite=False)
    assert path.read_text() == "theirs"


class Two(Absent):
    """A target of two files."""

    title = "a file and another one"

    def write(self, model, description):
        return Written({".one": b"new", ".two": b"new"})

    ending = ".one"


def test_of_two_files_both_are_written_or_none(tmp_path):
    path, other = tmp_path / "m.one", tmp_path / "m.two"
    path.write_text("old")
    other.mkdir()
    with pytest.raises(OutputError, match=r"^[^:]*m.two can't be written: it is a folder"):
        write_export(dense_case().model, path, Two(), None, overwrite=True)
    assert path.read_text() == "old"
    assert {one.name for one in tmp_path.iterdir()} == {"m.one", "m.two"}


def test_two_files_need_two_names(tmp_path):
    with pytest.raises(UsageError, match=r"one of them can't be called m.h, too. Call it m.c"):
        export(dense_case().model, tmp_path / "m.h", format="c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "sql"])
def test_a_file_may_end_in_anything(tmp_path, name):
    if name == "onnx":
        pytest.importorskip("onnx")
    made = export(dense_case().model, tmp_path / "a.b.txt", format=name)
    assert (tmp_path / "a.b.txt").stat().st_size == made.files[tmp_path / "a.b.txt"]
    assert isinstance(made.proof, NotRun) or made.proof.holds


@pytest.mark.parametrize("has_data", [True, False])
def test_dates_that_are_tried_can_be_written(has_data):
    case = next(table_cases())
    recipe = case.model.preprocessing.inputs
    columns = tuple(
        replace(one, std=(1e6, *one.std[1:])) if one.name == "born" else one
        for one in recipe.columns
    )
    model = replace(
        case.model,
        preprocessing=replace(case.model.preprocessing, inputs=replace(recipe, columns=columns)),
    )
    description = describe(model)
    data = Rows.of(description.inputs, case.rows) if has_data else None
    trial = trial_of(description, data, lambda rows: (np.zeros(rows.count, int), None))
    born = trial.rows.columns["born"]
    years = born[np.isfinite(born)].astype("datetime64[s]").astype("datetime64[Y]").astype(int)
    assert (years.min() + 1970, years.max() + 1970) == (100, 9999)


def test_what_can_be_exported(tmp_path):
    net = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,), seed=1)
    saved = tmp_path / "net.safetensors"
    cp.save(saved, net)
    X, y = np.random.RandomState(0).standard_normal((30, 4)), np.arange(30) % 3
    fitted = cp.MLPClassifier((5,), max_iter=300, tol=1.0, random_state=0).fit(X, y)
    for model in (net, Model(net), saved, str(saved), fitted):
        made = export(model, tmp_path / "m.py", overwrite=True)
        assert made.proof.holds
    made = export(fitted, tmp_path / "m.py", data=X, overwrite=True)
    assert made.proof.kinds["data"] == 30
    with pytest.raises(UsageError, match="Found dict, expected a Model"):
        export({}, tmp_path / "m.py", overwrite=True)


def test_margins_are_shares_of_the_largest_logit():
    case = dense_case()
    logits = np.array([[4.0, 1.0, 0.0], [0.0, 0.5, 0.25]])
    label, margin = preferred(describe(case.model), logits)
    assert label.tolist() == [0, 1]
    assert margin == pytest.approx([0.75, 0.25 / 4])


def test_prove_holds_far_rows_against_their_own_largest_logit(tmp_path):
    case = values_case()
    description = describe(case.model)
    path = tmp_path / "m.py"
    path.write_bytes(PythonTarget().write(case.model, description).files[".py"])
    proof = prove(PythonTarget(), path, case.model, description, None)
    assert math.isfinite(proof.difference)
    assert proof.seconds > 0
