"""A walk as plain text, for 80 columns, and as JSON values."""

from collections.abc import Iterable, Iterator
from textwrap import fill
from typing import TYPE_CHECKING, Any

from clearprop.core.expressions import number_text
from clearprop.core.printable import fitted, printable
from clearprop.errors import listed
from clearprop.walkthrough.excerpts import Excerpt, excerpt_of, shown_entry, with_gaps
from clearprop.walkthrough.sentences import SENTENCES

if TYPE_CHECKING:
    from clearprop.walkthrough.quantities import Entry, Quantity, Step
    from clearprop.walkthrough.walking import Walk

_WIDTH = 80
_MOST, _MOST_VALUES = 6, 8  # rows and columns, as text and as JSON
_LABEL, _CELL, _LONGEST = 6, 11, 40  # characters; of a name
_GAP = " ..."


def walk_text(walk: "Walk") -> str:
    """Write every step, with the arithmetic of one entry of each matrix."""
    facts = [fill(fact, _WIDTH) for fact in walk.facts]
    steps = [_step_text(step, walk.sample) for step in walk.steps]
    return "\n\n".join(["\n".join([walk.title, *facts]), *steps])


def heading(step: "Step") -> str:
    """Name a step: ``Forward: layer 0, Dense(units=20)``."""
    key = f"heading {step.stage}"
    return SENTENCES[key if key in SENTENCES else "heading"].format(
        stage=SENTENCES.get(step.stage, ""), name=step.name, title=step.title
    )


def quantity_text(quantity: "Quantity", sample: int = 0) -> str:
    """Write a matrix, or an excerpt of it, and the arithmetic of one entry."""
    return "\n".join(_quantity_lines(quantity, sample))


def entry_text(entry: "Entry") -> str:
    """Write the arithmetic of a number: with symbols, with numbers, and what it comes to."""
    head = f"{entry.symbol} = "
    if entry.arithmetic is None:
        note = SENTENCES["unknown" if entry.computed else "given"]
        return f"{head}{number_text(entry.value)}  ({note})"
    indent = " " * (len(head) - 2) + "= "
    digits = SENTENCES["digits"].format(value=repr(entry.value), total=repr(entry.arithmetic.value))
    lines = [
        _filled(head, entry.arithmetic.symbols()),
        _filled(indent, entry.arithmetic.numbers()),
        f"{indent}{number_text(entry.value)}",
        f"{' ' * len(head)}({digits})",
    ]
    return "\n".join(lines)


def numbered(places: Iterable[int], names: Iterable[str]) -> str:
    """Write names behind their numbers: ``0=setosa, 1=versicolor``."""
    pairs = (f"{place}={fitted(name, _LONGEST)}" for place, name in zip(places, names, strict=True))
    return printable(listed(pairs), one_line=True)


def describe_walk(walk: "Walk") -> dict[str, Any]:
    """Describe a walk in JSON values: matrices of more than 8 rows or columns by an excerpt."""
    wrong = walk.first_not_finite
    return {
        "title": walk.title,
        "notation": walk.notation,
        "sample": walk.sample,
        "samples": walk.samples,
        "dtype": walk.dtype,
        "loss": walk.loss,
        "first_not_finite": None if wrong is None else wrong.name,
        "steps": [_step_values(step, walk.sample) for step in walk.steps],
    }


def _step_text(step: "Step", sample: int) -> str:
    title = fill(heading(step), _WIDTH)
    lines = [title, "-" * max(map(len, title.splitlines()))]
    if step.note:
        lines.append(fill(step.note, _WIDTH))
    for quantity in step.quantities:
        lines += ["", *_quantity_lines(quantity, sample)]
    return "\n".join(lines)


def _quantity_lines(quantity: "Quantity", sample: int) -> Iterator[str]:
    excerpt = excerpt_of(quantity.matrix, sample, _MOST)
    shape = f" {quantity.shape}" if quantity.shape else ""
    yield f"{quantity.symbol}{shape}, {quantity.meaning}"
    if quantity.formula:
        yield fill(quantity.formula, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if quantity.shapes:
        yield f"  {quantity.shapes}"
    wrong = quantity.first_not_finite
    if wrong is not None:
        yield "  !! " + SENTENCES["begins here"].format(index=list(wrong))
    for key, places, names in (
        ("row names", excerpt.rows, excerpt.row_names),
        ("column names", excerpt.columns, excerpt.column_names),
    ):
        if names:
            said = SENTENCES[key].format(names=numbered(places, names))
            yield fill(said, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if quantity.shape:
        yield from _table(quantity, excerpt)
    if quantity.explain is not None:
        at = shown_entry(quantity.matrix, sample) if wrong is None else wrong
        yield from (f"  {line}" for line in entry_text(quantity.entry(*at)).splitlines())
    elif not quantity.shape:
        yield f"  {number_text(float(quantity.array))}"


def _table(quantity: "Quantity", excerpt: Excerpt) -> Iterator[str]:
    array = quantity.array
    label = (excerpt.place if len(excerpt.place) < _LABEL else "").rjust(_LABEL)
    yield label + _row(excerpt.columns, [str(column) for column in excerpt.columns])
    for gap, row in with_gaps(excerpt.rows):
        if gap:
            yield _GAP
        cells = [number_text(float(array[excerpt.index(row, j)])) for j in excerpt.columns]
        name = str(row) if excerpt.dimensions > 1 else ""
        yield name.rjust(_LABEL) + _row(excerpt.columns, cells)


def _row(columns: tuple[int, ...], cells: Iterable[str]) -> str:
    pairs = zip(with_gaps(columns), cells, strict=True)
    return "".join((_GAP if gap else "") + cell.rjust(_CELL) for (gap, _), cell in pairs)


def _filled(head: str, text: str) -> str:
    return fill(
        text,
        _WIDTH - 2,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ).replace("\N{NO-BREAK SPACE}", " ")


def _step_values(step: "Step", sample: int) -> dict[str, Any]:
    return {
        "layer": step.name,
        "stage": step.stage,
        "title": heading(step),
        "note": step.note,
        "matrices": [_quantity_values(quantity, sample) for quantity in step.quantities],
    }


def _quantity_values(quantity: "Quantity", sample: int) -> dict[str, Any]:
    excerpt = excerpt_of(quantity.matrix, sample, _MOST_VALUES)
    array = quantity.array
    found: dict[str, Any] = {
        "name": quantity.key,
        "meaning": quantity.meaning,
        "formula": quantity.formula,
        "shape": quantity.shape,
        "whole": excerpt.whole,
        "place": excerpt.place,
        "rows": excerpt.rows,
        "columns": excerpt.columns,
        "row_names": excerpt.row_names,
        "column_names": excerpt.column_names,
        "values": [
            [array[excerpt.index(row, column)].item() for column in excerpt.columns]
            for row in excerpt.rows
        ],
    }
    if quantity.explain is not None:
        found["entry"] = quantity.entry(*shown_entry(quantity.matrix, sample)).to_dict()
    return found
