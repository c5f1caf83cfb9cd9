"""Illnesses of hidden units: dead, or saturated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clearprop.doctor.case import Case
from clearprop.doctor.finding import Changes, Finding
from clearprop.doctor.illness import Illness
from clearprop.doctor.watching import Seen
from clearprop.layers import ReLU, Sigmoid, Tanh

_FLAT = 0.05  # of the steepest slope


@dataclass(frozen=True)
class DeadReLUs(Illness):
    """Units that give zero for every sample, and so never learn again."""

    threshold: float = 0.5
    key: ClassVar[str] = "dead_relus"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Count the units of each ReLU that are zero for every sample."""
        shares = _dead_shares(case.at_end)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        cures: list[Changes] = [{"activation": "leaky-relu"}]
        return self.proven(case, found, shares[layer], cures, layer=layer)


@dataclass(frozen=True)
class SaturatedUnits(Illness):
    """Sigmoids or tanhs at their flat ends, through which no gradient comes back."""

    threshold: float = 0.75
    key: ClassVar[str] = "saturated_units"

    def look(self, case: Case, found: Sequence[Finding]) -> Finding | None:
        """Measure the share of each layer's outputs that lie where the slope is next to nothing."""
        shares = _flat_shares(case.at_end)
        layer = max(shares, key=shares.__getitem__, default="")
        if not shares or shares[layer] < self.threshold:
            return None
        kind = next(type(seen.layer).__name__ for seen in case.at_end if seen.name == layer)
        cures: list[Changes] = [{"activation": "relu", "init": "he"}, {"batch_norm": True}]
        return self.proven(case, found, shares[layer], cures, layer=layer, kind=kind)


def stuck_units(seen: Sequence[Seen]) -> bool:
    """Whether the units of some layer are dead or saturated beyond the thresholds."""
    dead, flat = _dead_shares(seen), _flat_shares(seen)
    return (
        max(dead.values(), default=0.0) >= DeadReLUs.threshold
        or max(flat.values(), default=0.0) >= SaturatedUnits.threshold
    )


def _dead_shares(every: Sequence[Seen]) -> dict[str, float]:
    return {
        seen.name: float(np.mean((seen.y == 0).all(axis=0)))
        for seen in every
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
