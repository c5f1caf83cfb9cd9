"""A walk as a page: no network, no script; every number opens its arithmetic, by keyboard too."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core.expressions import number_text
from clearprop.core.html import escape, fragment, sample_picture
from clearprop.core.parameters import Array
from clearprop.core.printable import fitted
from clearprop.walkthrough.drawings import NEGATIVE, POSITIVE, heat_map, unit_picture
from clearprop.walkthrough.excerpts import Excerpt, excerpt_of, with_gaps
from clearprop.walkthrough.plain import heading
from clearprop.walkthrough.sentences import SENTENCES

if TYPE_CHECKING:
    from clearprop.walkthrough.quantities import Entry, Quantity, Step
    from clearprop.walkthrough.walking import Walk

_MOST, _LEAST = 6, 3  # rows and columns
_MOST_NUMBERS = 3000  # that open, more or less: a page of half a megabyte to two
_MOST_UNITS = 20  # pictures
_LONGEST = 18  # characters of a name above a column or beside a row
_SIDE = 256  # of a heat map, in CSS pixels
_UNIT_SIDE = 64

# Says to the browser, too, that nothing is loaded from anywhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_LEVELS = 8  # of colour
_STRONGEST = 0.6  # so that numbers stay readable on it

_RULES = """
.clearprop-walk { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; }
.clearprop-walk code, .clearprop-walk table, .clearprop-walk .arithmetic {
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.clearprop-walk nav ol { columns: 16rem; padding-left: 1.5em; }
.clearprop-walk .step { border-top: 1px solid #8886; padding: .6em 0; }
.clearprop-walk .step > summary { cursor: pointer; }
.clearprop-walk .step > summary h2 { display: inline; font-size: 1.15em; }
.clearprop-walk .matrix { position: relative; margin: 1em 0 1.6em; }
.clearprop-walk .matrix h3 { font-size: 1em; margin: 0; }
.clearprop-walk .formula { display: block; }
.clearprop-walk .shapes { display: block; opacity: .75; }
.clearprop-walk .scroll { overflow-x: auto; }
.clearprop-walk table { border-collapse: collapse; margin: .4em 0; }
.clearprop-walk th { font-weight: normal; opacity: .65; padding: 0 .6em; text-align: right; }
.clearprop-walk th bdi { white-space: nowrap; }
.clearprop-walk td { padding: 0; text-align: right; white-space: nowrap; }
.clearprop-walk td > span, .clearprop-walk td summary { display: block; padding: 0 .6em; }
.clearprop-walk td summary { cursor: pointer; list-style: none; text-decoration: underline dotted; }
.clearprop-walk td summary::-webkit-details-marker { display: none; }
.clearprop-walk td details[open] > summary { outline: 2px solid; }
.clearprop-walk .arithmetic { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.clearprop-walk td .arithmetic { position: absolute; left: 0; right: 0; z-index: 1;
  background: Canvas; color: CanvasText; border: 1px solid; padding: .5em .8em; }
.clearprop-walk .arithmetic p { margin: 0; padding-left: 1.5em; text-indent: -1.5em; }
.clearprop-walk .digits { opacity: .75; }
.clearprop-walk .looked-at { font-weight: bold; opacity: 1; }
.clearprop-walk .wrong { font-weight: bold; outline: 2px solid; }
.clearprop-walk .pictures { display: flex; flex-wrap: wrap; gap: .8em; margin: .5em 0; }
.clearprop-walk figure { margin: 0; }
.clearprop-walk figcaption { font-size: 12px; opacity: .8; }
.clearprop-walk img { display: block; image-rendering: pixelated; border: 1px solid #8886; }
"""


def walk_page(walk: "Walk") -> str:
    """Return a whole page."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">
<title>{escape(walk.title)}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }}
{_style_sheet()}
</style>
</head>
<body>
<main class="clearprop-walk">
{_contents(walk, with_links=True)}
</main>
</body>
</html>
"""


def walk_fragment(walk: "Walk") -> str:
    """Return what a notebook shows; without links, which would leave its own page."""
    return _fragment(_contents(walk, with_links=False))


def quantity_fragment(quantity: "Quantity") -> str:
    """Return a matrix for a notebook."""
    return _fragment(_matrix(quantity, 0, _MOST))


def entry_fragment(entry: "Entry") -> str:
    """Return the arithmetic of a number for a notebook."""
    return _fragment(_arithmetic(entry))


def _fragment(inside: str) -> str:
    return fragment(inside, kind="clearprop-walk", style=_style_sheet())


def _contents(walk: "Walk", *, with_links: bool) -> str:
    parts = [f"<h1>{escape(walk.title)}</h1>"]
    parts += [f"<p>{escape(fact)}</p>" for fact in (*walk.facts, SENTENCES["open"])]
    if with_links:
        links = "\n".join(
            f'<li><a href="#step-{place}">{escape(heading(step))}</a></li>'
            for place, step in enumerate(walk.steps)
        )
        steps = escape(SENTENCES["steps"])
        parts.append(f'<nav aria-label="{steps}">\n<ol>\n{links}\n</ol>\n</nav>')
    most = max(_LEAST, min(_MOST, math.isqrt(_MOST_NUMBERS // len([*walk.quantities]))))
    for place, step in enumerate(walk.steps):
        target = f' id="step-{place}"' if with_links else ""
        parts.append(_step(step, walk.sample, most, target))
    return "\n".join(parts)


def _step(step: "Step", sample: int, most: int, target: str) -> str:
    note = f"<p>{escape(step.note)}</p>\n" if step.note else ""
    matrices = "\n".join(_matrix(quantity, sample, most) for quantity in step.quantities)
    title = escape(heading(step))
    return (
        f'<details class="step" open{target}>\n<summary><h2>{title}</h2></summary>\n'
        f"{note}{matrices}\n</details>"
    )


def _matrix(quantity: "Quantity", sample: int, most: int) -> str:
    excerpt = excerpt_of(quantity.matrix, sample, most)
    shape = f" {quantity.shape}" if quantity.shape else ""
    title = f"<code>{escape(quantity.symbol + shape)}</code>, {escape(quantity.meaning)}"
    parts = ['<section class="matrix">', f"<h3>{title}</h3>"]
    if quantity.formula:
        parts.append(f'<code class="formula">{escape(quantity.formula)}</code>')
    if quantity.shapes:
        parts.append(f'<code class="shapes">{escape(quantity.shapes)}</code>')
    wrong = quantity.first_not_finite
    if wrong is not None:
        said = escape(SENTENCES["begins here"].format(index=list(wrong)))
        parts.append(f'<p><strong class="wrong">{said}</strong></p>')
        if quantity.shape:
            parts.append(_arithmetic(quantity.entry(*wrong)))
    parts += _table(quantity, excerpt, sample)
    parts += _pictures(quantity, excerpt, sample)
    parts.append("</section>")
    return "\n".join(parts)


def _table(quantity: "Quantity", excerpt: Excerpt, sample: int) -> Iterator[str]:
    array = quantity.array
    largest = _largest(array)
    axis = quantity.matrix.sample_axis if excerpt.dimensions < 3 else None
    yield '<div class="scroll"><table>'
    if excerpt.dimensions:
        yield f"<thead><tr><th>{escape(excerpt.place)}</th>"
        of_columns = iter(excerpt.column_names or [""] * len(excerpt.columns))
        for gap, column in with_gaps(excerpt.columns):
            is_sample = column == sample and axis is not None and axis == excerpt.dimensions - 1
            header = _header("col", column, is_sample, next(of_columns))
            yield ("<th>…</th>" if gap else "") + header
        yield "</tr></thead>"
    yield "<tbody>"
    of_rows = iter(excerpt.row_names or [""] * len(excerpt.rows))
    for gap_above, row in with_gaps(excerpt.rows):
        if gap_above:
            yield "<tr><th>⋮</th></tr>"
        cells = []
        if excerpt.dimensions:
            is_sample = row == sample and axis == 0 and excerpt.dimensions == 2
            header = _header("row", row, is_sample, next(of_rows))
            cells.append(header if excerpt.dimensions > 1 else "<th></th>")
        for gap, column in with_gaps(excerpt.columns):
            at = excerpt.index(row, column)
            cells.append(("<td>…</td>" if gap else "") + _cell(quantity, at, array, largest))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _header(scope: str, place: int, is_sample: bool, name: str) -> str:
    looked_at = ' class="looked-at"' if is_sample else ""
    shown = f' <bdi title="{escape(name)}">{escape(fitted(name, _LONGEST))}</bdi>' if name else ""
    return f'<th scope="{scope}"{looked_at}>{place}{shown}</th>'


def _cell(quantity: "Quantity", at: tuple[int, ...], array: Array, largest: float) -> str:
    value = float(array[at])
    colour = _colour(value, largest)
    text = escape(number_text(value))
    if quantity.explain is None:
        return f"<td{colour}><span>{text}</span></td>"
    opened = _arithmetic(quantity.entry(*at))
    # Of one name, so that opening one closes the other.
    inside = f'<details name="number"><summary>{text}</summary>{opened}</details>'
    return f"<td{colour}>{inside}</td>"


def _arithmetic(entry: "Entry") -> str:
    if entry.arithmetic is None:
        note = SENTENCES["unknown" if entry.computed else "given"]
        lines = [f"{entry.symbol} = {number_text(entry.value)} ({note})"]
        digits = ""
    else:
        lines = [
            f"{entry.symbol} = {entry.arithmetic.symbols()}",
            f"= {entry.arithmetic.numbers()}",
            f"= {number_text(entry.value)}",
        ]
        digits = SENTENCES["digits"].format(
            value=repr(entry.value), total=repr(entry.arithmetic.value)
        )
        digits = f'<p class="digits">{escape(digits)}</p>'
    written = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="arithmetic">{written}{digits}</div>'


def _pictures(quantity: "Quantity", excerpt: Excerpt, sample: int) -> Iterator[str]:
    shape, engine = quantity.picture_shape, quantity.matrix.array
    if shape is not None and quantity.matrix.per_sample:
        said = SENTENCES["input picture"].format(sample=sample)
        source = sample_picture(engine[sample].reshape(shape))
        yield f'<div class="pictures">{_figure(source, said, _size(shape))}</div>'
    elif shape is not None:
        yield from _unit_pictures(quantity.symbol, engine, shape)
    if excerpt.dimensions == 2 and not excerpt.whole and min(quantity.shape) > 1:
        drawn = heat_map(quantity.array)
        means = drawn.rows > 1 or drawn.columns > 1
        said = SENTENCES["heat map of means" if means else "heat map"].format(
            symbol=quantity.symbol,
            height=drawn.height,
            width=drawn.width,
            rows=drawn.rows,
            columns=drawn.columns,
        )
        scale = max(1, _SIDE // max(drawn.height, drawn.width))
        size = f'width="{drawn.width * scale}" height="{drawn.height * scale}"'
        said = f"{said} {SENTENCES['heat key']}"
        yield f'<div class="pictures">{_figure(drawn.source, said, size)}</div>'


def _unit_pictures(symbol: str, weights: Array, shape: tuple[int, ...]) -> Iterator[str]:
    units = weights.shape[1]
    count = min(units, _MOST_UNITS)
    key = "weight pictures" if count == units else "weight pictures of some"
    yield f"<p>{escape(SENTENCES[key].format(symbol=symbol, count=count, all=units))} "
    yield f"{escape(SENTENCES['colour key' if len(shape) == 3 else 'heat key'])}</p>"
    # A few outliers would leave all others pale.
    largest = float(
        np.percentile(np.abs(np.nan_to_num(weights[:, :count], posinf=0, neginf=0)), 99.5)
    )
    figures = (
        _figure(
            unit_picture(weights[:, unit].reshape(shape), largest),
            SENTENCES["weight picture"].format(unit=unit),
            _size(shape),
        )
        for unit in range(count)
    )
    yield f'<div class="pictures">{"".join(figures)}</div>'


def _figure(source: str, said: str, size: str) -> str:
    said = escape(said)
    return (
        f'<figure><img src="{source}" alt="{said}" {size}><figcaption>{said}</figcaption></figure>'
    )


def _size(shape: tuple[int, ...]) -> str:
    height, width = shape[:2]
    scale = _UNIT_SIDE / max(height, width)
    return f'width="{max(1, round(width * scale))}" height="{max(1, round(height * scale))}"'


def _largest(array: Array) -> float:
    sizes = np.abs(array[np.isfinite(array)])
    return float(sizes.max()) if sizes.size else 0.0


def _colour(value: float, largest: float) -> str:
    if not math.isfinite(value):
        return ' class="wrong"'
    level = math.ceil(_LEVELS * (abs(value) / largest)) if largest else 0
    return f' class="{"n" if value < 0 else "p"}{level}"' if level else ""


def _style_sheet() -> str:
    """Return the rules, with a class for each level of colour: p1, p2, ... and n1, n2, ..."""
    rules = [_RULES.strip()]
    for letter, colour in (("n", NEGATIVE), ("p", POSITIVE)):
        for level in range(1, _LEVELS + 1):
            red, green, blue = colour
            share = _STRONGEST * level / _LEVELS
            rules.append(
                f".clearprop-walk .{letter}{level} "
                f"{{ background: rgba({red}, {green}, {blue}, {share:.3g}); }}"
            )
    return "\n".join(rules)
