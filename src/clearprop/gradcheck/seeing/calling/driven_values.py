"""Values that differentiate themselves: expressions of them, held against central differences."""

import inspect
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TypeAlias
from unittest.mock import patch

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import node_of, plain, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import roles_of
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.modules import StandInNumpy

_DATA = "data", "value", "val", "array", "_data", "_value"
_GRADIENT = "grad", "gradient", "_grad", "derivative"
_STEP = 1e-3  # of differences of the fourth order
_POINTS = (0.6, 1.3), (-0.8, 0.7), (1.7, -0.4)
_REPETITIONS = 8
_MOST_VALUES = 3  # that a function takes
_NO_VALUE = re.compile(r"shape|ax[ie]s|^dim|slice|ind(ex|ic)|size|mask|rate|^n_", re.I)
_OF_POSITIVE = re.compile(r"log(?!i|_?s)|sqrt|entropy|loss|cost|prob|diverg|error", re.I)
"""Names of functions that may cut off what is negative."""

_Expression: TypeAlias = Callable[..., Any]

_OPERATORS: dict[str, tuple[str, _Expression]] = {
    "a + b": ("__add__", lambda a, b: a + b),
    "a * b": ("__mul__", lambda a, b: a * b),
    "a - b": ("__sub__", lambda a, b: a - b),
    "a / b": ("__truediv__", lambda a, b: a / b),
    "a ** 3": ("__pow__", lambda a: a**3),
    "-a": ("__neg__", lambda a: -a),
    "2 + a": ("__radd__", lambda a: 2 + a),
    "2 * a": ("__rmul__", lambda a: 2 * a),
    "2 - a": ("__rsub__", lambda a: 2 - a),
    "2 / a": ("__rtruediv__", lambda a: 2 / a),
    "a @ b": ("__matmul__", lambda a, b: a @ b),
    # One value may be needed twice, where what has come back to it must be kept.
    "a + a": ("__add__", lambda a: a + a),
    "a * a + a": ("__mul__", lambda a: a * a + a),
}


def expressions(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling the operators, and the methods, of values that have a backward pass.

    Of a class that is only imported, they tell nothing of the file, but its functions of such do.
    """
    functions = [one for one in defined.functions.values() if defined.is_first(one)]
    methods = [one for kind in defined.classes.values() for one in vars(kind).values()]
    has_own = functions or any(inspect.isfunction(one) and defined.is_first(one) for one in methods)
    for name, kind in defined.classes.items():
        backward = getattr(kind, "backward", None)
        if not (defined.is_own(backward) and {"__add__", "__mul__"} & set(dir(kind))):
            continue
        if not {"backward", "__add__", "__mul__"} & vars(kind).keys():
            continue  # of what derives from another one nothing else is seen
        engine = _Engine(kind, name)
        for function in functions:
            asked = _values_asked(defined, function, kind)
            if asked:
                words = f"{function.__name__}({', '.join(asked)})"
                way = partial(engine.called, words=words, function=function, asked=asked)
                yield f"{name}: {words}", way
        if has_own and not defined.is_first(backward):
            continue
        for words, (operator, expression) in _OPERATORS.items():
            if hasattr(kind, operator):
                yield f"{name}: {words}", partial(engine.shown, words=words, expression=expression)
        for method, one in vars(kind).items():
            needed = inspect.getfullargspec(one) if inspect.isfunction(one) else None
            if needed is None or method == "backward" or method.startswith("_"):
                continue
            if len(needed.args) - len(needed.defaults or ()) == 1:
                words = f"{method}(a)"
                yield f"{name}: {words}", partial(engine.shown, words=words, method=method)


def _values_asked(defined: Defined, function: Any, kind: type) -> list[str]:
    """Return the names of a function's arguments, where all that it needs may be of a class."""
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    may = [
        one.annotation is one.empty
        or ((told := defined.class_in(one.annotation)) is not None and issubclass(kind, told))
        for one in needed
    ]
    names = [one.name for one in needed]
    others = any(map(_NO_VALUE.search, names)) or len(names) > _MOST_VALUES
    return names if all(may) and not others else []


@dataclass(eq=False)
class _Engine:
    """A class of numbers or arrays that keep how they were computed.

    They may be Python's own, which are not watched: slopes are measured by calling it with others.
    """

    kind: type
    name: str
    _goes_back: bool = False  # as some expression has shown
    _arrays: bool = False
    _went: set[str] = field(default_factory=set)  # functions that went back

    def shown(
        self,
        place: Workplace,
        words: str,
        expression: _Expression | None = None,
        method: str = "",
    ) -> None:
        """Compute an expression, go back, and put down its gradients and the slopes measured."""
        compute = expression or (lambda a: getattr(a, method)())
        names = ["a", "b"][: 2 if words.endswith(" b") else 1]
        with self._in_double():
            self._shown(place, words, compute, names, _values(words))

    def called(
        self, place: Workplace, words: str, function: _Expression, asked: Sequence[str]
    ) -> None:
        """Call a function of values; what it holds outputs against are targets: one-hot, or labels.

        Losses are given what may be probabilities, and so is what takes logarithms.
        """
        roles = roles_of(asked)
        given = [one for one in asked if roles[one] == "targets"]
        names = [one for one in asked if one not in given]
        points = [one * len(names) for one in ([_both_signs], [_positive])]
        points = points[1:] if given or _OF_POSITIVE.search(function.__name__) else points
        first: Exception | None = None
        for targets in (np.eye(3)[[2, 0]], np.array([2, 0])) if given else (None,):

            def compute(*values: Any, targets: Any = targets) -> Any:
                known = {one: self._made(targets, is_constant=True) for one in given}
                return function(**dict(zip(names, values, strict=True)), **known)

            with self._in_double():
                drawn = ([f(n) for n, f in enumerate(each)] for each in points)
                _, error = attempted(
                    lambda compute=compute, drawn=drawn: self._shown(
                        place, words, compute, names, drawn
                    )
                )
            if error is None:
                return
            first = first or error
        raise first or NoSuchWayError("that is a function of values")

    @contextmanager
    def _in_double(self) -> Iterator[None]:
        """Compute in double precision: in single precision, rounding would hide slopes."""
        with ExitStack() as stack:
            for one in self._numpy():
                stack.enter_context(patch.object(one, "float32", np.float64))
            yield

    def _numpy(self) -> list[Any]:
        """Return NumPy, and what stands for it where the class is defined."""
        within = inspect.unwrap(self.kind.backward).__globals__.values()  # type: ignore[attr-defined]
        return [np, *{id(one): one for one in within if isinstance(one, StandInNumpy)}.values()]

    def _shown(
        self,
        place: Workplace,
        words: str,
        compute: _Expression,
        names: Sequence[str],
        points: Iterable[list[Array]],
    ) -> None:
        self._arrays = self._holds_arrays()
        place.found.since = len(place.defined.tape)
        tried: list[tuple[list[Array], list[Array], list[Array]]] = []
        first: Exception | None = None
        for values in points if self._arrays else map(list, _POINTS):
            point = [np.asarray(one, np.float64) for one in values[: len(names)]]
            found, error = attempted(lambda point=point: self._at(point, compute))
            if error is None:
                if not self._is_repeated(point, compute):
                    raise NoSuchWayError("that returns the same each time")  # as dropout doesn't
                tried.append((point, *found))
                if point[0].size > 1:
                    break
            first = first or error
        if not tried:
            place.found.is_stopped = isinstance(first, NameError)
            raise first or NoSuchWayError("that is an expression")
        gets = any(np.any(one) for _, gradients, _ in tried for one in gradients)
        if not gets and not (words in _OPERATORS and self._goes_back):
            raise NoSuchWayError("that goes back")  # such as what detaches a value
        self._goes_back |= gets
        place.defined.called.add(self.kind)
        place.candidates.clear()
        place.found.since = len(place.defined.tape)
        # All inputs in one array: of two, either gradient might be taken for the other's.
        x, gradient, slope = (
            np.concatenate([*map(np.ravel, chain(*one))]) for one in zip(*tried, strict=True)
        )
        entered, name = watch(x, "input"), f"{' and '.join(names)} in {words}"
        place.found.parameters[name] = node_of(entered)
        place.found.claims[f"d{name}"] = node_of(watch(gradient, "data") + 0 * entered)
        place.found.cost = node_of((entered * slope).sum())
        place.found.unwatched = tuple(self._went)
        place.found.alone = f"{self.name}, {words}"
        place.found.words = f"{self.name}: {words}"
        place.found.data = f"{len(tried)} points of shape {tried[0][0][0].shape}"

    def _holds_arrays(self) -> bool:
        """Whether it makes an array of a number."""
        made, error = attempted(lambda: self._made(np.float64(0.6)))
        return error is not None or isinstance(_attribute(made, _DATA, self.kind), np.ndarray)

    def _made(self, value: Any, *, is_constant: bool = False) -> Any:
        asks = "requires_grad" in inspect.signature(self.kind).parameters
        tracked = {"requires_grad": not is_constant} if asks else {}
        return self.kind(np.array(value) if self._arrays else float(value), **tracked)

    def _at(self, point: Sequence[Array], compute: _Expression) -> tuple[list[Array], list[Array]]:
        """Return the gradients at a point, and the slopes there."""
        inputs = [self._made(one) for one in point]
        output = compute(*inputs)
        if not isinstance(output, self.kind) or any(output is one for one in inputs):
            raise NoSuchWayError("that returns a value")
        before = self._number(output)
        if before.size > 1:
            # Every entry weighs another: what adds up to the same for any input has no slope.
            output = (output * self._made(_weights(before))).sum()
        known, went = sys.getprofile(), set[str]()
        sys.setprofile(lambda frame, *_: went.add(frame.f_code.co_qualname))
        try:
            output.backward()
        finally:
            sys.setprofile(known)
        gradients = []
        for one, value in zip(inputs, point, strict=True):
            gradient = _attribute(one, _GRADIENT, self.kind)
            gradients.append(np.zeros(value.shape) if gradient is None else _float(gradient))
            if gradients[-1].shape != value.shape:
                raise NoSuchWayError("whose gradients have the shapes of their values")
        slopes = [self._slope(point, number, compute) for number in range(len(point))]
        if not all(np.isfinite(one).all() for one in slopes):
            raise NoSuchWayError("that returns numbers")
        self._went |= went
        return gradients, slopes

    def _is_repeated(self, point: Sequence[Array], compute: _Expression) -> bool:
        """Whether an expression has the same value each time, and draws no random numbers."""
        known = random.getstate(), str(np.random.get_state())
        found = [self._number(compute(*map(self._made, point))) for _ in range(_REPETITIONS)]
        same = all(np.array_equal(found[0], one) for one in found)
        return same and known == (random.getstate(), str(np.random.get_state()))

    def _slope(self, point: Sequence[Array], number: int, compute: _Expression) -> Array:
        """Measure the slope along every entry of one input."""

        def cost(place: tuple[int, ...], shift: float) -> float:
            moved = [one.copy() for one in point]
            moved[number][place] += shift
            value = self._number(compute(*map(self._made, moved)))
            return float((value if value.size == 1 else value * _weights(value)).sum())

        slopes = np.zeros(point[number].shape)
        for place in np.ndindex(slopes.shape):
            near, far = (cost(place, h) - cost(place, -h) for h in (_STEP, 2 * _STEP))
            slopes[place] = (8 * near - far) / (12 * _STEP)
        return slopes

    def _number(self, item: Any) -> Array:
        value = _attribute(item, _DATA, self.kind)
        if getattr(value, "dtype", None) == "f4":
            raise NoSuchWayError("whose slopes can be measured")
        return _float(value)


def _float(value: Any) -> Array:
    found: Array = np.asarray(plain(value), np.float64)
    return found


def _attribute(item: Any, names: Sequence[str], kind: type) -> Any:
    """Return what a value holds under one of some names; of a value in it, what that holds."""
    for name in names:
        if hasattr(item, name):
            found = getattr(item, name)
            return _attribute(found, _DATA, kind) if isinstance(found, kind) else found
    raise NoSuchWayError("that holds a number")


def _weights(value: Array) -> Array:
    return np.random.RandomState(9).uniform(0.3, 1.0, value.shape)


def _both_signs(number: int) -> Array:
    return np.random.RandomState(7 + number).uniform(-1.0, 1.0, (2, 3))


def _positive(number: int) -> Array:
    return np.random.RandomState(7 + number).uniform(0.2, 0.8, (2, 3))


def _values(words: str) -> Iterator[list[Array]]:
    """Yield arrays of two axes, then such without negative numbers, then single numbers."""
    drawn = np.random.RandomState(7)
    for lowest in (-1.0, 0.2):
        a = drawn.uniform(lowest, 1.0, (2, 3))
        shape = (3, 2) if "@" in words else (2, 3)
        yield [a, drawn.uniform(0.3, 1.0, shape)]
    yield from ([np.array(one) for one in both] for both in _POINTS)  # where nothing adds them up
