"""Tables of what was measured: `results.md`, and README's (``python -m bench.report --readme``)."""

import argparse
from pathlib import Path

from bench.peers import CLEARPROP, PEERS
from bench.results import Figure, Line, Results
from clearprop.errors import DataError
from clearprop.files import write_text

FILE = Path(__file__).with_name("results.md")
README = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- from bench/results.json: begin -->\n", "<!-- end -->\n"
_FLOOR = "floor"


def table(results: Results) -> str:
    """Return the table of ratios in Markdown, a line for each line of the results."""
    peers = [
        entry.name
        for entry in PEERS
        if entry is not CLEARPROP and any(entry.name in line.figures for line in results.lines)
    ]
    rows = [["", CLEARPROP.name, *(_heading(peer) for peer in peers)]]
    rows.append(["---", *("---:" for _ in rows[0][1:])])
    for line in results.lines:
        ours = _amount(line.figures[CLEARPROP.name], line.unit)
        rows.append([line.title, ours, *(_ratio(line, peer) for peer in peers)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def details(results: Results) -> str:
    """Return everything in Markdown: the table, and each line with all that is known of it."""
    parts = ["# How fast\n", _LEGEND, table(results)]
    for line in results.lines:
        facts = (results.measured or {})[line.name]
        parts.append(f"## {line.title}\n")
        parts.append(
            f"| | {'time' if line.unit == 's' else 'size'} | ratio | used as | updates timed "
            "| outcome | |\n|---|---:|---:|---|---:|---:|---|\n"
            + "".join(_detail(name, one, line.unit) for name, one in line.figures.items())
        )
        parts.append(", ".join(_fact(name, text) for name, text in facts.items()) + ".\n")
    return "\n".join(parts)


def write(results: Results) -> None:
    """Write `results.md`."""
    write_text(FILE, details(results))


def readme_with(table_text: str, readme: str) -> str:
    """Return README's text with another table between its two marks.

    Raises
    ------
    DataError
        If a mark is missing.
    """
    head, begin, rest = readme.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise DataError(
            f"README.md has no place for the table: write {_BEGIN.strip()} and {_END.strip()} "
            "on lines of their own."
        )
    return f"{head}{_BEGIN}\n{table_text}\n{_END}{tail}"


def main() -> None:
    """Make the tables anew from `results.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=main.__doc__)
    parser.add_argument("--readme", action="store_true", help="put the table into README.md, too")
    arguments = parser.parse_args()
    results = Results.load()
    write(results)
    if arguments.readme:
        write_text(README, readme_with(table(results), README.read_text(encoding="utf-8")))


_LEGEND = """Medians of turns that all peers take one after the other in the same run; a ratio is
the median over the rounds of a peer's time divided by clearprop's. Every peer has the better number
of threads and its faster way, the same data, first weights, batches and arithmetic, and its outcome
is compared with clearprop's: the loss after equal updates, or how certain predictions are. Neither
importing nor compiling is timed. Where fewer updates were timed than the training has, the time is
scaled up; clearprop is always timed on the whole. The floor is the training's matrix products
alone.
"""


def _heading(peer: str) -> str:
    return "over the floor" if peer == _FLOOR else peer


def _ratio(line: Line, peer: str) -> str:
    figure = line.figures.get(peer)
    if figure is None:
        return "–"
    if figure.agrees is False:
        return "other result"
    if figure.ratio is None:
        return "not reached" if figure.remark.startswith("not reached") else "failed"
    return f"{_short(1 / figure.ratio if peer == _FLOOR else figure.ratio)} ×"


def _detail(name: str, figure: Figure, unit: str) -> str:
    cells = (
        name,
        _amount(figure, unit),
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        figure.setting,
        "all" if figure.steps is None else f"{figure.steps}",
        "" if figure.outcome is None else f"{figure.outcome:.8g}",
        ", ".join(filter(None, (_AGREEMENT[figure.agrees], figure.remark))),
    )
    return f"| {' | '.join(cells)} |\n"


_AGREEMENT = {True: "same outcome", False: "OTHER OUTCOME", None: ""}


def _amount(figure: Figure, unit: str) -> str:
    value = figure.value
    if value is None:
        return "–"
    if unit == "bytes":
        return f"{_short(value / 1e6)} MB"
    for factor, name in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{_short(value * factor)} {name}"
    return f"{_short(value * 1e6)} µs"


def _short(number: float) -> str:
    """Write two digits at least, and no more than mean something."""
    return (
        f"{number:,.0f}" if number >= 99.5 else f"{number:.3g}" if number >= 10 else f"{number:.2f}"
    )


def _fact(name: str, text: str) -> str:
    return text if name in ("date", "machine") else f"{name} {text}"


if __name__ == "__main__":
    main()
