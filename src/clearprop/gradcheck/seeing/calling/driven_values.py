"""Values that differentiate themselves: expressions of them, held against central differences."""

import inspect
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
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
from clearprop.gradcheck.seeing.calling.limits import attempted, loops_of
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.modules import StandInNumpy
from clearprop.gradcheck.seeing.running.loops import OutOfTime

_DATA = "data", "value", "val", "array", "_data", "_value"
_GRADIENT = "grad", "gradient", "_grad", "derivative"
_STEP = 1e-3  # of differences of the fourth order
_POINTS = (0.6, 1.3), (-0.8, 0.7), (1.7, -0.4)
_REPETITIONS = 8

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
    """Yield ways of calling the operators, and the methods, of values that have a backward pass."""
    for name, kind in defined.classes.items():
        backward = getattr(kind, "backward", None)
        if not (defined.is_own(backward) and {"__add__", "__mul__"} & set(dir(kind))):
            continue
        engine = _Engine(kind, name)
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
        with ExitStack() as stack:
            for one in self._numpy():  # of single numbers, rounding would hide slopes
                stack.enter_context(patch.object(one, "float32", np.float64))
            self._shown(place, words, expression or (lambda a: getattr(a, method)()))

    def _numpy(self) -> list[Any]:
        """Return NumPy, and what stands for it where the class is defined."""
        within = inspect.unwrap(self.kind.backward).__globals__.values()  # type: ignore[attr-defined]
        return [np, *{id(one): one for one in within if isinstance(one, StandInNumpy)}.values()]

    def _shown(self, place: Workplace, words: str, compute: _Expression) -> None:
        count = 2 if words.endswith(" b") else 1
        self._arrays = self._holds_arrays()
        place.found.since = len(place.defined.tape)
        tried: list[tuple[list[Array], list[Array], list[Array]]] = []
        first: Exception | None = None
        for values in _values(words) if self._arrays else map(list, _POINTS):
            point = [np.asarray(one, np.float64) for one in values[:count]]
            found, error = attempted(lambda point=point: self._at(point, compute))
            if error is None:
                if not self._is_repeated(point, compute):
                    raise NoSuchWayError("that returns the same each time")  # as dropout doesn't
                tried.append((point, *found))
                if point[0].size > 1:
                    break
            first = first or error
        loops = loops_of(place.defined.namespace)
        if loops is not None and time.monotonic() > loops.deadline:
            raise OutOfTime  # of loops that ended late, what they add up is not all
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
        entered, name = watch(x, "input"), f"{' and '.join('ab'[:count])} in {words}"
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

    def _made(self, value: Any) -> Any:
        asks = "requires_grad" in inspect.signature(self.kind).parameters
        tracked = {"requires_grad": True} if asks else {}
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


def _values(words: str) -> Iterator[list[Array]]:
    """Yield arrays of two axes, then such without negative numbers, then single numbers."""
    drawn = np.random.RandomState(7)
    for lowest in (-1.0, 0.2):
        a = drawn.uniform(lowest, 1.0, (2, 3))
        shape = (3, 2) if "@" in words else (2, 3)
        yield [a, drawn.uniform(0.3, 1.0, shape)]
    yield from ([np.array(one) for one in both] for both in _POINTS)  # where nothing adds them up
