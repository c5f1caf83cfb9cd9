"""The forms that data may have which stand in for others."""

import re
from dataclasses import dataclass

_CONVOLVES = re.compile(r"conv|pool|cnn|im2col|lenet", re.I)


@dataclass(frozen=True)
class Form:
    """The form of data that stand in for others, where their source tells too little of it.

    Parameters
    ----------
    channels : {"", "first", "last"}
        Whether samples are pictures instead of rows, and where their channels stand.
    one_hot : bool
        Whether labels are rows with a single 1, instead of numbers.
    is_small : bool
        Whether there are few samples, and what the program calls a size of a batch, or a number of
        samples, is made small, as it has taken too long.
    """

    channels: str = ""
    one_hot: bool = False
    is_small: bool = False


PLAIN = Form()
"""Rows, and labels as numbers."""

SMALL = Form(is_small=True)


def other_forms(text: str) -> list[Form]:
    """Return the forms that data may have, too, for a program of some source."""
    channels = ("first", "last") if _CONVOLVES.search(text) else ()
    return [
        Form("", True),
        *(Form(where, one_hot) for one_hot in (False, True) for where in channels),
    ]
