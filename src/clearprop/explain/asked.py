"""The one number of a model's answer that is explained, and its derivative by the inputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.errors import UsageError
from clearprop.files.certainty import probabilities
from clearprop.files.models import Model
from clearprop.losses import Quantiles
from clearprop.network import Network
from clearprop.network.network import twin_of
from clearprop.preprocessing import ClassTarget, TargetRecipe, ValueTarget

Numbers = NDArray[np.float64]

_AT_ONCE = 2**22  # numbers in all layers' outputs at a time: with their gradients 64 MiB


@dataclass(frozen=True, eq=False)
class Asked:
    """The number of a model's answer that is explained.

    Of classes it is the probability of one: `predict` prints it, it is in a unit that everybody
    knows, and a number that is added to all logits, which changes no answer, does not change it,
    as it would a logit. Of a loss without probabilities, such as hinge, it is the logit. Of values
    it is the value in the target's own unit, whatever the scale that it was learned on.

    Parameters
    ----------
    network : Network
        The model's, in float64: sums of many of its answers keep their digits.
    target : ClassTarget or ValueTarget
    which : int
        The number of the class; 0 for values.
    is_probability : bool
    """

    network: Network
    target: TargetRecipe
    which: int
    is_probability: bool

    @classmethod
    def of(cls, model: Model, which: int = 0) -> "Asked":
        """Ask a model with a recipe for the probability of a class, or for its value.

        Raises
        ------
        UsageError
            If it has no recipe, or predicts several values.
        """
        if model.preprocessing is None:
            raise UsageError(
                "A model without preprocessing knows no columns that it could tell of."
            )
        target = model.preprocessing.target
        if isinstance(target, ValueTarget) and target.outputs > 1:
            raise UsageError(
                f"The model predicts {target.outputs} values a row; an explanation is of one."
            )
        network = twin_of(model.network, dtype=np.float64)
        return cls(network, target, which, model.gives_probabilities)

    @property
    def name(self) -> str:
        """The number in words: ``probability of 'yes'``."""
        if isinstance(self.target, ClassTarget):
            kind = "probability" if self.is_probability else "logit"
            return f"{kind} of {self.target.class_names[self.which]!r}"
        return self.target.name or "value"

    @cached_property
    def numbers(self) -> int:
        """How many numbers all layers make of one sample, and the sample."""
        shapes = self.network.summary().output_shapes
        return sum(map(prod, shapes), prod(self.network.input_shape))

    def values(self, X: Array) -> Numbers:
        """Return the number for each of n prepared samples (n, D), shape (n,)."""
        found = np.empty(len(X))
        for rows in self.blocks(len(X)):
            found[rows] = self._read(self.network.forward(self.network.inputs(X[rows])))
        return found

    def slopes(self, X: Array) -> tuple[Numbers, Numbers]:
        """Return the numbers of n prepared samples, and their derivatives by the inputs.

        Parameters
        ----------
        X : ndarray, shape (n, D)

        Returns
        -------
        values : ndarray of float64, shape (n,)
        slopes : ndarray of float64, shape (n, D)
        """
        values, slopes = np.empty(len(X)), np.empty(np.shape(X))
        trace, gradient = Trace(), self.network.parameters.like()
        for rows in self.blocks(len(X)):
            logits = self.network.forward(self.network.inputs(X[rows]), trace)
            values[rows] = self._read(logits)
            dx = self.network.backward(self._seeds(logits), trace, gradient)
            assert dx is not None  # noqa: S101 - a fresh trace wants it
            slopes[rows] = dx
        return values, slopes

    def blocks(self, count: int) -> Iterator[slice]:
        """Walk over the places of so many samples, as many at a time as have room."""
        step = max(1, _AT_ONCE // self.numbers)
        return (slice(start, start + step) for start in range(0, count, step))

    def _read(self, logits: Array) -> Numbers:
        loss = self.network.loss
        if isinstance(self.target, ValueTarget):
            return self.target.restore(loss.predict(logits))
        if self.is_probability:
            shares: Numbers = probabilities(self.target, loss, logits)[:, self.which]
            return shares
        return (logits * self._own(logits)).sum(axis=1)

    def _own(self, logits: Array) -> Array:
        """Return the derivative of the class's own logit by all logits, shape (n, K).

        One logit of two classes speaks for class 1, and its negative for class 0.
        """
        own = np.zeros_like(logits)
        if logits.shape[1] == 1:
            own[:] = 2 * self.which - 1
        else:
            own[:, self.which] = 1
        return own

    def _seeds(self, logits: Array) -> Array:
        """Return the derivative of the number by the logits, shape (n, K).

        With p the probabilities at the temperature T, a sigmoid has dp_1/dz = p_1 p_0 / T =
        -dp_0/dz, and a softmax dp_k/dz_j = p_k ([j = k] - p_j) / T.
        """
        loss = self.network.loss
        if isinstance(self.target, ValueTarget):
            if isinstance(loss, Quantiles):
                return self.target.slope(loss.predict(logits)) * loss.slopes(logits)
            return self.target.slope(logits)
        own = self._own(logits)
        if not self.is_probability:
            return own
        shares = probabilities(self.target, loss, logits)
        if logits.shape[1] == 1:
            slopes = own * shares[:, :1] * shares[:, 1:]
        else:
            slopes = shares[:, self.which : self.which + 1] * (own - shares)
        return slopes / self.target.temperature
