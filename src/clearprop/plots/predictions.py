"""Predictions of a network against the truth: confusion, boundaries, residuals."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from clearprop.core.printable import readable
from clearprop.errors import DataError, ShapeError
from clearprop.plots import figures

_MOST_NAMES = 100  # classes whose names have room
_MOST_NUMBERS = 20  # classes whose cells have room for a number
_MOST_SHARES = 10  # classes whose cells have room for two
_CELL = 0.45  # inches a side
_LETTER = 0.62  # of the size of letters: their width, more or less
_WIDEST = 26  # characters in a line of a name
_RESOLUTION = 300  # points a side at which a boundary is asked for


def confusion(matrix: ArrayLike, class_names: Sequence[str]) -> Figure:
    """Draw a confusion matrix: counts, and their share of the true class.

    Right predictions are blue, mistakes are orange; a cell is the darker, the larger its share of
    its row. The root of the share is drawn, so that rare mistakes are seen too.

    Parameters
    ----------
    matrix : array-like of int, shape (K, K)
        ``matrix[i, j]`` samples of class i were predicted as class j.
    class_names : sequence of str, length K

    Returns
    -------
    Figure
        One with numbers in the cells for up to 20 classes; above 100, indices stand for names.

    Raises
    ------
    ShapeError
        If the matrix is not (K, K).
    """
    counts, size = np.asarray(matrix), len(class_names)
    if counts.shape != (size, size) or not size:
        raise ShapeError(
            f"A confusion matrix of {size} classes must have shape ({size}, {size}), found "
            f"{counts.shape}."
        )
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, np.newaxis]
    right, total = int(np.trace(counts)), int(totals.sum())
    named = size <= _MOST_NAMES
    side = float(np.clip(_CELL * size, 2.4, 11))  # inches
    points = min(figures.SMALL, 0.75 * 72 * side / size)
    letter = _LETTER * points / 72
    across = int(side / size / letter) - 1  # characters that fit below a cell
    words = [word for name in class_names[:_MOST_NAMES] for word in str(name).split()]
    turned = max(map(len, words), default=0) > across
    lines = max(1, min(3, int(72 * side / size / (1.4 * points))))  # that fit into a cell
    names = figures.labels(class_names, _WIDEST, min(lines, 2)) if named else []
    below = names if turned else figures.labels(class_names, across, 3) if named else []
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    margin = letter * longest
    figure = figures.new_figure(side + 1 + margin * turned, width=side + 1.4 + margin)
    axes = figure.subplots()
    verdict = f"{right / total:.1%} right: {right:,} of {total:,}" if total else "No samples"
    figures.chart(
        axes, verdict, "predicted class", "true class (samples)" if named else "true class"
    )
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=figures.LINES)
    right_hue, wrong_hue = figures.class_colours(2)
    hue = np.where(np.eye(size, dtype=bool)[:, :, np.newaxis], right_hue, wrong_hue)
    axes.imshow(1 - np.sqrt(shares)[:, :, np.newaxis] * (1 - hue), interpolation="nearest")
    if size <= _MOST_NUMBERS:
        _write_cells(axes, counts, shares)
    if named:
        counted = [f"{name} ({n:,})" for name, n in zip(names, totals.tolist(), strict=True)]
        axes.set_xticks(range(size), below, fontsize=points, rotation=90 if turned else 0)
        axes.set_yticks(range(size), counted, fontsize=points)
    axes.tick_params(length=0)
    return figures.finished(figure)


def decision_boundary(
    predict_proba: Callable[[NDArray[np.float64]], NDArray[Any]],
    X: ArrayLike,
    y: ArrayLike,
    class_names: Sequence[str],
    feature_names: tuple[str, str] = ("x1", "x2"),
) -> Figure:
    """Draw what is predicted over the plane of two features, and the samples in it.

    The plane has the colours of the classes mixed by their probabilities; a line runs where two
    are equally likely.

    Parameters
    ----------
    predict_proba : callable
        A function of float64 (N, 2), in the units of `X`, that gives probabilities (N, K).
    X : array-like, shape (N, 2)
        What is beyond 1e100 has no place in the plane.
    y : array-like of int, shape (N,)
        Class indices.
    class_names : sequence of str, length K
    feature_names : tuple of two str

    Returns
    -------
    Figure
        One with a legend for up to 100 classes.

    Raises
    ------
    ShapeError
        If there are not two features, or not K probabilities.
    DataError
        If there are no samples, or a probability is not finite.
    """
    points, labels = np.asarray(X, np.float64), np.asarray(y)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ShapeError(
            f"A decision boundary needs X of shape (N, 2) and y of shape (N,), found "
            f"{points.shape} and {labels.shape}."
        )
    drawn = (np.abs(points) <= figures.LARGEST).all(axis=1)
    points, labels = points[drawn], labels[drawn]
    if not points.size:
        raise DataError("There are no samples to draw a decision boundary around.")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * np.where(high > low, high - low, 1)
    (left, bottom), (right, top) = low - margin, high + margin
    across, up = np.linspace(left, right, _RESOLUTION), np.linspace(bottom, top, _RESOLUTION)
    plane = np.stack(np.meshgrid(across, up), axis=-1)
    probabilities = _asked(predict_proba, plane.reshape(-1, 2), len(class_names))
    probabilities = probabilities.reshape(_RESOLUTION, _RESOLUTION, -1)
    colours = np.array(figures.class_colours(len(class_names)))
    named = len(class_names) <= _MOST_NAMES
    legend_columns = ceil(len(class_names) / 20) if named else 0
    figure = figures.new_figure(5.2, width=5 + 1.9 * legend_columns)
    axes = figure.subplots()
    figures.chart(axes, "Decision boundary", *(figures.label(one, 40) for one in feature_names))
    figures.in_units(axes.xaxis, [left, right])
    figures.in_units(axes.yaxis, [bottom, top])
    axes.grid(visible=False)
    axes.imshow(
        1 - 0.4 * (1 - probabilities @ colours).clip(0, 1),
        extent=(left, right, bottom, top),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )
    for lead in _leads(probabilities):
        if lead.min() < 0 < lead.max():
            axes.contour(across, up, lead, levels=[0], colors="white", linewidths=1.6)
    handles = []
    for index, colour in enumerate(colours):
        x, y = points[labels == index].T
        handles.append(axes.scatter(x, y, s=16, color=colour, edgecolor="white", linewidth=0.5))
    if named:
        names = figures.labels(class_names)
        beside = {"loc": "upper left", "bbox_to_anchor": (1, 1), "ncols": legend_columns}
        figures.legend(axes, handles, names, **beside)
    return figures.finished(figure)


def residuals(truth: ArrayLike, predicted: ArrayLike, target_name: str = "target") -> Figure:
    """Draw predicted against true values, and what is left over against the predicted ones.

    Parameters
    ----------
    truth, predicted : array-like, shape (N,) or (N, K)
        The values in the units of the target; each of K outputs has its own colour.
    target_name : str, default "target"

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if truth.shape != predicted.shape or truth.ndim not in (1, 2):
        raise ShapeError(
            f"True values have shape {truth.shape} and predicted ones {predicted.shape}; expected "
            "(N,) or (N, K), the same for both."
        )
    truth, predicted = (values.reshape(len(values), -1) for values in (truth, predicted))
    name = figures.label(target_name, 34)
    largest = np.abs([truth, predicted]).max(initial=0)
    scale = 10.0 ** np.floor(np.log10(largest)) if figures.LARGEST < largest < np.inf else 1.0
    truth, predicted = truth / scale, predicted / scale
    rms = scale * np.sqrt(np.mean(np.square(predicted - truth)))
    name += "" if scale == 1 else f" / {scale:g}"
    figure = figures.new_figure(3.8)
    against, left_over = figure.subplots(1, 2)
    figures.chart(against, "Predicted against true", f"true {name}", f"predicted {name}")
    figures.chart(
        left_over,
        f"Residuals, root mean square {readable(rms, 3)}",
        f"predicted {name}",
        "predicted − true",
    )
    for output, colour in enumerate(figures.class_colours(truth.shape[1])):
        x, y = truth[:, output], predicted[:, output]
        against.scatter(x, y, s=14, color=colour, alpha=0.6, linewidth=0)
        left_over.scatter(y, y - x, s=14, color=colour, alpha=0.6, linewidth=0)
    for axis in (against.xaxis, against.yaxis, left_over.xaxis):
        figures.in_units(axis, [truth, predicted])
    figures.in_units(left_over.yaxis, predicted - truth)
    against.set_aspect("equal", adjustable="datalim")
    against.axline((0, 0), slope=1, color=figures.FAINT, linewidth=1)
    left_over.axhline(0, color=figures.FAINT, linewidth=1)
    return figures.finished(figure)


def _asked(
    predict_proba: Callable[[NDArray[np.float64]], NDArray[Any]],
    points: NDArray[np.float64],
    classes: int,
) -> NDArray[np.float64]:
    probabilities = np.asarray(predict_proba(points), np.float64)
    if probabilities.shape != (len(points), classes):
        raise ShapeError(
            f"The network gave probabilities of shape {probabilities.shape}, expected "
            f"({len(points)}, {classes}): one for each of {classes} classes."
        )
    if not np.isfinite(probabilities).all():
        raise DataError("The network gave probabilities that are not finite: training diverged.")
    return probabilities


def _leads(probabilities: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Give, for each class, how far it is ahead of the best of the others, over the plane."""
    if probabilities.shape[2] < 2:
        return
    second, best = np.moveaxis(np.partition(probabilities, -2, axis=2)[:, :, -2:], 2, 0)
    for own in np.moveaxis(probabilities, 2, 0):
        yield own - np.where(own == best, second, best)


def _write_cells(
    axes: Axes, counts: NDArray[np.integer[Any]], shares: NDArray[np.floating[Any]]
) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if not count:
            continue
        share = shares[row, column]
        text = f"{count:,}"
        if len(counts) <= _MOST_SHARES:
            text += f"\n{share:.0%}" if share >= 0.005 else "\n<1%"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=figures.SMALL,
            color="white" if share > 0.4 else figures.INK,
        )
