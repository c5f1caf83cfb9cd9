"""Embeddings: several learned numbers in the place of one number, or of one category."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clearprop.core.expressions import Call, constant
from clearprop.core.formulas import Formulas, named
from clearprop.core.initializers import Normal, Uniform
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.program import Program, Value
from clearprop.core.symbols import Symbol, dx, dy, x, y
from clearprop.core.trace import Trace
from clearprop.errors import DataError, ShapeError, UsageError, shortened
from clearprop.layers.base import Built, Layer
from clearprop.layers.column_formulas import (
    TWO_PI,
    at,
    of_rows,
    result,
    row_of_code,
    rows_given,
    sum_over,
)
from clearprop.layers.dense import flat_size

_w1, _b1 = Symbol("w1", "frequencies"), Symbol("b1", "shifts of the waves")
_W2, _b2 = Symbol("W2", "weights of the waves"), Symbol("b2", "biases")
_phi = Symbol("phi", "angles of the waves", per_sample=True)
_c = Symbol("c", "waves", per_sample=True)
_E = Symbol("E", "tables of the categories, one below the other")
_rows = Symbol("rows", "row of each code in the tables", per_sample=True)

_turned = sum_over("k", at(dy, "ndk") * at(_W2, "dfk"))
_dphi = named("dphi[n,d,f]", -Call("sin", np.sin, (at(_phi, "ndf"),)) * _turned)


@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """Make several numbers of each: W2 cos(2 pi w1 x + b1) + b2, with waves of its own.

    A step or a bump along one number, which a sum of products of it can't follow, is a small sum
    of waves. The outputs of the first number come first, then those of the second.

    Parameters
    ----------
    frequencies : int, default 16
        The number F of waves for each number.
    width : int, default 3
        The number K of outputs for each number.
    std : float, default 0.1
        The standard deviation of the first frequencies w1 (D, F), in waves for each unit of x.
    rate : float, default 1.0
        The factor of the learning rate for all four arrays, which decay pulls to zero. RealMLP
        takes 0.1.

    Notes
    -----
    For the number d of a sample, with the first b1 (D, F) uniform in ±pi, and W2 (D, F, K) and
    b2 (D, K) uniform in ±1 / sqrt(F)::

        phi_f = 2 pi w1_df x_d + b1_df
        y_dk  = sum_f cos(phi_f) W2_dfk + b2_dk

    and backward, with sums over the N samples where no n is left::

        dphi  = -sin(phi) (dy W2.T)
        dW2   = sum_n cos(phi) dy
        db2   = sum_n dy
        dw1   = 2 pi sum_n dphi x
        db1   = sum_n dphi
        dx    = 2 pi sum_f dphi w1

    Source: Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep
    Learning" (2022), section 3.3; with biases in place of sines, and no ReLU, as Holzmüller,
    Grinsztajn, Steinwart, "Better by Default" (2024), section 3, have it.
    """

    frequencies: int = 16
    width: int = 3
    std: float = 0.1
    rate: float = 1.0

    formulas = Formulas(
        {
            _phi: result("ndf", TWO_PI * at(_w1, "df") * at(x, "nd") + at(_b1, "df")),
            _c: Call("cos", np.cos, (_phi,)),
            y: result("ndk", sum_over("f", at(_c, "ndf") * at(_W2, "dfk")) + at(_b2, "dk")),
        },
        {
            _W2.gradient: result("dfk", sum_over("n", at(_c, "ndf") * at(dy, "ndk"))),
            _b2.gradient: result("dk", sum_over("n", at(dy, "ndk"))),
            _w1.gradient: result("df", TWO_PI * sum_over("n", _dphi * at(x, "nd"))),
            _b1.gradient: result("df", sum_over("n", _dphi)),
            dx: result("nd", TWO_PI * sum_over("f", _dphi * at(_w1, "df"))),
        },
    )

    def __post_init__(self) -> None:
        _check_whole("PeriodicEmbedding", "frequencies", self.frequencies)
        _check_whole("PeriodicEmbedding", "width", self.width)
        if not 0 < self.std < math.inf:
            raise UsageError(
                f"PeriodicEmbedding needs a positive std of its frequencies, found {self.std}."
            )

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (D,), give (D K,)."""
        numbers = flat_size("PeriodicEmbedding", in_shape)
        of_outputs = Uniform(1 / math.sqrt(self.frequencies))
        waves = (numbers, self.frequencies)
        inits = {
            "w1": (waves, Normal(self.std)),
            "b1": (waves, Uniform(math.pi)),
            "W2": ((*waves, self.width), of_outputs),
            "b2": ((numbers, self.width), of_outputs),
        }
        return Built(
            (numbers * self.width,),
            {
                name: Parameter(shape, init, decays=True, rate=self.rate)
                for name, (shape, init) in inits.items()
            },
        )

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y, shape (N, D K)."""
        waves = (*x.shape, self.frequencies)
        trace["x"], trace["phi"] = x, (phi := trace.buffer("phi", waves, x.dtype))
        np.multiply(x[:, :, np.newaxis], 2 * np.pi * params["w1"], out=phi)
        phi += params["b1"]
        trace["c"] = c = np.cos(phi, out=trace.buffer("c", waves, x.dtype))
        y = trace.buffer("y", (*x.shape, self.width), x.dtype)
        np.matmul(_by_number(c), params["W2"], out=_by_number(y))
        y += params["b2"]
        return y.reshape(len(x), -1)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write the gradients of all four arrays; return dx where it is wanted."""
        x, phi, c = trace["x"], trace["phi"], trace["c"]
        dy = dy.reshape(*x.shape, self.width)
        np.sum(dy, axis=0, out=grads["b2"])
        np.matmul(c.transpose(1, 2, 0), _by_number(dy), out=grads["W2"])
        dphi = trace.buffer("dphi", phi.shape, phi.dtype)
        np.matmul(_by_number(dy), params["W2"].transpose(0, 2, 1), out=_by_number(dphi))
        slope = np.sin(phi, out=trace.buffer("slope", phi.shape, phi.dtype))
        dphi *= np.negative(slope, out=slope)
        np.sum(dphi, axis=0, out=grads["b1"])
        np.einsum("ndf,nd->df", dphi, x, out=grads["w1"])
        grads["w1"][...] *= 2 * np.pi
        if not trace.wants_dx:
            return None
        dx = trace.buffer("dx", x.shape, x.dtype)
        np.einsum("ndf,df->nd", dphi, params["w1"], out=dx)
        dx *= 2 * np.pi
        return dx

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that they are waves."""
        return program.waves(x, *(params[name] for name in ("w1", "b1", "W2", "b2")))


@dataclass(frozen=True)
class Embedding(Layer):
    """Look up each category's own numbers: a table for each column, with a row for each code.

    The input holds codes: whole numbers, stored as floats. Row 0 of a table stands for what is
    missing or unknown.

    Parameters
    ----------
    sizes : tuple of int
        The number of rows of each column's table: its codes are 0 to size - 1.
    width : int, default 8
        The number K of learned numbers for each code.

    Raises
    ------
    DataError
        From `forward`, if a code is not whole, or there is no such row.

    Notes
    -----
    The tables lie one below the other in E (sum of sizes, K), from N(0, 1); those of column c begin
    at row first_c::

        y_nc  = E[first_c + x_nc]
        dE[r] = sum of dy_nc over all n and c with first_c + x_nc = r

    There is no derivative by a code: dx is zero. Source: Guo, Berkhahn, "Entity Embeddings of
    Categorical Variables" (2016).
    """

    sizes: tuple[int, ...]
    width: int = 8

    formulas = Formulas(
        {_rows: row_of_code(), y: of_rows(_E, _rows)},
        {_E.gradient: rows_given(_E, _rows), dx: constant(0.0)},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if not self.sizes:
            raise UsageError("Embedding needs the size of a table for each column; found none.")
        for size in self.sizes:
            _check_whole("Embedding", "rows in each table", size)
        _check_whole("Embedding", "width", self.width)

    def build(self, in_shape: tuple[int, ...]) -> Built:
        """Take flat samples (C,) of a code for each table, give (C K,)."""
        columns = flat_size("Embedding", in_shape)
        if columns != len(self.sizes):
            raise ShapeError(
                f"Embedding has {len(self.sizes)} tables, one a column; found samples of {columns} "
                "columns. Give it the sizes of as many tables."
            )
        tables = Parameter((sum(self.sizes), self.width), Normal(1.0), decays=True)
        return Built((columns * self.width,), {"E": tables})

    def forward(self, params: Params, x: Array, trace: Trace) -> Array:
        """Return y, shape (N, C K)."""
        self.check_codes(x)
        trace["rows"] = rows = trace.buffer("rows", x.shape, np.intp)
        np.add(x, self.firsts, out=rows, casting="unsafe")
        y = trace.buffer("y", (*x.shape, self.width), x.dtype)
        np.take(params["E"], rows, axis=0, out=y, mode="clip")  # all rows are there
        return y.reshape(len(x), -1)

    def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array | None:
        """Write dE; return a dx of zeros where it is wanted."""
        rows, dE = trace["rows"], grads["E"]
        dE[...] = 0
        np.add.at(dE, rows, dy.reshape(*rows.shape, self.width))
        if not trace.wants_dx:
            return None
        dx = trace.buffer("dx", rows.shape, dy.dtype)
        dx[...] = 0
        return dx

    @property
    def firsts(self) -> Array:
        """The row (C,) where each column's table begins."""
        return np.cumsum((0, *self.sizes[:-1]))

    def codes(self, in_shape: tuple[int, ...]) -> Mapping[int, int]:
        """Return the size of each column's table."""
        return dict(enumerate(self.sizes))

    def check_codes(self, x: Array) -> None:
        """Raise DataError if a code of samples (N, C) is not whole, or has no row."""
        known = (x >= 0) & (x < self.sizes) & (x == np.rint(x))
        if not known.all():
            sample, column = np.argwhere(~known)[0]
            raise DataError(
                f"Embedding takes whole codes: column {column} those from 0 to "
                f"{self.sizes[column] - 1}; found {shortened(float(x[sample, column]))} in sample "
                f"{sample}. The code of what is missing or unknown is 0."
            )

    def describe(self, params: Params, x: Value, program: Program) -> Value:
        """Say that rows of a table are looked up."""
        return program.looked(x, params["E"], self.firsts.astype(np.int64))


def _by_number(samples: Array) -> Array:
    """Return an array (N, D, ...) as (D, N, ...): a matrix for each number."""
    return samples.transpose(1, 0, 2)


def _check_whole(layer: str, kind: str, count: object) -> None:
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise UsageError(f"{layer} needs a whole number of {kind} from 1, found {count!r}.")
