"""``python -m bench [CELL ...] [--quick]``: measure, and write what was measured."""

import argparse

from bench import data, footprint, growth, report
from bench.cells import CELLS, Cell
from bench.machine import facts
from bench.peers import Entry, installed
from bench.pool import Pool
from bench.race import race
from bench.results import Line, Results
from bench.timing import measure, say
from bench.work import FULL, QUICK, Effort, Predicting, Training

_GROWTH = "growth"


def main() -> None:
    """Measure the cells that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure clearprop against the peers installed here."
    )
    parser.add_argument(
        "cells", nargs="*", metavar="CELL", help=f"some of: {', '.join([*CELLS, _GROWTH])}"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a rough look, by one thread; nothing is written",
    )
    arguments = parser.parse_args()
    names = arguments.cells or [*CELLS, *([] if arguments.quick else [_GROWTH])]
    if unknown := [name for name in names if name not in CELLS and name != _GROWTH]:
        parser.error(f"there is no cell {unknown[0]!r}; there are {', '.join([*CELLS, _GROWTH])}")
    effort = QUICK if arguments.quick else FULL
    results = Results() if arguments.quick else Results.load()
    entries, conditions = installed(), facts()
    with Pool() as pool:
        for name in names:
            say(name)
            if name == _GROWTH:
                panels = growth.measured(pool, entries, effort)
                if not arguments.quick:
                    growth.draw(panels)
                continue
            results = results.with_lines(lines_of(pool, entries, CELLS[name], effort), conditions)
            if not arguments.quick:
                results.save()
                report.write(results)
    print(report.details(results))


def lines_of(pool: Pool, entries: tuple[Entry, ...], cell: Cell, effort: Effort) -> list[Line]:
    """Measure a cell, and return its lines of the table; none where its data are not there."""
    if cell.needs_digits and not data.has_digits():
        say("  left out: it needs MNIST in ../shared/data")
        return []
    if cell.kind == "learn":
        return race(pool, entries, cell, effort)
    if cell.kind == "import":
        return [footprint.importing(entries, cell.name, cell.title, effort)]
    if cell.kind == "size":
        return [footprint.installed_size(entries, cell.name, cell.title)]
    task = cell.make()
    if cell.kind == "memory":
        return [footprint.memory(entries, cell.name, cell.title, task)]
    work = Training(task.rule.steps) if cell.kind == "train" else Predicting()
    return [Line(cell.name, cell.title, "s", measure(pool, entries, task, work, effort))]


if __name__ == "__main__":
    main()
