"""A data set in its raw form: what was read, before a recipe turns it into a network's input.

And what is asked of one: a description.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.data import drawing
from clearprop.data.pictures.backbone import Backbone
from clearprop.data.pictures.depth import Depth
from clearprop.data.reading import DEFAULT, TextForm
from clearprop.data.selected_rows import (
    Array,
    SelectedRows,
    blocks,
    on_disk,
    some_in_memory,
    take_rows,
)
from clearprop.data.tables.columns import of_column
from clearprop.data.tables.table import Table
from clearprop.data.tables.understood import Understood
from clearprop.errors import DataError, ShapeError, listed

if TYPE_CHECKING:
    from clearprop.data.whole.whole import Whole

Kind: TypeAlias = Literal["pictures", "array", "table"]
Raw: TypeAlias = Array | SelectedRows | Table


_NAMED = 12  # columns in a line


@dataclass(frozen=True)
class Problem:
    """A file that was left out, and the reason.

    Parameters
    ----------
    source : str
        The file's name.
    reason : str
        The fault, worded so that "`source` `reason`" reads as a sentence.
    """

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source} {self.reason}"


class RowNames(Sequence[str]):
    """Rows by their numbers, counted from 1: as texts only where somebody asks.

    Parameters
    ----------
    rows : ndarray of int64, shape (N,)
    file : str, default ""
        The file that is named before each.
    """

    def __init__(self, rows: NDArray[np.int64], file: str = "") -> None:
        self.rows, self.file = rows, file

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Any) -> Any:
        rows = self.rows[at]
        if isinstance(rows, np.ndarray):
            return RowNames(rows, self.file)
        return f"{self.file} row {rows + 1}".lstrip()


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples with what is to be learned of them.

    Parameters
    ----------
    name : str
        The name or path that it was loaded by.
    kind : {"pictures", "array", "table"}
        The kind of a row of `X`.
    X : ndarray, SelectedRows or Table, N rows
        Pictures: uint8, shape (N, H, W, 3) RGB or (N, H, W) grey. Array: numbers, shape (N, ...).
    y : ndarray
        int64 class indices, shape (N,); or float64 values, shape (N,) or (N, outputs).
    class_names : tuple of str, optional
        The classes by index. None means that `y` holds values (regression).
    feature_names : tuple of str, optional
        The names of the columns of `X`.
    sources : sequence of str, optional
        The file of each sample. None means row by row from one place.
    target_name : str, default "target"
        The name of `y`.
    test : Dataset, optional
        A test set that came with it, with the same classes.
    problems : tuple of Problem
        The files that were left out.
    validation : Dataset, optional
        Samples that came with it to validate with, with the same classes.
    notes : tuple of str
        Sentences on what was understood, changed or left out, the most important first.
    columns : tuple of Understood
        The columns of a file of a table, the target first, those that were left out, too.
    form : TextForm
        The form of its text, as far as somebody has said it.
    depth : Depth, optional
        The depth by which pictures of more than 8 bits a colour were brought to 8.
    backbone : Backbone, optional
        The pretrained network whose features of the pictures are to be learned from.
    whole : Whole, optional
        The table on disk, too large for memory, that these rows are a sample of.

    Raises
    ------
    ShapeError
        If `X` and `y` differ in length.
    DataError
        If it is empty, or a class index has no name.
    """

    name: str
    kind: Kind
    X: Raw
    y: NDArray[Any]
    class_names: tuple[str, ...] | None
    feature_names: tuple[str, ...] | None = None
    sources: Sequence[str] | None = None
    target_name: str = "target"
    test: "Dataset | None" = None
    problems: tuple[Problem, ...] = ()
    validation: "Dataset | None" = None
    notes: tuple[str, ...] = ()
    columns: tuple[Understood, ...] = ()
    form: TextForm = DEFAULT.text
    depth: Depth | None = None
    backbone: Backbone | None = None
    whole: "Whole | None" = None

    def __post_init__(self) -> None:
        if len(self.X) != len(self.y):
            raise ShapeError(
                f"{self.name} has {len(self.X)} samples and {len(self.y)} targets; "
                "expected as many of each."
            )
        if len(self.y) == 0:
            raise DataError(f"{self.name} holds no samples.")
        if self.class_names is not None:
            low, high, count = self.y.min(), self.y.max(), len(self.class_names)
            if low < 0 or high >= count:
                raise DataError(
                    f"{self.name} has the label {low if low < 0 else high}, which is outside its "
                    f"{count} classes; expected 0 to {count - 1}."
                )

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return drawing.in_a_line(self)

    def _repr_html_(self) -> str:
        return drawing.drawing_of(self)

    def take(self, indices: NDArray[Any]) -> "Dataset":
        """Return the samples at `indices` (int64, or a mask), without the parts that came with it.

        Large arrays are not copied: `X` is then a `SelectedRows`.
        """
        rows = np.arange(len(self))[indices]
        return replace(
            self,
            X=self.X[rows] if isinstance(self.X, Table) else take_rows(self.X, rows),
            y=self.y[rows],
            sources=self._sources_of(rows),
            whole=None if self.whole is None else self.whole.at(rows),
            test=None,
            validation=None,
        )

    def in_memory(self) -> "Dataset":
        """Return some samples, chosen evenly, where they stay on disk as an array; else all."""
        some = None if isinstance(self.X, Table) else some_in_memory(self.X)
        return self if some is None else self.take(some)

    def _sources_of(self, rows: NDArray[np.int64]) -> Sequence[str]:
        if isinstance(self.sources, RowNames):
            return self.sources[rows]
        if self.sources is None and on_disk(self.X) is not None:  # there may be a hundred million
            return RowNames(rows)
        return tuple(self.source(row) for row in rows.tolist())

    def source(self, row: int) -> str:
        """Name where sample `row` came from: its file, or its row counted from 1."""
        if self.sources:
            return self.sources[row]
        return f"row {row + 1 if self.whole is None else self.whole.places[row] + 1}"

    def in_words(self) -> list[str]:
        """Say what was understood: of a table first its target and columns, then the notes."""
        used = [one.name for one in self.columns if one.is_used and one.kind != "target"]
        unused = [f"{one.name} ({one.kind})" for one in self.columns if not one.is_used]
        lines = list(self.notes)
        if self.columns:
            lines[1:1] = [f"Columns: {len(used):,} used: {listed(used, _NAMED)}."]
            lines[2:2] = [f"Left out: {listed(unused, _NAMED)}."] if unused else []
        return lines

    def counts(self) -> dict[str, int]:
        """Count the samples of each class, in the order of the class names; of a sample, of all.

        Returns
        -------
        dict of str to int
            Empty where `y` holds values.
        """
        if self.class_names is None:
            return {}
        if self.whole is not None:
            return self.whole.counts
        found = Counter(self.y.tolist())
        return {name: found[index] for index, name in enumerate(self.class_names)}


def kind_of(X: Array | SelectedRows) -> Kind:
    """Tell pictures, uint8 (N, H, W) or (N, H, W, 3), from other arrays."""
    if X.dtype == np.uint8 and (X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 3)):
        return "pictures"
    return "array"


def describe(dataset: Dataset) -> dict[str, Json]:
    """Describe a data set: counts, shapes, classes, ranges, and the files left out.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    dict
        Ready for JSON: ``name``, ``kind``, ``samples``, ``bytes`` (of X, or of the files on disk),
        ``target``, ``task`` ("classification" or "regression"), ``problems``, ``test`` (the same,
        or None); with
        ``classes`` (samples by class name) or ``values`` (lowest and highest); with
        ``shape`` (of one sample), ``dtype`` and ``range``, or for a table ``columns`` (see
        `Understood`); and ``notes`` and ``validation``.
    """
    task: dict[str, Json]
    if dataset.class_names is None:
        task = {"task": "regression", "values": _range(dataset.y)}
    else:
        task = {"task": "classification", "classes": dict(dataset.counts())}
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "samples": len(dataset) if dataset.whole is None else len(dataset.whole),
        "bytes": dataset.X.nbytes if dataset.whole is None else dataset.whole.files.file_bytes,
        **_describe_inputs(dataset),
        "target": dataset.target_name,
        **task,
        "problems": [vars(problem) for problem in dataset.problems],
        "notes": list(dataset.notes),
        "validation": describe(dataset.validation) if dataset.validation else None,
        "test": describe(dataset.test) if dataset.test else None,
    }


def _describe_inputs(dataset: Dataset) -> dict[str, Json]:
    X = dataset.X
    if isinstance(X, Table):
        columns = dataset.columns or [of_column(name, X.columns[name]) for name in X.names]
        return {"columns": [one.to_json() for one in columns]}
    ranges = [_range(block) for _, block in blocks(X)]
    return {
        "shape": list(X.shape[1:]),
        "dtype": str(X.dtype),
        "range": [min(low for low, _ in ranges), max(high for _, high in ranges)],
    }


def _range(values: NDArray[Any]) -> list[Any]:
    return [values.min().item(), values.max().item()]
