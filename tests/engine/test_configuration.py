"""Frozen dataclasses to JSON and back."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearprop as cp
from clearprop import layers, losses, optimizers
from clearprop.configuration import Json, classes_in, from_config, to_config
from clearprop.core import initializers, schedules
from clearprop.errors import UnknownNameError, UsageError


def kinds(module: object, base: type) -> dict[str, type]:
    return {kind.__name__: kind for kind in classes_in(vars(module), base)}


TYPES = {
    **kinds(layers, cp.Layer),
    **kinds(losses, cp.Loss),
    **kinds(initializers, cp.Initializer),
    **kinds(optimizers, optimizers.Optimizer),
    **kinds(schedules, schedules.Schedule),
}

EXAMPLES = [
    cp.Dense(3, init=cp.Normal(0.2), bias=False),
    cp.Dropout(0.3),
    cp.BatchNorm(momentum=0.2, epsilon=1e-3),
    cp.LayerNorm(epsilon=1e-3),
    cp.LeakyReLU(slope=0.2),
    cp.ELU(alpha=0.5),
    cp.Sigmoid(),
    cp.Tanh(),
    cp.ReLU(),
    cp.SELU(),
    cp.GELU(),
    cp.Mish(),
    cp.Softplus(),
    cp.Flatten(),
    cp.Conv2D(4, kernel=[3, 2], stride=2, padding="valid", init=cp.Scaled(), bias=False),
    cp.MaxPool2D(3, stride=(2, 1)),
    cp.AveragePool2D([2, 1]),
    cp.GlobalAveragePool2D(),
    cp.SpatialDropout2D(0.3),
    cp.Dropout(schedules.FlatCosineSchedule(0.3, steps=9)),
    cp.Residual((cp.Dense(2), cp.Residual((cp.Tanh(),))), init=cp.HeNormal()),
    cp.Sequential((cp.Dense(2), cp.Sequential(()))),
    cp.NTKDense(3, init=cp.Normal(0.2), bias=False, bias_rate=0.1),
    cp.Scale(rate=6),
    cp.Blend(cp.LeakyReLU(0.2), rate=0.1),
    cp.PeriodicEmbedding(frequencies=3, width=2, std=0.2, rate=0.1),
    cp.Embedding([3, 4], width=2),
    cp.Columns([[0, 2], (1, 3)], [cp.Tanh(), cp.Dense(2)]),
    cp.Columns.of_table(numbers=2, plain=1, sizes=[3], rate=0.1),
    cp.BinaryCrossEntropy(),
    cp.SoftmaxCrossEntropy(),
    cp.MeanSquaredError(),
    cp.PoissonDeviance(),
    cp.Hinge(),
    cp.MulticlassHinge(),
    cp.BinaryFocal(gamma=1.5),
    cp.SmoothedCrossEntropy(smoothing=0.2),
    cp.SoftmaxFocal(gamma=0.5),
    cp.AbsoluteError(),
    cp.Huber(delta=0.3),
    cp.Quantile(level=0.9),
    cp.Quantiles(levels=(0.05, 0.5, 0.95)),
    cp.Constant(-0.1),
    cp.Zeros(),
    cp.FromData(),
    cp.Normal(0.3),
    cp.Uniform(0.3),
    cp.Scaled(),
    cp.HeNormal(),
    cp.HeUniform(),
    cp.GlorotNormal(),
    cp.GlorotUniform(),
    schedules.ConstantSchedule(0.1),
    schedules.StepSchedule(0.1, every=7, factor=0.3),
    schedules.ExponentialSchedule(0.1, every=7, factor=0.3),
    schedules.CosineSchedule(0.1, steps=9, final=0.01),
    schedules.OneCycleSchedule(0.1, steps=9, rise=0.4, start_divisor=3, final_divisor=5),
    schedules.CosLogSchedule(0.1, steps=9),
    schedules.FlatCosineSchedule(0.1, steps=9),
    schedules.WarmUp(3, schedules.WarmUp(2, schedules.ConstantSchedule(0.1))),
    optimizers.SGD(0.2, alpha=0.1, weight_decay=0.3),
    optimizers.SGD(0.2, weight_decay=schedules.FlatCosineSchedule(0.1, steps=9)),
    optimizers.Momentum(schedules.CosineSchedule(0.1, steps=9), momentum=0.5, weight_decay=0.3),
    optimizers.Nesterov(0.2, momentum=0.5, alpha=0.1),
    optimizers.AdaGrad(0.2, epsilon=1e-3, alpha=0.1),
    optimizers.RMSprop(0.2, decay=0.8, epsilon=1e-3),
    optimizers.Adam(0.2, beta_1=0.8, beta_2=0.7, epsilon=1e-3),
    optimizers.AdamW(0.2, beta_1=0.8, beta_2=0.7, epsilon=1e-3, weight_decay=0.3),
    optimizers.LBFGS(alpha=0.1, memory=3, tolerance=1e-3, max_evaluations=7),
]
_parts = st.recursive(
    st.one_of(
        st.sampled_from(EXAMPLES),
        st.builds(cp.Constant, st.floats(allow_nan=False, allow_infinity=False)),
        st.builds(cp.Dense, st.integers(1), bias=st.booleans()),
        st.builds(optimizers.SGD, st.floats(0, 1e300), alpha=st.floats(0, 1e300)),
        st.none() | st.booleans() | st.integers() | st.text(),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
)


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(example) for example in EXAMPLES} == set(TYPES.values())


@pytest.mark.parametrize("part", EXAMPLES, ids=repr)
def test_every_kind_goes_through_json_and_comes_back_equal(part: object) -> None:
    back = through_json(part)
    assert back == part
    assert type(back) is type(part)


@given(_parts)
@settings(max_examples=50)
def test_whatever_holds_them_comes_back_equal(part: object) -> None:
    assert through_json(part) == part


def through_json(part: object) -> object:
    return from_config(json.loads(json.dumps(to_config(part), allow_nan=False)), TYPES)


def test_a_configuration_can_be_read_and_written_by_hand() -> None:
    assert to_config((cp.Dense(3), cp.Residual((cp.Tanh(),)))) == [
        {"type": "Dense", "units": 3, "init": {"type": "HeNormal"}, "bias": True},
        {"type": "Residual", "layers": [{"type": "Tanh"}], "init": {"type": "Scaled"}},
    ]
    assert from_config({"type": "Dense", "units": 3}, TYPES) == cp.Dense(3)
    assert from_config({"rates": [0.1, None, "x"]}, TYPES) == {"rates": (0.1, None, "x")}


def test_numbers_of_numpy_become_those_of_python() -> None:
    three: Any = np.int64(3)
    half: Any = np.float32(0.5)
    config = to_config(cp.Dense(three, init=cp.Normal(half)))
    assert json.loads(json.dumps(config)) == to_config(cp.Dense(3, init=cp.Normal(0.5)))


def test_what_is_no_plain_value_cannot_be_saved() -> None:
    @dataclass(frozen=True)
    class Held:
        what: object

    for what, name in (
        (print, "builtin_function_or_method"),
        (np.zeros(2), "ndarray"),
        (int, "type"),
    ):
        with pytest.raises(UsageError, match=f"A {name} can't be saved"):
            to_config(Held(what))


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"type": "Dens", "units": 3}, UnknownNameError, "no type 'Dens'. Did you mean 'Dense'?"),
        ({"type": "os.system"}, UnknownNameError, "no type 'os.system'"),
        ({"type": None}, UnknownNameError, "no type 'None'"),
        ({"type": ["Dense"]}, UnknownNameError, "no type"),
        (
            {"type": "Dense", "width": 3},
            UsageError,
            "Dense has no field 'width'.*bias, init, units",
        ),
        ({"type": "Dense"}, UsageError, "Dense can't be made from {}"),
        ({"type": "Dense", "units": "3"}, UsageError, "whole number of units from 1, found '3'"),
        ({"type": "Dense", "units": [3]}, UsageError, "whole number of units from 1"),
        ({"type": "Dropout", "rate": "half"}, UsageError, "Dropout can't be made"),
        ({"type": "Dropout", "rate": 2}, UsageError, "rate is the share.*found 2"),
        ({"type": "Residual", "layers": 5}, UsageError, "Residual can't be made"),
        ({"type": "Residual", "layers": ["Dense"]}, UsageError, "Layer 0 is no layer"),
        ({"type": "Residual", "layers": [], "block": 1}, UsageError, "no field 'block'"),
        ([{"type": "Tanh"}, {"type": "Than"}], UnknownNameError, "no type 'Than'"),
    ],
)
def test_a_configuration_that_is_wrong_says_where(
    config: Json, error: type[UsageError], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_config(config, TYPES)
