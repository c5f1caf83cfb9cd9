"""Illnesses of what flows back: gradients that explode or vanish, and numbers that are none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from clearprop.doctor.case import Case, Crash, first_cause
from clearprop.doctor.finding import Changes, Finding
from clearprop.doctor.illness import Illness
from clearprop.doctor.units import stuck_units
from clearprop.doctor.watching import Origin, find_origin
from clearprop.doctor.words import IN_UPDATE, NOW
from clearprop.layers import Dense
from clearprop.network import Network
from clearprop.training.samples import Samples

_LISTED = 4  # layers at each end whose gradient is told
_CHUNK = 2000  # samples of a pass that looks for the first operation


@dataclass(frozen=True)
class ExplodingGradients(Illness):
    """Gradients that grow from layer to layer on their way back."""

    threshold: float = 1e3
    key: ClassVar[str] = "exploding_gradients"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the gradient at each Dense layer with that at the last."""
        shares = _shares(case)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        cures: list[Changes] = [{"clip_norm": 1.0}, {"batch_norm": True}]
        return self.proven(case, found, shares[layer], cures, layer=layer, shares=_told(shares))


@dataclass(frozen=True)
class VanishingGradients(Illness):
    """Gradients of which next to nothing reaches the first layers."""

    threshold: float = 1e-3
    key: ClassVar[str] = "vanishing_gradients"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Compare the gradient at each Dense layer with that at the last.

        Where units are stuck from the beginning, that is the illness.
        """
        shares = _shares(case)
        layer = min(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] > self.threshold or stuck_units(case.at_start):
            return None
        cures: list[Changes] = [{"activation": "relu", "init": "he"}, {"batch_norm": True}]
        return self.proven(case, found, shares[layer], cures, layer=layer, shares=_told(shares))


@dataclass(frozen=True)
class NotANumber(Illness):
    """A number that is not finite, in the weights or on the way to their gradient."""

    threshold: float = 1.0
    key: ClassVar[str] = "not_a_number"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Find the first operation that makes one."""
        crash = case.crash or Crash(0, case.network, case.network)
        facts: dict[str, Any] = {"when": NOW}
        if case.crash is not None:
            facts["when"] = IN_UPDATE.format(update=crash.update)
        if cause := first_cause(found):
            facts["cause"] = cause.illness
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


def _shares(case: Case) -> dict[str, float]:
    """Return how large the gradient is at each Dense layer, as a multiple of that at the last."""
    sizes = {
        seen.name: float(np.sqrt(np.square(seen.dy, dtype=np.float64).sum()))
        for seen in case.at_start
        if isinstance(seen.layer, Dense)
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
