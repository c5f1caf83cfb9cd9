"""Every text that a diagnosis can print has the value that it was found by.

The networks below have every cost, activation, layout, L2 and dropout; the search's own generators
are asked for every mistake that they know in them. Each line, as it is written for the learner, is
run on arrays in the learner's layout and compared with the value that the search compares with.
"""

import re
from dataclasses import replace
from itertools import chain, combinations, product

import numpy as np
import pytest

from clearprop.core.kernels import sigmoid
from clearprop.gradcheck.diagnosis import deltas, factors, lines
from clearprop.gradcheck.diagnosis.formulas import Dense
from clearprop.gradcheck.diagnosis.networks import ACTIVATIONS, COSTS, SUMS, Dropout, Lines, Plan
from clearprop.gradcheck.diagnosis.readings import shape_steps
from clearprop.gradcheck.diagnosis.replay import Place, point, run
from clearprop.gradcheck.subject import Layout

LAYOUTS = [
    Layout(rows=False, inputs_first=False, kept_axis=True),
    Layout(rows=False, inputs_first=True, kept_axis=True),
    Layout(rows=True, inputs_first=True, kept_axis=True),
    Layout(rows=True, inputs_first=False, kept_axis=False),
]
M = 7
RATE = 0.25


def network(layout, activation, cost, widths=(4, 4, 4, 3), **plan):
    """Run a network forward at random parameters."""
    draw = np.random.RandomState(len(activation.name)).standard_normal
    layers = [Dense(f"W{at}", f"b{at}", str(at)) for at in range(1, len(widths))]
    parameters = {}
    for layer, inputs, units in zip(layers, widths, widths[1:], strict=False):
        parameters[layer.W] = layout.weights(draw((units, inputs)))
        b = draw((units, 1))
        parameters[layer.b] = (b.T if layout.rows else b) if layout.kept_axis else b.ravel()
    Y = np.eye(widths[-1])[np.arange(M) % widths[-1]].T
    hidden = [activation] * (len(layers) - 1)
    whole = Plan(layout, layers, hidden, cost, **plan)
    return run(whole, point(layout, layers, parameters, draw((widths[0], M)), Y))


def networks_of(layout):
    """Yield a network of every activation and every cost, and of L2, dropout and other scales."""
    relu, tanh, sigmoids = ACTIVATIONS[:3]
    for activation in ACTIVATIONS:
        if "(" not in activation.name:  # a leaky ReLU of another slope
            yield network(layout, activation, COSTS[0])
    for cost, scale in ((one, scale) for one in COSTS for scale in one.usual):
        yield network(layout, tanh, cost, scale=scale)
    draw = np.random.RandomState(3)
    masks = {1: (draw.rand(4, M) < 0.7) * 1.0, 2: (draw.rand(4, M) < 0.7) * 1.0}
    for activation, scaled in product((relu, tanh, sigmoids), (True, False)):
        yield network(layout, activation, COSTS[0], dropout=Dropout(masks, 0.7, scaled))
    for decays in ({"decay": 0.3}, {"decay": 0.3, "bias_decay": 0.3}, {"bias_decay": 0.6}):
        yield network(layout, relu, COSTS[1], **decays)
    yield network(layout, tanh, COSTS[3], decay=0.1, bias_decay=0.2)
    yield network(layout, tanh, COSTS[1], summed=True)
    for scale in (-1, 3, 0.37):
        yield network(layout, sigmoids, COSTS[3], scale=scale)
    yield network(layout, sigmoids, COSTS[3], widths=(3, 5, 4, 1))
    yield network(layout, tanh, COSTS[0], widths=(7, 7, 7, 7))  # as many units as samples


def places(network):
    """Yield every layer, from the last, with dZ and dA that are not quite the right ones."""
    at = Place(network, network.L)
    rest = np.random.RandomState(9)
    for layer in range(network.L, 0, -1):
        dW = {above: rest.standard_normal(network.W[above].shape) for above in at.dZ}
        here = replace(at, layer=layer, dW=dW, close=1e-6)
        at = here.right()
        yield here, at.given(dA=at.dA[layer] + 0.1 * rest.standard_normal(at.dA[layer].shape))


class Learner:
    """The arrays of a place, under the learner's names and in the learner's layout."""

    def __init__(self, at):
        self.at, plan = at, at.run.plan
        self.names = {"np": np, "sigmoid": sigmoid, "m": M, "Y": self.turned("Y", at.run.Y)}
        self.names |= {"keep_prob": plan.dropout.keep, "lambd": plan.shrinking * M}
        arrays = {base: dict(enumerate(getattr(at.run, base))) for base in "WbZA"}
        arrays |= {"dZ": at.dZ, "dA": at.dA, "dW": at.dW, "D": plan.dropout.masks}
        for base, by_layer in arrays.items():
            for layer in by_layer:
                array = self.turned(base, by_layer[layer])
                flat = base == "b" and not plan.layout.kept_axis
                if layer or base == "A":
                    self.names[f"{base}{layer}" if layer else "X"] = (
                        array.ravel() if flat else array
                    )

    def turned(self, base, array):
        return array.T if self.at.run.plan.layout.turned(base) else array

    def check(self, line, expected):
        """Run a line as it is written for the learner, and compare what it computes."""
        text = self.at.lines.notation.write(line)
        names = dict(self.names)
        for one in text.split(", so that "):
            target, formula = one.split(" = ", 1)
            with np.errstate(all="ignore"):
                names[target] = eval(formula, names)  # noqa: S307 - this is what is tested
        found = np.squeeze(np.asarray(names[target], np.float64))
        expected = np.squeeze(self.turned(target.rstrip("0123456789"), np.asarray(expected)))
        assert found.shape in (expected.shape, ()), text  # a number is spread over the array
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-5 * scale, equal_nan=True), text


def steps_of_deltas(at, given):
    """Yield every step on the way to dZ, where it stands, and the value of its line."""
    if at.is_last:
        for guess, dA in deltas.outputs(at):
            for step in guess.steps:
                yield step, at.given(dA=dA), dA if step.target == "dA" else guess.value
        return
    for guess in deltas.products(at):
        yield from freed(guess, at)
    for guess in deltas.slopes(given):
        dA = given.dA[given.layer]
        free = None if guess.free is None else guess.free * dA
        yield from freed(replace(guess, value=guess.value * dA, free=free), given)
    for guess in deltas.without_slope(given):
        yield from freed(guess, given)


def freed(guess, at):
    for step in guess.steps:
        if guess.free is None:
            yield step, at, guess.value
        else:
            yield deltas._numbered(step, RATE), at, guess.value + RATE * guess.free


def steps_of_sums(at):
    """Yield the same for dW and db."""
    for target, array in (("dW", at.run.W[at.layer]), ("db", at.run.b[at.layer])):
        penalty = at.value(f"0 * {target[1]}{at.lines.penalty(target)}")
        right = at.value(at.lines.mean(SUMS[target]))
        for guess in lines.sums(at, target):
            fits = guess.value.shape == array.shape and guess.value.ndim
            for step in guess.steps:
                yield step, at, guess.value + (penalty if fits else 0)
        for wrong, steps in lines._penalties(at, target, array.shape):
            for step in steps:
                yield step, at, right + wrong
        theirs = right + RATE * array
        if line := lines._unknown_penalty(at, target, theirs, next(lines.sums(at, target))):
            yield line.steps[0], at, theirs
        yield at.step("zero", target, f"{target} = 0"), at, 0 * right


def steps_of_factors(at):
    """Yield the same for every factor, alone and with every other."""
    for target in ("dW", "db", "dZ" if at.is_last else "dA"):
        simple = list(factors._simple(at, target))
        pairs = (factors._together(*pair) for pair in combinations(simple, 2))
        every = dict.fromkeys((*simple, *chain.from_iterable(pairs)))
        steps = [factors._step(cause, one, at, target) for one in every for cause in one.causes]
        ((unnamed,),) = factors.meanings(0.37, at, target, telling=True)
        for step in (*steps, unnamed):
            line = re.match(r"\w+", step.theirs)[0]
            right = at.value(at.lines.right(line).partition("; ")[0])
            L2 = at.value(f"0 * {line[1]}{at.lines.penalty(line)}") if line in SUMS else 0
            yield step, at, step.factor * (right - L2) + L2


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_line_that_a_mistake_looks_like_has_its_value(layout):
    seen = set()
    for one in networks_of(layout):
        done = set()  # in another network the same text has another value
        for at, given in places(one):
            for step, where, value in chain(
                steps_of_deltas(at, given), steps_of_sums(given), steps_of_factors(given)
            ):
                key = step.theirs, at.layer, np.shape(value)
                if key not in done and step.cause != "cost_sign":
                    done.add(key)
                    Learner(where).check(step.theirs, value)
        seen |= {step for step, *_ in done}
    tables = (deltas.AT_ONCE, deltas.OF_UNITS, deltas.OF_CLASSES, deltas.UPSTREAM)
    in_tables = {formula for table in tables for _, formula in table}
    assert {line.partition(" = ")[2] for line in seen} >= in_tables
    assert len(seen) > 150


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_line_as_it_should_be_is_the_gradient(layout):
    for one in networks_of(layout):
        exact = one.gradients()
        for at, _ in places(one):
            right = at.right()
            names, dZ = one.plan.layers[at.layer - 1], right.dZ[at.layer]
            learner = Learner(right)
            learner.check(right.lines.right("dZ"), dZ)
            learner.check(right.lines.right("dA"), dZ if at.is_last else right.dA[at.layer])
            learner.check(right.lines.right("dW"), exact[names.W])
            learner.check(right.lines.right("db"), exact[names.b])


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_line_of_a_wrong_shape_has_its_value(layout):
    one = network(layout, ACTIVATIONS[0], COSTS[1], decay=0.3)
    for at, _ in places(one):
        right, names = at.right(), one.plan.layers[at.layer - 1]
        learner = Learner(right)
        gradients = {names.W: right.value(right.lines.right("dW")), names.b: right.dZ[at.layer]}
        parameters = {name: learner.names[name] for name in gradients}
        dZ, axis = learner.names[f"dZ{at.layer}"], 0 if layout.rows else 1
        for wrong in (
            {names.W: learner.turned("W", gradients[names.W]).T},
            {names.b: np.array(dZ.sum() / M)},
            {names.b: dZ.sum(axis=axis, keepdims=not layout.kept_axis) / M},
            {names.b: dZ.sum(axis=axis, keepdims=True).T / M},
        ):
            for step in shape_steps(one, parameters, wrong, list(wrong), ()):
                ((name, value),) = wrong.items()
                turned = learner.turned(name[0], value)
                learner.check(step.theirs, turned if value.ndim else value)


def test_keys_are_written_as_they_are_whatever_they_hold():
    plan = network(LAYOUTS[2], ACTIVATIONS[0], COSTS[0]).plan
    write = Lines(plan, 2).notation.write
    assert write('grads["dW = 1; dZ = 2"] = dW') == 'grads["dW = 1; dZ = 2"] = dW2'
