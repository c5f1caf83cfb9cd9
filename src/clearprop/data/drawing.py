"""A data set in a line, and as notebooks show it: what it is of, its first samples, its classes."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core import html
from clearprop.core.parameters import Array
from clearprop.core.printable import printable, readable
from clearprop.data.tables.table import Column, Table, Words, as_words, is_numeric
from clearprop.errors import counted, listed

if TYPE_CHECKING:
    from clearprop.data.dataset import Dataset

_NAMES, _CLASSES, _ROWS, _COLUMNS, _PICTURES = 5, 20, 5, 8, 10  # that are shown at most


def in_a_line(dataset: "Dataset") -> str:
    """Write kind, size, columns and classes: ``Dataset 'iris': 150 rows of 4 columns (...``."""
    return printable(f"Dataset {dataset.name!r}: {', '.join(_facts(dataset))}", one_line=True)


def drawing_of(dataset: "Dataset") -> str:
    """Return what notebooks show: the line, some samples, the classes with their counts, notes."""
    parts = [html.element("p", html.element("strong", in_a_line(dataset)))]
    if dataset.kind == "pictures":
        parts += map(html.Markup, _pictures(dataset))
    else:
        parts.append(_first_rows(dataset))
    if counts := dataset.counts():
        rows = [(name, f"{n:,}", f"{n / len(dataset):.1%}") for name, n in counts.items()]
        if (more := len(rows) - _CLASSES) > 0:
            rows[_CLASSES:] = [(f"and {more:,} more classes", "", "")]
        told = html.table(("class", "samples", "share"), rows, numbers=2)
        parts.append(told if len(counts) <= _NAMES else html.folded("samples of each class", told))
    parts += [html.element("p", note, "faint") for note in dataset.in_words()]
    return html.fragment(*parts)


def _facts(dataset: "Dataset") -> Iterator[str]:
    X, names = dataset.X, dataset.class_names
    if isinstance(X, Table):
        columns = f"{counted(len(X.names), 'column')} ({listed(X.names, _NAMES)})"
        yield f"{counted(len(dataset), 'row')} of {columns}"
    else:
        noun = "picture" if dataset.kind == "pictures" else "array"
        shape = "×".join(map(str, X.shape[1:]))
        yield f"{counted(len(dataset), noun)} of {shape}, {X.dtype}"
    if names is not None:
        noun = "class" if len(names) == 1 else "classes"
        yield f"{len(names):,} {noun} ({listed(names, _NAMES)})"
    else:
        low, high = (readable(float(one), 6) for one in (dataset.y.min(), dataset.y.max()))
        yield f"{dataset.target_name} from {low} to {high}"
    for name, part in (("validate", dataset.validation), ("test", dataset.test)):
        if part is not None:
            yield f"{len(part):,} more to {name}"


def _pictures(dataset: "Dataset") -> Iterator[str]:
    """Draw the first picture of each class, or the first ones."""
    names = dataset.class_names
    firsts = np.unique(dataset.y, return_index=True)[1] if names else np.arange(len(dataset))
    for row in firsts[:_PICTURES].tolist():
        said = html.escape(_answer(dataset, row))
        source = html.sample_picture(_sample(dataset, row) / 255)
        yield f'<figure><img src="{source}" alt="{said}"><figcaption>{said}</figcaption></figure>'


def _first_rows(dataset: "Dataset") -> html.Markup:
    n = min(len(dataset), _ROWS)
    if isinstance(dataset.X, Table):
        names: Sequence[str] = dataset.X.names
        columns = [_cells(dataset.X.columns[one][:n]) for one in names[:_COLUMNS]]
    else:
        flat = np.stack([_sample(dataset, row).ravel() for row in range(n)])
        names = dataset.feature_names or [*map(str, range(flat.shape[1]))]
        columns = [[readable(float(x), 6) for x in column] for column in flat.T[:_COLUMNS]]
    gap = ["…"] if len(names) > _COLUMNS else []
    rows = [(*(one[row] for one in columns), *gap, _answer(dataset, row)) for row in range(n)]
    return html.table((*names[:_COLUMNS], *gap, dataset.target_name), rows)


def _cells(column: Column) -> list[str]:
    if isinstance(column, Words) or not is_numeric(column):
        return as_words(column).tolist()
    return ["" if math.isnan(x) else readable(x, 6) for x in column.tolist()]


def _sample(dataset: "Dataset", row: int) -> Array:
    assert not isinstance(dataset.X, Table)  # noqa: S101 - asked of arrays alone
    return np.asarray(dataset.X[row : row + 1][0])


def _answer(dataset: "Dataset", row: int) -> str:
    if dataset.class_names is not None:
        return dataset.class_names[dataset.y[row]]
    return ", ".join(readable(float(value), 6) for value in np.ravel(dataset.y[row]))
