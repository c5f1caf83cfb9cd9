"""``clearprop train``."""

from pathlib import Path
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.options import setting_option, settings_from, settings_of_run, task_options
from clearprop.errors import UsageError
from clearprop.experiment import Task, learn, load_dataset, set_task
from clearprop.experiment import folder as run_folder
from clearprop.training import Checkpoint, ProgressLine

_ENDED = {"converged": ", until it converged", "stuck": ", until it found no way further down"}
"""Words for the reasons for which an optimizer ends a training by itself."""


@click.command()
@click.argument("data", required=False)
@setting_option("layers")
@task_options
@click.option("--out", metavar="FOLDER", help="The run's folder.  [default: a new one under runs/]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, to the same bits.")
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="The time between two checkpoints; 0 for one each epoch.",
)
@output.json_option
def train(
    data: str | None,
    out: str | None,
    resume: bool,
    checkpoint_every: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a network on DATA: a name or a path.

    Names: digits, iris, wine, breast_cancer, diabetes; planar, moons, spirals, blobs, linear.

    Paths: a table (CSV and other text, Excel, Parquet), a folder of pictures with one folder a
    class (or train/, val/ and test/ with such folders), arrays (NPZ, NPY, HDF5, IDX), or - for a
    table from standard input.
    """
    if resume and out is None:
        raise UsageError("Say which run to go on with: --resume --out FOLDER.")
    settings = (
        settings_of_run(Path(out or "", run_folder.SETTINGS), data, options)
        if resume
        else settings_from(data, options)
    )
    dataset = load_dataset(settings)
    output.note_data(dataset)
    task = set_task(settings, dataset)
    for line in task.notes:
        output.note(line)
    folder = run_folder.open_folder(out, settings.data, resume=resume)
    task.settings.save(folder / run_folder.SETTINGS)
    output.note(_plan(task))
    trained = learn(
        task,
        callbacks=[ProgressLine()],
        checkpoint=Checkpoint(folder / run_folder.CHECKPOINT, checkpoint_every),
        resume=resume,
    )
    measured = run_folder.measure(trained)
    report = run_folder.save_run(folder, trained, measured)
    shown = measured.test or measured.held_out
    shown_data = task.test if measured.test else task.held_out
    pictures, undrawn = run_folder.draw_run(
        folder, trained.model, trained.history, shown, shown_data
    )
    output.note_undrawn(undrawn)
    if as_json:
        output.say_json(report | {"pictures": [str(path) for path in pictures]})
    else:
        _say_reached(report)
        _say_saved(report, folder, pictures)
    if trained.diverged is not None:
        raise trained.diverged
    if trained.history.stopped == "interrupted":
        output.note(_how_to_go_on(folder))
        raise KeyboardInterrupt
    if not as_json:
        _say_next(report, task.train.kind)


def _plan(task: Task) -> str:
    settings, network = task.settings, task.network
    held_out = f", {len(task.held_out)} held out" if task.held_out is not None else ""
    test = f", {len(task.test)} to test" if task.test is not None else ""
    units = [*(settings.layers or ()), *network.output_shape]
    inputs = "x".join(map(str, network.input_shape))
    return (
        f"{settings.data}: {len(task.train)} samples to train on{held_out}{test}. "
        f"Network {' - '.join([inputs, *map(str, units)])}, "
        f"{network.parameters.data.size:,} parameters."
    )


def _say_reached(report: dict[str, Any]) -> None:
    names = {"train": "Training", "validation": "Held out", "test": "Test set"}
    for part, name in names.items():
        reached = report.get(part)
        if reached:
            score = next(key for key in reached if key != "loss")
            output.say(
                f"{name:9} {report['samples'][part]:6} samples: "
                f"{output.score_text(score, reached[score])}, loss {reached['loss']:.4f}"
            )


def _say_saved(report: dict[str, Any], folder: Path, pictures: list[Path]) -> None:
    saved = ["model", "history", "settings", "report", *(path.name for path in pictures)]
    epochs = "1 epoch" if report["epochs"] == 1 else f"{report['epochs']} epochs"
    ended = _ENDED.get(report["stopped"], "")
    output.say(
        f"Trained {epochs} in {output.duration(report['seconds'])}{ended}. "
        f"Saved in {folder}: {', '.join(saved[:-1])} and {saved[-1]}."
    )


def _say_next(report: dict[str, Any], kind: str) -> None:
    model, data = output.word(str(report["model"])), output.word(report["data"])
    new = {"pictures": "PICTURE... --show", "table": "NEW.csv", "array": "NEW.npz"}[kind]
    output.say(f"Next:  clearprop predict {model} {new}")
    if "test" in report:
        output.say(f"       clearprop evaluate {model} {data}")
    else:
        output.say(f"       clearprop show {model}")


def _how_to_go_on(folder: Path) -> str:
    again = f"clearprop train --resume --out {output.word(str(folder))}"
    if (folder / run_folder.CHECKPOINT).exists():
        return f"To go on from its last checkpoint: {again}"
    return f"It has no checkpoint yet. To begin it anew: {again}"
