"""Gradients judged that a learner's code shows where it is called."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from clearprop.gradcheck.seeing.calling.driving import BROADCAST, Attempt, attempts
from clearprop.gradcheck.seeing.calling.strided import STRIDED
from clearprop.gradcheck.seeing.judging.checking import Training, explained, named, trainings
from clearprop.gradcheck.seeing.judging.claims import judge_claims
from clearprop.gradcheck.seeing.judging.failing import failing, failing_back, failure
from clearprop.gradcheck.seeing.judging.judgement import Gradient, Judgement
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.notes import Failure
from clearprop.gradcheck.seeing.tape import Tape, TapeFull


@dataclass
class Fruitless:
    """What came of calls that have shown no gradient.

    Parameters
    ----------
    errors : counter of str
        Why they have failed, for people.
    stops : list of Failure
        Lines that fail for their shapes, in layers that went forward.
    late : list of str
        Expressions of values that differentiate themselves, which there was no time for.
    """

    errors: Counter[str] = field(default_factory=Counter)
    stops: list[Failure] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


def driven(
    tape: Tape,
    source: Source,
    namespace: Mapping[str, Any],
    seconds: float = 15.0,
    fruitless: Fruitless | None = None,
    wanted: Sequence[str] = (),
) -> list[Training]:
    """Call a file's functions and classes until they have shown their gradients, and judge those.

    Data that hide no mistake decide: of several attempts the one with the richest. Layers that
    were called alone are judged beside each other. What came of the others is added to
    `fruitless`. What is `wanted` is called rather than other functions of its kind.
    """
    best: tuple[tuple[int, bool, float, int], list[Training]] | None = None
    alone: dict[str, Training] = {}
    failed: Failure | None = None
    richest = 0
    fruitless = Fruitless() if fruitless is None else fruitless
    with suppress(TapeFull, OutOfTime):
        for attempt in attempts(namespace, source, tape, seconds, wanted):
            poorer = attempt.alone or (attempt.error is None and attempt.rank > richest)
            if best is not None and poorer:
                break  # what comes now can't decide any more
            found = _shown(attempt, tape, source)
            if attempt.is_taught:
                # Of arguments that were made by trying, a mistake is believed that can be mended.
                found = [one for one in found if _is_sure(explained(tape, one, source))]
            if not found:
                if attempt.error is not None:
                    fruitless.errors[attempt.error] += 1
                if attempt.is_late:
                    fruitless.late.append(attempt.words)
                stop = failing_back(source, failure(attempt.error), ())
                if attempt.is_stopped and stop is not None:
                    fruitless.stops.append(stop)
                continue
            if attempt.alone:
                plain = alone.get(attempt.alone.removesuffix(STRIDED))
                if attempt.alone.endswith(STRIDED) and not (plain and plain.judgement.passed):
                    continue  # what is wrong with steps of 1 is told
                one = _as_layer(found[0])
                known = alone.get(attempt.alone)
                if known is None or _worth(one.judgement) > _worth(known.judgement):
                    alone[attempt.alone] = one
                continue
            key = (-attempt.rank, *min(_worth(one.judgement) for one in found))
            failed = failed or found[0].failed
            if best is None or key > best[0]:
                best, richest = (key, found), attempt.rank
            if attempt.rank < BROADCAST and all(one.judgement.passed for one in found):
                break
    if best is None:
        return list(alone.values())
    return [replace(one, failed=one.failed or failed) for one in best[1]]


def _is_sure(training: Training) -> bool:
    """Whether all gradients are right, or are with a change of one line."""
    return training.judgement.passed or any(one.is_whole for one in training.repairs)


def _shown(attempt: Attempt, tape: Tape, source: Source) -> list[Training]:
    """Judge what an attempt has shown: updates, or gradients that were returned."""
    found = trainings(tape, source, attempt.held, attempt.since, attempt.cost)
    if not found and attempt.claims:
        judgement = judge_claims(tape, attempt.parameters, attempt.claims, source, attempt.cost)
        if judgement is not None:
            names = {node: name for name, node in attempt.parameters.items()}
            found = [named(tape, judgement, source, names)]
    if attempt.error is not None:  # perhaps for the same shapes: what fits nowhere tells nothing
        found = [one for one in found if any(_fits(each) for each in one.judgement.gradients)]
    span = attempt.since, len(tape)
    updates = [update for one in found for update in one.judgement.episode.updates]
    failed = failing(source, updates, failure(attempt.error))
    how, unwatched = attempt.words, attempt.unwatched
    return [replace(one, how=how, span=span, failed=failed, unwatched=unwatched) for one in found]


def _fits(gradient: Gradient) -> bool:
    """Whether a gradient has as many entries as its parameter."""
    return gradient.claimed.size == gradient.places.size


def _as_layer(found: Training) -> Training:
    """Allow the derivative with respect to a layer's input a factor of its own.

    Many divide by the number of samples where weights get their gradients, and not on the way back.
    Where nothing is seen of its weights, inputs of that shape may not be what it is meant for.
    """
    unsure = any(one.verdict == "unreached" for one in found.judgement.gradients)
    gradients = tuple(
        replace(one, verdict="right" if one.parameter.name == "data" else "unreached")
        if one.verdict == "scaled"
        and (one.parameter.name == "data" or (unsure and one.parameter.name == "input"))
        else one
        for one in found.judgement.gradients
    )
    judgement = replace(found.judgement, gradients=gradients)
    return replace(found, judgement=judgement, is_part=True)


def _worth(found: Judgement) -> tuple[bool, float, int]:
    return found.passed, found.right / len(found.gradients), len(found.gradients)
