"""What a network sees of a sample, where it looks, and what its convolutions make of it."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from clearprop.errors import ShapeError
from clearprop.plots import figures
from clearprop.plots.galleries import Samples, between_0_and_1, draw_sample, grid

Array = NDArray[Any]

_TOP = 5
_MOST_SAMPLES = 12
_MOST_MAPS = 47  # and the picture itself: four rows
_LINE = 38  # characters beside pictures
_OUTLIERS = 99.5  # percent of the numbers that are told apart: a few would leave all others pale
_STRONGEST = 0.85  # of the colour that is laid over a picture, which shines through

_CAPTIONS = {
    "saliency": "Saliency: a small change of the most orange pixels moves the answer most.",
    "activation": "Class activation: what the last convolution found in the orange parts speaks "
    "for the answer.",
    "nothing": "Class activation: no part of the picture speaks for the answer by itself.",
}


def what_it_sees(
    original: ArrayLike | None,
    prepared: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    saliency: ArrayLike | None = None,
    activation: ArrayLike | None = None,
) -> Figure:
    """Draw one sample as given and as the network gets it, beside the most likely classes.

    Where it looks is laid over the picture in orange, below.

    Parameters
    ----------
    original, prepared : array-like
        A picture, (H, W) or (H, W, 3), uint8 or float, or a row (D,) of numbers. `original` is
        None where it is no array: a row of a table.
    probabilities : array-like, shape (K,)
        The classes', 0..1.
    class_names : sequence of str, length K
    saliency, activation : array-like, shape (H, W), optional
        What `clearprop.saliency` and `clearprop.class_activation` say of the likeliest class.

    Raises
    ------
    ShapeError
        If there is not one name for each probability, or a map is of another size than the picture.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.shape != (len(class_names),):
        raise ShapeError(
            f"Probabilities have shape {probabilities.shape}, expected ({len(class_names)},): one "
            "for each class name."
        )
    prepared = np.asarray(prepared)
    samples = {"as given": original, "as the network sees it": prepared}
    drawn = [(name, np.asarray(one)) for name, one in samples.items() if one is not None]
    titled = [(f"{name}, {_size(one)}", one) for name, one in drawn]
    maps = {"saliency": saliency, "class activation": activation}
    looks = [(name, laid_over(prepared, one)) for name, one in maps.items() if one is not None]
    rows, columns = [titled, looks] if looks else [titled], max(len(titled), len(looks))
    figure = figures.new_figure(2.7 * len(rows))
    every = figure.subplots(
        len(rows), columns + 1, squeeze=False, width_ratios=[1] * columns + [1.2]
    )
    for axes, row in zip(every, rows, strict=True):
        for panel in axes:
            figures.bare(panel)
        for panel, (title, one) in zip(axes, row, strict=False):
            figures.bare(panel, title)
            draw_sample(panel, one)
    _draw_answer(every[0, -1], probabilities, class_names)
    if looks:
        _write(every[1, -1], _captions(saliency is not None, activation))
    return figures.finished(figure)


def attention(
    samples: Samples,
    saliency: ArrayLike,
    activation: ArrayLike | None,
    titles: Sequence[str],
) -> Figure:
    """Draw pictures, and beside each where a network looks in it.

    Parameters
    ----------
    samples : array-like, N pictures
        Each (H, W) grey or (H, W, 3) RGB, uint8 or float; the first 12 are drawn.
    saliency : array-like, shape (N, H, W)
        What `clearprop.saliency` says of them.
    activation : array-like, shape (N, H, W), or None
        What `clearprop.class_activation` says; None for a network without convolutions.
    titles : sequence of str, length N
        What stands above each.

    Raises
    ------
    ShapeError
        If there are not as many of each, or a map is of another size than the pictures.
    """
    kinds = [np.asarray(one) for one in (saliency, activation) if one is not None]
    if any(len(one) != len(samples) for one in (*kinds, titles)):
        raise ShapeError(
            f"There are {len(samples)} pictures, {len(titles)} titles, and maps of "
            f"{', '.join(str(len(one)) for one in kinds)}; expected as many of each."
        )
    pictures, above = [], []
    for place in range(min(len(samples), _MOST_SAMPLES)):
        picture = np.asarray(samples[place])
        pictures += [picture, *(laid_over(picture, one[place]) for one in kinds)]
        above += [titles[place], "saliency", "class activation"][: 1 + len(kinds)]
    heading = "\n".join(_captions(True, None if activation is None else np.asarray(activation)))
    return grid(pictures, above, heading, columns=2 * (1 + len(kinds)))


def feature_maps(picture: ArrayLike, maps: ArrayLike) -> Figure:
    """Draw what the filters of a convolution make of one picture.

    Parameters
    ----------
    picture : array-like, shape (H, W) or (H, W, 3)
    maps : array-like, shape (h, w, F)
        Of `clearprop.feature_maps`, one sample's; the 47 with the largest numbers are drawn, the
        largest first. White is the largest number of all, black 0 or the smallest.

    Raises
    ------
    ShapeError
        If there are no three axes.
    """
    maps = np.nan_to_num(np.asarray(maps, np.float64), posinf=0, neginf=0)
    if maps.ndim != 3:
        raise ShapeError(f"Feature maps have shape {maps.shape}, expected (h, w, F).")
    largest = maps.max(axis=(0, 1))
    order = np.argsort(-largest, kind="stable")[:_MOST_MAPS]
    low, high = min(float(maps.min()), 0.0), float(np.percentile(maps[:, :, order], _OUTLIERS))
    drawn = ((maps - low) / ((high - low) or 1.0)).clip(0, 1)
    count = f"{len(order)} of {maps.shape[2]}" if len(order) < maps.shape[2] else "all"
    return grid(
        [np.asarray(picture), *(drawn[:, :, index] for index in order.tolist())],
        ["the picture", *(f"{index}: {largest[index]:.2g}" for index in order.tolist())],
        f"What the filters of the first convolution find in a picture, {count} filters\n"
        "filter: its largest number; the whiter, the larger, on one scale for all",
        columns=12,
    )


def laid_over(picture: ArrayLike, weights: ArrayLike) -> Array:
    """Return a picture in grey, with orange over it as strong as the weights of its places.

    Parameters
    ----------
    picture : array-like, shape (H, W) or (H, W, 3)
    weights : array-like, shape (H, W)
        From 0 on.

    Returns
    -------
    ndarray of float64, shape (H, W, 3)
        From 0 to 1.

    Raises
    ------
    ShapeError
        If they are of different sizes.
    """
    pixels = between_0_and_1(np.asarray(picture))
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    strength = np.nan_to_num(np.asarray(weights, np.float64), posinf=0, neginf=0)
    if strength.shape != grey.shape:
        raise ShapeError(
            f"A map of shape {strength.shape} can't be laid over a picture of {grey.shape}; "
            "expected as many rows and columns."
        )
    most = float(np.percentile(strength, _OUTLIERS)) or float(strength.max()) or 1.0
    share = _STRONGEST * (strength / most).clip(0, 1)[:, :, np.newaxis]
    return (1 - share) * grey[:, :, np.newaxis] + share * np.array(figures.class_colours(2)[1])


def _captions(saliency: bool, activation: ArrayLike | None) -> list[str]:
    """Say what the maps are that are drawn."""
    found = [_CAPTIONS["saliency"]] if saliency else []
    if activation is not None:
        found.append(_CAPTIONS["activation" if np.any(activation) else "nothing"])
    return found


def _draw_answer(axes: Axes, probabilities: Array, class_names: Sequence[str]) -> None:
    """Draw the likeliest classes as bars with their names."""
    order = np.argsort(-probabilities, kind="stable")[:_TOP]
    places = range(len(order))
    axes.barh(
        places,
        probabilities[order],
        height=0.3,
        color=[figures.LINES if place else figures.PALETTE[0] for place in places],
    )
    for place, index in enumerate(order.tolist()):
        text = f"{figures.label(class_names[index])}  {probabilities[index]:.1%}"
        axes.text(0, place - 0.22, text, fontsize=figures.LABEL, color=figures.INK)
    axes.set_xlim(0, 1)
    axes.set_ylim(_TOP - 0.5, -0.7)


def _write(axes: Axes, sentences: Sequence[str]) -> None:
    """Write sentences into axes, one below the other."""
    text = "\n\n".join("\n".join(wrap(one, _LINE)) for one in sentences)
    axes.text(0, 1, text, va="top", fontsize=figures.SMALL, color=figures.INK)


def _size(sample: Array) -> str:
    if sample.ndim == 1:
        return f"{len(sample)} numbers"
    return f"{sample.shape[1]} x {sample.shape[0]}"
