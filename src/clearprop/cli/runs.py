"""``clearprop runs``."""

import sys
from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.cli.scores import text, value
from clearprop.core.printable import printable
from clearprop.errors import UsageError, counted
from clearprop.experiment.runs import ROOT, Listed, list_runs, removable, remove
from clearprop.experiment.values import Layers
from clearprop.network.summary import readable_bytes


@command(
    "clearprop runs",
    "clearprop runs --remove runs/people --remove runs/people-2",
)
@click.argument("folder", type=click.Path(), required=False)
@click.option(
    "--remove",
    "doomed",
    multiple=True,
    metavar="RUN",
    help="Remove the folder of a run, after asking; may be given several times.",
)
@click.option("--yes", is_flag=True, help="Remove without asking.")
@output.json_option
@click.pass_context
def runs(
    ctx: click.Context,
    /,
    folder: str | None,
    doomed: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """List the runs in FOLDER, the newest first: data, layers, score, date, size on disk.

    FOLDER is runs/ unless given. "To beat" is the better of the larger class, or the mean, and a
    linear model.
    """
    if (yes and not doomed) or (folder is not None and doomed):
        raise UsageError("--yes goes with --remove RUN, and FOLDER with neither.")
    if doomed:
        removed = _remove(doomed, asks=not yes)
        if as_json:
            output.say_json({"removed": removed})
        ctx.exit(0 if removed else 1)
    place = ROOT if folder is None else Path(folder)
    found, problems = ([], []) if folder is None and not ROOT.exists() else list_runs(place)
    if as_json:
        output.say_json(
            {
                "folder": str(place),
                "runs": [run.to_json() for run in found],
                "problems": [vars(problem) for problem in problems],
            }
        )
        return
    output.note_left_out(problems)
    if found:
        output.say_table(
            ("run ", "data ", "layers", "score ", "to beat", "saved ", "size"), _rows(found)
        )
    else:
        output.note(f"There are no runs in {place}. To make one: clearprop train DATA")


def _rows(found: list[Listed]) -> list[tuple[str, ...]]:
    return [
        (
            str(run.folder),
            _nearer(run.data),
            "–" if run.layers is None else Layers().write(run.layers),
            _score(run),
            "–" if run.to_beat is None else value(run.score_name or "", run.to_beat),
            f"{run.saved:%Y-%m-%d %H:%M}",
            readable_bytes(run.bytes),
        )
        for run in found
    ]


def _score(run: Listed) -> str:
    if run.ended in ("unfinished", "diverged"):
        return run.ended
    return "–" if run.score is None else text(run.score_name or "", run.score)


def _nearer(data: str) -> str:
    """Write a path as one types it here, if it lies here."""
    path = Path(data)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else data


def _remove(doomed: tuple[str, ...], *, asks: bool) -> list[str]:
    found = [removable(word) for word in dict.fromkeys(doomed)]
    if asks and not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here. To remove without asking: --yes")
    removed = []
    for folder, files, size in found:
        about = f"{folder}, {counted(files, 'file')}, {readable_bytes(size)}"
        if asks and not click.confirm(f"Remove {printable(about, one_line=True)}?", err=True):
            output.note(f"{folder} is kept.")
            continue
        remove(folder)
        removed.append(str(folder))
        output.note(f"Removed: {about}.")
    return removed
