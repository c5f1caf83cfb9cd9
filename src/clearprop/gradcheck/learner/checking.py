"""The check of a learner's functions, once it is known how to call them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clearprop.gradcheck.calling import carefully
from clearprop.gradcheck.check import check_subject
from clearprop.gradcheck.learner.code import Code
from clearprop.gradcheck.learner.words import say
from clearprop.gradcheck.order import layers_of
from clearprop.gradcheck.report import Report
from clearprop.gradcheck.subject import Subject
from clearprop.parameters import Array


def check_code(code: Code, parameters: dict[str, Array]) -> Report:
    """Check the gradients of a learner's code.

    Parameters
    ----------
    code : Code
    parameters : dict of str to ndarray
        Where they are checked.

    Returns
    -------
    Report
        Its first note says what was found in the file, and which data it was run on.
    """

    def careful(function: Any) -> Any:
        return carefully(function, parameters, code.noticed)

    subject = Subject(
        cost=careful(code.cost),
        gradients=careful(code.gradients),
        parameters={name: parameters[name] for layer in layers_of(parameters) for name in layer},
        X=code.X,
        Y=code.Y,
        samples_are=code.layout.samples_are,
        outputs=careful(lambda given: code.forward(given).outputs),
    )
    functions = (code.functions.forward, code.functions.backward, code.functions.cost)
    found = say(
        "found",
        functions=", ".join(one.__name__ for one in functions if one is not None),
        samples=code.layout.samples_are,
        sizes=", ".join(map(str, code.sizes)),
        m=code.m,
    )
    return check_subject(
        subject, code.noticed, notes=[found], origin=lambda: _origin(code, parameters)
    )


def _origin(code: Code, parameters: dict[str, Array]) -> str:
    """Say where numbers that are not finite begin: in what forward keeps, or in the cost."""
    passed = code.forward({name: array.copy() for name, array in parameters.items()})
    forward = code.functions.forward.__name__
    for path, array in _arrays(passed.cache, "cache"):
        if not np.isfinite(array).all():
            return say("starts in cache", forward=forward, path=path)
    if passed.outputs is None or not np.isfinite(passed.outputs).all():
        return say("starts in forward", forward=forward)
    lowest, highest = passed.outputs.min(), passed.outputs.max()
    return say("starts in cost", forward=forward, lowest=f"{lowest:g}", highest=f"{highest:g}")


def _arrays(value: Any, path: str) -> Iterator[tuple[str, Array]]:
    """Yield every array of numbers in nested dictionaries and sequences, with the way to it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _arrays(item, f"{path}[{key!r}]")
    elif isinstance(value, tuple | list):
        for place, item in enumerate(value):
            yield from _arrays(item, f"{path}[{place}]")
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        yield path, value
