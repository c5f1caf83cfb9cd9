"""Formulas on a class of one's own are written out, and every written form is what is computed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from random_networks import CODE_CASES, LAYER_CASES, PICTURE, PICTURE_CASES

import clearprop as cp
from clearprop import layers, losses, optimizers
from clearprop.configuration import classes_in, own
from clearprop.core.formulas import (
    ACTIVATION,
    Formulas,
    formulas_of,
    known,
    max_k,
    mean_d,
    sum_k,
    sum_n,
    where_positive,
)
from clearprop.core.symbols import D, Setting, Symbol, dx, dy, exp, logits, target, x, y
from clearprop.core.symbols import losses as each
from clearprop.errors import UsageError
from clearprop.walkthrough.notation import Engine, Names
from clearprop.walkthrough.sheet import Sheet

w, s = Symbol("w", "scale"), Symbol("s", per_sample=True)
factor = Setting("power")


@dataclass(frozen=True)
class Scale(cp.Layer):
    """Multiply each feature by a learned number."""

    power: float = 2.0
    formulas = Formulas(
        {y: factor * x * w}, {w.gradient: sum_n(factor * dy * x), dx: factor * dy * w}
    )

    def build(self, in_shape: tuple[int, ...]) -> cp.Built:
        return cp.Built(in_shape, parameters={"w": cp.Parameter(in_shape, cp.Constant(3.0))})

    def forward(self, params: Any, x: Any, trace: cp.Trace) -> Any:
        trace["x"] = x
        return self.power * x * params["w"]

    def backward(self, params: Any, dy: Any, trace: cp.Trace, grads: Any) -> Any:
        grads["w"][...] = (self.power * dy * trace["x"]).sum(axis=0)
        return self.power * dy * params["w"]


@dataclass(frozen=True)
class Shifted(Scale):
    """Compute something else than the layer that it inherits from."""

    def forward(self, params: Any, x: Any, trace: cp.Trace) -> Any:
        return super().forward(params, x, trace) + 1


@dataclass(frozen=True)
class Swish(cp.Layer):
    """Multiply by one's own sigmoid."""

    formulas = Formulas(
        {s: 1 / (1 + exp(-x)), y: x * s}, {dx: dy * (s + y * (1 - s))}, course=ACTIVATION
    )

    def forward(self, params: Any, x: Any, trace: cp.Trace) -> Any:
        trace["s"] = s = 1 / (1 + np.exp(-x))
        trace["y"] = x * s
        return trace["y"]

    def backward(self, params: Any, dy: Any, trace: cp.Trace, grads: Any) -> Any:
        s = trace["s"]
        return dy * (s + trace["y"] * (1 - s))


@dataclass(frozen=True)
class Absolute(cp.Loss):
    """Sum of absolute errors; the derivative at 0 is -1."""

    formulas = Formulas(
        {each: sum_k(where_positive(logits - target, logits - target, target - logits))},
        {logits.gradient: where_positive(logits - target, 1, -1)},
    )

    def each(self, logits: Any, y: Any) -> Any:
        errors = logits - y
        return np.abs(errors).sum(axis=1), np.where(errors > 0, 1.0, -1.0)


def assert_written_out(walked: cp.Walk) -> None:
    for quantity in walked.quantities:
        assert quantity.computed == (quantity.explain is not None), quantity.key
        for index in np.ndindex(quantity.shape):
            entry = quantity.entry(*index)
            if entry.total is not None:
                assert np.isclose(entry.total, entry.value, rtol=1e-12, atol=1e-12), str(entry)


X, Y = np.random.RandomState(0).randn(4, 3), np.random.RandomState(1).randn(4, 2)


def test_a_layer_and_a_loss_of_one_s_own_are_written_out_by_the_formulas_on_their_class() -> None:
    net = cp.Network([cp.Dense(3), Scale(), cp.Dense(2)], loss=Absolute(), input_shape=(3,))
    walked = cp.walk(net, X, Y)
    assert_written_out(walked)
    assert walked["1.dw"].formula == "dw = sum_n power * dy[n] * x[n]"
    assert walked["1.dw"].meaning == "gradient of scale"
    entry = walked.entry("1.y[0,1]")
    assert entry.arithmetic.symbols() == "power*x[0,1]*w[1]"
    assert entry.arithmetic.numbers().startswith("2*")
    assert walked["loss.losses"].formula == (
        "losses = sum_k (logits - y where logits - y > 0, else y - logits)"
    )
    assert "of your own" not in str(walked)


def test_an_activation_of_one_s_own_has_symbols_in_the_course_s_notation() -> None:
    net = cp.Network([cp.Dense(3), Swish(), cp.Dense(2)], loss=Absolute(), input_shape=(3,))
    walked = cp.walk(net, X, Y, notation="course")
    assert_written_out(walked)
    assert walked["A1"].formula == "A1 = Z1 * s1"
    assert walked["dZ1"].formula == "dZ1 = dA1 * (s1 + A1 * (1 - s1))"
    with pytest.raises(UsageError, match="layer 1 is Scale"):
        cp.walk(
            cp.Network([cp.Dense(3), Scale(), cp.Dense(2)], loss=Absolute(), input_shape=(3,)),
            X,
            Y,
            notation="course",
        )


def test_a_formula_of_what_a_layer_does_not_keep_is_refused() -> None:
    class Forgetful(Swish):
        formulas = Formulas({y: x * Symbol("sigma")}, {dx: dy})

    net = cp.Network([Forgetful(), cp.Dense(2)], loss=Absolute(), input_shape=(3,))
    with pytest.raises(UsageError, match="formula of y takes sigma, which is no parameter"):
        cp.walk(net, X, Y)


def test_a_class_that_inherits_formulas_is_not_written_out_by_them() -> None:
    net = cp.Network([Shifted(), cp.Dense(2)], loss=Absolute(), input_shape=(3,))
    walked = cp.walk(net, X, Y)
    assert walked["0.y"].formula == ""
    assert walked.entry("0.y[0,0]").arithmetic is None
    assert "It says: Compute something else" in " ".join(str(walked).split())


def test_everything_exported_has_formulas_of_its_own_but_some_losses() -> None:
    def without(module: Any, base: type) -> set[str]:
        parts = classes_in(vars(module), base)
        return {one.__name__ for one in parts if not own(one, "formulas")}

    assert without(layers, cp.Layer) == set()
    assert without(optimizers, cp.Optimizer) == {"LBFGS"}  # it has no update from one gradient
    assert without(losses, cp.Loss) == {
        *("AbsoluteError", "BinaryFocal", "Hinge", "Huber", "MulticlassHinge"),
        *("PoissonDeviance", "Quantile", "SoftmaxFocal"),
    }


@pytest.mark.parametrize("layer", [*LAYER_CASES, *PICTURE_CASES, *CODE_CASES], ids=repr)
def test_results_of_a_layer_are_named_by_its_parameters_and_state(layer: cp.Layer) -> None:
    """A misspelt symbol would drop a formula in silence."""
    built = layer.build(PICTURE if layer in PICTURE_CASES else (5,))
    formulas = formulas_of(layer)
    assert formulas is not None
    if formulas.forward:
        own = {name for name in built.parameters if "." not in name}
        assert {one.name for one in formulas.backward} - {"dx"} >= {f"d{name}" for name in own}
        assert {one.name for one in formulas.update} == {n for n in built.state if "." not in n}


@pytest.mark.parametrize(
    "optimizer",
    [cp.SGD(), cp.Momentum(), cp.Nesterov(), cp.AdaGrad(), cp.RMSprop(), cp.Adam(), cp.AdamW()],
)
def test_results_of_an_optimizer_are_named_by_its_moments(optimizer: cp.Optimizer) -> None:
    formulas = formulas_of(optimizer)
    assert formulas is not None
    assert [one.name for one in formulas.update] == [*optimizer.moments, "w_new"]


def sheet_of(**arrays: np.ndarray) -> Sheet:
    samples = len(next(iter(arrays.values())))
    return Sheet(Engine({}), Names("0"), arrays, samples, {"power": 3})


@pytest.mark.parametrize("loss", [cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy()])
@pytest.mark.parametrize("outputs", [2, 3])
def test_every_form_of_a_formula_comes_to_the_same(loss: cp.Loss, outputs: int) -> None:
    random_state = np.random.RandomState(0)
    z = random_state.standard_normal((4, outputs))
    shares = random_state.dirichlet(np.ones(outputs), 4)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    targets = [shares]
    if isinstance(loss, cp.SoftmaxCrossEntropy):
        targets.append(np.arange(4) % outputs)
    else:
        p = 1 / (1 + np.exp(-z))
    for wanted in targets:
        own, _ = loss.each(z, wanted)
        sheet = sheet_of(logits=z, target=wanted, p=p, losses=own)
        formulas = formulas_of(loss)
        assert formulas is not None
        seen = 0
        for result, formula in formulas.forward.items():
            for one in getattr(formula.resolved(sheet), "forms", ()):
                found = sheet.result(result, one)
                seen += 1
                for index in np.ndindex(found.shape):
                    entry = found.entry(*index)
                    assert entry.total == pytest.approx(entry.value, rel=1e-12)
        assert seen >= 2


def test_the_forms_of_softplus_come_to_the_same() -> None:
    z = np.array([[-3.0, 0.5, 2.0]])
    sheet = sheet_of(x=z, y=np.log1p(np.exp(z)))
    formulas = formulas_of(cp.Softplus())
    assert formulas is not None
    for form in formulas.forward[y].parts:
        found = sheet.result(y, form)
        assert [found.entry(0, i).total for i in range(3)] == pytest.approx(found.array[0])


class TestPartsOfFormulas:
    rows = np.array([[1.0, -2.0, 4.0], [0.5, 0.0, -1.0]])

    def total(self, formula: Any, *index: int, result: Symbol = y) -> tuple[str, float]:
        sheet = sheet_of(x=self.rows, logits=self.rows, y=self.rows, w=np.array([2.0, 3.0, 5.0]))
        entry = sheet.result(result, formula).entry(*index)
        assert entry.arithmetic is not None
        return entry.arithmetic.symbols(), entry.arithmetic.value

    def test_a_matrix_is_broadcast_as_numpy_does(self) -> None:
        assert self.total(x * w, 1, 2) == ("x[1,2]*w[2]", -5.0)

    def test_a_mean_is_written_out_and_within_a_sum_it_is_one_number(self) -> None:
        assert self.total(x - mean_d(x), 0, 0) == (
            "x[0,0] - (x[0,0] + x[0,1] + x[0,2]) / D",
            0.0,
        )
        text, value = self.total(sum_n((x - mean_d(x)) ** 2), 1, result=w)
        assert text == "(x[0,1] - mean(x[0]))**2 + (x[1,1] - mean(x[1]))**2"
        assert value == pytest.approx(9 + (1 / 6) ** 2)

    def test_a_condition_within_a_sum_holds_for_each_term(self) -> None:
        text, value = self.total(sum_n(where_positive(x, x, 10 * x)), 1, result=w)
        assert (text, value) == ("10*x[0,1] + 10*x[1,1]", -20.0)

    def test_counts_settings_and_the_largest_are_numbers_with_a_name(self) -> None:
        assert self.total(factor * x / D, 0, 2) == ("power*x[0,2] / D", 4.0)
        assert self.total(logits - max_k(logits), 1, 0) == ("logits[1,0] - max(logits[1])", 0.0)

    def test_of_two_formulas_the_one_holds_whose_matrix_is_there(self) -> None:
        assert self.total(known(w, x * w, x), 0, 0)[0] == "x[0,0]*w[0]"
        assert self.total(known(Symbol("v"), x * w, x), 0, 0)[0] == "x[0,0]"
