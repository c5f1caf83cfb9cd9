"""Vector code for the passes of convolutions, written for LLVM as Numba's own loops are not.

Numba leaves it to LLVM to find vectors in a loop, which it does not where channels lie innermost
and few. So the innermost work is said in vectors here, once for every shape: sizes and steps come
while it runs, and only the numbers of rows and vectors in a register tile are fixed. The channels
of a group (`group_of`) are the lanes.

Arrays are flat, and come with the place where something begins and the steps between its rows, all
counted in numbers. Nothing here is imported without Numba.
"""

# ruff: noqa: ARG001 - Numba asks for these very arguments
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils

from clearprop.compiled.threads import built_in, part, written

_GROUP_BYTES = 64  # of a group of channels, which are the columns of a tile: a line of the cache
_FEATURES = get_host_cpu_features()
# The bytes of a register; the rows of a tile whose sums leave some registers free; and the groups
# of channels whose sums fit beside each other: what is read of A then serves them all, where with
# one a processor would wait for its memory.
_BYTES, MOST_ROWS, MOST_GROUPS = (
    (64, 14, 2) if _FEATURES.get("avx512f") else (32, 6, 1) if _FEATURES.get("avx2") else (16, 2, 1)
)
VECTORS = _GROUP_BYTES // _BYTES
_INT, _BYTE, _CODE = ir.IntType(64), ir.IntType(8), ir.IntType(32)


def group_of(dtype: np.dtype[Any]) -> int:
    """Return how many channels a group has, which lie side by side at each place."""
    return _GROUP_BYTES // dtype.itemsize


class Writer:
    """Writes instructions on vectors of one kind of number.

    Parameters
    ----------
    context, builder : object
        Those that Numba gives to a built-in function.
    kind : object
        Numba's type of an array of such numbers.
    """

    def __init__(self, context: Any, builder: Any, kind: Any) -> None:
        self.context, self.builder = context, builder
        self.number = context.get_data_type(kind.dtype)
        self.lanes = _BYTES // (kind.dtype.bitwidth // 8)
        self.vector = ir.VectorType(self.number, self.lanes)

    def pointer(self, kind: Any, array: Any, at: Any) -> Any:
        """Point into an array."""
        data = self.context.make_array(kind)(self.context, self.builder, array).data
        return self.builder.gep(data, [at])

    def moved(self, pointer: Any, *steps: Any) -> Any:
        """Point further on, by whole numbers or by values of the code."""
        for step in steps:
            pointer = self.builder.gep(pointer, [self.whole(step)])
        return pointer

    def whole(self, number: Any) -> Any:
        """Return a whole number as a value of the code."""
        return ir.Constant(_INT, number) if isinstance(number, int) else number

    def times(self, value: Any, factor: Any) -> Any:
        """Multiply whole numbers."""
        return self.builder.mul(self.whole(value), self.whole(factor))

    def load(self, pointer: Any) -> Any:
        """Read a vector."""
        return self.builder.load(
            self.builder.bitcast(pointer, self.vector.as_pointer()), align=self._aligned
        )

    def store(self, vector: Any, pointer: Any) -> None:
        """Write a vector."""
        place = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(vector, place, align=self._aligned)

    @property
    def _aligned(self) -> int:
        return _BYTES // self.lanes

    def spread(self, number: Any) -> Any:
        """Make a vector of one number."""
        first = self.builder.insert_element(
            ir.Constant(self.vector, ir.Undefined), number, ir.Constant(_CODE, 0)
        )
        same = ir.Constant(ir.VectorType(_CODE, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, ir.Constant(self.vector, ir.Undefined), same)

    def same(self, number: float) -> Any:
        """Make a vector of one number that is known beforehand."""
        return ir.Constant(self.vector, [number] * self.lanes)

    def codes(self, number: int) -> Any:
        """Make a vector of one code."""
        return ir.Constant(ir.VectorType(_CODE, self.lanes), [number] * self.lanes)

    def load_codes(self, pointer: Any) -> Any:
        """Read a vector of bytes as codes."""
        kind = ir.VectorType(_BYTE, self.lanes)
        found = self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()), align=1)
        return self.builder.zext(found, ir.VectorType(_CODE, self.lanes))

    def store_codes(self, codes: Any, pointer: Any) -> None:
        """Write a vector of codes as bytes."""
        kind = ir.VectorType(_BYTE, self.lanes)
        place = self.builder.bitcast(pointer, kind.as_pointer())
        self.builder.store(self.builder.trunc(codes, kind), place, align=1)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once."""
        form = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.v{self.lanes}f{8 * self._aligned}"
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call] # no types
            self.builder.module, form, name
        )
        return self.builder.call(function, [a, b, c])

    def kept(self, value: Any) -> Any:
        """Make a place for a vector that changes, which becomes a register."""
        place = cgutils.alloca_once(self.builder, self.vector)  # type: ignore[no-untyped-call]
        self.builder.store(value, place)
        return place

    def loop(self, count: Any) -> Any:
        """Open a loop; it gives the number of the round."""
        return cgutils.for_range(self.builder, self.whole(count))


def _tile(rows: int, groups: int) -> Any:
    """Make a register tile: a product of so many rows and groups of columns.

    ``tile(adds, a, a_at, a_row, a_k, inner, a_mid, mid, a_outer, outer, b, b_at, b_k, b_far, c,
    c_at, c_row, c_far)`` writes c[r, g, v] = sum over o, m and k of a[r, o, m, k] b[g, o, m, k, v],
    or adds it to c; the rows of a group of b lie behind each other. The sums stay in registers
    until they are whole.
    """

    @built_in
    def tile(
        context: Any,
        adds: Any,
        a: Any,
        a_at: Any,
        a_row: Any,
        a_k: Any,
        inner: Any,
        a_mid: Any,
        mid: Any,
        a_outer: Any,
        outer: Any,
        b: Any,
        b_at: Any,
        b_k: Any,
        b_far: Any,
        c: Any,
        c_at: Any,
        c_row: Any,
        c_far: Any,
    ) -> Any:
        signature = types.void(
            types.boolean, a, *[types.int64] * 8, b, *[types.int64] * 3, c, *[types.int64] * 3
        )

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            keeps, A, at, *steps, B, b_at, b_step, b_far, C, to, line, c_far = arguments
            write = Writer(context, builder, a)
            pointers = [
                write.pointer(kind, array, begin)
                for kind, array, begin in ((a, A, at), (b, B, b_at), (c, C, to))
            ]
            function = _tile_function(context, builder.module, a, rows, groups)
            builder.call(function, [keeps, *pointers, *steps, b_step, b_far, line, c_far])
            return context.get_dummy_value()

        return signature, generate

    return tile


def _tile_function(context: Any, module: Any, kind: Any, rows: int, groups: int) -> Any:
    """Write a tile's code once for a module: where it stood at each call, it would take minutes."""
    name = f"clearprop_tile_{kind.dtype}_{rows}_{groups}"
    if name in module.globals:
        return module.globals[name]
    pointer = context.get_data_type(kind.dtype).as_pointer()
    form = [ir.IntType(1), *[pointer] * 3, *[_INT] * 11]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), form), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    write = Writer(context, builder, kind)
    keeps, a, b, c, row, step, inner, mid_step, mid, far, outer, b_step, b_far, line, c_far = (
        function.args
    )
    of_groups = [(group, vector) for group in range(groups) for vector in range(VECTORS)]
    sums = [[write.kept(write.same(0.0)) for _ in of_groups] for _ in range(rows)]
    met = cgutils.alloca_once_value(builder, b)  # type: ignore[no-untyped-call] # no types
    with write.loop(outer) as around, write.loop(mid) as between:
        begins = write.moved(
            a, write.times(around.index, far), write.times(between.index, mid_step)
        )
        lines = [write.moved(begins, write.times(row, r)) for r in range(rows)]
        with write.loop(inner) as within:
            k, there = write.times(within.index, step), builder.load(met)
            right = [
                write.load(write.moved(there, write.times(b_far, group), vector * write.lanes))
                for group, vector in of_groups
            ]
            for r in range(rows):
                left = write.spread(builder.load(write.moved(lines[r], k)))
                for own, kept in zip(right, sums[r], strict=True):
                    builder.store(write.multiply_add(left, own, builder.load(kept)), kept)
            builder.store(write.moved(there, b_step), met)
    with builder.if_else(keeps) as (adding, writing):
        for branch, adds in ((adding, True), (writing, False)):
            with branch:
                for r in range(rows):
                    for (group, vector), kept in zip(of_groups, sums[r], strict=True):
                        steps = write.times(line, r), write.times(c_far, group)
                        place = write.moved(c, *steps, vector * write.lanes)
                        total = builder.load(kept)
                        total = builder.fadd(total, write.load(place)) if adds else total
                        write.store(total, place)
    builder.ret_void()
    return function


def _product_text() -> str:
    """Write a function that covers a product with tiles, of rows as equal as can be."""
    steps = "a_row, a_k, inner, a_mid, mid, a_outer, outer, b, b_at, b_k, b_far"
    call = f"adds, a, a_at + r * a_row, {steps}, c, c_at + r * c_row, c_row, c_far"
    choices = [
        f"if count == {count} and groups == {groups}:\n"
        f"            tile_{count}_{groups}({call})\n            continue"
        for groups in range(MOST_GROUPS, 0, -1)
        for count in range(MOST_ROWS, 0, -1)
    ]
    return "\n".join(
        [
            "def product_of_windows(adds, rows, groups, a, a_at, a_row, a_k, inner, a_mid, mid,",
            "                       a_outer, outer, b, b_at, b_k, b_far, c, c_at, c_row, c_far):",
            f"    parts = (rows + {MOST_ROWS - 1}) // {MOST_ROWS}",
            "    for part in range(parts):",
            "        r = rows * part // parts",
            "        count = rows * (part + 1) // parts - r",
            *(f"        {choice}" for choice in choices),
        ]
    )


product_of_windows = part(
    written(
        "product_of_windows",
        _product_text(),
        {
            f"tile_{rows}_{groups}": _tile(rows, groups)
            for groups in range(1, MOST_GROUPS + 1)
            for rows in range(1, MOST_ROWS + 1)
        },
    )
)
