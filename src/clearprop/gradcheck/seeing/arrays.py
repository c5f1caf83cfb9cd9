"""Arrays that put down on a tape whatever is computed from them, by whatever way NumPy has."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.kinds import Kind, OfKind
from clearprop.gradcheck.seeing.matrices import PARTS, holds_matrix, matrix_of
from clearprop.gradcheck.seeing.operations import (
    PASSED_BY,
    WRITING,
    View,
    copied,
    get_item,
    of_table,
    part,
    set_item,
    typed,
    written,
)
from clearprop.gradcheck.seeing.recorder import ACTIVE, is_live, is_recording, is_still
from clearprop.gradcheck.seeing.recorder import recording as recording
from clearprop.gradcheck.seeing.tape import Node, nodes_in

_SHAPE: Any = np.ndarray.shape  # as NumPy gives and sets it
_NUMBERS = "fiub"  # kinds of dtype that are watched
_NESTED, _LONG = 4, 4000  # lists within lists, and items of a list, in which arrays are looked for


def watch(value: Any, name: str = "data") -> Any:
    """Return a watched copy of an array or a float, of numbers; anything else as it is."""
    if type(value) is Watched or not is_recording():
        return value
    if isinstance(value, float | np.floating) and not isinstance(value, bool):
        value = np.array(value)
    if type(value) is np.ndarray and value.dtype.kind == "O" and value.size:
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


def _made(array: Array, node: Node | None, view: View | None = None) -> "Watched":
    made = np.ndarray.view(array, Watched)
    made._node, made._view = node, view
    return made


def _as_nodes(item: Any, depth: int = 0) -> Any:
    if type(item) is Watched:
        return node_of(item)
    item = of_table(item)
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
        told = _noted(name, compute, args, kwargs, result)
        return _with_axes(told, compute, args, kwargs) if holds_matrix(args) else told
    except Exception:
        if not is_live():
            raise
        ACTIVE[-1].end()  # live code goes on, whatever can't be put down
        return result


def _with_axes(
    told: Any, compute: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return a result that was told of matrices as the matrix that it is of them."""
    named = {key: plain(one) for key, one in kwargs.items()}
    real = compute(*(plain(matrix_of(one)) for one in args), **named)
    if type(told) is Watched and isinstance(real, np.matrix):
        told = told if told.shape == real.shape else told.reshape(real.shape)
        told._is_matrix = True
    return told


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
    if type(result) is Watched:  # out of an array of objects
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
        look = View(first, lambda array: compute(array, *rest, **named), node_of(first))
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


class Watched(OfKind, metaclass=Kind):
    """An array whose computations are put down.

    One without axes stands for a scalar: it is not changed in place, as scalars are not.
    """

    _node: Node | None
    _view: View | None
    _keeps = False  # whether it is changed in place though it has no axes
    _called = "unknown"
    _is_matrix = False  # whether it is used as ``numpy.matrix`` is

    def __array_finalize__(self, obj: object) -> None:
        self._node, self._view = None, None

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *args: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        """Compute, and put down."""
        args = tuple(map(of_table, args))
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
        if name in PASSED_BY or not is_recording():
            return function(*plain(args), **named)
        if name in WRITING and type(args[0]) is Watched:
            before = (node_of(args[0]), *map(_as_nodes, args[1:]))
            function(args[0].view(np.ndarray), *plain(args[1:]), **named)
            _changed(args[0], name, copied(function), before, kwargs)
            return None
        # Not the function: where more arrays are hidden in what it gets, it would ask here again.
        result = super().__array_function__(function, types, plain(args), named)
        result = noted(name, function, args, kwargs, result)
        if out is None:
            return result
        out[...] = result
        return out

    def __getitem__(self, index: Any) -> Any:
        return noted("getitem", get_item, (self, index), {}, self.view(np.ndarray)[plain(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._is_matrix and np.size(value) > 1:  # a column of it has one axis here
            place = self.view(np.ndarray)[plain(index)]
            value = np.reshape(value, place.shape if place.size == np.size(value) else -1)
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
        is_data = self._view is None and before[0].is_being_filled and not is_live()
        if is_data and not any(nodes_in(before[1:])):
            before[0].value[plain(index)] = plain(value)
            return
        _changed(self, "setitem", set_item, before, {})

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes, which may be changed."""
        return _SHAPE.__get__(self)

    @shape.setter
    def shape(self, value: Any) -> None:
        if not is_recording():
            _SHAPE.__set__(self, plain(value))
            return
        before, view = node_of(self), self._view
        _SHAPE.__set__(self, plain(value))
        self._node = ACTIVE[-1].record("reshape", np.reshape, (before, self.shape), {}, self)
        if view is not None:
            self._view = view.reshaped(self.shape)

    @property
    def T(self) -> Any:  # noqa: N802 - the name that NumPy gives it
        """The transposed array."""
        return noted("transpose", np.transpose, (self,), {}, self.view(np.ndarray).T)

    @property
    def flat(self) -> Any:
        """The entries, one after the other."""
        return self.as_array().reshape(-1)

    @flat.setter
    def flat(self, value: Any) -> None:
        self[...] = np.reshape(value, self.shape) if np.size(value) == self.size else value

    def tolist(self) -> Any:
        """Return nested lists; floats in them are watched."""
        if self.dtype.kind != "f" or not is_recording() or is_live():
            return self.view(np.ndarray).tolist()
        return [one.tolist() for one in self.as_array()] if self.ndim else self

    def item(self, *place: Any) -> Any:
        """Return an entry."""
        if self.dtype.kind != "f" or not is_recording() or is_live():
            return self.view(np.ndarray).item(*place)
        return (
            self[np.unravel_index(place[0], self.shape) if len(place) == 1 else place]
            if (place)
            else self.as_array().reshape(())
        )

    def as_array(self) -> Any:
        """Return itself, of a matrix what looks at it as an array."""
        if not self._is_matrix:
            return self
        return noted("asarray", np.asarray, (self,), {}, self.view(np.ndarray))

    def __getattr__(self, name: str) -> Any:
        if self._is_matrix and name in PARTS:
            return PARTS[name](self)
        if (own := self.own_part(name)) is not None:
            return own
        if not self.ndim and not name.startswith("_") and hasattr(float, name):
            return getattr(self.view(np.ndarray).item(), name)  # of the scalar that it stands for
        raise AttributeError(f"'numpy.ndarray' object has no attribute '{name}'")

    def fill(self, value: Any) -> None:
        """Write a value into every entry."""
        self[...] = value

    def sort(self, axis: Any = -1, **options: Any) -> None:  # type: ignore[override]
        """Sort in place."""
        self[...] = np.sort(self, axis, **options)

    def __mul__(self, other: Any) -> Any:
        if holds_matrix((self, other)) and np.ndim(other) and self.ndim:
            return np.dot(self, as_matrix(other) if self._is_matrix else other)
        return super().__mul__(other)

    def __rmul__(self, other: Any) -> Any:
        is_product = self._is_matrix and np.ndim(other)
        return np.dot(other, self) if is_product else super().__rmul__(other)

    def __pow__(self, other: Any) -> Any:  # type: ignore[override]
        if self._is_matrix:
            return np.linalg.matrix_power(self, other)
        return _scalar_power(self, other) if is_live() else super().__pow__(other)

    def __rpow__(self, other: Any) -> Any:  # type: ignore[override]
        return _scalar_power(other, self) if is_live() else super().__rpow__(other)


def as_matrix(item: Any) -> Any:
    """Return an array or a list as a watched matrix, which shares the memory of an array."""
    array: Any = item if type(item) is Watched else watch(np.array(item))
    if array._is_matrix:
        return array
    made = array.reshape(array.shape if array.ndim == 2 else (1, -1))
    made._is_matrix = True
    return made


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
    _changed(target, name, copied(ufunc.at), before, {})


def _method(name: str) -> Callable[..., Any]:
    does = getattr(np.ndarray, name)

    def compute(array: Array, *args: Any, **kwargs: Any) -> Any:
        return getattr(np.asanyarray(array), name)(*args, **kwargs)

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
        if name == "mul" and holds_matrix((self, other)) and np.ndim(other):
            self[...] = self * other
            return self
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
