"""Illnesses of the first weights: all alike, too large, or too small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import ClassVar

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.finding import Finding
from clearprop.doctor.illness import Illness
from clearprop.doctor.scores import is_gain
from clearprop.layers import Activation, BatchNorm, Dense, Layer, LayerNorm, Sigmoid, Tanh
from clearprop.network import Network
from clearprop.parameters import Array

_SATURATING = (Sigmoid, Tanh)
_FOLLOWERS = (Activation, BatchNorm, LayerNorm)
_ALIKE = 1e-6  # of the weights' size: more than rounding makes of equal ones


@dataclass(frozen=True)
class SymmetricWeights(Illness):
    """Units of a hidden layer with the same weights: they stay one unit for ever."""

    threshold: float = 1.0
    key: ClassVar[str] = "symmetric_weights"
    is_early: ClassVar[bool] = True

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count the units of each hidden layer that differ, at the beginning and now."""
        for (name, _, _), (above, _, _) in pairwise(_dense(case.start)):
            units = case.start.parameters[f"{name}.W"].shape[1]
            networks = (case.start, case.network)
            if units > 1 and all(_are_alike(one.parameters, name, above) for one in networks):
                changes = {"init": usual_init(case.network)}
                return self.finding(1.0, layer=name, changes=changes, units=units)
        return None


@dataclass(frozen=True)
class LargeInitialWeights(Illness):
    """First weights that blow up what passes through the layers."""

    threshold: float = 10.0
    key: ClassVar[str] = "large_initial_weights"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the size of all first weights with the usual one."""
        sizes = _sizes(case.start)
        product = prod(sizes.values())
        if product < self.threshold or any(one.illness == "unscaled_inputs" for one in found):
            return None
        return _wrong_size(self, case, product, sizes, max(sizes, key=sizes.__getitem__))


@dataclass(frozen=True)
class SmallInitialWeights(Illness):
    """First weights that let next to nothing pass through the layers."""

    threshold: float = 0.1
    key: ClassVar[str] = "small_initial_weights"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the size of all first weights with the usual one."""
        sizes = _sizes(case.start)
        product = prod(sizes.values())
        known = {"symmetric_weights", "unscaled_inputs"} & {one.illness for one in found}
        if product > self.threshold or len(sizes) < 2 or known:
            return None
        return _wrong_size(self, case, product, sizes, min(sizes, key=sizes.__getitem__))


def _wrong_size(
    illness: Illness, case: Case, product: float, sizes: dict[str, float], layer: str
) -> Finding | None:
    """Try the usual weights, at the best of several rates: the training's own may be wrong too."""
    changes = {"init": usual_init(case.network)}
    reached = case.cure(changes)
    if reached is None and case.rate is not None and not case.is_well:
        factor, best = case.trials.best_rate(changes)
        own = case.trials.reach(case.trials.at(factor))
        reached = best if is_gain(best, case.score) and is_gain(best, own) else None
    if reached is None:
        return None
    return illness.finding(
        product,
        layer=layer,
        changes=changes,
        trial=case.trial_facts(reached),
        layers=len(sizes),
        sizes=", ".join(f"{name}: {size:.2g}" for name, size in sizes.items()),
    )


def usual_init(network: Network) -> str:
    """Name the initialisation that keeps the size of what passes: He's where there is a ReLU."""
    saturates = any(isinstance(follower, _SATURATING) for _, _, follower in _dense(network))
    return "scaled" if saturates else "he"


def _sizes(network: Network) -> dict[str, float]:
    """Return how large each Dense layer's weights are, as a multiple of the usual size.

    What a normalisation follows needs no size, and is left out.
    """
    sizes = {}
    for name, W, follower in _dense(network):
        if isinstance(follower, BatchNorm | LayerNorm):
            continue
        rectifies = follower is not None and not isinstance(follower, _SATURATING)
        usual = np.sqrt((2 if rectifies else 1) / W.shape[0])
        sizes[name] = float(np.sqrt(np.mean(np.square(W, dtype=np.float64))) / usual)
    return sizes


def _dense(network: Network) -> list[tuple[str, Array, Layer | None]]:
    """Return every Dense layer: its place, its W, and the activation or norm that follows it."""
    found: list[tuple[str, Array, Layer | None]] = []
    _collect(network, network.body, "", found)
    return found


def _collect(
    network: Network, container: Layer, path: str, found: list[tuple[str, Array, Layer | None]]
) -> None:
    inner = container.inner()
    after = [*list(inner.values())[1:], None] if container.chains else [None] * len(inner)
    for (key, layer), following in zip(inner.items(), after, strict=True):
        name = f"{path}{key}"
        if isinstance(layer, Dense):
            follower = following if isinstance(following, _FOLLOWERS) else None
            found.append((name, network.parameters[f"{name}.W"], follower))
        _collect(network, layer, f"{name}.", found)


def _are_alike(parameters: Mapping[str, Array], name: str, above: str) -> bool:
    """Whether all units of a layer have the same weights, in and out, but for rounding."""
    into = [parameters[f"{name}.W"], parameters[f"{above}.W"].T]
    if f"{name}.b" in parameters:
        into.append(parameters[f"{name}.b"][np.newaxis])
    return all(
        bool(np.all(np.abs(W - W[:, :1]) <= _ALIKE * np.abs(W).max(initial=0.0))) for W in into
    )
