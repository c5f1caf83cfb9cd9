"""Figures: one quiet style, with a palette that all eyes can tell apart, and files of them.

Everything is set on the figure itself, never in matplotlib's settings, which belong to the user.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from signal import SIGINT, getsignal, signal
from textwrap import wrap
from threading import Lock, current_thread, main_thread
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import Formatter, FuncFormatter
from numpy.typing import ArrayLike

from clearprop.core.printable import fitted, printable, readable
from clearprop.errors import UsageError
from clearprop.files.written import written_beside

INK = "#262626"
FAINT = "#6f6f6f"
LINES = "#dddddd"
# Okabe and Ito, "Color Universal Design" (2008), ordered so that the first two differ most.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")

WIDTH = 8.0  # inches
TITLE, LABEL, SMALL = 12.0, 10.0, 8.5  # points

# matplotlib's own font first; the others have the characters that it lacks, where installed.
_FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "Arial Unicode MS",
)
_NO_GLYPH = "\N{REPLACEMENT CHARACTER}"

_DPI = 200  # twice the 100 pixels an inch at which a figure 8 inches wide fits a page of 800

# What a writer would otherwise stamp on the file: the time, or its own version.
_UNSTAMPED: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
LARGEST = 1e100
"""The largest number that is drawn: matplotlib's own arithmetic overflows not far below 1e308."""

_UNITS = {
    1e12: ", in trillions",
    1e9: ", in billions",
    1e6: ", in millions",
    1e3: ", in thousands",
}
_LONG, _UNWORDED = 1e4, 1e15  # numbers that have units, and those beyond: years stay as they are

_saving = Lock()

plain_numbers = FuncFormatter(lambda value, _: readable(value, 6))
percentages = FuncFormatter(lambda value, _: f"{100 * value:g}%")


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty white figure of `width` x `height` inches that lays itself out."""
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06)
    return _Shown(figsize=(width, height), layout=layout, facecolor="white")


class _Shown(Figure):
    """A figure that notebooks show, which they do by themselves for those of ``pyplot`` alone."""

    def _repr_png_(self) -> bytes:
        drawn = BytesIO()
        self.savefig(drawn, format="png", dpi=_DPI // 2)
        return drawn.getvalue()


def finished(figure: Figure) -> Figure:
    """Give every text of `figure` the fonts that `label` counts on, and return it."""
    for text in figure.findobj(Text):
        text.set_fontfamily(_installed())
    return figure


def chart(axes: Axes, title: str, x: str, y: str) -> None:
    """Style axes that hold a chart: two spines, a faint grid, and what the axes mean."""
    axes.set_title(title, loc="left", fontsize=TITLE, color=INK, pad=10)
    axes.set_xlabel(x, fontsize=LABEL, color=INK)
    axes.set_ylabel(y, fontsize=LABEL, color=INK)
    axes.tick_params(labelsize=SMALL, colors=FAINT, labelcolor=INK, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.grid(color=LINES, linewidth=0.6)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):  # matplotlib's own would say 1e6 beside the axis
        axis.set_major_formatter(_Ticks())


def bare(axes: Axes, title: str = "") -> None:
    """Style axes that hold a picture: a title, no ticks, no frame."""
    axes.set_title(title, fontsize=SMALL, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def legend(axes: Axes, handles: Iterable[Artist], names: Iterable[str], **placement: Any) -> None:
    """Say what the marks mean; `placement` is where, as matplotlib's legend takes it."""
    axes.legend(
        list(handles),
        list(names),
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        **placement,
    )


def heading(figure: Figure, text: str) -> None:
    """Set the title of a figure of several axes."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=TITLE, color=INK)


def says(text: str) -> Figure:
    """Return a figure that shows nothing but a sentence, where there is nothing to draw."""
    figure = new_figure(1.2)
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=TITLE, color=FAINT)
    return finished(figure)


class _Ticks(Formatter):
    """Writes ticks, in a unit, with as few digits as tell each of them from its neighbours."""

    def __init__(self, unit: float = 1.0) -> None:
        self.unit = unit

    def __call__(self, x: float, _place: int | None = None) -> str:
        return readable(x / self.unit, 6)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write all of them alike."""
        ticks = np.asarray(values, np.float64) / self.unit
        allowed = 0.01 * np.abs(np.diff(ticks)).min(initial=np.inf)
        texts: list[str] = []
        for digits in range(3, 16):
            texts = [readable(tick, digits) for tick in ticks.tolist()]
            read = np.array([float(text.replace(",", "")) for text in texts])
            if (np.abs(read - ticks) <= allowed).all():
                break
        return [self.fix_minus(text) for text in texts]


def in_units(axis: Axis, values: ArrayLike) -> None:
    """Write an axis of large numbers in thousands, millions or more, and say so in its label."""
    numbers = np.abs(np.asarray(values, np.float64))
    largest = float(numbers[np.isfinite(numbers)].max(initial=0))
    if largest < _LONG:
        return
    unit, words = 10.0 ** np.floor(np.log10(largest)), ""
    if largest < _UNWORDED:
        unit, words = next((one, word) for one, word in _UNITS.items() if largest >= one)
    axis.set_major_formatter(_Ticks(unit))
    axis.set_label_text(f"{axis.get_label_text()}{words or f' / {unit:g}'}")


def label(name: object, width: int = 24, lines: int = 1) -> str:
    """Turn anything's name into a short text that matplotlib draws as it stands.

    Parameters
    ----------
    name : object
        A class, feature or file, as the user named it.
    width : int, default 24
        The most characters of a line.
    lines : int, default 1
        The most lines; the middle of a longer name makes way for an ellipsis.

    Returns
    -------
    str
        The text, with dollar signs escaped, which would start a formula, with the code points of
        what would be obeyed or hidden, and U+FFFD for characters that no installed font can draw.
    """
    text = printable(" ".join(str(name).split()), one_line=True)
    broken, room = wrap(text, width), width * lines
    while len(broken) > lines:
        broken, room = wrap(fitted(text, room), width), room - 1
    every = "\n".join(broken)
    drawn = "".join(one if one == "\n" or _has_glyph(one) else _NO_GLYPH for one in every)
    return re.sub(f"{_NO_GLYPH}+", _NO_GLYPH, drawn).replace("$", r"\$")


def labels(names: Iterable[object], width: int = 24, lines: int = 1) -> list[str]:
    """Turn names into labels that differ: those alike, or of no known letter, get their number."""
    texts = [label(name, width, lines) for name in names]
    seen = Counter(texts)
    return [
        text if seen[text] == 1 and text.strip(_NO_GLYPH) else f"{text} #{number}"
        for number, text in enumerate(texts)
    ]


def class_colours(count: int) -> list[tuple[float, float, float]]:
    """Return `count` colours (red, green, blue), each 0..1, that differ as far as they can."""
    if count <= len(PALETTE):
        picked = [tuple(int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5)) for hue in PALETTE]
        return [(red, green, blue) for red, green, blue in picked[:count]]
    spread = colormaps["turbo"](np.linspace(0.05, 0.95, count))
    return [(float(red), float(green), float(blue)) for red, green, blue, _ in spread]


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
        _interrupts_wait(),
    ):
        figure.savefig(beside, format=suffix[1:], dpi=_DPI, metadata=_UNSTAMPED[suffix])


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait until a figure is drawn.

    matplotlib reads fonts by calls from C to Python; an exception in one of these is printed, and
    drawing goes on.
    """
    handler = getsignal(SIGINT)
    if current_thread() is not main_thread() or not callable(handler):
        yield
        return
    came: list[int] = []
    signal(SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal(SIGINT, handler)
        if came:
            raise KeyboardInterrupt


@cache
def _installed() -> list[str]:
    return [family for family in _FAMILIES if family in fontManager.get_font_names()]


@cache
def _has_glyph(character: str) -> bool:
    fonts = (get_font(findfont(family)) for family in _installed())
    return any(font.get_char_index(ord(character)) for font in fonts)
