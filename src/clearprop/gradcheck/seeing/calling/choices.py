"""Numbers, names and functions that settings of a network are given."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import Parameter, getsource, isabstract, signature
from typing import Any

from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.pool import Pool
from clearprop.gradcheck.seeing.calling.roles import COST, ELEMENTWISE, Role, role_of, snake
from clearprop.gradcheck.seeing.calling.usage import Usage, suits, used
from clearprop.gradcheck.seeing.calling.usual import is_slope, pair_for

FEW = 10
"""Epochs: few, and divisible by what is printed every tenth of them."""

CHOSEN = ("activation", "loss", "optimizer", "function")
"""Roles of what `chosen` knows."""

HYPER = ("rate", "decay", "momentum", "tiny", "quiet", "flag", "seed", "keep", "drop")
"""Roles of what `hyper` knows."""

_HYPER: dict[Role, Any] = {
    "rate": 0.1,
    "decay": 0.1,
    "momentum": 0.9,
    "tiny": 1e-8,
    "quiet": False,
    "flag": True,
    "seed": 1,
}
_SETTINGS: dict[str, Any] = {
    "stride": 1,
    "pad": 1,
    "f": 2,
    "mode": "train",
    "p": 1.0,
    "eps": 1e-8,
    "pool_height": 2,
    "pool_width": 2,
    "momentum": 0.9,
    "dropout": 1.0,
}
_OBJECTS = {
    "activation": ELEMENTWISE.pattern,
    "loss": "mse|loss|cost|entropy",
    "optimizer": "sgd|optim|descent|adam",
}
_USUAL: dict[str, tuple[str, ...]] = {
    "activation": ("sigmoid", "tanh", "relu", "logistic", "sigmoide", "softmax", "linear"),
    "loss": (
        "mse",
        "cross_entropy",
        "categorical_crossentropy",
        "binary_crossentropy",
        "crossentropy",
    ),
    "optimizer": ("sgd", "SGD", "gd", "gradient_descent", "adam"),
}


def hyper(role: Role, default: Any = None, *, given: bool = False) -> Any:
    """Return a setting that is a number or a flag; nothing is dropped out, as that is random.

    Parameters
    ----------
    role : str
        One of `HYPER`.
    default : object
        What the code has by default.
    given : bool
        Whether it has a default.
    """
    if role in ("keep", "drop"):
        return 1.0 if role == "keep" else 0.0
    return default if given else _HYPER[role]


def of_type(annotation: Any) -> Any:
    """Return what an argument is given of which only the type is known; None of other types."""
    plain: tuple[tuple[type, Any], ...] = ((bool, False), (float, 0.1), (str, "name"))
    return next((one for kind, one in plain if annotation in (kind, kind.__name__)), None)


def _last_before_logarithm(defined: Defined) -> str | None:
    """Return an activation whose outputs have a logarithm, where the code takes one of outputs."""
    if "log(" not in defined.text:
        return None
    texts = [defined.text]
    for kind in defined.classes.values():
        with suppress(OSError, TypeError):
            texts.append(getsource(kind))
    found = (
        one
        for one in ("softmax", "sigmoid")
        for text in texts
        if re.search(rf"['\"]{one}['\"]", text)
    )
    return next(found, None)


def chosen(
    defined: Defined, make: Callable[[type], Any] | None, name: str, role: Role, layers: int
) -> Any:
    """Return a string, a function or an object that an argument chooses; None where none is known.

    Parameters
    ----------
    defined : Defined
    make : callable or None
        A function that makes an object of a class.
    name : str
        The name of the argument.
    role : str
    layers : int
        The number of names in a list of activations.
    """
    several = name.endswith("s") and role == "activation" and "loss" not in name
    compared = defined.compared(name) or defined.compared(name.rstrip("s"))
    usual = _USUAL.get(role, ())
    items = defined.compared_items(name)
    if items:  # of a list with one for every layer
        inner = next((one for one in _USUAL["activation"] if one in items), items[0])
        last = next((one for one in items if "softmax" in one), None)
        last = last or (_last_before_logarithm(defined) if inner == "relu" else None) or inner
        return [inner] * (layers - 1) + [last]
    if not compared:
        compared = [one for one in usual if re.search(rf"""['"]{one}['"]""", defined.text)]
    if compared:
        said = re.search(rf"""\b{name}(?: *: *\w+)? *= *['"](\w+)['"]""", defined.text)
        text = next((one for one in usual if one in compared), compared[0])
        if said and said[1] in compared:  # by default, elsewhere
            text = said[1]
        last = _last_before_logarithm(defined) if several and text == "relu" else None
        return [text] * (layers - 1) + [last or text] if several else text
    of_cost = re.search("loss|cost|err", name, re.I) is not None
    pattern = _OBJECTS.get(role) or (_OBJECTS["loss"] if of_cost else ELEMENTWISE.pattern)
    slope = re.search(r"prime|deriv|grad|^d_?[a-z]", snake(name)) is not None
    functions = {**defined.static, **defined.functions}
    # A sigmoid is an activation of any layer, a softmax of the last one.
    for known in sorted(functions, key=lambda one: not of_cost and "softmax" in one.lower()):
        is_slope = re.search(r"prime|deriv|grad|^d_|back", known, re.I) is not None
        is_loss = re.search(_OBJECTS["loss"], known, re.I) is not None
        if re.search(pattern, known, re.I) and is_slope == slope and (of_cost or not is_loss):
            return functions[known]
    for known, kind in defined.classes.items():
        if role in _OBJECTS and make is not None and re.search(pattern, known, re.I):
            try:
                return make(kind)
            except Exception:  # noqa: S112 - another class may do
                continue
    return None


def concrete(kind: type, name: str) -> type:
    """Return a class, or of an abstract one what derives from it: a loss where the name says so."""
    every: list[type] = [kind]
    for one in every if isabstract(kind) else ():
        every += type.__subclasses__(one)
    of_cost = COST.search(name) is not None
    usual = re.compile("mse|mean_?sq" if of_cost else "^(?!.*softmax)", re.I)
    loss = re.compile(f"{_OBJECTS['loss']}|mean_?sq", re.I)
    made = [one for one in every if not isabstract(one)]
    made.sort(key=lambda one: usual.search(one.__name__) is None)
    alike = (one for one in made if (loss.search(one.__name__) is not None) == of_cost)
    return next(alike, made[0] if made else kind)


def called_so(defined: Defined, make: Callable[[type], Any] | None, name: str) -> Any:
    """Return an object of a class whose name begins so, and that no other one derives from."""
    classes = list(defined.classes.values())
    kinds = [
        kind
        for kind in classes
        if kind.__name__.lower().startswith(name.lower())
        and not any(kind in one.__mro__[1:] for one in classes)
    ]
    kinds.sort(key=lambda kind: re.search("mean|mse|square|sgd", kind.__name__, re.I) is None)
    for kind in kinds if make is not None else ():
        with suppress(Exception):  # another class may do
            return make(kind)  # type: ignore[misc]
    return None


def pair_of(defined: Defined, name: str) -> tuple[Any, Any]:
    """Return a function of the file together with its derivative; usual ones where it has none.

    Parameters
    ----------
    defined : Defined
    name : str
        The name of the argument that is one of them.
    """
    functions = {**defined.static, **defined.functions}
    pattern = _OBJECTS["loss"] if COST.search(name) else ELEMENTWISE.pattern
    for known, function in functions.items():
        if is_slope(known) or not re.search(pattern, known, re.I) or "softmax" in known.lower():
            continue
        slopes = (one for one in functions if is_slope(one) and known.lower() in one.lower())
        slope = next(slopes, None)
        if slope is not None:
            return function, functions[slope]
    return pair_for(name)


def paired_for(defined: Defined, function: Any, name: str, roles: Mapping[str, Role | None]) -> Any:
    """Return a function that belongs to its derivative, where code is given both; else None."""
    asked = signature(function).parameters
    of_cost = COST.search(name) is not None
    group = [
        one
        for one, role in roles.items()
        if role in CHOSEN
        and (COST.search(one) is not None) == of_cost
        and used(defined, function, one).is_called
    ]
    given = all(asked[one].default is not Parameter.empty for one in group)
    if name not in group or given or len({is_slope(one) for one in group}) < 2:
        return None
    return pair_of(defined, name)[is_slope(name)]


def settings(defined: Defined, function: Any, name: str) -> dict[str, Any]:
    """Return a dict of settings with the keys that a function looks for.

    Parameters
    ----------
    defined : Defined
    function : callable
    name : str
        The argument that is the dict.
    """
    found: dict[str, Any] = {}
    keys = defined.keys(function, name)
    if not keys:  # it is handed on
        alike = [one for one in defined.functions.values() if name in signature(one).parameters]
        keys = [key for one in alike for key in defined.keys(one, name)]
    for key in keys:
        role = role_of(key)
        if key in _SETTINGS:
            found[key] = _SETTINGS[key]
        elif role in HYPER:
            found[key] = hyper(role)
        elif role == "epochs":
            found[key] = FEW
    return found


def object_for(
    defined: Defined,
    make: Callable[[type], Any] | None,
    pool: Pool,
    usage: Usage,
    name: str = "",
) -> Any:
    """Return an object of the class that has the attributes that are asked of an argument.

    There is one of each class, so that all functions are given the same.
    """
    for kind in defined.classes.values() if make is not None else ():
        if suits(defined, kind, usage.attributes):
            kind = concrete(kind, name)
            if kind not in pool.made:
                pool.made[kind] = make(kind)  # type: ignore[misc]
            return pool.made[kind]
    return None
