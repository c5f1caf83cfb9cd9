"""How sure a model is, in the page's engine as in Python: sets, intervals and quantiles."""

from typing import Any

import numpy as np
import pytest
from twins import assert_close, in_base64

import clearprop as cp
from clearprop.files.certainty import covering, odds_against, quantiles
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    Coverage,
    PowerScale,
    Preprocessing,
    TargetRecipe,
    ValueTarget,
)

NAMES = ("a", "b", "c", "d")


def _model(target: TargetRecipe, loss: cp.Loss, outputs: int) -> Model:
    net = Network([cp.Dense(outputs)], loss=loss, input_shape=(2,))
    return Model(net, Preprocessing(ArrayRecipe((2,), (0.0,), (1.0,)), target))


def _asked(engine: Any, model: Model, logits: np.ndarray) -> Any:
    told = logits.ravel().tolist()
    return engine.ask(ask="certainty", model=in_base64(model), logits=told, n=len(logits))


@pytest.mark.parametrize("score", [-2.0, -0.3, 0.0, 1.5, 40.0])
@pytest.mark.parametrize(
    ("loss", "names", "outputs"),
    [
        (cp.SoftmaxCrossEntropy(), NAMES, 4),
        (cp.SoftmaxCrossEntropy(), NAMES[:2], 2),
        (cp.BinaryCrossEntropy(), NAMES[:2], 1),
        (cp.SmoothedCrossEntropy(), NAMES, 4),
        (cp.SoftmaxFocal(), NAMES, 4),
    ],
    ids=repr,
)
def test_sets_of_classes_are_pythons(
    engine: Any, loss: cp.Loss, names: tuple[str, ...], outputs: int, score: float
) -> None:
    target = ClassTarget(names, "kind", temperature=1.7, coverage=Coverage(0.9, 40, score))
    random = np.random.RandomState(0)
    logits = np.vstack([3 * random.standard_normal((40, outputs)), np.zeros((1, outputs))])
    found = _asked(engine, _model(target, loss, outputs), logits)
    against = odds_against(loss, logits, target.temperature)
    assert_close(found["odds"], against)
    held = covering(target, loss, logits)
    assert held is not None
    for own, row, odds in zip(found["sets"], held, against, strict=True):
        likeliest_first = np.argsort(odds, kind="stable")
        assert own == [k for k in likeliest_first if row[k]]
    assert found["intervals"] is found["quantiles"] is None


def test_odds_keep_their_digits_where_probabilities_are_1(engine: Any) -> None:
    target = ClassTarget(NAMES, "kind", coverage=Coverage(0.9, 40, -30.0))
    logits = np.array([[60.0, 0, -5, 1], [0, 800, 799.5, -800], [-1e3, 1e3, 0, 5], [1, 1, 1, 1]])
    found = _asked(engine, _model(target, cp.SoftmaxCrossEntropy(), 4), logits)
    assert_close(found["odds"], odds_against(cp.SoftmaxCrossEntropy(), logits))
    assert found["sets"] == [[0], [], [1], []]


SCALE = PowerScale(0.0, 0, 3.0, (0.0, 60.0))
WITHIN = {"low": (-0.8,), "high": (0.9,)}


@pytest.mark.parametrize("score", [-1.2, -0.1, 0.0, 0.7])
@pytest.mark.parametrize(
    "loss",
    [
        cp.MeanSquaredError(),
        cp.PoissonDeviance(),
        cp.Quantiles((0.05, 0.5, 0.95)),
        cp.Quantiles((0.2, 0.3, 0.6, 0.8)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("scale", [None, SCALE, PowerScale(0.5, 1, 2.0, (-50.0, 60.0))], ids=repr)
@pytest.mark.parametrize("bounds", [{}, WITHIN], ids=["anywhere", "within"])
def test_intervals_and_quantiles_are_pythons(
    engine: Any, loss: cp.Loss, score: float, scale: PowerScale | None, bounds: Any
) -> None:
    promise = Coverage(0.8, 40, score)
    target = ValueTarget((0.3,), (1.8,), "price", scale, promise, **bounds)
    outputs = len(loss.levels) if isinstance(loss, cp.Quantiles) else 1
    logits = np.random.RandomState(2).standard_normal((30, outputs))
    found = _asked(engine, _model(target, loss, outputs), logits)
    expected = covering(target, loss, logits)
    assert expected is not None
    assert_close(found["intervals"]["lower"], expected[:, 0])
    assert_close(found["intervals"]["upper"], expected[:, 1])
    several = quantiles(target, loss, logits)
    if several is None:
        assert found["quantiles"] is None
    else:
        assert_close(found["quantiles"], several)
    assert found["sets"] is None


def test_intervals_of_several_values_are_pythons(engine: Any) -> None:
    target = ValueTarget((0.3, -2.0), (1.8, 0.5), None, coverage=Coverage(0.9, 100, 1.5))
    logits = np.random.RandomState(2).standard_normal((9, 2))
    found = _asked(engine, _model(target, cp.MeanSquaredError(), 2), logits)
    expected = covering(target, cp.MeanSquaredError(), logits)
    assert expected is not None
    assert_close(found["intervals"]["lower"], expected[:, 0])
    assert_close(found["intervals"]["upper"], expected[:, 1])


def test_nothing_is_promised_without_a_coverage(engine: Any) -> None:
    logits = np.zeros((2, 4))
    found = _asked(engine, _model(ClassTarget(NAMES, None), cp.SoftmaxCrossEntropy(), 4), logits)
    assert found["sets"] is found["intervals"] is found["quantiles"] is None
    values = ValueTarget((0.0,) * 4, (1.0,) * 4, None)
    found = _asked(engine, _model(values, cp.MeanSquaredError(), 4), logits)
    assert found["sets"] is found["intervals"] is found["quantiles"] is None
