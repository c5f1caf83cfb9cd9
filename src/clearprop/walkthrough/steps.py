"""From a recorded step to the steps that a walk shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from inspect import getdoc
from typing import Any

import numpy as np

from clearprop.core.expressions import Expression
from clearprop.core.formulas import Formulas, formulas_of
from clearprop.core.parameters import Array
from clearprop.core.symbols import Symbol, dlogits, dx, g, losses, p, target, w_new, y
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.network.probe import Backward, Forward, Record
from clearprop.network.summary import short_name
from clearprop.optimizers.descent import Decaying
from clearprop.walkthrough.notation import INPUT, LOSS, Names, Notation
from clearprop.walkthrough.quantities import Quantity, Step
from clearprop.walkthrough.record import Update
from clearprop.walkthrough.sentences import SENTENCES
from clearprop.walkthrough.sheet import Sheet, settings_of

_NEW = "_new"
_X = Symbol("X", "samples", per_sample=True)


def steps_of(
    network: Network, X: Array, record: Record, update: Update, notation: Notation
) -> Iterator[Step]:
    """Write a recorded step out, in the order in which it was computed.

    That is the input X (N, *input_shape); every layer forward; the loss; every layer that was
    reached backward; and the update of each layer's parameters. A layer whose inner layers do
    everything has none.
    """
    layers = Layers(record)
    yield _input(X, record, notation)
    for one in record.forwards:
        if layers.has_step(one.name) and one.name in notation.layers:
            yield _forward(one, layers, notation)
    yield _loss(network, record, notation)
    for done in record.backwards:
        if layers.has_step(done.name) and done.name in notation.layers:
            yield _backward(done, layers, notation)
    for one in layers.forward.values():
        yield from _update(one, update, notation)


class Layers:
    """The layers of a recorded step: which lie in which, and where their x and dy come from."""

    def __init__(self, record: Record) -> None:
        self.forward = {one.name: one for one in record.forwards}
        self.backward = {one.name: one for one in record.backwards}
        self._x: dict[str, str] = {}
        self._dy: dict[str, str] = {}
        self._follow("", SENTENCES["the input"], SENTENCES["dlogits"])

    def inside(self, name: str) -> list[str]:
        """Return the names of the layers right inside a layer; of the whole network for ``""``."""
        return [one for one in self.forward if one.rpartition(".")[0] == name]

    def has_step(self, name: str) -> bool:
        """Say whether a layer does anything that the layers inside it don't do."""
        formulas = formulas_of(self.forward[name].layer)
        return formulas is None or bool(formulas.forward)

    def of_x(self, name: str) -> str:
        """Say what x is in a layer, and what the layers inside it give."""
        said, inside = SENTENCES["x is"].format(x=self._x[name]), self._blocks(name)
        if len(inside) > 1 and not self.forward[name].layer.chains:
            return self._of_each(said, "y", inside)
        if not inside:
            return said
        return f"{said} {SENTENCES['block is'].format(block=self._top(inside[-1]))}"

    def of_dy(self, name: str) -> str:
        """Say what dy is in a layer, and what the layers inside it give back."""
        said, inside = SENTENCES["dy is"].format(dy=self._dy[name]), self._blocks(name)
        if len(inside) > 1 and not self.forward[name].layer.chains:
            return self._of_each(said, "dx", inside)
        if not inside:
            return said
        return f"{said} {SENTENCES['dblock is'].format(dblock=self._bottom(inside[0]))}"

    def _of_each(self, said: str, matrix: str, inside: list[str]) -> str:
        """Say what each layer gives that stands beside others and does anything."""
        each = (
            SENTENCES["part is"].format(matrix=matrix, place=name.rpartition(".")[2], name=name)
            for name in inside
            if self.has_step(name) or self.inside(name)
        )
        return " ".join([said, *each])

    def block(self, name: str) -> Array:
        """Return the output of the layers inside a layer: x itself, where there are none."""
        inside = self.inside(name)
        return self.forward[inside[-1]].y if inside else self.forward[name].x

    def dblock(self, name: str) -> Array:
        """Return the gradient that the layers inside give back: dy itself, where there are none."""
        inside = self.inside(name)
        given_back = self.backward[inside[0]].dx if inside else None
        return self.backward[name].dy if given_back is None else given_back

    def made(self, name: str) -> dict[str, Array]:
        """Return the outputs of the layers inside a layer, by symbols with their names: ``y_0``."""
        inside = self.inside(name)
        return {f"y_{one.rpartition('.')[2]}": self.forward[one].y for one in inside}

    def given_back(self, name: str) -> dict[str, Array]:
        """Return what the layers inside a layer give back, by symbols with their names: ``dx_0``.

        What none of them wants to know, or has no derivative, is missing.
        """
        given = {one: self.backward[one].dx for one in self.inside(name) if one in self.backward}
        return {f"dx_{one.rpartition('.')[2]}": dx for one, dx in given.items() if dx is not None}

    def _blocks(self, name: str) -> list[str]:
        """Return the layers inside one that has formulas for what they give."""
        return self.inside(name) if formulas_of(self.forward[name].layer) else []

    def _follow(self, name: str, x: str, dy: str) -> None:
        names = self.inside(name)
        below = [x, *map(self._top, names)]
        above = [*map(self._bottom, names), dy]
        if name and not self.forward[name].layer.chains:  # its layers get what it makes for them
            below = above = [SENTENCES["from container"].format(name=name)] * (len(names) + 1)
        for place, inner in enumerate(names):
            self._x[inner], self._dy[inner] = below[place], above[place + 1]
            self._follow(inner, self._x[inner], self._dy[inner])

    def _top(self, name: str) -> str:
        """Say whose y leaves a layer: that of its last one, where these do everything."""
        while not self.has_step(name) and self.inside(name):
            name = self.inside(name)[-1]
        return SENTENCES["y of layer"].format(name=name)

    def _bottom(self, name: str) -> str:
        """Say whose dx leaves a layer: that of its first one, where these do everything."""
        while not self.has_step(name) and self.inside(name):
            name = self.inside(name)[0]
        return SENTENCES["dx of layer"].format(name=name)


def _input(X: Array, record: Record, notation: Notation) -> Step:
    if notation.has_columns:
        X = X.reshape(len(X), -1)
    arrays = {"X": X, "target": record.losses[0].y}
    sheet = Sheet(notation, notation.layers[INPUT], arrays, len(X), {})
    return Step(INPUT, "input", "", "", (sheet.given(_X), sheet.given(target)))


def _forward(done: Forward, layers: Layers, notation: Notation) -> Step:
    arrays = {"block": layers.block(done.name), **layers.made(done.name)}
    arrays |= {**done.kept, **done.params}
    arrays |= {"x": done.x, "y": done.y}
    formulas = formulas_of(done.layer)
    sheet = _sheet(done, arrays, notation)
    known = Formulas() if formulas is None else formulas
    shown = () if formulas else map(known.symbol, done.params)
    computed = known.forward if y in known.forward else {**known.forward, y: None}
    notes = [layers.of_x(done.name)] if not notation.has_columns else []
    if formulas is None:
        notes.append(_own("A layer", done.layer))
    if known.not_training and not done.training:
        notes.append(known.not_training)
    given = {*done.params, *done.kept} - {"x", "y"}
    return _step(
        done,
        "forward",
        notes,
        notation,
        [*map(sheet.given, shown), *_written(sheet, computed, given)],
    )


def _backward(done: Backward, layers: Layers, notation: Notation) -> Step:
    forward = layers.forward[done.name]
    grads = {f"d{name}": array for name, array in done.grads.items()}
    arrays = {**layers.made(done.name), **layers.given_back(done.name)}
    arrays |= {**forward.kept, **forward.params, "x": forward.x, "y": forward.y, "dy": done.dy}
    arrays |= grads
    if done.dx is not None:
        arrays = {"dblock": layers.dblock(done.name), **arrays, "dx": done.dx}
    formulas = formulas_of(forward.layer)
    known = Formulas() if formulas is None else formulas
    symbols = [known.symbol(name).gradient for name in done.grads]
    computed = {**known.backward, **{one: known.backward.get(one) for one in (*symbols, dx)}}
    notes = [layers.of_dy(done.name)] if not notation.has_columns else []
    if formulas is None:
        notes.append(_own("A layer", forward.layer))
    sheet = _sheet(forward, arrays, notation)
    return _step(forward, "backward", notes, notation, _written(sheet, computed))


def _loss(network: Network, record: Record, notation: Notation) -> Step:
    done, formulas = record.losses[0], formulas_of(network.loss)
    arrays = {
        "logits": done.logits,
        "target": done.y,
        "losses": done.losses,
        "loss": np.array(done.loss),
        "dlogits": done.dlogits,
    }
    notes = []
    if done.weights is not None:
        arrays["weights"] = done.weights
        notes.append(SENTENCES["weighted"])
    computed: dict[Symbol, Expression | None] = {losses: None}
    if formulas is None:
        notes.append(_own("A loss", network.loss))
        computed |= network.loss.averaged(None)
    else:
        if p in formulas.forward:
            arrays["p"] = _probabilities(network.loss, done.logits)
        computed = {**formulas.forward, **network.loss.averaged(formulas.backward.get(dlogits))}
    settings = settings_of(network.loss)
    several = {name: np.array(one) for name, one in settings.items() if isinstance(one, tuple)}
    arrays |= several
    sheet = Sheet(notation, notation.layers[LOSS], arrays, len(done.losses), settings)
    quantities = tuple(_written(sheet, computed, {"weights", *several}))
    return Step(LOSS, "loss", type(network.loss).__name__, " ".join(notes), quantities)


def _update(forward: Forward, update: Update, notation: Notation) -> Iterator[Step]:
    own = [key for key in update.before if key.rpartition(".")[0] == forward.name]
    kept = [key for key in update.state_before if key.rpartition(".")[0] == forward.name]
    if not own and not kept:
        return
    optimizer = update.optimizer
    notes = [SENTENCES["first step"].format(optimizer=type(optimizer).__name__)]
    if formulas_of(optimizer) is None:
        notes = [_own("An optimizer", optimizer)]
    if update.penalty:
        notes.append(SENTENCES["penalty"].format(penalty=update.penalty))
    known = formulas_of(forward.layer) or Formulas()
    names = notation.layers[forward.name]
    quantities: list[Quantity] = []
    for key in own:
        parameter = known.symbol(key.rpartition(".")[2])
        if (factor := update.before.specs[key].rate) != 1:
            symbol = names.symbol(parameter)
            notes.append(SENTENCES["own rate"].format(symbol=symbol, factor=factor))
        quantities += _of_parameter(key, parameter, update, names, notation)
    if forward.training:
        quantities += _of_state(forward, known, kept, update, notation)
    title = type(optimizer).__name__
    yield Step(names.label, "update", title, " ".join(notes), tuple(quantities))


def _of_parameter(
    key: str, parameter: Symbol, update: Update, names: Names, notation: Notation
) -> Iterator[Quantity]:
    """Write the gradient with L2 where there is some, the optimizer's moments, and the parameter.

    The formulas are those of any parameter ``w``; here it has its own symbol.
    """
    optimizer, decays = update.optimizer, key in update.before.decayed
    symbol, gradient = names.symbol(parameter), names.symbol(parameter.gradient)
    pulled = bool(optimizer.alpha) and decays
    symbols = {"w": symbol, "dw": gradient, "g": f"g_{symbol}" if pulled else gradient}
    symbols |= {name: f"{name}_{symbol}" for name in update.moments}
    arrays = {name: vector[key] for name, vector in update.moments.items()}
    arrays |= {
        "w": update.before[key],
        "dw": update.gradient[key],
        "g": update.followed[key],
        "w_new": update.after[key],
    }
    factor = update.before.specs[key].rate
    settings = {**settings_of(optimizer), "learning_rate": update.rate * factor}
    if isinstance(optimizer, Decaying):
        settings["weight_decay"] = optimizer.decay(0) * factor
    if not (decays and settings.get("weight_decay")):
        settings.pop("weight_decay", None)
    names = replace(names, symbols={**symbols, "w_new": symbol + _NEW})
    sheet = Sheet(notation, names, arrays, update.samples, settings)
    formulas = formulas_of(optimizer) or Formulas()
    if pulled:
        meaning = SENTENCES["followed"]
        yield replace(sheet.result(g, optimizer.regularized), meaning=meaning)
    for moment in map(Symbol, update.moments):
        result = sheet.result(moment, formulas.update.get(moment))
        yield replace(result, meaning=SENTENCES["moment"])
    yield replace(sheet.result(w_new, formulas.update.get(w_new)), meaning=_after(parameter))


def _of_state(
    forward: Forward, known: Formulas, kept: Iterable[str], update: Update, notation: Notation
) -> Iterator[Quantity]:
    """Write what a layer keeps after the step, such as running statistics."""
    before, after = (
        {key.rpartition(".")[2]: vector[key] for key in kept}
        for vector in (update.state_before, update.state_after)
    )
    arrays = {**forward.kept, **before, **{name + _NEW: one for name, one in after.items()}}
    arrays["x"] = forward.x
    sheet = _sheet(forward, arrays, notation)
    for symbol in map(known.symbol, after):
        new = Symbol(symbol.name + _NEW, _after(symbol))
        yield sheet.result(new, known.update.get(symbol))


def _written(
    sheet: Sheet, computed: Mapping[Symbol, Expression | None], given: Iterable[str] = ()
) -> Iterator[Quantity]:
    """Write the results that there are, each given matrix before the first formula with it."""
    left = set(given) - {symbol.name for symbol in computed}
    for result, formula in computed.items():
        if result.name not in sheet:
            continue
        for node in formula.resolved(sheet).nodes() if formula else ():
            if isinstance(node, Symbol) and node.name in left:
                left.remove(node.name)
                yield sheet.given(node)
        yield sheet.result(result, formula)


def _sheet(done: Forward, arrays: Mapping[str, Array], notation: Notation) -> Sheet:
    return Sheet(notation, notation.layers[done.name], arrays, len(done.x), settings_of(done.layer))


def _step(
    done: Forward, stage: str, notes: list[str], notation: Notation, shown: Iterable[Quantity]
) -> Step:
    label = notation.layers[done.name].label
    return Step(label, stage, short_name(done.layer), " ".join(notes), tuple(shown))


def _probabilities(loss: Loss, logits: Array) -> Array:
    """Return the probability of each output; of one output, without that of the other class."""
    with np.errstate(all="ignore"):
        found = loss.predict_proba(logits)
    return found if found.shape == logits.shape else found[:, 1:]


def _after(symbol: Symbol) -> str:
    return SENTENCES["after"].format(of=symbol.meaning or symbol.name)


def _own(kind: str, part: Any) -> str:
    doc = getdoc(type(part)) or SENTENCES["nothing"]
    return SENTENCES["own"].format(kind=kind, doc=doc.splitlines()[0])
