"""What is wrong with a program as it runs: what one sees in its arrays, in the doctor's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clearprop.configuration import Json
from clearprop.doctor.flow import DeadReLUs, NotANumber
from clearprop.doctor.learning_rate import LearningRateTooHigh
from clearprop.studio.program_messages import Seen

_LARGE = 1e6  # weights of this size have left the range that inputs of about 1 need
_LARGE_STEP = 0.5  # of a parameter, that one update changes
_GROWN = 10.0  # times the first cost
_PATIENCE = 3  # pictures in a row in which something has to be seen


@dataclass(frozen=True)
class Remark:
    """Something that is wrong.

    Parameters
    ----------
    name : str
        What it is called.
    said : str
        What was seen.
    advice : str
    """

    name: str
    said: str
    advice: str

    def to_json(self) -> dict[str, Json]:
        """Describe it as a page takes findings."""
        return {"name": self.name, "said": self.said, "advice": self.advice}


class Remarks:
    """What is wrong with the pictures of a program so far.

    What lasts for some pictures is said, and no longer once it is gone; numbers that are not finite
    are said at once.
    """

    def __init__(self) -> None:
        self._first_cost: float | None = None
        self._seen: dict[str, int] = {}
        self._last: list[Remark] = []
        self.now: list[Remark] = []

    def learn(
        self, arrays: Mapping[str, Seen], ratios: Mapping[str, float], cost: float | None
    ) -> None:
        """Look at one more picture."""
        if self._first_cost is None:
            self._first_cost = cost
        found = {remark.name + remark.said.split(" ")[0]: remark for remark in self._all(arrays)}
        found |= {one.name: one for one in self._of_steps(ratios, cost)}
        self._last = list(found.values())
        self._seen = {key: self._seen.get(key, 0) + 1 for key in found}
        self.now = [
            one
            for key, one in found.items()
            if one.name == NotANumber.name or self._seen[key] >= _PATIENCE
        ]

    def settle(self) -> None:
        """Say all that the last picture shows, for no other one comes."""
        self.now = self._last

    def _all(self, arrays: Mapping[str, Seen]) -> Iterator[Remark]:
        for name, one in arrays.items():
            low, high = one.statistics["low"], one.statistics["high"]
            if one.bad:
                said = f"{name} has {one.bad:,} numbers that are not finite."
                yield Remark(NotANumber.name, said, NotANumber.advice)
            elif low is None or high is None:
                continue
            elif one.role == "parameter" and max(abs(low), abs(high)) > _LARGE:
                size = max(abs(low), abs(high))
                said = f"{name} has grown to {size:.2g}."
                yield Remark("Exploding values", said, "Take a smaller learning rate.")
            elif one.role == "gradient" and low == high == 0:
                said = f"{name}, the gradient of {one.of}, is zero in every entry."
                advice = (
                    "Nothing is learned there: look at what it is made of, for dead units or a "
                    "factor of zero."
                )
                yield Remark("No gradient", said, advice)
            elif one.role == "activation" and (one.statistics["dead"] or 0) >= DeadReLUs.threshold:
                share = one.statistics["dead"] or 0
                said = f"{name}: {share:.0%} of the units give zero for every sample."
                yield Remark(DeadReLUs.name, said, DeadReLUs.advice)

    def _of_steps(self, ratios: Mapping[str, float], cost: float | None) -> Iterator[Remark]:
        large = max(ratios, key=lambda name: ratios[name], default="")
        grown = cost is not None and self._first_cost is not None
        has_grown = grown and (cost or 0) > _GROWN * abs(self._first_cost or float("inf"))
        if large and ratios[large] > _LARGE_STEP:
            said = f"One update changes {large} by {ratios[large]:.0%} of its size."
            advice = "A thousandth to a hundredth is usual: take a smaller learning rate."
            yield Remark(LearningRateTooHigh.name, said, advice)
        elif has_grown:
            said = f"The cost has grown from {self._first_cost:.3g} to {cost:.3g}."
            yield Remark(LearningRateTooHigh.name, said, "Take a smaller learning rate.")
