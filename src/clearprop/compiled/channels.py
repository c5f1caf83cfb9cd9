"""The work on every number of a feature map, channel by channel, in vectors.

Between a convolution's sums z and what the next layer takes lies y = max(scale z + shift, floor),
or max(scale z + shift + skip, floor) where the input of an earlier block is added, of the largest
of two by two places where there is a pool; and on the way back dz = by g + at z +
plus, where g is the gradient of y at the places that y came from, else 0. Without a norm, scale is
1, shift the bias, and dz is g. Each function goes over the places of a line, `count` of them after
pooling, for one group of channels. `k` holds the numbers of each channel in rows: scale, shift, by,
at, plus, pivot. Nothing here is imported without Numba.
"""

# ruff: noqa: ARG001 - Numba asks for the context
from collections.abc import Callable
from inspect import Parameter, Signature
from types import SimpleNamespace
from typing import Any

from numba import types

from clearprop.compiled.threads import built_in
from clearprop.compiled.vectors import VECTORS, Writer

SCALE, SHIFT, BY, AT, PLUS, PIVOT = range(6)
"""The rows of `k`."""

DEAD = 4
"""The code of a pooled value that the floor has cut off; 0 to 3 say where it came from."""


def _over_lines(arguments: str, body: Callable[..., None]) -> Any:
    """Make a function for compiled code, called by position, of one that writes a line's work.

    Parameters
    ----------
    arguments : str
        The names of its arguments: an array ``z`` stands before its place ``z_at``.
    body : callable
        ``body(write, on)`` writes the work on a vector of channels; `on` has the arguments by name,
        arrays as pointers to the first of these channels, and the number of a group's.
    """
    names = arguments.split(", ")
    is_array = [f"{name}_at" in names for name in names]

    def function(context: Any, *kinds: Any) -> Any:
        numbers = [kind for kind in kinds if isinstance(kind, types.Float)]
        signature = types.void(
            *[
                kind if array or kind in numbers else types.int64
                for kind, array in zip(kinds, is_array, strict=True)
            ]
        )

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            given = dict(zip(names, values, strict=True))
            of = dict(zip(names, signature.args, strict=True))
            write = Writer(context, builder, of["k"])
            pointers = {
                name: write.pointer(of[name], given[name], given[f"{name}_at"])
                for name, array in zip(names, is_array, strict=True)
                if array
            }
            for vector in range(VECTORS):
                lane = vector * write.lanes
                moved = {name: write.moved(one, lane) for name, one in pointers.items()}
                body(write, SimpleNamespace(**{**given, **moved}, channels=VECTORS * write.lanes))
            return context.get_dummy_value()

        return signature, generate

    # Numba looks for the arguments by name.
    of_any = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("context", *names)]
    function.__signature__ = Signature(of_any)  # type: ignore[attr-defined] # inspect reads it
    return built_in(function)


def _row(write: Writer, on: SimpleNamespace, row: int) -> Any:
    return write.load(write.moved(on.k, write.times(on.channels, row)))


def _windows(
    write: Writer, pooled: bool, here: Any, line: Any, channels: Any, at: Any
) -> list[Any]:
    """Return the places, one or two by two, that a value after pooling comes from."""
    if not pooled:
        return [write.moved(here, write.times(at, channels))]
    first = write.moved(here, write.times(at, 2 * channels))
    return [
        first,
        write.moved(first, channels),
        write.moved(first, line),
        write.moved(first, line, channels),
    ]


def _finish(pooled: bool, added: bool) -> Callable[..., None]:
    def body(write: Writer, on: SimpleNamespace) -> None:
        bd, floor = write.builder, write.spread(on.floor)
        scale, shift = (_row(write, on, row) for row in (SCALE, SHIFT))
        with write.loop(on.count) as places:
            at = _windows(write, pooled, on.z, on.z_line, on.channels, places.index)
            values = [write.multiply_add(scale, write.load(one), shift) for one in at]
            if added:
                at = _windows(write, pooled, on.skip, on.skip_line, on.channels, places.index)
                values = [
                    bd.fadd(value, write.load(one)) for value, one in zip(values, at, strict=True)
                ]
            best, *others = values
            code = write.codes(0)
            for number, other in enumerate(others, 1):
                larger = bd.fcmp_ordered(">", other, best)
                best = bd.select(larger, other, best)
                code = bd.select(larger, write.codes(number), code)
            alive = bd.fcmp_unordered(">", best, floor)  # NaN stays NaN
            to = write.times(places.index, on.channels)
            write.store(bd.select(alive, best, floor), write.moved(on.y, to))
            if pooled:
                code = bd.select(alive, code, write.codes(DEAD))
                write.store_codes(code, write.moved(on.codes, to))

    return body


def _passed(write: Writer, pooled: bool, on: SimpleNamespace, at: Any) -> list[Any]:
    """Return g of a value: its gradient at the place that it came from, 0 at the others."""
    bd, zero = write.builder, write.same(0.0)
    to = write.times(at, on.channels)
    dy = write.load(write.moved(on.dy, to))
    if not pooled:
        y = write.load(write.moved(on.y, to))
        alive = bd.fcmp_unordered(">", y, write.spread(on.floor))
        return [bd.select(alive, dy, zero)]
    code = write.load_codes(write.moved(on.codes, to))
    return [
        bd.select(bd.icmp_unsigned("==", code, write.codes(number)), dy, zero)
        for number in range(4)
    ]


def _sums(pooled: bool) -> Callable[..., None]:
    def body(write: Writer, on: SimpleNamespace) -> None:
        bd, pivot = write.builder, _row(write, on, PIVOT)
        totals = [on.sums, write.moved(on.sums, on.channels)]
        kept = [write.kept(write.load(one)) for one in totals]
        for place, total in zip(kept, totals, strict=True):
            bd.store(write.load(total), place)
        with write.loop(on.count) as places:
            at = _windows(write, pooled, on.z, on.z_line, on.channels, places.index)
            for g, one in zip(_passed(write, pooled, on, places.index), at, strict=True):
                bd.store(bd.fadd(bd.load(kept[0]), g), kept[0])
                away = bd.fsub(write.load(one), pivot)
                bd.store(write.multiply_add(g, away, bd.load(kept[1])), kept[1])
        for place, total in zip(kept, totals, strict=True):
            write.store(bd.load(place), total)

    return body


def _spread(pooled: bool, normed: bool) -> Callable[..., None]:
    def body(write: Writer, on: SimpleNamespace) -> None:
        bd, total = write.builder, on.sums
        by, at_z, plus = (_row(write, on, row) for row in (BY, AT, PLUS))
        kept = write.kept(write.same(0.0))
        bd.store(write.load(total), kept)
        with write.loop(on.count) as places:
            here = places.index
            to = _windows(write, pooled, on.d, on.d_line, on.channels, here)
            at = _windows(write, pooled, on.z, on.z_line, on.channels, here)
            for g, target, one in zip(_passed(write, pooled, on, here), to, at, strict=True):
                if normed:
                    plain = write.multiply_add(at_z, write.load(one), plus)
                    write.store(write.multiply_add(by, g, plain), target)
                else:
                    bd.store(bd.fadd(bd.load(kept), g), kept)
                    write.store(g, target)
        if not normed:
            write.store(bd.load(kept), total)

    return body


def _moments(write: Writer, on: SimpleNamespace) -> None:
    bd, pivot = write.builder, _row(write, on, PIVOT)
    totals = [on.sums, write.moved(on.sums, on.channels)]
    kept = [write.kept(write.same(0.0)) for _ in totals]
    for place, total in zip(kept, totals, strict=True):
        bd.store(write.load(total), place)
    with write.loop(on.count) as places:
        z = write.load(write.moved(on.z, write.times(places.index, on.channels)))
        away = bd.fsub(z, pivot)
        bd.store(bd.fadd(bd.load(kept[0]), away), kept[0])
        bd.store(write.multiply_add(away, away, bd.load(kept[1])), kept[1])
    for place, total in zip(kept, totals, strict=True):
        write.store(bd.load(place), total)


_FINISH = (
    "z, z_at, z_line, skip, skip_at, skip_line, k, k_at, floor, y, y_at, codes, codes_at, count"
)
_BACK = "dy, dy_at, y, y_at, codes, codes_at, floor, z, z_at, z_line, k, k_at"

finish, finish_pooled, finish_added, finish_added_pooled = (
    _over_lines(_FINISH, _finish(pooled, added))
    for added in (False, True)
    for pooled in (False, True)
)
"""Write y, and where it came from, of a line of z."""

sums, sums_pooled = (
    _over_lines(f"{_BACK}, sums, sums_at, count", _sums(pooled)) for pooled in (False, True)
)
"""Add g, and g (z - pivot), over a line to two rows of sums."""

spread, spread_pooled, spread_normed, spread_normed_pooled = (
    _over_lines(f"{_BACK}, d, d_at, d_line, sums, sums_at, count", _spread(pooled, normed))
    for normed in (False, True)
    for pooled in (False, True)
)
"""Write dz of a line; without a norm, add it over the line to a row of sums."""

moments = _over_lines("z, z_at, k, k_at, sums, sums_at, count", _moments)
"""Add z - pivot, and its square, over places to two rows of sums."""
