"""Formulas that change pictures: warp them, and change their colours.

Coordinates are rows and columns of pixels, from 0. Beyond its sides a picture goes on as its
outermost pixels, or as its own reflection with these as the mirrors.
"""

import numpy as np

from clearprop.core.kernels.kernel import Kernel
from clearprop.core.parameters import Array

_TOGETHER = 2**14  # pixels: what they need meanwhile stays in a core's cache


def _warp(x: Array, maps: Array, reflects: bool, y: Array) -> None:
    count, height, width, channels = x.shape
    rows = np.arange(height, dtype=x.dtype)[:, np.newaxis]
    columns = np.arange(width, dtype=x.dtype)
    step = max(1, _TOGETHER // (height * width))
    for start in range(0, count, step):
        some = slice(start, start + step)
        (a, b, c), (d, e, f) = maps[some].transpose(1, 2, 0)[..., np.newaxis, np.newaxis]
        above, below, down = _neighbours(a * rows + b * columns + c, height, reflects)
        left, right, along = _neighbours(d * rows + e * columns + f, width, reflects)
        first = np.arange(len(above))[:, np.newaxis, np.newaxis] * (height * width * channels)
        above, below = (first + one * (width * channels) for one in (above, below))
        left, right = left * channels, right * channels
        pixels = x[some].reshape(-1)
        for channel in range(channels):
            part = pixels[channel:]
            top = _between(part.take(above + left), part.take(above + right), along)
            bottom = _between(part.take(below + left), part.take(below + right), along)
            y[some, ..., channel] = _between(top, bottom, down)


def _neighbours(place: Array, size: int, reflects: bool) -> tuple[Array, Array, Array]:
    """Return the pixels around coordinates, and how far these are behind the first of both."""
    last = place.dtype.type(size - 1)
    if reflects:
        np.abs(place, out=place)
        place -= last
        np.abs(place, out=place)
        np.subtract(last, place, out=place)
    np.maximum(place, 0, out=place)
    np.minimum(place, last, out=place)
    first = place.astype(np.int64)
    place -= first
    return first, np.minimum(first + 1, size - 1), place


def _between(first: Array, second: Array, share: Array) -> Array:
    second -= first
    second *= share
    second += first
    return second


def _warp_loop(x: Array, maps: Array, reflects: bool, y: Array) -> None:
    count, height, width, channels = x.shape
    number = maps.dtype.type  # a whole number beside a float32 would make it a float64
    bottom, end, zero = number(height - 1), number(width - 1), number(0)
    line, pixel, none = np.int32(width * channels), np.int32(channels), np.int32(0)
    first, to_right, to_below = np.empty((3, width), np.int32)
    alongs, downs = np.empty(width, x.dtype), np.empty(width, x.dtype)
    for n in range(count):
        a, b, c = maps[n, 0]
        d, e, f = maps[n, 1]
        pixels = x[n].reshape(-1)
        for i in range(height):
            a_i, d_i = a * number(i), d * number(i)
            for j in range(width):  # of its own, as that is done for many pixels at once
                row, column = a_i + b * number(j) + c, d_i + e * number(j) + f
                if reflects:
                    row, column = bottom - abs(abs(row) - bottom), end - abs(abs(column) - end)
                row, column = min(max(row, zero), bottom), min(max(column, zero), end)
                above, left = np.int32(row), np.int32(column)
                downs[j], alongs[j] = row - number(above), column - number(left)
                first[j] = above * line + left * pixel
                to_right[j] = pixel if left < width - 1 else none
                to_below[j] = line if above < height - 1 else none
            out = y[n, i].reshape(-1)
            for j in range(width):
                # Without a sign, as an index below 0 would have to be looked for.
                place, right, below = np.uint64(first[j]), np.uint64(to_right[j]), to_below[j]
                down, along = downs[j], alongs[j]
                for k in range(channels):
                    at = place + np.uint64(k)
                    under = at + np.uint64(below)
                    upper, lower = pixels[at], pixels[under]
                    upper += (pixels[at + right] - upper) * along
                    lower += (pixels[under + right] - lower) * along
                    out[np.uint64(j * channels + k)] = upper + (lower - upper) * down


def _recolour(x: Array, colours: Array, limits: Array) -> None:
    count, height, width, channels = x.shape
    step = max(1, _TOGETHER // (height * width))
    for start in range(0, count, step):
        some = x[start : start + step]
        saturation, gain, shift = colours[start : start + step].T[..., np.newaxis, np.newaxis]
        grey = some[..., 0].copy()
        for channel in range(1, channels):
            grey += some[..., channel]
        grey /= x.dtype.type(channels)
        for channel in range(channels):
            part = some[..., channel] - grey
            part *= saturation
            part += grey
            part *= gain
            part += shift
            np.maximum(part, limits[0], out=part)
            np.minimum(part, limits[1], out=some[..., channel])


def _recolour_loop(x: Array, colours: Array, limits: Array) -> None:
    count, height, width, channels = x.shape
    number = colours.dtype.type
    low, high = limits[0], limits[1]
    for n in range(count):
        saturation, gain, shift = colours[n]
        for i in range(height):
            for j in range(width):
                grey = x[n, i, j, 0]
                for k in range(1, channels):
                    grey += x[n, i, j, k]
                grey /= number(channels)
                for k in range(channels):
                    part = ((x[n, i, j, k] - grey) * saturation + grey) * gain + shift
                    x[n, i, j, k] = min(max(part, low), high)


warp = Kernel(_warp, _warp_loop, "void(T[:, :, :, ::1], T[:, :, ::1], boolean, T[:, :, :, ::1])")
"""``warp(x, maps, reflects, y)``: write y (N, H, W, C), each pixel from a place in x (N, H, W, C).

The place of pixel (i, j) of picture n is ``maps[n] @ (i, j, 1)``, with maps (N, 2, 3), and its
value is interpolated linearly between the four pixels around. `reflects` says what is beyond the
sides: the picture's reflection, or else its outermost pixels.
"""

recolour = Kernel(_recolour, _recolour_loop, "void(T[:, :, :, ::1], T[:, ::1], T[::1])")
"""``recolour(x, colours, limits)``: change the colours of pictures x (N, H, W, C) in place.

With (saturation, gain, shift) of colours (N, 3), and grey the mean of a pixel's channels, a number
becomes gain (grey + saturation (number - grey)) + shift, kept between the two limits.
"""
