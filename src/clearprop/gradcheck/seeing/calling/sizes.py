"""Numbers of layers and units for code that makes a network, by the names of its arguments."""

import inspect
import re
from collections.abc import Set
from typing import Any, get_origin

from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.materials import STEPS, Data
from clearprop.gradcheck.seeing.calling.roles import Role
from clearprop.gradcheck.seeing.calling.usage import Usage

_OF_LAYERS = re.compile(r"layer|camada|capa|couche|schicht|warstw|depth", re.I)
_HIDDEN = re.compile(r"hidden|ocult|cachee|ukryt|escond", re.I)


def size_for(
    defined: Defined,
    data: Data,
    asked: inspect.Parameter,
    role: Role | None,
    others: Set[Role | None],
    usage: Usage,
    variant: int,
) -> Any:
    """Return a number of units, of layers, or a list of them; None where it is none of these.

    Parameters
    ----------
    defined : Defined
    data : Data
    asked : inspect.Parameter
    role : str or None
        What the argument is for.
    others : set of str
        What the others are for.
    usage : Usage
        What is done with it.
    variant : int
        2 and 3 for lists and tuples, 4 for a number.
    """
    kind, alone = data.kind, usage.is_number and not usage.is_list
    if role in ("hidden", "features", "classes") and usage.is_sliced and len(others) < 2:
        role = "sizes"
    if role == "sizes" and alone and not _OF_LAYERS.search(asked.name):
        role = "hidden"
    if role == "depth" or (role in ("sizes", "objects") and alone):
        return _depth(defined, data, asked.name, bool({"sizes", "hidden"} & others))
    if role == "shape":
        shape = data.inputs.shape
        return shape if variant == 2 else shape[1:]
    if role in ("sizes", "objects"):
        inner = _HIDDEN.search(asked.name) is not None or {"features", "classes"} <= others
        sizes = kind.sizes[1:-1] if inner else kind.sizes
        if asked.annotation is int or (variant == 4 and inner):
            return len(sizes)
        return tuple(sizes) if variant == 3 else list(sizes)
    if role == "hidden":
        wants_list = get_origin(asked.annotation) is list or variant == 2
        return [kind.hidden] if wants_list else kind.hidden
    known = {
        "features": kind.features,
        "classes": kind.outputs,
        "filters": 2,
        "channels": 1,
        "window": 2,
        "stride": 1,
        "pad": 0,
        "length": STEPS,
        "count": len(data.pairs),
    }
    return known.get(role or "")


def _depth(defined: Defined, data: Data, name: str, beside_sizes: bool) -> int:
    """Return a number of layers, in which codes count different ones.

    Beside a list of sizes it may be the length of it. The highest that does not fail is the one
    that leaves no layer out.
    """
    sizes = data.kind.sizes
    if _HIDDEN.search(name):
        return len(sizes) - 2
    if not beside_sizes:
        return data.kind.layers
    counts = [len(sizes), len(sizes) - 1, len(sizes) - 2]
    return counts[defined.doubt(data.kind, "depth", len(counts))]
