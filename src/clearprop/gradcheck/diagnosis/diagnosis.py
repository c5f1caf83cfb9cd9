"""What the numbers of a wrong gradient say."""

from dataclasses import dataclass

from clearprop.gradcheck.diagnosis.words import explanation, say, title


@dataclass(frozen=True)
class Mistake:
    """One mistake, wherever it was made.

    Parameters
    ----------
    cause : str
        What it is, as a key that stays: ``"mean_missing"``.
    parameter : str
        The first parameter whose gradient is wrong because of it.
    places : tuple of str
        What the lines compute in which it was made, from the output back: ``("dW2", "dW1")``.
    theirs : str
        The first of these lines as it seems to be, in the notation of the code.
    correction : str
        The same as it should be.
    evidence : str
        How closely the mistake gives their numbers.
    others : tuple of str
        What would give the same numbers.
    """

    cause: str
    parameter: str
    places: tuple[str, ...]
    theirs: str
    correction: str
    evidence: str
    others: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The cause in words."""
        return title(self.cause)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a backward pass.

    Parameters
    ----------
    parameter : str
        The first parameter, on the way back, whose gradient is wrong.
    mistakes : tuple of Mistake
        Which together give the numbers of the code under check, from the output back. Empty where
        nothing fits.
    known : tuple of str
        What is known of a gradient that nothing explains.
    ruled_out : tuple of str
        The titles of what was tried on it.
    """

    parameter: str
    mistakes: tuple[Mistake, ...] = ()
    known: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()

    @property
    def cause(self) -> str | None:
        """The cause of the first mistake, or None where nothing fits."""
        return self.mistakes[0].cause if self.mistakes else None

    def __str__(self) -> str:
        parts = [
            "\n".join(_lines(number, mistake, alone=len(self.mistakes) == 1))
            for number, mistake in enumerate(self.mistakes, start=1)
        ]
        known = list(self.known)
        if self.ruled_out:
            known.append(say("ruled out", causes=", ".join(self.ruled_out)))
        return "\n\n".join([*parts, *(["\n".join(known)] if known else [])])


def _lines(number: int, mistake: Mistake, *, alone: bool) -> list[str]:
    first, *more = mistake.places
    heading = (
        say("heading one", title=mistake.title)
        if alone
        else say("heading of several", number=number, places=first, title=mistake.title)
    )
    lines = [heading, f"  {explanation(mistake.cause)}"]
    if mistake.theirs:
        lines.append(say("theirs", line=mistake.theirs))
    if mistake.correction:
        lines.append(say("ours", line=mistake.correction))
    lines.append(f"  {mistake.evidence}")
    if more:
        lines.append(say("also in", places=", ".join(more)))
    if mistake.others:
        lines.append(say("others", others="; ".join(mistake.others)))
    return lines
