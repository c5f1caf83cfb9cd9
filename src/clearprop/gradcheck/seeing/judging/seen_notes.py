"""Notes on what was seen of a training, beside its verdict."""

from collections.abc import Iterator, Sequence

from clearprop.gradcheck.seeing.judging.checking import Training
from clearprop.gradcheck.seeing.judging.judgement import (
    CLOSE,
    SAME_FACTOR,
    Judgement,
    fitted,
)
from clearprop.gradcheck.seeing.judging.sampled import sampled
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.steps import is_second_order, summands
from clearprop.gradcheck.seeing.tape import Node


def common_factor(judgement: Judgement) -> float | None:
    """Return the factor of all gradients beside the derivatives of a cost that the code computes.

    None where it is 1, also where it may be: a rate of ``0.1 / m`` is no factor.
    """
    if not judgement.cost.is_computed:
        return None
    every: list[list[float]] = []
    for gradient in judgement.gradients:
        levels = summands(gradient.claim, judgement.reached)
        inner = levels[1:] if gradient.result is not None else levels[:1]
        fits = [fitted(one.value, gradient.truth) for one in inner]
        every.append([abs(factor) for factor, error in fits if factor and error < CLOSE])
    told = [some for some in every if some]  # of ``W -= (0.1 * X.T) @ d`` the rate can't be told
    if not told or any(_holds(some, 1.0) for some in told):
        return None
    own = told[0][0]
    return own if all(_holds(some, own) for some in told) else None


def note_on_factor(training: Training, factor: float | None) -> str:
    """Say that all gradients have a factor."""
    return (
        f"every gradient is {factor:.4g} times the derivative of {training.judgement.cost.words}; "
        "a learning rate makes up for that."
    )


def term_in(node: Node, source: Source) -> str:
    """Say what is added to gradients, and comes of no cost that was seen."""
    number = 0 if node.line is None else node.line.number
    file = "" if node.line is None else source.whose(node.line.file)
    return f"what line {number}{file} adds"


def notes_on(training: Training, source: Source) -> Iterator[str]:
    """Say how a training was called, and what of it is not judged."""
    judgement = training.judgement
    if training.how:
        yield f"the file itself trains nothing; called was {training.how}."
    if judgement.others and not judgement.cost.is_computed:
        line = judgement.others[0].line
        if line is not None:
            yield (
                f"line {line.number} computes another number, whose derivatives these are not: "
                f"{source.text(line)}"
            )
    if any(one.decay is not None for one in judgement.gradients) and not judgement.beside:
        yield "the updates take a share of the weights themselves (weight decay), beside the cost."
    for line in dict.fromkeys(one.line for one in judgement.given if one.name == "add"):
        if line is not None:
            yield f"the target that line {line.number} makes of outputs is taken as given."
    for one in judgement.beside:
        yield (
            f"{term_in(one, source)} to gradients comes of no cost that was seen: of a penalty "
            f"that is not computed, or by mistake: {source.text(one.line)}"
        )
    drawn = None if judgement.passed else sampled(judgement)
    if drawn is not None and drawn.line is not None:
        yield (
            f"line {drawn.line.number} draws samples of what the parameters give; what is learned "
            "of them, as by contrastive divergence, is no derivative of a cost, and is not judged: "
            f"{source.text(drawn.line)}"
        )
    steps = (update.step for update in judgement.episode.updates)
    if any(is_second_order(one) for step in steps for one in summands(step, judgement.reached)):
        yield (
            "the steps are gradients times the inverse of a matrix (Newton's method), of which "
            "nothing is said."
        )


def _holds(factors: Sequence[float], one: float) -> bool:
    return any(abs(factor / one - 1) < SAME_FACTOR for factor in factors)
