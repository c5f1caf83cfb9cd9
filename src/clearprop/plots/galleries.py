"""Galleries: samples and weights drawn as pictures, side by side."""

from collections.abc import Sequence
from math import ceil, prod
from pathlib import PurePath
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import DataError, ShapeError, listed
from clearprop.plots import figures

Array = NDArray[Any]

_MOST_MISTAKES = 20
_MOST_UNITS = 60
_WIDEST = 20  # characters above a sample


class Samples(Protocol):
    """An array of samples, or rows chosen from one: a sample for each index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


def mistakes(
    samples: Samples,
    truth: ArrayLike,
    predicted: ArrayLike,
    probability: ArrayLike,
    class_names: Sequence[str],
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw the samples that were predicted wrongly, the most confident first.

    Parameters
    ----------
    samples : array-like, N samples
        Each a picture, (H, W) grey or (H, W, 3) RGB, uint8 or float, or a row (D,) of numbers.
        Only those that are drawn are read.
    truth, predicted : array-like of int, shape (N,)
        Class indices.
    probability : array-like of float, shape (N,)
        The predicted class's, 0..1.
    class_names : sequence of str
        The name of each class.
    names : sequence of str, optional
        The file or row that each sample came from.

    Returns
    -------
    Figure
        Up to 20 samples; one that says so where every prediction is right.

    Raises
    ------
    ShapeError
        If there are not as many of each.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    probability = np.asarray(probability, np.float64)
    if not len(samples) == len(truth) == len(predicted) == len(probability):
        raise ShapeError(
            f"There are {len(samples)} samples, {len(truth)} true and {len(predicted)} predicted "
            f"classes and {len(probability)} probabilities; expected as many of each."
        )
    wrong = np.flatnonzero(truth != predicted)
    if not wrong.size:
        return figures.says(f"No mistakes among {len(truth):,} samples.")
    order = wrong[np.argsort(-probability[wrong], kind="stable")][:_MOST_MISTAKES]
    titles = []
    for index in order.tolist():
        said = f"said {probability[index]:.0%}: {class_names[predicted[index]]}"
        title = title_of(f"true: {class_names[truth[index]]}", said)
        if names is not None:
            title += f"\n{figures.label(PurePath(names[index]).name, _WIDEST)}"
        titles.append(title)
    shown = "the" if len(order) == wrong.size else f"the {len(order)}"
    return grid(
        [np.asarray(samples[index]) for index in order.tolist()],
        titles,
        f"{wrong.size:,} of {len(truth):,} samples predicted wrongly, {shown} most confident first",
        columns=5,
    )


def first_layer_weights(
    W: ArrayLike,
    picture_shape: tuple[int, ...],
    first: ArrayLike | None = None,
    called: str = "unit",
) -> Figure:
    """Draw the weights of each unit of a first layer as the picture that they look at.

    Parameters
    ----------
    W : array-like, shape (D, M)
        The weights of M units; the first 60 by norm are drawn, the largest first.
    picture_shape : tuple of int
        (H, W) or (H, W, 3), whose product is D. Grey pictures: orange is positive, blue
        negative, white zero. Colour pictures: mid-grey is zero, and each colour's weight shifts
        that colour. The scale is one for all units.
    first : array-like, shape (D, M), optional
        The weights before training. As long as training has changed them by less than their own
        size, what is seen in weights is the noise that they began as: then the changes are drawn.
    called : str, default "unit"
        The word for a unit: a filter, of a convolution, whose picture is its window.

    Raises
    ------
    ShapeError
        If `W` and `picture_shape` don't fit together.
    DataError
        If a weight is not finite.
    """
    W = np.asarray(W, np.float64)
    if len(picture_shape) < 2 or picture_shape[2:] not in ((), (3,)):
        raise ShapeError(
            f"Weights can't be drawn as pictures of shape {picture_shape}; expected (H, W) or "
            "(H, W, 3)."
        )
    if W.ndim != 2 or W.shape[0] != prod(picture_shape):
        raise ShapeError(
            f"Weights of shape {W.shape} can't be drawn as pictures of shape {picture_shape}; "
            f"expected ({prod(picture_shape)}, units)."
        )
    if not np.isfinite(W).all():
        raise DataError("Weights that are not finite can't be drawn: training diverged.")
    drawn = "weights of the first layer"
    if first is not None:
        change = W - np.asarray(first, np.float64)
        if np.linalg.norm(change) < np.linalg.norm(first):
            drawn, W = "what training changed in the first layer", change
    norms = np.linalg.norm(W, axis=0)
    order = np.argsort(-norms, kind="stable")[:_MOST_UNITS]
    # A few outliers would leave all others pale.
    limit = float(np.percentile(np.abs(W[:, order]), 99.5)) or 1.0
    scaled = W[:, order].T.reshape(-1, *picture_shape) / limit
    pictures = [
        _diverging(unit) if unit.ndim == 2 else (unit.clip(-1, 1) + 1) / 2 for unit in scaled
    ]
    which = f"{len(order)} of {W.shape[1]}" if len(order) < W.shape[1] else "all"
    key = "orange > 0, blue < 0" if len(picture_shape) == 2 else "grey is 0"
    head = f"{drawn.capitalize()}, {which} {called}s, the largest first\n{called}: length; {key}"
    return grid(
        pictures,
        [f"{index}: {norms[index]:.2g}" for index in order.tolist()],
        head,
        columns=12,
    )


def augmented(
    originals: ArrayLike, changed: Sequence[ArrayLike], names: Sequence[str] | None = None
) -> Figure:
    """Draw pictures as they are, and beside each what random changes make of it.

    Parameters
    ----------
    originals : array-like, shape (N, H, W) or (N, H, W, 3)
    changed : sequence of array-like of the same shape
        One for each column.
    names : sequence of str, length N, optional
        The class of each picture, or what else it is called.

    Raises
    ------
    ShapeError
        If shapes or lengths differ.
    """
    columns = [np.asarray(one) for one in (originals, *changed)]
    names = [""] * len(columns[0]) if names is None else names
    if any(one.shape != columns[0].shape for one in columns) or len(names) != len(columns[0]):
        raise ShapeError(
            f"Pictures of shape {columns[0].shape} have {len(names)} names, and are changed to "
            f"{listed(one.shape for one in columns[1:])}; expected as many names as pictures, and "
            "pictures of one shape."
        )
    titles = [title for name in names for title in (name, *[""] * len(changed))]
    return grid(
        [column[row] for row in range(len(names)) for column in columns],
        [figures.label(title, _WIDEST) for title in titles],
        "Pictures, and beside each what training may see in its place",
        columns=len(columns),
    )


def grid(samples: Sequence[Array], titles: Sequence[str], heading: str, columns: int) -> Figure:
    """Draw samples side by side, each below its title, all below a heading."""
    columns = min(columns, len(samples))
    rows = ceil(len(samples) / columns)
    lines = 1 + max(title.count("\n") for title in titles)
    side = figures.WIDTH / max(columns, 4)
    figure = figures.new_figure(0.5 + rows * (side + 0.17 * lines))
    figures.heading(figure, heading)
    every_axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, sample, title in zip(every_axes, samples, titles, strict=False):
        figures.bare(axes, title)
        draw_sample(axes, sample)
    for axes in every_axes[len(samples) :]:
        axes.set_axis_off()
    return figures.finished(figure)


def title_of(*lines: str, width: int = _WIDEST) -> str:
    """Write what stands above a sample: each line in no more than two of so many characters."""
    return "\n".join(figures.label(line, width, lines=2) for line in lines)


def draw_sample(axes: Axes, sample: Array) -> None:
    """Draw a picture, or a row of numbers as bars, into bare axes."""
    if sample.ndim == 1:
        axes.stairs(_finite(sample), fill=True, color=figures.PALETTE[0])
        axes.axhline(0, color=figures.FAINT, linewidth=0.6)
        return
    if sample.ndim == 3 and sample.shape[2] == 1:
        sample = sample[:, :, 0]
    if sample.ndim not in (2, 3) or (sample.ndim == 3 and sample.shape[2] != 3):
        raise ShapeError(
            f"A sample of shape {sample.shape} can't be drawn; expected a row (D,) or a picture "
            "(H, W) or (H, W, 3)."
        )
    axes.imshow(between_0_and_1(sample), cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def between_0_and_1(picture: Array) -> Array:
    """Bring a picture of any kind to black at 0 and white at 1."""
    if picture.dtype == np.uint8:
        return picture / 255
    picture = _finite(picture)
    low, high = picture.min(), picture.max()
    if low >= 0 and high <= 1:
        return picture
    # Standardised pictures have any range, and halves of it can't overflow.
    return (picture / 2 - low / 2) / ((high / 2 - low / 2) or 1)


def _finite(values: Array) -> Array:
    return np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)  # a gap in a table is NaN


def _diverging(weights: Array) -> Array:
    """Turn numbers -1..1 (H, W) into RGB (H, W, 3): blue, white, orange."""
    negative, positive = (np.array(figures.class_colours(2)[i]) for i in (0, 1))
    share = np.abs(weights).clip(0, 1)[:, :, np.newaxis]
    hue = np.where(weights[:, :, np.newaxis] < 0, negative, positive)
    return 1 - share * (1 - hue)
