"""A small drawing of a network, for notebooks."""

import math
from typing import TYPE_CHECKING

from clearprop.core.html import Markup, escape
from clearprop.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, NTKDense
from clearprop.network.summary import times

if TYPE_CHECKING:
    from clearprop.network.network import Network

_SHOWN = 7  # units of a layer at most
_MOST_COLUMNS = 12
_STEP, _GAP, _RADIUS = 16, 136, 5  # pixels: between units, between layers, of a unit


def drawing_of(network: "Network") -> Markup:
    """Return an SVG image: a column of circles for each layer, its size and what follows below."""
    columns = _columns(network)
    height = _STEP * _SHOWN
    places = [_places(size, height) for size, _ in columns]
    lines, circles, texts = [], [], []
    for column, ((size, label), here) in enumerate(zip(columns, places, strict=True)):
        x = _GAP * (column + 0.5)
        if column:
            lines += [
                f'<line x1="{x - _GAP:g}" y1="{before:g}" x2="{x:g}" y2="{y:g}"/>'
                for before in places[column - 1]
                for y in here
            ]
        circles += [f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS}"/>' for y in here]
        texts += [
            f'<text x="{x:g}" y="{height + 18 + 14 * row}">{escape(text)}</text>'
            for row, text in enumerate([f"{size:,}", *label])
        ]
        if size > _SHOWN:
            texts.append(f'<text x="{x:g}" y="{height / 2 + 4:g}">⋮</text>')
    rows = max(len(label) for _, label in columns)
    title = " → ".join(f"{size:,}" for size, _ in columns)
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Network {title}" '
        f'width="{_GAP * len(columns)}" height="{height + 26 + 14 * rows}">'
        f'<g stroke="#888" stroke-width="0.4" opacity="0.6">{"".join(lines)}</g>'
        f'<g fill="#4c78a8" stroke="none">{"".join(circles)}</g>'
        f'<g fill="currentColor" font-family="sans-serif" font-size="11" text-anchor="middle">'
        f"{''.join(texts)}</g></svg>"
    )


def _columns(network: "Network") -> list[tuple[int, list[str]]]:
    """Return the size of each column and the words below it, from input to output.

    Of a deep network the middle is left out, and counted.
    """
    shape = network.input_shape
    of_input = ["features"] if len(shape) == 1 else [times(shape)]
    columns: list[tuple[int, list[str]]] = [(math.prod(shape), of_input)]
    for layer in network.layers:
        if isinstance(layer, Dense | NTKDense):
            columns.append((layer.units, []))
        elif isinstance(layer, Conv2D):
            columns.append((layer.filters, [f"filters {times(layer.kernel_size)}"]))
        elif isinstance(layer, Dropout):
            columns[-1][1].append(f"dropout {layer.rate_at(0):g}")
        elif isinstance(layer, BatchNorm):
            columns[-1][1].append("batch norm")
        elif not isinstance(layer, Flatten):
            columns[-1][1].append(type(layer).__name__)
    columns[-1][1].append(type(network.loss).__name__)
    if (more := len(columns) - _MOST_COLUMNS) > 0:
        half = _MOST_COLUMNS // 2
        columns[half][1].append(f"… {more:,} more layers …")
        del columns[half + 1 : half + 1 + more]
    return columns


def _places(size: int, height: int) -> list[float]:
    """Return where circles lie; of many units some, with a place for dots between them."""
    shown = min(size, _SHOWN)
    top = (height - _STEP * (shown - 1)) / 2
    dots = _SHOWN // 2 if size > _SHOWN else None
    return [top + _STEP * number for number in range(shown) if number != dots]
