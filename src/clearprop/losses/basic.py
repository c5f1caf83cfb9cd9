"""The three losses that most networks are trained for."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from clearprop.core.expressions import Operands
from clearprop.core.formulas import Formulas, either, forms, is_class, max_k, of_class, sum_k
from clearprop.core.kernels import sigmoid, softmax_pick, softmax_shift
from clearprop.core.parameters import Array
from clearprop.core.symbols import K, absolute, exp, log, logits, losses, maximum, p, target
from clearprop.errors import DataError, ShapeError
from clearprop.losses.base import Loss, value_columns

_shifted = logits - max_k(logits)


SOFTMAX: Final = forms(
    exp(logits) / sum_k(exp(logits)),
    exp(_shifted) / sum_k(exp(_shifted)),
    remark="the largest logit subtracted first",
)
"""The formula of p, one of K classes."""


def are_classes(operands: Operands) -> bool:
    """Whether targets are class numbers, rather than rows of probabilities."""
    return operands.is_vector(target)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of a sigmoid: one yes or no for each output.

    With one output, classes 0 and 1 exclude each other; with several, each output is a question of
    its own (multilabel), and their losses are added.

    Notes
    -----
    With logit z, target y in [0, 1] and p = 1 / (1 + exp(-z)), for each output::

        loss    = -(y log p + (1 - y) log(1 - p)) = max(z, 0) - z y + log(1 + exp(-|z|))
        dloss/dz = p - y

    The second form has no overflow and no log(0) for any z.
    """

    name: ClassVar[str | None] = "log_loss"
    in_scikit_learn: ClassVar[bool] = True
    classifies: ClassVar[bool] = True
    link: ClassVar[str] = "logistic"

    formulas = Formulas(
        {
            p: 1 / (1 + exp(-logits)),
            losses: forms(
                -sum_k(target * log(p) + (1 - target) * log(1 - p)),
                sum_k(maximum(logits, 0) - logits * target + log(1 + exp(-absolute(logits)))),
            ),
        },
        {logits.gradient: p - target},
    )

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - y (N, K)."""
        losses = np.maximum(logits, 0)
        losses -= logits * y
        losses += np.log1p(np.exp(-np.abs(logits)))  # last: a small one would be lost beside z
        dlogits = sigmoid(logits)
        dlogits -= y
        return losses.sum(axis=1), dlogits

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return targets between 0 and 1, shape (N, K)."""
        columns = value_columns(y, outputs, dtype)
        wrong = np.flatnonzero(((columns < 0) | (columns > 1)).any(axis=1))
        if wrong.size:
            raise DataError(
                f"BinaryCrossEntropy takes targets between 0 and 1; sample {wrong[0]} has "
                f"{columns[wrong[0]].tolist()}. For more than two classes use SoftmaxCrossEntropy."
            )
        return columns

    def predict_proba(self, logits: Array) -> Array:
        """Return the probabilities of 0 and 1 (N, 2) for one output, else that of 1 (N, K)."""
        if logits.shape[1] == 1:
            return np.hstack([sigmoid(-logits), sigmoid(logits)])
        return sigmoid(logits)

    def predict(self, logits: Array) -> Array:
        """Return 1 where the probability is over one half, else 0: (N,) or (N, K), integers."""
        over = (logits > 0).astype(np.int64)
        return over[:, 0] if logits.shape[1] == 1 else over

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return the most that an output's loss counts: any number."""
        return np.inf

    @staticmethod
    def loop(z: Array, n: int, y: Array, row: int, number: float, dz: Array) -> float:
        """Return the loss of sample n, and write p - y into dz[n]."""
        loss, one = 0.0, z.dtype.type(1)
        for k in range(z.shape[1]):
            e = np.exp(-abs(z[n, k]))
            dz[n, k] = 1 / (1 + e) if z[n, k] > 0 else e / (1 + e)
            if number < np.inf:  # who caps losses takes them from probabilities as they are rounded
                output = -np.log(dz[n, k] if y[row, k] else one - dz[n, k])
                loss += number if output > number else output  # NaN stays NaN
            else:
                loss += max(z[n, k], 0) - z[n, k] * y[row, k] + np.log1p(e)
            dz[n, k] -= y[row, k]
        return loss


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of a softmax: one of K classes.

    Targets are class numbers (N,) or rows of probabilities (N, K), one-hot among them.

    Notes
    -----
    With logits z, target probabilities y and p = exp(z) / sum exp(z)::

        loss     = -sum_k y_k log p_k = log sum_k exp(z_k) - sum_k y_k z_k
        dloss/dz = p - y

    The largest logit is subtracted first, which changes no p and lets nothing overflow.
    """

    name: ClassVar[str | None] = "log_loss"
    in_scikit_learn: ClassVar[bool] = True
    classifies: ClassVar[bool] = True
    one_of_many: ClassVar[bool] = True
    link: ClassVar[str] = "softmax"

    formulas = Formulas(
        {
            p: SOFTMAX,
            losses: either(
                are_classes,
                forms(
                    -log(of_class(p, target)),
                    log(sum_k(exp(_shifted))) - (of_class(logits, target) - max_k(logits)),
                    remark="",
                ),
                forms(
                    -sum_k(target * log(p)),
                    log(sum_k(exp(_shifted))) - sum_k(_shifted * target),
                    remark="",
                ),
            ),
        },
        {logits.gradient: either(are_classes, p - is_class(target), p - target)},
    )

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - y (N, K)."""
        shifted = np.empty_like(logits)
        softmax_shift(logits, shifted)
        p = np.exp(shifted)
        total = np.add.reduce(p, axis=1)
        losses = np.log(total)
        if y.ndim == 1:
            softmax_pick(p, shifted, total, y, losses)
        else:
            p /= total[:, np.newaxis]
            losses -= (shifted * y).sum(axis=1)
            p -= y
        return losses, p

    def check_outputs(self, outputs: int) -> None:
        """Refuse fewer than two outputs."""
        if outputs < 2:
            raise ShapeError(
                f"SoftmaxCrossEntropy needs an output for each class, at least 2; found {outputs}. "
                "For two classes in one output use BinaryCrossEntropy."
            )

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return class numbers (N,) as integers, or rows of probabilities (N, K)."""
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] == outputs:
            return _probabilities(value_columns(labels, outputs, dtype))
        if labels.ndim != 1:
            raise ShapeError(
                f"SoftmaxCrossEntropy takes class numbers (N,) or rows (N, {outputs}); found "
                f"targets of shape {labels.shape}."
            )
        if labels.dtype.kind not in "iub" and not _are_whole(labels):
            raise DataError(
                f"SoftmaxCrossEntropy takes class numbers 0 to {outputs - 1}; found targets of "
                f"type {labels.dtype}, the first of them {labels[:1].tolist()}."
            )
        wrong = np.flatnonzero((labels < 0) | (labels >= outputs))
        if wrong.size:
            raise DataError(
                f"SoftmaxCrossEntropy takes class numbers 0 to {outputs - 1}, one for each of the "
                f"network's {outputs} outputs; sample {wrong[0]} has {labels[wrong[0]]}."
            )
        return labels.astype(np.int64, copy=False)

    def mixable(self, y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return rows of probabilities (N, K): one-hot those of class numbers."""
        return y if y.ndim == 2 else np.eye(outputs, dtype=dtype)[y]

    def predict_proba(self, logits: Array) -> Array:
        """Return p, shape (N, K)."""
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, logits: Array) -> Array:
        """Return the number of the likeliest class, shape (N,)."""
        return logits.argmax(axis=1)

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return the most that a sample's loss counts: any number."""
        return np.inf

    @staticmethod
    def loop(
        z: Array, n: int, labels: Array, y: Array, row: int, number: float, dz: Array
    ) -> float:
        """Return the loss of sample n, and write p - y into dz[n]."""
        largest = z[n, 0]
        for k in range(1, z.shape[1]):
            if z[n, k] > largest or z[n, k] != z[n, k]:  # NaN stays NaN
                largest = z[n, k]
        total = 0.0
        for k in range(z.shape[1]):
            dz[n, k] = np.exp(z[n, k] - largest)
            total += dz[n, k]
        loss = np.log(total)
        for k in range(z.shape[1]):
            dz[n, k] /= total
        if len(labels):
            loss -= z[n, labels[row]] - largest
            dz[n, labels[row]] -= 1
        else:
            for k in range(z.shape[1]):
                loss -= (z[n, k] - largest) * y[row, k]
                dz[n, k] -= y[row, k]
        return number if loss > number else loss  # NaN stays NaN


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """Mean over the outputs of (prediction - target)^2.

    Notes
    -----
    For K outputs z with targets y: loss = sum_k (z_k - y_k)^2 / K, dloss/dz = 2 (z - y) / K.
    """

    name: ClassVar[str | None] = "squared_error"
    in_scikit_learn: ClassVar[bool] = True

    formulas = Formulas(
        {losses: sum_k((logits - target) ** 2) / K}, {logits.gradient: 2 * (logits - target) / K}
    )

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and 2 (z - y) / K (N, K)."""
        dlogits = logits - y
        losses = np.square(dlogits).mean(axis=1)
        dlogits *= 2 / logits.shape[1]
        return losses, dlogits

    @staticmethod
    def loop(z: Array, n: int, y: Array, row: int, number: float, dz: Array) -> float:
        """Return the squared error of sample n, and write 2 (z - y) / K into dz[n].

        It is half of that, and the gradient of half the sum over the outputs, where `number` is not
        zero.
        """
        loss, units = 0.0, z.shape[1]
        for k in range(units):
            difference = z[n, k] - y[row, k]
            loss += difference * difference
            dz[n, k] = difference if number else difference * 2 / units
        return 0.5 * loss / units if number else loss / units


def _are_whole(labels: Array) -> bool:
    return labels.dtype.kind == "f" and bool(np.all(labels == np.floor(labels)))


def _probabilities(rows: Array) -> Array:
    wrong = np.flatnonzero((rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > 1e-3))
    if wrong.size:
        raise DataError(
            f"Rows of class probabilities must add up to 1; row {wrong[0]} is {rows[wrong[0]]}."
        )
    return rows
