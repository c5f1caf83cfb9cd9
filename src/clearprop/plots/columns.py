"""Columns of a table: how much each matters, and how the answer goes with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import DataError, ShapeError
from clearprop.plots import figures

_MOST = 20  # columns: more have no room, and the last of them matter least
_LINES = 7  # answers that are told apart by their colour
_ACROSS = 3  # panels in a row
_NAME, _CELL = 26, 20  # characters of a column, and of a category
_SIDE_BY_SIDE = 26  # characters of all categories below a panel


def importance(
    names: Sequence[str], means: ArrayLike, spreads: ArrayLike, score: str, about: str
) -> Figure:
    """Draw how much the score loses as each column is shuffled: a bar, the largest at the top.

    Parameters
    ----------
    names : sequence of str, length C
        The columns, of which the 20 that matter most are drawn.
    means, spreads : array-like, shape (C,)
        The mean of what is lost, and its standard deviation.
    score : str
        The score; an accuracy is shown in percent.
    about : str
        The samples that it was measured on.

    Raises
    ------
    ShapeError
        If there is not one mean and one spread for each name.
    DataError
        If there is nothing to draw.
    """
    mean, spread = np.asarray(means, np.float64), np.asarray(spreads, np.float64)
    if not mean.shape == spread.shape == (len(names),):
        raise ShapeError(
            f"Found means of shape {mean.shape} and spreads of shape {spread.shape}, expected "
            f"({len(names)},) for both: one for each column."
        )
    if not len(names):
        raise DataError("There are no columns whose importance could be drawn.")
    most = np.argsort(-mean, kind="stable")[:_MOST]
    shown = figures.labels([names[place] for place in most.tolist()], _NAME)
    figure = figures.new_figure(1.3 + 0.3 * len(most))
    axes = figure.subplots()
    more = len(names) - len(most)
    title = f"What matters, on {about}"
    lost = f"{score} that is lost as the column is shuffled"
    if more:
        lost += f"; {more:,} more columns matter less"
    figures.chart(axes, title, lost, "")
    axes.grid(visible=False, axis="y")
    rows = np.arange(len(most))
    axes.barh(rows, mean[most], color=figures.PALETTE[0], height=0.62)
    axes.errorbar(mean[most], rows, xerr=spread[most], fmt="none", ecolor=figures.INK, elinewidth=1)
    axes.axvline(0, color=figures.FAINT, linewidth=1)
    axes.set_yticks(rows, shown)
    axes.set_ylim(len(most) - 0.4, -0.6)
    if "accuracy" in score:
        axes.xaxis.set_major_formatter(figures.percentages)
    return figures.finished(figure)


@dataclass(frozen=True, eq=False)
class Panel:
    """The answers by the cells of one column.

    Parameters
    ----------
    name : str
        The column.
    cells : sequence of str, or ndarray of float64 or datetime64, shape (G,)
        Words become bars, numbers and dates a line.
    answers : ndarray of float64, shape (G, K)
    base : ndarray of float64, shape (K,)
        The mean answers for the rows as they are: a single one is where bars begin.
    """

    name: str
    cells: Sequence[str] | NDArray[Any]
    answers: NDArray[np.float64]
    base: NDArray[np.float64]


def dependence(panels: Sequence[Panel], answer_names: Sequence[str], unit: str) -> Figure:
    """Draw how answers go with some columns, a panel each, all on one scale.

    A single answer has a line at its mean for the rows as they are, from which bars go.

    Parameters
    ----------
    panels : sequence of Panel
    answer_names : sequence of str, length K
        Of more than seven answers those that move most are drawn.
    unit : str
        The name of the answer: ``probability``, or the target's name.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    if not panels or not answer_names:
        raise DataError("There are no columns that an answer could go with.")
    moves = np.max([np.ptp(panel.answers, axis=0) for panel in panels], axis=0)
    kept = np.sort(np.argsort(-moves, kind="stable")[:_LINES])
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    figure = figures.new_figure(0.6 + 2.6 * down, width=2.7 * across + 1.2)
    grid = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    colours = figures.class_colours(len(kept))
    names = figures.labels([answer_names[place] for place in kept.tolist()], _NAME)
    handles: list[Any] = []
    for axes, panel in zip(grid, panels, strict=False):
        figures.chart(axes, figures.label(panel.name, _NAME), "", "")
        handles = _draw(axes, panel, panel.answers[:, kept], colours)
        if len(panel.base) == 1:
            axes.axhline(panel.base[0], color=figures.FAINT, linewidth=1)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    title = f"Mean {figures.label(unit, 40)}, were the column alike in all rows"
    figures.heading(figure, title)
    if len(kept) > 1:
        figure.legend(
            handles,
            names,
            loc="outside right upper",
            frameon=False,
            fontsize=figures.SMALL,
            labelcolor=figures.INK,
        )
    return figures.finished(figure)


def _draw(
    axes: Axes,
    panel: Panel,
    answers: NDArray[np.float64],
    colours: Sequence[tuple[float, float, float]],
) -> list[Any]:
    """Draw a panel; return what stands for each answer."""
    cells = panel.cells
    if isinstance(cells, np.ndarray):
        drawn = [
            axes.plot(cells, column, "o-", color=colour, linewidth=1.6, markersize=3)[0]
            for column, colour in zip(answers.T, colours, strict=True)
        ]
        if cells.dtype.kind == "M":
            locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
            figures.in_units(axes.xaxis, cells)
        return drawn
    width, begin = 0.8 / len(colours), float(panel.base[0]) if len(panel.base) == 1 else 0.0
    places = np.arange(len(cells))
    bars = [
        axes.bar(
            places + (k - (len(colours) - 1) / 2) * width,
            column - begin,
            width,
            bottom=begin,
            color=colour,
        )
        for k, (column, colour) in enumerate(zip(answers.T, colours, strict=True))
    ]
    texts = figures.labels(cells, _CELL)
    fits = len(texts) * max(map(len, texts), default=0) <= _SIDE_BY_SIDE
    axes.set_xticks(places, texts, rotation=0 if fits else 90)
    axes.grid(visible=False, axis="x")
    return bars
