"""What a network is asked about: samples as it takes them, and the answer that is meant."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import DataError, ShapeError, UsageError
from clearprop.files.models import Model, decided
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, PreparedRows, prepared_from

_AT_ONCE = 2**22  # numbers in all layers' outputs at a time: with their gradients 64 MiB in float64


@dataclass(frozen=True, eq=False)
class Question:
    """Samples, and the answer of a network that each is asked about.

    Parameters
    ----------
    network : Network
    parts : tuple of ndarray or PreparedRows, each of shape (n, *input_shape)
        The samples as the network takes them, N together.
    target : ClassTarget or None
        The target of the model whose network it is, by which it decides between classes.
    answers : ndarray of int, shape (N,), or None
        The class of each; None for the one that the network answers.
    """

    network: Network
    parts: tuple[Array | PreparedRows, ...]
    target: ClassTarget | None
    answers: Array | None

    @classmethod
    def of(cls, model: Model | Network, X: Any, answers: Any = None) -> "Question":
        """Bring samples and answers to the form in which a network is asked.

        Called by what a user calls, whose caller is told in what samples are unlike the training
        data.

        Parameters
        ----------
        model : Model or Network
            A model takes what its `predict` does, a network prepared arrays.
        X : array-like, shape (N, *input_shape), or whatever `Model.predict` takes
        answers : int or array-like of int, shape (N,), optional
            Class numbers, or of a network that predicts values, numbers of outputs.

        Raises
        ------
        UsageError
            If it is neither model nor network, or one has to say which of several values is meant.
        ShapeError, DataError
            If the samples don't fit, or there is not one answer for each, or no such answer.
        """
        network = model.network if isinstance(model, Model) else model
        if not isinstance(network, Network):
            raise UsageError(
                f"Found {type(model).__name__}, expected a Network, or the Model that "
                "clearprop.load opens."
            )
        target: ClassTarget | None = None
        recipe = model.preprocessing if isinstance(model, Model) else None
        parts: tuple[Array | PreparedRows, ...]
        if recipe is None:
            parts = (network.inputs(X),)
        else:
            parts = prepared_from(X, recipe, network.dtype)
            target = recipe.target if isinstance(recipe.target, ClassTarget) else None
        N, K = sum(map(len, parts)), network.output_shape[0]
        loss = network.loss
        if answers is None:
            if K > 1 and not (loss.classifies and loss.one_of_many):
                raise UsageError(
                    f"The network has {K} outputs that are no classes of which one is the answer; "
                    f"say with answers, from 0 to {K - 1}, which one is asked about."
                )
            return cls(network, parts, target, None)
        told = np.asarray(answers)
        if told.ndim == 0:
            told = np.full(N, told)
        if told.shape != (N,):
            raise ShapeError(f"Found answers of shape {told.shape}, expected ({N},): one a sample.")
        most = 2 if K == 1 and loss.classifies else K
        if told.dtype.kind not in "iu" or not ((told >= 0) & (told < most)).all():
            raise DataError(f"Answers are whole numbers from 0 to {most - 1}; found {answers!r}.")
        return cls(network, parts, target, told)

    @cached_property
    def numbers(self) -> int:
        """How many numbers all layers make of one sample, and the sample."""
        shapes = self.network.summary().output_shapes
        return sum(map(prod, shapes), prod(self.network.input_shape))

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def blocks(self, passes: int = 1) -> Iterator[tuple[slice, Array]]:
        """Walk over the samples, so many at a time that what all layers make of them has room.

        Parameters
        ----------
        passes : int, default 1
            How many samples are made of each.

        Yields
        ------
        slice, ndarray
            The places of n samples, and these, shape (n, *input_shape).
        """
        step, done = max(1, _AT_ONCE // (self.numbers * passes)), 0
        for part in self.parts:
            for start in range(0, len(part), step):
                X = self.network.inputs(part[start : start + step])
                yield slice(done, done + len(X)), X
                done += len(X)

    def seeds(self, rows: slice, logits: Array) -> Array:
        """Return the derivative of the asked answer's logit by all logits, shape (n, K).

        One logit of two classes speaks for class 1, and its negative for class 0.
        """
        loss = self.network.loss
        seeds = np.zeros_like(logits)
        if self.answers is not None:
            said = self.answers[rows]
        elif not loss.classifies:
            said = np.zeros(len(logits), np.int64)
        else:
            said = loss.predict(logits)
            if self.target is not None:
                said = decided(self.target, loss, logits)
        if logits.shape[1] == 1 and loss.classifies:
            seeds[:, 0] = 2 * said - 1
        else:
            seeds[np.arange(len(logits)), said] = 1
        return seeds
