"""The functions of a learner's file, by the names that courses give them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from clearprop.errors import UsageError, unknown_name
from clearprop.gradcheck.learner.words import say

ROLES: Mapping[str, tuple[str, ...]] = {
    "forward": (
        "L_model_forward",
        "model_forward",
        "forward_propagation",
        "forward_propagation_n",
        "forward_prop",
        "forward_pass",
        "forward",
        "feed_forward",
        "propagate_forward",
        "network_forward",
        "nn_forward",
    ),
    "backward": (
        "L_model_backward",
        "model_backward",
        "backward_propagation",
        "backward_propagation_n",
        "back_propagation",
        "backward_prop",
        "back_prop",
        "backward_pass",
        "backward",
        "propagate_backward",
        "network_backward",
        "nn_backward",
        "compute_gradients",
        "gradients",
    ),
    "cost": (
        "compute_cost",
        "cost_function",
        "cost",
        "compute_loss",
        "loss_function",
        "loss",
        "calculate_cost",
        "calculate_loss",
        "get_cost",
        "get_loss",
        "cross_entropy_cost",
        "cross_entropy_loss",
        "cross_entropy",
        "binary_cross_entropy",
    ),
}
"""The names that are looked for, the first before the others; case and underscores don't count."""


@dataclass(frozen=True)
class Functions:
    """What a learner's file defines.

    Parameters
    ----------
    forward, backward : callable
    cost : callable or None
        None where forward itself gives the cost.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    cost: Callable[..., Any] | None


def find_functions(namespace: Mapping[str, Any], names: Mapping[str, str], file: Path) -> Functions:
    """Find the functions of a backward pass.

    Parameters
    ----------
    namespace : mapping
        What the file defines.
    names : mapping of str to str
        The names of some roles, which then need not be guessed.
    file : pathlib.Path
        For messages.

    Returns
    -------
    Functions

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
            there = ", ".join(functions) or say("no functions")
            looked = ", ".join(ROLES[role])
            raise UsageError(say(f"no {role}", file=file, looked=looked, there=there))
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
