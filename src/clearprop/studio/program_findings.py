"""What is wrong with a program as it runs: what one sees in its arrays, in the doctor's words.

A page says them in its own language: each is a text of the catalogues, with values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clearprop.configuration import Json
from clearprop.doctor.flow import DeadReLUs, NotANumber
from clearprop.doctor.illness import Illness
from clearprop.doctor.learning_rate import LearningRateTooHigh
from clearprop.studio.program_messages import Seen
from clearprop.studio.words import Told, say

DOCTORS = (DeadReLUs, LearningRateTooHigh, NotANumber)
"""The doctor's illnesses that are seen here, too."""

_LARGE = 1e6  # weights of this size have left the range that inputs of about 1 need
_LARGE_STEP = 0.5  # of a parameter, that one update changes
_GROWN = 10.0  # times the first cost
_PATIENCE = 3  # pictures in a row in which something has to be seen


@dataclass(frozen=True)
class Remark:
    """Something that is wrong.

    Parameters
    ----------
    of : str
        The array that it is seen in; empty where it is no single one.
    name : Told
        What it is called.
    said : Told
        What was seen.
    advice : Told
    """

    of: str
    name: Told
    said: Told
    advice: Told

    def to_json(self) -> dict[str, Json]:
        """Describe it as a page takes findings."""
        parts = {"name": self.name, "said": self.said, "advice": self.advice}
        return {name: part.to_json() for name, part in parts.items()}

    def in_words(self) -> dict[str, Json]:
        """Describe it in English."""
        return {"name": str(self.name), "said": str(self.said), "advice": str(self.advice)}


def _of_doctor(of: str, illness: type[Illness], said: Told) -> Remark:
    return Remark(of, Told(illness.name, {}), said, Told(str(illness.advice), {}))


class Remarks:
    """What is wrong with the pictures of a program so far.

    What lasts for some pictures is said, and no longer once it is gone; numbers that are not finite
    are said at once.
    """

    def __init__(self) -> None:
        self._first_cost: float | None = None
        self._seen: dict[tuple[str, str], int] = {}
        self._steps: list[Remark] = []
        self.now: list[Remark] = []

    def learn(
        self, arrays: Mapping[str, Seen], ratios: Mapping[str, float], cost: float | None
    ) -> None:
        """Look at one more picture."""
        if self._first_cost is None:
            self._first_cost = cost
        self._steps = list(self._of_steps(ratios, cost))
        found = {(one.name.text, one.of): one for one in (*self._all(arrays), *self._steps)}
        self._seen = {key: self._seen.get(key, 0) + 1 for key in found}
        self.now = [
            one
            for key, one in found.items()
            if one.name.text == NotANumber.name or self._seen[key] >= _PATIENCE
        ]

    def settle(self, arrays: Mapping[str, Seen]) -> None:
        """Say all that is there to see at the end, for no other picture comes.

        Parameters
        ----------
        arrays : mapping of str to Seen
            The arrays that stay on the page: the last picture need not have caught all of them.
        """
        self.now = [*self._all(arrays), *self._steps]

    def _all(self, arrays: Mapping[str, Seen]) -> Iterator[Remark]:
        for name, one in arrays.items():
            low, high = one.statistics["low"], one.statistics["high"]
            if one.bad:
                said = say(
                    "{name} has {count} numbers that are not finite.", name=name, count=one.bad
                )
                yield _of_doctor(name, NotANumber, said)
            elif low is None or high is None:
                continue
            elif one.role == "parameter" and max(abs(low), abs(high)) > _LARGE:
                size = f"{max(abs(low), abs(high)):.2g}"
                yield Remark(
                    name,
                    say("Exploding values"),
                    say("{name} has grown to {size}.", name=name, size=size),
                    say("Take a smaller learning rate."),
                )
            elif one.role == "gradient" and low == high == 0:
                yield Remark(
                    name,
                    say("No gradient"),
                    say(
                        "{name}, the gradient of {parameter}, is zero in every entry.",
                        name=name,
                        parameter=one.of,
                    ),
                    say(
                        "Nothing is learned there: look at what it is made of, for dead units or a "
                        "factor of zero."
                    ),
                )
            elif one.role == "activation" and (one.statistics["dead"] or 0) >= DeadReLUs.threshold:
                share = f"{one.statistics['dead'] or 0:.0%}"
                said = say(
                    "{name}: {share} of the units give zero for every sample.",
                    name=name,
                    share=share,
                )
                yield _of_doctor(name, DeadReLUs, said)

    def _of_steps(self, ratios: Mapping[str, float], cost: float | None) -> Iterator[Remark]:
        large = max(ratios, key=lambda name: ratios[name], default="")
        grown = cost is not None and self._first_cost is not None
        has_grown = grown and (cost or 0) > _GROWN * abs(self._first_cost or float("inf"))
        name = Told(LearningRateTooHigh.name, {})
        if large and ratios[large] > _LARGE_STEP:
            share = f"{ratios[large]:.0%}"
            said = say("One update changes {name} by {share} of its size.", name=large, share=share)
            advice = say("A thousandth to a hundredth is usual: take a smaller learning rate.")
            yield Remark("", name, said, advice)
        elif has_grown:
            said = say(
                "The cost has grown from {first} to {last}.",
                first=f"{self._first_cost:.3g}",
                last=f"{cost:.3g}",
            )
            yield Remark("", name, said, say("Take a smaller learning rate."))
