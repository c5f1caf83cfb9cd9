"""The results as tables in Markdown."""

from collections.abc import Callable, Iterable, Mapping
from statistics import geometric_mean

from bench.fits import SOLVERS
from bench.fits import TABLE as FITS
from bench.growth import TABLE as GROWTH
from bench.peers import CLEARPROP, NUMPY_ALONE, PEERS
from bench.results import Figure, Line, Results
from bench.words import amount, mark, short

_FLOOR, _OURS, _ALONE, _THEIRS = "floor", CLEARPROP.name, NUMPY_ALONE.name, "scikit-learn"
_ROWS = {entry.name: entry.name for entry in PEERS if entry.name != _FLOOR}
_ROWS |= {_FLOOR: "*clearprop over the floor*"}
_IN_SHORT = {
    "cat-float32": "training a cat classifier, 209 × 12288, 2500 full batches",
    "small-adam": "training [784, 64, 32, 10], 300 batches of 200",
    "wide-adam": "training [784, 1024, 1024, 10], 60 batches of 256",
    "mnist-0.985": "training on MNIST to 98.5% of its test set",
    "predict-one": "predicting one picture of 784 pixels",
    "import": "importing",
}
_COMPARED = (_OURS, _ALONE, _THEIRS, "PyTorch", "JAX")


def tables(results: Results) -> str:
    """Return a table for each subject: a column for each of its lines, a row for each peer."""
    by_table: dict[str, list[Line]] = {}
    for line in results.lines:
        if line.table != GROWTH:
            by_table.setdefault(line.table, []).append(line)
    return "\n".join(
        (_fits if name == FITS else _table)(name, lines) for name, lines in by_table.items()
    )


def summary(results: Results) -> str:
    """Return one small table of the lines that say most, and of whom most know."""
    measured = {line.name: line for line in results.lines}
    rows = [(words, measured[name]) for name, words in _IN_SHORT.items() if name in measured]
    return _grid(
        ["", *_COMPARED],
        ([words, *(_short_field(line, peer) for peer in _COMPARED)] for words, line in rows),
    )


def growth(results: Results) -> str:
    """Return a table of seconds: a column for each peer, a row for each size."""
    lines = [line for line in results.lines if line.table == GROWTH]
    peers = [peer for peer in _ROWS if any(peer in line.figures for line in lines)]
    return _grid(
        ["", *peers],
        ([line.title, *(_growth_field(line, peer) for peer in peers)] for line in lines),
    )


def details(results: Results) -> str:
    """Return for each line a table with all that is known of it, a row for each peer."""
    lines = (line for line in results.lines if line.table != GROWTH)
    return "\n".join(f"### {_full_title(line)}\n\n{_details(line)}" for line in lines)


def conditions(results: Results) -> str:
    """Return when, where and with what was measured, once for all lines that have it in common."""
    alike: dict[str, list[str]] = {}
    for line in results.lines:
        alike.setdefault(_in_words((results.measured or {})[line.name]), []).append(line.name)
    if len(alike) == 1:
        return f"Measured on {next(iter(alike))}.\n"
    return "".join(
        f"- Measured on {words}: {', '.join(names)}.\n" for words, names in alike.items()
    )


def _table(name: str, lines: list[Line]) -> str:
    notes: list[str] = []
    rows = []
    for peer, heading in _ROWS.items():
        if any(peer in line.figures for line in lines):
            rows.append([heading, *(_field(line, peer, notes) for line in lines)])
    below = "".join(f"\n{mark(number)} {note}\n" for number, note in enumerate(notes, start=1))
    titles = (line.title.replace("; ", "<br>") for line in lines)
    return f"**{name}**\n\n{_grid(['', *titles], rows)}{below}"


def _fits(name: str, lines: list[Line]) -> str:
    """Return a table of fits: a row for each set of samples, a column for each solver."""
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        samples, _, solver = line.title.partition("; ")
        rows.setdefault(samples, {})[solver] = _fit_field(line)
    grid = ([samples, *(row.get(one, "–") for one in SOLVERS)] for samples, row in rows.items())
    means = [
        f"{short(geometric_mean(factors))} × as long as {heading}"
        for ours, heading in ((_OURS, "clearprop"), (_ALONE, "NumPy alone"))
        if (factors := [factor for line in lines if (factor := _factor(line, ours))])
    ]
    below = f"In the geometric mean scikit-learn takes {', and '.join(means)}." if means else ""
    return f"**{name}**\n\n{_grid(['', *SOLVERS], grid)}\n{below}\n"


def _fit_field(line: Line) -> str:
    parts = []
    for peer, figure in line.figures.items():
        if figure.value is None:
            taken = figure.remark.partition(": ")[0]
        elif figure.agrees is False:
            taken = "other result"
        else:
            taken = amount(figure.value, line.unit)
            taken += f", {short(figure.ratio)} ×" if peer != _OURS and figure.ratio else ""
        parts += [f"{peer} {taken}", figure.setting]
    return _stacked(*parts)


def _factor(line: Line, ours: str) -> float | None:
    """Return how many times as long as one of our ways scikit-learn takes, if both are measured."""
    theirs, base = line.figures.get(_THEIRS), line.figures.get(ours)
    if theirs is None or base is None or not theirs.ratio or not base.ratio:
        return None
    return None if theirs.agrees is False else theirs.ratio / base.ratio


def _field(line: Line, peer: str, notes: list[str]) -> str:
    figure = line.figures.get(peer)
    if figure is None:
        return "–"
    taken = amount(figure.value, line.unit)
    if peer == _FLOOR:
        ratio = f"{short(1 / figure.ratio)} ×" if figure.ratio else ""
        return _stacked(ratio, f"floor {taken}", figure.setting)
    note = figure.remark
    if figure.value is None:
        taken, _, note = figure.remark.partition(": ")
    elif figure.agrees is False:
        taken = "other result"
    elif figure.ratio is not None and peer != _OURS:
        taken += f", {short(figure.ratio)} ×"
    if peer == _fastest(line):
        taken = f"**{taken}**"
    if note:
        note = f"{peer}: {note}."
        if note not in notes:
            notes.append(note)
        taken += mark(notes.index(note) + 1)
    return _stacked(taken, figure.setting)


def _short_field(line: Line, peer: str) -> str:
    figure = line.figures.get(peer)
    if figure is None or figure.agrees is False:
        return "–"
    if figure.value is None:
        return figure.remark.partition(": ")[0]
    taken = amount(figure.value, line.unit).replace(" ", "\N{NO-BREAK SPACE}")
    return f"**{taken}**" if peer == _fastest(line) else taken


def _stacked(*lines: str) -> str:
    """Set lines beneath each other, none of which may be broken."""
    return "<br>".join(line.replace(" ", "\N{NO-BREAK SPACE}") for line in lines if line)


def _fastest(line: Line) -> str:
    comparable = {
        peer: figure.value
        for peer, figure in line.figures.items()
        if figure.value is not None and figure.agrees is not False and peer != _FLOOR
    }
    return min(comparable, key=comparable.__getitem__, default="")


def _growth_field(line: Line, peer: str) -> str:
    figure = line.figures.get(peer)
    return "–" if figure is None else amount(figure.value, line.unit)


_COLUMNS: dict[str, Callable[[Figure, str], str]] = {
    "measured": lambda figure, unit: amount(figure.value, unit),
    "ratio": lambda figure, _: "" if figure.ratio is None else f"{figure.ratio:.3g}",
    "used as": lambda figure, _: figure.setting,
    "updates timed": lambda figure, _: "" if figure.steps is None else f"{figure.steps}",
    "outcome": lambda figure, _: "" if figure.outcome is None else f"{figure.outcome:.8g}",
    "apart": lambda figure, _: "" if figure.apart is None else f"{figure.apart:.0e}",
    "agrees": lambda figure, _: {True: "yes", False: "**NO**", None: ""}[figure.agrees],
    "remark": lambda figure, _: figure.remark,
}


def _details(line: Line) -> str:
    """Lay out a line, without the columns in which nobody has anything."""
    columns = {
        heading: [fill(figure, line.unit) for figure in line.figures.values()]
        for heading, fill in _COLUMNS.items()
    }
    shown = {heading: cells for heading, cells in columns.items() if any(cells)}
    rows = zip(line.figures, *shown.values(), strict=True)
    return _grid(["", *shown], rows)


def _full_title(line: Line) -> str:
    return f"{line.table}: {line.title.replace('; ', ', ')}"


def _grid(heading: list[str], rows: Iterable[Iterable[str]]) -> str:
    every = [heading, ["---", *("---:" for _ in heading[1:])], *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in every)


def _in_words(facts: Mapping[str, str]) -> str:
    plain = ("date", "machine")
    return ", ".join(text if name in plain else f"{name} {text}" for name, text in facts.items())
