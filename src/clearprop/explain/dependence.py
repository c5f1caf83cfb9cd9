"""How the answer goes with a column: its mean as every row gets the same cell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.data.tables.table import Column, Words, as_words, is_missing, is_numeric

Numbers = NDArray[np.float64]

_POINTS = 20  # of numbers and dates
_MIDDLE = (0.025, 0.975)  # of the rows: what lies outside would draw the rest together
_BARS = 12  # categories, the most frequent first


@dataclass(frozen=True, eq=False)
class Dependence:
    """The partial dependence of the answer on a column.

    Parameters
    ----------
    name : str
        The column.
    cells : ndarray of float64 or datetime64, shape (G,), or Words
        The cells that every row gets in turn; missing ones among them, if rows have such.
    answers : ndarray of float64, shape (G, K)
        The mean of each of K answers over the rows.
    base : ndarray of float64, shape (K,)
        The mean of each answer for the rows as they are.
    answer_names : tuple of str, length K
    samples : int
        The number of rows.
    more : int
        The number of further categories that rows have.
    """

    name: str
    cells: Column
    answers: Numbers
    base: Numbers
    answer_names: tuple[str, ...]
    samples: int
    more: int

    @property
    def texts(self) -> list[str]:
        """The cells as text; "" where missing."""
        return [text.removesuffix(" 00:00:00") for text in as_words(self.cells).tolist()]

    @property
    def axis(self) -> NDArray[Any] | list[str]:
        """The cells as they are drawn: numbers and dates that are not missing, or texts."""
        if isinstance(self.cells, Words):
            return [text or "(missing)" for text in self.texts]
        return self.cells[~is_missing(self.cells)]

    @property
    def drawn(self) -> Numbers:
        """The answers for the cells of `axis`."""
        return (
            self.answers if isinstance(self.cells, Words) else self.answers[~is_missing(self.cells)]
        )

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values; a missing cell is None."""
        missing = is_missing(self.cells).tolist()
        cells: list[Json] = list(self.texts)
        if is_numeric(self.cells) and not isinstance(self.cells, Words):
            cells = self.cells.tolist()
        return {
            "column": self.name,
            "cells": [None if gone else one for one, gone in zip(cells, missing, strict=True)],
            "answers": dict(zip(self.answer_names, self.answers.T.tolist(), strict=True)),
            "base": dict(zip(self.answer_names, self.base.tolist(), strict=True)),
            "samples": self.samples,
            "more_categories": self.more,
        }


def grid(column: Column) -> tuple[Column, int]:
    """Choose the cells that show how the answer goes with a column, from those that rows have.

    Parameters
    ----------
    column : ndarray or Words, N rows

    Returns
    -------
    cells : ndarray or Words
        Of numbers and dates those at up to 20 quantiles, 0.025 to 0.975, each once, in order; of
        words the 12 most frequent. One missing cell at the end, if there are any.
    more : int
        The number of further words.
    """
    missing = is_missing(column)
    gone = np.flatnonzero(missing)[:1]
    if isinstance(column, Words):
        counts = column.counts()
        most = np.argsort(-counts, kind="stable")[: min(_BARS, np.count_nonzero(counts))]
        codes = np.concatenate([most, np.full(len(gone), -1)]).astype(np.int32)
        return Words(column.texts, codes), int(np.count_nonzero(counts) - len(most))
    present = np.sort(column[~missing])
    shares = np.linspace(*_MIDDLE, _POINTS)
    places = np.rint(shares * max(len(present) - 1, 0)).astype(np.int64)
    chosen = np.unique(present[places]) if len(present) else present
    return np.concatenate([chosen, column[gone]]), 0


def partial_dependence(
    answers_of: Callable[[Array], Array], X: Array, places: NDArray[np.int64], inputs: Array
) -> Numbers:
    """Give every sample the same inputs in some places, and average the answers.

    Parameters
    ----------
    answers_of : callable
        The answers (n, K) for prepared samples (n, D).
    X : ndarray, shape (N, D)
        The prepared samples.
    places : ndarray of int, shape (W,)
        The inputs of the column.
    inputs : ndarray, shape (G, W)
        What they become.

    Returns
    -------
    ndarray of float64, shape (G, K)

    Notes
    -----
    With b the other inputs of a sample: ``answer_g = mean_b f(inputs_g, b)``. Source: Friedman,
    "Greedy Function Approximation" (2001), equation 53.
    """
    mixed, found = X.copy(), []
    for own in inputs:
        mixed[:, places] = own
        found.append(np.asarray(answers_of(mixed), np.float64).mean(axis=0))
    return np.array(found)
