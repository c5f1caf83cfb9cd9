"""Rates of their own: biases that learn faster than weights, a layer slower than another."""

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.judging.judgement import Gradient, fitted, is_same
from clearprop.gradcheck.seeing.judging.updates import Update
from clearprop.gradcheck.seeing.tape import Line, Node


def of_own_rates(
    gradients: Sequence[Gradient],
    parts: Mapping[Node, Sequence[Update]],
    text: Callable[[Line], str],
) -> Sequence[Gradient]:
    """Return the gradients without their rates, where these differ because they were meant to.

    Every step is a number times a gradient then, and each number serves several parameters, or is
    a variable of its own. A rate that one step lacks, or a factor that stands beside it, is none.

    Parameters
    ----------
    gradients : sequence of Gradient
        Of which each is the truth but for a factor.
    parts : mapping of Node to sequence of Update
        The updates of every parameter.
    text : callable
        A function that gives the text of a line.
    """
    known = [one for one in gradients if one.factor]
    if not known or all(is_same(one.factor or 0.0, known[0].factor or 0.0) for one in known):
        return gradients
    split = [_split(parts[one.parameter]) for one in known]
    found = [one for one in split if one is not None]
    if len(found) < len(known):
        return gradients
    bare = [
        replace(one, claim=claim, claimed=sign * claim.value.ravel().astype(np.float64))
        for one, (claim, _, sign) in zip(known, found, strict=True)
    ]
    bare = [replace(one, factor=fitted(one.claimed, one.truth)[0]) for one in bare]
    factors = [one.factor or 0.0 for one in bare]
    if not all(is_same(factor, factors[0]) and factor * factors[0] > 0 for factor in factors):
        return gradients
    rates = [float(f"{rate:.6g}") for _, rate, _ in found]
    names = [_name(parts[one.parameter][0], text) for one in known]
    whose: dict[float, set[str | None]] = {}
    for rate, name in zip(rates, names, strict=True):
        whose.setdefault(rate, set()).add(name)
    are_named = None not in names and len(set().union(*whose.values())) >= len(whose)
    if not (are_named or min(Counter(rates).values()) > 1):
        return gradients
    own = {one.parameter: one for one in bare}
    return [own.get(one.parameter, one) for one in gradients]


def _split(parts: Sequence[Update]) -> tuple[Node, float, float] | None:
    """Return the gradient in a step, the rate that it is multiplied by, and the sign of both."""
    step = parts[0].step
    if len(parts) > 1 or step.name != "multiply" or len(step.args) != 2:
        return None
    for rate, claim in (step.args, step.args[::-1]):
        if _is_number(rate) and isinstance(claim, Node) and claim.value.size == step.value.size:
            value = float(np.asarray(rate.value if isinstance(rate, Node) else rate).ravel()[0])
            return claim, abs(value), parts[0].sign * float(np.sign(value))
    return None


def _is_number(item: Any) -> bool:
    return (isinstance(item, Node) and item.value.size == 1) or type(item) in (int, float)


def _name(update: Update, text: Callable[[Line], str]) -> str | None:
    """Return the variable that a step is multiplied by in its line; None where there is none."""
    try:
        whole = ast.parse(text(update.step.line).strip()) if update.step.line else None
    except SyntaxError:
        return None
    for node in ast.walk(whole) if whole is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for one in (node.left, node.right):
                bare = one.operand if isinstance(one, ast.UnaryOp) else one
                if isinstance(bare, ast.Name | ast.Attribute):
                    return ast.unparse(bare)
    return None
