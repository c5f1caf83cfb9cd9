"""Illnesses of what flows through the layers, there and back.

Gradients that explode or vanish, units that are dead or saturated, numbers that are not finite.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case, Crash
from clearprop.doctor.illness import Finding, Illness, Sentence, first_cause
from clearprop.doctor.watching import Origin, Seen, find_origin
from clearprop.layers import Conv2D, Dense, NTKDense, ReLU, Sigmoid, Tanh
from clearprop.network import Network
from clearprop.training.samples import Samples

_LISTED = 4  # layers at each end whose gradient is told
_CHUNK = 2000  # samples of a pass that looks for the first operation
_FLAT = 0.05  # of the steepest slope


class ExplodingGradients(Illness):
    """Gradients that grow from layer to layer on their way back."""

    key = "exploding_gradients"
    name = "Exploding gradients"
    threshold = 1e3
    measurement = (
        "At the first weights the gradient is {measured:.2g} times as large at layer {layer} as at "
        "the last; by layer: {shares}."
    )
    reason = (
        "Threshold {threshold:g}: no learning rate suits layers whose gradients differ a "
        "thousandfold (Pascanu, Mikolov, Bengio 2013)."
    )
    advice = "Clip the gradient, or normalise between the layers."
    cures = ({"clip_norm": 1.0}, {"batch_norm": True})

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the gradient at each layer of weights with that at the last."""
        shares = _gradient_shares(case)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        return self.proven(case, found, shares[layer], layer=layer, shares=_told(shares))


class VanishingGradients(Illness):
    """Gradients of which next to nothing reaches the first layers."""

    key = "vanishing_gradients"
    name = "Vanishing gradients"
    threshold = 1e-3
    measurement = (
        "At the first weights {measured:.2g} of the gradient at the last layer reaches layer "
        "{layer}; by layer: {shares}."
    )
    reason = (
        "Threshold {threshold:g}: a layer with a thousandth of the gradient learns a thousand "
        "times slower (Glorot, Bengio 2010, section 4)."
    )
    advice = "Use activations whose slope is 1, or normalise between the layers."
    cures = ({"activation": "relu", "init": "he"}, {"batch_norm": True})

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the gradient at each layer of weights with that at the last.

        Where units are stuck from the beginning, that is the illness.
        """
        shares = _gradient_shares(case)
        layer = min(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] > self.threshold or _are_stuck(case.at_start):
            return None
        return self.proven(case, found, shares[layer], layer=layer, shares=_told(shares))


class DeadReLUs(Illness):
    """Units that give zero for every sample, and so never learn again."""

    key = "dead_relus"
    name = "Dead ReLUs"
    threshold = 0.5
    measurement = "In layer {layer}, {measured:.0%} of the ReLUs give zero for every sample."
    reason = (
        "Threshold {threshold:.0%}: some dead units do no harm, but half a layer's are half a "
        "layer (Maas, Hannun, Ng 2013, section 2)."
    )
    advice = "Let a little through below zero."
    cures = ({"activation": "leaky-relu"},)

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count the units of each ReLU that are zero for every sample."""
        shares = _dead_shares(case.at_end)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        return self.proven(case, found, shares[layer], layer=layer)


class SaturatedUnits(Illness):
    """Sigmoids or tanhs at their flat ends, through which no gradient comes back."""

    key = "saturated_units"
    name = "Saturated units"
    threshold = 0.75
    measurement = (
        "In layer {layer} ({kind}), {measured:.0%} of the outputs lie where the slope is below a "
        "twentieth of the steepest."
    )
    reason = (
        "Threshold {threshold:.0%}: what flows back is multiplied by the slope; a layer of "
        "saturated units passes next to nothing (Glorot, Bengio 2010, section 3)."
    )
    advice = "Use activations that don't saturate, or normalise between the layers."
    cures = ({"activation": "relu", "init": "he"}, {"batch_norm": True})

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Measure the share of each layer's outputs that lie where the slope is next to nothing."""
        shares = _flat_shares(case.at_end)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        kind = next(type(seen.layer).__name__ for seen in case.at_end if seen.name == layer)
        return self.proven(case, found, shares[layer], layer=layer, kind=kind)


class NotANumber(Illness):
    """A number that is not finite, in the weights or on the way to their gradient."""

    key = "not_a_number"
    name = "Numbers that are not finite"
    threshold = 1.0
    no_rate_helps = True
    measurement: ClassVar[Sentence] = {
        "weights": "Some weights are not finite.",
        "forward": (
            "{when} the first operation to give a number that is not finite is the forward pass "
            "of layer {layer} ({kind}), whose inputs are finite, up to {largest:.3g}."
        ),
        "loss": (
            "{when} the first operation to give a number that is not finite is the loss ({kind}), "
            "of logits up to {largest:.3g}."
        ),
        "backward": (
            "{when} the first operation to give a number that is not finite is the backward pass "
            "of layer {layer} ({kind}); the gradient that reaches it is finite, up to "
            "{largest:.3g}."
        ),
        "update": (
            "{when} the first operation to give a number that is not finite is the update of the "
            "weights, which were finite before it, up to {largest:.3g}, as was their gradient."
        ),
        "batch": (
            "{when} the loss is no finite number for its batch, while a pass over all samples "
            "with the same weights is finite: what the batch alone has makes it, its statistics "
            "in batch norm or what dropout dropped."
        ),
    }
    reason = (
        "One is enough: a number that is not finite makes every weight it reaches so, for good."
    )
    advice = (
        "Look at that operation: a logarithm or root of what is not positive, a division by zero, "
        "or an overflow."
    )
    now = "With the present weights"
    in_update = "In update {update}"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Find the first operation that makes one."""
        crash = case.crash or Crash(0, case.network, case.network)
        when = self.in_update.format(update=crash.update) if case.crash else self.now
        facts: dict[str, Any] = {"when": when, "cause": first_cause(found)}
        if not _is_finite(crash.before):
            return self.finding(1.0, variant="weights", **facts)
        network = crash.last if _is_finite(crash.last) else crash.before
        origin = _origin(network, case.samples if case.crash else case.sample)
        if origin is not None:
            facts |= {"layer": origin.layer, "kind": origin.kind, "largest": origin.largest}
            return self.finding(1.0, variant=origin.operation, **facts)
        if case.crash is None:
            return None
        if _is_finite(crash.last):
            return self.finding(1.0, variant="batch", **facts)
        largest = float(np.abs(network.parameters.data).max())
        return self.finding(1.0, variant="update", largest=largest, **facts)


def _origin(network: Network, samples: Samples) -> Origin | None:
    """Find the operation, on as many of the samples as it takes."""
    for start in range(0, len(samples), _CHUNK):
        few = samples.take(np.arange(start, min(start + _CHUNK, len(samples))))
        origin = find_origin(network, network.inputs(few.X), few.y)
        if origin is not None:
            return origin
    return None


def _is_finite(network: Network) -> bool:
    return bool(np.isfinite(network.parameters.data).all())


def _gradient_shares(case: Case) -> dict[str, float]:
    """Return how large the gradient is at each layer of weights, in multiples of the last."""
    sizes = {
        seen.name: float(np.sqrt(np.square(seen.dy, dtype=np.float64).sum()))
        for seen in case.at_start
        if isinstance(seen.layer, Dense | NTKDense | Conv2D)
    }
    last = list(sizes.values())[-1] if sizes else 0.0
    if len(sizes) < 2 or not last > 0 or not np.isfinite(list(sizes.values())).all():
        return {}
    return {name: size / last for name, size in sizes.items()}


def _told(shares: dict[str, float]) -> str:
    each = [f"{name}: {share:.2g}" for name, share in shares.items()]
    return ", ".join(
        each if len(each) <= 2 * _LISTED else [*each[:_LISTED], "...", *each[-_LISTED:]]
    )


def _are_stuck(seen: Sequence[Seen]) -> bool:
    """Whether the units of some layer are dead or saturated beyond the thresholds."""
    dead, flat = _dead_shares(seen), _flat_shares(seen)
    return (
        max(dead.values(), default=0.0) >= DeadReLUs.threshold
        or max(flat.values(), default=0.0) >= SaturatedUnits.threshold
    )


def _dead_shares(every: Sequence[Seen]) -> dict[str, float]:
    return {
        seen.name: float(np.mean((seen.y.reshape(-1, seen.y.shape[-1]) == 0).all(axis=0)))
        for seen in every  # a filter is one unit, dead if it gives zero at every place
        if isinstance(seen.layer, ReLU)
    }


def _flat_shares(every: Sequence[Seen]) -> dict[str, float]:
    """Return the share of each layer's outputs whose slope is below `_FLAT` of the steepest."""
    shares = {}
    for seen in every:
        if isinstance(seen.layer, Tanh):
            shares[seen.name] = float(np.mean(1 - np.square(seen.y) < _FLAT))
        elif isinstance(seen.layer, Sigmoid):
            shares[seen.name] = float(np.mean(4 * seen.y * (1 - seen.y) < _FLAT))
    return shares
