"""Formulas that go by the windows of pictures: what they give and get back, entry by entry.

Each says of which place of the result it is: ``y[n,i,j]``. Borders have no operands: of a window at
the edge only the numbers that there are get written.
"""

from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

import numpy as np

from clearprop.core import expressions
from clearprop.core.expressions import Call, Expression, Number, Operands, Place, Style, series
from clearprop.core.symbols import Symbol, dy, x
from clearprop.layers.windows import Pair, Windows

_LISTED = 27  # operands that are all written: a window of 3 x 3 of a colour picture has as many

WindowsOf = Callable[[Mapping[str, Any], Pair], Windows]
"""A function that gives the windows, by hyper-parameters, of pictures of some height and width."""


def convolved(W: Symbol, windows_of: WindowsOf) -> Expression:
    """Return the sum of x W over the places of each window."""
    return _ByWindows(windows_of, _Convolved, (W,))


def of_weights(W: Symbol, windows_of: WindowsOf) -> Expression:
    """Return dW: at each place of the windows, the sum of x.T dy over all windows."""
    return _ByWindows(windows_of, _OfWeights, (W,))


def spread(W: Symbol, windows_of: WindowsOf) -> Expression:
    """Return dx: the sum of dy W.T over the windows that a number lies in."""
    return _ByWindows(windows_of, _Spread, (W,))


def largest(windows_of: WindowsOf) -> Expression:
    """Return the largest number of each window."""
    return _ByWindows(windows_of, _Largest, ())


def place_of_largest(windows_of: WindowsOf) -> Expression:
    """Return the place of the largest number of each window, the first of several."""
    return _ByWindows(windows_of, _PlaceOfLargest, ())


def mean_of_window(windows_of: WindowsOf) -> Expression:
    """Return the mean of the numbers of each window."""
    return _ByWindows(windows_of, _Mean, ())


def to_winners(won: Symbol, windows_of: WindowsOf) -> Expression:
    """Return dx: the sum of dy of the windows that a number has won."""
    return _ByWindows(windows_of, _ToWinners, (won,))


def to_all(windows_of: WindowsOf) -> Expression:
    """Return dx: the same share of dy for each number of a window."""
    return _ByWindows(windows_of, _ToAll, ())


class _ByWindows(Expression):
    """A formula that is known once the windows are."""

    windows_of: WindowsOf
    kind: Callable[..., Expression]
    takes: tuple[Symbol, ...]

    def resolved(self, operands: Operands) -> Expression:
        height, width = operands.shape(x)[1:3]
        return self.kind(self.windows_of(operands.settings, (height, width)), *self.takes)

    def write(self, style: Style) -> str:
        return f"a function of {style.leaf(x)}"


class _OfWindows(Expression):
    """Base of what goes by windows."""

    windows: Windows
    binds = expressions.PREFIX

    def mapped(self, change: Callable[[Expression], Expression]) -> Expression:
        return self  # it holds nothing but symbols, which stay what they are

    @property
    def along(self) -> tuple[tuple[int, int, int, int], ...]:
        """Of windows down and to the right: size, step, number, and lines of border before."""
        windows = self.windows
        return tuple(zip(windows.size, windows.stride, windows.out, windows.before, strict=True))

    def shape(self, place: Place) -> tuple[int, ...]:
        return place.operands.shape(x)

    def taken(self, style: Style) -> str:
        """Write the place of x in a window: ``x[n,2*i+p-1,2*j+q-1]``."""
        places = (
            (f"{step}*{letter}" if step > 1 else letter)
            + (f"+{inner}" if size > 1 else "")
            + (f"-{border}" if border else "")
            for letter, inner, (size, step, _, border) in zip("ij", "pq", self.along, strict=True)
        )
        return f"{style.leaf(x)}[n,{','.join(places)}]"


class _Convolved(_OfWindows):
    W: Symbol
    subscript = "[n,i,j]"

    def write(self, style: Style) -> str:
        return f"sum_pq {self.taken(style)} {style.leaf(self.W)}[p,q]"

    def shape(self, place: Place) -> tuple[int, ...]:
        operands = place.operands
        return (operands.shape(x)[0], *self.windows.out, operands.shape(self.W)[-1])

    def at(self, place: Place) -> Expression:
        operands, (n, i, j, f) = place.operands, place.indices
        channels, sides = operands.shape(self.W)[2], operands.shape(x)[1:3]
        starts, inner = [], []
        for at, side, (size, step, _, border) in zip((i, j), sides, self.along, strict=True):
            start = at * step - border
            starts.append(start)
            inner.append(range(max(0, -start), min(size, side - start)))
        every = list(product(*inner, range(channels)))
        if not every:  # a window that lies in the border alone
            return expressions.constant(0.0)

        def term(k: int) -> Expression:
            p, q, c = every[k]
            number = _entry(operands, x, n, starts[0] + p, starts[1] + q, c)
            return number * operands.number(self.W, (p, q, c, f))

        values = np.array([term(k).compute() for k in range(len(every))])
        return series(term, values, _LISTED)


class _OfWeights(_OfWindows):
    W: Symbol
    subscript = "[p,q]"

    def write(self, style: Style) -> str:
        return f"sum_nij {self.taken(style)}.T {style.leaf(dy)}[n,i,j]"

    def shape(self, place: Place) -> tuple[int, ...]:
        return place.operands.shape(self.W)

    def at(self, place: Place) -> Expression:
        operands, (p, q, c, f) = place.operands, place.indices
        samples, *sides = operands.shape(x)[:3]
        inputs, outputs = [], []  # the lines and columns where windows meet the picture
        for inner, side, (_, step, count, border) in zip((p, q), sides, self.along, strict=True):
            reached = [at for at in range(count) if 0 <= at * step + inner - border < side]
            outputs.append(reached)
            inputs.append([at * step + inner - border for at in reached])
        whole = (samples, *map(len, outputs))
        if not prod(whole):
            return expressions.constant(0.0)

        def term(k: int) -> Expression:
            n, i, j = map(int, np.unravel_index(k, whole))
            given = operands.number(dy, (n, outputs[0][i], outputs[1][j], f))
            return _entry(operands, x, n, inputs[0][i], inputs[1][j], c) * given

        every = slice(None)
        numbers = _entry(operands, x, every, every, every, c).compute()[:, *np.ix_(*inputs)]
        given = operands.number(dy, (every, every, every, f)).compute()[:, *np.ix_(*outputs)]
        return series(term, (numbers * given).ravel())


class _BackToPlaces(_OfWindows):
    """Base of gradients of x: each number hears of the windows that it lies in."""

    subscript = "[n,h,w]"

    def reached(self) -> str:
        """Write the windows that a number of x lies in: ``[n,(h-p+1)/2,(w-q+1)/2]``."""
        places = []
        for letter, inner, (size, step, _, border) in zip("hw", "pq", self.along, strict=True):
            text = letter + (f"-{inner}" if size > 1 else "") + (f"+{border}" if border else "")
            bracketed = f"({text})" if step > 1 and text != letter else text
            places.append(f"{bracketed}/{step}" if step > 1 else text)
        return f"[n,{','.join(places)}]"

    @property
    def condition(self) -> str:
        """The words about places between windows, where strides are larger than 1."""
        return ", of those p, q that give whole numbers" if max(self.windows.stride) > 1 else ""

    def windows_at(self, place: Place) -> list[tuple[Pair, Pair]]:
        """Return the windows that a number of x lies in, each with the number's place there."""
        found = []
        for at, (size, step, count, border) in zip(place.indices[1:3], self.along, strict=True):
            inside = ((at + border - inner, inner) for inner in range(size))
            found.append(
                [
                    (reached // step, inner)
                    for reached, inner in inside
                    if reached % step == 0 and 0 <= reached // step < count
                ]
            )
        return [((i, j), (p, q)) for (i, p), (j, q) in product(*found)]


class _Spread(_BackToPlaces):
    W: Symbol

    def write(self, style: Style) -> str:
        text = f"sum_pq {style.leaf(dy)}{self.reached()} {style.leaf(self.W)}[p,q].T"
        return text + self.condition

    def at(self, place: Place) -> Expression:
        operands, every = place.operands, self.windows_at(place)
        n, _, _, c = (*place.indices, 0)[:4]
        filters = operands.shape(self.W)[3]
        if not every:
            return expressions.constant(0.0)

        def term(k: int) -> Expression:
            (window, inner), f = every[k // filters], k % filters
            given = operands.number(dy, (n, *window, f))
            return given * operands.number(self.W, (*inner, c, f))

        values = np.array([term(k).compute() for k in range(len(every) * filters)])
        return series(term, values)


class _OverWindow(_OfWindows):
    """Base of pools: a function of the numbers of each window."""

    subscript = "[n,i,j]"
    name = ""  # NumPy's of the function

    def write(self, style: Style) -> str:
        return f"{self.name}_pq {self.taken(style)}"

    def shape(self, place: Place) -> tuple[int, ...]:
        samples, _, _, *channels = place.operands.shape(x)
        return (samples, *self.windows.out, *(channels or (1,)))

    def at(self, place: Place) -> Expression:
        (n, i, j, c), (s, t) = place.indices, self.windows.stride
        numbers = tuple(
            _entry(place.operands, x, n, i * s + p, j * t + q, c) for p, q in self.windows.places()
        )
        return self.of(numbers)

    def of(self, numbers: tuple[Number, ...]) -> Expression:
        """Return the function of them."""
        first, last, function = numbers[0], numbers[-1], getattr(np, self.name)
        if len(numbers) <= _LISTED:
            return Call(self.name, lambda *values: function(values), numbers)
        value = function([one.compute() for one in numbers])
        return Number(float(value), f"{self.name}({first.symbol}, ..., {last.symbol})")


class _Largest(_OverWindow):
    name = "max"


class _PlaceOfLargest(_OverWindow):
    name = "argmax"


class _Mean(_OverWindow):
    name = "mean"

    def of(self, numbers: tuple[Number, ...]) -> Expression:
        values = np.array([one.compute() for one in numbers])
        return series(lambda k: numbers[k], values, _LISTED) / expressions.constant(len(numbers))


class _ToWinners(_BackToPlaces):
    won: Symbol

    def write(self, style: Style) -> str:
        at, across = self.reached(), self.windows.size[1]
        winner = f"[{style.leaf(self.won)}{at} = {across}*p+q]"
        return f"sum_pq {style.leaf(dy)}{at} * {winner}{self.condition}"

    def at(self, place: Place) -> Expression:
        operands, (n, _, _, c) = place.operands, (*place.indices, 0)[:4]
        terms = []
        for window, (p, q) in self.windows_at(place):
            number, winner = (
                p * self.windows.size[1] + q,
                operands.number(self.won, (n, *window, c)),
            )
            is_mine = Number(float(winner.value == number), f"[{winner.symbol} = {number}]")
            terms.append(operands.number(dy, (n, *window, c)) * is_mine)
        if not terms:
            return expressions.constant(0.0)
        return series(lambda k: terms[k], np.array([one.compute() for one in terms]))


class _ToAll(_BackToPlaces):
    def write(self, style: Style) -> str:
        return (
            f"sum_pq {style.leaf(dy)}{self.reached()} / {prod(self.windows.size)}{self.condition}"
        )

    def at(self, place: Place) -> Expression:
        operands, (n, _, _, c) = place.operands, (*place.indices, 0)[:4]
        terms = [operands.number(dy, (n, *window, c)) for window, _ in self.windows_at(place)]
        if not terms:
            return expressions.constant(0.0)
        total = series(lambda k: terms[k], np.array([one.compute() for one in terms]))
        return total / expressions.constant(prod(self.windows.size))


def _entry(operands: Operands, of: Symbol, n: Any, h: Any, w: Any, c: Any) -> Number:
    """Return an entry of pictures, which may have no axis of channels."""
    return operands.number(of, (n, h, w, c)[: len(operands.shape(of))])
