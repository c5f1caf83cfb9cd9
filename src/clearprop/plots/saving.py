"""Figures to files, the same bytes for the same figure."""

import os
from pathlib import Path
from threading import Lock
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from clearprop.errors import UsageError
from clearprop.files import written_beside

_DPI = 200  # twice the 100 pixels an inch at which a figure 8 inches wide fits a page of 800

# What a writer would otherwise stamp on the file: the time, or its own version.
_UNSTAMPED: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_saving = Lock()


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, SVG or PDF, chosen by the suffix of `path`.

    The same figure gives the same bytes, whenever it is written.

    Parameters
    ----------
    figure : Figure
    path : path-like
        The file, whose folder must exist.

    Raises
    ------
    UsageError
        If the suffix is none of the three.
    OutputError
        If the file can't be written; what stood there is untouched.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _UNSTAMPED:
        raise UsageError(
            f"A picture can't be written to {Path(path).name}: its suffix must be one of "
            f"{', '.join(_UNSTAMPED)}."
        )
    # The salt of an SVG's ids can only be given as a setting of the whole process; without it they
    # are random. The lock keeps two savers from restoring each other's settings.
    with (
        written_beside(path) as beside,
        _saving,
        rc_context({"svg.hashsalt": "clearprop"}),
    ):
        figure.savefig(beside, format=suffix[1:], dpi=_DPI, metadata=_UNSTAMPED[suffix])
