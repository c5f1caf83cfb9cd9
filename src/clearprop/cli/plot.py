"""``clearprop plot``."""

from pathlib import Path

import click

from clearprop.cli.output import json_option, note, say_json
from clearprop.errors import ClearpropError, UsageError


@click.command()
@click.argument("run", type=click.Path())
@json_option
def plot(run: str, as_json: bool) -> None:
    """Draw the pictures of the folder RUN anew: curves, confusion, mistakes, weights."""
    from clearprop.experiment import Settings, evaluate, load_dataset, read_settings, set_task
    from clearprop.experiment.drawing import draw_run
    from clearprop.experiment.folder import HISTORY, MODEL, SETTINGS
    from clearprop.model_file import load
    from clearprop.training import History

    folder = Path(run)
    if not (folder / SETTINGS).exists():
        raise UsageError(
            f"{folder} is no run's folder: it has no {SETTINGS}. Give one that train made."
        )
    model, history = load(folder / MODEL), History.load(folder / HISTORY)
    evaluated = measured = None
    try:
        settings = Settings(**read_settings(folder / SETTINGS))
        task = set_task(settings, load_dataset(settings))
        measured = task.test or task.held_out
        evaluated = None if measured is None else evaluate(model, measured)
    except ClearpropError as error:
        note(f"Its data can't be used any more, so only curves and weights are drawn. {error}")
    written = draw_run(folder, model, history, evaluated, measured)
    if as_json:
        say_json({"run": run, "pictures": [str(path) for path in written]})
        return
    for path in written:
        click.echo(path)
