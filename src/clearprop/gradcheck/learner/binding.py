"""Calling a learner's function with what its arguments are called."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from clearprop.errors import UsageError
from clearprop.gradcheck.learner.words import say

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
"""What an argument means, by its name in lower case without underscores."""

_OPTIONAL = ("Y", "m", "sizes", "L")  # left at their defaults, where they have some
_NUMBERED = re.compile(r"[a-z]+\d+")


def call(function: Callable[..., Any], given: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
    """Call a function with what its arguments are called.

    Parameters
    ----------
    function : callable
    given : mapping of str to object
        What there is to give, by meaning: X, Y, parameters, output, ...
    named : mapping of str to object
        Arrays by their own name: W1, b1, or Z1 of a cache.

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    UsageError
        If an argument without a default is called something that means nothing here.
    """
    arguments: dict[str, Any] = {}
    unknown = []
    by_name = {name.lower(): value for name, value in named.items()}
    for name, argument in inspect.signature(function).parameters.items():
        plain = name.replace("_", "").lower()
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
            say("unknown argument", function=function.__name__, name=unknown[0], known=can_be)
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
