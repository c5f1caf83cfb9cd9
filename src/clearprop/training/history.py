"""The record of a training, epoch by epoch."""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core import html
from clearprop.core.parameters import Array
from clearprop.core.reading import read_bounded
from clearprop.errors import DataError, counted, listed, shortened
from clearprop.files.written import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, float]


class History:
    """A row of numbers for each epoch, and the reason why training ended.

    Columns are ``epoch``, ``step`` (updates done), ``loss`` (mean of the batches, with what L2
    adds), ``accuracy`` or ``r2``, the same two for validation with ``validation_`` before them,
    ``learning_rate`` (of the last update) and ``seconds`` (since training began).

    Parameters
    ----------
    rows : iterable of mapping, optional
        One for each epoch, in order.

    Attributes
    ----------
    rows : list of dict
    stopped : str or None
        The reason why training ended: ``"finished"``, ``"early"``, ``"interrupted"``,
        ``"diverged"``, ``"asked"`` by a callback, ``"converged"`` or ``"stuck"`` where `LBFGS` ends
        by itself, or None while it goes on.
    best_epoch : int or None
        The epoch whose weights early stopping restored.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: list[dict[str, float]] = [dict(row) for row in rows]
        self.stopped: str | None = None
        self.best_epoch: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        return [row[column] for row in self.rows]

    def __repr__(self) -> str:
        last = self.rows[-1] if self.rows else {}
        return f"History({', '.join(f'{name}={value:.4g}' for name, value in last.items())})"

    def _repr_html_(self) -> str:
        ended = {None: "", "early": ", stopped early"}.get(self.stopped, f", {self.stopped}")
        best = "" if self.best_epoch is None else f"; the best is epoch {self.best_epoch:,}"
        said = html.element("strong", f"{counted(len(self), 'epoch')}{ended}{best}")
        parts = [html.element("p", said)]
        if len(self):
            epochs = np.array(self["epoch"], np.float64)
            parts += [
                html.chart(said, "epoch", epochs, lines, self.best_epoch)
                for said, lines in self._lines()
            ]
            parts.append(self._table())
        return html.fragment(*parts)

    def _lines(self) -> Iterator[tuple[str, dict[str, Array]]]:
        """Give the lines of each chart: loss and score, of training and validation."""
        for name, title in (("loss", "loss"), ("accuracy", "accuracy"), ("r2", "R²")):
            columns = {"training": name, "validation": f"validation_{name}"}
            lines = {kind: one for kind, one in columns.items() if one in self.columns}
            if lines:
                yield title, {kind: np.array(self[one]) for kind, one in lines.items()}

    def _table(self) -> html.Markup:
        """Return the rows of the first, the best and the last epoch."""
        names = [name for name in self.columns if name != "epoch"]
        best = self.best_epoch
        rows = [
            (
                f"{row['epoch']:g}{' (best)' if row['epoch'] == best else ''}",
                *(f"{row.get(name, math.nan):.4g}" for name in names),
            )
            for place, row in enumerate(self.rows)
            if place in (0, len(self) - 1) or row["epoch"] == best
        ]
        header = ["epoch", *(name.replace("_", " ") for name in names)]
        return html.table(header, rows, numbers=len(names))

    def plot(self) -> "Figure":
        """Draw loss and score, of training and validation, with the best epoch marked.

        Returns
        -------
        Figure
            That of `clearprop.plots.curves`, which notebooks show; ``figure.axes`` has its axes.

        Raises
        ------
        DataError
            If there is no epoch.
        """
        plots = import_module("clearprop.plots")  # by name, as it stands above
        figure: Figure = plots.curves(self.to_dict(), self.best_epoch)
        return figure

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.rows[0]) if self.rows else ()

    def to_dict(self) -> dict[str, list[float]]:
        """Return every column by its name."""
        return {name: self[name] for name in self.columns}

    def append(self, row: Row) -> None:
        """Add the row of one more epoch."""
        self.rows.append(dict(row))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a CSV file with a header; numbers keep every digit.

        Raises
        ------
        OutputError
            If it can't be written.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: "" if math.isnan(value) else value for name, value in row.items()}
            for row in self.rows
        )
        write_text(path, text.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "History":
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, or is not such a table.
        """
        try:
            text = read_bounded(path, _LARGEST).decode("utf-8")
            history = cls(
                {name: _number(name, cell) for name, cell in row.items()}
                for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)
            )
        except OSError as error:
            raise DataError(f"{path} can't be read: {error.strerror}.") from error
        except (ValueError, TypeError, csv.Error) as error:
            raise DataError(f"{path} is no training history: {error}.") from error
        if history.rows and not {*_COUNTS, "loss"} <= set(history.columns):
            raise DataError(
                f"{path} is no training history: it has the columns {listed(history.columns)}; "
                f"expected {', '.join(_COUNTS)}, loss and others."
            )
        return history


def _number(name: str, cell: str | None) -> float:
    if name not in _COUNTS:
        return float(cell or "nan")
    if cell is None or not cell.isascii() or not cell.isdigit() or len(cell) > _MOST_DIGITS:
        raise ValueError(f"{name} is {shortened(cell)}, expected a whole number")
    return int(cell)


_LARGEST = 2**28  # bytes: two million epochs
_MOST_DIGITS = 15
_COUNTS = ("epoch", "step")
