"""What was seen of a learner's code, in words: a report with the line at fault."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clearprop.errors import counted, listed
from clearprop.gradcheck.diagnosis.mistakes import Diagnosis, Mistake
from clearprop.gradcheck.report import Report, Row, Verdict, number, place
from clearprop.gradcheck.seeing.judging import origins
from clearprop.gradcheck.seeing.judging.blame import Trail
from clearprop.gradcheck.seeing.judging.checking import Training, confirmed, numerical
from clearprop.gradcheck.seeing.judging.judgement import (
    Gradient,
)
from clearprop.gradcheck.seeing.judging.repairs import Repair
from clearprop.gradcheck.seeing.judging.seen_notes import (
    common_factor,
    note_on_factor,
    notes_on,
    term_in,
)
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.notes import Failure
from clearprop.gradcheck.seeing.tape import Line, Node, Tape


@dataclass(frozen=True, repr=False)
class SeenReport(Report):
    """The outcome of a check of code that was watched as it ran.

    Parameters
    ----------
    told : str
        The outcome in words, with the line at fault.
    line : dict of str to object, or None
        The line at fault: its ``file``, ``number`` and ``text``, and ``instead``, the text that
        would make it right, where one was found.
    unseen : tuple of str
        The parameters and functions whose gradients were not seen.
    factor : float or None
        What all gradients are multiplied by, beside the derivatives of the cost that the file
        computes; None where that is 1, or can't be told from the learning rate.
    """

    told: str = ""
    line: dict[str, object] | None = None
    unseen: tuple[str, ...] = ()
    factor: float | None = None

    @property
    def passed(self) -> bool:
        """Whether no gradient is wrong, every one was seen, and no line was at fault."""
        return super().passed and not self.unseen and self.line is None

    @property
    def headline(self) -> str:
        """The outcome in words."""
        return self.told

    def to_dict(self) -> dict[str, object]:
        """Return the report in values that JSON has, but for NaN."""
        seen = {"line": self.line, "unseen": list(self.unseen), "factor": self.factor}
        return {**super().to_dict(), **seen}


def seen_report(
    tape: Tape,
    source: Source,
    found: Sequence[Training],
    never: Sequence[str],
    notes: Sequence[str],
    failed: Failure | None = None,
) -> SeenReport:
    """Tell what came of all trainings that were seen.

    Parameters
    ----------
    tape : Tape
    source : Source
    found : sequence of Training
        At least one.
    never : sequence of str
        The functions that go back and were not called.
    notes : sequence of str
        What else is to be said.
    failed : Failure, optional
        The line that failed for its shapes where a training goes on.
    """
    rows, told = [], []
    for training in found:
        rows += list(_rows(tape, training, several=len(found) > 1))
        notes = [*notes, *notes_on(training, source)]
    unseen = [source.holder(node) for training in found for node in training.judgement.forgotten]
    unseen += [term_in(one, source) for training in found for one in training.judgement.beside]
    unseen += never
    unclear = [row.parameter for row in rows if row.verdict == "unclear" and row.skipped]
    line: dict[str, object] | None = None
    wrong = next((one for one in found if not one.judgement.passed), None)
    if wrong is None:
        told.append(_all_right(found, rows, unseen, unclear))
        judgements = [one.judgement for one in found]
        line = origins.tell_grown(judgements, source, told)
        line = line or origins.tell_written(judgements, source, tape.nodes, told)
        if line is None and failed is not None:
            line = origins.tell_failing(failed, source, tape.nodes, told)
        elif line is None and unseen:
            line = origins.tell_idle(judgements, source, tape.nodes, told)
        factors = [common_factor(training.judgement) for training in found]
        notes = [
            *notes,
            *(note_on_factor(*both) for both in zip(found, factors, strict=True) if both[1]),
        ]
        return SeenReport(
            tuple(rows),
            tuple(notes),
            told="\n".join(told),
            line=line,
            unseen=tuple(dict.fromkeys([*unseen, *unclear])),
            factor=next((one for one in factors if one is not None), None),
        )
    diagnosis = None
    sure = wrong.repairs and wrong.repairs[0].is_whole
    judgements = [] if sure else [one.judgement for one in found if not one.judgement.passed]
    line = origins.tell_written(judgements, source, tape.nodes, told)
    if line is not None:
        unseen += _unreached(wrong)
    elif wrong.blames or wrong.repairs:
        told.append(_fault(wrong, source))
        line = _line(wrong, source)
        diagnosis = _diagnosis(wrong, source)
    else:
        told.append(_without_line(wrong))
        unseen += _unreached(wrong) or list(wrong.names.values())
        line = None if failed is None else origins.tell_failing(failed, source, tape.nodes, told)
    return SeenReport(
        tuple(rows),
        tuple(notes),
        diagnosis,
        told="\n".join(told),
        line=line,
        unseen=tuple(dict.fromkeys(unseen)),
    )


def failed_report(tape: Tape, source: Source, failed: Failure, notes: Sequence[str]) -> SeenReport:
    """Tell the line that failed for its shapes before any gradient was seen."""
    where = f"line {failed.number}{source.whose(failed.file)}"
    told = [f"No gradient was seen, as {where} fails: {failed.text}"]
    line = origins.tell_failed(failed, source, tape.nodes, told)
    return SeenReport((), tuple(notes), told="\n".join(told), line=line)


def _all_right(
    found: Sequence[Training], rows: Sequence[Row], unseen: Sequence[str], unclear: Sequence[str]
) -> str:
    count = sum(row.verdict == "right" for row in rows)
    every = "" if unseen or count < len(rows) else "All "
    words = (
        "The gradient is right"
        if count == 1 == len(rows)
        else f"{every}{count} gradients are right"
    )
    costs = dict.fromkeys(_of_cost(training) for training in found)
    more = f" Of {listed(dict.fromkeys(unseen))} no gradient was seen." if unseen else ""
    if unclear:
        more += f" Of {listed(unclear)} nothing could be measured, as a kink lies near."
    return f"{words}, {', and '.join(costs)}.{more}"


def _of_cost(training: Training) -> str:
    cost = training.judgement.cost
    if cost.is_computed:
        return f"derivatives of {cost.words}"
    return f"derivatives of the {cost.words}, which your file does not compute itself"


def _rows(tape: Tape, training: Training, *, several: bool) -> Iterator[Row]:
    """Yield a row for every parameter, from the output back to the input."""
    judgement = training.judgement
    trail = Trail(tape, judgement)
    backward = sorted(judgement.gradients, key=lambda one: -_first_use(judgement.reached, one))
    for gradient in backward:
        name = training.names[gradient.parameter]
        if several and gradient.result is not None and gradient.result.line is not None:
            name = f"{name} (line {gradient.result.line.number})"
        yield _row(tape, training, gradient, trail, name)


def _first_use(reached: set[Node], gradient: Gradient) -> int:
    return min(
        (node.place for node in reached if gradient.parameter in node.parents),
        default=gradient.parameter.place,
    )


def _row(
    tape: Tape,
    training: Training,
    gradient: Gradient,
    trail: Trail,
    name: str,
) -> Row:
    shape = gradient.parameter.value.shape
    if gradient.verdict == "unreached":
        return Row(name, shape, "unclear", "no cost that depends on it was seen.")
    claim = trail.innermost(gradient)
    claimed = claim.value.ravel().astype(np.float64)
    factor = trail.factors.get(gradient.parameter, 1.0)
    if claimed.size != gradient.claimed.size or claim.name == "beside":  # several updates
        claimed, factor = gradient.claimed, gradient.factor or 1.0
    if gradient.decay is not None:  # which stands beside the gradient
        claimed, factor = gradient.claimed - gradient.decay, gradient.factor or 1.0
    if claimed.size != gradient.truth.size:
        fault = f"it has the shape {claim.value.shape}, expected {shape}, that of {name}."
        return Row(name, shape, "wrong shape", fault)
    if not np.isfinite(claimed).all():
        return Row(name, shape, "not finite", "it holds numbers that are not finite.")
    expected = factor * gradient.truth
    entry = int(np.argmax(np.abs(claimed - expected)))
    index = tuple(int(one) for one in np.unravel_index(int(gradient.places[entry]), shape))
    yours, slope = (
        float(claimed[entry]),
        factor * numerical(tape, training.judgement, gradient, entry),
    )
    off = abs(yours - slope) / max(abs(yours), abs(slope), 1e-300)
    if not confirmed(tape, training.judgement, gradient):
        return Row(name, shape, "unclear", "a kink lies near it.", 0, 1)
    is_right = gradient.verdict == "right"
    fault = "" if is_right else _fault_of(gradient, yours, slope, index)
    verdict: Verdict = "right" if is_right else "wrong"
    size = gradient.truth.size
    return Row(
        name,
        shape,
        verdict,
        fault,
        size,
        0,
        off if off else 0.0,
        index,
        yours,
        slope,
    )


def _fault_of(gradient: Gradient, yours: float, slope: float, index: tuple[int, ...]) -> str:
    if gradient.verdict == "scaled" and slope:
        return f"it is {yours / slope:.4g} times what it should be."
    return f"at {place(index)} it is {number(yours)}, and should be {number(slope)}."


def _fault(training: Training, source: Source) -> str:
    file, row, text = _place(training, source)
    node = _culprit(training)
    spoiled = [
        training.names[one.parameter]
        for one in training.judgement.gradients
        if one.verdict in ("wrong", "scaled")
    ]
    whose = source.whose(file)
    where = f" in line {row}{whose}" if row else ""
    told = (
        [training.names[one] for one in training.repairs[0].parameters] if training.repairs else []
    )
    further = training.repairs[0].further if training.repairs else ()
    if training.repairs or training.blames[0].left_out is not None:
        named = [name for name in spoiled if name in told] if further else spoiled
        said = [f"Line {row}{whose} is wrong, and with it the gradient of {listed(named)}."]
    else:
        name = source.name(node)
        said = [f"{name}{where} is wrong, and with it the gradient of {listed(spoiled)}."]
    if row:
        said += ["", f"  line {row}:  {text}"]
    left_out = None if training.repairs else training.blames[0].left_out
    if left_out is not None and left_out.line is not None:
        said.append(
            f"  What comes back by way of the sum in line {left_out.line.number} is left out."
        )
    blame = next((one for one in training.blames if _is_at(one.line, file, row)), None)
    if blame is not None and blame.expected is not None and blame.wanted is not None:
        node = blame.node
        difference = np.abs(node.value - blame.expected)
        index = tuple(
            int(k) for k in np.unravel_index(int(np.argmax(difference)), difference.shape)
        )
        wanted = blame.wanted.line
        of = source.name(blame.wanted) + ("" if wanted is None else f" of line {wanted.number}")
        said.append(
            f"  It should be the derivative of the cost with respect to {of}: at {place(index)} it "
            f"is {number(float(node.value[index]))}, and should be "
            f"{number(float(blame.expected[index]))}."
        )
    if training.repairs and training.repairs[0].line is not None:
        said.append(f"  change to:  {training.repairs[0].line}")
    elif training.repairs:
        said.append(f"  {training.repairs[0].why}")
    for one in further:
        said += ["", *_further(one, training, source)]
    return "\n".join(said)


def _further(repair: Repair, training: Training, source: Source) -> Iterator[str]:
    """Yield the lines that tell of a mistake beside the first."""
    names = listed(training.names[one] for one in repair.parameters)
    whose = source.whose(repair.file)
    yield f"Line {repair.number}{whose} is wrong, too, and with it the gradient of {names}."
    yield ""
    yield f"  line {repair.number}:  {source.row(repair.file, repair.number)}"
    yield f"  change to:  {repair.line}" if repair.line is not None else f"  {repair.why}"


def _place(training: Training, source: Source) -> tuple[str, int, str]:
    """Return the file, the number and the text of the line at fault."""
    if training.repairs:
        repair = training.repairs[0]
        return repair.file, repair.number, source.row(repair.file, repair.number)
    line = training.blames[0].line
    return ("", 0, "") if line is None else (line.file, line.number, source.text(line))


def _is_at(line: Line | None, file: str, row: int) -> bool:
    return line is not None and (line.file, line.number) == (file, row)


def _culprit(training: Training) -> Node:
    """Return the node in whose line the mistake stands."""
    return training.repairs[0].node if training.repairs else training.blames[0].node


def _unreached(training: Training) -> list[str]:
    return [
        training.names[one.parameter]
        for one in training.judgement.gradients
        if one.verdict == "unreached"
    ]


def _without_line(training: Training) -> str:
    judgement = training.judgement
    wrong = [
        training.names[one.parameter]
        for one in judgement.gradients
        if one.verdict in ("wrong", "scaled")
    ]
    if wrong and judgement.turns:
        return (
            f"The steps of {listed(wrong)} lead down the cost at first, and up later: what makes "
            "steps of the gradients, which are right, turns their sign."
        )
    if wrong:
        return f"The gradient of {listed(wrong)} is wrong; the line could not be found."
    unseen = _unreached(training)
    if not unseen:
        (name,) = training.names.values()
        return f"Of {name} a single entry was seen, of which only the sign can be checked: right."
    return (
        f"Of {listed(unseen)} nothing could be measured: no cost depends on it, or a kink, such as "
        "that of a ReLU at 0, lies there."
    )


def _line(training: Training, source: Source) -> dict[str, object] | None:
    file, row, text = _place(training, source)
    if not row:
        return None
    instead = training.repairs[0].line if training.repairs else None
    return {"file": file, "number": row, "text": text, "instead": instead}


def _diagnosis(training: Training, source: Source) -> Diagnosis | None:
    if not training.repairs:
        return None
    repair = training.repairs[0]
    name = next(
        (
            training.names[one.parameter]
            for one in training.judgement.gradients
            if one.verdict in ("wrong", "scaled")
        ),
        "",
    )
    others = dict.fromkeys(
        f"{one.line} (line {one.number})" if one.number != repair.number else one.line
        for one in training.repairs[1:4]
        if one.line and not _alike(one, repair)
    )
    return Diagnosis(
        name,
        (
            Mistake(
                repair.cause,
                name,
                (source.name(repair.node),),
                _place(training, source)[2],
                repair.line or "",
                f"With this change {counted(int(repair.mended), 'gradient')} more would be right.",
                tuple(others),
            ),
        ),
    )


def _alike(one: Repair, other: Repair) -> bool:
    """Whether two repairs write the same, but for blanks."""
    return (one.line or "").replace(" ", "") == (other.line or "").replace(" ", "")
