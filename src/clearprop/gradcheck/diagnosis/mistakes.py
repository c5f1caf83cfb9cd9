"""The mistakes that clearprop knows, and the diagnosis that names them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A kind of mistake.

    Parameters
    ----------
    title : str
    explanation : str
        One or two sentences.
    rarity : float, default 1
        The weight against others that give the same numbers: what is less usual is believed later.
    """

    title: str
    explanation: str
    rarity: float = 1


CAUSES: Mapping[str, Cause] = {
    # The mean over the samples.
    "mean_missing": Cause("1/m missing", "The sum over the m samples is not divided by m."),
    "mean_twice": Cause("1/m twice", "The sum over the m samples is divided by m twice."),
    "mean_axis": Cause(
        "divided by the wrong size",
        "The sum over the samples is divided by another size than their number m: which axis are "
        "the samples?",
    ),
    # Factors.
    "sign": Cause("wrong sign", "It has the opposite sign."),
    "swapped": Cause("Y and A swapped", "The difference is taken the wrong way round."),
    "factor_two": Cause("factor 2", "It is twice or half of what it should be."),
    "factor": Cause(
        "a constant factor",
        "It is right but for a factor without a usual meaning. Is it a learning rate or momentum?",
        rarity=1.6,
    ),
    # Products.
    "transposed": Cause(
        "transposed product",
        "A factor is transposed that should not be, or the result is.",
    ),
    "wrong_pair": Cause(
        "product of the wrong pair", "It is made of another array than it should be."
    ),
    "elementwise": Cause(
        "element-wise product for a matrix product",
        "`*` multiplies entry by entry; the sum over the inner axis needs `@` or np.dot.",
    ),
    "reshaped": Cause(
        "reshape for a transposition",
        "reshape keeps the entries in their order and mixes up the samples; `.T` turns the array.",
    ),
    "W_layer": Cause("W of the wrong layer", "The way back goes through another layer's weights."),
    "W_missing": Cause(
        "W left out", "The way back to the layer before leads through W.", rarity=1.1
    ),
    "W_updated": Cause(
        "W already updated",
        "W was updated before it was used to go back; every gradient belongs to the old W.",
    ),
    "delta_layer": Cause("delta of the wrong layer", "It takes what another layer sends back."),
    "cache_layer": Cause(
        "cache of the wrong layer", "It takes what forward kept for another layer."
    ),
    # The bias.
    "bias_axis": Cause(
        "bias summed over the wrong axis",
        "The sum runs over the units, not the samples.",
    ),
    "bias_averaged": Cause(
        "bias averaged",
        "A mean is taken where the sum is meant; divided by m it would be divided twice.",
    ),
    "bias_broadcast": Cause(
        "bias not summed to its shape",
        "Every unit has its own sum over the samples, so db has the shape of b; broadcasting hides "
        "it when b is updated.",
    ),
    # The derivative of the activation.
    "other_activation": Cause(
        "derivative of another activation",
        "The derivative does not belong to the activation of forward.",
    ),
    "at_A": Cause(
        "derivative taken at A instead of Z",
        "This formula for g' is one of Z, not of A = g(Z).",
    ),
    "at_Z": Cause("taken at Z instead of A", "This formula is one of A = g(Z), not of Z."),
    "dA_missing": Cause("dA left out", "dZ = dA * g'(Z): what comes back from above is left out."),
    "slope_missing": Cause("derivative left out", "dZ = dA * g'(Z): g' is left out."),
    "slope_twice": Cause("derivative applied twice", "g' is multiplied in twice.", rarity=1.2),
    "slope_incomplete": Cause(
        "derivative incomplete",
        "A part of the formula of g' is missing or turned.",
        rarity=1.2,
    ),
    "brackets": Cause(
        "brackets left out", "1 - A needs brackets to be one factor: dA * A * (1 - A)."
    ),
    "leaky_slope": Cause(
        "another slope of leaky ReLU", "Forward has another slope below zero.", rarity=1.1
    ),
    "mask_sign": Cause(
        "mask of ReLU with the wrong sign",
        "The gradient passes where Z <= 0, and is stopped where Z > 0.",
    ),
    "mask_layer": Cause(
        "mask of ReLU from the wrong array",
        "The mask belongs to the Z of the same layer.",
    ),
    # The output.
    "other_loss": Cause(
        "cost and gradient of different losses",
        "It is the gradient of another cost than the one that is computed.",
    ),
    "softmax_elementwise": Cause(
        "softmax treated element by element",
        "Every output of a softmax depends on every Z of its sample, so that g' is a matrix, not "
        "A * (1 - A).",
    ),
    "cost_sign": Cause(
        "cost with the wrong sign",
        "The gradient is right for a cost of the other sign: a cross-entropy or a mean of squares "
        "is never negative.",
    ),
    "dA_slip": Cause(
        "slip within dA of the cost",
        "One of the two terms of the cross-entropy's derivative has a wrong sign or denominator.",
    ),
    "Y_missing": Cause("Y left out", "The targets are missing."),
    "thresholded": Cause(
        "predictions instead of probabilities",
        "It takes the predicted classes; the cost depends on the probabilities.",
        rarity=1.1,
    ),
    # L2 and dropout.
    "l2_missing": Cause("L2 term missing", "The cost has an L2 term, and this gradient has none."),
    "l2_mean": Cause(
        "L2 term without 1/m",
        "The L2 term is not divided by m as it is in the cost, or twice.",
    ),
    "l2_factor": Cause(
        "L2 term of another size",
        "The L2 term is not the derivative of the one in the cost.",
    ),
    "l2_bias": Cause("L2 on the bias", "The cost's L2 term spares the bias."),
    "l2_extra": Cause(
        "L2 term that the cost lacks",
        "The gradient has an L2 term, and the cost has none.",
        rarity=1.1,
    ),
    "dropout_missing": Cause(
        "dropout mask not applied in backward",
        "What forward dropped must not learn: backward takes the same mask.",
    ),
    "dropout_scale": Cause(
        "dropout not scaled in backward",
        "Backward is divided by keep_prob exactly as often as forward.",
    ),
    "dropout_slope": Cause(
        "derivative taken after dropout",
        "The formula takes A = g(Z) as it was before the mask and the scale.",
    ),
    # Loops and dictionaries.
    "off_by_one": Cause("index off by one", "An index or key is one beside the one that is meant."),
    "last_sample": Cause(
        "one sample only",
        "Only one sample is left in it: `=` instead of `+=` in a loop over the samples?",
    ),
    "accumulated": Cause(
        "added to the gradient of the step before",
        "Every call adds to what the call before left; gradients start from zero.",
    ),
    "zero": Cause("never written", "It is zero everywhere."),
    "pair": Cause(
        "a pair taken for an array",
        "A function that returns (A, cache) was used as if it returned A.",
    ),
    # No mistakes.
    "float32": Cause(
        "float32 rounding",
        "No mistake: float32 holds seven digits, and the differences are of that size. Check in "
        "float64.",
    ),
    "rounding": Cause(
        "rounding",
        "No mistake that would show: it agrees with the exact gradient but for the last digits.",
    ),
}
"""Every cause by its key, which stays the same in any language."""


@dataclass(frozen=True)
class Mistake:
    """One mistake, wherever it was made.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`, which stays: ``"mean_missing"``.
    parameter : str
        The first parameter whose gradient is wrong because of it.
    places : tuple of str
        The arrays of the lines in which it was made, from the output back: ``("dW2", "dW1")``.
    theirs : str
        The first of these lines as it seems to be, in the notation of the code.
    correction : str
        The same line as it should be.
    evidence : str
        A sentence on how closely the mistake gives their numbers.
    others : tuple of str
        Other mistakes that would give the same numbers.
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
        return CAUSES[self.cause].title


@dataclass(frozen=True)
class Diagnosis:
    """The mistakes of a backward pass.

    Parameters
    ----------
    parameter : str
        The first parameter, on the way back, whose gradient is wrong.
    mistakes : tuple of Mistake
        The mistakes that together give the numbers of the code under check, from the output back.
        Empty where nothing fits.
    known : tuple of str
        Facts about a gradient that nothing explains.
    ruled_out : tuple of str
        The titles of the causes that were tried on it.
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
            known.append(f"Ruled out: {', '.join(self.ruled_out)}.")
        return "\n\n".join([*parts, *(["\n".join(known)] if known else [])])


def _lines(number: int, mistake: Mistake, *, alone: bool) -> list[str]:
    first, *more = mistake.places
    heading = "The mistake" if alone else f"Mistake {number}, in {first}"
    lines = [f"{heading}: {mistake.title}", f"  {CAUSES[mistake.cause].explanation}"]
    if mistake.theirs:
        lines.append(f"  looks like  {mistake.theirs}")
    if mistake.correction:
        lines.append(f"  should be   {mistake.correction}")
    lines.append(f"  {mistake.evidence}")
    if more:
        lines.append(f"  The same in {', '.join(more)}.")
    if mistake.others:
        lines.append(f"  The same numbers would come from: {'; '.join(mistake.others)}.")
    return lines
