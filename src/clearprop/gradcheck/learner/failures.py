"""What went wrong in a learner's code, told by its own traceback."""

import traceback
from pathlib import Path

from clearprop.errors import UsageError
from clearprop.gradcheck.diagnosis import explain_error

_OURS = str(Path(__file__).parents[2])


def failure(message: str, error: BaseException) -> UsageError:
    """Make an error of a message, what may be behind it, and last the traceback of the code.

    Parameters
    ----------
    message : str
        What was tried.
    error : BaseException
        What was raised. The frames of clearprop, which called that code, are left out.

    Returns
    -------
    UsageError
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen")):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames)
    parts = (message, explain_error(error), "".join(lines).rstrip())
    return UsageError("\n\n".join(part for part in parts if part))
