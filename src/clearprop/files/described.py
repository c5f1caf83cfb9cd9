"""A model in facts: what it takes and answers, what it was trained on, and what that reached."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clearprop.core import html
from clearprop.core.printable import printable, readable
from clearprop.errors import listed, shortened
from clearprop.preprocessing import (
    ArrayRecipe,
    CategoricalColumn,
    FeatureRecipe,
    InputRecipe,
    PictureRecipe,
)

if TYPE_CHECKING:
    from clearprop.files.models import Model

_NAMES, _MOST = 5, 30  # of classes and columns, in a line and in a fact
_BASELINES = {"constant": "always the same answer", "linear": "a linear model"}


def in_a_line(model: "Model") -> str:
    """Write what a model takes and answers: ``Model of 4 columns: 3 classes (...), 51 numbers``."""
    recipe, names = model.preprocessing, model.class_names
    inputs = "prepared arrays" if recipe is None else _understood(recipe.inputs, _NAMES)
    answers = (recipe and recipe.target.name) or "values"
    if names:
        answers = f"{len(names):,} classes ({listed(names, _NAMES)})"
    size = f"{model.network.parameters.data.size:,} parameters"
    return printable(f"Model of {inputs}: {answers}; {size}", one_line=True)


def drawing_of(model: "Model") -> str:
    """Return what notebooks show: the line, the facts, and the network."""
    said = html.element("strong", in_a_line(model))
    return html.fragment(
        html.element("p", said), html.table(("", ""), facts(model)), *model.network.markup()
    )


def facts(model: "Model") -> Iterator[tuple[str, str]]:
    """Give each fact with its name."""
    yield "loss function", f"{type(model.network.loss).__name__}, in {model.network.dtype}"
    if model.preprocessing is not None:
        yield "input", _understood(model.preprocessing.inputs)
        if model.preprocessing.target.name is not None:
            yield "target", model.preprocessing.target.name
    if model.class_names:
        yield "classes", listed(model.class_names)
    settings = model.training.get("settings")
    if isinstance(settings, dict):
        yield "trained on", str(settings.get("data"))
    if (constant := model.constant) is not None:
        if names := model.class_names:
            shares = zip(names, constant, strict=True)
            yield "shares", listed(f"{name} {share:.1%}" for name, share in shares)
        else:
            yield "mean", listed(readable(mean, 6) for mean in constant)
    for name, value in model.training.items():
        if isinstance(value, dict) and name == "estimator":
            yield name, f"{value.get('class')}; clearprop.load opens it as one"
        elif isinstance(value, dict) and name == "score":
            yield "held out", _reached(value)
        elif name not in ("settings", "constant"):
            text = value if isinstance(value, str) else shortened(value)
            yield name.replace("_", " "), f"{value:.6g}" if isinstance(value, float) else text
    yield "made by", f"clearprop {model.version}"


def _reached(told: dict[str, Any]) -> str:
    """Write the score that counts beside what it has to beat."""
    score, baselines = told.get("score"), told.get("baselines")
    reached = f"{_named(told, score)} on {shortened(told.get('samples'))} samples"
    beside = [
        f"{words} {_named(one, score).rpartition(' ')[2]}"
        for key, words in _BASELINES.items()
        if isinstance(baselines, dict) and isinstance(one := baselines.get(key), dict)
    ]
    return f"{reached} ({', '.join(beside)})" if beside else reached


def _named(scores: dict[str, Any], name: Any) -> str:
    value = scores.get(name) if isinstance(name, str) else None
    number = f"{value:.4f}" if isinstance(value, float) else "–"
    return f"{str(name).replace('_', ' ').replace('r2', 'R²')} {number}"


def _understood(inputs: InputRecipe, most: int = _MOST) -> str:
    """Say what samples the model takes."""
    if isinstance(inputs, FeatureRecipe) and (backbone := inputs.backbone) is not None:
        size = f"{inputs.size[0]}x{inputs.size[1]}"
        return f"pictures, brought to {size}, by {backbone.features:,} features of {backbone.file}"
    if isinstance(inputs, PictureRecipe):
        colours = "grey" if inputs.channels == 1 else "RGB"
        return f"pictures, brought to {inputs.size[0]}x{inputs.size[1]} {colours} from 0 to 1"
    if isinstance(inputs, ArrayRecipe):
        shape = "x".join(map(str, inputs.shape))
        plain = set(inputs.mean) == {0.0} and set(inputs.std) == {1.0}
        return f"arrays of {shape} numbers{'' if plain else ', standardised'}"
    columns = (
        f"{column.name} ({len(column.categories)} categories)"
        if isinstance(column, CategoricalColumn)
        else f"{column.name} (number)"
        for column in inputs.columns
    )
    return f"a table with the columns {listed(columns, most)}"
