"""The functions of a learner's file: found by name, and run in turn."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ShapeError, UsageError, listed, unknown_name
from clearprop.gradcheck.subject import Layout, Noticed, as_cost, describe, named_gradients, same

_NUMBERS = (int, float, np.number, np.ndarray)

ROLES: Mapping[str, tuple[str, ...]] = {
    role: tuple(names.split())
    for role, names in {
        "forward": (
            "L_model_forward model_forward forward_propagation forward_propagation_n "
            "forward_prop forward_pass forward feed_forward propagate_forward "
            "network_forward nn_forward"
        ),
        "backward": (
            "L_model_backward model_backward backward_propagation backward_propagation_n "
            "back_propagation backward_prop back_prop backward_pass backward "
            "propagate_backward network_backward nn_backward compute_gradients gradients"
        ),
        "cost": (
            "compute_cost cost_function cost compute_loss loss_function loss calculate_cost "
            "calculate_loss get_cost get_loss cross_entropy_cost cross_entropy_loss "
            "cross_entropy binary_cross_entropy"
        ),
    }.items()
}
"""The names that are looked for, the first before the others; case and underscores don't count."""


@dataclass(frozen=True)
class Functions:
    """The functions of a learner's file; there is no cost where forward itself gives it."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    cost: Callable[..., Any] | None


def find_functions(namespace: Mapping[str, Any], names: Mapping[str, str], file: Path) -> Functions:
    """Find the functions of a backward pass among the names that a file defines.

    Parameters
    ----------
    names : mapping of str to str
        The names of some roles, which then need not be guessed.

    Raises
    ------
    UsageError
        If there is no forward or backward pass; the message says which names were looked for.
    """
    functions = {
        name: value for name, value in namespace.items() if isinstance(value, FunctionType)
    }
    found = {role: _find(role, names.get(role), functions) for role in ROLES}
    for role in ("forward", "backward"):
        if found[role] is None:
            raise UsageError(
                f"{file} has no function for the {role} pass. Looked for: "
                f"{', '.join(ROLES[role])}. It defines: {listed(functions) or 'no functions'}. "
                f"Name it: --{role} NAME."
            )
    return Functions(**found)  # type: ignore[arg-type] # neither of the two is None


def _find(
    role: str, name: str | None, functions: Mapping[str, FunctionType]
) -> FunctionType | None:
    if name is not None:
        if name not in functions:
            raise unknown_name("function", name, functions)
        return functions[name]
    by_plain_name = {_plain(known): function for known, function in functions.items()}
    for known in ROLES[role]:
        if _plain(known) in by_plain_name:
            return by_plain_name[_plain(known)]
    return None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


# Arguments by their names.


_MEANINGS: Mapping[str, str] = {
    alias: meaning
    for meaning, aliases in {
        "X": "x xtrain xbatch xdata input inputs data features samples a0",
        "Y": "y ytrain ybatch ytrue t target targets label labels truth onehot onehoty",
        "parameters": "parameters params param theta weights network net model wb",
        "output": (
            "al a yhat ypred yp prediction predictions pred preds prob probs probability "
            "probabilities output outputs out afinal alast aout h activation"
        ),
        "cache": "cache caches memory forwardcache fwdcache store stored saved intermediates tape",
        "m": "m nsamples numsamples batchsize",
        "sizes": "layersdims layerdims layersizes layers dims sizes",
        "L": "l numlayers nlayers",
    }.items()
    for alias in aliases.split()
}
"""The meaning of an argument, by its name in lower case without underscores."""

_OPTIONAL = ("Y", "m", "sizes", "L")  # left at their defaults, where they have some
_NUMBERED = re.compile(r"[a-z]+\d+")


def call(function: Callable[..., Any], given: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
    """Call a function by the names of its arguments.

    Parameters
    ----------
    given : mapping of str to object
        The values that there are to give, by meaning: X, Y, parameters, output, ...
    named : mapping of str to object
        Arrays by their own name: W1, b1, or Z1 of a cache.

    Raises
    ------
    UsageError
        If an argument without a default is called something that means nothing here.
    """
    arguments: dict[str, Any] = {}
    unknown = []
    by_name = {name.lower(): value for name, value in named.items()}
    for name, argument in inspect.signature(function).parameters.items():
        plain = _plain(name)
        meaning = _MEANINGS.get(plain)
        has_default = argument.default is not argument.empty
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            continue
        if _NUMBERED.fullmatch(plain) and plain in by_name:
            arguments[name] = by_name[plain]
        elif meaning in given and not (has_default and meaning in _OPTIONAL):
            arguments[name] = given[str(meaning)]
        elif not has_default:
            unknown.append(name)
    if unknown:
        can_be = ", ".join([*given, *named])
        raise UsageError(
            f"{function.__name__} takes an argument {unknown[0]}, and what that should be is "
            f"not known; there are {can_be}. Give it one of these names, or a default."
        )
    bound = inspect.signature(function).bind(**arguments)
    return function(*bound.args, **bound.kwargs)


def returned_names(function: Callable[..., Any]) -> list[str]:
    """Return the names in the last ``return`` of a function: ``return Z1, A1, Z2, A2``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return []
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if not returns or not isinstance(returns[-1], ast.Tuple):
        return []
    return [item.id if isinstance(item, ast.Name) else "" for item in returns[-1].elts]


# One function after the other.


@dataclass(frozen=True)
class Forward:
    """The results of a forward pass.

    Parameters
    ----------
    outputs : ndarray or None
        The outputs of the last layer; None where forward gives the cost instead.
    cache : object
        The object that it keeps for backward.
    cost : float or None
    named : dict of str to ndarray
        Arrays that go by a name: of a dictionary, or of ``return Z1, A1, Z2, A2``.
    """

    outputs: Array | None
    cache: Any
    cost: float | None
    named: dict[str, Any]


@dataclass(frozen=True)
class Code:
    """A learner's functions, with data and sizes that they are run with.

    Parameters
    ----------
    functions : Functions
    layout : Layout
    sizes : tuple of int
        The features of a sample, and the units of every layer.
    X, Y : ndarray
        The data in that layout; the functions get copies.
    m : int
        The number of samples.
    noticed : Noticed
        The record of writing into X or Y.
    """

    functions: Functions
    layout: Layout
    sizes: tuple[int, ...]
    X: Array
    Y: Array
    m: int
    noticed: Noticed = field(default_factory=Noticed)

    def forward(self, parameters: dict[str, Array]) -> Forward:
        """Run the forward pass; `ShapeError` if it gives no array of the outputs of all samples."""
        with self._data() as data:
            return self._forward(parameters, data)

    def cost(self, parameters: dict[str, Array]) -> float:
        """Run the forward pass and the cost."""
        with self._data() as data:
            passed = self._forward(parameters, data)
            if self.functions.cost is not None:
                return as_cost(self._after(self.functions.cost, parameters, data, passed))
        if passed.cost is None:
            raise UsageError(
                f"{self.functions.forward.__name__} returns no cost, and there is no function for "
                "it that goes by a usual name. Name it: --cost NAME."
            )
        return passed.cost

    def gradients(self, parameters: dict[str, Array]) -> dict[str, Array]:
        """Run the forward and the backward pass."""
        with self._data() as data:
            passed = self._forward(parameters, data)
            returned = self._after(self.functions.backward, parameters, data, passed)
            return named_gradients(returned, parameters)

    @contextmanager
    def _data(self) -> Iterator[dict[str, Any]]:
        """Give copies of the data, and note if they were written into."""
        copies = {"X": self.X.copy(), "Y": self.Y.copy()}
        sizes = {"m": self.m, "sizes": list(self.sizes), "L": len(self.sizes) - 1}
        yield copies | sizes
        for name, copy in copies.items():
            if not same(copy, getattr(self, name)):
                self.noticed.changes.add(name)

    def _forward(self, parameters: dict[str, Array], data: Mapping[str, Any]) -> Forward:
        named = dict(dict.items(parameters))  # not by its own methods, which may be watched
        return self._read(call(self.functions.forward, {**data, "parameters": parameters}, named))

    def _after(
        self,
        function: Callable[..., Any],
        parameters: dict[str, Array],
        data: Mapping[str, Any],
        passed: Forward,
    ) -> Any:
        """Call what comes after the forward pass."""
        given = {**data, "parameters": parameters, "cache": passed.cache}
        named = {**parameters, **passed.named}
        if passed.outputs is not None:
            given["output"] = passed.outputs
            named.setdefault(f"A{data['L']}", passed.outputs)
        return call(function, given, named)

    def _read(self, result: Any) -> Forward:
        size = self.sizes[-1] * self.m
        if isinstance(result, Mapping):
            named = {name: value for name, value in result.items() if isinstance(name, str)}
            outputs = _last_activation(named)
            if outputs is not None and outputs.size == size:
                return Forward(outputs, result, None, named)
        else:
            items = list(result) if isinstance(result, tuple | list) else [result]
            names = returned_names(self.functions.forward)
            pairs = zip(names, items, strict=True) if len(names) == len(items) else ()
            named = {name: item for name, item in pairs if name}
            if items and np.ndim(items[0]) == 0 and isinstance(items[0], _NUMBERS):
                return Forward(None, _one(items[1:]), as_cost(items[0]), named)
            fitting = [
                place
                for place, item in enumerate(items)
                if isinstance(item, np.ndarray) and item.size == size
            ]
            if fitting:
                # Of a pair the outputs are one and the cache the other; of Z1, A1, Z2, A2 the last.
                at = fitting[0 if len(items) == 2 else -1]
                cache = items[1 - at] if len(items) == 2 else tuple(items)
                return Forward(items[at], cache, None, named)
        name, found = self.functions.forward.__name__, describe(result)
        raise ShapeError(
            f"{name} returns {found}; expected the outputs of the last layer, "
            f"{self.sizes[-1]} for each of {self.m} samples, alone or together with a cache."
        )


def _last_activation(named: Mapping[str, Any]) -> Array | None:
    """Return what a dictionary calls AL, or A with the highest number."""
    numbered = {
        int(name[1:]): name for name in named if name[:1] in ("A", "a") and name[1:].isdigit()
    }
    candidates = ["AL", *([numbered[max(numbered)]] if numbered else []), "A", "y_hat", "Y_hat"]
    name = next((name for name in candidates if name in named), None)
    return None if name is None else np.asarray(named[name])


def _one(items: list[Any]) -> Any:
    """Return the only item of a list, or all of them."""
    return items[0] if len(items) == 1 else tuple(items)
