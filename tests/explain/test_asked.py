"""The number that is explained is the model's answer, and its derivative is that of differences."""

import numpy as np
import pytest
from table_models import model_of, model_of_classes, model_of_values, people

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.explain import Asked
from clearprop.preprocessing import ArrayRecipe, ClassTarget, PowerScale, Preprocessing, ValueTarget

VALUES = np.random.RandomState(1).gamma(2.0, 30.0, 200)


def scaled(name, shift):
    values = VALUES - 40.0 * shift
    return PowerScale.fit(name, values, values.min())


def hinge(table):
    return model_of(table, [cp.Dense(4), cp.Tanh()], ClassTarget(("a", "b"), "y"), cp.Hinge())


MODELS = {
    "two": model_of_classes,
    "two, by temperature": lambda table: model_of_classes(table, temperature=1.7),
    "three": lambda table: model_of_classes(table, ("a", "b", "c")),
    "three, by temperature": lambda table: model_of_classes(table, tuple("abc"), temperature=0.6),
    "hinge": hinge,
}


@pytest.mark.parametrize("make", MODELS.values(), ids=list(MODELS))
def test_of_classes_it_is_the_probability_that_predict_tells_or_the_logit(make):
    table = people()
    model = make(table)
    X = model.preprocessing.inputs.transform(table, np.float64)
    for which in range(len(model.class_names)):
        asked = Asked.of(model, which)
        if model.gives_probabilities:
            np.testing.assert_allclose(asked.values(X), model.predict_proba(table)[:, which])
            assert asked.name == f"probability of {model.class_names[which]!r}"
        else:
            logits = model.network.logits(X)[:, 0]
            np.testing.assert_allclose(asked.values(X), logits if which else -logits)
            assert asked.name == f"logit of {model.class_names[which]!r}"
        has_slopes_of_differences(asked, X[:5])


@pytest.mark.parametrize(
    "scale",
    [None, scaled("log", 0), scaled("power", 0), scaled("power", 1)],
    ids=["none", "log", "power", "power with a shift"],
)
def test_of_values_it_is_the_value_in_its_own_unit(scale):
    table = people()
    model = model_of_values(table, scale)
    if scale is not None:
        target = ValueTarget((0.3,), (0.4,), "price", scale)
        model = cp.Model(model.network, Preprocessing(model.preprocessing.inputs, target))
    X = model.preprocessing.inputs.transform(table, np.float64)
    asked = Asked.of(model)
    assert asked.name == "price"
    np.testing.assert_allclose(asked.values(X), model.predict(table))
    has_slopes_of_differences(asked, X[:5])


def test_where_bounds_cut_values_they_have_no_slope():
    scale = PowerScale(0.0, 0, 50.0, (0.0, 60.0))
    assert scale.slope(np.array([0.1, 5.0])).tolist() == pytest.approx([50 * np.exp(0.1), 0.0])


def has_slopes_of_differences(asked, X, step=1e-6):
    values, slopes = asked.slopes(X)
    np.testing.assert_array_equal(values, asked.values(X))
    for place in range(X.shape[1]):
        moved = np.eye(X.shape[1])[place] * step
        expected = (asked.values(X + moved) - asked.values(X - moved)) / (2 * step)
        np.testing.assert_allclose(slopes[:, place], expected, atol=1e-6, rtol=1e-6)


def test_a_network_in_float32_is_asked_in_float64():
    table = people()
    model = model_of(
        table, [], ClassTarget(("a", "b"), "y"), cp.BinaryCrossEntropy(), dtype="float32"
    )
    asked = Asked.of(model, 1)
    assert asked.network.dtype == np.float64
    X = model.preprocessing.inputs.transform(table, np.float64)
    np.testing.assert_allclose(asked.values(X), model.predict_proba(table)[:, 1], rtol=1e-5)


def test_it_is_of_one_number_of_a_model_that_knows_columns():
    network = cp.Network([cp.Dense(2)], loss=cp.MeanSquaredError(), input_shape=(3,))
    with pytest.raises(UsageError, match="without preprocessing"):
        Asked.of(cp.Model(network))
    recipe = Preprocessing(
        ArrayRecipe.fit(np.random.RandomState(0).rand(9, 3)),
        ValueTarget((0.0, 0.0), (1.0, 1.0), "y"),
    )
    with pytest.raises(UsageError, match="predicts 2 values"):
        Asked.of(cp.Model(network, recipe))


def test_many_samples_are_done_in_blocks(monkeypatch):
    table = people()
    asked = Asked.of(model_of_classes(table), 1)
    X = model_of_classes(table).preprocessing.inputs.transform(table, np.float64)
    whole = asked.slopes(X)
    monkeypatch.setattr("clearprop.explain.asked._AT_ONCE", 100)
    for one, other in zip(asked.slopes(X), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
