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
from clearprop.plots.galleries import Samples, between_0_and_1, draw_sample, grid, title_of

Array = NDArray[Any]

_TOP = 5
_MOST_MAPS = 47  # and the picture itself: four rows
_WIDEST = 18  # characters above a sample
_LINE = 38  # characters beside pictures
_OUTLIERS = 99.5  # percent of the numbers that are told apart: a few would leave all others pale
_STRONGEST = 0.9  # of the colour that is laid over a picture, which shines through
_SIDE = 64  # times the deviation that saliency is averaged over: a picture's side
_PALEST = 0.6  # what black becomes there: orange on dark would be brown

_CAPTIONS = {
    "saliency": "Saliency: a small change of the most orange pixels moves the answer most.",
    "activation": "Class activation: what the last convolution found in the orange parts speaks "
    "for the answer.",
    "nothing": "Class activation: nothing that the last convolution found speaks for the answer.",
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
    looks = []
    if saliency is not None:
        looks.append(("saliency", laid_over(prepared, smoothed(saliency))))
    if activation is not None:
        looks.append(("class activation", laid_over(prepared, activation)))
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
        _write(every[1, -1], _captions(activation))
    return figures.finished(figure)


def attention(
    samples: Samples,
    truth: ArrayLike,
    predicted: ArrayLike,
    probability: ArrayLike | None,
    class_names: Sequence[str],
    saliency: ArrayLike,
    activation: ArrayLike | None = None,
) -> Figure:
    """Draw pictures, and beside each where a network looked for its answer.

    Parameters
    ----------
    samples : array-like, N pictures
        Each (H, W) grey or (H, W, 3) RGB, uint8 or float.
    truth, predicted : array-like of int, shape (N,)
        Class indices.
    probability : array-like of float, shape (N,), or None
        The predicted class's, 0..1; None where there are none.
    class_names : sequence of str
        The name of each class.
    saliency : array-like, shape (N, H, W)
        The arrays of `clearprop.saliency`.
    activation : array-like, shape (N, H, W), optional
        Those of `clearprop.class_activation`; None for a network without convolutions.

    Raises
    ------
    ShapeError
        If there are not as many of each, or a map is of another size than the pictures.
    """
    kinds = {"saliency": saliency, "class activation": activation}
    maps = {name: np.asarray(one) for name, one in kinds.items() if one is not None}
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    shares = np.full(len(samples), np.nan) if probability is None else np.asarray(probability)
    if any(len(one) != len(samples) for one in (truth, predicted, shares, *maps.values())):
        raise ShapeError(
            f"There are {len(samples)} samples, {len(truth)} true and {len(predicted)} predicted "
            f"classes, {len(shares)} probabilities, and maps of "
            f"{', '.join(str(len(one)) for one in maps.values())}; expected as many of each."
        )
    pictures, titles = [], []
    for place in range(len(samples)):
        picture = np.asarray(samples[place])
        pictures.append(picture)
        share = "" if np.isnan(shares[place]) else f" {shares[place]:.0%}"
        true, said = (str(class_names[one[place]]) for one in (truth, predicted))
        is_right = truth[place] == predicted[place]
        lines = [f"right{share}: {said}"] if is_right else [f"true: {true}", f"said{share}: {said}"]
        titles.append(title_of(*lines, width=_WIDEST))
        for name, one in maps.items():
            weights = smoothed(one[place]) if name == "saliency" else one[place]
            pictures.append(laid_over(picture, weights))
            titles.append(name if np.any(weights) else f"{name}: none")
    heading = "\n".join(_captions(activation))
    return grid(pictures, titles, heading, columns=2 * (1 + len(maps)))


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
        ["picture", *(f"{index}: {largest[index]:.2g}" for index in order.tolist())],
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
    pale = _PALEST + (1 - _PALEST) * grey[:, :, np.newaxis]
    return (1 - share) * pale + share * np.array(figures.class_colours(2)[1])


def smoothed(saliency: ArrayLike) -> Array:
    """Return a map, shape (H, W), averaged over a 64th of its side.

    Its single pixels would be dust at the size at which pictures are drawn.
    """
    from scipy.ndimage import gaussian_filter  # here, so that importing stays quick

    known = np.nan_to_num(np.asarray(saliency, np.float64), posinf=0, neginf=0)
    found: Array = gaussian_filter(known, max(known.shape) / _SIDE)
    return found


def _captions(activation: ArrayLike | None) -> list[str]:
    """Say what the maps are that are drawn."""
    if activation is None:
        return [_CAPTIONS["saliency"]]
    return [_CAPTIONS["saliency"], _CAPTIONS["activation" if np.any(activation) else "nothing"]]


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
