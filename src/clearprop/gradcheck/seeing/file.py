"""A learner's file checked as it stands: run, watched, and judged."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from clearprop.gradcheck.seeing.arrays import recording
from clearprop.gradcheck.seeing.judging.called import Fruitless, driven
from clearprop.gradcheck.seeing.judging.checking import Training, explained, trainings
from clearprop.gradcheck.seeing.judging.completing import completed, never_called
from clearprop.gradcheck.seeing.judging.failing import failing, failing_back
from clearprop.gradcheck.seeing.judging.seen_report import SeenReport, failed_report, seen_report
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.clock import Watchdog
from clearprop.gradcheck.seeing.running.forms import PLAIN, SMALL, Form, other_forms
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.programs import programs_with
from clearprop.gradcheck.seeing.running.run import Ran, run
from clearprop.gradcheck.seeing.tape import Tape, TapeFull, ancestors

_MOST_NOTES = 8
_MORE = 6.0  # seconds in which functions are called that no training has called
_RUNNING = 0.4  # of the time, at most
_AGAIN = 0.6  # of the time for running, with less data
_CALLING = 0.5  # of the time that is left
_IN_USE = 0.2  # of the time, for the programs that import a file
_JUDGING = 2.0  # times as long, for running one of them and judging what it has shown


def check_seen(file: Path, seconds: float, *, alone: bool = False) -> tuple[SeenReport | None, Ran]:
    """Run a file, watch its arrays, and judge every training that it shows.

    Where running it shows none, programs near it that import it are run, or else its functions and
    classes are called.

    Parameters
    ----------
    file : pathlib.Path
        A module or a notebook.
    seconds : float
        The time that all of it may take.
    alone : bool, default False
        Whether no other program is run.

    Returns
    -------
    report : SeenReport or None
        None where no gradient was seen that can be judged.
    ran : Ran
        What came of running the file.
    """
    end = time.monotonic() + seconds
    shown = _shown(file, min(seconds * _RUNNING, 20.0))
    if not (shown.found or alone):
        shown = _in_use(file, shown.ran, seconds * _IN_USE) or shown
    tape, ran, source, found = shown.tape, shown.ran, shown.source, shown.found
    fruitless = Fruitless()
    if not found:
        stopped = failing_back(source, ran.failures, ran.notes)
        if stopped is not None:
            return failed_report(tape, source, stopped, _notes(ran)), ran
        lasts = (end - time.monotonic()) * _CALLING
        with suppress(TapeFull, OutOfTime), ran.calling(tape, lasts):
            found = driven(tape, source, ran.namespace, fruitless=fruitless)
        if not found and fruitless.stops:
            return failed_report(tape, source, fruitless.stops[0], _notes(ran)), ran
        if not found:
            errors = (error for error, _ in fruitless.errors.most_common(2))
            ran.notes += [f"What was called failed: {error}" for error in errors]
            return None, ran
    lasts = min(_MORE, (end - time.monotonic()) * _CALLING)
    with suppress(TapeFull, OutOfTime), ran.calling(tape, max(lasts, 0.0)):
        found = completed(tape, source, shown.namespace, found, lasts, fruitless)
    found = [explained(tape, one, source) for one in found]
    unseen = never_called(tape, source, found)
    done = tuple(one.how for one in found if one.how)
    unseen += [late for late in fruitless.late if not any(how.startswith(late) for how in done)]
    updates = [update for one in found for update in one.judgement.episode.updates]
    failed = failing(source, updates, ran.failures, ran.notes)
    failed = failed or next((one.failed for one in found if one.failed is not None), None)
    failed = failed or next(iter(fruitless.stops), None)
    return seen_report(tape, source, found, unseen, _notes(ran), failed), ran


@dataclass
class _Shown:
    """What running a file has shown.

    Parameters
    ----------
    tape : Tape
    ran : Ran
    source : Source
        With the file that is checked first.
    namespace : dict
        The names that this file defines.
    found : list of Training
    """

    tape: Tape
    ran: Ran
    source: Source
    namespace: dict[str, Any]
    found: list[Training]


def _shown(file: Path, seconds: float) -> _Shown:
    """Run a file; where it fails with data that stand in for others, with such of another form.

    Where it takes too long, it is run once more with less data.
    """
    begun = time.monotonic()
    first = _ran(file, seconds, PLAIN)
    if not first.found and first.ran.was_ended:
        lasts = max(begun + seconds - time.monotonic(), _AGAIN * seconds)
        small = _ran(file, lasts, SMALL)
        return small if small.found else first
    if first.found or not first.ran.failures or not first.ran.is_given:
        return first
    text = "\n".join("\n".join(lines) for lines in first.ran.sources.values())
    took = time.monotonic() - begun
    for form in other_forms(text):
        lasts = begun + seconds - time.monotonic()
        if lasts < 1 + took:
            break
        shown = _ran(file, lasts, form)
        if shown.found:
            return shown
    return first


def _ran(file: Path, seconds: float, form: Form) -> _Shown:
    tape = Tape()
    ran = run(file, tape, seconds, form)
    source = Source(ran.sources, ran.trees)
    with recording(tape):
        found = trainings(tape, source, ran.namespace)
    return _Shown(tape, ran, source, ran.namespace, found)


def _in_use(file: Path, alone: Ran, seconds: float) -> _Shown | None:
    """Run the programs that import a file, until one trains with what the file defines.

    Where none does, one that fails in the file, going back, is returned.

    Parameters
    ----------
    file : pathlib.Path
    alone : Ran
        What came of running the file itself.
    seconds : float
        The time that all of it may take.
    """
    end, stopped, watchdog = time.monotonic() + seconds, None, Watchdog()
    for program in programs_with(file):
        lasts = end - time.monotonic()
        if lasts < 1:
            break
        shown: _Shown | None = None
        # What is judged too long leaves time for calling the file's functions and classes.
        with suppress(OutOfTime), watchdog.watching(), watchdog.armed_for(_JUDGING * lasts):
            shown = _shown(program, lasts)
        module = None if shown is None else shown.ran.module(file)
        if shown is None or module is None:
            continue
        name, shown.namespace = module
        shown.found = [one for one in shown.found if _takes_part(name, one)]
        own = [one for one in shown.ran.failures if one.file == name]
        if not shown.found and (stopped or not failing_back(shown.source, own, shown.ran.notes)):
            continue
        sources = shown.ran.sources
        first = {one: sources[one] for one in alone.sources if one in sources}
        shown.source = Source({name: sources[name], **first, **sources}, shown.ran.trees)
        shown.ran.notes.insert(
            0, f"{name} itself trains nothing; {program.name}, which imports it, was run."
        )
        if shown.found:
            return shown
        stopped = shown
    return stopped


def _takes_part(file: str, training: Training) -> bool:
    """Whether the gradients of a training come of what a file defines."""
    if all(one.verdict == "unreached" for one in training.judgement.gradients):
        return False  # of which calls may show more
    reached = training.judgement.reached
    steps = (update.step for update in training.judgement.episode.updates)
    return any(line.file == file for node in ancestors(steps, reached) for line in node.lines)


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
