"""What a table's columns do to cells, in plain numbers, for whoever does it in another language.

There are three kinds; what each of the recipe's columns does is one of them.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.data.tables.table import spellings


@dataclass(frozen=True)
class NumberCells:
    """A number x becomes z = (x - centre) factor; a missing one that of `instead`.

    Parameters
    ----------
    name : str
        The column.
    instead : float or None
        The number in place of a missing one. None: there is none, and a row without it is refused.
    centre, factor : float
    is_pressed : bool, default False
        Whether the input is z / sqrt(1 + (z / 3)^2) rather than z.
    tells_gaps : bool, default False
        Whether a second input is 1 where the number is missing, else -1.
    unit : str or None
        The unit that they were written with, ``hours`` for times of day; None where nobody knows.
    """

    name: str
    instead: float | None
    centre: float
    factor: float
    is_pressed: bool = False
    tells_gaps: bool = False
    unit: str | None = None

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return 1 + self.tells_gaps

    @property
    def asked(self) -> str:
        """The words for what a cell must be: ``a number, in hours``."""
        unit = f", in {self.unit}" if self.unit else ""
        return f"a number{unit}{', which must not be missing' if self.instead is None else ''}"


@dataclass(frozen=True, eq=False)
class CategoryCells:
    """A category becomes a row of numbers.

    Parameters
    ----------
    name : str
        The column.
    categories : tuple of str
    rows : ndarray of float64, shape (1 + number of categories, width)
        The inputs of a missing or unknown category, then those of each category.
    """

    name: str
    categories: tuple[str, ...]
    rows: NDArray[np.float64]

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return self.rows.shape[1]

    @property
    def asked(self) -> str:
        """The words for what a cell must be."""
        return "a category"

    @property
    def places(self) -> dict[str, int]:
        """The row of each category by its text, and by what else programs write: 7.0, or TRUE."""
        places = {text: at for at, text in enumerate(self.categories, 1)}
        found = dict(places)
        for text in self.categories:
            for other in (f"{text}.0", text.upper(), text.capitalize(), text.lower()):
                meant = next((places[one] for one in spellings(other) if one in places), 0)
                if meant:
                    found.setdefault(other, meant)
        return found


@dataclass(frozen=True)
class DateCells:
    """Each part p of a date becomes z = (p - centre) factor; those of a missing date become 0.

    Parameters
    ----------
    name : str
        The column.
    parts : tuple of str
        The first four or five of days (since 1970, with their fraction), year, month (from 1),
        weekday (Monday is 0) and hour (with its fraction).
    centres, factors : tuple of float
        A number for each part.
    is_pressed : bool, default False
        Whether inputs are z / sqrt(1 + (z / 3)^2) rather than z.
    tells_gaps : bool, default False
        Whether one more input is 1 where the date is missing, else -1.
    """

    name: str
    parts: tuple[str, ...]
    centres: tuple[float, ...]
    factors: tuple[float, ...]
    is_pressed: bool = False
    tells_gaps: bool = False

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return len(self.parts) + self.tells_gaps

    @property
    def asked(self) -> str:
        """The words for what a cell must be."""
        return "a date"


Cells: TypeAlias = NumberCells | CategoryCells | DateCells
"""What a column does to its cells."""
