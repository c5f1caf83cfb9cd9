"""Frozen dataclasses to plain JSON values and back, without running anything the file names.

Layers, losses, optimizers and preprocessing recipes are frozen dataclasses that hold only plain
values and each other, so one pair of functions saves them all.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from inspect import isabstract
from typing import Any, TypeAlias

import numpy as np

from clearprop.errors import UsageError, shortened, unknown_name

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def classes_in(namespace: Mapping[str, Any], base: type[Any]) -> list[type[Any]]:
    """Return the classes of one kind that a package names, in that order, but for its bases.

    Parameters
    ----------
    namespace : mapping of str to object
        The package's ``vars()``.
    base : type
        The kind.
    """
    return [
        one
        for one in namespace.values()
        if isinstance(one, type)
        and issubclass(one, base)
        and one is not base
        and not isabstract(one)
    ]


def own(kind: type, name: str) -> Any:
    """Return what a class says of itself, or None where it only inherits it.

    It asks for facts that an heir need not share, such as the code that does the same quicker.
    """
    return getattr(kind, name) if name in vars(kind) else None


def to_config(value: Any) -> Json:
    """Turn a frozen dataclass, or a plain value it holds, into JSON values.

    Parameters
    ----------
    value : dataclass instance, tuple, list, dict, str, bool, int, float or None
        The value to describe. NumPy's numbers become Python's.

    Returns
    -------
    Json
        A dataclass becomes ``{"type": its class's name, field: value, ...}``, a tuple a list.

    Raises
    ------
    UsageError
        If it holds something else, such as a function.
    """
    if is_dataclass(value) and not isinstance(value, type):
        held = {
            field.name: to_config(getattr(value, field.name))
            for field in fields(value)
            if field.init
        }
        return {"type": type(value).__name__, **held}
    if isinstance(value, tuple | list):
        return [to_config(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_config(item) for key, item in value.items()}
    if isinstance(value, np.generic):  # such as y.max() + 1 units
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UsageError(
        f"A {type(value).__name__} can't be saved as configuration. Numbers, strings, tuples and "
        "dataclasses of these can: make layers and losses of your own dataclasses."
    )


def from_config(config: Json, types: Mapping[str, type]) -> Any:
    """Rebuild what `to_config` described, from an allow-list of classes.

    Parameters
    ----------
    config : Json
        The description that `to_config` returned.
    types : mapping of str to type
        The classes that may be made, by name. Nothing else is ever imported or called.

    Returns
    -------
    object
        An equal dataclass instance or plain value; lists come back as tuples.

    Raises
    ------
    UnknownNameError
        If a type is not among `types`.
    UsageError
        If the fields are not those of the type, or it refuses their values.
    """
    if isinstance(config, list):
        return tuple(from_config(item, types) for item in config)
    if not isinstance(config, dict):
        return config
    if "type" not in config:
        return {key: from_config(item, types) for key, item in config.items()}
    name = config["type"]
    if not isinstance(name, str) or name not in types:
        raise unknown_name("type", name if isinstance(name, str) else shortened(name), types)
    held = {key: from_config(item, types) for key, item in config.items() if key != "type"}
    known = {field.name for field in fields(types[name]) if field.init}
    if unexpected := sorted(held.keys() - known):
        raise UsageError(
            f"{name} has no field {shortened(unexpected[0])}; its fields are "
            f"{', '.join(sorted(known))}."
        )
    try:
        return types[name](**held)
    except TypeError as error:
        raise UsageError(f"{name} can't be made from {shortened(held)}: {error}.") from error


def finite_json(value: Json) -> Json:
    """Return JSON values with null for what is not finite: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
