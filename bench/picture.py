"""The picture of growth: four charts, logarithmic both ways, each line with its name beside it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from bench.growth import PEERS, SIZES, TABLE
from bench.results import Results
from clearprop.plots import save
from clearprop.plots.figures import (
    PALETTE,
    SMALL,
    chart,
    finished,
    heading,
    new_figure,
    plain_numbers,
)

FILE = Path(__file__).with_name("growth.png")
_COLOURS = dict(zip(PEERS, PALETTE, strict=False))
_LINE = 0.075  # height of a name, as a share of the axes


def is_in(results: Results) -> bool:
    """Whether growth was measured."""
    return any(line.table == TABLE for line in results.lines)


def draw(results: Results) -> None:
    """Write `growth.png`."""
    save(growth(results), FILE)


def growth(results: Results) -> Figure:
    """Return the figure; all four charts have the same scale of time."""
    figure = new_figure(6.6)
    heading(figure, "Milliseconds for an update on all samples, all else staying as it is")
    all_axes = figure.subplots(2, 2, sharey=True).ravel()
    for axes, (what, sizes) in zip(all_axes, SIZES.items(), strict=True):
        _plot(axes, what, sizes, _milliseconds(results, what))
    for axes, what in zip(all_axes, SIZES, strict=True):  # now that all have their scale
        _name_lines(axes, _milliseconds(results, what))
    return finished(figure)


def _milliseconds(results: Results, what: str) -> dict[str, dict[int, float]]:
    """Return what an update takes, by peer and size."""
    found: dict[str, dict[int, float]] = {}
    for line in results.lines:
        kind, _, size = line.title.partition(" ")
        if line.table == TABLE and kind == what:
            for peer, figure in line.figures.items():
                if figure.value is not None:
                    found.setdefault(peer, {})[int(size)] = 10 * figure.value  # of 100 updates
    return found


def _plot(
    axes: Axes, what: str, sizes: tuple[int, ...], taken: Mapping[str, Mapping[int, float]]
) -> None:
    for peer, by_size in taken.items():
        axes.loglog(
            list(by_size),
            list(by_size.values()),
            color=_COLOURS[peer],
            marker="o",
            markersize=3.5,
            linewidth=2.2 if peer == PEERS[0] else 1.3,
        )
    chart(axes, "", what, "")
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(plain_numbers)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter(plain_numbers)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _name_lines(axes: Axes, taken: Mapping[str, Mapping[int, float]]) -> None:
    """Write each peer's name where its line ends, none upon another."""
    low, high = np.log(axes.get_ylim())
    ends = {peer: list(by_size.values())[-1] for peer, by_size in taken.items()}
    peers = sorted(ends, key=ends.__getitem__)
    heights = _apart([float((np.log(ends[peer]) - low) / (high - low)) for peer in peers])
    for peer, height in zip(peers, heights, strict=True):
        axes.text(
            1.03,
            height,
            peer,
            transform=axes.transAxes,
            color=_COLOURS[peer],
            fontsize=SMALL,
            va="center",
            fontweight="bold" if peer == PEERS[0] else "normal",
        )


def _apart(heights: list[float]) -> list[float]:
    """Move ascending heights as little as possible until all are a line's height apart."""
    groups: list[tuple[float, int]] = []  # the lowest of a group of neighbours, and how many
    for height in heights:
        groups.append((height, 1))
        while len(groups) > 1 and groups[-1][0] < groups[-2][0] + groups[-2][1] * _LINE:
            (lower, many), (upper, more) = groups[-2:]
            middle = (lower * many + (upper - many * _LINE) * more) / (many + more)
            groups[-2:] = [(middle, many + more)]
    return [lowest + place * _LINE for lowest, count in groups for place in range(count)]
