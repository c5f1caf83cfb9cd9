"""Curves of training: loss and score over epochs, cost against published figures, architectures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import DataError, ShapeError, listed
from clearprop.plots import figures

_DECADES = 2  # of a positive quantity, above which its axis is logarithmic
_FEW = 20  # epochs up to which each is marked
_QUANTITIES = {"loss": "loss", "accuracy": "accuracy", "r2": "R²"}

Numbers = NDArray[np.float64]


def curves(history: Mapping[str, Sequence[float]], best_epoch: int | None = None) -> Figure:
    """Draw loss and score, of training and validation, over the epochs.

    Parameters
    ----------
    history : mapping of str to sequence of float
        A column for each name: ``epoch``, ``loss``, and where there are any ``accuracy`` or
        ``r2``, and these with ``validation_`` before them. Others are ignored. The loss axis is
        logarithmic where the loss spans more than two decades; what is not finite, or beyond 1e100,
        leaves a gap.
    best_epoch : int, optional
        The epoch to mark and to name: that whose weights were kept. Without it the last one, which
        needs no mark, is named.

    Returns
    -------
    Figure
        Axes for the loss, and, where there is a score, axes for the score.

    Raises
    ------
    DataError
        If there is no epoch, or the column ``epoch`` or ``loss`` is missing.
    """
    columns = {name: _numbers(values) for name, values in history.items()}
    for name in ("epoch", "loss"):
        if name not in columns:
            raise DataError(f"The history has no column {name!r}; it has {listed(columns)}.")
    epochs = columns["epoch"]
    if not epochs.size:
        raise DataError("The history holds no epoch: there are no curves to draw.")
    drawn = ["loss", *(name for name in _QUANTITIES if name in columns and name != "loss")]
    figure = figures.new_figure(3.4)
    for axes, name in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        _curve(axes, columns, name, best_epoch)
    return figures.finished(figure)


def cost_curve(
    iterations: ArrayLike, costs: ArrayLike, published: Mapping[int, float] | None = None
) -> Figure:
    """Draw the cost against the iteration, with published points over it.

    Parameters
    ----------
    iterations, costs : array-like, shape (N,)
        The measured costs.
    published : mapping of int to float, optional
        The published cost after some of the iterations.

    Raises
    ------
    ShapeError
        If the two arrays differ in length.
    DataError
        If they are empty.
    """
    x, y = _numbers(iterations), _numbers(costs)
    if x.shape != y.shape:
        raise ShapeError(f"There are {x.size} iterations and {y.size} costs; expected as many.")
    if not x.size:
        raise DataError("There is no iteration to draw the cost of.")
    figure = figures.new_figure(3.6)
    axes = figure.subplots()
    figures.chart(axes, f"Cost {y[-1]:.4g} after iteration {x[-1]:g}", "iteration", "cost")
    handles = {"measured": axes.plot(x, y, color=figures.PALETTE[0], linewidth=1.8)[0]}
    if published:
        (handles["published"],) = axes.plot(
            list(published),
            list(published.values()),
            "o",
            markersize=5,
            markerfacecolor="white",
            markeredgecolor=figures.PALETTE[1],
            markeredgewidth=1.4,
        )
        figures.legend(axes, handles.values(), handles)
    _logarithmic_where_wide(axes, y)
    return figures.finished(figure)


def comparison(
    rows: Sequence[tuple[str, int, Sequence[float]]], score: str = "validation accuracy"
) -> Figure:
    """Draw the scores of several architectures: each run a dot, their mean and spread beside.

    Parameters
    ----------
    rows : sequence of (str, int, sequence of float)
        The name of each architecture, its number of parameters, and the score of each run.
        They are drawn in this order from the top.
    score : str, default "validation accuracy"
        The kind of score. Those of an accuracy are shares, 0..1, and shown as percentages.

    Raises
    ------
    DataError
        If there is nothing to compare.
    """
    if not rows:
        raise DataError("There are no architectures to compare.")
    factor, unit, digits = (100, "%", 1) if "accuracy" in score else (1, "", 3)
    figure = figures.new_figure(1.3 + 0.55 * len(rows))
    axes = figure.subplots()
    title = "Runs of each architecture, their mean and standard deviation"
    figures.chart(axes, title, f"{score} ({unit})" if unit else score, "")
    axes.grid(visible=False, axis="y")
    for place, (_, _, scores) in enumerate(rows):
        runs = factor * _numbers(scores)
        runs = runs[np.abs(runs) <= figures.LARGEST]
        axes.plot(
            runs, np.full(runs.size, place), "o", color=figures.PALETTE[0], alpha=0.5, markersize=7
        )
        if not runs.size:
            summary = "no run ended"
        elif runs.size == 1:
            summary = f"{runs[0]:.{digits}f}{unit}"
        else:
            mean, spread = runs.mean(), runs.std(ddof=1)
            axes.errorbar(mean, place, xerr=spread, color=figures.INK, marker="|", markersize=16)
            summary = f"{mean:.{digits}f} ± {spread:.{digits}f}{unit}"
        axes.annotate(
            summary,
            (1.02, place),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=figures.SMALL,
            color=figures.INK,
            annotation_clip=False,
        )
    names = [
        f"{figures.label(name, 40)}\n{parameters:,} parameters" for name, parameters, _ in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.xaxis.set_major_formatter(figures.plain_numbers)
    return figures.finished(figure)


def _curve(axes: Axes, columns: Mapping[str, Numbers], name: str, best: int | None) -> None:
    epochs = columns["epoch"]
    series = {
        kind: np.where(np.abs(columns[column]) <= figures.LARGEST, columns[column], np.nan)
        for kind, column in (("training", name), ("validation", f"validation_{name}"))
        if column in columns
    }
    figures.chart(axes, _verdict(epochs, series, name, best), "epoch", _QUANTITIES[name])
    handles: dict[str, Line2D] = {}
    for (kind, values), colour in zip(series.items(), figures.PALETTE, strict=False):
        # A line needs two points: a lone epoch, or one between gaps, is seen by its marker.
        marker = "o" if np.isfinite(values).sum() < _FEW else ""
        (handles[kind],) = axes.plot(
            epochs, values, color=colour, linewidth=1.8, marker=marker, markersize=3.5
        )
        axes.plot(epochs[epochs == best], values[epochs == best], "o", color=colour, markersize=6)
    if best is not None:
        handles["best epoch"] = axes.axvline(
            best, color=figures.FAINT, linewidth=1, linestyle=(0, (4, 3))
        )
    if name == "loss":
        _logarithmic_where_wide(axes, np.concatenate(list(series.values())))
        figures.legend(axes, handles.values(), handles)
    if name == "accuracy":
        axes.yaxis.set_major_formatter(figures.percentages)
    margin = max(0.5, 0.03 * (epochs[-1] - epochs[0]))
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    axes.xaxis.set_major_locator(
        MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )


def _verdict(epochs: Numbers, series: Mapping[str, Numbers], name: str, best: int | None) -> str:
    lost = epochs[np.isnan(series["training"])]
    if name == "loss" and lost.size:
        return f"Loss not finite from epoch {lost[0]:g}"
    kind, values = list(series.items())[-1]  # validation, where there is one
    quantity = f"{kind.capitalize()} {_QUANTITIES[name]}"
    named = epochs[-1] if best is None else best
    at_named = values[epochs == named]
    if not at_named.size:
        return quantity
    value = f"{at_named[0]:.1%}" if name == "accuracy" else f"{at_named[0]:.4g}"
    return f"{quantity} {value} at epoch {named:g}"


def _logarithmic_where_wide(axes: Axes, values: Numbers) -> None:
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > values.min() * 10**_DECADES:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(figures.plain_numbers)


def _numbers(values: ArrayLike) -> Numbers:
    return np.asarray(values, np.float64)
