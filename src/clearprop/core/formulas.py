"""Formulas of whole matrices, each written once, as a tree, on the class that computes it.

A formula is put together from symbols: ``{y: x @ W + b}``. Its text, with samples as rows or as
columns, and the arithmetic of every entry come from the tree. All that a class says of itself are
its `Formulas`.
"""

from collections.abc import Callable, Mapping
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from clearprop.core import expressions
from clearprop.core.expressions import Expression, Number, Operable, Operands, Place, Style, Values
from clearprop.core.symbols import Symbol, dx, y


class Formulas(NamedTuple):
    """The formulas of a layer, a loss or an optimizer, each by the symbol that it gives.

    They hold for the very class that says so: one that inherits may compute something else.

    Parameters
    ----------
    forward, backward : mapping of Symbol to Expression
        The results, in the order of computing. Without any, the layers inside do everything.
    update : mapping of Symbol to Expression
        The new values of an optimizer's moments and of the parameter, or of a layer's state.
    course : str, default ""
        The course's symbol of y, one of `COURSE`; without it the course has none.
    not_training : str, default ""
        The sentence about a pass that is not one of training.
    """

    forward: Mapping[Symbol, Expression] = {}
    backward: Mapping[Symbol, Expression] = {}
    update: Mapping[Symbol, Expression] = {}
    course: str = ""
    not_training: str = ""

    def symbol(self, name: str) -> Symbol:
        """Return the symbol of a name in these formulas, or one without a meaning."""
        every = {**self.forward, **self.backward, **self.update}.items()
        nodes = (node for result, formula in every for node in (result, *formula.nodes()))
        found = (node for node in nodes if isinstance(node, Symbol) and node.name == name)
        return next(found, Symbol(name))


COURSE = FLAT, LINEAR, ACTIVATION, DROPOUT = ("{x}", "Z{layer}", "A{layer}", "{x}_drop")
"""The course's symbols of y, in the order in which they follow each other within a layer."""


def formulas_of(part: object) -> Formulas | None:
    """Return the formulas that the class of a layer, loss or optimizer has itself."""
    return vars(type(part)).get("formulas")


def activation(
    g: Expression, derived: Expression, before: Mapping[Symbol, Expression] | None = None
) -> Formulas:
    """Return the formulas y = g(x) and dx = dy * g'(x), and those of what is computed before."""
    return Formulas({**(before or {}), y: g}, {dx: derived}, course=ACTIVATION)


def known(symbol: Symbol, then: Expression, otherwise: Expression) -> Expression:
    """Return the first formula where a pass has such a matrix or setting, else the second."""
    return either(lambda operands: symbol.name in operands, then, otherwise)


def either(test: Callable[[Operands], bool], then: Expression, otherwise: Expression) -> Expression:
    """Return the first formula where a test of a pass's operands holds, else the second."""
    return _Either(test, then, otherwise)


def where_positive(tested: Expression, then: Operable, otherwise: Operable) -> Expression:
    """Return the first formula for the entries where `tested` is positive, else the second."""
    return Where(tested, expressions.as_expression(then), expressions.as_expression(otherwise))


def slope_at(tested: Expression, then: Operable, otherwise: Operable) -> Expression:
    """Return g'(x): the first formula where x is positive, else the second."""
    return _Named("g'", where_positive(tested, then, otherwise), (tested,))


def named(name: str, formula: Expression) -> Expression:
    """Return a formula that is written by a name, and said at the end of the one it is part of."""
    return _Named(name, formula)


def forms(*every: Expression, remark: str | None = None) -> Expression:
    """Return one formula in several forms, of which the last is the one that is computed.

    Parameters
    ----------
    *every : Expression
    remark : str, optional
        Said in the place of the last form; without it, all are written.
    """
    return Forms(every, remark)


def sum_n(body: Expression) -> Expression:
    """Return the sum over the samples."""
    return _Total(body, "n")


def sum_k(body: Expression) -> Expression:
    """Return the sum over a sample's outputs."""
    return _Total(body, "k")


def sum_d(body: Expression) -> Expression:
    """Return the sum over a sample's features."""
    return _Total(body, "d")


def mean_d(body: Expression) -> Expression:
    """Return the mean over a sample's features."""
    return _Mean(body, "d")


def max_k(body: Expression) -> Expression:
    """Return the largest of a sample's outputs."""
    return _Largest(body, "k")


def flat(matrix: Symbol) -> Expression:
    """Return each sample's numbers as one row."""
    return _Reshaped(matrix)


def shaped_like(matrix: Symbol, like: Symbol) -> Expression:
    """Return a matrix in the shape of another."""
    return _Reshaped(matrix, like)


def of_class(matrix: Symbol, classes: Symbol) -> Expression:
    """Return the output of each sample's class."""
    return _OfClass(classes, matrix)


def is_class(classes: Symbol) -> Expression:
    """Return 1 for the output of each sample's class, else 0."""
    return _OfClass(classes)


def each(weights: Symbol) -> Expression:
    """Return a number of each sample, for all of its outputs."""
    return _OfSample(weights)


def whole(weights: Symbol) -> Expression:
    """Return the sum of a number of each sample, written as one."""
    return _Whole(weights)


def remarks(formula: Expression, style: Style) -> list[str]:
    """Return the sentences behind a formula, which explain its names and functions."""
    parts, found = formula.parts, []
    match formula:
        case _Named():
            found = [f"with {formula.name} = {formula.formula.write(style)}"]
        case Forms():
            parts, found = formula.shown, [formula.remark] if formula.remark else []
        case expressions.Call(remark=remark) if remark:
            found = [remark]
    inner = (one for part in parts for one in remarks(part, style))
    return list(dict.fromkeys([*found, *inner]))


class _Along(Expression):
    """Base of what goes along the samples n, the outputs k or the features d."""

    body: Expression
    over: str
    columns: bool = False  # whether samples are columns
    kind = ""  # NumPy's name of what makes one number of the terms

    def transposed(self) -> Expression:
        return self.changed(body=self.body.transposed(), columns=not self.columns)

    def shape(self, place: Place) -> tuple[int, ...]:
        whole = self.body.shape(place)
        return (*whole[: self.axis(whole)], 1, *whole[self.axis(whole) + 1 :])

    def axis(self, whole: tuple[int, ...]) -> int:
        """Return the axis along which it goes, of a body's shape."""
        is_first = (self.over == "n") != self.columns
        return 0 if is_first else len(whole) - 1

    def line(self, place: Place) -> tuple[Callable[[Any], Expression], Values]:
        """Return the function that gives each term, and the values of all terms."""
        whole, index = self.body.shape(place), place.indices
        index = (*[0] * (len(whole) - len(index)), *index)
        axis = self.axis(whole)

        def term(i: Any) -> Expression:
            there = (*index[:axis], i, *index[axis + 1 :])
            return self.body.at(place._replace(indices=there, in_sum=True))

        is_line = [i == axis or isinstance(index[i], slice) for i in range(len(whole))]
        return term, np.broadcast_to(term(slice(None)).compute(), [*compress(whole, is_line)])

    def at(self, place: Place) -> Expression:
        term, values = self.line(place)
        if values.ndim > 1:  # within another sum, of whose terms only the values are asked for
            return Number(getattr(values, self.kind)(axis=self.axis(values.shape)), "")
        return self.entry(place, term, values)

    def entry(self, place: Place, term: Callable[[Any], Expression], values: Values) -> Expression:
        """Return the arithmetic of the terms."""
        raise NotImplementedError

    def as_one(self, term: Callable[[Any], Expression], values: Values) -> Number:
        """Return one number in the place of a row: ``max(logits[3])``."""
        value = float(getattr(values, self.kind)())
        return Number(value, f"{self.kind}({term(slice(None)).symbols()})")


class _Total(_Along):
    binds = expressions.PREFIX
    kind = "sum"
    single: bool = False  # whether there is only one output

    @property
    def binding(self) -> int:
        return self.body.binding if self.single else self.binds

    def resolved(self, operands: Operands) -> Expression:
        single = self.over == "k" and operands.count("K").value == 1
        return self.changed(body=self.body.resolved(operands), single=single)

    def write(self, style: Style) -> str:
        if self.single:
            return self.body.write(style)
        if self.over != "n":
            return f"sum_{self.over} {expressions.held(self.body, style, expressions.PRODUCT)}"
        every = style._replace(leaf=style.sample or style.leaf)
        return f"sum_{style.letter} {expressions.held(self.body, every, expressions.PRODUCT)}"

    def shape(self, place: Place) -> tuple[int, ...]:
        is_over_rows = self.over == "n" and not self.columns
        return self.body.shape(place)[1:] if is_over_rows else super().shape(place)

    def entry(self, place: Place, term: Callable[[Any], Expression], values: Values) -> Expression:
        return expressions.series(term, values)


class _Mean(_Along):
    kind = "mean"

    def write(self, style: Style) -> str:
        return f"mean_{self.over}({self.body.write(style)})"

    def entry(self, place: Place, term: Callable[[Any], Expression], values: Values) -> Expression:
        if place.in_sum:
            return self.as_one(term, values)
        return expressions.series(term, values) / Number(len(values), self.over.upper())


class _Largest(_Along):
    kind = "max"

    def write(self, style: Style) -> str:
        return f"max_{self.over}({self.body.write(style)})"

    def entry(self, place: Place, term: Callable[[Any], Expression], values: Values) -> Expression:
        return self.as_one(term, values)


class Where(Expression):
    """The first formula for the entries where `tested` is positive, else the second."""

    tested: Expression
    then: Expression
    otherwise: Expression
    binds = expressions.CHOICE

    def compute(self) -> Values:
        """Compute both, and take of each the entries that count."""
        return np.where(self.tested.compute() > 0, self.then.compute(), self.otherwise.compute())

    def write(self, style: Style) -> str:
        """Write both, and where which of them holds."""
        tested, then, otherwise = (part.write(style) for part in self.parts)
        return f"{then} where {tested} > 0, else {otherwise}"

    def at(self, place: Place) -> Expression:
        """Return the formula of the entry, of a whole line both."""
        tested = self.tested.at(place).compute()
        if np.ndim(tested):  # along a line both are needed
            return super().at(place)
        return (self.then if tested > 0 else self.otherwise).at(place)

    def degree(self, count: Callable[[Expression], int]) -> int:
        """Return that of the first."""
        return self.then.degree(count)


class _Named(Expression):
    name: str
    formula: Expression
    of: tuple[Expression, ...] = ()  # arguments, where it is a function

    def compute(self) -> Values:
        return self.formula.compute()

    def write(self, style: Style) -> str:
        arguments = ", ".join(one.write(style) for one in self.of)
        return f"{self.name}({arguments})" if self.of else self.name

    def at(self, place: Place) -> Expression:
        found = self.formula.at(place)
        if not (self.of and isinstance(found, Number)):
            return found
        arguments = ", ".join(one.at(place).symbols() for one in self.of)
        return Number(found.number, f"{self.name}({arguments})")


class Forms(Expression):
    """One formula in several forms, of which the last is the one that is computed."""

    forms: tuple[Expression, ...]
    remark: str | None

    @property
    def shown(self) -> tuple[Expression, ...]:
        """The forms that are written."""
        return self.forms if self.remark is None else self.forms[:-1]

    def write(self, style: Style) -> str:
        """Write them with = between them."""
        return " = ".join(form.write(style) for form in self.shown)

    def at(self, place: Place) -> Expression:
        """Return the arithmetic of the one that is computed."""
        return self.forms[-1].at(place)


class _Either(Expression):
    test: Callable[[Operands], bool]
    then: Expression
    otherwise: Expression
    binds = expressions.CHOICE

    def resolved(self, operands: Operands) -> Expression:
        return (self.then if self.test(operands) else self.otherwise).resolved(operands)

    def write(self, style: Style) -> str:
        return f"{self.then.write(style)} or {self.otherwise.write(style)}"


class _Reshaped(Expression):
    matrix: Symbol
    like: Symbol | None = None

    def write(self, style: Style) -> str:
        shape = "N, -1" if self.like is None else f"{self.like.write(style)}.shape"
        return f"{self.matrix.write(style)}.reshape({shape})"

    def shape(self, place: Place) -> tuple[int, ...]:
        first, *others = self.matrix.shape(place)
        return (first, int(np.prod(others))) if self.like is None else self.like.shape(place)

    def at(self, place: Place) -> Expression:
        number = np.ravel_multi_index(place.indices, self.shape(place))
        index = np.unravel_index(int(number), self.matrix.shape(place))
        return place.operands.number(self.matrix, tuple(map(int, index)))


class _OfClass(Expression):
    classes: Symbol
    matrix: Symbol | None = None
    columns: bool = False

    def transposed(self) -> Expression:
        return self.changed(columns=not self.columns)

    def write(self, style: Style) -> str:
        classes = self.classes.write(style)
        if self.matrix is None:
            return f"[{classes} = k]"
        return f"{self.matrix.write(style)} of the class {classes}"

    def shape(self, place: Place) -> tuple[int, ...]:
        samples = self.classes.shape(place)[-1]
        outputs = int(place.operands.count("K").value) if self.matrix is None else 1
        return (outputs, samples) if self.columns else (samples, outputs)

    def at(self, place: Place) -> Expression:
        here, sample = place.indices if self.columns else place.indices[::-1]
        wanted = self.classes.at(place)
        k = int(wanted.value)
        if self.matrix is None:
            return Number(float(k == here), f"[{wanted.symbols()} = {here}]")
        return self.matrix.at(place._replace(indices=(k, sample) if self.columns else (sample, k)))


class _OfSample(Expression):
    of: Symbol

    def write(self, style: Style) -> str:
        return (style.sample or style.leaf)(self.of)

    def shape(self, place: Place) -> tuple[int, ...]:
        return (*self.of.shape(place), 1)

    def at(self, place: Place) -> Expression:
        return self.of.at(place)


class _Whole(Expression):
    of: Symbol

    def write(self, style: Style) -> str:
        return f"sum({self.of.write(style)})"

    def shape(self, place: Place) -> tuple[int, ...]:
        return ()

    def at(self, place: Place) -> Expression:
        every = self.of.at(place._replace(indices=(slice(None),)))
        return Number(float(np.sum(every.compute())), f"sum({every.symbols()})")
