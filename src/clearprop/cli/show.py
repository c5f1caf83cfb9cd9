"""``clearprop show`` and ``clearprop plot``: a trained model in words, its run in pictures."""

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.configuration import to_config
from clearprop.errors import ClearpropError
from clearprop.experiment import folder, load_dataset, measure_anew, set_task
from clearprop.experiment.explaining import importance_of_run
from clearprop.experiment.runs import HISTORY, require_run, require_saved
from clearprop.files.described import facts
from clearprop.training import History

_WIDEST = 24  # characters of a fact's name, which a file may have of any length


@command(
    "clearprop show runs/people",
    "clearprop show model.safetensors --json",
)
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
    told = dict(facts(loaded))
    width = min(max(map(len, told)), _WIDEST)
    for name, value in told.items():
        output.say_line(f"{name:{width}}  {value}")


@command(
    "clearprop plot runs/people",
)
@click.argument("run", type=click.Path())
@click.option("--data", metavar="PATH", help="Where the data of the run lie now.")
@output.json_option
def plot(run: str, data: str | None, as_json: bool) -> None:
    """Draw the pictures of the folder RUN anew: curves, confusion, mistakes, weights."""
    saved = require_run(run)
    place, model = saved.file.parent, saved.model
    history = History.load(place / HISTORY)
    evaluated = measured = importance = None
    try:
        settings = saved.on(data, again=True)
        task = set_task(settings, load_dataset(settings, kept_in=folder.beside(place)))
        evaluated, measured = measure_anew(task, model)
        importance = importance_of_run(task, model)
    except ClearpropError as error:
        output.note(f"Only curves and weights are drawn. {error}")
    with output.waiting("Drawing"):
        written, undrawn = folder.draw_run(place, model, history, evaluated, measured, importance)
    output.note_undrawn(undrawn)
    if as_json:
        output.say_json({"run": run, "pictures": [str(path) for path in written]})
        return
    for path in written:
        output.say_line(path)
