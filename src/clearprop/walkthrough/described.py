"""A walk as JSON values."""

from typing import TYPE_CHECKING, Any

from clearprop.walkthrough.excerpts import excerpt_of, shown_entry
from clearprop.walkthrough.quantities import Quantity, Step
from clearprop.walkthrough.text import heading

if TYPE_CHECKING:
    from clearprop.walkthrough.walking import Walk

_MOST = 8  # rows and columns


def describe_walk(walk: "Walk") -> dict[str, Any]:
    """Describe a walk in JSON values: matrices of more than 8 rows or columns by an excerpt."""
    wrong = walk.first_not_finite
    return {
        "title": walk.title,
        "notation": walk.notation,
        "sample": walk.sample,
        "samples": walk.samples,
        "dtype": walk.dtype,
        "loss": walk.loss,
        "first_not_finite": None if wrong is None else wrong.name,
        "steps": [_step(step, walk.sample) for step in walk.steps],
    }


def _step(step: Step, sample: int) -> dict[str, Any]:
    return {
        "layer": step.name,
        "stage": step.stage,
        "title": heading(step),
        "note": step.note,
        "matrices": [_quantity(quantity, sample) for quantity in step.quantities],
    }


def _quantity(quantity: Quantity, sample: int) -> dict[str, Any]:
    excerpt = excerpt_of(quantity.matrix, sample, _MOST)
    array = quantity.array
    found: dict[str, Any] = {
        "name": quantity.key,
        "meaning": quantity.meaning,
        "formula": quantity.formula,
        "shape": quantity.shape,
        "whole": excerpt.whole,
        "place": excerpt.place,
        "rows": excerpt.rows,
        "columns": excerpt.columns,
        "values": [
            [array[excerpt.index(row, column)].item() for column in excerpt.columns]
            for row in excerpt.rows
        ],
    }
    if quantity.explain is not None:
        found["entry"] = quantity.entry(*shown_entry(quantity.matrix, sample)).to_dict()
    return found
