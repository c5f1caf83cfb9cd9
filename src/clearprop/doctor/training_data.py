"""Illnesses of the data: unscaled, wrongly labelled, unbalanced, or held out in name only."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.doctor.case import Case
from clearprop.doctor.illness import Finding, Illness, Sentence, first_cause, is_found
from clearprop.doctor.scores import score
from clearprop.layers import BatchNorm, Conv2D, Dense, Layer, LayerNorm, Sequential
from clearprop.network import Network

_LISTED = 10  # samples that are named
_FEW = 3  # samples that may be wrong without a word
_NOTHING = 0.1  # of what lies between guessing and perfect
_CHUNK = 1000  # samples that are prepared at a time


class UnscaledInputs(Illness):
    """Features far from zero, or all of them tiny: no learning rate suits them."""

    key = "unscaled_inputs"
    name = "Inputs not scaled"
    threshold = 10.0
    tiny = 0.01  # of the largest feature
    is_early = True
    no_rate_helps = True
    measurement: ClassVar[Sentence] = {
        "": (
            "The root mean square of feature {feature} is {measured:.4g}; {share:.0%} of the "
            "features lie above {threshold:g}."
        ),
        "tiny": (
            "The root mean square of every feature is below {measured:.2g}, the largest being "
            "feature {feature}."
        ),
    }
    reason: ClassVar[Sentence] = {
        "": (
            "Threshold {threshold:g}: the largest stable learning rate falls with the square of "
            "the inputs, at {threshold:g} to a hundredth of that for inputs near 1 (LeCun et al., "
            '"Efficient BackProp", 1998, sections 4.3 and 5.1).'
        ),
        "tiny": (
            "Threshold {threshold:g}: the gradient of the first weights shrinks with the inputs, "
            "and what it changes with their square, at {threshold:g} to a ten-thousandth of that "
            'for inputs near 1 (LeCun et al., "Efficient BackProp", 1998, sections 4.3 and 5.1).'
        ),
    }
    advice = (
        "Bring every feature to mean 0 and standard deviation 1 by the training samples: "
        "recipe = cp.fit_recipe(train); X = recipe.inputs.transform(train.X, 'float64'). "
        "clearprop train does so itself."
    )

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Measure the root mean square of every feature."""
        if _normalises_inputs(case.network):
            return None
        X = case.sample.X.reshape(len(case.sample), -1).astype(np.float64)
        sizes = np.sqrt(np.square(X).mean(axis=0))
        sizes[list(case.network.body.codes(case.network.input_shape))] = 0  # names, not sizes
        largest, feature = float(sizes.max()), int(sizes.argmax())
        if 0 < largest < self.tiny:
            return self.finding(largest, variant="tiny", threshold=self.tiny, feature=feature)
        if largest < self.threshold:
            return None
        share = float(np.mean(sizes > self.threshold))
        return self.finding(largest, feature=feature, share=share)


class WrongLabels(Illness):
    """Labels that contradict those of similar samples, or have nothing to do with the inputs."""

    key = "wrong_labels"
    name = "Labels that look wrong"
    threshold = 0.03
    above_chance = 2.0  # standard errors
    no_rate_helps = True
    measurement: ClassVar[Sentence] = {
        "": (
            "{suspects} of {samples} samples ({measured:.1%}) carry a label that at least 9 of "
            "their 10 nearest neighbours contradict with one voice, the first of them {which}."
        ),
        "unrelated": (
            "The nearest neighbours of a sample tell its label no better than chance: "
            "{shown:.1%} right, where {chance:.1%} are to be expected of labels without meaning."
        ),
    }
    reason: ClassVar[Sentence] = {
        "": (
            "Threshold {threshold:.0%}: where classes overlap neighbours disagree among each "
            "other; with one voice they contradict next to no right label (Northcutt, Jiang, "
            "Chuang 2021, on labels that confident predictions contradict)."
        ),
        "unrelated": (
            "Threshold {threshold:g} standard errors above chance: less can be chance. What was "
            "learned holds for no held-out sample either."
        ),
    }
    advice = (
        "Look at these samples and put their labels right, or check that inputs and labels were "
        "shuffled together."
    )

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Ask the nearest neighbours of every sample."""
        opinion, samples = case.opinion, len(case.sample)
        if is_found(found, UnscaledInputs) or opinion is None or case.labels is None:
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
        if above >= self.above_chance or not _holds_for_no_other(case):
            return None
        return self.finding(
            above,
            variant="unrelated",
            threshold=self.above_chance,
            shown=opinion.shown,
            chance=opinion.chance,
        )


class Overlap(Illness):
    """Held-out samples that are trained on: their score says nothing of new ones."""

    key = "overlap"
    name = "Validation data that are trained on"
    threshold = 0.05
    is_early = True
    measurement = (
        "{count} of {held} held-out samples ({measured:.1%}) are among the training samples, the "
        "first of them {which}; of the training samples themselves {repeated:.1%} repeat another."
    )
    reason = (
        "Threshold {threshold:.0%} beyond what repeats among the training samples: a score on "
        "samples that were learned says nothing of others."
    )
    advice = "Take these samples out of one of the two; remove repeated samples before holding out."

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


class UnbalancedClasses(Illness):
    """A class so rare that a network does well without it."""

    key = "unbalanced_classes"
    name = "Unbalanced classes"
    threshold = 5.0
    class_facts = ("rare", "common")
    measurement = (
        "Class {common} has {measured:.1f} times the samples of class {rare}; {others:.1%} of the "
        "one and {recall:.1%} of the other are recognised."
    )
    reason = (
        "Threshold {threshold:g}: from there on saying the larger class to everything is right in "
        "five of six cases (He, Garcia 2009)."
    )
    advice = "Let every class count alike."

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
        cause = first_cause(found)
        return self.finding(
            ratio,
            changes={} if cause else {"class_weight": "balanced"},
            cause=cause,
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
    norms, weighted = (BatchNorm, LayerNorm), (Dense, Conv2D)
    deciding = (one for one in _in_a_row(network.layers) if isinstance(one, (*norms, *weighted)))
    return isinstance(next(deciding, None), norms)


def _in_a_row(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Walk layers and those in a Sequential, but not in a Residual, past which x goes as it is."""
    for layer in layers:
        yield from _in_a_row(layer.layers) if type(layer) is Sequential else (layer,)


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
