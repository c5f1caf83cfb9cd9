"""Arithmetic that can be computed and written down: once with symbols, once with real numbers.

A tree is put together with the operators of Python, so that the code of a formula reads like the
formula, and what is written can't differ from what is computed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from clearprop.walkthrough.words import WORDS

_LONG = 1e9  # from here on whole numbers are rounded, too

_SUM, _PRODUCT, _ATOM = range(3)  # how tightly the parts of an expression hold together


class Expression(ABC):
    """Base of the nodes; each knows its value, and how to write itself."""

    binds: ClassVar[int] = _ATOM

    @property
    @abstractmethod
    def value(self) -> float:
        """What it comes to, computed in float64."""

    @abstractmethod
    def write(self, leaf: "Writer") -> str:
        """Write it, the leaves as `leaf` says."""

    def symbols(self) -> str:
        """Write it with symbols: ``x[3,0]*W[0,2] + b[2]``."""
        return self.write(lambda leaf: leaf.symbol)

    def numbers(self) -> str:
        """Write it with numbers: ``0.31*(-0.07) + 0.5``."""
        return self.write(lambda leaf: number_text(leaf.number))

    def __add__(self, other: "Operable") -> "Expression":
        return Sum((self, _as_expression(other)))

    def __radd__(self, other: float) -> "Expression":
        return _as_expression(other) + self

    def __sub__(self, other: "Operable") -> "Expression":
        return Sum((self, Negative(_as_expression(other))))

    def __rsub__(self, other: float) -> "Expression":
        return _as_expression(other) - self

    def __mul__(self, other: "Operable") -> "Expression":
        return Product((self, _as_expression(other)))

    def __rmul__(self, other: float) -> "Expression":
        return _as_expression(other) * self

    def __truediv__(self, other: "Operable") -> "Expression":
        return Quotient(self, _as_expression(other))

    def __rtruediv__(self, other: float) -> "Expression":
        return _as_expression(other) / self

    def __pow__(self, exponent: int) -> "Expression":
        return Power(self, exponent)

    def __neg__(self) -> "Expression":
        return Negative(self)


Operable: TypeAlias = Expression | float


@dataclass(frozen=True)
class Number(Expression):
    """A leaf: one entry of a matrix, or a constant, whose symbol is the number itself."""

    number: float
    symbol: str

    @property
    def value(self) -> float:
        """The number."""
        return self.number

    def write(self, leaf: "Writer") -> str:
        """Write what `leaf` makes of it."""
        return leaf(self)


Writer: TypeAlias = Callable[[Number], str]


@dataclass(frozen=True)
class Sum(Expression):
    """Terms added up; of a long sum, only the first and the last are written."""

    terms: tuple[Expression, ...]
    binds: ClassVar[int] = _SUM

    @property
    def value(self) -> float:
        """The terms added up."""
        first, *others = (term.value for term in self.terms)
        return sum(others, start=first)  # from 0 a negative zero would lose its sign

    def write(self, leaf: Writer) -> str:
        """Write the terms with + and - between them."""
        text = _held(self.terms[0], leaf, _SUM)
        for term in self.terms[1:]:
            if isinstance(term, Negative):
                text += f" - {_held(term.negated, leaf, _PRODUCT)}"
            else:
                text += f" + {_held(term, leaf, _SUM)}"
        return text


@dataclass(frozen=True)
class Product(Expression):
    """Factors multiplied."""

    factors: tuple[Expression, Expression]
    binds: ClassVar[int] = _PRODUCT

    @property
    def value(self) -> float:
        """The factors multiplied."""
        left, right = self.factors
        return left.value * right.value

    def write(self, leaf: Writer) -> str:
        """Write the factors with * between them."""
        # Without brackets a/b*c looks like a / (b*c), and a*b/c is another order of operations.
        left, right = (
            _held(one, leaf, _ATOM if isinstance(one, Quotient) else _PRODUCT)
            for one in self.factors
        )
        return f"{left}*{right}"


@dataclass(frozen=True)
class Quotient(Expression):
    """A division; by zero it gives infinity or NaN, as in NumPy."""

    dividend: Expression
    divisor: Expression
    binds: ClassVar[int] = _PRODUCT

    @property
    def value(self) -> float:
        """The dividend divided by the divisor."""
        with np.errstate(all="ignore"):
            return float(np.float64(self.dividend.value) / np.float64(self.divisor.value))

    def write(self, leaf: Writer) -> str:
        """Write both with / between them."""
        return f"{_held(self.dividend, leaf, _PRODUCT)} / {_held(self.divisor, leaf, _ATOM)}"


@dataclass(frozen=True)
class Power(Expression):
    """A whole power."""

    base: Expression
    exponent: int

    @property
    def value(self) -> float:
        """The base multiplied with itself."""
        with np.errstate(all="ignore"):
            return float(np.float64(self.base.value) ** self.exponent)

    def write(self, leaf: Writer) -> str:
        """Write the base with ** behind it."""
        return f"{_held(self.base, leaf, _ATOM)}**{self.exponent}"


@dataclass(frozen=True)
class Negative(Expression):
    """The negative of an expression."""

    negated: Expression
    binds: ClassVar[int] = _SUM

    @property
    def value(self) -> float:
        """Minus the value."""
        return -self.negated.value

    def write(self, leaf: Writer) -> str:
        """Write it with - before it."""
        return f"-{_held(self.negated, leaf, _PRODUCT)}"


@dataclass(frozen=True)
class Call(Expression):
    """A function of one or several arguments."""

    name: str
    function: Callable[..., float]
    arguments: tuple[Expression, ...]

    @property
    def value(self) -> float:
        """What the function gives; NaN and infinity as NumPy has them."""
        with np.errstate(all="ignore"):
            return float(self.function(*(argument.value for argument in self.arguments)))

    def write(self, leaf: Writer) -> str:
        """Write the arguments in brackets behind the function's name."""
        return f"{self.name}({', '.join(one.write(leaf) for one in self.arguments)})"


@dataclass(frozen=True)
class Omitted(Expression):
    """The terms of a long sum that are not written, with what they come to."""

    total: float
    count: int

    @property
    def value(self) -> float:
        """What they come to."""
        return self.total

    def write(self, leaf: Writer) -> str:
        """Write how many they are, and where numbers are written, what they come to."""
        if not leaf(Number(self.total, "")):
            return "..."
        return WORDS["omitted"].format(count=self.count, total=number_text(self.total))


def number_text(value: float) -> str:
    """Write a number in four digits, a whole one in all of its own: ``-1.2e-05``, ``60000``."""
    text = f"{value or 0.0:.4g}"  # a negative zero is a zero
    return f"{value:.0f}" if "e+" in text and abs(value) < _LONG and value == int(value) else text


def _as_expression(value: Operable) -> Expression:
    return value if isinstance(value, Expression) else Number(value, number_text(value))


def _held(part: Expression, leaf: Writer, least: int) -> str:
    """Write a part, in brackets where it would fall apart beside its neighbours."""
    text = part.write(leaf)
    is_negative = isinstance(part, Number) and text.startswith("-")
    return f"({text})" if is_negative or part.binds < least else text
