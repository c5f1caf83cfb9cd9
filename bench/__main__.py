"""``python -m bench [CELL ...] [--quick]``: measure, and write what was measured.

``python -m bench paired`` compares two checkouts: see `bench.paired`.
"""

import argparse
import sys
import time
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase

from bench import paired, report
from bench.cell import Bench
from bench.cells import CELLS
from bench.machine import facts
from bench.peers import installed
from bench.pool import Pool
from bench.results import Results
from bench.timing import say
from bench.work import FULL, QUICK


def main() -> None:
    """Measure the cells that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure clearprop against the peers installed here."
    )
    parser.add_argument(
        "cells",
        nargs="*",
        metavar="CELL",
        help=f"some of: {', '.join(CELLS)}; or a pattern, such as 'conv-*'",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a rough look, by one thread; nothing is written",
    )
    arguments = parser.parse_args()
    asked = arguments.cells or ["*"]
    if unknown := [pattern for pattern in asked if not filter_names(CELLS, pattern)]:
        parser.error(f"there is no cell {unknown[0]!r}; there are {', '.join(CELLS)}")
    chosen = [name for name in CELLS if any(fnmatchcase(name, pattern) for pattern in asked)]
    results = Results() if arguments.quick else Results.load()
    conditions = facts()
    with Pool() as pool:
        bench = Bench(pool, installed(), QUICK if arguments.quick else FULL)
        for name in chosen:
            say(name)
            began = time.perf_counter()
            results = results.with_lines(CELLS[name].lines(bench), conditions)
            say(f"  measured in {time.perf_counter() - began:.0f} s")
            if not arguments.quick:
                results.save()
                report.write(results)
    print(report.text_of(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["paired"]:
        sys.exit(paired.main(sys.argv[2:]))
    main()
