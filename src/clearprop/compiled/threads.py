"""The means by which threads train together, which Numba does not offer.

They are a barrier, a product of parts of matrices, a plain copy, and the place where each thread's
part begins; and the way to have functions compiled. Nothing here is imported without Numba.
"""

# ruff: noqa: ARG001 - Numba asks for these very arguments
import hashlib
from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any, TypeVar

from llvmlite import ir
from llvmlite.binding import address_of_symbol
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.linalg import get_blas_kind

from clearprop.core.kernels import keep_apart
from clearprop.core.parameters import Array
from clearprop.core.reading import read_bounded

Function = TypeVar("Function", bound=Callable[..., Any])


_GEMM, _YIELD = "numba_xxgemm", "sched_yield"


def _require(*names: str) -> None:
    """Look up names that compiled code is linked with: LLVM ends the process for one it misses.

    Raises
    ------
    ImportError
        If there is no such name, because another Numba calls it otherwise.
    """
    _ = cpu_target.target_context  # makes Numba's own names known
    for name in names:
        if address_of_symbol(name) is None:
            raise ImportError(f"it has no {name}, which compiled steps call")


_require(_GEMM, _YIELD)

_code = hashlib.sha256(read_bounded(__file__, 2**20))  # and of all that was compiled so far


def compiled(function: Function) -> Function:
    """Have a function compiled by Numba at its first call, and kept on disk where that can be.

    Machine code holds that of the functions it calls, though Numba looks only at the file of the
    one that it is asked for. So its name on disk carries a mark of all code up to here: when a
    loop of some layer changes, or there is one more, steps are compiled anew.
    """
    marked = _marked(function)
    for cached in (True, False):
        try:
            twin: Any = _njit(marked, cache=cached)
            if cached:
                keep_apart(twin)
        except (RuntimeError, OSError):  # no folder for the cache can be written
            continue
        return twin
    raise AssertionError("without a cache, nothing is written")


def part(function: Callable[..., Any]) -> Any:
    """Have a function compiled as a part of others, which hold its code where they are kept.

    Within a process machine code goes by its name alone, and of two parts of one name the first to
    be loaded would do the work of both: Numba tells them apart by a number, which begins anew in
    each process that compiles. The mark in their names is the same for the same code alone.
    """
    return _njit(_marked(function))


def one_of(parameters: str, calls: Sequence[tuple[Callable[..., Any], str]]) -> Any:
    """Make a compiled function that does one of several calls, by its number.

    Numba can't call functions out of a list, so that the choice has to be written out::

        def choose(code, y, number):
            if code == 0:
                return call_0(y, number)
            ...

    Parameters
    ----------
    parameters : str
        The parameters of the function, after the number: ``"y, number"``.
    calls : sequence of (callable, str)
        The functions, and the arguments that each takes.
    """
    returns = [f"return call_{code}({arguments})" for code, (_, arguments) in enumerate(calls)]
    cases = [f"    if code == {code}:\n        {one}" for code, one in enumerate(returns[:-1])]
    # The last is left: with an end that returns nothing, a result could be None to Numba.
    text = "\n".join([f"def choose(code, {parameters}):", *cases, f"    {returns[-1]}"])
    choose = written(
        "choose", text, {f"call_{code}": part(one) for code, (one, _) in enumerate(calls)}
    )
    _mark(choose)
    # Part of its caller: passing arrays on to one function more would cost as much as some loops.
    return njit(inline="always", error_model="numpy")(choose)


def written(name: str, text: str, names: dict[str, Any]) -> Callable[..., Any]:
    """Make a function of a text, which may call others by `names`."""
    exec(text, names)  # noqa: S102 - all of it stands in this package
    return names[name]


def named(function: Callable[..., Any]) -> str:
    """Write the arguments of a function, which go by the names that it has for them."""
    code = function.__code__
    return ", ".join(code.co_varnames[: code.co_argcount])


def _mark(function: Callable[..., Any]) -> None:
    """Let the mark of what is compiled from here on depend on a function: its code and numbers."""
    _code.update(repr(_described(function)).encode())


def _marked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function, and return its twin that has the mark in its name."""
    _mark(function)
    twin = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    twin.__module__, twin.__doc__ = function.__module__, function.__doc__
    twin.__qualname__ = f"{function.__qualname__}-{_code.hexdigest()[:12]}"
    return twin


def _described(found: Any) -> Any:
    """Describe a function: its code, and the numbers and functions that it takes from around it."""
    if isinstance(found, CodeType):
        return found.co_code, found.co_names, *map(_described, found.co_consts)
    if not isinstance(found, FunctionType):
        return found if isinstance(found, int | float | str | bool) else type(found).__name__
    code, around = found.__code__, found.__globals__
    named = [around[name] for name in code.co_names if isinstance(around.get(name), int | float)]
    inside = [cell.cell_contents for cell in found.__closure__ or ()]
    return _described(code), named, *map(_described, inside)


def _njit(function: Callable[..., Any], *, cache: bool = False) -> Any:
    # Without "numpy", a division is checked for zero, and not vectorised: six times slower.
    return njit(cache=cache, nogil=True, error_model="numpy")(function)


def built_in(generator: Callable[..., Any]) -> Any:
    """Make a function for compiled code, called without the context, of one that writes it."""
    _mark(generator)
    return intrinsic(generator)


_sched_yield = types.ExternalFunction(_YIELD, types.int32())
_SMALL = 1_000_000  # multiplications
_MOST_BLOCKS = 4
_SPINS = 1000  # some microseconds, after which another program may need the core


@built_in
def multiply(
    context: Any,
    by_columns: Any,
    adds: Any,
    rows: Any,
    columns: Any,
    inner: Any,
    a: Any,
    a_begins: Any,
    a_step: Any,
    b: Any,
    b_begins: Any,
    b_step: Any,
    c: Any,
    c_begins: Any,
    c_step: Any,
) -> Any:
    """Write C = op(A) op(B), or add it to C, all of them in rows in flat arrays.

    Parameters
    ----------
    by_columns : int
        0 for A B, 1 for A.T B, 2 for A B.T.
    adds : bool
        Whether C keeps what it has, and the product is added.
    rows, columns, inner : int
        C has shape (rows, columns), and sums have `inner` terms.
    a, b, c : ndarray, shape (Q,)
    a_step, b_step, c_step : int
        The steps from a row to the next, in numbers.
    """
    kind = get_blas_kind(a.dtype)  # type: ignore[no-untyped-call] # Numba has no types
    signature = types.void(
        types.int64,
        types.boolean,
        *[types.int64] * 3,
        *[a, types.int64, types.int64],
        *[b, types.int64, types.int64],
        c,
        types.int64,
        types.int64,
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        which, keeps, m, n, k, *matrices = arguments
        char, integer, pointer = ir.IntType(8), ir.IntType(64), ir.IntType(8).as_pointer()

        def place(argument: int) -> Any:
            kind = signature.args[argument]
            array = context.make_array(kind)(context, builder, arguments[argument])
            return builder.bitcast(builder.gep(array.data, [arguments[argument + 1]]), pointer)

        def letter(transposes: int) -> Any:
            code = ir.Constant(which.type, transposes)
            chosen = builder.icmp_signed("==", which, code)
            return builder.select(chosen, ir.Constant(char, ord("t")), ir.Constant(char, ord("n")))

        def pointer_to(number: Any) -> Any:
            slot = cgutils.alloca_once_value(builder, number)  # type: ignore[no-untyped-call] # as above
            return builder.bitcast(slot, pointer)

        zero, one = (context.get_constant_generic(builder, a.dtype, value) for value in (0.0, 1.0))

        parts = [
            (char, ir.Constant(char, ord(kind))),
            # The library counts by columns: what it takes for C is C.T = op(B).T op(A).T.
            (char, letter(2)),
            (char, letter(1)),
            (integer, n),
            (integer, m),
            (integer, k),
            (pointer, pointer_to(one)),
            (pointer, place(8)),
            (integer, matrices[5]),
            (pointer, place(5)),
            (integer, matrices[2]),
            (pointer, pointer_to(builder.select(keeps, one, zero))),
            (pointer, place(11)),
            (integer, matrices[8]),
        ]
        form = ir.FunctionType(ir.IntType(32), [form for form, _ in parts])
        gemm = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call] # as above
            builder.module, form, _GEMM
        )
        builder.call(gemm, [part for _, part in parts])
        return context.get_dummy_value()

    return signature, generate


@compiled
def product(
    by_columns: int,
    adds: bool,
    rows: int,
    columns: int,
    inner: int,
    a: Array,
    a_begins: int,
    a_step: int,
    b: Array,
    b_begins: int,
    b_step: int,
    c: Array,
    c_begins: int,
    c_step: int,
) -> None:
    """Do what `multiply` does, in a few blocks of rows where that is quicker.

    Up to `_SMALL` multiplications OpenBLAS takes matrices as they lie. Larger ones it rearranges
    first, which costs a third of the time of one that is not much larger.
    """
    blocks = -(-rows * columns * inner // _SMALL)
    if blocks > _MOST_BLOCKS:
        blocks = 1
    for block in range(blocks):
        first, last = cut(rows, block, blocks), cut(rows, block + 1, blocks)
        at = a_begins + (first if by_columns == 1 else first * a_step)
        to, count = c_begins + first * c_step, last - first
        multiply(
            by_columns,
            adds,
            count,
            columns,
            inner,
            a,
            at,
            a_step,
            b,
            b_begins,
            b_step,
            c,
            to,
            c_step,
        )


@built_in
def copy(context: Any, target: Any, to: Any, source: Any, begins: Any, count: Any) -> Any:
    """Copy so many numbers from one flat array to another: the library's own way, not a loop."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        into, to, matrix, begins, count = arguments
        into = context.make_array(signature.args[0])(context, builder, into)
        matrix = context.make_array(signature.args[2])(context, builder, matrix)
        cgutils.raw_memcpy(  # type: ignore[no-untyped-call] # as above
            builder,
            builder.gep(into.data, [to]),
            builder.gep(matrix.data, [begins]),
            count,
            matrix.itemsize,
        )
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


@built_in
def _arrive(context: Any, counter: Any) -> Any:
    """Add one to a counter, seen by all threads."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counter), generate


@built_in
def _arrived(context: Any, counter: Any) -> Any:
    """Read a counter that other threads change."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load_atomic(array.data, "seq_cst", 8)

    return types.int64(counter), generate


@compiled
def wait_for_all(counter: Array, expected: int) -> None:
    """Come to a barrier, and wait until `expected` comings have been counted.

    Parameters
    ----------
    counter : ndarray of int64, shape (1,)
        Zero at first, and shared.
    expected : int
        The number of threads, times that of the barriers so far.
    """
    _arrive(counter)
    spins = 0
    while _arrived(counter) < expected:
        spins += 1
        if spins % _SPINS == 0:
            _sched_yield()


@compiled
def cut(size: int, part: int, parts: int) -> int:
    """Return where a thread's part of so many rows or samples begins."""
    return size * part // parts
