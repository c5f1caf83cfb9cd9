"""``clearprop export``."""

from pathlib import Path
from typing import TypeAlias

import click
import numpy as np
from numpy.typing import NDArray

from clearprop.cli import output
from clearprop.cli.command import command
from clearprop.data import Dataset
from clearprop.errors import ClearpropError
from clearprop.experiment.folder import beside
from clearprop.experiment.loading import load_dataset, load_for
from clearprop.experiment.runs import Saved, require_saved
from clearprop.experiment.task import set_task
from clearprop.exports.description import Description, describe
from clearprop.exports.exporting import TARGETS, Exported, rows_of, target_for, write_export
from clearprop.exports.proof import Proof
from clearprop.exports.rows import Rows
from clearprop.files.models import Model

_MOST = 2000  # rows of the training data, evenly spread

Classes: TypeAlias = NDArray[np.str_]


@command(
    "clearprop export runs/people people.onnx",
    "clearprop export runs/digits digits.c --int8",
    "clearprop export runs/people people.sql --verify new.csv",
)
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option(
    "--format",
    "name",
    metavar="NAME",
    help=f"The target, where the ending of FILE does not tell: {', '.join(TARGETS)}.",
)
@click.option("--verify", metavar="DATA", help="Prove it on these rows, too.")
@click.option("--data", metavar="PATH", help="Where the data of the run lie now.")
@click.option("--int8", is_flag=True, help="Round the weights of a C file to bytes.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@output.json_option
def export(
    model: str,
    file: str,
    name: str | None,
    verify: str | None,
    data: str | None,
    int8: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write MODEL, a file or the folder of a run, in another language, and prove it.

    FILE is .onnx, .py, .c (with .h), .js, .html or .sql. It has the whole recipe in it: scaling,
    categories, gaps, sizes of pictures. Before it is handed over it is run on rows of the training
    data, extremes, gaps, unknown categories and rows between two classes, where its runtime is
    installed; if it does anything else than MODEL does, it is not written.
    """
    target = target_for(file, name, int8=int8)
    saved = require_saved(model)
    description = describe(saved.model, Path(file).stem)
    with output.waiting("Reading"):
        rows, truth = _known_rows(saved, description, data)
        if verify is not None:
            more, named = _own_rows(saved.model, description, verify)
            # What is known is of the first rows.
            if named is not None and (rows is None or truth is not None):
                truth = named if truth is None else np.concatenate([truth, named])
            rows = more if rows is None else rows.followed_by(more)
    with output.waiting("Writing and proving"):
        made = write_export(
            *(saved.model, file, target, rows),
            overwrite=force,
            description=description,
            truth=truth if saved.model.class_names else None,
        )
    if as_json:
        output.say_json(_in_json(made))
        return
    for line in str(made).splitlines():
        output.say_line(line)


def _known_rows(
    saved: Saved, description: Description, data: str | None
) -> tuple[Rows | None, Classes | None]:
    """Return some of the data that it was trained on, or say why there are none."""
    try:
        settings = saved.on(data)
        kept_in = beside(saved.file.parent)
        dataset = set_task(settings, load_dataset(settings, kept_in=kept_in)).train
        few = np.linspace(0, len(dataset) - 1, min(_MOST, len(dataset))).astype(np.int64)
        return _of(dataset.take(few), saved.model, description)
    except ClearpropError as error:
        if data is not None:
            raise
        output.note(f"It is proved on rows that are made up, not on the training data. {error}")
        return None, None


def _own_rows(model: Model, description: Description, verify: str) -> tuple[Rows, Classes | None]:
    """Return somebody's rows, and the class of each where the data tell one that the model knows.

    New rows have none: they are read as ``clearprop predict`` reads them.
    """
    try:
        return _of(load_for(model, verify), model, description)
    except ClearpropError:
        return rows_of(model, description, verify), None


def _of(dataset: Dataset, model: Model, description: Description) -> tuple[Rows, Classes]:
    """Return rows of data, and the class of each; "" where the model predicts values."""
    rows = Rows.of(description.inputs, dataset.X)
    if model.class_names is None or model.preprocessing is None:
        return rows, np.full(rows.count, "")
    encoded = model.preprocessing.target.encode(dataset)
    return rows, np.array(model.class_names)[encoded]


def _in_json(made: Exported) -> dict[str, object]:
    proof = made.proof
    return {
        "files": {str(path): size for path, size in made.files.items()},
        "target": made.target,
        "proof": proof.to_json() if isinstance(proof, Proof) else {"not_run": proof.reason},
        "facts": dict(made.facts),
        "notes": list(made.notes),
    }
