"""Pieces of HTML for notebooks and pages: every text escaped, no script, nothing loaded.

What is drawn has no background, and takes the text colour of what lies beneath. Hues are for light
pages, and brighter ones for dark pages; what a notebook says of its theme goes before what the
browser wishes.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape as escape_html
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.printable import printable, readable

if TYPE_CHECKING:
    from PIL.Image import Image

_LIGHT = "--one: #0072b2; --two: #d55e00; --good: #00735a; --bad: #b3261e;"
_DARK = "--one: #56b4e9; --two: #ff9a52; --good: #3ddc97; --bad: #ff8a80;"
# JupyterLab and Notebook; VS Code; Colab.
_SAID_LIGHT = '[data-jp-theme-light="true"], .vscode-light, html[theme="light"]'
_SAID_DARK = '[data-jp-theme-light="false"], .vscode-dark, html[theme="dark"]'

STYLE = f"""
.clearprop {{ {_LIGHT} font: 13px/1.45 system-ui, sans-serif; max-width: 60rem; overflow-x: auto; }}
@media (prefers-color-scheme: dark) {{ .clearprop {{ {_DARK} }} }}
:is({_SAID_LIGHT}) .clearprop {{ {_LIGHT} color-scheme: light; }}
:is({_SAID_DARK}) .clearprop {{ {_DARK} color-scheme: dark; }}
.clearprop p {{ margin: .3em 0; }}
.clearprop table {{ border-collapse: collapse; margin: .4em 0; color: inherit; }}
.clearprop tr {{ background: none; border-bottom: 1px solid #8884; }}
.clearprop th, .clearprop td {{ padding: .15em .7em; text-align: left; vertical-align: top;
  max-width: 26em; overflow-wrap: break-word; background: none; color: inherit; }}
.clearprop th {{ font-weight: 600; }}
.clearprop .number {{ text-align: right; font-variant-numeric: tabular-nums; }}
.clearprop td.number {{ white-space: nowrap; }}
.clearprop .faint {{ opacity: .7; }}
.clearprop .good {{ color: var(--good); }}
.clearprop .bad {{ color: var(--bad); font-weight: 600; }}
.clearprop pre, .clearprop code {{ font: 12px/1.45 ui-monospace, "DejaVu Sans Mono", monospace;
  background: none; color: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }}
.clearprop summary {{ cursor: pointer; }}
.clearprop figure {{ display: inline-block; margin: .2em .5em .2em 0; text-align: center; }}
.clearprop img {{ display: block; width: 56px; height: 56px; object-fit: contain;
  image-rendering: pixelated; }}
.clearprop svg {{ display: inline-block; vertical-align: top; color: inherit; }}
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: object) -> str:
    """Return a text as a page shows it, with nothing in it that a browser obeys or hides."""
    return text if isinstance(text, Markup) else escape_html(printable(str(text)))


def element(tag: str, inside: object, kind: str = "") -> Markup:
    """Return an element around a text, which is escaped, or around markup."""
    attribute = f' class="{kind}"' if kind else ""
    return Markup(f"<{tag}{attribute}>{escape(inside)}</{tag}>")


def fragment(*parts: str, kind: str = "clearprop", style: str = STYLE) -> str:
    """Return what a notebook shows: parts that are HTML, below their style sheet."""
    inside = "\n".join(parts)
    return f'<div class="{kind}">\n<style>\n{style.strip()}\n</style>\n{inside}\n</div>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> Markup:
    """Return a table whose last columns, so many of them, hold numbers."""
    kinds = ["" if place < len(header) - numbers else "number" for place in range(len(header))]

    def line(tag: str, cells: Sequence[object]) -> str:
        every = zip(cells, kinds, strict=True)
        return f"<tr>{''.join(element(tag, cell, kind) for cell, kind in every)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return Markup(f"<table><thead>{line('th', header)}</thead><tbody>\n{body}\n</tbody></table>")


def folded(title: str, inside: Markup) -> Markup:
    """Return something that opens when its title is clicked."""
    return Markup(f"<details><summary>{escape(title)}</summary>{inside}</details>")


_WIDTH, _HEIGHT, _LEFT, _TOP = 260, 140, 56, 22  # of a chart within its margins, and these
_MOST_POINTS = 300
_DECADES = 2  # of a positive quantity, above which its axis is logarithmic


def chart(
    title: str, axis: str, x: Array, series: Mapping[str, Array], marked: float | None
) -> Markup:
    """Return a small chart of lines over x; what is not finite leaves a gap.

    Parameters
    ----------
    title, axis : str
        The names of what is drawn, and of x.
    x : ndarray, shape (N,)
        Whole numbers, increasing.
    series : mapping of str to ndarray, shape (N,)
        At most two, by name.
    marked : float or None
        The x at which a dashed line stands.
    """
    seen = np.concatenate([values[np.isfinite(values)] for values in series.values()])
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    is_log = low > 0 and high > low * 10**_DECADES
    bottom, top = (np.log10([low, high]) if is_log else (low, high)) if high > low else (0.0, 1.0)
    first, last = float(x[0]), float(x[-1])

    def across(place: Array | float) -> Array:
        share = (np.asarray(place) - first) / ((last - first) or 1)
        return np.asarray(_LEFT + _WIDTH * (share if last > first else 0.5))

    def up(values: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((np.log10(values) if is_log else values) - bottom) / (top - bottom)
        return np.asarray(_TOP + _HEIGHT * (1 - (share if high > low else share * 0 + 0.5)))

    drawn = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int))
    parts, foot, end = [], _TOP + _HEIGHT, _LEFT + _WIDTH
    for place, (name, values) in enumerate(series.items()):
        hue = f"var(--{('one', 'two')[place]})"
        for run in _runs(across(x[drawn]), up(values[drawn])):
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in run)
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{hue}" stroke-width="1.8"/>'
                if len(run) > 1
                else f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="3" fill="{hue}"/>'
            )
        parts.append(_text(end - 90 * (len(series) - 1 - place), 14, name, "end", hue))
    if marked is not None:
        at = f"{float(across(marked)):.1f}"
        parts.append(
            f'<line x1="{at}" y1="{_TOP}" x2="{at}" y2="{foot}" stroke="currentColor" '
            'stroke-dasharray="4 3" opacity=".7"/>'
        )
    parts += [
        f'<path d="M{_LEFT} {_TOP}V{foot}H{end}" fill="none" stroke="#888"/>',
        _text(0, 14, title, "start", "currentColor"),
        _text(_LEFT - 6, _TOP + 8, readable(high, 3), "end", "currentColor"),
        _text(_LEFT - 6, foot, readable(low, 3), "end", "currentColor"),
        _text(_LEFT, foot + 16, f"{first:,.0f}", "start", "currentColor"),
        _text(end, foot + 16, f"{axis} {last:,.0f}", "end", "currentColor"),
    ]
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'width="{end + 12}" height="{foot + 24}" font-family="sans-serif" font-size="11">'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str, hue: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{hue}">{escape(text)}</text>'


def _runs(x: Array, y: Array) -> list[list[tuple[float, float]]]:
    """Split points where one is not finite."""
    runs: list[list[tuple[float, float]]] = [[]]
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if np.isfinite(b):
            runs[-1].append((a, b))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


_LARGEST_PICTURE = 64  # points along a side


def sample_picture(sample: Array) -> str:
    """Draw a sample, (H, W) or (H, W, 3): from 0 to 1 as it is, any other range stretched."""
    values = finite(sample)
    low, high = values.min(), values.max()
    if low < 0 or high > 1:
        values = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1)  # halves can't overflow
    return address(shrunk(values, _LARGEST_PICTURE))


def shrunk(picture: Array, largest: int) -> "Image":
    """Draw numbers 0..1, in at most so many points a side."""
    from PIL.Image import fromarray  # here, because it imports slowly

    height, width = picture.shape[:2]
    factor = max(1, ceil(max(height, width) / largest))
    channels = picture.reshape(height, width, -1)
    small = [
        block_means(channels[:, :, channel], factor, factor) for channel in range(channels.shape[2])
    ]
    pixels = np.round(255 * np.stack(small, axis=2)).astype(np.uint8)
    return fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


def block_means(matrix: Array, rows: int, columns: int) -> Array:
    """Return the mean of every block of rows x columns; those at the end may be smaller."""
    if rows == columns == 1:
        return matrix
    means = matrix
    for axis, step in enumerate((rows, columns)):
        starts = np.arange(0, matrix.shape[axis], step)
        counts = np.diff(starts, append=matrix.shape[axis])
        counts = counts.reshape(-1, 1) if axis == 0 else counts
        means = np.add.reduceat(means, starts, axis=axis) / counts
    return means


def finite(values: Array) -> Array:
    """Return numbers in float64, with zero for what is not finite."""
    return np.nan_to_num(values.astype(np.float64), nan=0, posinf=0, neginf=0)


def address(image: "Image", **options: bytes) -> str:
    """Write a picture as an address."""
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True, **options)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
