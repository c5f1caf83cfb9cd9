"""What the tests of plots read off a figure."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

AWKWARD_NAMES = [r"$\frac$", "_hidden", "line\nbreak", "猫" * 40, "", r"C:\cats", "long " * 50]


def drawn(figure: Figure) -> Figure:
    """Draw everything once, so that what matplotlib can't draw or warns of comes out."""
    figure.savefig(BytesIO(), format="png", dpi=20)
    return figure


def lines(axes: Axes) -> list[list[float]]:
    """Return the y values of every line that has more than two points."""
    return [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) > 2]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def shown(axes: Axes) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())
