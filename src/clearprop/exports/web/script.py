"""A model as one module of JavaScript: the twin of its engine, with the model file within it."""

import json
import math
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from string import Template
from typing import Any, ClassVar, Final

from clearprop import layers, losses
from clearprop.configuration import Json
from clearprop.core import initializers, schedules
from clearprop.core.printable import printable_json
from clearprop.core.reading import read_bounded
from clearprop.errors import UsageError, listed
from clearprop.exports.description import Description
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.exports.web.node import run_script
from clearprop.files.models import Model, model_bytes
from clearprop.page import parts_alone
from clearprop.preprocessing import (
    ArrayRecipe,
    CategoricalColumn,
    ClassTarget,
    DateColumn,
    FeatureRecipe,
    NumericColumn,
    PictureRecipe,
    PlainColumn,
    TableRecipe,
)
from clearprop.version import __version__

_TEMPLATE: Final = Path(__file__).with_name("script.js")
_LARGEST_TEMPLATE: Final = 2**16  # bytes
_LARGEST: Final = 2**28  # characters of the embedded model: the engines' strings end at twice that
_FIRST: Final = "engine/alone.js"
_MOST_COLUMNS, _MOST_NAMES = 50, 20  # that the comment describes
_HERE: Final = frozenset(
    one
    for module in (layers, losses, initializers, schedules)
    for one in vars(module).values()
    if isinstance(one, type)
)

_SETS: Final = """
/**
 * Return for each row the set of classes, the likeliest first, that holds the true one for a share
 * of {share} of all rows.
 *
 * @param {{Row[]}} rows
 * @returns {{string[][]}}
 */
export function predictSets(rows) {{
  return LONE_MODEL.sets(rows);
}}
"""
_INTERVALS: Final = """
/**
 * Return for each row where the interval of each value begins and ends. They hold the true values
 * for a share of {share} of all rows.
 *
 * @param {{Row[]}} rows
 * @returns {{number[][][]}}
 */
export function predictIntervals(rows) {{
  return LONE_MODEL.intervals(rows);
}}
"""


class ScriptTarget(Target):
    """A module of JavaScript with functions that predict."""

    name: ClassVar[str] = "javascript"
    ending: ClassVar[str] = ".js"
    title: ClassVar[str] = "a module of JavaScript that needs nothing else"

    def write(self, model: Model, description: Description) -> Written:
        """Write a module with `predict`, `logits`, and what else the model answers."""
        text = script_text(model).encode()
        return Written({self.ending: text}, notes=notes_on(model))

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run it by Node."""
        return run_script(path, rows.raw(description.inputs))


def script_text(model: Model) -> str:
    """Return a module of JavaScript that predicts as a model does, from rows as they are.

    It needs no other file, and runs in browsers, workers and Node from 18 on. It exports
    ``predict``, ``predictProbabilities``, ``logits`` and ``classNames``, and where a coverage was
    promised ``predictSets`` or ``predictIntervals``. What a row is stands in the comment that it
    begins with.

    Parameters
    ----------
    model : Model

    Raises
    ------
    UsageError
        If the model has a layer, a loss or an initializer of one's own, takes the features of a
        pretrained network, or is too large for a text.
    """
    file, types = embedded(model, "A .js file")
    text = read_bounded(_TEMPLATE, _LARGEST_TEMPLATE).decode()
    return Template(text).substitute(
        head=_head(model),
        modules=parts_alone(_FIRST, types).script.strip(),
        file=file,
        certainty=_certainty(model),
    )


def embedded(model: Model, target: str) -> tuple[str, frozenset[str]]:
    """Return the model file in base64, without the record of training, and the types it names.

    Parameters
    ----------
    model : Model
    target : str
        The words for what it is embedded in, which the message begins with.

    Raises
    ------
    UsageError
        If the engine's twin can't compute the model, or its text would be too long.
    """
    recipe = model.preprocessing
    if recipe is not None and isinstance(recipe.inputs, FeatureRecipe):
        backbone = recipe.inputs.backbone
        raise UsageError(
            f"{target} can't hold this model: it learned from the features that "
            f"{'a pretrained network' if backbone is None else backbone.file} makes of pictures, "
            "and that does not lie in the model. Train a network of its own, without --features."
        )
    parts = [*_parts(model.network.layers), *_parts(model.network.loss)]
    for part in parts:
        if type(part) not in _HERE:
            raise UsageError(
                f"{target} can't hold this model: {type(part).__name__} is a part of your own "
                f"({type(part).__module__}), and the page's engine has the parts of clearprop "
                "alone. Use those, or the model in Python."
            )
    plain = replace(model, linear=None, training={})
    text = b64encode(model_bytes(plain)).decode("ascii")
    if len(text) > _LARGEST:
        raise UsageError(
            f"{target} would have {len(text) / 1e6:,.0f} MB of text, for "
            f"{model.network.parameters.data.size:,} parameters; engines of JavaScript hold "
            f"{_LARGEST / 1e6:,.0f} MB. Train a smaller network, or export to .onnx."
        )
    return text, frozenset(type(one).__name__ for one in (*parts, *_parts(recipe)))


def notes_on(model: Model) -> tuple[str, ...]:
    """Say what a browser does to samples before a model gets them."""
    inputs = model.preprocessing and model.preprocessing.inputs
    if not isinstance(inputs, PictureRecipe) or inputs.depth is None:
        return ()
    return (
        "The training pictures have more than 8 bits a colour, which browsers cut to 8: they are "
        "answered a little otherwise.",
    )


def _parts(value: Any) -> Iterator[Any]:
    """Give every dataclass in a value: layers in layers, their initializers, columns, scales."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            if field.init:
                yield from _parts(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _parts(one)


def _certainty(model: Model) -> str:
    target = model.preprocessing and model.preprocessing.target
    if not target or target.coverage is None:
        return ""
    text = _SETS if isinstance(target, ClassTarget) else _INTERVALS
    return text.format(share=target.coverage.share)


def _head(model: Model) -> str:
    """Write the comment that says what a row is, and how it is asked about."""
    kind, row, example = _row(model)
    lines = [
        "A model in one module of JavaScript. It needs no other file, and sends nothing anywhere.",
        "",
        f"Made by clearprop {__version__}. It runs in browsers, in workers and in Node from 18 on;",
        'for Node it is called .mjs, or lies beside a package.json that says "type": "module".',
        "",
        '    import { predict } from "./model.js";',
        "",
        *(f"    {line}" for line in example),
        "",
        *row,
        "",
        *_answers(model),
        "",
        f"@typedef {{{kind}}} Row",
    ]
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */", ""])


def _row(model: Model) -> tuple[str, list[str], list[str]]:
    """Say what a row is: its type, sentences, and lines of an example."""
    inputs = None if model.preprocessing is None else model.preprocessing.inputs
    if isinstance(inputs, PictureRecipe):
        height, width = inputs.size
        colours = "grey" if inputs.channels == 1 else "red, green and blue"
        return (
            "{width: number, height: number, data: ArrayLike<number>}",
            [
                "A row is a picture: RGBA, pixel by pixel and row by row, as a canvas gives it, of",
                f"any size. It is brought to {width} x {height} pixels of {colours}.",
            ],
            [
                'const pen = canvas.getContext("2d");',
                "const picture = pen.getImageData(0, 0, canvas.width, canvas.height);",
                "const [answer] = predict([picture]);",
            ],
        )
    if isinstance(inputs, TableRecipe):
        shown = inputs.columns[:_MOST_COLUMNS]
        more = len(inputs.columns) - len(shown)
        cells = ", ".join(f"{quoted(one.name)}: {quoted(_example(one))}" for one in shown)
        return (
            "Object<string, ?(string|number|boolean)>",
            [
                "A row is an object with a cell for each column; null is a missing one:",
                "",
                *(f"- {quoted(one.name)}: {_cell(one)}" for one in shown),
                *([f"- and {more:,} more"] if more > 0 else []),
            ],
            [f"const [answer] = predict([{{ {cells}{', ...' if more > 0 else ''} }}]);"],
        )
    shape = model.network.input_shape
    told = "numbers" if len(shape) == 1 else f"numbers, {' x '.join(map(str, shape))} in C order"
    prepared = "" if isinstance(inputs, ArrayRecipe) else ", prepared as for training"
    return (
        "ArrayLike<number>",
        [f"A row is an array of {math.prod(shape):,} {told}{prepared}."],
        ["const [answer] = predict([row]);"],
    )


def _cell(column: Any) -> str:
    if isinstance(column, CategoricalColumn):
        return f"one of {listed(map(quoted, column.categories), _MOST_NAMES)}"
    if isinstance(column, DateColumn):
        return 'a date such as "2024-01-31"'
    if isinstance(column, PlainColumn):
        return "a number, which must not be missing"
    if column.low is None or column.high is None:
        return "a number"
    return f"a number, {column.low:g} to {column.high:g} in training"


def _example(column: Any) -> Json:
    if isinstance(column, CategoricalColumn):
        return column.categories[0] if column.categories else None
    if isinstance(column, DateColumn):
        return "2024-01-31"
    return column.median if isinstance(column, NumericColumn) else 0.5


def _answers(model: Model) -> list[str]:
    names = model.class_names
    if names is not None:
        return [f"The answer is one of {listed(map(quoted, names), _MOST_NAMES)}."]
    target = model.preprocessing and model.preprocessing.target.name
    return [f"The answer is {quoted(target) if target else 'a value'}."]


def quoted(value: Json) -> str:
    """Write a value as JavaScript does, so that it ends no string, no comment and no script."""
    text = printable_json(json.dumps(value, ensure_ascii=False))
    return text.replace("*/", "*\\/").replace("<", "\\u003c")
