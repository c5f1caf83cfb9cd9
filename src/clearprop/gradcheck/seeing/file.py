"""A learner's file checked as it stands: run, watched, and judged."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import FunctionType

from clearprop.gradcheck.seeing.arrays import recording
from clearprop.gradcheck.seeing.judging.checking import driven, explained, trainings
from clearprop.gradcheck.seeing.judging.completing import completed, never_called
from clearprop.gradcheck.seeing.judging.failing import failing
from clearprop.gradcheck.seeing.judging.seen_report import SeenReport, seen_report
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.run import Ran, run
from clearprop.gradcheck.seeing.tape import Tape, TapeFull

_MOST_NOTES = 8
_MORE = 6.0  # seconds in which functions are called that no training has called
_RUNNING = 0.4  # of the time, at most


def check_seen(file: Path, seconds: float) -> tuple[SeenReport | None, Ran]:
    """Run a file, watch its arrays, and judge every training that it shows.

    Where running it shows none, its functions and classes are called.

    Parameters
    ----------
    file : pathlib.Path
        A module or a notebook.
    seconds : float
        The time that all of it may take.

    Returns
    -------
    report : SeenReport or None
        None where no gradient was seen that can be judged.
    ran : Ran
        What came of running the file.
    """
    tape = Tape()
    ran = run(file, tape, min(seconds * _RUNNING, 20.0))
    source = Source(ran.sources, ran.trees)
    with recording(tape):
        found = trainings(tape, source, ran.namespace)
    if not found:
        errors = Counter[str]()
        with suppress(TapeFull, OutOfTime), ran.calling(tape, seconds * _RUNNING):
            found = driven(tape, source, ran.namespace, errors=errors)
        if not found:
            ran.notes += [f"What was called failed: {error}" for error, _ in errors.most_common(2)]
    if not found:
        return None, ran
    with suppress(TapeFull, OutOfTime), ran.calling(tape, seconds * _RUNNING):
        found = completed(tape, source, ran.namespace, found, _MORE)
    found = [explained(tape, one, source) for one in found]
    unseen = never_called(tape, source, found)
    updates = [update for one in found for update in one.judgement.episode.updates]
    failed = failing(source, updates, ran.failures)
    failed = failed or next((one.failed for one in found if one.failed is not None), None)
    return seen_report(tape, source, found, unseen, _notes(ran), failed), ran


def _notes(ran: Ran) -> list[str]:
    """Return what is to be said of a run: what failed, what was stood in for or skipped."""
    notes = [f"{one.file}, line {one.number} failed: {one.text}" for one in ran.failures]
    notes += ran.notes
    more = len(notes) - _MOST_NOTES
    return notes if more <= 0 else [*notes[:_MOST_NOTES], f"and {more} more."]


def why_unseen(file: Path, ran: Ran) -> str:
    """Say that no gradient was seen in a file."""
    if not ran.sources:
        return f"{file} is no notebook that can be read."
    said = [
        f"{file}: no gradient was seen that could be checked, neither by running it nor by calling "
        "its functions and classes.",
        *(f"{note.rstrip('.')}." for note in _notes(ran)[:3]),
    ]
    if any(isinstance(one, FunctionType) for one in ran.namespace.values()):
        said.append("Functions can be named: --forward NAME --backward NAME --cost NAME.")
    return " ".join(said)
