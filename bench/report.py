"""`results.md`, its picture, and the pages' tables: ``python -m bench.report --docs``."""

import argparse
from pathlib import Path

from bench import picture
from bench.markdown import conditions, details, growth, summary, tables
from bench.results import Results
from clearprop.errors import DataError
from clearprop.files.written import write_text

FILE = Path(__file__).with_name("results.md")
README = Path(__file__).parents[1] / "README.md"
PAGE = Path(__file__).parents[1] / "docs/benchmark.md"
_BEGIN, _END = "<!-- from bench/results.json: begin -->\n", "<!-- end -->\n"

_LEGEND = """Each field says how long it takes, how many times as long as clearprop, and how it is
used. These are medians of turns that all take one after the other in the same run; the factor is
the median of those within a round. The least of a column is set in bold. The floor is the matrix
products of a training and nothing else: the factor there is clearprop's time over it.

Everybody has the better number of threads and the fastest of the ways it can be used, the same
data, first weights, batches and arithmetic, and is checked to end at the loss where clearprop ends.
Neither importing nor compiling is timed: PyTorch compiled, JAX and Keras have compiled their
functions before the clock starts, and so has clearprop its loops, with the extra `fast`. *NumPy
alone* is clearprop without that extra. Where fewer updates were timed than the training has, the
time is scaled up; clearprop is timed on the whole, but for convolutions, where everybody is timed
on an update. Fits by the estimators, which take the same parameters, are compared by the loss that
they report.
"""
_GROWTH = """## How cost grows

Gradient descent on all samples in float32: 400 samples of 1000 features, two hidden layers of 32,
ten classes, but for what is named.

![The time of an update, by samples, features, width and depth](growth.png)

The same in figures, of 100 updates:
"""
_DETAILS = """## In detail

*Outcome* is the loss after the updates that were timed, or how certain predictions are; *apart* is
how far it lies from clearprop's after the same updates, relative to that.
"""


def text_of(results: Results) -> str:
    """Return everything in Markdown."""
    parts = ["# How fast\n", conditions(results), _LEGEND, tables(results)]
    if picture.is_in(results):
        parts += [_GROWTH, growth(results)]
    return "\n".join([*parts, _DETAILS, details(results)])


def write(results: Results) -> None:
    """Write `results.md`, and `growth.png` where growth was measured."""
    write_text(FILE, text_of(results))
    if picture.is_in(results):
        picture.draw(results)


def with_tables(table_text: str, page: str) -> str:
    """Return a page's text with other tables between its two marks.

    Raises
    ------
    DataError
        If a mark is missing.
    """
    head, begin, rest = page.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise DataError(
            f"The page has no place for the tables: write {_BEGIN.strip()} and {_END.strip()} "
            "on lines of their own."
        )
    between = f"\n{table_text}\n" if table_text else ""
    return f"{head}{_BEGIN}{between}{_END}{tail}"


def main() -> None:
    """Make tables and picture anew from `results.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=main.__doc__)
    parser.add_argument(
        "--docs", action="store_true", help="put tables into README.md and docs/benchmark.md, too"
    )
    arguments = parser.parse_args()
    results = Results.load()
    write(results)
    if arguments.docs:
        for page, text in ((README, summary(results)), (PAGE, tables(results))):
            write_text(page, with_tables(text, page.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
