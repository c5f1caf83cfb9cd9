"""Illnesses of the first weights: all alike, too large, or too small."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod

import numpy as np

from clearprop.core.parameters import Array
from clearprop.doctor.case import Case, each_layer
from clearprop.doctor.illness import Finding, Illness, is_found, merged
from clearprop.doctor.scores import Score, is_gain
from clearprop.doctor.training_data import UnscaledInputs
from clearprop.layers import Activation, BatchNorm, Conv2D, Dense, Layer, LayerNorm, Sigmoid, Tanh
from clearprop.network import Network

_SATURATING = (Sigmoid, Tanh)
_FOLLOWERS = (Activation, BatchNorm, LayerNorm)
_ALIKE = 1e-6  # of the weights' size: more than rounding makes of equal ones


class SymmetricWeights(Illness):
    """Units of a hidden layer with the same weights: they stay one unit for ever."""

    key = "symmetric_weights"
    name = "Equal weights"
    threshold = 1.0
    is_early = True
    measurement = (
        "All {units} units of layer {layer} begin with the same weights and still have the same: "
        "they get the same gradient, so they are one unit for ever."
    )
    reason = (
        "No two units of a hidden layer may begin alike: only different weights get different "
        "gradients (Rumelhart, Hinton, Williams 1986)."
    )
    advice = "Draw the first weights at random."

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count the units of each hidden layer that differ, at the beginning and now."""
        for (name, W, _), (above, _, _) in pairwise(_weighted(case.start)):
            units = W.shape[-1]
            networks = (case.start, case.network)
            if units > 1 and all(_are_alike(one.parameters, name, above) for one in networks):
                changes = {"init": _usual_init(case.network)}
                return self.finding(1.0, layer=name, changes=changes, units=units)
        return None


class _WrongSize(Illness):
    """First weights of a size that harms, all layers taken together."""

    reason = (
        "Threshold {threshold:g}: weights of the usual size, sqrt(2/inputs) before a ReLU and "
        "sqrt(1/inputs) elsewhere, keep the size of what passes; what all layers together make of "
        "it should stay within a factor of 10 (He et al. 2015, equation 10; Glorot, Bengio 2010)."
    )
    advice = "Draw the first weights by the number of inputs."

    def proven_size(
        self, case: Case, found: Sequence[Finding], sizes: Mapping[str, float], layer: str
    ) -> Finding | None:
        """Try the usual weights, at the best of several rates: the training's may be wrong too."""
        changes = {"init": _usual_init(case.network)}
        if advised := merged(found):
            reached: Score | None = case.trials.reach(advised | changes)
            if reached is not None and not is_gain(reached, case.trials.reach(advised)):
                return None
        else:
            reached = case.cure(changes)
        if reached is None and case.rate is not None and not case.is_well:
            factor, best = case.trials.best_rate(changes)
            own = case.trials.reach(case.trials.at(factor))
            reached = best if is_gain(best, case.score) and is_gain(best, own) else None
        if reached is None:
            return None
        return self.finding(
            prod(sizes.values()),
            layer=layer,
            changes=changes,
            trial=case.trial_facts(reached),
            layers=len(sizes),
            sizes=", ".join(f"{name}: {size:.2g}" for name, size in sizes.items()),
        )


class LargeInitialWeights(_WrongSize):
    """First weights that blow up what passes through the layers."""

    key = "large_initial_weights"
    name = "Initial weights too large for this depth"
    threshold = 10.0
    measurement = (
        "As multiples of the usual size the first weights are {sizes}. Over {layers} layers that "
        "multiplies what passes by {measured:.2g}."
    )

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the size of all first weights with the usual one."""
        sizes = _sizes(case.start)
        if prod(sizes.values()) < self.threshold or is_found(found, UnscaledInputs):
            return None
        return self.proven_size(case, found, sizes, max(sizes, key=sizes.__getitem__))


class SmallInitialWeights(_WrongSize):
    """First weights that let next to nothing pass through the layers."""

    key = "small_initial_weights"
    name = "Initial weights too small for this depth"
    threshold = 0.1
    measurement = (
        "As multiples of the usual size the first weights are {sizes}. Over {layers} layers that "
        "leaves {measured:.1g} of what passes, forward and backward."
    )

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the size of all first weights with the usual one."""
        sizes = _sizes(case.start)
        known = is_found(found, SymmetricWeights, UnscaledInputs)
        if prod(sizes.values()) > self.threshold or len(sizes) < 2 or known:
            return None
        return self.proven_size(case, found, sizes, min(sizes, key=sizes.__getitem__))


def _usual_init(network: Network) -> str:
    """Name the initialisation that keeps the size of what passes: He's where there is a ReLU."""
    saturates = any(isinstance(follower, _SATURATING) for _, _, follower in _weighted(network))
    return "scaled" if saturates else "he"


def _sizes(network: Network) -> dict[str, float]:
    """Return how large each layer's weights are, as a multiple of the usual size.

    A layer that a normalisation follows needs no size, and is left out.
    """
    sizes = {}
    for name, W, follower in _weighted(network):
        if isinstance(follower, BatchNorm | LayerNorm):
            continue
        rectifies = follower is not None and not isinstance(follower, _SATURATING)
        usual = np.sqrt((2 if rectifies else 1) / prod(W.shape[:-1]))
        sizes[name] = float(np.sqrt(np.mean(np.square(W, dtype=np.float64))) / usual)
    return sizes


def _weighted(network: Network) -> Iterator[tuple[str, Array, Layer | None]]:
    """Walk every Dense layer and convolution: its place, W, and what follows it.

    W has shape (..., units); what follows is an activation, a norm, or None.
    """
    for name, layer, after in each_layer(network.body):
        if isinstance(layer, Dense | Conv2D):
            follower = after if isinstance(after, _FOLLOWERS) else None
            yield name, network.parameters[f"{name}.W"], follower


def _are_alike(parameters: Mapping[str, Array], name: str, above: str) -> bool:
    """Whether all units of a layer have the same weights, in and out, but for rounding."""
    W, out = parameters[f"{name}.W"], parameters[f"{above}.W"]
    units = W.shape[-1]
    if prod(out.shape[:-1]) % units:
        return False
    # A filter has its weights out at every place that the layer above looks at.
    into = [W, np.moveaxis(out.reshape(-1, units, out.shape[-1]), 1, -1)]
    if f"{name}.b" in parameters:
        into.append(parameters[f"{name}.b"])
    return all(
        bool(np.all(np.abs(W - W[..., :1]) <= _ALIKE * np.abs(W).max(initial=0.0))) for W in into
    )
