"""The base of all losses, and the check of targets that are values."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from clearprop.core.expressions import Expression, Operands, constant
from clearprop.core.formulas import Formulas, each, either, known, sum_n, whole
from clearprop.core.parameters import Array
from clearprop.core.symbols import N, Symbol, dlogits, loss, losses, weights
from clearprop.errors import DataError, ShapeError, UsageError


class Loss(ABC):
    """Base of every loss; one's own is a frozen dataclass with `each`.

    Where its targets are not simply numbers of the shape of the logits, it has `targets`, too, and
    where its predictions are not the logits themselves, `predict`.
    """

    name: ClassVar[str | None] = None
    """The name among the estimators', which a loss of yes or no shares with its counterpart for one
    of many classes; None where it has none."""

    in_scikit_learn: ClassVar[bool] = False
    """Whether scikit-learn's own estimators know it by that name."""

    classifies: ClassVar[bool] = False
    """Whether predictions are classes: then accuracy is the score, otherwise R²."""

    one_of_many: ClassVar[bool] = False
    """Whether a sample has one of K classes, rather than a yes or no for each output."""

    link: ClassVar[str] = "identity"
    """The function that makes probabilities of logits, of values the expected value, as
    scikit-learn names it."""

    loop: ClassVar[Callable[..., float] | None] = None
    """``loop(z, n, labels, y, row, number, dz)``: the code of compiled steps, for Numba to compile.

    It returns the loss of sample n of the logits z (B, K), by its label (a number of `labels` (N,))
    or its targets ``y[row]`` (N, K), and writes its derivative into ``dz[n]`` (B, K). It takes
    those of the seven that it needs, by these names, and counts for the very class that has it, as
    one that inherits may compute something else.
    """

    formulas: ClassVar[Formulas | None] = None
    """Its formulas, as `clearprop.walk` writes them out: p, losses, and dlogits of each sample."""

    @abstractmethod
    def each(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """Compute every sample's loss and its derivative.

        Parameters
        ----------
        logits : ndarray, shape (N, K)
            The last layer's output. It must not be changed.
        y : ndarray
            Targets as `targets` gives them.

        Returns
        -------
        losses : ndarray, shape (N,)
        dlogits : ndarray, shape (N, K)
            The derivative of each sample's loss with respect to its logits; a new array.
        """

    def __call__(
        self, logits: Array, y: Array, sample_weight: Array | None = None
    ) -> tuple[float, Array]:
        """Compute the mean loss of a batch and its gradient.

        Parameters
        ----------
        logits : ndarray, shape (N, K)
        y : ndarray
            Targets as `targets` gives them.
        sample_weight : ndarray, shape (N,), optional
            The mean becomes sum(weight loss) / sum(weight); where all weights are zero, loss and
            gradient are zero.

        Returns
        -------
        loss : float
        dlogits : ndarray, shape (N, K)
            An array of the dtype of `logits`.
        """
        losses, dlogits = self.each(logits, y)
        if sample_weight is None:
            dlogits /= len(losses)
            return float(np.add.reduce(losses)) / len(losses), dlogits
        total = sample_weight.sum()
        share = sample_weight / total if total > 0 else np.zeros_like(sample_weight)
        dlogits *= share[:, np.newaxis]
        return float(losses @ share), dlogits

    @staticmethod
    def averaged(own: Expression | None) -> dict[Symbol, Expression | None]:
        """Return the formulas of the mean loss and its gradient.

        Parameters
        ----------
        own : Expression or None
            The derivative of each sample's own loss, where it is known.
        """
        nothing, every = constant(0.0), whole(weights)
        mean = either(_all_zero, nothing, sum_n(weights * losses) / every)
        found: dict[Symbol, Expression | None] = {loss: known(weights, mean, sum_n(losses) / N)}
        if own is None:
            return {**found, dlogits: None}
        share = either(_all_zero, nothing, own * each(weights) / every)
        return {**found, dlogits: known(weights, share, own / N)}

    def check_outputs(self, outputs: int) -> None:  # noqa: B027 - most losses take any number
        """Refuse a number of outputs that the loss can't be used with.

        Raises
        ------
        ShapeError
        """

    def targets(self, y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Check targets and bring them into the form that `each` takes.

        Parameters
        ----------
        y : array-like, shape (N,) or (N, K)
        outputs : int
            The number K of the network's outputs.
        dtype : numpy.dtype
            The network's.

        Returns
        -------
        ndarray, shape (N, K)

        Raises
        ------
        ShapeError, DataError
            If they don't fit the outputs, or are not finite.
        """
        return value_columns(y, outputs, dtype)

    def mixable(self, y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Return targets as `each` takes them whose weighted means are such targets, too.

        Parameters
        ----------
        y : ndarray, shape (N,) or (N, K)
            Targets as `targets` gives them.
        outputs : int
            The number K of the network's outputs.
        dtype : numpy.dtype
            The network's.

        Returns
        -------
        ndarray, shape (N, K)
            Unless overridden the targets themselves.

        Raises
        ------
        UsageError
            If there are none.
        """
        return y

    def number(self, dtype: np.dtype[Any]) -> float:
        """Return the one number that `loop` takes, if any, where it computes in `dtype`."""
        return 0.0

    def answers(self, outputs: int) -> int:
        """Return by how many values or classes a sample is answered, of so many outputs."""
        return outputs

    def predict_proba(self, logits: Array) -> Array:
        """Return the probability of each class, shape (N, number of classes).

        Raises
        ------
        UsageError
            If the loss is not one of classes, or gives them no probabilities, as hinge.
        """
        raise UsageError(f"{type(self).__name__} gives no probabilities.")

    def predict(self, logits: Array) -> Array:
        """Return predictions: unless overridden the logits, (N,) where there is one output."""
        return logits[:, 0] if logits.shape[1] == 1 else logits


def _all_zero(operands: Operands) -> bool:
    return not operands.number(weights, (slice(None),)).compute().any()


def value_columns(y: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
    """Return finite targets as columns (N, K) of a dtype.

    Raises
    ------
    ShapeError, DataError
        If they don't fit the outputs, or are not finite numbers.
    """
    columns = np.asarray(y)
    if columns.dtype.kind not in "iubf":
        raise DataError(
            f"Targets must be numbers, found {columns.dtype}: encode classes as 0, 1, …"
        )
    if columns.ndim == 1:
        columns = columns[:, np.newaxis]
    if columns.ndim != 2 or columns.shape[1] != outputs:
        raise ShapeError(
            f"Targets of shape {np.shape(y)} don't fit a network of {outputs} outputs: expected "
            f"({'N,) or (N, 1' if outputs == 1 else f'N, {outputs}'})."
        )
    columns = columns.astype(dtype, copy=False)
    wrong = np.flatnonzero(~np.isfinite(columns).all(axis=1))
    if wrong.size:
        raise DataError(f"The target of sample {wrong[0]} is not finite: {columns[wrong[0]]}.")
    return columns
