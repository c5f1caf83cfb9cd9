"""What logits say in C: classes, probabilities, sets, values, quantiles and intervals."""

import numpy as np
import pytest
from c_programs import model_of, needs_compiler, ran

import clearprop as cp
from clearprop.losses import LOSSES
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    PowerScale,
    Preprocessing,
    ValueTarget,
)
from clearprop.preprocessing.coverage import Coverage

pytestmark = needs_compiler

ROWS = 3 * np.random.RandomState(1).standard_normal((200, 4))
COVERAGE = Coverage(0.9, 99, 0.4)
NARROWER = Coverage(0.8, 99, -0.3)

SEVERAL = [cp.SoftmaxCrossEntropy(), cp.SmoothedCrossEntropy(), cp.SoftmaxFocal()]
CLASSES = [
    *((loss, ClassTarget(("a", "b", "c"), None)) for loss in (*SEVERAL, cp.MulticlassHinge())),
    *(
        (loss, ClassTarget(("no", "yes"), None))
        for loss in (cp.BinaryCrossEntropy(), cp.BinaryFocal(), cp.Hinge(), *SEVERAL)
    ),
    (cp.SoftmaxCrossEntropy(), ClassTarget(tuple("abcdef"), None, None, 1, 2.5, COVERAGE)),
    (cp.SoftmaxCrossEntropy(), ClassTarget(("no", "yes"), None, 0.2, 0, 0.7, COVERAGE)),
    (cp.SoftmaxFocal(), ClassTarget(("no", "yes"), None, 0.9, 1)),
    (cp.BinaryCrossEntropy(), ClassTarget(("no", "yes"), None, 0.3, 1, 1.3, COVERAGE)),
    (cp.BinaryFocal(), ClassTarget(("no", "yes"), None, 0.3, 0)),
]

ONE, TWO = ((1.5,), (0.7,)), ((1.0, -2.0), (3.0, 0.25))
QUANTILES = cp.Quantiles((0.1, 0.4, 0.7, 0.9))
VALUES = [
    *((loss, ValueTarget(*TWO, None)) for loss in (cp.MeanSquaredError(), cp.Huber())),
    (cp.AbsoluteError(), ValueTarget(*TWO, None, None, COVERAGE, (-1.0, -0.5), (0.5, 1.0))),
    (cp.Quantile(0.3), ValueTarget(*ONE, None, PowerScale(0.0, 0, 2.0, (0.0, 90.0)))),
    (cp.Quantile(0.3), ValueTarget(*ONE, None, PowerScale(0.4, 0, 2.0, (0.0, 90.0)), COVERAGE)),
    (cp.MeanSquaredError(), ValueTarget(*ONE, None, PowerScale(-0.5, 0, 2.0, (0.0, 90.0)))),
    (cp.MeanSquaredError(), ValueTarget(*ONE, None, PowerScale(0.0, 1, 2.0, (-50.0, 90.0)))),
    (cp.MeanSquaredError(), ValueTarget(*ONE, None, PowerScale(1.7, 1, 0.1, (-50.0, 90.0)))),
    (cp.MeanSquaredError(), ValueTarget(*ONE, None, PowerScale(2.0, 1, 0.1, (-50.0, 90.0)))),
    (cp.PoissonDeviance(), ValueTarget((0.0,), (1.0,), None)),
    (cp.PoissonDeviance(), ValueTarget((0.0,), (1.0,), None, None, COVERAGE, (0.5,), (4.0,))),
    (cp.Quantiles(), ValueTarget(*ONE, None)),
    (cp.Quantiles((0.7,)), ValueTarget(*ONE, None, None, NARROWER)),
    (QUANTILES, ValueTarget(*ONE, None, None, NARROWER, (-1.0,), (0.8,))),
    (QUANTILES, ValueTarget(*ONE, None, PowerScale(0.3, 1, 2.0, (-50.0, 90.0)), COVERAGE)),
]


def model_with(loss, target, outputs):
    recipe = Preprocessing(ArrayRecipe.fit(ROWS), target)
    layers = [cp.Dense(8), cp.Tanh(), cp.Dense(outputs)]
    return model_of(layers, (4,), loss=loss, dtype="float64", recipe=recipe)


def told(case):
    return f"{type(case[0]).__name__} {case[1]!r}"[:120]


def assert_alike(found, expected):
    expected = np.asarray(expected, np.float64).reshape(len(found), -1)
    largest = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5 * largest)


def test_every_loss_is_tried():
    tried = {type(loss) for loss, _ in (*CLASSES, *VALUES)}
    assert tried == set(LOSSES)


@pytest.mark.parametrize("case", CLASSES, ids=told)
def test_classes(case):
    loss, target = case
    names = target.class_names
    single = isinstance(loss, cp.BinaryCrossEntropy | cp.BinaryFocal | cp.Hinge)
    model = model_with(loss, target, 1 if single else len(names))
    found = ran(model, ROWS, watches=False)
    assert (
        np.array(names)[found["class"][:, 0].astype(int)].tolist() == model.predict(ROWS).tolist()
    )
    assert len(np.unique(found["class"])) > 1
    assert ("probabilities" in found) == model.gives_probabilities
    if model.gives_probabilities:
        assert_alike(found["probabilities"], model.predict_proba(ROWS))
    assert ("set" in found) == (target.coverage is not None)
    if target.coverage is not None:
        expected = model.predict_set(ROWS)
        assert 0 < expected.mean() < 1
        np.testing.assert_array_equal(found["set"], expected)


@pytest.mark.parametrize("case", VALUES, ids=told)
def test_values(case):
    loss, target = case
    outputs = len(loss.levels) if isinstance(loss, cp.Quantiles) else target.outputs
    model = model_with(loss, target, outputs)
    found = ran(model, ROWS, watches=False)
    assert_alike(found["values"], model.predict(ROWS))
    assert len(np.unique(found["values"])) > 20
    assert ("quantiles" in found) == isinstance(loss, cp.Quantiles)
    if isinstance(loss, cp.Quantiles):
        assert_alike(found["quantiles"], model.predict_quantiles(ROWS))
    assert ("interval" in found) == (target.coverage is not None)
    if target.coverage is not None:
        assert_alike(found["interval"], model.predict_interval(ROWS))


def test_logits_beyond_all_numbers_have_probabilities():
    model = model_with(cp.SoftmaxCrossEntropy(), ClassTarget(("a", "b", "c"), None), 3)
    model.network.parameters["2.W"][...] *= 1e6
    found = ran(model, ROWS)
    assert_alike(found["probabilities"], model.predict_proba(ROWS))
    assert np.isfinite(found["probabilities"]).all()


@pytest.mark.parametrize("loss", [cp.SoftmaxCrossEntropy(), cp.MeanSquaredError()], ids=repr)
def test_a_model_without_a_recipe(loss):
    model = model_of([cp.Dense(3)], (4,), loss=loss)
    found = ran(model, ROWS.astype(np.float32))
    expected = model.predict(ROWS.astype(np.float32))
    word = "class" if loss.classifies else "values"
    assert_alike(found[word], expected)
