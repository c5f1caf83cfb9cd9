"""The network that the code under check computes, found by its cost at a few points.

Activations, the cost, its scale, L2 and dropout are tried until the cost comes out the same
wherever it is asked for. Nobody has to say what the network is, and no name is believed.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.diagnosis.formulas import Dense
from clearprop.gradcheck.diagnosis.networks import ACTIVATIONS, Activation, Dropout, Plan, costs_of
from clearprop.gradcheck.diagnosis.replay import Point, Run, point, run
from clearprop.gradcheck.differences import is_single
from clearprop.gradcheck.subject import Arrays, Layout, Subject

_POINTS = 6  # for at most three unknowns: the scale of the cost and two kinds of L2
_CLOSE = 1e-6  # a cost may hide an epsilon in its logarithms
_ROUGH = 2e-5  # and may be computed in float32
_SIMPLE = (1.0, 0.5, 2.0, -1.0)  # scales of a cost
_COMMON = ACTIVATIONS[:4]  # those that are tried in every combination, and with dropout
_MOST_MIXED = 4  # hidden layers, beyond which the combinations are too many
_SEEDS = (1, 0, 2, 3, 42, 123)
_KEEPS = (0.5, 0.8, 0.86, 0.7, 0.9, 0.6, 0.75, 0.95)


def recognize(subject: Subject) -> Run | None:
    """Find the network of the code under check, and run it forward at the subject's parameters.

    None where it is no chain of dense layers with known activations and cost, or where X and Y are
    not known.
    """
    layers = dense_layers(subject.parameters)
    if not layers or subject.X is None or subject.Y is None:
        return None
    for layout in possible_layouts(subject, layers):
        X = np.asarray(layout.samples(subject.X), np.float64)
        Y = _targets(subject.Y, layout, len(layout.weights(subject.parameters[layers[-1].W])), X)
        if Y is None:
            continue
        # At their own parameters half of a ReLU may be dead, and tanh nearly a straight line.
        places = [subject.parameters, *_anywhere(subject.parameters, layers, layout, X)]
        costs = _costs(subject, places)
        if costs is None or not np.isfinite(costs).all():
            return None
        points = [point(layout, layers, place, X, Y) for place in places]
        if plan := _find(layout, layers, points, costs):
            return run(plan, points[0])
    return None


def _costs(subject: Subject, places: list[Arrays]) -> Array | None:
    """Return the cost at each place; None where code that works at its own place fails there."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array([subject.cost(place) for place in places], np.float64)
    except Exception:  # of somebody else's code, which may raise anything
        return None


def _find(layout: Layout, layers: list[Dense], points: list[Point], costs: Array) -> Plan | None:
    widths = [len(W) for W in points[0].W[1:-1]]
    m = points[0].Y.shape[1]
    known = costs_of(points[0].Y)
    single = is_single(costs)
    for hidden in _hidden(len(widths)):
        plan = Plan(layout, layers, hidden, known[0])
        last = [run(plan, at).Z[-1] for at in points]  # which is the same for every cost
        for cost in known:
            totals = np.array(
                [cost.total(cost.output(Z), at.Y) for Z, at in zip(last, points, strict=True)]
            )
            if found := _fit(replace(plan, cost=cost), points, totals, costs, _CLOSE):
                return found
            if single and (found := _fit(replace(plan, cost=cost), points, totals, costs, _ROUGH)):
                return found
    for dropout in usual_dropouts(widths, m, layout.rows):
        for activation, cost in product(_COMMON, known[:2]):
            plan = Plan(layout, layers, (activation,) * len(widths), cost, dropout=dropout)
            # So many masks are tried that one point has to do; where it fits, all decide.
            if np.isclose(_total(plan, points[0]) / m, costs[0], rtol=_CLOSE):
                totals = np.array([_total(plan, at) for at in points])
                if found := _fit(plan, points, totals, costs, _CLOSE):
                    return found
    return None


def _fit(
    plan: Plan, points: list[Point], totals: Array, costs: Array, tolerance: float
) -> Plan | None:
    """Complete a plan by the scale and L2 with which its cost is the subject's."""
    squares = np.array(
        [
            [sum(float((one**2).sum()) for one in arrays[1:]) for arrays in (at.W, at.b)]
            for at in points
        ]
    )
    basis = np.column_stack([totals / points[0].Y.shape[1], squares])
    # Fewer unknowns first: a cost without L2 would else get a little of it, made of rounding.
    for unknowns in (1, 2, 3):
        found, *_ = np.linalg.lstsq(basis[:, :unknowns], costs, rcond=None)
        difference = np.abs(basis[:, :unknowns] @ found - costs).max()
        if difference <= tolerance * np.abs(costs).max() and abs(found[0]) > tolerance:
            scale, decay, bias_decay = (*found.tolist(), 0.0, 0.0)[:3]
            completed = replace(plan, decay=2 * decay, bias_decay=2 * bias_decay)
            return _scaled(completed, scale, points[0].Y.shape[1])
    return None


def _total(plan: Plan, at: Point) -> float:
    return plan.cost.total(run(plan, at).A[-1], at.Y)


def _scaled(plan: Plan, scale: float, m: int) -> Plan:
    """Take a simple scale, of the mean or of the sum, for what it is but for rounding."""
    for summed, found in ((False, scale), (True, scale / m)):
        for simple in _SIMPLE:
            if abs(found / simple - 1) < _ROUGH:
                return replace(plan, scale=simple, summed=summed)
    return replace(plan, scale=scale)


def _hidden(count: int) -> Iterator[Sequence[Activation]]:
    """Yield the activations of hidden layers: the same in all of them, then mixed ones."""
    yield from ((activation,) * count for activation in (ACTIVATIONS if count else ACTIVATIONS[:1]))
    if count <= _MOST_MIXED:
        yield from (some for some in product(_COMMON, repeat=count) if len(set(some)) > 1)


def _anywhere(
    parameters: Arrays, layers: list[Dense], layout: Layout, X: Array
) -> Iterator[dict[str, Array]]:
    """Yield parameters for which every Z is of the order of 1: there activations differ most."""
    random_state = np.random.RandomState(0)
    spread = max(float(np.sqrt(np.mean(X**2))), np.finfo(np.float64).tiny)
    for _ in range(_POINTS - 1):
        found = {}
        for layer in layers:
            W = parameters[layer.W]
            size = np.sqrt(layout.weights(W).shape[1]) * (spread if layer is layers[0] else 1)
            found[layer.W] = random_state.standard_normal(W.shape) / size
            if layer.b:
                found[layer.b] = 0.3 * random_state.standard_normal(parameters[layer.b].shape)
        yield found


def _targets(Y: Array, layout: Layout, outputs: int, X: Array) -> Array | None:
    """Return targets in columns (K, m), class numbers as one-hot, or None where they don't fit."""
    m = X.shape[1]
    Y = np.asarray(Y)
    columns = Y[np.newaxis] if Y.ndim == 1 else layout.samples(Y)
    if columns.shape == (outputs, m):
        return np.asarray(columns, np.float64)
    numbers = columns.ravel()
    if columns.shape != (1, m) or ((numbers < 0) | (numbers >= outputs)).any():
        return None
    return np.eye(outputs)[numbers.astype(np.int64)].T


# Layers and layouts, by names and shapes.


def dense_layers(parameters: Mapping[str, Array]) -> list[Dense] | None:
    """Pair the weights and biases of a chain of layers, or None where there is no such chain."""
    groups: dict[str, list[str]] = {}
    for name in parameters:
        numbers = re.findall(r"\d+", name)
        groups.setdefault(".".join(numbers), []).append(name)
    if len(groups) == 1 and len(parameters) > 2:
        names = list(parameters)
        groups = {str(at // 2 + 1): names[at : at + 2] for at in range(0, len(names), 2)}
    counted = all(re.fullmatch(r"[A-Za-z_]+\d+", name) for name in parameters)
    layers = []
    for place, (number, names) in enumerate(groups.items(), start=1):
        biases = [name for name in names if _is_bias(name, parameters[name])]
        weights = [name for name in names if name not in biases]
        if len(biases) > 1 or len(weights) != 1 or parameters[weights[0]].ndim != 2:
            return None
        bias = biases[0] if biases else ""
        layers.append(Dense(weights[0], bias, number if counted else str(place)))
    return layers


def possible_layouts(subject: Subject, layers: list[Dense]) -> Iterator[Layout]:
    """Yield every layout in which the shapes fit together, the likelier first."""
    if subject.X is None or subject.X.ndim != 2:
        return
    parameters = subject.parameters
    W = [parameters[layer.W] for layer in layers]
    kept_axis = any(parameters[layer.b].ndim == 2 for layer in layers if layer.b)
    for rows in (False, True):
        if subject.samples_are not in (None, "rows" if rows else "columns"):
            continue
        for inputs_first in (rows, not rows):
            layout = Layout(rows, inputs_first, kept_axis)
            widths = [len(layout.samples(subject.X)), *(len(layout.weights(one)) for one in W)]
            if all(
                layout.weights(parameters[layer.W]).shape == (units, inputs)
                and (not layer.b or layout.bias(parameters[layer.b]).shape == (units, 1))
                for layer, inputs, units in zip(layers, widths, widths[1:], strict=False)
            ):
                yield layout


def _is_bias(name: str, array: Array) -> bool:
    leaf = re.sub(r"[\d_.]", "", name.rsplit(".", 1)[-1]).lower()
    return leaf.startswith("b") or array.ndim == 1


def usual_dropouts(widths: Sequence[int], m: int, rows: bool) -> Iterator[Dropout]:
    """Yield what `rand(*A.shape) < keep` leaves, after every hidden layer or after one of them.

    The hidden layers have so many units as `widths` says; `rows` says whether the masks are drawn
    with the m samples as rows.
    """
    everywhere = range(1, len(widths) + 1)
    choices = [tuple(everywhere), *((layer,) for layer in everywhere if len(widths) > 1)]
    for seed in _SEEDS:
        for layers in choices:
            random_state = np.random.RandomState(seed)
            shapes = {layer: (m, widths[layer - 1]) for layer in layers}
            drawn = {
                layer: random_state.rand(*shape).T if rows else random_state.rand(*shape[::-1])
                for layer, shape in shapes.items()
            }
            for keep in _KEEPS:
                masks = {layer: (numbers < keep) * 1.0 for layer, numbers in drawn.items()}
                yield from (Dropout(masks, keep, scaled) for scaled in (True, False))
