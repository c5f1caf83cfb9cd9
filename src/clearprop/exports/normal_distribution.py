"""The normal distribution's function by plain arithmetic, for languages that have no erf.

Source: Moshier, Cephes Mathematical Library (1984), ndtr.c: erf and erfc as ratios of polynomials,
to 13 digits.
"""

import math
from collections.abc import Callable
from typing import TypeVar

from clearprop.core.spelling import Arithmetic

T = TypeVar("T")

_ERF = (
    (
        *(9.60497373987051638749, 9.00260197203842689217e1, 2.23200534594684319226e3),
        *(7.00332514112805075473e3, 5.55923013010394962768e4),
    ),
    (
        *(1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3),
        *(2.26290000613890934246e4, 4.92673942608635921086e4),
    ),
)
_ERFC = (
    (
        *(2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687),
        *(4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2),
        *(9.3452852717195760754e2, 1.02755188689515710272e3, 5.57535335369399327526e2),
    ),
    (
        *(1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2),
        *(9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3),
        *(1.65666309194161350182e3, 5.57535340807717675546e2),
    ),
)
_ERFC_FAR = (
    (
        *(5.64189583547755073984e-1, 1.27536670759978104416, 5.01905042251180477414),
        *(6.16021097993053585195, 7.4097426995044893916, 2.9788666537210024067),
    ),
    (
        *(1.0, 2.2605286322011727659, 9.39603524938001434673, 1.20489539808096656605e1),
        *(1.70814450747565897222e1, 9.60896809063285878198, 3.3690764510008151605),
    ),
)
_SPLIT = 8.0  # where the second pair of polynomials of erfc begins
_FURTHEST = 26.0  # from which on erfc is below 1e-296, and its factors may leave float64


def normal_distribution(
    x: T, arithmetic: Arithmetic[T], held: Callable[[T], T] = lambda one: one
) -> T:
    """Return Phi(x), whose error is below 2e-13.

    Parameters
    ----------
    x : object
        What stands for x.
    arithmetic : Arithmetic
        What the language has for each operator.
    held : callable, optional
        A function that gives a name to what is needed several times, where the language writes
        it again and again otherwise.
    """
    a = arithmetic
    number, times, plus = a.number, a.multiply, a.add
    z = held(times(x, number(math.sqrt(0.5))))
    size = held(a.call("abs", (z,)))
    square = held(times(z, z))
    middle = plus(number(0.5), times(times(number(0.5), z), _ratio(square, _ERF, a)))
    # Each part is computed everywhere, and must be finite where it does not count, too.
    near = held(a.negative(a.call("max", (a.negative(size), number(-_SPLIT)))))
    far = held(a.negative(a.call("max", (a.negative(size), number(-_FURTHEST)))))
    falls = times(number(0.5), a.call("exp", (a.negative(times(far, far)),)))
    is_far = plus(size, number(-_SPLIT))
    tail = held(times(falls, a.choose(is_far, _ratio(far, _ERFC_FAR, a), _ratio(near, _ERFC, a))))
    outside = a.choose(z, plus(number(1), a.negative(tail)), tail)
    return a.choose(plus(size, number(-1)), outside, middle)


def _ratio(x: T, polynomials: tuple[tuple[float, ...], ...], arithmetic: Arithmetic[T]) -> T:
    return arithmetic.divide(*(_polynomial(x, one, arithmetic) for one in polynomials))


def _polynomial(x: T, coefficients: tuple[float, ...], arithmetic: Arithmetic[T]) -> T:
    first, *others = map(arithmetic.number, coefficients)
    for one in others:
        first = arithmetic.add(arithmetic.multiply(first, x), one)
    return first
