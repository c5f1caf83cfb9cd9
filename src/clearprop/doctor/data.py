"""Illnesses of the data: unscaled, wrongly labelled, unbalanced, or held out in name only."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.finding import Finding
from clearprop.doctor.illness import Illness
from clearprop.doctor.scores import score
from clearprop.layers import BatchNorm, Dense, LayerNorm
from clearprop.network import Network
from clearprop.parameters import Array

_TINY = 0.01  # of the largest feature
_LISTED = 10  # samples that are named
_FEW = 3  # samples that may be wrong without a word
_ABOVE_CHANCE = 2.0  # standard errors
_NOTHING = 0.1  # of what lies between guessing and perfect
_CHUNK = 1000  # samples that are prepared at a time


@dataclass(frozen=True)
class UnscaledInputs(Illness):
    """Features far from zero, or all of them tiny: no learning rate suits them."""

    threshold: float = 10.0
    key: ClassVar[str] = "unscaled_inputs"
    is_early: ClassVar[bool] = True

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Measure the root mean square of every feature."""
        if _normalises_inputs(case.network):
            return None
        X = case.sample.X.reshape(len(case.sample), -1).astype(np.float64)
        sizes = np.sqrt(np.square(X).mean(axis=0))
        largest, feature = float(sizes.max()), int(sizes.argmax())
        if 0 < largest < _TINY:
            return self.finding(largest, variant="tiny", threshold=_TINY, feature=feature)
        if largest < self.threshold:
            return None
        share = float(np.mean(sizes > self.threshold))
        return self.finding(largest, feature=feature, share=share)


@dataclass(frozen=True)
class WrongLabels(Illness):
    """Labels that contradict those of similar samples, or have nothing to do with the inputs."""

    threshold: float = 0.03
    key: ClassVar[str] = "wrong_labels"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Ask the nearest neighbours of every sample."""
        opinion, samples = case.opinion, len(case.sample)
        unscaled = any(one.illness == UnscaledInputs.key for one in found)
        if unscaled or opinion is None or case.labels is None:
            return None  # distances between unscaled samples are those of a single feature
        suspects = len(opinion.suspects)
        share = suspects / samples
        if suspects > _FEW and share - opinion.expected >= self.threshold:
            rows = case.sample_rows[opinion.suspects[:_LISTED]].tolist()
            return self.finding(
                share, rows=rows, held_out=False, suspects=suspects, samples=samples
            )
        error = sqrt(opinion.chance * (1 - opinion.chance) / samples)
        above = (opinion.shown - opinion.chance) / max(error, 1 / samples)
        if above >= _ABOVE_CHANCE or not _holds_for_no_other(case):
            return None
        return self.finding(
            above,
            variant="unrelated",
            threshold=_ABOVE_CHANCE,
            shown=opinion.shown,
            chance=opinion.chance,
        )


@dataclass(frozen=True)
class Overlap(Illness):
    """Held-out samples that are trained on: their score says nothing of new ones."""

    threshold: float = 0.05
    key: ClassVar[str] = "overlap"
    is_early: ClassVar[bool] = True

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count held-out samples that occur among the training samples, beyond natural repeats."""
        if case.held_out is None:
            return None
        trained, held = (
            _fingerprints(case.network, one.X) for one in (case.samples, case.held_out)
        )
        _, counts = np.unique(trained, return_counts=True)
        repeated = float(counts[counts > 1].sum() / len(trained))
        both = np.flatnonzero(np.isin(held, trained))
        share = len(both) / len(held)
        if share - repeated < self.threshold or len(both) <= _FEW:
            return None
        return self.finding(
            share,
            count=len(both),
            held=len(held),
            rows=both[:_LISTED].tolist(),
            held_out=True,
            repeated=repeated,
        )


@dataclass(frozen=True)
class UnbalancedClasses(Illness):
    """A class so rare that a network does well without it."""

    threshold: float = 5.0
    key: ClassVar[str] = "unbalanced_classes"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the largest class with the smallest, and how many of each are recognised."""
        labels, trainer = case.labels, case.trainer
        if labels is None or (trainer is not None and trainer.class_weight is not None):
            return None
        classes, counts = np.unique(labels, return_counts=True)
        ratio = float(counts.max() / counts.min())
        rare, common = int(classes[counts.argmin()]), int(classes[counts.argmax()])
        if ratio < self.threshold:
            return None
        recall, others = _recall(case, rare), _recall(case, common)
        if others - recall < _NOTHING:
            return None
        return self.finding(
            ratio,
            changes={"class_weight": "balanced"},
            rare=rare,
            common=common,
            recall=recall,
            others=others,
        )


def _holds_for_no_other(case: Case) -> bool:
    """Whether nothing of what was learned is of use for held-out samples."""
    if case.validation is None or not case.is_trained:
        return False
    return score(case.network, case.validation).value < _NOTHING


def _normalises_inputs(network: Network) -> bool:
    for layer in network.layers:
        if isinstance(layer, BatchNorm | LayerNorm):
            return True
        if isinstance(layer, Dense):
            return False
    return False


def _recall(case: Case, one: int) -> float:
    """Return the share of a class's samples that are recognised; 1 where the sample has none."""
    of_it = case.labels[case.sample_rows] == one if case.labels is not None else np.empty(0, bool)
    right = case.network.predict(case.sample.X)[of_it] == one
    return float(right.mean()) if right.size else 1.0


def _fingerprints(network: Network, X: Any) -> Array:
    """Return a number for every sample; equal samples have equal ones."""
    found = []
    for start in range(0, len(X), _CHUNK):
        rows = np.ascontiguousarray(network.inputs(X[start : start + _CHUNK]))
        found += [zlib.crc32(row.data.cast("B")) for row in rows.reshape(len(rows), -1)]
    return np.array(found)
