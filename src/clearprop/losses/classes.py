"""Further losses of classes.

Smoothed labels are never quite sure; focal losses are cross-entropies that care less for what is
easy; hinge losses ask nothing of what is right by a margin of 1.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clearprop.core.formulas import Formulas, either, forms, is_class, max_k, of_class, sum_k
from clearprop.core.parameters import Array
from clearprop.core.symbols import K, Setting, exp, log, logits, losses, p, target
from clearprop.errors import UsageError
from clearprop.losses.base import Loss
from clearprop.losses.basic import SOFTMAX, BinaryCrossEntropy, SoftmaxCrossEntropy, are_classes

_smoothing = Setting("smoothing")
_shifted = logits - max_k(logits)
_log_total = log(sum_k(exp(_shifted)))
_smoothed = (1 - _smoothing) * target + _smoothing / K


@dataclass(frozen=True)
class SmoothedCrossEntropy(SoftmaxCrossEntropy):
    """Cross-entropy of a softmax whose targets are mixed with the same for every class.

    So no logit has to grow for ever: where the right class has the probability 1 - smoothing +
    smoothing / K, the gradient is zero.

    Parameters
    ----------
    smoothing : float, default 0.1
        The share of the even part, at least 0 and below 1; with 0 it is `SoftmaxCrossEntropy`.

    Notes
    -----
    With logits z, target probabilities y, p = softmax(z) and t = (1 - smoothing) y + smoothing /
    K::

        loss     = -sum_k t_k log p_k
        dloss/dz = p - t

    Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for
    Computer Vision" (2016), section 7.
    """

    smoothing: float = 0.1

    name: ClassVar[str | None] = None
    in_scikit_learn: ClassVar[bool] = False

    formulas = Formulas(
        {
            p: SOFTMAX,
            losses: either(
                are_classes,
                forms(
                    -(1 - _smoothing) * log(of_class(p, target)) - _smoothing / K * sum_k(log(p)),
                    _log_total
                    - (1 - _smoothing) * (of_class(logits, target) - max_k(logits))
                    - _smoothing / K * sum_k(_shifted),
                    remark="",
                ),
                forms(
                    -sum_k(_smoothed * log(p)), _log_total - sum_k(_shifted * _smoothed), remark=""
                ),
            ),
        },
        {
            logits.gradient: either(
                are_classes,
                p - (1 - _smoothing) * is_class(target) - _smoothing / K,
                p - _smoothed,
            )
        },
    )

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise UsageError(
                f"{type(self).__name__} needs a smoothing of at least 0 and below 1, found "
                f"{self.smoothing}."
            )

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and p - t (N, K)."""
        classes = logits.shape[1]
        shares = (1 - self.smoothing) * self.mixable(y, classes, logits.dtype)
        return super().each(logits, shares + self.smoothing / classes)

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return the share of the even part."""
        return self.smoothing

    @staticmethod
    def loop(
        z: Array, n: int, labels: Array, y: Array, row: int, number: float, dz: Array
    ) -> float:
        """Return the loss of sample n, and write p - t into dz[n]."""
        largest, classes = z[n, 0], z.shape[1]
        for k in range(1, classes):
            if z[n, k] > largest or z[n, k] != z[n, k]:  # NaN stays NaN
                largest = z[n, k]
        total = 0.0
        for k in range(classes):
            dz[n, k] = np.exp(z[n, k] - largest)
            total += dz[n, k]
        loss = np.log(total)
        for k in range(classes):
            t = number / classes
            if len(labels) == 0:
                t += (1 - number) * y[row, k]
            elif k == labels[row]:
                t += 1 - number
            loss -= (z[n, k] - largest) * t
            dz[n, k] = dz[n, k] / total - t
        return loss


@dataclass(frozen=True)
class BinaryFocal(BinaryCrossEntropy):
    """Focal loss of a sigmoid: one yes or no for each output; with several, losses are added.

    Parameters
    ----------
    gamma : float, default 2.0
        The power by which easy samples count less, at least 0; with 0 it is `BinaryCrossEntropy`.

    Notes
    -----
    With logit z, sign s = 1 for class 1, -1 for class 0, and p = 1 / (1 + exp(-s z)) the
    probability of the right answer, for each output::

        loss     = -(1 - p)^gamma log p
        dloss/dz = s (1 - p)^gamma (gamma p log p - (1 - p))

    Targets between 0 and 1 mix the losses of both answers. Source: Lin, Goyal, Girshick, He,
    Dollár, "Focal Loss for Dense Object Detection" (2017), equation 4 and appendix B.
    """

    gamma: float = 2.0

    name: ClassVar[str | None] = "focal"
    in_scikit_learn: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_gamma(self, self.gamma)

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        yes, dyes = self._of_right(logits)
        no, dno = self._of_right(-logits)
        losses = y * yes + (1 - y) * no
        return losses.sum(axis=1), y * dyes - (1 - y) * dno

    def _of_right(self, z: Array) -> tuple[Array, Array]:
        log_p = -np.logaddexp(0, -z)
        p, wrong = np.exp(log_p), np.exp(-np.logaddexp(0, z))
        scale = wrong**self.gamma
        return -scale * log_p, scale * (self.gamma * p * log_p - wrong)


@dataclass(frozen=True)
class SoftmaxFocal(SoftmaxCrossEntropy):
    """Focal loss of a softmax: one of K classes.

    Parameters
    ----------
    gamma : float, default 2.0
        The power by which easy samples count less, at least 0; with 0 it is `SoftmaxCrossEntropy`.

    Notes
    -----
    With p = softmax(z) and p_y the probability of the right class y::

        loss       = -(1 - p_y)^gamma log p_y
        dloss/dz_k = (1 - p_y)^gamma (gamma p_y log p_y / (1 - p_y) - 1) ([k = y] - p_k)

    Rows of probabilities as targets mix the losses of all classes. Source: as of `BinaryFocal`.
    """

    gamma: float = 2.0

    name: ClassVar[str | None] = "focal"
    in_scikit_learn: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_gamma(self, self.gamma)

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        p, wrong = np.exp(log_p), -np.expm1(log_p)
        share = y if y.ndim == 2 else np.eye(logits.shape[1], dtype=logits.dtype)[y]
        # log p / (1 - p) has the limit -1 where p is 1.
        ratio = np.divide(log_p, wrong, out=np.full_like(log_p, -1), where=wrong > 0)
        scale = share * wrong**self.gamma
        pull = scale * (self.gamma * p * ratio - 1)
        return -(scale * log_p).sum(axis=1), pull - p * pull.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Hinge(Loss):
    """Hinge loss of yes or no: like `BinaryCrossEntropy`, without probabilities.

    With one output, classes 0 and 1 exclude each other; with several, each output is a question of
    its own (multilabel), and their losses are added.

    Notes
    -----
    With logit z and sign s = 1 for class 1, -1 for class 0, for each output::

        loss     = max(0, 1 - s z)
        dloss/dz = -s where s z < 1, else 0

    Source: Cortes, Vapnik, "Support-Vector Networks" (1995), equation 7.
    """

    name: ClassVar[str | None] = "hinge"
    classifies: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        signs = 2 * y - 1
        short = 1 - signs * logits
        return np.maximum(short, 0).sum(axis=1), np.where(short > 0, -signs, 0)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return targets between 0 and 1, shape (N, K)."""
        return BinaryCrossEntropy().targets(y, outputs, dtype)

    def mixable(self, y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Refuse: a margin has no mean of both signs."""
        raise _needs_whole_classes(self)

    def predict(self, logits: Array) -> Array:
        """Return 1 where the logit is positive, else 0: (N,) or (N, K), integers."""
        return BinaryCrossEntropy().predict(logits)


@dataclass(frozen=True)
class MulticlassHinge(Loss):
    """Hinge loss of one of K classes: the right logit must exceed all others by 1.

    Notes
    -----
    With logits z, right class y, and the largest other logit at r::

        loss       = max(0, 1 - z_y + z_r)
        dloss/dz_y = -1 and dloss/dz_r = 1 where the loss is positive, else 0

    Source: Crammer, Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
    Machines" (2001), equation 3.
    """

    name: ClassVar[str | None] = "hinge"
    classifies: ClassVar[bool] = True
    one_of_many: ClassVar[bool] = True

    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Return losses (N,) and their derivatives (N, K)."""
        rows = np.arange(len(logits))
        others = logits.copy()
        others[rows, y] = -np.inf
        rivals = others.argmax(axis=1)
        losses = np.maximum(1 - logits[rows, y] + logits[rows, rivals], 0)
        dlogits = np.zeros_like(logits)
        dlogits[rows, y] = -(losses > 0).astype(logits.dtype)
        dlogits[rows, rivals] = losses > 0
        return losses, dlogits

    def check_outputs(self, outputs: int) -> None:
        """Refuse fewer than two outputs."""
        SoftmaxCrossEntropy().check_outputs(outputs)

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return class numbers (N,) as integers; rows (N, K) stand for their largest number."""
        chosen = SoftmaxCrossEntropy().targets(y, outputs, dtype)
        return chosen if chosen.ndim == 1 else chosen.argmax(axis=1)

    def mixable(self, y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Refuse: a margin is one to the rivals of a single class."""
        raise _needs_whole_classes(self)

    def predict(self, logits: Array) -> Array:
        """Return the number of the class with the largest logit, shape (N,)."""
        return logits.argmax(axis=1)


def _needs_whole_classes(loss: Loss) -> UsageError:
    return UsageError(
        f"{type(loss).__name__} takes whole classes, which can't be mixed. Leave mixup out, or "
        "train with a cross-entropy."
    )


def _check_gamma(loss: object, gamma: float) -> None:
    if not (gamma >= 0 and np.isfinite(gamma)):
        raise UsageError(f"{type(loss).__name__} needs a gamma of at least 0, found {gamma}.")
