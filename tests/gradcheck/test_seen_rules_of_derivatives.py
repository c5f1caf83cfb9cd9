"""Every rule of the way back, held against central differences wherever NumPy lets it be used."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from seen_differences import MASK, ROWS, V, W, X, Y, assert_operation_right, numbers, signed

from clearprop.gradcheck.seeing.derivatives import MOVING, PARTIALS, REDUCTIONS, RULES

PAIRS = [
    ((3, 4), (3, 4)),
    ((3, 1), (4,)),
    ((4,), (2, 3, 4)),
    ((2, 3, 4), (3, 1)),
    ((), (3,)),
    ((2, 3), ()),
    ((1, 1), (3, 2)),
    ((), ()),
]


def with_two(ufunc):
    for left, right in PAIRS:
        a, b = numbers(*left), numbers(*right, seed=1)
        yield ufunc, (a, b), {}
        yield ufunc, (a, 0.7), {}
        yield ufunc, (0.7, b), {}
    a, b = signed(5), numbers(5, seed=1)
    if ufunc not in (np.power, np.float_power):  # a root of a negative number
        yield ufunc, (a, b), {}
        yield ufunc, (b, -a), {"dtype": np.float64}
    square = numbers(2, 2)
    yield ufunc, (square, square) if ufunc is not np.heaviside else (square, 1.0), {}


def with_one(function):
    for shape in [(3, 4), (), (5,), (1, 2, 1)]:
        yield function, (numbers(*shape),), {}
    with np.errstate(invalid="ignore"):
        takes_negative = np.isfinite(function(np.array([-1.3, 0.4]))).all()
    if takes_negative:
        yield function, (signed(3, 4),), {}


def reduced(function, x=None, places=(None, 0, -1, (0, 2), (-1, 1))):
    x = signed(2, 3, 4) if x is None else x
    yield function, (x,), {}
    for axis in places:
        yield function, (x,), {"axis": axis}
        yield function, (x,), {"axis": axis, "keepdims": True}
        yield function, (x, axis), {}
    yield function, (signed(5),), {}
    yield function, (signed(3, 1), 0), {}


PRODUCTS = {
    "dot": [
        (np.dot, (signed(*left), signed(*right, seed=1)), {})
        for left, right in [
            ((3, 4), (4, 2)),
            ((4,), (4,)),
            ((3, 4), (4,)),
            ((4,), (4, 2)),
            ((), (2, 3)),
            ((2, 3), ()),
            ((2, 3, 4), (4,)),
            ((2, 3, 4), (5, 4, 2)),
        ]
    ]
    + [(np.dot, (np.full((2, 2), 1.5),) * 2, {})],
    "matmul": [
        (np.matmul, (signed(*left), signed(*right, seed=1)), {})
        for left, right in [
            ((3, 4), (4, 2)),
            ((4,), (4,)),
            ((3, 4), (4,)),
            ((4,), (4, 2)),
            ((2, 3, 4), (4, 5)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((1, 3, 4), (2, 4, 1)),
            ((4,), (2, 4, 3)),
            ((2, 3, 4), (4,)),
        ]
    ]
    + [(np.matmul, (np.full((2, 2), 1.5),) * 2, {})],
    "inner": [
        (np.inner, (signed(*left), signed(*right, seed=1)), {})
        for left, right in [((4,), (4,)), ((2, 3), (4, 3)), ((2, 3, 4), (5, 4)), ((), (3,))]
    ],
    "outer": [
        (np.outer, (signed(*left), signed(*right, seed=1)), {})
        for left, right in [((4,), (3,)), ((2, 3), (2, 2)), ((), (3,))]
    ],
    "vdot": [(np.vdot, (signed(2, 3), signed(2, 3, seed=1)), {}), (np.vdot, (signed(3),) * 2, {})],
    "tensordot": [
        (np.tensordot, (signed(2, 3, 4), signed(3, 4, 2, seed=1)), {}),
        (np.tensordot, (signed(2, 3), signed(4, seed=1), 0), {}),
        (np.tensordot, (signed(2, 3), signed(3, 4, seed=1), 1), {}),
        (np.tensordot, (signed(2, 3, 4), signed(4, 2, 5, seed=1)), {"axes": ([0, 2], [1, 0])}),
        (np.tensordot, (signed(2, 3, 4), signed(5, 3, seed=1)), {"axes": (1, -1)}),
    ],
    "einsum": [
        (np.einsum, (text, *(signed(*shape, seed=k) for k, shape in enumerate(shapes))), {})
        for text, *shapes in [
            ("ij,jk->ik", (3, 4), (4, 2)),
            ("ij,jk", (3, 4), (4, 2)),
            ("ba,cb", (3, 4), (2, 3)),
            ("i,i", (4,), (4,)),
            ("ij->", (3, 4)),
            ("ij->j", (3, 4)),
            ("ij->ji", (3, 4)),
            ("ii", (3, 3)),
            ("ii->i", (3, 3)),
            ("iij->j", (3, 3, 2)),
            ("ij,ij->i", (3, 4), (3, 4)),
            ("i,j->ij", (3,), (4,)),
            ("bij, bjk -> bik", (2, 3, 4), (2, 4, 5)),
            ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
            ("ij,k->i", (2, 3), (4,)),
            ("...j,jk->...k", (2, 3, 4), (4, 5)),
            ("...ij,...jk", (2, 1, 3, 4), (5, 4, 2)),
            ("...,...->...", (3, 1), (4,)),
            ("ij,ij->ij", (3, 1), (3, 4)),
            ("ij,ij->ij", (3, 4), (1, 4)),
        ]
    ]
    + [(np.einsum, ("ij,ij->", *(np.full((2, 3), 1.5),) * 2), {"optimize": True})],
}


def written(function):
    """Return a function that writes into a copy."""

    def write(array, *args, **kwargs):
        copy = np.array(array)
        function(copy, *args, **kwargs)
        return copy

    return write


def set_item(array, index, value):
    copy = np.array(array)
    copy[index] = value
    return copy


def part(function, k):
    return lambda *args, **kwargs: function(*args, **kwargs)[k]


MOVES = {
    "T": [(np.transpose, (X,), {})],
    "append": [(np.append, (X, V), {}), (np.append, (X, X), {"axis": 0})],
    "array": [(np.array, ([X, Y, X],), {}), (np.array, ([numbers(), 5.0, numbers(seed=1)],), {})],
    "array_split": [(part(np.array_split, 1), (V, 3), {})],
    "as_strided": [(lambda x: as_strided(np.array(x, order="C"), (2, 2), (8, 16)), (V,), {})],
    "asanyarray": [(np.asanyarray, (X,), {})],
    "asarray": [(np.asarray, ([[numbers(), 1.0], [2.0, numbers(seed=2)]],), {})],
    "ascontiguousarray": [(np.ascontiguousarray, (X,), {})],
    "astype": [(np.ndarray.astype, (X, np.float64), {})],
    "atleast_1d": [(np.atleast_1d, (numbers(),), {})],
    "atleast_2d": [(np.atleast_2d, (V,), {})],
    "atleast_3d": [(np.atleast_3d, (X,), {})],
    "block": [(np.block, ([[X, Y], [np.ones((1, 2)), signed(1, 4)]],), {})],
    "broadcast_to": [(np.broadcast_to, (signed(3, 1), (2, 3, 4)), {})],
    "column_stack": [(np.column_stack, ([V, W, V],), {})],
    "compress": [(np.compress, ([True, False, True], X), {"axis": 1})],
    "concatenate": [
        (np.concatenate, ([X, Y, X],), {}),
        (np.concatenate, ((X, np.ones((2, 1))),), {"axis": -1}),
        (np.concatenate, ([X, V],), {"axis": None}),
    ],
    "copy": [(np.copy, (X,), {})],
    "copyto": [(written(np.copyto), (X, Y), {}), (written(np.copyto), (X, V[:3]), {"where": MASK})],
    "delete": [(np.delete, (X, 1), {"axis": 1}), (np.delete, (V, [0, 2]), {})],
    "diag": [(np.diag, (W,), {}), (np.diag, (V,), {"k": -1})],
    "diagonal": [(np.diagonal, (signed(2, 3, 4), 1, 0, 2), {})],
    "dsplit": [(part(np.dsplit, 0), (signed(2, 3, 4), 2), {})],
    "dstack": [(np.dstack, ([X, Y],), {})],
    "expand_dims": [(np.expand_dims, (X, (0, 2)), {})],
    "extract": [(np.extract, (MASK, X), {})],
    "fill_diagonal": [
        (written(np.fill_diagonal), (W, 7.0), {}),
        (written(np.fill_diagonal), (W, V), {}),
    ],
    "flatten": [(np.ndarray.flatten, (X,), {}), (np.ndarray.flatten, (X, "F"), {})],
    "flip": [(np.flip, (X,), {}), (np.flip, (X, -1), {})],
    "fliplr": [(np.fliplr, (X,), {})],
    "flipud": [(np.flipud, (X,), {})],
    "full": [(np.full, ((2, 3), numbers()), {})],
    "full_like": [(np.full_like, (X, numbers()), {})],
    "getitem": [
        (lambda x, i: x[i], (x, i), {})
        for x, i in [
            (X, 1),
            (X, (slice(None), -1)),
            (X, (..., None, 0)),
            (X, slice(None, None, -1)),
            (V, ROWS),
            (X, (np.array([0, 1, 0]), np.array([2, 2, 2]))),
            (X, MASK),
            (W, (slice(1, 3), ROWS)),
            (V, 2),
        ]
    ]
    + [(lambda x: x[0], (X,), {})],  # a view that is looked at anew, whose index is not put down
    "hsplit": [(part(np.hsplit, 2), (X, 3), {})],
    "hstack": [(np.hstack, ([X, Y],), {}), (np.hstack, ((V, numbers()),), {})],
    "insert": [(np.insert, (X, 1, V[:2]), {"axis": 1}), (np.insert, (V, [0, 2], 5.0), {})],
    "moveaxis": [(np.moveaxis, (signed(2, 3, 4), 0, -1), {})],
    "ones_like": [(np.ones_like, (X,), {})],
    "pad": [
        (np.pad, (X, 1), {}),
        (np.pad, (X, ((0, 0), (2, 1))), {"constant_values": 3.0}),
        (np.pad, (X, 2), {"mode": "edge"}),
        (np.pad, (V, (1, 2)), {"mode": "reflect"}),
        (np.pad, (V, 1), {"constant_values": numbers()}),
    ],
    "place": [(written(np.place), (X, MASK, V), {})],
    "put": [(written(np.put), (X, [4, 0], V[:2]), {})],
    "put_along_axis": [(written(np.put_along_axis), (X, np.array([[2], [0]]), 5.0, 1), {})],
    "putmask": [(written(np.putmask), (X, MASK, Y), {})],
    "ravel": [(np.ravel, (X,), {}), (np.ravel, (X,), {"order": "F"})],
    "repeat": [(np.repeat, (X, 3), {}), (np.repeat, (X, np.array([1, 2])), {"axis": 0})],
    "reshape": [(np.reshape, (X, (3, -1)), {})],
    "roll": [(np.roll, (X, 1), {}), (np.roll, (X, -1), {"axis": 1})],
    "rollaxis": [(np.rollaxis, (signed(2, 3, 4), 2), {})],
    "rot90": [(np.rot90, (X,), {}), (np.rot90, (signed(2, 3, 4), 3, (1, 2)), {})],
    "select": [(np.select, ([MASK, ~MASK], [X, Y]), {}), (np.select, ([MASK], [X], 2.0), {})],
    "setitem": [
        (set_item, (x, i, value), {})
        for x, i, value in [
            (X, 1, V[:3]),
            (X, 1, 4.0),
            (X, (slice(None), -1), Y[:, 0]),
            (X, MASK, numbers()),
            (V, np.array([1, 0, 1, 1]), signed(4, seed=3)),  # the last of three stays
            (X, slice(None), V[:3]),
            (np.zeros((2, 3)), slice(None), X),
            (X, ..., X),
        ]
    ],
    "sliding_window_view": [
        (sliding_window_view, (X, (2, 2)), {}),
        (sliding_window_view, (V, 3), {}),
    ],
    "split": [(part(np.split, 1), (V, 2), {})],
    "squeeze": [(np.squeeze, (signed(1, 3, 1),), {})],
    "stack": [(np.stack, ([X, Y, X],), {"axis": 1})],
    "swapaxes": [(np.swapaxes, (signed(2, 3, 4), 0, 2), {})],
    "take": [(np.take, (X, ROWS), {}), (np.take, (X, ROWS), {"axis": 1})],
    "take_along_axis": [(np.take_along_axis, (X, np.array([[2, 2], [0, 1]]), 1), {})],
    "tile": [(np.tile, (X, (2, 1, 2)), {})],
    "transpose": [(np.transpose, (X,), {}), (np.transpose, (signed(2, 3, 4), (1, 2, 0)), {})],
    "tril": [(np.tril, (W,), {})],
    "triu": [(np.triu, (W, 1), {})],
    "vsplit": [(part(np.vsplit, 1), (X, 2), {})],
    "vstack": [(np.vstack, ([V, W],), {})],
    "where": [
        (np.where, (MASK, X, Y), {}),
        (np.where, (MASK, X, 7.0), {}),
        (np.where, (MASK, -1.5, X), {}),
        (np.where, (MASK, numbers(), V[:3]), {}),
        (np.where, (MASK, X, X), {}),
    ],
    "zeros_like": [(np.zeros_like, (X,), {})],
}
OTHERS = {
    "clip": [
        (np.clip, (signed(3, 4), -0.5, 0.6), {}),
        (np.clip, (signed(3, 4), None, 0.6), {}),
        (np.clip, (signed(3, 4), 0.1, None), {}),
        (np.clip, (signed(3, 4),), {"min": 0.2}),
        (np.clip, (signed(3, 4),), {"a_min": 0.2, "a_max": 0.5}),
        (np.clip, (signed(3, 4), signed(4, seed=1), 0.4 + numbers(3, 1)), {}),
        (np.clip, (signed(3, 4), signed(4, seed=1), signed(3, 1, seed=2)), {}),
    ],
    "cumsum": [
        (np.cumsum, (signed(2, 3, 4), *axis), {}) for axis in [(), (None,), (0,), (1,), (-1,)]
    ]
    + [(np.cumsum, (X,), {"axis": 1}), (np.cumsum, (numbers(),), {})],
    "add.accumulate": [
        (np.add.accumulate, (X,), {}),
        (np.add.accumulate, (X, 1), {}),
        (np.add.accumulate, (X,), {"axis": -1}),
    ],
    "add.at": [
        (written(np.add.at), (V, ROWS, signed(4, seed=5)), {}),
        (written(np.add.at), (X, 1, 2.0), {}),
        (written(np.add.at), (X, (slice(None), np.array([0, 2, 0])), signed(2, 1, seed=5)), {}),
        (written(np.add.at), (X, (np.array([0, 0]), np.array([1, 1])), numbers()), {}),
    ],
    "nan_to_num": [*with_one(np.nan_to_num), (np.nan_to_num, (X,), {"nan": 1.0})],
    "round": [(np.round, (X, 2), {}), (np.round, (X,), {"decimals": 1}), (np.round, (V,), {})],
    "around": [(np.around, (X, 1), {})],
    "norm": [
        (np.linalg.norm, (x, *rest), named)
        for x, rest, named in [
            (V, (), {}),
            (X, (), {"keepdims": True}),
            (X, (), {"axis": 1}),
            (X, (), {"axis": -1, "keepdims": True}),
            (signed(2, 3, 4), (), {"axis": (0, 2)}),
            (X, ("fro",), {}),
            (X, (2, 0), {}),
            (X, (1,), {"axis": 1}),
            (V, (1,), {}),
            (V, (2,), {}),
        ]
    ],
    "average": [
        (np.average, (X,), {}),
        (np.average, (X, 1), {}),
        (np.average, (X,), {"axis": (0, 1)}),
    ],
}


def cases_of(name):
    """Return the computations that try a rule: a function, its arguments, those by name."""
    for table in (PRODUCTS, MOVES, OTHERS):
        if name in table:
            return table[name]
    if name.endswith(".outer"):
        ufunc = getattr(np, name.removesuffix(".outer"))
        shapes = [((3,), (2,)), ((2, 3), (2, 1)), ((), (3,))]
        return [(ufunc.outer, (numbers(*a), numbers(*b, seed=1)), {}) for a, b in shapes]
    if name in PARTIALS:
        return list((with_two if len(PARTIALS[name]) == 2 else with_one)(getattr(np, name)))
    assert name in REDUCTIONS
    if "." in name:
        ufunc, method = name.split(".")
        return list(reduced(getattr(getattr(np, ufunc), method)))
    extra = [(getattr(np, name), (X,), {"ddof": 1, "axis": 1})] if name in ("var", "std") else []
    return [*reduced(getattr(np, name)), *extra]


@pytest.mark.parametrize("name", sorted(RULES | MOVING))
@pytest.mark.usefixtures("without_differences")
def test_every_rule_agrees_with_differences(name):
    cases = cases_of(name)
    assert cases
    for compute, args, kwargs in cases:
        assert_operation_right(name, compute, *args, **kwargs)
