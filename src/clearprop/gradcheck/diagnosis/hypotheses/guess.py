"""What a hypothesis is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clearprop.gradcheck.diagnosis.hypotheses.formulas import Formulas
from clearprop.gradcheck.diagnosis.network.replay import Run
from clearprop.parameters import Array


@dataclass(frozen=True)
class Step:
    """One line of a backward pass that is not as it should be.

    Parameters
    ----------
    cause : str
        A key of `words.CAUSES`.
    layer : int
    target : str
        What the line computes: ``"dZ"``, ``"dA"``, ``"dW"`` or ``"db"``.
    theirs, ours : str
        The line as it seems to be, and as it should be, in their notation.
    variant : str
        The same text for the same mistake in another layer.
    equals : tuple of str
        Causes that would give the same numbers.
    factor : float
        By what the right value was multiplied, where that is all.
    """

    cause: str
    layer: int
    target: str
    theirs: str
    ours: str
    variant: str = ""
    equals: tuple[str, ...] = ()
    factor: float | None = None


Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Guess:
    """What a line might compute.

    Parameters
    ----------
    value : ndarray
        What comes out.
    steps : tuple of Step
        What is wrong with it; empty for the right line.
    free : ndarray, optional
        What may be added any number of times: a learning rate that nobody told us.
    name : callable, optional
        Says what is wrong, given that number; None where such a number makes no sense.
    """

    value: Array
    steps: Steps = ()
    free: Array | None = None
    name: Callable[[float], Steps | None] | None = None


@dataclass(frozen=True)
class Place:
    """Where a backward pass stands, as far as the code under check has been explained.

    Parameters
    ----------
    run : Run
    layer : int
        The layer whose gradients come next.
    dZ, dA : mapping of int to ndarray
        Those of the layers above, with the mistakes in them that were found.
    dW : mapping of int to ndarray
        The gradients of the code under check, by layer.
    close : float
        The largest difference that counts as rounding, over the largest entry.
    """

    run: Run
    layer: int
    dZ: Mapping[int, Array]
    dA: Mapping[int, Array]
    dW: Mapping[int, Array]
    close: float

    @property
    def formulas(self) -> Formulas:
        """How lines are written here."""
        return Formulas(self.run.plan, self.layer)
