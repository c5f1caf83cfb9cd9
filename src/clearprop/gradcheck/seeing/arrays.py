"""Arrays that put down on a tape whatever is computed from them, by whatever way NumPy has."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.operations import (
    copied,
    get_item,
    part,
    set_item,
    typed,
    written,
)
from clearprop.gradcheck.seeing.recorder import ACTIVE, is_live, is_recording, is_still
from clearprop.gradcheck.seeing.recorder import recording as recording
from clearprop.gradcheck.seeing.tape import Node

_NUMBERS = "fiub"  # kinds of dtype that are watched
_NESTED, _LONG = 4, 4000  # lists within lists, and items of a list, in which arrays are looked for


def watch(value: Any, name: str = "data") -> Any:
    """Return a watched copy of an array or a float, of numbers; anything else as it is."""
    if type(value) is Watched or not is_recording():
        return value
    if isinstance(value, float | np.floating) and not isinstance(value, bool):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.size:
        with suppress(TypeError, ValueError):  # of a table with columns of several kinds
            value = value.astype(np.float64)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in _NUMBERS:
        return value
    return _made(np.array(value, subok=False), ACTIVE[-1].leaf(value, name))


def plain(item: Any, depth: int = 0) -> Any:
    """Return arguments with the arrays as NumPy knows them; those without axes as scalars."""
    if type(item) is Watched:
        array = item.view(np.ndarray)
        return array if array.ndim else array[()]
    if type(item) in (list, tuple) and depth <= _NESTED and len(item) < _LONG:
        return type(item)(plain(one, depth + 1) for one in item)
    if isinstance(item, slice):
        return slice(*(plain(one) for one in (item.start, item.stop, item.step)))
    return item


def holds_watched(item: Any, depth: int = 0) -> bool:
    """Whether an argument is a watched array, or a list with one in it."""
    if type(item) is Watched:
        return True
    listed = type(item) in (list, tuple) and depth <= _NESTED and len(item) < _LONG
    return listed and any(holds_watched(one, depth + 1) for one in item)


def node_of(array: "Watched | Array") -> Node:
    """Return the node of an array as it is now."""
    if type(array) is not Watched:
        return ACTIVE[-1].raw_node(array)
    view = array._view
    if view is not None and (now := node_of(view.parent)) is not view.version:
        # The array that it looks into was written to.
        array._node = _put("getitem", view.look, (view.parent,), {}, array)
        view.version = now
    node, value = array._node, array.view(np.ndarray)
    if node is None or (is_live() and not is_still(node, value)):  # made or written unseen
        array._node = node = ACTIVE[-1].leaf(value, array._called)
    return node


@dataclass(eq=False)
class _View:
    """A look into another array, whose memory it shares.

    Parameters
    ----------
    parent : Watched
    look : callable
        A function that gives the view of any array of that shape.
    version : Node
        The parent's node when it was looked into.
    """

    parent: "Watched"
    look: Callable[[Array], Array]
    version: Node

    def places(self) -> tuple[Array, ...]:
        """Return the indices of its entries in the parent."""
        numbers = np.arange(self.parent.size).reshape(self.parent.shape)
        return np.unravel_index(self.look(numbers), self.parent.shape)


def _made(array: Array, node: Node | None, view: _View | None = None) -> "Watched":
    made = np.ndarray.view(array, Watched)
    made._node, made._view = node, view
    return made


def _as_nodes(item: Any, depth: int = 0) -> Any:
    if type(item) is Watched:
        return node_of(item)
    if isinstance(item, np.ndarray):
        return node_of(item) if item.dtype.kind in _NUMBERS and item.size else item
    if type(item) in (list, tuple) and depth <= _NESTED and len(item) < _LONG:
        return type(item)(_as_nodes(one, depth + 1) for one in item)
    return plain(item)


def _put(
    name: str,
    compute: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    value: Any,
    before: Node | None = None,
) -> Node:
    nodes = tuple(map(_as_nodes, args))
    named = {key: _as_nodes(one) for key, one in kwargs.items()}
    return ACTIVE[-1].record(name, compute, nodes, named, value, before)


def noted(
    name: str,
    compute: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: Any,
) -> Any:
    """Put down a result, and return it watched; each of several results on its own."""
    if not is_recording():
        return result
    try:
        return _noted(name, compute, args, kwargs, result)
    except Exception:
        if not is_live():
            raise
        ACTIVE[-1].end()  # live code goes on, whatever can't be put down
        return result


def _noted(
    name: str,
    compute: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: Any,
) -> Any:
    if isinstance(result, list | tuple) and any(isinstance(one, np.ndarray) for one in result):
        each = [
            noted(name, part(compute, place), args, kwargs, one) for place, one in enumerate(result)
        ]
        return each if isinstance(result, list) else tuple(each)
    if isinstance(result, float | np.floating):
        return _made(np.array(result), _put(name, compute, args, kwargs, result))
    if not isinstance(result, np.ndarray) or result.dtype.kind not in _NUMBERS:
        return result
    if not result.ndim and result.dtype.kind != "f":
        return result[()]
    result = result.view(np.ndarray)
    node = _put(name, compute, args, kwargs, result)
    first = args[0] if args else None
    if (
        type(first) is Watched
        and result.base is not None
        and np.may_share_memory(result, first.view(np.ndarray))
    ):
        rest, named = plain(args[1:]), {key: plain(one) for key, one in kwargs.items()}
        look = _View(first, lambda array: compute(array, *rest, **named), node_of(first))
        return _made(result, node, look)
    return _made(result, node)


def _changed(
    array: "Watched", name: str, compute: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
) -> None:
    """Put down that an array was written to; the arrays that it looks into were written to, too.

    The arguments are nodes already.
    """
    named = {key: _as_nodes(one) for key, one in kwargs.items()}
    array._node = ACTIVE[-1].record(name, compute, args, named, array.view(np.ndarray), array._node)
    view = array._view
    if view is not None:
        parent = view.parent
        # As it was before: the memory has changed already, its node has not.
        before = parent._node if parent._node is not None else view.version
        _changed(parent, "setitem", set_item, (before, view.places(), array._node), {})
        view.version = node_of(parent)


_PASSED_BY = frozenset(
    (
        *("save", "savez", "savez_compressed", "savetxt", "array_repr", "array_str"),
        *("array2string", "shape", "ndim", "size", "can_cast", "result_type"),
        *("may_share_memory", "shares_memory", "iscomplexobj", "isrealobj"),
        *("common_type", "min_scalar_type"),
    )
)
"""Functions of NumPy that compute no array."""

_WRITING = frozenset(("copyto", "fill_diagonal", "put", "place", "putmask", "put_along_axis"))
"""Functions of NumPy that write into their first argument."""


class _AnyArray(type):
    """What makes ``isinstance(x, np.ndarray)`` true of all arrays in watched code."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, np.ndarray)


class Watched(np.ndarray, metaclass=_AnyArray):
    """An array whose computations are put down.

    One without axes stands for a scalar: it is not changed in place, as scalars are not.
    """

    _node: Node | None
    _view: _View | None
    _keeps = False  # whether it is changed in place though it has no axes
    _called = "unknown"

    def __array_finalize__(self, obj: object) -> None:
        self._node, self._view = None, None

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *args: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Compute, and put down."""
        does = ufunc if method == "__call__" else getattr(ufunc, method)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if method == "at":
            _written_at(ufunc, name, args)
            return None
        values, named = plain(args), {key: plain(one) for key, one in kwargs.items()}
        if out is None or out[0] is None:
            return noted(name, does, args, kwargs, does(*values, **named))
        target = out[0]
        if is_live() and is_recording() and type(target) is np.ndarray:
            target = _made(target, node_of(target))
            target._keeps = True
        if not is_recording() or type(target) is not Watched:
            does(*values, out=tuple(one.view(np.ndarray) for one in out), **named)
            return target
        nodes = tuple(map(_as_nodes, args))
        compute = does
        if "where" in kwargs:  # the rest stays as it was
            nodes = (node_of(target), *nodes)
            compute = written(does)
        elif target._view is not None:
            node_of(target)
        does(*values, out=(target.view(np.ndarray),), **named)
        _changed(target, name, typed(compute, target.dtype), nodes, kwargs)
        return target

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        """Compute, and put down."""
        name = function.__name__
        out = kwargs.pop("out", None)
        named = {key: plain(one) for key, one in kwargs.items()}
        if name in _PASSED_BY or not is_recording():
            return function(*plain(args), **named)
        if name in _WRITING and type(args[0]) is Watched:
            before = (node_of(args[0]), *map(_as_nodes, args[1:]))
            function(args[0].view(np.ndarray), *plain(args[1:]), **named)
            _changed(args[0], name, copied(function), before, kwargs)
            return None
        result = noted(name, function, args, kwargs, function(*plain(args), **named))
        if out is None:
            return result
        out[...] = result
        return out

    def __getitem__(self, index: Any) -> Any:
        return noted("getitem", get_item, (self, index), {}, self.view(np.ndarray)[plain(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        view = value._view if type(value) is Watched else None
        if view is not None and view.parent is self and value._node.before is not None:
            return  # of self[index] -= x: the view has written already
        if not is_recording():
            self.view(np.ndarray)[plain(index)] = plain(value)
            return
        if np.size(value) == 1 and np.ndim(value):  # which NumPy before 2.4 took for a number
            target = self.view(np.ndarray)[plain(index)]
            value = value if np.ndim(target) else np.reshape(value, ())
        before = (node_of(self), _as_nodes(index), _as_nodes(value))
        self.view(np.ndarray)[plain(index)] = plain(value)
        _changed(self, "setitem", set_item, before, {})

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    @property
    def T(self) -> Any:  # noqa: N802 - the name that NumPy gives it
        """The transposed array."""
        return noted("transpose", np.transpose, (self,), {}, self.view(np.ndarray).T)

    @property
    def flat(self) -> Any:
        """The entries, one after the other."""
        return self.reshape(-1)

    @flat.setter
    def flat(self, value: Any) -> None:
        self[...] = np.reshape(value, self.shape) if np.size(value) == self.size else value

    def tolist(self) -> Any:
        """Return nested lists; floats in them are watched."""
        if self.dtype.kind != "f" or not is_recording() or is_live():
            return self.view(np.ndarray).tolist()
        return [one.tolist() for one in self] if self.ndim else self

    def item(self, *place: Any) -> Any:
        """Return an entry."""
        if self.dtype.kind != "f" or not is_recording() or is_live():
            return self.view(np.ndarray).item(*place)
        return (
            self[np.unravel_index(place[0], self.shape) if len(place) == 1 else place]
            if (place)
            else self.reshape(())
        )

    def fill(self, value: Any) -> None:
        """Write a value into every entry."""
        self[...] = value

    def sort(self, axis: Any = -1, **options: Any) -> None:  # type: ignore[override]
        """Sort in place."""
        self[...] = np.sort(self, axis, **options)

    def __pow__(self, other: Any) -> Any:  # type: ignore[override]
        return _scalar_power(self, other) if is_live() else super().__pow__(other)

    def __rpow__(self, other: Any) -> Any:  # type: ignore[override]
        return _scalar_power(other, self) if is_live() else super().__rpow__(other)

    def __float__(self) -> float:
        return float(
            self.view(np.ndarray).reshape(-1)[0] if self.size == 1 else self.view(np.ndarray)
        )

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0) if digits is not None else round(float(self))

    def __hash__(self) -> int:  # type: ignore[override]
        if self.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self.view(np.ndarray)[()])

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()

    def __contains__(self, item: Any) -> bool:
        return plain(item) in self.view(np.ndarray)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __str__(self) -> str:
        return str(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __format__(self, form: str) -> str:
        array = self.view(np.ndarray)
        return format(array.reshape(-1)[0] if self.size == 1 else str(array), form)


def _scalar_power(base: Any, exponent: Any) -> Any:
    """Compute a power as NumPy does: its scalars have another one than its arrays."""
    power = plain(base) ** plain(exponent)
    return noted("power", np.power, (base, exponent), {}, power)


def _written_at(ufunc: np.ufunc, name: str, args: tuple[Any, ...]) -> None:
    target = args[0]
    if not is_recording() or type(target) is not Watched:
        ufunc.at(*plain(args))
        return
    before = (node_of(target), *map(_as_nodes, args[1:]))
    ufunc.at(*plain(args))

    def compute(array: Array, *rest: Any) -> Array:
        copy = np.array(array)
        ufunc.at(copy, *rest)
        return copy

    _changed(target, name, compute, before, {})


def _method(name: str) -> Callable[..., Any]:
    does = getattr(np.ndarray, name)

    def compute(array: Array, *args: Any, **kwargs: Any) -> Any:
        return does(np.asarray(array), *args, **kwargs)

    def method(self: Watched, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        named = {key: plain(one) for key, one in kwargs.items()}
        result = does(self.view(np.ndarray), *plain(args), **named)
        told = noted(name, compute, (self, *args), kwargs, result)
        if out is None:
            return told
        out[...] = told
        return out

    method.__name__ = name
    return method


def _in_place(name: str) -> Callable[..., Any]:
    does, anew = getattr(np.ndarray, f"__i{name}__"), getattr(Watched, f"__{name}__")

    def operator(self: Watched, other: Any) -> Any:
        return does(self, other) if self.ndim or self._keeps else anew(self, other)

    operator.__name__ = f"__i{name}__"
    return operator


_METHODS = (
    *("all", "any", "argmax", "argmin", "argsort", "astype", "choose", "clip", "compress", "copy"),
    *("cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min", "nonzero", "prod"),
    *("ravel", "repeat", "reshape", "round", "searchsorted", "squeeze", "std", "sum", "swapaxes"),
    *("take", "trace", "transpose", "var", "conj", "conjugate"),
)
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")

for _name in _METHODS:
    setattr(Watched, _name, _method(_name))
for _name in _OPERATORS:
    setattr(Watched, f"__i{_name}__", _in_place(_name))
