"""The arithmetic of an optimizer's first step, and of what layers keep."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from clearprop.layers import BatchNorm
from clearprop.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from clearprop.parameters import Array
from clearprop.probe import Forward
from clearprop.walkthrough.expressions import Expression, Number
from clearprop.walkthrough.functions import sqrt
from clearprop.walkthrough.notation import Notation
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.record import Update
from clearprop.walkthrough.sheet import Sheet
from clearprop.walkthrough.words import MEANINGS

_AFTER = "_new"


class _Formula(NamedTuple):
    """What an array becomes: roles in braces, and the arithmetic at an index."""

    text: str
    explain: Callable[..., Expression]


_Formulas = dict[str, _Formula]


def explain_parameter(name: str, update: Update, notation: Notation) -> list[Quantity]:
    """Explain what a parameter becomes.

    Parameters
    ----------
    name : str
        Dotted: ``"0.W"``.
    update : Update
    notation : Notation

    Returns
    -------
    list of Quantity
        The gradient with L2 where there is some, what the optimizer remembers, and the parameter.
    """
    place, _, leaf = name.rpartition(".")
    names, optimizer = notation.layers[place], update.optimizer
    symbol, gradient = names.symbol(leaf), names.symbol(f"d{leaf}")
    pulled = bool(optimizer.alpha) and name in update.before.decayed
    moments = {f"moment_{moment}": vector[name] for moment, vector in update.moments.items()}
    sheet = Sheet(
        notation,
        replace(
            names,
            symbols={
                "w": symbol,
                "dw": gradient,
                "g": f"g_{symbol}" if pulled else gradient,
                "after": symbol + _AFTER,
                **{role: f"{role.removeprefix('moment_')}_{symbol}" for role in moments},
            },
        ),
        {
            "w": update.before[name],
            "dw": update.gradient[name],
            "g": update.followed[name],
            "after": update.after[name],
            **moments,
        },
    )
    formulas: _Formulas = {"g": _penalised(sheet, update)} if pulled else {}
    explained = EXPLAINED.get(type(optimizer))
    if explained is not None:
        formulas |= explained(optimizer, sheet, update.rate, name in update.before.decayed)
    meanings = {"g": MEANINGS["followed"], "after": MEANINGS["after"]}
    of = MEANINGS.get(leaf, leaf)
    return [
        replace(
            sheet.result(role, *formulas.get(role, ("", None))),
            meaning=meanings.get(role, MEANINGS["moment"]).format(of=of),
        )
        for role in [*(["g"] if pulled else []), *moments, "after"]
    ]


def explain_state(
    forward: Forward, before: dict[str, Array], after: dict[str, Array], notation: Notation
) -> list[Quantity]:
    """Explain what a layer keeps after the step: of `BatchNorm`, its running statistics."""
    names = notation.layers[forward.name]
    arrays = {**forward.kept, **before, **{f"{name}{_AFTER}": one for name, one in after.items()}}
    sheet = Sheet(notation, names, arrays)
    layer = forward.layer
    found = []
    for name in after:
        formula: tuple[str, Any] = ("", None)
        if type(layer) is BatchNorm:
            formula = _running(layer, sheet, name)
        quantity = sheet.result(f"{name}{_AFTER}", *formula)
        meaning = MEANINGS["after"].format(of=MEANINGS.get(name, name))
        found.append(replace(quantity, meaning=meaning))
    return found


def _running(layer: BatchNorm, sheet: Sheet, name: str) -> _Formula:
    momentum = Number(layer.momentum, "momentum")
    seen = sheet[name.removeprefix("running_")]
    running, samples = sheet[name], len(sheet.arrays["xhat"])
    unbiased, factor = "", None
    if name == "running_variance":
        unbiased = " * N / (N - 1)"
        factor = Number(samples / max(samples - 1, 1), "N / (N - 1)")

    def explain(d: int) -> Expression:
        new = momentum * seen.at(d)
        return (1 - momentum) * running.at(d) + (new if factor is None else new * factor)

    text = f"{{{name}{_AFTER}}} = (1 - momentum) * {{{name}}} + momentum * {{{seen.symbol}}}"
    return _Formula(text + unbiased, explain)


def _penalised(sheet: Sheet, update: Update) -> _Formula:
    alpha, samples = Number(update.optimizer.alpha, "alpha"), Number(update.samples, "N")

    def explain(*at: int) -> Expression:
        return sheet["dw"].at(*at) + alpha / samples * sheet["w"].at(*at)

    return _Formula("{g} = {dw} + alpha / N * {w}", explain)


def _start(
    optimizer: Any, sheet: Sheet, rate: Number, decays: bool
) -> tuple[str, Callable[..., Expression]]:
    """Give the parameter as it is before the step, pulled to zero where the optimizer does so."""
    w = sheet["w"]
    if not (decays and optimizer.weight_decay):
        return "{w}", w.at
    decay = Number(optimizer.weight_decay, "weight_decay")
    text = "{w} * (1 - learning_rate * weight_decay)"
    return text, lambda *at: w.at(*at) * (1 - rate * decay)


def _sgd(optimizer: SGD, sheet: Sheet, learning_rate: float, decays: bool) -> _Formulas:
    rate, g = Number(learning_rate, "learning_rate"), sheet["g"]
    before, w = _start(optimizer, sheet, rate, decays)
    return {
        "after": _Formula(
            f"{{after}} = {before} - learning_rate * {{g}}",
            lambda *at: w(*at) - rate * g.at(*at),
        )
    }


def _momentum(optimizer: Momentum, sheet: Sheet, learning_rate: float, decays: bool) -> _Formulas:
    rate, g, v = Number(learning_rate, "learning_rate"), sheet["g"], sheet["moment_v"]
    momentum = Number(optimizer.momentum, "momentum")
    before, w = _start(optimizer, sheet, rate, decays)
    remembered = _Formula(
        "{moment_v} = momentum * 0 - learning_rate * {g}",
        lambda *at: momentum * 0 - rate * g.at(*at),
    )
    if isinstance(optimizer, Nesterov):
        after = _Formula(
            f"{{after}} = {before} + momentum * {{moment_v}} - learning_rate * {{g}}",
            lambda *at: w(*at) + momentum * v.at(*at) - rate * g.at(*at),
        )
    else:
        after = _Formula(f"{{after}} = {before} + {{moment_v}}", lambda *at: w(*at) + v.at(*at))
    return {"moment_v": remembered, "after": after}


def _scaled(
    optimizer: AdaGrad | RMSprop, sheet: Sheet, learning_rate: float, _decays: bool
) -> _Formulas:
    rate, epsilon = Number(learning_rate, "learning_rate"), Number(optimizer.epsilon, "epsilon")
    w, g, s = sheet["w"], sheet["g"], sheet["moment_s"]
    if isinstance(optimizer, RMSprop):
        decay = Number(optimizer.decay, "decay")
        remembered = _Formula(
            "{moment_s} = decay * 0 + (1 - decay) * {g}**2",
            lambda *at: decay * 0 + (1 - decay) * g.at(*at) ** 2,
        )
    else:
        remembered = _Formula("{moment_s} = 0 + {g}**2", lambda *at: 0 + g.at(*at) ** 2)
    after = _Formula(
        "{after} = {w} - learning_rate * {g} / (sqrt({moment_s}) + epsilon)",
        lambda *at: w.at(*at) - rate * g.at(*at) / (sqrt(s.at(*at)) + epsilon),
    )
    return {"moment_s": remembered, "after": after}


def _adam(optimizer: Adam, sheet: Sheet, learning_rate: float, decays: bool) -> _Formulas:
    rate, epsilon = Number(learning_rate, "learning_rate"), Number(optimizer.epsilon, "epsilon")
    beta_1, beta_2 = Number(optimizer.beta_1, "beta_1"), Number(optimizer.beta_2, "beta_2")
    g, m, v = sheet["g"], sheet["moment_m"], sheet["moment_v"]
    if isinstance(optimizer, AdamW):
        before, w = _start(optimizer, sheet, rate, decays)
    else:
        before, w = "{w}", sheet["w"].at

    def after(*at: int) -> Expression:
        step = m.at(*at) / (1 - beta_1) / (sqrt(v.at(*at) / (1 - beta_2)) + epsilon)
        return w(*at) - rate * step

    return {
        "moment_m": _Formula(
            "{moment_m} = beta_1 * 0 + (1 - beta_1) * {g}",
            lambda *at: beta_1 * 0 + (1 - beta_1) * g.at(*at),
        ),
        "moment_v": _Formula(
            "{moment_v} = beta_2 * 0 + (1 - beta_2) * {g}**2",
            lambda *at: beta_2 * 0 + (1 - beta_2) * g.at(*at) ** 2,
        ),
        "after": _Formula(
            f"{{after}} = {before} - learning_rate * ({{moment_m}} / (1 - beta_1)) "
            "/ (sqrt({moment_v} / (1 - beta_2)) + epsilon)",
            after,
        ),
    }


EXPLAINED: dict[type[Optimizer], Callable[[Any, Sheet, float, bool], _Formulas]] = {
    SGD: _sgd,
    Momentum: _momentum,
    Nesterov: _momentum,
    AdaGrad: _scaled,
    RMSprop: _scaled,
    Adam: _adam,
    AdamW: _adam,
}
