"""A function, an object, a class or a module of a user's, checked on request."""

import inspect
import linecache
import math
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from clearprop.errors import UsageError, shortened
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.judging.called import driven
from clearprop.gradcheck.seeing.judging.checking import Training, explained
from clearprop.gradcheck.seeing.judging.seen_report import SeenReport, seen_report
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.live import Watch, without
from clearprop.gradcheck.seeing.live_modules import StandIns
from clearprop.gradcheck.seeing.modules import (
    StandInMath,
    StandInNumpy,
    StandInRandom,
    stand_in_sum,
)
from clearprop.gradcheck.seeing.reaching import Exchange, Undo, is_own, is_own_class
from clearprop.gradcheck.seeing.recorder import recording
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.scalars import StandInFloat
from clearprop.gradcheck.seeing.tape import Tape, TapeFull

_OURS = {
    "network": "cp.check_gradients(net, X, y) checks it",
    "layers": "cp.check_layer(layer, in_shape=...) checks it",
    "losses": "cp.check_loss(loss, outputs=...) checks it",
}
_BUILT_IN = {"float": StandInFloat, "sum": stand_in_sum}


def check(what: Any, /, *args: Any, **kwargs: Any) -> SeenReport:
    """Check the gradients in code of one's own, watched as it runs.

    With arguments, ``what(*args, **kwargs)`` is called once, with these very numbers. Without, a
    function that needs none is called, too; the methods of an object or a class, and the functions
    and classes of a module, are called on small random data in the layouts that code may want.
    Afterwards everything is as it was: the object, the arguments, global variables, and random
    numbers.

    Parameters
    ----------
    what : function, object, class or module
        A function or a method that trains, or returns gradients; an object or a class with methods
        such as forward and backward, or train; a module with such. A class with arguments is made
        with them, and checked as an object.
    *args, **kwargs : object
        The arguments to call it with.

    Returns
    -------
    SeenReport
        The report, true where the gradients are right; ``print`` shows the table and the line at
        fault.

    Raises
    ------
    UsageError
        If it is nothing that can be checked, or no gradient was seen.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> def gradients(W, X, Y):
    ...     error = X @ W - Y
    ...     cost = np.mean(error**2)
    ...     dW = 2 * X.T @ error / error.size
    ...     return cost, dW
    >>> X, Y = np.random.RandomState(0).randn(2, 20, 3)
    >>> bool(cp.check(gradients, np.ones((3, 3)), X, Y))
    True
    """
    if isinstance(what, partial):
        return check(what.func, *what.args, *args, **{**what.keywords, **kwargs})
    _require_own(what)
    if isinstance(what, type) and (args or kwargs):
        what, args, kwargs = what(*args, **kwargs), (), {}
    if args or kwargs:
        if not callable(what):
            raise UsageError(
                f"{shortened(what)} can't be called, so that it takes no arguments. Give one of "
                "its methods with them, cp.check(net.train_step, X, Y), or the object alone."
            )
        return _called(what, args, kwargs)
    if isinstance(what, FunctionType | MethodType) and not _needs_arguments(what):
        with suppress(_NothingSeenError):
            return _called(what, (), {})
    return _driven(what)


class _NothingSeenError(UsageError):
    """No gradient was seen in a call."""


def _require_own(what: Any) -> None:
    """Raise a `UsageError` if something is no code of the user's."""
    kind = what if isinstance(what, type) else type(what)
    for base in kind.__mro__:
        package, _, rest = base.__module__.partition(".")
        ours = _OURS.get(rest.partition(".")[0])
        if package == "clearprop" and ours and not is_own_class(kind):
            raise UsageError(f"{shortened(what)} is a part of clearprop: {ours}.")
    if isinstance(what, str | Path):
        raise UsageError(
            f"{shortened(str(what))} is a name. Files are checked by the command: clearprop check "
            "FILE. Here, give a function, an object, a class or a module of yours."
        )
    if isinstance(what, ModuleType):
        own = is_own(getattr(what, "__file__", None) or "")
    elif isinstance(what, FunctionType | MethodType):
        own = is_own(inspect.unwrap(what).__code__.co_filename)
    else:
        own = is_own_class(kind)
    if not own:
        raise UsageError(
            f"{shortened(what)} is no code of yours whose text can be read. Expected was a "
            "function, an object, a class or a module that you have written: cp.check(net), or "
            "cp.check(net.train_step, X, Y)."
        )


def _needs_arguments(function: Any) -> bool:
    return any(
        one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        for one in inspect.signature(function).parameters.values()
    )


@contextmanager
def _undone(*objects: Any) -> Iterator[None]:
    """Let everything be as it was afterwards."""
    undo = Undo({"objects": list(objects)})
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        undo()
        random.setstate(states[0])
        np.random.set_state(states[1])


def _called(what: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SeenReport:
    """Call something with its arguments, watched."""
    given = dict(inspect.signature(what).bind(*args, **kwargs).arguments)
    places, options = list(args), dict(kwargs)
    function = what if isinstance(what, FunctionType | MethodType) else type(what).__call__
    with _undone(what, given):
        seen = Watch(None, (given, what, places, options))
        with seen:
            result = what(*places, **options)
            seen.keep(_named(function, result))
            del result
        seen.forget(_calling())
        try:
            return seen.report()
        except UsageError as error:
            raise _NothingSeenError(str(error).replace("the block", "the call")) from None


def _named(function: Any, result: Any) -> dict[str, Any]:
    """Return what a function has returned, by the names in its return statement."""
    code = inspect.unwrap(function).__code__
    source = Source(_sources([code.co_filename]))
    names = Defined({}, source, Tape([code.co_filename])).returned(function) or [None]
    own = code.co_name
    if isinstance(result, tuple) and len(names) == len(result):
        pairs = zip(names, result, strict=True)
        return {name or f"{own}[{k}]": one for k, (name, one) in enumerate(pairs)}
    return {(names[0] if len(names) == 1 else None) or own: result}


def _sources(files: Iterable[str]) -> dict[str, list[str]]:
    return {file: [line.rstrip("\n") for line in linecache.getlines(file)] for file in files}


def _driven(what: Any) -> SeenReport:
    """Call what an object, a class or a module offers, on small random data."""
    owner = what.__self__ if isinstance(what, MethodType) else what
    own = _codes(what)
    for namespace in _namespaces(owner):
        with _undone(owner, namespace):
            found = _shown(namespace, own)
        if found is not None:
            return found
    name = getattr(what, "__qualname__", None) or getattr(what, "__name__", None)
    raise UsageError(
        f"No gradient was seen in {name or type(what).__qualname__}: it was called on small random "
        "data, and showed neither a parameter that becomes itself and a step, W -= rate * dW, nor "
        "gradients beside parameters. Call a step of it with data of yours: "
        "cp.check(net.train_step, X, Y)."
    )


def _namespaces(owner: Any) -> Iterator[dict[str, Any]]:
    """Yield what may be called: the thing itself with what it needs, then all of its module."""
    if isinstance(owner, ModuleType):
        yield dict(vars(owner))
        return
    if isinstance(owner, type | FunctionType):
        first, name = owner, owner.__name__
    else:
        first, name = _factory(owner), type(owner).__name__
    kind = owner if isinstance(owner, type | FunctionType) else type(owner)
    needed = _needed(kind)
    yield {**needed, name: first}
    scope = next((vars(one) for one in (inspect.getmodule(kind),) if one is not None), {})
    scope = getattr(kind, "__globals__", scope)
    yield {**{key: one for key, one in scope.items() if not key.startswith("__")}, name: first}


def _factory(owner: Any) -> type:
    """Return a class whose objects are copies of an object."""
    kind = type(owner)

    def make(_: type) -> Any:
        copy = deepcopy(owner)
        Exchange().put_in({"": [copy]})
        return copy

    def begin(self: Any) -> None:
        """Leave the copy as it is."""

    members = {"__new__": make, "__init__": begin, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), members)


def _needed(item: Any) -> dict[str, Any]:
    """Return what the code of a function or class speaks of, by name."""
    found: dict[str, Any] = {}
    waiting = [item]
    while waiting:
        one = waiting.pop()
        for function in _functions(one):
            scope = function.__globals__
            for code in _inner(function.__code__):
                for name in code.co_names:
                    value = scope.get(name, found)
                    if value is found or name in found or isinstance(value, ModuleType):
                        continue
                    found[name] = value
                    if isinstance(value, type | FunctionType):
                        waiting.append(value)
    return found


def _functions(item: Any) -> Iterator[FunctionType]:
    """Yield a function, or those of a class, an object or a module, that are the user's own."""
    if isinstance(item, MethodType):
        item = item.__func__
    if isinstance(item, FunctionType):
        item = inspect.unwrap(item)
        if is_own(item.__code__.co_filename):
            yield item
        return
    if isinstance(item, ModuleType):
        for one in vars(item).values():
            if isinstance(one, type | FunctionType) and one.__module__ == item.__name__:
                yield from _functions(one)
        return
    for kind in (item if isinstance(item, type) else type(item)).__mro__:
        for one in vars(kind).values():
            inner = getattr(one, "__func__", getattr(one, "fget", one))
            if isinstance(inner, FunctionType):
                yield from _functions(inner)


def _inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _inner(one)


def _codes(item: Any) -> set[CodeType]:
    return {code for function in _functions(item) for code in _inner(function.__code__)}


def _shown(namespace: dict[str, Any], own: set[CodeType]) -> SeenReport | None:
    """Drive what a namespace holds; None where the user's code in question showed no gradient."""
    stand_ins = StandIns(
        (
            (np, StandInNumpy(lambda name, args, kwargs: getattr(np, name)(*args, **kwargs))),
            (math, StandInMath()),
            (random, StandInRandom()),
        )
    )
    exchange, tape = Exchange(stand_ins), Tape()
    roots = {"": namespace}
    found: list[Training] = []
    try:
        exchange.put_in(roots)
        scopes = {id(one.__globals__): one.__globals__ for one in _all_functions(namespace)}
        for scope in scopes.values():
            for name, stand_in in _BUILT_IN.items():
                scope.setdefault(name, stand_in)
        tape.files |= exchange.files
        source = Source(_sources(sorted(exchange.files)))
        with recording(tape), suppress(TapeFull, OutOfTime):
            found = driven(tape, source, namespace)
    finally:
        exchange.put_back(roots)
    without(tape, _calling())
    with recording(tape):
        found = [explained(tape, one, source) for one in found if _touches(tape, one, own)]
    if not found:
        return None
    notes = [f"called was {one.how}." for one in found if one.how]
    return seen_report(tape, source, [replace(one, how="") for one in found], (), notes)


def _all_functions(namespace: dict[str, Any]) -> Iterator[FunctionType]:
    for one in list(namespace.values()):
        if isinstance(one, type | FunctionType):
            yield from _functions(one)


def _calling() -> set[CodeType]:
    """Return the code that has asked for the check, which is no part of it."""
    codes, frame = set(), inspect.currentframe()
    while frame is not None:
        codes.add(frame.f_code)
        frame = frame.f_back
    return codes


def _touches(tape: Tape, found: Training, own: set[CodeType]) -> bool:
    return any(line.code in own for node in tape.nodes[slice(*found.span)] for line in node.lines)
