"""Exponentials, and sines and cosines, that LLVM makes vectors of.

The library's own are called one number after the other, and would take as long as the products of a
table's network. These are their Taylor polynomials near zero, where few terms are enough for the
last bit or two, and the rest is exact: e^x = 2^k e^r with r = x - k log 2, and quarters of a turn.
Nothing here is imported without Numba.
"""

# ruff: noqa: ARG001 - Numba asks for the context
import math
from collections.abc import Sequence
from typing import Any, Final

from llvmlite import ir
from numba import types

from clearprop.compiled.threads import built_in

# For each width in bits: terms of e^r with |r| < 0.35, of sine and cosine of up to an eighth of a
# turn; the bits of a number below its exponent, and what the exponent begins with.
_TERMS: Final = {32: (8, 5, 6), 64: (14, 9, 10)}
_FORM: Final = {32: (23, 127), 64: (52, 1023)}
_LOG_2: Final = (0.693145751953125, math.log(2) - 0.693145751953125)
"""Log 2 in two parts: a small whole number times the first one is exact."""


class _Scalar:
    """Writes arithmetic on one number, which LLVM widens to vectors where a loop allows."""

    def __init__(self, builder: Any, kind: Any) -> None:
        self.builder, self.bits = builder, kind.bitwidth
        self.number = ir.FloatType() if kind.bitwidth == 32 else ir.DoubleType()
        self.whole = ir.IntType(kind.bitwidth)

    def of(self, number: float) -> Any:
        return ir.Constant(self.number, number)

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def floor(self, a: Any) -> Any:
        form = ir.FunctionType(self.number, [self.number])
        function = self.builder.module.declare_intrinsic("llvm.floor", [self.number], form)
        return self.builder.call(function, [a])

    def nearest(self, a: Any) -> tuple[Any, Any]:
        """Return the nearest whole number, as a float and as one."""
        found = self.floor(self.add(a, self.of(0.5)))
        return found, self.builder.fptosi(found, self.whole)

    def polynomial(self, terms: Sequence[float], x: Any) -> Any:
        """Return the sum of ``terms[i] x^i``."""
        found = self.of(terms[-1])
        for term in reversed(terms[:-1]):
            found = self.add(self.times(found, x), self.of(term))
        return found


@built_in
def exponential(context: Any, x: Any) -> Any:
    """Return e^x, shape (); below the smallest normal number that one, and x is below 88."""
    lowest = -87.0 if x.bitwidth == 32 else -708.0

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write, (given,) = _Scalar(builder, x), arguments
        is_low = builder.fcmp_ordered("<", given, write.of(lowest))
        given = builder.select(is_low, write.of(lowest), given)
        k, exponent = write.nearest(write.times(given, write.of(1 / math.log(2))))
        r = given
        for one in _LOG_2:
            r = write.add(r, write.times(k, write.of(-one)))
        near = write.polynomial([1 / math.factorial(i) for i in range(_TERMS[x.bitwidth][0])], r)
        below, begins = _FORM[x.bitwidth]
        exponent = builder.add(exponent, ir.Constant(write.whole, begins))
        power = builder.shl(exponent, ir.Constant(write.whole, below))
        return write.times(near, builder.bitcast(power, write.number))

    return x(x), generate


@built_in
def wave(context: Any, turns: Any) -> Any:
    """Return the cosine and the sine of an angle that is given in turns of 2 pi."""
    kind = types.UniTuple(turns, 2)  # type: ignore[no-untyped-call] # Numba has no types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write, (given,) = _Scalar(builder, turns), arguments
        quarters, place = write.nearest(write.times(given, write.of(4.0)))
        part = write.add(given, write.times(quarters, write.of(-0.25)))
        angle = write.times(part, write.of(2 * math.pi))
        square = write.times(angle, angle)
        _, odd, even = _TERMS[turns.bitwidth]
        signs = (1, -1)
        sine = write.times(
            angle,
            write.polynomial(
                [signs[i % 2] / math.factorial(2 * i + 1) for i in range(odd)], square
            ),
        )
        cosine = write.polynomial(
            [signs[i % 2] / math.factorial(2 * i) for i in range(even)], square
        )

        def has(bit: int, of: Any) -> Any:
            masked = builder.and_(of, ir.Constant(write.whole, bit))
            return builder.icmp_signed("!=", masked, ir.Constant(write.whole, 0))

        is_odd = has(1, place)
        found = []
        for own, other, turned in ((cosine, sine, 1), (sine, cosine, 0)):
            # A quarter further, the cosine is minus the sine, and the sine is the cosine.
            size = builder.select(is_odd, other, own)
            moved = builder.add(place, ir.Constant(write.whole, turned))
            found.append(builder.select(has(2, moved), builder.fneg(size), size))
        return context.make_tuple(builder, kind, found)

    return kind(turns), generate
