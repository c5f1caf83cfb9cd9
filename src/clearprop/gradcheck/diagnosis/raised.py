"""What an exception of a learner's code says of the mistake behind it."""

import re

from clearprop.gradcheck.diagnosis.words import say

_SHAPES = re.compile(r"\(\d+,(?: ?\d+)?\)")
_MISFIT = ("not aligned", "mismatch in its core dimension", "could not be broadcast together")


def explain_error(error: BaseException) -> str | None:
    """Say which mistake usually raises an exception in code for back-propagation.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str or None
        A sentence or two; None where the exception's own words have to do.
    """
    text = str(error)
    if isinstance(error, TypeError | AttributeError) and "'tuple'" in text:
        return say("error pair")
    if isinstance(error, NameError):
        return say("error name", name=error.name)
    if isinstance(error, KeyError) and re.fullmatch(r"'d?[A-Za-z]\d+'", text):
        return say("error key", missing=text)
    if isinstance(error, ValueError) and any(words in text for words in _MISFIT):
        shapes = _SHAPES.findall(text)
        return say("error shapes", shapes=f": {', '.join(shapes[:2])}" if shapes else "")
    return None
