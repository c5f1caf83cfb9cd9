"""Arguments whose names tell nothing: what the code does with them, and what it takes out."""

import ast
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from clearprop.gradcheck.seeing.calling import choices
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.pool import Pool
from clearprop.gradcheck.seeing.calling.roles import COST, Role, role_of
from clearprop.gradcheck.seeing.calling.samples import batch_for
from clearprop.gradcheck.seeing.calling.usage import Usage
from clearprop.gradcheck.seeing.calling.usual import function_for, loss_with
from clearprop.gradcheck.seeing.calling.weights import drawn, is_weight

_ONE = re.compile(r"^(dim|size|dimension)$")
"""Keys of what is the size of one layer, in its own settings."""


def by_usage(
    defined: Defined,
    data: Data,
    make: Callable[[type], Any] | None,
    name: str,
    role: Role | None,
    usage: Usage,
    variant: int | None,
) -> Any:
    """Return what an argument must be by what is done with it; None where that tells nothing.

    `variant` is 3 for sizes in a tuple, and None for what is no constructor.
    """
    sizes = data.kind.sizes
    if usage.is_path:
        return "data.csv"
    if usage.is_pair and variant is None:
        return data.inputs, data.targets
    if usage.is_called or usage.calls_items:
        one = choices.chosen(defined, make, name, "function", 1) or function_for(name)
        return one if usage.is_called else [one] * (len(sizes) - 1)
    if role in ("activation", "function"):
        return function_for(name)
    known = {one: role_of(one) for one in usage.attributes}
    if known and all(one in (*choices.HYPER, "batch", "epochs") for one in known.values()):
        found: dict[str, Any] = {}
        for one, asked in known.items():
            if asked == "batch":
                found[one] = batch_for(defined, data, making=True)
            else:
                found[one] = choices.FEW if asked == "epochs" else choices.hyper(asked or "")
        return SimpleNamespace(**found)
    if usage.attributes and any(COST.search(one) for one in usage.attributes):
        return loss_with(usage.attributes)
    if usage.has_sizes or (variant is not None and usage.is_sliced):
        return tuple(sizes) if variant == 3 else list(sizes)
    return False if usage.is_flag else None


def settings_for(
    defined: Defined,
    data: Data,
    make: Callable[[type], Any] | None,
    function: Any,
    name: str,
    looked_for: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a dict of settings, with sizes and names in it where it is asked for them."""
    maker = getattr(function, "__init__", None) if isinstance(function, type) else function
    found = choices.settings(defined, maker, name)
    features = data.kind.features  # which a dimension is, too
    numbers = {"features": features, "sizes": features, "hidden": data.kind.hidden}
    numbers["classes"] = data.kind.outputs
    for key in dict.fromkeys([*defined.keys(maker, name), *looked_for]):
        role = role_of(key, making=True)
        if key in found:
            continue
        if role == "sizes" and not _ONE.search(key):
            found[key] = list(data.kind.sizes)
        elif role == "batch":
            found[key] = batch_for(defined, data, making=True)
        elif role in numbers:
            found[key] = numbers[role]
        elif role in choices.HYPER:
            found[key] = choices.hyper(role)
        elif role in choices.CHOSEN:
            found[key] = choices.chosen(defined, make, key, role, data.kind.layers)
        elif known := defined.compared(key):
            found[key] = known[0]
    return found


def by_items(
    defined: Defined, make: Callable[[type], Any] | None, parts: list[str], sizes: list[int]
) -> list[tuple[Any, ...]]:
    """Return a list with an item for every layer, which is taken apart into several."""
    items = []
    for before, after in pairwise(sizes):
        item: list[Any] = []
        for name in parts:
            role = role_of(name, making=True)
            if defined.compared(name) or role in ("activation", "function"):
                item.append(choices.chosen(defined, make, name, "activation", 1))
            else:
                item.append(before if role == "features" and after not in item else after)
        items.append(tuple(item))
    return items


def by_parts(defined: Defined, data: Data, pool: Pool, function: Any, name: str) -> Any:
    """Return what a function takes apart: by names, by keys, or as a list; None of anything else.

    What calls have returned by the name of a part is that part, or else there are weights.
    """
    keys = defined.keys(function, name)
    parts = keys or parts_of(defined, function, name)
    known = {one: pool.find(one) for one in parts}
    lacking = [one for one, value in known.items() if value is None]
    weights = drawn(data.kind, [one for one in lacking if is_weight(one)])
    known |= weights
    known |= {one: data.inputs for one in lacking if one not in weights}
    if not known:
        return None
    pool.parts[name] = list(known)
    value = known if keys else list(known.values())
    pool.keep(name, value)
    return value


def parts_of(defined: Defined, function: Any, name: str) -> list[str]:
    """Return the names that the parts of an argument get: ``W, b = parameters``."""
    maker = vars(function).get("__init__") if isinstance(function, type) else function
    body = defined.definition(maker)
    for node in ast.walk(body) if body is not None else ():
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
            continue
        if isinstance(node.value, ast.Name) and node.value.id == name:
            return [ast.unparse(one).split(".")[-1] for one in node.targets[0].elts]
    return []
