"""One row of a table is explained, whatever its columns become inside."""

import numpy as np
import pytest
from table_models import model_of_classes, people

import clearprop as cp
from clearprop.data import Table
from clearprop.errors import UsageError
from clearprop.experiment.explaining import dependence_of, explain_row
from clearprop.preprocessing import ClassTarget, Preprocessing, TableRecipe


def wide(rows=40):
    """A table of 11 numbers, two columns of few categories and two of many."""
    random = np.random.RandomState(3)
    numbers = {f"n{k}": random.randn(rows) for k in range(11)}
    numbers["n3"][::5] = np.nan
    few = {name: random.choice(["a", "b", "c", ""], rows) for name in ("few", "least")}
    many = {name: [f"{name} {k}" for k in random.randint(20, size=rows)] for name in ("one", "two")}
    return Table({"one": many["one"], **numbers, **few, "two": many["two"]})


def with_codes(table):
    """A model as trainings on tables make them: periodic embeddings, codes, learned factors."""
    recipe = TableRecipe.fit(table, robust=True)
    numbers, plain, sizes = recipe.groups
    network = cp.Network(
        [
            cp.Columns.of_table(numbers=numbers, plain=plain, sizes=sizes),
            *(cp.Scale(), cp.NTKDense(9), cp.Blend(cp.SELU()), cp.NTKDense(3)),
        ],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=recipe.input_shape,
        seed=0,
        dtype="float32",
    )
    return cp.Model(network, Preprocessing(recipe, ClassTarget(("x", "y", "z"), "kind")))


def test_of_many_columns_codes_among_them_contributions_add_up():
    table = wide()
    model = with_codes(table)
    found = explain_row(model, table, 2, "row 3", table, "itself")
    assert found.method == "integrated gradients"
    assert set(found.found.names) == set(table.names)
    assert abs(found.found.residual) < 1e-8
    shares = model.predict_proba(table)[2]
    assert found.found.answer == pytest.approx(shares.max(), rel=1e-4)
    assert found.prediction == "xyz"[shares.argmax()]
    assert np.abs(found.found.values).min() > 0
    opened = found.open("two")
    assert opened.input_names[1] == "two: number 1"
    assert len(opened.input_names) == 9
    adds = opened.difference * opened.mean_slopes
    assert adds.sum() == pytest.approx(opened.adds, rel=1e-9)
    assert opened.terms.sum() == pytest.approx(opened.adds, rel=1e-9)


def test_a_column_that_the_background_shares_adds_nothing():
    table = wide()
    model = with_codes(table)
    own = table[2:3].columns
    alike = {name: own[name][np.zeros(len(table), int)] for name in ("one", "n3", "few")}
    found = explain_row(model, table, 2, "row 3", Table({**table.columns, **alike}), "others")
    for name in alike:
        assert found.adds(name) == pytest.approx(0, abs=1e-12)


def test_groups_of_codes_and_numbers_are_exact():
    table = wide()
    model = with_codes(table)
    groups = [("one", "two", "few"), ("n1", "n2")]
    found = explain_row(model, table, 2, "row 3", table, "itself", groups=groups)
    assert found.method == "shapley"
    assert len(found.found.names) == 12
    assert abs(found.found.residual) < 1e-12
    assert found.cell("n1 + n2") == ", ".join(found.cells[name] for name in ("n1", "n2"))


def test_dependence_on_codes_is_the_mean_of_predictions():
    table = wide()
    model = with_codes(table)
    (one,) = dependence_of(model, table, ["two"])
    different = len(table.columns["two"].texts)
    assert (len(one.cells), one.more) == (12, different - 12)
    cell = one.cells[np.zeros(len(table), int)]
    shares = model.predict_proba(Table({**table.columns, "two": cell}))
    np.testing.assert_allclose(one.answers[0], shares.mean(axis=0), rtol=1e-5)


def test_the_answer_of_a_threshold_is_the_one_that_is_explained():
    table = people()
    model = model_of_classes(table, threshold=0.999)
    found = explain_row(model, table, 1, "row 2", table, "itself")
    assert found.prediction == "no"
    assert found.asked.name == "probability of 'no'"
    asked = explain_row(model, table, 1, "row 2", table, "itself", said="yes")
    np.testing.assert_allclose(asked.found.values, -found.found.values, atol=1e-12)


def test_cells_are_told_as_text_and_gaps_as_such():
    table = people()
    found = explain_row(model_of_classes(table), table, 0, "row 1", table, "itself")
    assert found.cell("age") == "(missing)"
    assert found.cell("born") == str(table.columns["born"][0])[:10]


def test_rows_that_are_all_alike_say_nothing():
    table = people()[1:2]
    with pytest.raises(UsageError, match="no column adds anything"):
        explain_row(model_of_classes(people()), table, 0, "row 1", table, "itself")
    with pytest.raises(UsageError, match="there is no sample 1"):
        explain_row(model_of_classes(people()), table, 1, "row 1", table, "itself")
