"""How well probabilities come true: what was said to be likely against what was so."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import ShapeError
from clearprop.plots import figures

_SPREAD = 1.96  # standard errors of a share, within which chance leaves 95 of 100


def reliability(
    bins: Sequence[ArrayLike], event: str, before: Sequence[ArrayLike] | None = None
) -> Figure:
    """Draw a reliability diagram: in each bin of samples, the probability said and the share true.

    Points on the diagonal are as sure as they may be, those below it too sure. A bar spans the
    shares that chance leaves likely where what is said is so; a number counts the samples of a bin.

    Parameters
    ----------
    bins : sequence of three array-like, shape (bins,)
        The mean probability of each bin, the share of its samples that came true, their number.
    event : str
        What is said to be so likely: ``'yes'``, or "the likeliest class".
    before : sequence of array-like, shape (bins,), optional
        The same of the probabilities before a temperature.

    Raises
    ------
    ShapeError
        If the arrays are not of one length.
    """
    mean, share, counts = _checked(bins)
    figure = figures.new_figure(4.6, width=5.2)
    axes = figure.subplots()
    error = float(np.abs(mean - share) @ counts / max(counts.sum(), 1))
    title = f"Probabilities are off by {error:.1%} on average"
    shown = figures.label(event, 34)
    figures.chart(axes, title, f"probability of {shown} (mean of the bin)", "share that was so")
    handles: list[Artist] = [*axes.plot([0, 1], [0, 1], color=figures.FAINT, linewidth=1)]
    names = ["as sure as it may be"]
    if before is not None:
        x, y, _ = _checked(before)
        handles += axes.plot(x, y, "o--", color=figures.PALETTE[1], linewidth=1, markersize=4)
        names.append("before the temperature")
    chance = _SPREAD * np.sqrt(mean * (1 - mean) / np.maximum(counts, 1))
    low, high = np.minimum(chance, mean), np.minimum(chance, 1 - mean)
    bars = axes.vlines(mean, mean - low, mean + high, color=figures.LINES, linewidth=6)
    handles += axes.plot(mean, share, "o-", color=figures.PALETTE[0], linewidth=1.6, markersize=6)
    handles.append(bars)
    names += ["as it is", "left to chance, if that is so"]
    for x, y, count in zip(mean, share, counts.astype(np.int64).tolist(), strict=True):
        beside: dict[str, Any] = {"xytext": (6, -11), "textcoords": "offset points"}
        axes.annotate(f"{count:,}", (x, y), fontsize=figures.SMALL, color=figures.INK, **beside)
    axes.set_xlim(-0.03, 1.08)
    axes.set_ylim(-0.06, 1.05)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(figures.percentages)
    figures.legend(axes, handles, names, loc="upper left")
    return figures.finished(figure)


def _checked(bins: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], ...]:
    columns = tuple(np.asarray(one, np.float64) for one in bins)
    if len(columns) != 3 or any(one.shape != (columns[0].size,) for one in columns):
        raise ShapeError(
            f"A reliability diagram needs three arrays of one length, found shapes "
            f"{[one.shape for one in columns]}."
        )
    return columns
