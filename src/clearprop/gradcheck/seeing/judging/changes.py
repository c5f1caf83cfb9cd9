"""The mistakes that are made in an expression, each as the change that takes it back."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.judging.rewriting import Make, Site, ValueOf
from clearprop.gradcheck.seeing.judging.scope import Scope, is_name
from clearprop.gradcheck.seeing.judging.source import Edit, Source, operands, over
from clearprop.gradcheck.seeing.tape import Line, Node, filled


@dataclass(frozen=True)
class Change:
    """A change of an expression.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    make : callable
        A function that computes it as it would be.
    edits : tuple of Edit
        The same in the text; none where that can't be told.
    why : str
        A sentence.
    caller : Line or None
        The line that changes, where it is not that of the expression, but one that called it.
    reads : tuple of Node
        What the expression newly takes.
    """

    cause: str
    make: Make
    edits: tuple[Edit, ...]
    why: str
    caller: Line | None = None
    reads: tuple[Node, ...] = ()


_ARITHMETIC: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (np.add, "+"),
    "subtract": (np.subtract, "-"),
    "multiply": (np.multiply, "*"),
    "divide": (np.divide, "/"),
    "matmul": (np.matmul, "@"),
}
_COMPARED: dict[str, tuple[Callable[..., Any], str]] = {
    "greater": (np.greater, ">"),
    "less": (np.less, "<"),
    "greater_equal": (np.greater_equal, ">="),
    "less_equal": (np.less_equal, "<="),
}
_LEAKY = 0.35  # slopes of a leaky ReLU, at most
_SUMMED: dict[str, Callable[..., Any]] = {"sum": np.sum, "add.reduce": np.sum, "mean": np.mean}


class Changes:
    """What may be changed in an expression.

    Parameters
    ----------
    site : Site
    source : Source
    scope : Scope
    numbers : sequence of float
        The numbers that the file writes.
    sizes : mapping of int to str
        Sizes of axes, and an expression for each.
    """

    def __init__(
        self,
        site: Site,
        source: Source,
        scope: Scope,
        numbers: Sequence[float],
        sizes: Mapping[int, str],
    ) -> None:
        self.site, self.source, self.scope = site, source, scope
        self.numbers, self.sizes = numbers, sizes
        self.node = site.first
        self.evaluated = source.evaluated(self.node)
        self.operands = operands(self.evaluated)

    def of_signs(self) -> Iterator[Change]:
        """Yield changes of a sign, or of an operator."""
        node, parts = self.node, self.operands
        if node.name in _COMPARED:
            for name, (does, sign) in _COMPARED.items():
                if name != node.name:
                    yield Change(
                        "mask_sign",
                        _as_operator(does),
                        self._operator(sign),
                        "It lets through what it should stop.",
                    )
        if not node.is_float:
            return
        whole = self._whole
        if node.name in _ARITHMETIC and len(node.args) == 2:
            own = _ARITHMETIC[node.name][1]
            for name, (does, sign) in _ARITHMETIC.items():
                if name != node.name:
                    cause = {("+", "-"): "sign", ("-", "+"): "sign", ("*", "@"): "elementwise"}
                    yield Change(
                        cause.get((own, sign), "slope_incomplete"),
                        _as_operator(does),
                        self._operator(sign),
                        f"There is a {own} for a {sign}.",
                    )
        if node.name in ("subtract", "divide") and isinstance(self.evaluated, ast.BinOp):
            yield Change(
                "swapped",
                lambda node, value_of: node.compute(*reversed(_args(node, value_of))),
                _several(over(parts[0], self._raw(parts[1])), over(parts[1], self._raw(parts[0]))),
                "The two are taken the wrong way round.",
            )
        if node.name == "negative":
            yield Change("sign", lambda node, value_of: _args(node, value_of)[0], *self._bare(0))
            return
        yield Change(
            "sign",
            lambda node, value_of: -_again(node, value_of),
            whole(f"-{self._product}"),
            "It has the opposite sign.",
        )

    def of_sums(self) -> Iterator[Change]:
        """Yield changes of axes, and of transpositions."""
        node = self.node
        if node.name in ("dot", "matmul") and len(node.args) == 2:
            yield from self._products()
        elif node.name in _SUMMED:
            yield from self._axes()
        if node.name == "transpose" and len(node.args) == 1 and node.value.ndim == 2:
            yield Change("transposed", _first_of_args, *self._bare(0))
        elif node.name == "power" and isinstance(self.evaluated, ast.BinOp):
            yield Change("slope_incomplete", _first_of_args, *self._bare(0))

    def _products(self) -> Iterator[Change]:
        node = self.node
        why = "A factor is transposed that should not be, or is not and should be."

        def turned(first: bool, second: bool, swapped: bool) -> Make:
            def make(node: Node, value_of: ValueOf) -> Any:
                a, b = (np.asarray(one) for one in _args(node, value_of))
                a, b = (a.T if first else a), (b.T if second else b)
                return node.compute(b, a) if swapped else node.compute(a, b)  # type: ignore[misc]

            return make

        for first, second, swapped in (
            (True, False, False),
            (False, True, False),
            (False, False, True),
            (True, True, True),
            (True, True, False),
            (True, False, True),
            (False, True, True),
        ):
            edits: tuple[Edit, ...] = ()
            if len(self.operands) == 2:
                texts = [self._raw(one) for one in self.operands]
                texts = [
                    _turned(one, text) if turn else text
                    for one, text, turn in zip(self.operands, texts, (first, second), strict=True)
                ]
                if swapped:
                    texts.reverse()
                pairs = zip(self.operands, texts, strict=True)
                edits = _several(*(over(one, text) for one, text in pairs))
            yield Change("transposed", turned(first, second, swapped), edits, why)
        if all(isinstance(one, Node) and one.value.ndim == 1 for one in node.args):
            return
        yield Change(
            "transposed",
            lambda node, value_of: _again(node, value_of).T,
            self._whole(f"{self._atomic}.T"),
            why,
        )

    def _axes(self) -> Iterator[Change]:
        node = self.node
        array = np.asarray(node.args[0].value if isinstance(node.args[0], Node) else node.args[0])
        keeps = bool(node.kwargs.get("keepdims", False))
        axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("axis")
        own = _SUMMED[node.name]
        for does in (np.sum, np.mean):
            for other in (*range(array.ndim), None):
                for kept in (keeps, not keeps):
                    if (does, other, kept) == (own, axis, keeps):
                        continue

                    def make(
                        node: Node,
                        value_of: ValueOf,
                        does: Any = does,
                        axis: Any = other,
                        kept: bool = kept,
                    ) -> Any:
                        return does(_args(node, value_of)[0], axis=axis, keepdims=kept)

                    cause = "bias_axis" if does is own else "bias_averaged"
                    why = (
                        f"The sum runs over another axis than {axis}."
                        if does is own
                        else f"It should be the {does.__name__}."
                    )
                    yield Change(cause, make, self._summed(does, own, other, kept), why)

    def of_operands(self) -> Iterator[Change]:
        """Yield other arrays and numbers in the place of the operands, and those left out."""
        node = self.node
        if node.name in ("setitem", "getitem") or not node.args:
            return
        if node.name in _ARITHMETIC and len(self.operands) == 2:
            for place in (0, 1):
                yield Change(
                    "slope_twice" if node.name in ("multiply", "matmul") else "factor",
                    lambda node, value_of, place=place: _args(node, value_of)[place],
                    *self._bare(place),
                )
        for place, operand in enumerate(node.args[:2]):
            text = self.operands[place] if place < len(self.operands) else None
            if isinstance(operand, Node):
                yield from self._arrays(place, operand, text)
            elif isinstance(operand, int | float) and not isinstance(operand, bool):
                yield from self._numbers(place, operand, text)

    def _arrays(self, place: int, operand: Node, text: ast.expr | None) -> Iterator[Change]:
        own = ast.unparse(text) if text is not None else ""
        for other, meant in self.scope.alike(self.site.nodes, operand.value.shape, own):
            edit = None if text is None else over(text, other)
            yield Change("wrong_pair", _with(place, meant), _several(edit), f"Needed is {other}.")
        for by in (-1, 1):
            shifted = self.scope.shifted(self.site.nodes, place, by)
            if shifted is None:
                continue
            index = text.slice if isinstance(text, ast.Subscript) else None
            edit = None
            if index is not None and not isinstance(index, ast.Tuple | ast.Slice):
                edit = over(index, _plus(index, by))
            yield Change(
                "off_by_one", _with(place, shifted), _several(edit), "It is one round off."
            )
        if operand.value.ndim == 2 and self.node.name in _ARITHMETIC and text is not None:
            yield Change(
                "transposed",
                lambda node, value_of: node.compute(  # type: ignore[misc]
                    *(one.T if k == place else one for k, one in enumerate(_args(node, value_of)))
                ),
                _several(over(text, _turned(text, self._raw(text)))),
                "A factor is transposed that should not be, or is not and should be.",
            )

    def _numbers(self, place: int, number: float, text: ast.expr | None) -> Iterator[Change]:
        tried = dict.fromkeys((1, 2, 0.5, -number, 1 - number, number + 1, *self.numbers))
        words = {value: f"{value:g}" for value in tried}
        words |= {float(size): said for size, said in self.sizes.items()}
        for value, said in words.items():
            if value in (number, 0):
                continue
            cause = "leaky_slope" if self.node.name in ("where", "maximum") else "factor"
            edit = None if text is None else over(text, said)

            def make(node: Node, value_of: ValueOf, value: float = value) -> Any:
                args = list(_args(node, value_of))
                args[place] = value
                return node.compute(*args, **_kwargs(node, value_of))  # type: ignore[misc]

            yield Change(cause, make, _several(edit), f"Needed is {said}.")

    def of_factors(self) -> Iterator[Change]:
        """Yield factors more: numbers, sizes of axes, derivatives of activations."""
        if not self.node.is_float or self.node.name in ("getitem", "setitem", "transpose"):
            return
        inner = self._product
        sizes = [(float(size), f"{said}") for size, said in self.sizes.items()]
        known = [
            (2.0, "factor_two", f"2 * {inner}"),
            (0.5, "factor_two", f"{inner} / 2"),
            *((1 / size, "mean_missing", f"{inner} / {said}") for size, said in sizes),
            *((size, "mean_twice", f"{inner} * {said}") for size, said in sizes),
        ]
        for one in self.numbers:
            if one not in (0.0, 1.0, 2.0, 0.5):
                known += [(one, "factor", f"{inner} * {one:g}")]
                known += [(1 / one, "factor", f"{inner} / {one:g}")]
        for number, cause, text in known:
            yield Change(
                cause,
                lambda node, value_of, number=number: _again(node, value_of) * number,
                self._whole(text),
                f"It is {1 / number:g} times what it should be.",
            )
        if self.node.value.size == 1:
            return
        for slope, text in self._slopes(self.node):
            yield Change(
                "slope_missing",
                lambda node, value_of, slope=slope: _again(node, value_of) * slope(node, value_of),
                self._whole(f"{inner} * {text}"),
                "The derivative of the activation is left out.",
            )

    def of_slopes(self) -> Iterator[Change]:
        """Yield other derivatives of activations as the factors of a product."""
        node = self.node
        if node.name != "multiply" or len(node.args) != 2:
            return
        for place, operand in enumerate(node.args):
            if not isinstance(operand, Node) or operand.value.shape != node.value.shape:
                continue
            text = self.operands[place] if place < len(self.operands) else None
            for slope, words in self._slopes(operand):

                def make(
                    node: Node, value_of: ValueOf, place: int = place, slope: Any = slope
                ) -> Any:
                    return _args(node, value_of)[1 - place] * slope(node, value_of)

                yield Change(
                    "other_activation",
                    make,
                    _several(None if text is None else over(text, words)),
                    f"The derivative that belongs here is {words}.",
                )

    def of_summands(self) -> Iterator[Change]:
        """Yield a summand more: what comes back from the next time step, or from another branch."""
        if not self.node.is_float or self.node.name in ("getitem", "setitem", "transpose"):
            return
        for text, meant in self.scope.alike(self.site.nodes, self.node.value.shape, "next"):
            yield Change(
                "factor",
                lambda node, value_of, meant=meant: _again(node, value_of) + value_of(meant[node]),
                self._whole(f"{self._product} + {text}"),
                f"{text} is left out.",
                reads=tuple(meant.values()),
            )

    def of_whole(self, parts: Sequence[Node]) -> Iterator[Change]:
        """Yield one part of a line times the derivative of an activation, in the place of all.

        Parameters
        ----------
        parts : sequence of Node
            Those of the parts that errors have come back to.
        """
        line = self.node.line
        if len(self.site.nodes) > 1 or line is None:
            return
        for part in parts:
            said = self.source.expression(part) if _alike(part, line) else None
            text = ast.unparse(said) if said is not None else self.scope.text(part, line)
            for slope, words in self._slopes(self.node):
                yield Change(
                    "other_activation",
                    lambda node, value_of, part=part, slope=slope: (
                        np.asarray(value_of(part)) * slope(node, value_of)
                    ),
                    () if text is None else self._whole(f"{text} * {words}"),
                    f"The derivative that belongs here is {words}.",
                    reads=(part,),
                )

    def _slopes(self, like: Node) -> Iterator[tuple[Make, str]]:
        """Yield what the derivative of an activation may be, of the arrays of a shape."""
        for text, meant in self.scope.alike(self.site.nodes, like.value.shape, ""):
            a = text
            forms: list[tuple[Callable[[Any], Any], str]] = [
                (lambda x: 1 - x**2, f"(1 - {a} ** 2)"),
                (lambda x: x * (1 - x), f"{a} * (1 - {a})"),
                (lambda x: (x > 0) * 1.0, f"({a} > 0)"),
                (lambda x: 1 - x, f"(1 - {a})"),
                (lambda x: x, a),
                (lambda x: 1 / np.cosh(x) ** 2, f"(1 - np.tanh({a}) ** 2)"),
                (_sigmoid_slope, f"np.exp(-{a}) / (1 + np.exp(-{a})) ** 2"),
                *(
                    (lambda x, c=c: np.where(x > 0, 1, c), f"np.where({a} > 0, 1, {c:g})")
                    for c in self.numbers
                    if 0 < c < _LEAKY
                ),
            ]
            for form, words in forms:
                yield (
                    lambda node, value_of, form=form, meant=meant: form(
                        np.asarray(value_of(meant[node]))
                    ),
                    words,
                )

    @property
    def _product(self) -> str:
        """The text of the expression, as a factor of a product."""
        if self.evaluated is None or isinstance(self.evaluated, ast.AugAssign):
            return ""
        raw = self._raw(self.evaluated)
        sums = isinstance(self.evaluated, ast.BinOp) and isinstance(
            self.evaluated.op, ast.Add | ast.Sub
        )
        return f"({raw})" if sums else raw

    @property
    def _atomic(self) -> str:
        raw = self._product
        is_call = isinstance(self.evaluated, ast.Call) or raw.startswith("(")
        return raw if is_call else f"({raw})"

    def _raw(self, expression: ast.expr) -> str:
        return ast.unparse(expression)

    def _whole(self, text: str) -> tuple[Edit, ...]:
        if self.evaluated is None or isinstance(self.evaluated, ast.AugAssign):
            return ()
        return _several(over(self.evaluated, text))

    def _bare(self, place: int) -> tuple[tuple[Edit, ...], str]:
        """Return the edits that leave one operand alone, and a sentence."""
        if place >= len(self.operands):
            return (), "Something stands in it that does not belong there."
        text = self._raw(self.operands[place])
        return self._whole(text), f"It should be {text} alone."

    def _operator(self, sign: str) -> tuple[Edit, ...]:
        """Return the edit that puts another operator between two operands."""
        one = self.evaluated
        if not isinstance(one, ast.BinOp | ast.AugAssign | ast.Compare) or len(self.operands) != 2:
            return ()
        left, right = self.operands
        line = self.node.line
        if line is None or left.end_lineno != right.lineno or left.end_col_offset is None:
            return ()
        text = self.source.files[line.file][right.lineno - 1].encode()
        between = text[left.end_col_offset : right.col_offset]
        for old in (b"<=", b">=", b"**", b"//", b"+", b"-", b"*", b"/", b"@", b"<", b">"):
            if old in between:
                start = left.end_col_offset + between.index(old)
                return (Edit(right.lineno, start, start + len(old), sign, is_operand=False),)
        return ()

    def _summed(self, does: Any, own: Any, axis: int | None, kept: bool) -> tuple[Edit, ...]:
        call = self.evaluated
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return ()
        is_method = bool(self.operands) and call.func.value is self.operands[0]
        args = [self._raw(one) for one in call.args[: 0 if is_method else 1]]
        args += [f"axis={axis}"] if axis is not None else []
        args += ["keepdims=True"] if kept else []
        name = call.func.attr if does is own else does.__name__
        return self._whole(f"{self._raw(call.func.value)}.{name}({', '.join(args)})")


def _alike(node: Node, line: Line) -> bool:
    own = node.line
    return own is not None and (own.file, own.number) == (line.file, line.number)


def _sigmoid_slope(z: Any) -> Any:
    a = 1 / (1 + np.exp(-z))
    return a * (1 - a)


def _args(node: Node, value_of: ValueOf) -> list[Any]:
    return list(filled(node.args, value_of))


def _kwargs(node: Node, value_of: ValueOf) -> dict[str, Any]:
    return dict(filled(node.kwargs, value_of))


def _again(node: Node, value_of: ValueOf) -> Any:
    return np.asarray(node.compute(*_args(node, value_of), **_kwargs(node, value_of)))  # type: ignore[misc]


def _first_of_args(node: Node, value_of: ValueOf) -> Any:
    return _args(node, value_of)[0]


def _as_operator(does: Callable[..., Any]) -> Make:
    return lambda node, value_of: does(*_args(node, value_of)[:2])


def _with(place: int, meant: Mapping[Node, Node]) -> Make:
    """Compute an operation of another array in one place."""

    def make(node: Node, value_of: ValueOf) -> Any:
        args = _args(node, value_of)
        args[place] = value_of(meant[node])
        return node.compute(*args, **_kwargs(node, value_of))  # type: ignore[misc]

    return make


def _several(*edits: Edit | None) -> tuple[Edit, ...]:
    """Return edits; none where one of them is not known."""
    return () if None in edits else tuple(edit for edit in edits if edit is not None)


def _turned(expression: ast.expr, text: str) -> str:
    """Write the transposed array."""
    if isinstance(expression, ast.Attribute) and expression.attr == "T":
        return ast.unparse(expression.value)
    func = expression.func if isinstance(expression, ast.Call) else None
    if isinstance(func, ast.Attribute) and func.attr == "transpose":
        args = expression.args if isinstance(expression, ast.Call) else []
        return ast.unparse(args[0] if args else func.value)
    single = is_name(expression) or isinstance(expression, ast.Call)
    return f"{text}.T" if single else f"({text}).T"


def _plus(index: ast.expr, by: int) -> str:
    """Write an index that is so much larger."""
    try:
        return str(int(ast.literal_eval(index)) + by)
    except ValueError:
        pass
    if isinstance(index, ast.BinOp) and isinstance(index.right, ast.Constant):
        own = index.right.value
        if isinstance(own, int) and isinstance(index.op, ast.Add | ast.Sub):
            total = by + (own if isinstance(index.op, ast.Add) else -own)
            left = ast.unparse(index.left)
            return left if not total else f"{left} {'+' if total > 0 else '-'} {abs(total)}"
    return f"{ast.unparse(index)} {'+' if by > 0 else '-'} {abs(by)}"
