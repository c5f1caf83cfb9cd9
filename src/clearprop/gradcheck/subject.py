"""The code under check, in one form: a cost and gradients as functions of named parameters."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ShapeError, UsageError, listed

T = TypeVar("T")
_LOOKS = 8  # more than it takes to call each function twice
_NUMBERED = re.compile(r"\D*(\d+)\D*")

Arrays: TypeAlias = Mapping[str, Array]
"""Arrays by the name of a parameter: ``"W1"``, ``"b1"``, or ``"0.W"``."""


@dataclass(frozen=True)
class Layout:
    """A way to lay out arrays, and the way to columns and back.

    Parameters
    ----------
    rows : bool
        Whether samples are rows of X, instead of columns.
    inputs_first : bool
        Whether W is (inputs, units), instead of (units, inputs).
    kept_axis : bool
        Whether b is a matrix with one row or column, instead of (units,).
    """

    rows: bool
    inputs_first: bool
    kept_axis: bool

    @property
    def samples_are(self) -> Literal["rows", "columns"]:
        """The lines of X that are samples."""
        return "rows" if self.rows else "columns"

    def samples(self, array: Array) -> Array:
        """Turn an array with an axis of samples so that they are columns."""
        return array.T if self.rows else array

    def weights(self, array: Array) -> Array:
        """Turn weights, or their gradient, so that a row is a unit."""
        return array.T if self.inputs_first else array

    def bias(self, array: Array) -> Array:
        """Turn a bias, or its gradient of whatever shape, so that a row is a unit."""
        if array.ndim == 1:
            return array[:, np.newaxis]
        return array.T if self.rows else array

    def turned(self, symbol: str) -> bool:
        """Whether an array lies the other way round than in the course, by its symbol."""
        return self.inputs_first if symbol.lstrip("d")[:1] == "W" else self.rows


@dataclass(frozen=True)
class Subject:
    """Code whose gradients are checked.

    Its functions work on copies, so that no call changes what the next one gives.

    Parameters
    ----------
    cost : callable
        The cost at given parameters.
    gradients : callable
        The gradients at given parameters, as the code under check claims them, keyed by the
        parameter's own name: ``"W1"``, not ``"dW1"``.
    parameters : mapping of str to ndarray
        The point where gradients are checked: float64, from the input to the output.
    X, Y : ndarray, optional
        The data of the cost, in the layout of the code under check, where they are known.
    samples_are : {"rows", "columns"}, optional
        The lines of X and Y that are samples, where that is known.
    outputs : callable, optional
        The outputs of the last layer at given parameters, where the code shows them: probabilities,
        or logits.
    """

    cost: Callable[[Arrays], float]
    gradients: Callable[[Arrays], Arrays]
    parameters: Arrays
    X: Array | None = None
    Y: Array | None = None
    samples_are: Literal["rows", "columns"] | None = None
    outputs: Callable[[Arrays], Array] | None = None


# Names of parameters and of their gradients.


def called(parameter: str) -> str:
    """Return the name of a parameter's gradient: ``dW1``, or ``dW of layer 0``."""
    layer, _, leaf = parameter.rpartition(".")
    return f"d{leaf} of layer {layer}" if layer else f"d{leaf}"


def called_all(parameters: Iterable[str]) -> str:
    """Return the names of several gradients."""
    return ", ".join(map(called, parameters))


def layers_of(names: Iterable[str]) -> list[list[str]]:
    """Group the names of parameters by layer, in forward order.

    Names ``"W1"``, ``"b1"`` may come in any order, dotted ones such as ``"3.0.W"`` in forward
    order. Of others, in forward order, a layer begins where the first letter of one comes again:
    ``"W_hidden"``, ``"b_hidden"``, ``"W_out"``, ``"b_out"``.
    """
    every = list(names)
    numbers = [_NUMBERED.fullmatch(name) for name in every]
    if all(numbers):
        by_layer = {
            name: int(number[1]) for name, number in zip(every, numbers, strict=True) if number
        }
        every.sort(key=by_layer.__getitem__)
        return [list(layer) for _, layer in groupby(every, by_layer.__getitem__)]
    if any("." in name for name in every):
        return [list(layer) for _, layer in groupby(every, lambda name: name.rpartition(".")[0])]
    layers: list[list[str]] = []
    for name in every:
        if not layers or name[:1] in {known[:1] for known in layers[-1]}:
            layers.append([])
        layers[-1].append(name)
    return layers


def backward_order(names: Iterable[str]) -> list[str]:
    """Return the names of parameters from the last layer to the first."""
    return [name for layer in reversed(layers_of(names)) for name in layer]


# Functions of others, called so that no call changes what the next one gives.


@dataclass
class Noticed:
    """A record of side effects of functions that were called.

    Parameters
    ----------
    draws : bool
        Whether one draws from the random numbers of `numpy.random` or `random`.
    changes : set of str
        The arrays that one writes into.
    calls : int
        The number of calls that were looked at: not all, for a look may take longer than a call.
    """

    draws: bool = False
    changes: set[str] = field(default_factory=set)
    calls: int = 0


def carefully(
    function: Callable[[dict[str, Array]], T], names: Iterable[str], noticed: Noticed
) -> Callable[[Arrays], T]:
    """Return a function of parameters that gets copies, and the same random numbers at every call.

    The parameters come in the order of `names`, which is that of its own dictionary; `noticed`
    records what it does beyond returning something.
    """
    order = tuple(names)

    def call(parameters: Arrays) -> T:
        copies = {name: parameters[name].copy() for name in order}
        np.random.seed(0)
        random.seed(0)
        if noticed.calls >= _LOOKS:
            return function(copies)
        noticed.calls += 1
        start = _random_numbers()
        result = function(copies)
        noticed.draws |= start != _random_numbers()
        noticed.changes.update(
            name for name in order if name not in copies or not same(copies[name], parameters[name])
        )
        return result

    return call


@contextmanager
def own_random_numbers() -> Iterator[None]:
    """Leave both sources of random numbers, `numpy.random` and `random`, as they were before."""
    before, before_too = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(before)
        random.setstate(before_too)


def _random_numbers() -> tuple[Any, ...]:
    """Return where both sources stand, in a form that can be compared."""
    state: Any = np.random.get_state()
    return state[1].tobytes(), state[2:], random.getstate()


def same(one: Any, other: Any) -> bool:
    """Whether two arrays are equal, NaN to NaN."""
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and np.array_equal(
        one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"
    )


def as_cost(value: Any) -> float:
    """Return a cost as a number; a `ShapeError` for several, a `UsageError` for what is none."""
    cost = np.asarray(value)
    if cost.dtype.kind not in "biuf":
        raise UsageError(
            f"The cost must be a number; found {type(value).__name__}. Is a return missing?"
        )
    if cost.size != 1:
        raise ShapeError(
            f"The cost must be one number; found an array of shape {cost.shape}. Sum over the "
            "outputs and take the mean over the samples."
        )
    return float(cost.reshape(()))


def as_parameters(parameters: Mapping[str, Any]) -> dict[str, Array]:
    """Return parameters in float64, in the order of their own dictionary.

    A `UsageError` says if there are none, or one holds no numbers that can move by a small step.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise UsageError(
            "The parameters must be a dictionary of arrays, such as {'W1': W1, 'b1': b1}; "
            f"found {type(parameters).__name__}."
        )
    arrays = {}
    for name, values in parameters.items():
        try:
            array = np.asarray(values)
        except ValueError as error:  # of lists of different lengths
            raise UsageError(f"The parameter {name} must hold numbers; found {error}.") from error
        if array.dtype.kind in "biu":
            raise UsageError(
                f"The parameter {name} holds whole numbers ({array.dtype}), which can't move by "
                "the small step that a numerical gradient takes: in a whole-number array 2 + "
                f"0.0001 is 2. Make it {name}.astype(float)."
            )
        if array.dtype.kind != "f":
            raise UsageError(f"The parameter {name} must hold numbers; found {array.dtype} values.")
        if not array.size:
            raise UsageError(f"The parameter {name} is empty, of shape {array.shape}.")
        arrays[name] = array.astype(np.float64)
    return arrays


# Gradients as a backward pass returns them.


def named_gradients(returned: Any, parameters: Arrays) -> dict[str, Array]:
    """Return gradients by the names of their parameters.

    Of a mapping with keys ``"dW1"`` or ``"W1"``, what else it holds is left out. A sequence, also
    of sequences, holds one array a parameter, from the input to the output or back; which order is
    meant, the shapes tell. A `UsageError` says if none was found, or one holds no numbers.
    """
    if isinstance(returned, Mapping):
        found = {name: returned[key] for name in parameters for key in _keys(name, returned)}
    else:
        found = _by_shape(list(_flat(returned)), parameters)
    if not found:
        expected = listed(f"d{name}" for name in parameters)
        raise UsageError(
            f"Found no gradient of any parameter: expected {expected}; found {describe(returned)}."
        )
    return {name: _numbers(name, values) for name, values in found.items()}


def describe(returned: Any) -> str:
    """Say in a few words what a function returned."""
    if isinstance(returned, Mapping):
        return f"the keys {listed(returned) or '-'}"
    if isinstance(returned, tuple | list):
        return f"a {type(returned).__name__} of {len(returned)}"
    shape = getattr(returned, "shape", None)
    return type(returned).__name__ if shape is None else f"an array of shape {shape}"


def _keys(name: str, returned: Mapping[Any, Any]) -> Iterable[str]:
    return [key for key in (f"d{name}", name) if key in returned][:1]


def _flat(returned: Any) -> Iterator[Any]:
    if isinstance(returned, tuple | list):
        for item in returned:
            yield from _flat(item)
    elif isinstance(returned, np.ndarray | np.number | int | float):
        yield np.asarray(returned)


def _by_shape(arrays: list[Array], parameters: Arrays) -> dict[str, Array]:
    """Pair arrays with parameters, in the order in which most shapes fit."""
    if len(arrays) != len(parameters):
        return {}
    layers = layers_of(parameters)
    kinds = [list(kind) for kind in zip(*layers, strict=False)]
    orders = [
        list(chain.from_iterable(groups))
        for groups in (
            layers,
            layers[::-1],
            [layer[::-1] for layer in layers],
            [layer[::-1] for layer in layers[::-1]],
            kinds,
            [kind[::-1] for kind in kinds],
        )
    ]

    def fitting(order: list[str]) -> int:
        return sum(
            parameters[name].shape == array.shape for name, array in zip(order, arrays, strict=True)
        )

    complete = [order for order in orders if len(order) == len(arrays)]
    best = max(complete, key=fitting)
    return dict(zip(best, arrays, strict=True))


def _numbers(name: str, values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"The gradient of {name} must hold numbers; found {describe(values)}.")
    return array if array.dtype == np.float32 else array.astype(np.float64)
