"""The arithmetic of the losses, from the logits to their gradient."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clearprop.kernels import sigmoid
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.parameters import Array
from clearprop.probe import LossPass
from clearprop.walkthrough.expressions import Expression, Number
from clearprop.walkthrough.functions import absolute, constant, exp, log, maximum, series
from clearprop.walkthrough.matrices import Matrix
from clearprop.walkthrough.notation import LOSS, Course, Notation
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.sheet import Sheet


class _Explained(NamedTuple):
    """Formulas with roles in braces, and the arithmetic at an index."""

    probability: tuple[str, Callable[..., Expression]] | None
    losses: tuple[str, Callable[..., Expression]]
    derived: tuple[str, Callable[..., Expression]]  # of a sample's own loss


def explain_loss(loss: Loss, done: LossPass, notation: Notation) -> list[Quantity]:
    """Explain probabilities, the loss of each sample, their mean, and its gradient.

    Of a loss of the user's own, only the mean is explained.
    """
    arrays = {
        "logits": done.logits,
        "target": done.y,
        "losses": done.losses,
        "loss": np.array(done.loss),
        "dlogits": done.dlogits,
    }
    if type(loss) in (BinaryCrossEntropy, SoftmaxCrossEntropy):
        arrays["p"] = _probabilities(loss, done.logits)
    if done.weights is not None:
        arrays["weights"] = done.weights
    sheet = Sheet(notation, notation.layers[LOSS], arrays)
    if type(loss) not in EXPLAINED:
        return [
            sheet.result("losses", "", None),
            _mean(sheet),
            sheet.result("dlogits", "", None),
        ]
    explained = EXPLAINED[type(loss)](sheet)
    formula, derived = explained.derived
    return [
        *([] if explained.probability is None else [sheet.result("p", *explained.probability)]),
        *([] if done.weights is None else [sheet.given("weights")]),
        sheet.result("losses", *explained.losses),
        _mean(sheet),
        sheet.result("dlogits", *_shared(sheet, formula, derived)),
    ]


def _probabilities(loss: Loss, logits: Array) -> Array:
    with np.errstate(all="ignore"):
        return loss.predict_proba(logits) if logits.shape[1] > 1 else sigmoid(logits)


def _mean(sheet: Sheet) -> Quantity:
    losses = sheet["losses"].line(None)
    if "weights" not in sheet:
        samples = Number(len(losses.values), "m" if _is_course(sheet) else "N")
        return sheet.result(
            "loss",
            "{loss} = sum_n {losses}[n] / N",
            lambda: series(losses.at, losses.values) / samples,
        )
    weights = sheet["weights"].line(None)
    every = _all_weights(sheet)

    def weighted() -> Expression:
        values = weights.values * losses.values
        return series(lambda n: weights.at(n) * losses.at(n), values) / every

    formula = "{loss} = sum_n {weights}[n] * {losses}[n] / sum({weights})"
    return sheet.result("loss", formula, weighted if every.value else lambda: constant(0.0))


def _shared(
    sheet: Sheet, formula: str, derived: Callable[..., Expression]
) -> tuple[str, Callable[..., Expression]]:
    """Turn the derivative of a sample's own loss into what it adds to that of the mean."""
    if _is_course(sheet):
        return f"{{dlogits}} = {formula}", derived
    if "weights" not in sheet:
        samples = Number(len(sheet["losses"].array), "N")
        return f"{{dlogits}} = ({formula}) / N", lambda *at: derived(*at) / samples
    every, weights = _all_weights(sheet), sheet["weights"]
    return (
        f"{{dlogits}} = ({formula}) * {{weights}}[n] / sum({{weights}})",
        lambda n, k: derived(n, k) * weights.at(n) / every if every.value else constant(0.0),
    )


def _all_weights(sheet: Sheet) -> Number:
    weights = sheet["weights"]
    return Number(float(weights.array.sum(dtype=np.float64)), f"sum({weights.symbol})")


def _is_course(sheet: Sheet) -> bool:
    return isinstance(sheet.notation, Course)


def _binary(sheet: Sheet) -> _Explained:
    z, y, p = sheet["logits"], sheet["target"], sheet["p"]
    outputs = z.array.shape[1]

    def of_output(n: int, k: int) -> Expression:
        logit = z.at(n, k)
        return maximum(logit, 0) - logit * y.at(n, k) + log(1 + exp(-absolute(logit)))

    def losses(n: int) -> Expression:
        values = np.array([of_output(n, k).value for k in range(outputs)])
        return series(lambda k: of_output(n, k), values)

    summed = "sum_k " if outputs > 1 else ""
    return _Explained(
        ("{p} = 1 / (1 + exp(-{logits}))", lambda n, k: 1 / (1 + exp(-z.at(n, k)))),
        (
            f"{{losses}} = {summed}-({{target}} * log({{p}}) + (1 - {{target}}) * log(1 - {{p}})) "
            f"= {summed}max({{logits}}, 0) - {{logits}} * {{target}} "
            "+ log(1 + exp(-abs({logits})))",
            losses,
        ),
        ("{p} - {target}", lambda n, k: p.at(n, k) - y.at(n, k)),
    )


def _softmax(sheet: Sheet) -> _Explained:
    z, y, p = sheet["logits"], sheet["target"], sheet["p"]

    def largest(n: int) -> Number:
        row = z.line(n, None)
        return Number(float(row.values.max()), f"max({_row(z, n)})")

    def exponentials(n: int) -> Expression:
        row, top = z.line(n, None), largest(n)
        values = np.exp(row.values - top.value)
        return series(lambda k: exp(row.at(k) - top), values)

    def probability(n: int, k: int) -> Expression:
        return exp(z.at(n, k) - largest(n)) / exponentials(n)

    def of_class(n: int) -> Expression:
        return log(exponentials(n)) - (z.at(n, int(y.array[n])) - largest(n))

    def of_shares(n: int) -> Expression:
        row, shares, top = z.line(n, None), y.line(n, None), largest(n)
        values = (row.values - top.value) * shares.values
        added = series(lambda k: (row.at(k) - top) * shares.at(k), values)
        return log(exponentials(n)) - added

    softmax = "{p} = exp({logits}) / sum_k exp({logits}), the largest logit subtracted first"
    if y.array.ndim > 1:
        return _Explained(
            (softmax, probability),
            ("{losses} = -sum_k {target} * log({p})", of_shares),
            ("{p} - {target}", lambda n, k: p.at(n, k) - y.at(n, k)),
        )

    def derived(n: int, k: int) -> Expression:
        return p.at(n, k) - Number(float(y.array[n] == k), f"[{y.at(n).symbol} = {k}]")

    return _Explained(
        (softmax, probability),
        ("{losses} = -log({p} of the class {target})", of_class),
        ("{p} - [{target} = k]", derived),
    )


def _squared(sheet: Sheet) -> _Explained:
    z, y = sheet["logits"], sheet["target"]
    outputs = z.array.shape[1]
    K = Number(outputs, "K")

    def losses(n: int) -> Expression:
        predicted, wanted = z.line(n, None), y.line(n, None)
        values = (predicted.values - wanted.values) ** 2
        return series(lambda k: (predicted.at(k) - wanted.at(k)) ** 2, values) / K

    return _Explained(
        None,
        ("{losses} = sum_k ({logits} - {target})**2 / K", losses),
        (
            "2 * ({logits} - {target}) / K",
            lambda n, k: 2 * (z.at(n, k) - y.at(n, k)) / K,
        ),
    )


def _row(matrix: Matrix, n: int) -> str:
    """Write which sample's numbers: ``logits[3]``, or ``Z2[:,3]``."""
    return f"{matrix.symbol}[{n}]" if matrix.sample_axis == 0 else f"{matrix.symbol}[:,{n}]"


EXPLAINED: dict[type[Loss], Callable[[Sheet], _Explained]] = {
    BinaryCrossEntropy: _binary,
    SoftmaxCrossEntropy: _softmax,
    MeanSquaredError: _squared,
}
