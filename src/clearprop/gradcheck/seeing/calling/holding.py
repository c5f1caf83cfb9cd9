"""Watched arrays within objects, by the way to them, and which of them are parameters."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.tape import Node, Tape, ancestors, depending

_DEEP, _LONG = 5, 60  # objects within objects, and items of a list, in which arrays are looked for
_MOST = 400  # arrays of one object
_KEPT = re.compile(r"(^|[._])(d_|grad|delta|nabla|deriv|veloc|moment|cache)", re.I)
"""Ways to what is kept beside parameters, perhaps by the same keys."""


def held(item: Any, path: str = "") -> dict[str, Node]:
    """Return the arrays of floats within an object, a dict or a list, by the way to each."""
    found: dict[str, Node] = {}
    # Of an array and its gradient with the same key in two dicts, the array has the key alone.
    every = sorted(_arrays(item, path, path, 0, set()), key=lambda one: bool(_KEPT.search(one[1])))
    for name, whole, array in every:
        if array.dtype.kind == "f" and array.size:
            node = node_of(array)
            found.setdefault(name if found.get(name, node) is node else whole, node)
            if len(found) == _MOST:
                break
    return found


def _arrays(
    item: Any, path: str, whole: str, depth: int, met: set[int]
) -> Iterator[tuple[str, str, Watched]]:
    """Yield all arrays within something, with a name, and the whole way to each."""
    if type(item) is Watched:
        yield path, whole, item
        return
    if depth > _DEEP or id(item) in met:
        return
    inner: Iterable[tuple[str, str, Any]] = ()
    if isinstance(item, Mapping):
        inner = [
            (key, f"{whole}.{key}" if whole else key, value)
            if isinstance(key, str)
            else (f"{path}[{key}]", f"{whole}[{key}]", value)
            for key, value in list(item.items())
            if not str(key).startswith("__")
        ]
    elif isinstance(item, list | tuple) and len(item) <= _LONG:
        inner = [(f"{path}[{k}]", f"{whole}[{k}]", value) for k, value in enumerate(item)]
    elif hasattr(item, "__dict__") and not isinstance(item, type) and not callable_only(item):
        inner = [
            (f"{path}.{name}" if path else name, f"{whole}.{name}" if whole else name, value)
            for name, value in list(vars(item).items())
        ]
    met.add(id(item))
    for name, longer, value in inner:
        yield from _arrays(value, name, longer, depth + 1, met)


def callable_only(item: Any) -> bool:
    """Whether something is a function or a module, which hold nothing of their own."""
    return type(item).__name__ in ("function", "method", "module", "builtin_function_or_method")


def parameters_among(
    tape: Tape, candidates: Mapping[str, Node], data: Iterable[Node], since: int, until: int
) -> dict[str, Node]:
    """Return which arrays take part in the forward pass, and were not computed from data.

    Parameters
    ----------
    tape : Tape
    candidates : mapping of str to Node
    data : iterable of Node
    since, until : int
        The places on the tape between which the forward pass lies.
    """
    of_data = depending(data, tape.nodes[since:until], set())
    if not of_data:  # letters, which are no arrays: whatever is used is a parameter
        own = ancestors(candidates.values())
        of_data = {node for node in tape.nodes[since:until] if node.parents and node not in own}
    taking_part = ancestors(one for node in of_data for one in node.parents if one not in of_data)
    found: dict[str, Node] = {}
    # What heads a list of arrays that were computed from data is the state before the first step.
    of_states = {_list(name) for name, node in candidates.items() if node in of_data} - {""}
    for name, node in candidates.items():
        if node in of_data or _list(name) in of_states:
            continue
        several = node.value.size > 1 or node.value.ndim > 0 or node.name == "bias"
        if node in taking_part and several and node not in found.values():
            found[name] = node
    behind = {node: ancestors(node.parents) for node in found.values()}
    nodes = set(found.values())
    # What was made of a parameter, as a reshaped copy, is none itself.
    return {name: node for name, node in found.items() if not behind[node] & nodes}


def _list(name: str) -> str:
    """Return the name of the list, or dict, in which an array lies; empty where it is none."""
    return name.rpartition("[")[0] if name.endswith("]") else ""
