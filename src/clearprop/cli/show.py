"""``clearprop show`` and ``clearprop plot``: a trained model in words, its run in pictures."""

from collections.abc import Iterator
from contextlib import suppress

import click

from clearprop.cli import output
from clearprop.configuration import to_config
from clearprop.errors import ClearpropError, listed, shortened
from clearprop.experiment import folder, load_dataset, measure_anew, set_task
from clearprop.experiment.runs import HISTORY, Saved, require_run, require_saved
from clearprop.preprocessing import ArrayRecipe, CategoricalColumn, InputRecipe, PictureRecipe
from clearprop.training import History

_WIDEST = 24  # characters of a fact's name, which a file may have of any length


@click.command()
@click.argument("model", type=click.Path())
@output.json_option
def show(model: str, as_json: bool) -> None:
    """Show what is in MODEL: layers, shapes, preprocessing, and what training reached.

    MODEL is a file or the folder of a run.
    """
    saved = require_saved(model)
    loaded = saved.model
    summary = loaded.network.summary()
    recipe = loaded.preprocessing
    if as_json:
        output.say_json(
            {
                "layers": [vars(row) for row in summary.rows],
                "input_shape": summary.input_shape,
                "dtype": summary.dtype,
                "parameters": summary.parameters,
                "bytes": summary.bytes,
                "loss": to_config(loaded.network.loss),
                "preprocessing": to_config(recipe),
                "class_names": loaded.class_names,
                "training": loaded.training,
                "version": loaded.version,
            }
        )
        return
    output.say(summary)
    output.say()
    facts = dict(_facts(saved))
    width = min(max(map(len, facts)), _WIDEST)
    for name, value in facts.items():
        output.say_line(f"{name:{width}}  {value}")


def _facts(saved: Saved) -> Iterator[tuple[str, str]]:
    model = saved.model
    yield "loss function", f"{type(model.network.loss).__name__}, in {model.network.dtype}"
    if model.preprocessing is not None:
        yield "input", _understood(model.preprocessing.inputs)
        if model.preprocessing.target.name is not None:
            yield "target", model.preprocessing.target.name
    if model.class_names:
        yield "classes", listed(model.class_names)
    with suppress(ClearpropError):  # of a model, its settings may be anything
        if saved.settings is not None:
            yield "trained on", saved.settings.data
    for name, value in model.training.items():
        if isinstance(value, dict) and name == "estimator":
            yield name, f"{value.get('class')}; clearprop.load opens it as one"
        elif name != "settings":
            text = value if isinstance(value, str) else shortened(value)
            yield name.replace("_", " "), f"{value:.6g}" if isinstance(value, float) else text
    yield "made by", f"clearprop {model.version}"


def _understood(inputs: InputRecipe) -> str:
    """Say what samples the model takes."""
    if isinstance(inputs, PictureRecipe):
        colours = "grey" if inputs.channels == 1 else "RGB"
        return f"pictures, brought to {inputs.size[0]}x{inputs.size[1]} {colours} from 0 to 1"
    if isinstance(inputs, ArrayRecipe):
        shape = "x".join(map(str, inputs.shape))
        plain = set(inputs.mean) == {0.0} and set(inputs.std) == {1.0}
        return f"arrays of {shape} numbers{'' if plain else ', standardised'}"
    return "a table with the columns " + listed(
        f"{column.name} ({len(column.categories)} categories)"
        if isinstance(column, CategoricalColumn)
        else f"{column.name} (number)"
        for column in inputs.columns
    )


@click.command()
@click.argument("run", type=click.Path())
@click.option("--data", metavar="PATH", help="Where the data of the run lie now.")
@output.json_option
def plot(run: str, data: str | None, as_json: bool) -> None:
    """Draw the pictures of the folder RUN anew: curves, confusion, mistakes, weights."""
    saved = require_run(run)
    place, model = saved.file.parent, saved.model
    history = History.load(place / HISTORY)
    evaluated = measured = None
    try:
        settings = saved.on(data)
        task = set_task(settings, load_dataset(settings))
        evaluated, measured = measure_anew(task, model)
    except ClearpropError as error:
        output.note(f"Only curves and weights are drawn. {error}")
    written, undrawn = folder.draw_run(place, model, history, evaluated, measured)
    output.note_undrawn(undrawn)
    if as_json:
        output.say_json({"run": run, "pictures": [str(path) for path in written]})
        return
    for path in written:
        output.say_line(path)
