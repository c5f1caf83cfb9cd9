"""Answers for samples whose truth is known: from a model, or from networks that never saw them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.files.certainty import covering, probabilities, quantiles
from clearprop.files.models import decided, named_from
from clearprop.losses import Loss, Quantiles
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, Preprocessing, TargetRecipe, prepare


@dataclass(frozen=True)
class Answers:
    """The answers for N samples, and what they cost.

    Parameters
    ----------
    losses : ndarray, shape (N,)
        The loss of each, as it is trained on.
    truth, predicted : ndarray, shape (N,) or (N, outputs)
        The class indices, or the values on their own scale.
    probabilities : ndarray, shape (N, K), or None
        None for values, and for a loss without probabilities, such as hinge.
    untempered : ndarray, shape (N, K), or None
        The probabilities at the temperature 1; None where there are none, or that is the
        temperature.
    covering : ndarray or None
        The sets or intervals, see `clearprop.files.certainty.covering`.
    quantiles : ndarray, shape (N, number of levels), or None
        The quantiles of values, where some were learned.
    levels : tuple of float
        Their levels.
    """

    losses: Array
    truth: Array
    predicted: Array
    probabilities: Array | None
    untempered: Array | None = None
    covering: Array | None = None
    quantiles: Array | None = None
    levels: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(np.mean(self.losses))

    def by_threshold(self, target: ClassTarget) -> "Answers":
        """Return what the same probabilities say by a target's threshold."""
        assert self.probabilities is not None  # noqa: S101 - of two classes, there are some
        return replace(self, predicted=named_from(target, self.probabilities))

    @classmethod
    def joined(cls, parts: "Sequence[Answers]") -> "Answers":
        """Return the answers of several parts, one behind the other."""
        shares = [part.probabilities for part in parts if part.probabilities is not None]
        # Some parts may have a temperature of 1: theirs are what they were without.
        plain = [
            part.probabilities if part.untempered is None else part.untempered for part in parts
        ]
        before = [one for one in plain if one is not None]
        several = [part.quantiles for part in parts if part.quantiles is not None]
        return cls(
            np.concatenate([part.losses for part in parts]),
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.predicted for part in parts]),
            np.concatenate(shares) if shares else None,
            np.concatenate(before) if before else None,
            quantiles=np.concatenate(several) if several else None,
            levels=parts[0].levels,
        )


def answers_of(network: Network, recipe: Preprocessing, dataset: Dataset) -> Answers:
    """Prepare samples, and let a network answer."""
    X = prepare(dataset.X, recipe.inputs, network.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverged
        return answers(network, recipe.target, dataset, network.logits(X))


def answers(network: Network, target: TargetRecipe, dataset: Dataset, logits: Array) -> Answers:
    """Read answers from logits.

    Parameters
    ----------
    network : Network
        The network that gave them; its loss reads them.
    target : ClassTarget or ValueTarget
    dataset : Dataset
        The samples, N rows.
    logits : ndarray, shape (N, K)
    """
    loss: Loss = network.loss
    encoded = target.encode(dataset)
    # The weights of a run that diverged may give an infinite loss; the number itself says so.
    with np.errstate(over="ignore", invalid="ignore"):
        losses, _ = loss.each(logits, network.targets(encoded))
        if not isinstance(target, ClassTarget):
            restored = target.restore(loss.predict(logits))
            intervals, several = covering(target, loss, logits), quantiles(target, loss, logits)
            levels = loss.levels if isinstance(loss, Quantiles) else ()
            known = (None, None, intervals, several, levels)
            return Answers(losses, target.truth(dataset), restored, *known)
        said, sets = decided(target, loss, logits), covering(target, loss, logits)
        if type(loss).predict_proba is Loss.predict_proba:
            return Answers(losses, encoded, said, None)
        shares = probabilities(target, loss, logits)
        plain = None if target.temperature == 1 else loss.predict_proba(logits)
    return Answers(losses, encoded, said, shares, plain, sets)
