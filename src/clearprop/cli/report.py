"""``clearprop report``: a run, or several beside each other, as one page."""

from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.cli.options import command_of
from clearprop.experiment.reporting import page_of
from clearprop.experiment.runs import PAGE, require_run
from clearprop.page import LANGUAGES
from clearprop.report import write_page


@command(
    "clearprop report runs/people",
    "clearprop report runs/digits --embed-data --out digits.html",
    "clearprop report runs/people runs/people-2 --out both.html",
)
@click.argument("runs", nargs=-1, required=True, type=click.Path())
@click.option("--out", metavar="FILE", help="The page.  [default: report.html in the first run]")
@click.option("--data", metavar="PATH", help="Where the data of the run lie now.")
@click.option(
    "--embed-data", is_flag=True, help="Put the training samples in, to go on with in the page."
)
@click.option(
    "--language",
    type=click.Choice([*LANGUAGES]),
    help="The language of its words.  [default: the system's]",
)
@output.json_option
def report(
    runs: tuple[str, ...],
    out: str | None,
    data: str | None,
    embed_data: bool,
    language: str | None,
    as_json: bool,
) -> None:
    """Write the page of the folder RUN: curves, network, every number, mistakes, your own input.

    It is one file that needs no network and no Python. Several runs stand beside each other in it.
    """
    found, saved_runs = [], [require_run(one) for one in runs]
    for saved in saved_runs:
        again = saved.open_settings
        with output.waiting(f"Reading {saved.word}"):
            page, noted = page_of(
                saved, data, "" if again is None else command_of(again), embeds=embed_data
            )
        for line in noted:
            output.note(line)
        found.append(page)
    path = Path(out) if out is not None else saved_runs[0].file.parent / PAGE
    with output.waiting("Writing"):
        write_page(path, found, language)
    if as_json:
        output.say_json({"runs": list(runs), "page": str(path), "bytes": path.stat().st_size})
        return
    output.say_line(f"{path}, {path.stat().st_size / 1e6:.2f} MB: open it in a browser.")
