"""The way back over a tape: the derivative of a weighted sum with respect to what it came of.

Every operation hands the derivative `g` of its result `y` on to its operands: by its rule, in
`RULES`; if it is in `MOVING`, and only moves numbers, by one for all; else by central differences.
"""

import string
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node, computed, filled, nodes_in

_MOST_ENTRIES = 4000  # of an operand that are moved one by one
_HARMLESS = {"casting", "copy", "decimals", "dtype", "nan", "optimize", "order"}  # settings


def derivatives(
    seeds: Mapping[Node, Array], among: Iterable[Node]
) -> tuple[dict[Node, Array], list[Node]]:
    """Differentiate the sum over all seeds of ``(seed * node.value).sum()``.

    Parameters
    ----------
    seeds : mapping of Node to array
        The weight of every entry of a node, in its shape.
    among : iterable of Node
        The nodes whose derivatives are asked for; the way back leads through no others.

    Returns
    -------
    derivatives : dict of Node to float64 array
        Of every node in `among` that holds floats, in its shape and the order of the tape. Zeros
        where nothing comes back, in an array that cannot be written to.
    unknown : list of Node
        The nodes through which the way back is unknown: what they would have handed back lacks
        in the derivatives of all that they were computed from.
    """
    wanted = {node for node in among if node.is_float}
    found = {one: np.broadcast_to(w, one.value.shape).astype(float) for one, w in seeds.items()}
    unknown = []
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for node in sorted(wanted | found.keys(), key=lambda node: node.place, reverse=True):
            g = found.get(node)
            if g is None or not (node.is_float and node.compute and g.any()):
                continue
            parents = [parent for parent in node.parents if parent in wanted]
            if not parents:
                continue
            parts = _handed_back(node, g, parents)
            if parts is None:
                unknown.append(node)
            for parent, part in (parts or {}).items():
                found[parent] = np.asarray(found.get(parent, 0.0) + part)
    for node in wanted - found.keys():
        found[node] = _nothing(node.value.shape)
    return {node: found[node] for node in sorted(wanted, key=lambda node: node.place)}, unknown


@lru_cache(1024)
def _nothing(shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(0.0, shape)


def _handed_back(node: Node, g: Array, parents: list[Node]) -> dict[Node, Array] | None:
    for way in (_by_rule, _moved, _by_differences):
        try:
            parts = way(node, g, parents)
            if all(parts[parent].shape == parent.value.shape for parent in parents):
                return parts
        except Exception:  # noqa: S112 - not covered; or arguments of any kind fail in any way
            continue
    return None


@dataclass(frozen=True)
class _Call:
    """An operation, with values for the nodes in its arguments."""

    name: str
    g: Array
    y: Array
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    moving: frozenset[int]  # the arguments of which a derivative is asked for

    def operand(self, k: int) -> Array:
        return np.asarray(self.args[k], dtype=np.float64)

    a = x = property(lambda self: self.operand(0))
    b = property(lambda self: self.operand(1))

    def options(self, *names: str) -> dict[str, Any]:
        """Name what follows the first argument; the rule covers no other names."""
        options = dict(zip(names, self.args[1:], strict=False)) | self.kwargs
        if len(self.args) > len(names) + 1 or options.keys() - set(names):
            raise NotImplementedError
        return options


def _by_rule(node: Node, g: Array, parents: list[Node]) -> dict[Node, Array]:
    rule = RULES[node.name]
    places = [k for k, arg in enumerate(node.args) if isinstance(arg, Node) and arg in parents]
    if len(places) != sum(one in parents for one in nodes_in((node.args, node.kwargs))):
        raise NotImplementedError  # in a list, or by name
    args, kwargs = filled((node.args, node.kwargs), lambda one: one.value)
    call = _Call(node.name, g, node.value.astype(np.float64), args, kwargs, frozenset(places))
    parts: dict[Node, Array] = {}
    for k in places:
        parts[node.args[k]] = parts.get(node.args[k], 0.0) + rule(call, k)
    return parts


def _picked(c: _Call, k: int) -> Array:
    """Of two equal operands the constant one counts; of two that move, each counts half."""
    mine, other = c.operand(k), c.operand(1 - k)
    return np.where(mine == other, 0.5 if 1 - k in c.moving else 0.0, mine == c.y)


_POWER = (
    lambda c: np.where(c.b == 0, 0, c.b * c.a ** (c.b - 1)),
    lambda c: c.y * np.log(np.where(c.a == 0, 1, c.a)),
)
_PICKED = (lambda c: _picked(c, 0), lambda c: _picked(c, 1))
PARTIALS: dict[str, tuple[Any, ...]] = {
    "add": (1, 1),
    "subtract": (1, -1),
    "multiply": (lambda c: c.b, lambda c: c.a),
    "divide": (lambda c: 1 / c.b, lambda c: -c.a / c.b**2),
    **dict.fromkeys(["power", "float_power"], _POWER),
    **dict.fromkeys(["maximum", "minimum", "fmax", "fmin"], _PICKED),
    "logaddexp": (lambda c: np.exp(c.a - c.y), lambda c: np.exp(c.b - c.y)),
    "heaviside": (0, lambda c: c.a == 0),
    "negative": (-1,),
    "square": (lambda c: 2 * c.x,),
    "sqrt": (lambda c: 1 / (2 * c.y),),
    "reciprocal": (lambda c: -1 / c.x**2,),
    "exp": (lambda c: c.y,),
    "exp2": (lambda c: c.y * np.log(2),),
    "expm1": (lambda c: c.y + 1,),
    "log": (lambda c: 1 / c.x,),
    "log1p": (lambda c: 1 / (1 + c.x),),
    "log2": (lambda c: 1 / (c.x * np.log(2)),),
    "log10": (lambda c: 1 / (c.x * np.log(10)),),
    "sin": (lambda c: np.cos(c.x),),
    "cos": (lambda c: -np.sin(c.x),),
    "sinh": (lambda c: np.cosh(c.x),),
    "cosh": (lambda c: np.sinh(c.x),),
    "tanh": (lambda c: 1 - c.y**2,),
    "arctan": (lambda c: 1 / (1 + c.x**2),),
    "absolute": (lambda c: np.sign(c.x),),
    "nan_to_num": (lambda c: np.isfinite(c.x),),
    **dict.fromkeys(["sign", "floor", "ceil", "rint", "trunc", "round", "around"], (0,)),
}


def _each(call: _Call, k: int) -> Array:
    shape = call.operand(k).shape
    if call.name.endswith(".outer"):
        a = call.a.reshape(call.a.shape + (1,) * call.b.ndim)
        call = replace(call, name=call.name.removesuffix(".outer"), args=(a, call.b))
    if call.kwargs.keys() - _HARMLESS:
        raise NotImplementedError
    slope = PARTIALS[call.name][k]
    part = _weighed(call.g, slope(call) if callable(slope) else slope, call.operand(k).shape)
    return part.reshape(shape)


def _weighed(g: Array, slope: Any, shape: tuple[int, ...]) -> Array:
    part = g * slope
    if not np.isfinite(part).all():  # no slope counts where nothing comes back: where(x > 0, log x)
        part = np.where(g == 0, 0, part)
    return _unbroadcast(part, shape)


def _unbroadcast(part: Array, shape: tuple[int, ...]) -> Array:
    more = part.ndim - len(shape)
    long = [more + i for i, n in enumerate(shape) if n == 1 and part.shape[more + i] != 1]
    return part.sum(axis=(*range(more), *long)).reshape(shape)


def _clip(call: _Call, k: int) -> Array:
    """At its border a number is held; a border of None is NaN here, which no number passes."""
    options = call.options("a_min", "a_max", "out", "min", "max")
    borders = [options.get(f"a_{name}", options.get(name)) for name in ("min", "max")]
    x, (low, high) = call.x, (np.asarray(one, dtype=np.float64) for one in borders)
    slopes = (~(x <= low) & ~(x >= high), (x < low) & ~(low >= high), np.fmax(x, low) > high)
    return _weighed(call.g, slopes[k], call.operand(k).shape)


def _getitem(call: _Call, k: int) -> Array:
    """Return to its place what was taken; what was taken twice, twice."""
    part = np.zeros(call.operand(k).shape)
    np.add.at(part, call.args[1], call.g)
    return part


def _product(call: _Call, k: int) -> Array:
    """Of any einsum: g times the other operands, summed over the indices that x does not have."""
    operands, terms, result = _written_out(call)
    j = k - (call.name == "einsum")
    pairs = zip("".join(terms), [n for one in operands for n in one.shape], strict=True)
    sizes = dict(sorted(pairs))  # of each index the larger one, if another is 1

    def whole(term: str, operand: Any) -> Array:
        return np.broadcast_to(operand, [sizes[letter] for letter in term])

    target = "".join(dict.fromkeys(terms[j]))
    factors = [(result, call.g)]
    factors += [(terms[i], whole(terms[i], one)) for i, one in enumerate(operands) if i != j]
    held = {letter for term, _ in factors for letter in term}
    factors += [(letter, whole(letter, 1.0)) for letter in target if letter not in held]
    written = ",".join(term for term, _ in factors)
    part = np.einsum(f"{written}->{target}", *[one for _, one in factors], optimize=True)
    if target != terms[j]:  # only a diagonal of x was read
        diagonal, part = part, whole(terms[j], 0.0).copy()
        np.einsum(f"{terms[j]}->{target}", part)[...] = diagonal
    return _unbroadcast(part, operands[j].shape).reshape(np.shape(call.args[k]))


def _written_out(call: _Call) -> tuple[list[Array], list[str], str]:
    """Return the operands of a product, their indices as einsum has them, and the result's."""
    if call.kwargs.keys() - _HARMLESS - ({"axes"} if call.name == "tensordot" else set()):
        raise NotImplementedError
    if call.name == "einsum":
        return _read(call.args[0], [call.operand(i) for i in range(1, len(call.args))])
    flat = call.name in ("outer", "vdot")
    a, b = (call.a.ravel(), call.b.ravel()) if flat else (call.a, call.b)
    if call.name == "matmul":
        rows, columns = "i" * (a.ndim > 1), "k" * (b.ndim > 1)
        return _read(f"...{rows}j,...j{columns}->...{rows}{columns}", [a, b])
    axes: Any = (-1, -2 if call.name == "dot" and b.ndim > 1 else -1)
    if call.name == "tensordot":
        axes = call.args[2] if len(call.args) > 2 else call.kwargs.get("axes", 2)
        axes = (range(a.ndim - axes, a.ndim), range(axes)) if np.ndim(axes) == 0 else axes
    elif call.name == "outer" or 0 in (a.ndim, b.ndim):
        axes = ((), ())
    left, right = string.ascii_lowercase[: a.ndim], list(string.ascii_uppercase[: b.ndim])
    ours, theirs = normalize_axis_tuple(axes[0], a.ndim), normalize_axis_tuple(axes[1], b.ndim)
    for i, j in zip(ours, theirs, strict=True):
        right[j] = left[i]
    free = [one for one in [*left, *right] if (one in left) != (one in right)]
    return [a, b], [left, "".join(right)], "".join(free)


def _read(text: str, operands: list[Array]) -> tuple[list[Array], list[str], str]:
    inputs, arrow, result = text.replace(" ", "").partition("->")
    if not arrow:
        result = "".join(c for c in sorted(set(inputs)) if c.isalpha() and inputs.count(c) == 1)
        result = "..." * ("..." in inputs) + result
    spare = "".join(c for c in string.ascii_letters if c not in inputs)
    terms = inputs.split(",")
    dots = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)]
    spare = spare[: max(dots)]
    terms = [t.replace("...", spare[len(spare) - n :]) for t, n in zip(terms, dots, strict=True)]
    return operands, terms, result.replace("...", spare)


_AFTER = {  # what follows the array, where it is not axis, dtype, out, keepdims
    **dict.fromkeys(["max", "amax", "min", "amin"], ("axis", "out", "keepdims")),
    **dict.fromkeys(["var", "std"], ("axis", "dtype", "out", "ddof", "keepdims")),
    "norm": ("ord", "axis", "keepdims"),
    "average": ("axis",),
}


class _Reduced:
    """A reduction of x over some axes; g and y have the shape that can be broadcast to x."""

    def __init__(self, call: _Call) -> None:
        self.options = call.options(*_AFTER.get(call.name, ("axis", "dtype", "out", "keepdims")))
        self.x: Array = call.x
        axis = self.options.get("axis", 0 if "." in call.name else None)
        self.axes = normalize_axis_tuple(range(self.x.ndim) if axis is None else axis, self.x.ndim)
        kept = [1 if i in self.axes else n for i, n in enumerate(self.x.shape)]
        self.g, self.y = call.g.reshape(kept), call.y.reshape(kept)
        self.count = self.x.size / self.y.size


def _share(r: _Reduced) -> Array:
    """Divide equally among all that are the largest, or the smallest."""
    hit = r.x == r.y
    return hit / hit.sum(axis=r.axes, keepdims=True)


def _var(r: _Reduced) -> Array:
    centred = r.x - r.x.mean(axis=r.axes, keepdims=True)
    return 2 * centred / (r.count - r.options.get("ddof", 0))


def _norm(r: _Reduced) -> Array:
    order = r.options.get("ord")
    if order not in (None, "fro") and (order not in (1, 2) or len(r.axes) == 2):
        raise NotImplementedError
    return np.sign(r.x) if order == 1 else np.where(r.y == 0, 0, r.x / r.y)


REDUCTIONS: dict[str, Callable[[_Reduced], Any]] = {
    **dict.fromkeys(["sum", "add.reduce"], lambda r: np.ones(r.x.shape)),
    **dict.fromkeys(["prod", "multiply.reduce"], lambda r: r.y / r.x),
    **dict.fromkeys(["max", "amax", "maximum.reduce", "min", "amin", "minimum.reduce"], _share),
    **dict.fromkeys(["mean", "average"], lambda r: 1 / r.count),
    "var": _var,
    "std": lambda r: np.where(r.y == 0, 0, _var(r) / (2 * r.y)),
    "norm": _norm,
    "logaddexp.reduce": lambda r: np.exp(r.x - r.y),
}


def _reduction(call: _Call, k: int) -> Array:
    r = _Reduced(call)
    if k > 0 or (call.name in ("prod", "multiply.reduce") and not r.x.all()):  # y / 0
        raise NotImplementedError
    return np.broadcast_to(r.g * REDUCTIONS[call.name](r), r.x.shape)


def _cumsum(call: _Call, k: int) -> Array:
    """Sum from the entry on: it is in all sums from its own."""
    axis = call.options("axis", "dtype", "out").get("axis", 0 if "." in call.name else None)
    g, axis = (call.g.ravel(), 0) if axis is None else (call.g, axis)
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis).reshape(call.operand(k).shape)


RULES: dict[str, Callable[[_Call, int], Array]] = {  # the derivative of argument k, in its shape
    **dict.fromkeys(PARTIALS, _each),
    **{f"{name}.outer": _each for name, slopes in PARTIALS.items() if len(slopes) == 2},
    **dict.fromkeys(["dot", "matmul", "inner", "outer", "vdot", "tensordot", "einsum"], _product),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(["cumsum", "add.accumulate"], _cumsum),
    "clip": _clip,
    "getitem": _getitem,
    "add.at": lambda c, k: c.g if k == 0 else _unbroadcast(c.g[c.args[1]], c.operand(k).shape),
}

_MOVED = """T append array array_split as_strided asanyarray asarray ascontiguousarray astype
atleast_1d atleast_2d atleast_3d block broadcast_to column_stack concatenate copy copyto delete diag
diagonal dsplit dstack expand_dims fill_diagonal flatten flip fliplr flipud full full_like hsplit
hstack moveaxis ones_like pad ravel repeat reshape roll rollaxis rot90 sliding_window_view split
squeeze stack swapaxes tile transpose tril triu vsplit vstack zeros_like"""
_BY_INDEX = "getitem insert place put put_along_axis putmask setitem take take_along_axis"
MOVING: dict[str, slice] = {  # to the argument that chooses, and does not move itself
    **dict.fromkeys(_MOVED.split(), slice(0)),
    **dict.fromkeys(["where", "select", "compress", "extract"], slice(0, 1)),
    **dict.fromkeys(_BY_INDEX.split(), slice(1, 2)),
}


def _moved(node: Node, g: Array, parents: list[Node]) -> dict[Node, Array]:
    """See where the numbers of all entries go; what goes there without them, too, is no number."""
    choosing = set(nodes_in(node.args[MOVING[node.name]]))
    if choosing.intersection(parents):
        raise NotImplementedError
    moving = [one for one in node.parents if one.is_float and one not in choosing]
    zeros = {one: np.broadcast_to(0.0, one.value.shape) for one in moving}
    ends = np.cumsum([one.value.size for one in parents])
    numbers = np.split(np.arange(1.0, ends[-1] + 1), ends[:-1])
    shaped = {one: n.reshape(one.value.shape) for one, n in zip(parents, numbers, strict=True)}
    numbered = np.nan_to_num(_again(node, zeros | shaped) - _again(node, zeros))
    places = numbered.astype(np.intp)
    values = np.concatenate([[0.0], *(one.value.ravel() for one in parents)])[places]
    same = values.astype(node.value.dtype) == node.value
    if (places != numbered).any() or not (same | (places == 0) | np.isnan(values)).all():
        raise NotImplementedError  # the numbers change on their way
    sums = np.split(np.bincount(places.ravel(), g.ravel(), ends[-1] + 1)[1:], ends[:-1])
    return {one: part.reshape(one.value.shape) for one, part in zip(parents, sums, strict=True)}


def _again(node: Node, values: Mapping[Node, Array]) -> Array:
    return np.asarray(computed(node, lambda one: values.get(one, one.value)))


def _by_differences(node: Node, g: Array, parents: list[Node]) -> dict[Node, Array]:
    return {parent: _measured(node, g, parent) for parent in parents}


def _measured(node: Node, g: Array, parent: Node) -> Array:
    wide = {one: one.value.astype(np.float64) for one in node.parents if one.is_float}
    x = wide[parent]

    def result(moved: Array) -> Array:
        return _again(node, wide | {parent: moved})

    step = np.finfo(result(x).dtype).eps ** (1 / 3) * np.maximum(1, np.abs(x))
    broadcasts = isinstance(node.compute, np.ufunc) and node.compute.signature is None
    if broadcasts or (node.value.shape == x.shape and _is_elementwise(result, x, step)):
        return _weighed(g, (result(x + step) - result(x - step)) / (2 * step), x.shape)
    if x.size > _MOST_ENTRIES:
        raise NotImplementedError
    part = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        shift = np.zeros(x.shape)
        shift[i] = step[i]
        part[i] = _weighed(g, (result(x + shift) - result(x - shift)) / (2 * step[i]), ())
    return part


def _is_elementwise(result: Callable[[Array], Array], x: Array, step: Array) -> bool:
    """Whether all entries stay that are not moved, whichever are: any two differ in some bit."""
    number, rest = np.arange(x.size).reshape(x.shape), result(x)
    step = step * (1 + number / x.size)  # equal steps may cancel
    halves = [(number >> bit) % 2 == side for bit in range(x.size.bit_length()) for side in (0, 1)]
    return all(np.array_equal(result(x + step * h)[~h], rest[~h], equal_nan=True) for h in halves)
