"""``clearprop check``."""

from pathlib import Path
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command, explained
from clearprop.cli.options import setting_option
from clearprop.core.printable import printable
from clearprop.errors import ClearpropError, UsageError
from clearprop.experiment.inspection import batch_for_learners, check_network

_PRINTED_LINES = 18  # and two about them, which is what a note may have


@command(
    "clearprop check homework.py",
    "clearprop check notebook.ipynb --layers 5,4,3,1 --backward backprop",
    "clearprop check runs/people",
)
@click.argument("target", metavar="FILE|MODEL|DATA", type=DataName())
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
    help="The time that FILE may take.  [default: 60]",
)
@output.json_option
def check(target: str, data: str | None, as_json: bool, **options: Any) -> None:
    """Check gradients against numerical ones, and say what is wrong with a wrong one.

    FILE is your own code, a .py file or a notebook, in whatever style: it is executed, what it does
    with its arrays is watched, and the line that makes a gradient wrong is named. Where it trains
    nothing its functions and classes are called; --forward, --backward and --cost name them.

    MODEL is a model of clearprop or the folder of a run. DATA is a name or a path, for the network
    that would be trained on it.

    The exit code is 0 where the gradients are right, 1 where one is wrong, and 2 where nothing can
    be checked.
    """
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
        click.get_current_context().exit(1 if wrong else 2)


def _checked(target: str, data: str | None, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    from clearprop.gradcheck.learner.running import SUFFIXES

    if target.endswith(SUFFIXES):
        return _check_file(Path(target), data, options)
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"--{name} is for a .py file or a notebook; {target} is neither.")
    with output.waiting("Checking"):
        found = check_network(target, data)
    return found.to_dict(), str(found)


def _check_file(
    file: Path, data: str | None, options: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    from clearprop.gradcheck.learner import check_file, require_file

    require_file(file)
    timeout, sizes = options.pop("timeout") or 60.0, options.pop("layers")
    batch = None if data is None else batch_for_learners(data)
    output.note(
        f"Running {file}: everything in it is executed, in a process of its own, for at most "
        f"{timeout:g} s."
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
