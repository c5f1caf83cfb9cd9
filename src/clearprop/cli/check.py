"""``clearprop check``."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command, explained
from clearprop.cli.options import setting_option
from clearprop.core.printable import fitted, printable
from clearprop.data.named import BUILTINS, TOYS
from clearprop.errors import ClearpropError, DataError, UsageError, counted
from clearprop.experiment.inspection import batch_for_learners, check_network
from clearprop.experiment.runs import saved_or_data

if TYPE_CHECKING:
    from clearprop.gradcheck.grading import Grade, Tally
    from clearprop.gradcheck.hand_ins import HandIns

_TIMEOUT = 60.0
_INTERRUPTED = 130
_MOST_MISTAKES = 10
_PRINTED_LINES = 18  # and two about them, which is what a note may have


@command(
    "clearprop check homework.py",
    "clearprop check notebook.ipynb --layers 5,4,3,1 --backward backprop",
    "clearprop check runs/people",
    "clearprop check hand-ins --out grades.csv",
)
@click.argument(
    "targets", metavar="FILE|FOLDER|MODEL|DATA...", nargs=-1, required=True, type=DataName()
)
@click.option("--forward", metavar="NAME", help="FILE's function for the forward pass.")
@click.option("--backward", metavar="NAME", help="FILE's function for the backward pass.")
@click.option("--cost", metavar="NAME", help="FILE's function for the cost.")
@setting_option(
    "layers",
    group="Options",
    metavar="FEATURES,UNITS,...",
    help="The sizes for FILE, from the features of a sample to the outputs: 5,4,3,1.",
)
@click.option("--data", metavar="DATA", help="What to compute on.  [default: random for FILE]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86400),
    metavar="SECONDS",
    help="The time that FILE may take, or each file of FOLDER.  [default: 60]",
)
@click.option(
    "--out",
    metavar="CSV",
    help="Write a row for each file of FOLDER, or of the files given, to this .csv file.",
)
@output.json_option
def check(
    targets: tuple[str, ...], data: str | None, out: str | None, as_json: bool, **options: Any
) -> None:
    """Check gradients against numerical ones, and say what is wrong with a wrong one.

    FILE is your own code, a .py file or a notebook, in whatever style: it is executed, what it does
    with its arrays is watched, and the line that makes a gradient wrong is named. Where it trains
    nothing its functions and classes are called; --forward, --backward and --cost name them.

    MODEL is a model of clearprop or the folder of a run. DATA is a name or a path, for the network
    that would be trained on it.

    FOLDER holds hand-ins, .py files and notebooks at any depth: each is checked as FILE is, without
    options and apart from the others, and gives a row: right or wrong, the line, the mistake.
    Several files are graded in the same way.

    The exit code is 0 where the gradients are right, 1 where one is wrong, and 2 where nothing can
    be checked; of FOLDER 0 where every file was graded, whatever came out.
    """
    found = _hand_ins(targets, graded=out is not None or len(targets) > 1)
    if found is not None:
        _grade(targets, found, data, out, as_json, options)
        return
    (target,) = targets
    try:
        report, text = _checked(target, data, options)
    except (ClearpropError, MemoryError, OSError, RuntimeError) as error:
        said = str(error) if isinstance(error, ClearpropError) else explained(error)
        if said is None:
            raise
        raise UsageError(said) from error  # of any kind: 1 is for a gradient that is wrong
    if as_json:
        output.say_json({"target": target, **report})
    else:
        output.say(text)
    if not report["passed"]:
        wrong = any(row["verdict"] not in ("right", "unclear") for row in report["rows"])
        wrong = wrong or report.get("line") is not None  # one that fails for its shapes
        click.get_current_context().exit(1 if wrong else 2)


def _checked(target: str, data: str | None, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from clearprop.gradcheck.learner.running import SUFFIXES

    if target.endswith(SUFFIXES):
        return _check_file(Path(target), data, options)
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"--{name} is for a .py file or a notebook; {target} is neither.")
    try:
        with output.waiting("Checking"):
            found = check_network(target, data)
    except DataError as error:
        if not Path(target).is_dir():
            raise
        raise UsageError(f"{error} Nor has it a .py file or a notebook to check.") from error
    return found.to_dict(), str(found)


def _check_file(
    file: Path, data: str | None, options: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    from clearprop.gradcheck.learner import check_file, require_file

    require_file(file)
    timeout, sizes = options.pop("timeout") or _TIMEOUT, options.pop("layers")
    batch = None if data is None else batch_for_learners(data)
    output.note(
        f"Running {file}: everything in it is executed, and where it trains nothing what imports "
        f"it, in a process of its own, for at most {timeout:g} s."
    )
    with output.waiting("Checking"):
        done = check_file(
            file,
            names={role: name for role, name in options.items() if name is not None},
            sizes=sizes,
            batch=batch,
            timeout=timeout,
        )
    if lines := done.printed.splitlines():
        shown = [printable(line, one_line=True) for line in lines[:_PRINTED_LINES]]
        if more := lines[_PRINTED_LINES:]:
            shown.append(f"... {len(more)} more lines")
        output.note("\n".join([f"{file} printed:", *shown]))
    if done.report is None:
        raise UsageError(done.text)
    return dict(done.report), done.text


def _hand_ins(targets: Sequence[str], *, graded: bool) -> "HandIns | None":
    """Find what is to be graded; None where a file, a model or data are checked."""
    from clearprop.gradcheck.hand_ins import find_hand_ins, require_hand_ins

    if not graded:
        word = targets[0]
        is_name = word in BUILTINS or word in TOYS
        if is_name or not Path(word).is_dir() or saved_or_data(word) is not None:
            return None
    found = find_hand_ins(targets)
    if graded:
        require_hand_ins(found, targets)
    return found if found.files else None


def _grade(
    targets: Sequence[str],
    found: "HandIns",
    data: str | None,
    out: str | None,
    as_json: bool,
    options: dict[str, Any],
) -> None:
    from clearprop.gradcheck.grading import Tally, grade, written_grades
    from clearprop.gradcheck.hand_ins import importers_of

    timeout = options.pop("timeout") or _TIMEOUT
    for name, value in {**options, "data": data}.items():
        if value is not None:
            raise UsageError(f"--{name} is for one file; hand-ins are graded without it.")
    if out is not None and Path(out).suffix.lower() != ".csv":
        raise UsageError(f"--out is {out}, expected a file that ends in .csv.")
    for sentence in found.told:
        output.note(printable(sentence, one_line=True))
    many = counted(len(found.files), "file")
    output.note(
        f"Running {many}: everything in them is executed, each in a process of its own, for at "
        f"most {timeout:g} s."
    )
    tally, kept = Tally(), list["Grade"]()
    importers, interrupted = importers_of(found.files), False
    with ExitStack() as opened:
        write = None if out is None else opened.enter_context(written_grades(Path(out)))
        try:
            for number, file in enumerate(found.files, start=1):
                where = printable(f"{number} of {len(found.files)}: {file}", one_line=True)
                with output.waiting(f"Checking {where}"):
                    row = grade(file, timeout, importers.get(file))
                if write is not None:
                    write(row)
                tally.add(row, is_imported=file in importers)
                if write is None or as_json:
                    kept.append(row)
                output.note(f"{where}: {_in_short(row)}")
        except KeyboardInterrupt:
            if not tally.outcomes:  # what stands there stays
                raise
            interrupted = True
    if as_json:
        output.say_json(
            {
                "targets": list(targets),
                "grades": [row.to_dict() for row in kept],
                "summary": tally.to_dict(),
                "left_out": found.left_out,
                "passed_over": dict(found.others),
                "out": out,
                "interrupted": interrupted,
            }
        )
    else:
        _say_grades(kept, tally, out)
    if interrupted:
        where = "" if out is None else f"; {out} has their rows"
        output.note(f"Interrupted: {tally.outcomes.total()} of {many} are graded{where}.")
        click.get_current_context().exit(_INTERRUPTED)


def _in_short(row: "Grade") -> str:
    at = f", line {row.line}" if row.line.isdecimal() else f", {row.line}" if row.line else ""
    return f"{row.outcome}{at} ({row.seconds:g} s)"


def _say_grades(rows: Sequence["Grade"], tally: "Tally", out: str | None) -> None:
    if rows:
        output.say_table(
            ("file ", "outcome ", "right", "line ", "why ", "seconds"),
            (
                (
                    row.file,
                    row.outcome,
                    f"{row.right} of {row.checked}" if row.checked else "",
                    row.line,
                    row.mistake or ("" if row.outcome == "right" else fitted(row.message, 100)),
                    row.seconds,
                )
                for row in rows
            ),
        )
        output.say()
    output.say(tally)
    if tally.mistakes:
        output.say_table(("mistake ", "cause ", "files"), tally.mistakes, "", _MOST_MISTAKES)
    if out is not None:
        output.say_line(f"{out}: {counted(tally.outcomes.total(), 'row')}")
