"""``clearprop show`` and ``clearprop plot``: a trained model in words, its run in pictures."""

from pathlib import Path

import click

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.configuration import to_config
from clearprop.errors import ClearpropError, UsageError
from clearprop.experiment import folder, load_dataset, measure_anew, set_task, settings_in
from clearprop.files.described import facts
from clearprop.files.models import load
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
    loaded = load(folder.model_in(model) or model)
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
@output.json_option
def plot(run: str, as_json: bool) -> None:
    """Draw the pictures of the folder RUN anew: curves, confusion, mistakes, weights."""
    place = Path(run)
    if not folder.is_run(place):
        raise UsageError(
            f"{place} is no run's folder: it has no {folder.SETTINGS}. Give one that train made."
        )
    model, history = load(place / folder.MODEL), History.load(place / folder.HISTORY)
    evaluated = measured = None
    try:
        settings = settings_in(place / folder.SETTINGS)
        task = set_task(settings, load_dataset(settings))
        evaluated, measured = measure_anew(task, model)
    except ClearpropError as error:
        output.note(
            f"Its data can't be used any more, so only curves and weights are drawn. {error}"
        )
    with output.waiting("Drawing"):
        written, undrawn = folder.draw_run(place, model, history, evaluated, measured)
    output.note_undrawn(undrawn)
    if as_json:
        output.say_json({"run": run, "pictures": [str(path) for path in written]})
        return
    for path in written:
        output.say_line(path)
