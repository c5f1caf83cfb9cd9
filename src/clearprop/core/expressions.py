"""Arithmetic that can be computed and written down: with symbols, and with real numbers.

A tree is put together with the operators of Python, so that the code of a formula reads like the
formula, and what is written can't differ from what is computed. Of whole matrices (`formulas`) its
leaves are symbols; `Expression.at` makes of it the arithmetic of one entry, whose leaves are
numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, dataclass_transform

import numpy as np

_LONG = 1e9  # from here on whole numbers are rounded, too
_WHOLE = 8  # terms up to which a sum is written whole
_FIRST, _LAST = 4, 1  # terms of a longer one

# How tightly the parts of an expression hold together.
CHOICE, SUM, PRODUCT, PREFIX, POWER, ATOM = range(6)

Values: TypeAlias = Any  # a float64, or an array of them
Index: TypeAlias = tuple[Any, ...]  # of int, and of slice for a whole row or column


class Operands(Protocol):
    """The numbers that symbols stand for."""

    def __contains__(self, name: str) -> bool:
        """Say whether there is a matrix or a setting of that name."""

    def number(self, symbol: Any, index: Index) -> "Number":
        """Return an entry of a matrix, or a whole row or column of it."""

    def shape(self, symbol: Any) -> tuple[int, ...]:
        """Return the shape of a matrix."""

    def is_vector(self, symbol: Any) -> bool:
        """Say whether a matrix has only one number for each sample."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The hyper-parameters by name, whatever they are."""

    def setting(self, name: str) -> "Number":
        """Return a hyper-parameter that is a number."""

    def count(self, letter: str) -> "Number":
        """Return the number N of samples, D of features or K of outputs."""


class Place(NamedTuple):
    """The entry of a formula that arithmetic is asked for.

    Parameters
    ----------
    operands : Operands
    indices : tuple of int or slice
    in_sum : bool, default False
        Whether the entry is a term of a sum: then a mean in it is one number.
    """

    operands: Operands
    indices: Index
    in_sum: bool = False


class Style(NamedTuple):
    """The way to write a tree.

    Parameters
    ----------
    leaf : callable
        A function that writes a leaf.
    sample : callable, optional
        A function that writes a leaf within a sum over the samples: ``dy[n]``.
    times : str, default "*"
        The text between the factors of a product.
    letter : str, default "n"
        The letter that counts the samples.
    """

    leaf: Callable[[Any], str]
    sample: Callable[[Any], str] | None = None
    times: str = "*"
    letter: str = "n"


@dataclass_transform(eq_default=False, frozen_default=True)
class Expression:
    """Base of the nodes; each knows its value, and how to write itself.

    As in a frozen dataclass, the annotations of a class are its fields; making two dozen of real
    ones would take as long as all else at import. What is no field has no annotation.
    """

    binds = ATOM
    subscript = ""  # the place of the result that a formula is of, where it is not the whole matrix
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = (*cls._fields, *cls.__annotations__)

    def __init__(self, *values: Any, **named: Any) -> None:
        self.__dict__.update(zip(self._fields, values, strict=False), **named)

    @property
    def parts(self) -> tuple["Expression", ...]:
        """The nodes right below: of this node's fields, the expressions."""
        found = (getattr(self, name) for name in self._fields)
        every = (one if isinstance(one, tuple) else (one,) for one in found)
        return tuple(part for one in every for part in one if isinstance(part, Expression))

    def changed(self, **named: Any) -> "Expression":
        """Return the same node with other values of some fields."""
        return type(self)(**{**self.__dict__, **named})

    def mapped(self, change: Callable[["Expression"], "Expression"]) -> "Expression":
        """Return the same node with its parts changed."""

        def other(one: Any) -> Any:
            if isinstance(one, tuple):
                return tuple(map(other, one))
            return change(one) if isinstance(one, Expression) else one

        return type(self)(*(other(getattr(self, name)) for name in self._fields))

    def compute(self) -> Values:
        """Compute it in float64: arithmetic, not a formula, whose leaves have no numbers."""
        raise TypeError(f"{type(self).__name__} has no value before it is asked for an entry.")

    def write(self, style: Style) -> str:
        """Write it."""
        raise NotImplementedError

    def at(self, place: Place) -> "Expression":
        """Return the arithmetic of one entry of a formula of matrices."""
        return self.mapped(lambda part: part.at(place))

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return the shape of a formula of matrices."""
        return np.broadcast_shapes(*(part.shape(place) for part in self.parts))

    def resolved(self, operands: Operands) -> "Expression":
        """Return the formula that holds for these operands."""
        return self.mapped(lambda part: part.resolved(operands))

    def transposed(self) -> "Expression":
        """Return the formula of the transposed matrices."""
        return self.mapped(lambda part: part.transposed())

    def degree(self, count: Callable[["Expression"], int]) -> int:
        """Return the degree in the leaves that `count` says 1 of, of which all terms have as many.

        Every gradient is linear in the one that it comes from, so of a sum the first term tells.
        """
        return self.parts[0].degree(count) if self.parts else count(self)

    @property
    def binding(self) -> int:
        """The strength with which its parts hold together, beside other operators."""
        return self.binds

    def nodes(self) -> Iterator["Expression"]:
        """Walk through the tree, this node first."""
        yield self
        for part in self.parts:
            yield from part.nodes()

    @property
    def value(self) -> float:
        """The number that it comes to, with NaN and infinity as NumPy has them."""
        with np.errstate(all="ignore"):
            return float(self.compute())

    def symbols(self) -> str:
        """Write it with symbols: ``x[3,0]*W[0,2] + b[2]``."""
        return self.write(Style(lambda leaf: leaf.symbol))

    def numbers(self) -> str:
        """Write it with numbers: ``0.31*(-0.07) + 0.5``."""
        return self.write(Style(lambda leaf: number_text(leaf.number)))

    def __repr__(self) -> str:
        return self.symbols()

    def __add__(self, other: "Operable") -> "Expression":
        return Sum((self, as_expression(other)))

    def __radd__(self, other: float) -> "Expression":
        return as_expression(other) + self

    def __sub__(self, other: "Operable") -> "Expression":
        return Sum((self, Negative(as_expression(other))))

    def __rsub__(self, other: float) -> "Expression":
        return as_expression(other) - self

    def __mul__(self, other: "Operable") -> "Expression":
        return Product(self, as_expression(other))

    def __rmul__(self, other: float) -> "Expression":
        return as_expression(other) * self

    def __truediv__(self, other: "Operable") -> "Expression":
        return Quotient(self, as_expression(other))

    def __rtruediv__(self, other: float) -> "Expression":
        return as_expression(other) / self

    def __matmul__(self, other: "Expression") -> "Expression":
        return MatrixProduct(self, other)

    def __pow__(self, exponent: int) -> "Expression":
        return Power(self, exponent)

    def __neg__(self) -> "Expression":
        return Negative(self)


Operable: TypeAlias = Expression | float


class Number(Expression):
    """A leaf: one entry of a matrix, or a constant, whose symbol is the number itself.

    Parameters
    ----------
    number : float or ndarray
        The entry; of a whole row or column, its entries.
    symbol : str
    """

    number: Values
    symbol: str

    def compute(self) -> Values:
        """Return the number."""
        return np.asarray(self.number, np.float64)[()]

    def write(self, style: Style) -> str:
        """Write the leaf as `style` says."""
        return style.leaf(self)

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return that of a single number."""
        return ()


class Sum(Expression):
    """Terms added up."""

    terms: tuple[Expression, ...]
    binds = SUM

    def compute(self) -> Values:
        """Add the terms up."""
        first, *others = (term.compute() for term in self.terms)
        return sum(others, start=first)  # from 0 a negative zero would lose its sign

    def write(self, style: Style) -> str:
        """Write the terms with + and - between them."""
        text = held(self.terms[0], style, SUM)
        for term in self.terms[1:]:
            if isinstance(term, Negative):
                text += f" - {held(term.negated, style, PRODUCT)}"
            else:
                text += f" + {held(term, style, SUM)}"
        return text


class Product(Expression):
    """Two factors multiplied, of matrices entry by entry."""

    left: Expression
    right: Expression
    binds = PRODUCT

    def compute(self) -> Values:
        """Multiply the factors."""
        return self.left.compute() * self.right.compute()

    def write(self, style: Style) -> str:
        """Write the factors with * between them."""
        # Without brackets a/b*c looks like a / (b*c), and a*b/c is another order of operations;
        # between spaces a / b * c is read from the left.
        spaced = style.times != "*"
        is_open = self.left.binding == PREFIX or (isinstance(self.left, Quotient) and not spaced)
        first = ATOM if is_open else PRODUCT
        last = ATOM if isinstance(self.right, Quotient) else PRODUCT
        return f"{held(self.left, style, first)}{style.times}{held(self.right, style, last)}"

    def degree(self, count: Callable[[Expression], int]) -> int:
        """Return the sum of the factors' degrees."""
        return self.left.degree(count) + self.right.degree(count)


class MatrixProduct(Product):
    """A product of two matrices."""

    def write(self, style: Style) -> str:
        """Write the matrices side by side, which holds tighter together than * and /."""
        parts = (self.left, self.right)
        return " ".join(
            held(one, style, PRODUCT if isinstance(one, MatrixProduct) else PREFIX) for one in parts
        )

    def at(self, place: Place) -> Expression:
        """Return the sum of the products along a row of the left and a column of the right."""
        *row, column = place.indices

        def term(i: Any) -> Expression:
            left, right = place._replace(indices=(*row, i)), place._replace(indices=(i, column))
            return Product(self.left.at(left), self.right.at(right))

        return series(term, term(slice(None)).compute())

    def shape(self, place: Place) -> tuple[int, ...]:
        """Return as many rows as the left has, and as many columns as the right."""
        return (*self.left.shape(place)[:-1], self.right.shape(place)[1])

    def transposed(self) -> Expression:
        """Return the product of the transposed matrices, the other way round."""
        return MatrixProduct(self.right.transposed(), self.left.transposed())


class Quotient(Expression):
    """A division; by zero it gives infinity or NaN, as in NumPy."""

    dividend: Expression
    divisor: Expression
    binds = PRODUCT

    def compute(self) -> Values:
        """Divide."""
        return self.dividend.compute() / self.divisor.compute()

    def write(self, style: Style) -> str:
        """Write both with / between them."""
        return f"{held(self.dividend, style, PRODUCT)} / {held(self.divisor, style, PREFIX)}"


class Power(Expression):
    """A whole power."""

    base: Expression
    exponent: int
    binds = POWER

    def compute(self) -> Values:
        """Multiply the base with itself."""
        return self.base.compute() ** self.exponent

    def write(self, style: Style) -> str:
        """Write the base with ** behind it."""
        return f"{held(self.base, style, ATOM)}**{self.exponent}"


class Negative(Expression):
    """The negative of an expression."""

    negated: Expression
    binds = SUM

    def compute(self) -> Values:
        """Change the sign."""
        return -self.negated.compute()

    def write(self, style: Style) -> str:
        """Write it with - before it."""
        return f"-{held(self.negated, style, PRODUCT)}"


class Call(Expression):
    """A function of one or several arguments; `remark` says which, where its name does not."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Expression, ...]
    remark: str = ""

    def compute(self) -> Values:
        """Call the function."""
        return self.function(*(argument.compute() for argument in self.arguments))

    def write(self, style: Style) -> str:
        """Write the arguments in brackets behind the function's name."""
        return f"{self.name}({', '.join(one.write(style) for one in self.arguments)})"


class Omitted(Expression):
    """The terms of a long sum that are not written: how many, and what they come to."""

    total: float
    count: int

    def compute(self) -> Values:
        """Return what they come to."""
        return np.float64(self.total)

    def write(self, style: Style) -> str:
        """Write how many they are, and where numbers are written, what they come to."""
        if not style.leaf(Number(self.total, "")):
            return "..."
        space = "\N{NO-BREAK SPACE}"
        return f"[{self.count:,}{space}more:{space}{number_text(self.total)}]"


def series(term: Callable[[int], Expression], values: Values, whole: int = _WHOLE) -> Expression:
    """Write a sum of terms by their places, whose float64 values, shape (n,), are given.

    One of more than `whole` terms is cut short; its value is that of all, written or not.
    """
    count = len(values)
    if count <= whole:
        terms = [term(i) for i in range(count)]
    else:
        left_out = values[_FIRST : count - _LAST]
        rest = Omitted(float(left_out.sum()), len(left_out))
        last = (term(i) for i in range(count - _LAST, count))
        terms = [*(term(i) for i in range(_FIRST)), rest, *last]
    return Sum(tuple(terms)) if len(terms) > 1 else terms[0]


def constant(value: float) -> Number:
    """Return a number that is its own symbol."""
    return Number(value, number_text(value))


def number_text(value: float) -> str:
    """Write a number in four digits, a whole one in all of its own: ``-1.2e-05``, ``60000``."""
    text = f"{value or 0.0:.4g}"  # a negative zero is a zero
    return f"{value:.0f}" if "e+" in text and abs(value) < _LONG and value == int(value) else text


def as_expression(value: Operable) -> Expression:
    """Return an expression as it is, and a number as a constant."""
    return value if isinstance(value, Expression) else constant(value)


def held(part: Expression, style: Style, least: int) -> str:
    """Write a part, in brackets where it would fall apart beside its neighbours."""
    text = part.write(style)
    is_negative = isinstance(part, Number) and text.startswith("-")
    return f"({text})" if is_negative or part.binding < least else text
