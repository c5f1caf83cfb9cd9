"""``clearprop evaluate``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from clearprop.cli import options, output
from clearprop.cli.command import DataName, command
from clearprop.cli.scores import beside, certainty, doubts, matters, others, rare, text
from clearprop.data import Dataset, class_names
from clearprop.data.whole.whole import Memory
from clearprop.errors import UsageError, naming
from clearprop.experiment import evaluation
from clearprop.experiment.backbones import found_at
from clearprop.experiment.explaining import importance_beside
from clearprop.experiment.folder import beside as beside_run
from clearprop.experiment.folder import draw
from clearprop.experiment.loading import load_for, read_as
from clearprop.experiment.looking import draw_attention, takes_pictures
from clearprop.experiment.runs import require_saved
from clearprop.experiment.thresholds import overruled
from clearprop.files.models import Model
from clearprop.files.written import make_folder

_MISTAKES = 10
_CLASSES = 20
_WIDEST = 80  # letters of all classes in a line


@command(
    "clearprop evaluate runs/people newer.csv",
    "clearprop evaluate runs/photos photos/ --map cats=cat --json",
    "clearprop evaluate runs/photos newer/ --show",
)
@click.argument("model", type=click.Path())
@click.argument("data", type=DataName())
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="NAME=CLASS",
    help="Which class of the model a class of DATA is; may be given several times.",
)
@click.option(
    "--show",
    is_flag=True,
    help="Draw where the network looks in some pictures, right answers and mistakes, in this "
    "folder.",
)
@click.option("--show-in", metavar="FOLDER", help="The same, in another folder.")
@options.features_option
@options.threshold_option
@options.form_options
@options.cluster_option
@output.json_option
@click.pass_context
def evaluate(
    ctx: click.Context,
    /,
    model: str,
    data: str,
    mapped: tuple[str, ...],
    show: bool,
    show_in: str | None,
    features: str | None,
    threshold: float | None,
    cluster: str | None,
    as_json: bool,
    **form: Any,
) -> None:
    """Measure MODEL on DATA, a name or a path, whose answers are known.

    MODEL is a file or the folder of a run. Where DATA brings a test set, that is what counts; else
    all of it, which may hold samples that the model has learned from. Classes may differ from the
    model's by case, plural or hyphens.
    """
    saved = require_saved(model)
    own = found_at(saved.model, features)
    loaded, counts = overruled(read_as(own, form), threshold)
    given = _pairs(mapped)
    drawn_in = show_in if show_in is not None else "." if show else None
    if drawn_in is not None and not (loaded.class_names and takes_pictures(loaded.network)):
        raise UsageError(
            "--show draws where a network looks in pictures that it tells apart; this model "
            f"{'takes none' if loaded.class_names else 'predicts values'}."
        )
    with output.waiting(f"Reading {data}"):
        dataset = load_for(loaded, data, memory=Memory(kept_in=beside_run(saved.file.parent)))
    output.note_left_out(dataset.problems)
    measured = _matched(loaded, dataset.test or dataset, given)
    for note in dict.fromkeys((*measured.notes, *dataset.notes)):
        output.note(note)
    workers = options.on_cluster(ctx, cluster)
    with output.waiting("Measuring"):
        found = evaluation.evaluate(loaded, measured, workers)
    found = replace(found, notes=(*counts, *found.notes))
    output.note_all(found.notes)
    with output.waiting("Shuffling"):
        columns = importance_beside(loaded, measured, data, found.score_name)
    drawn = [] if drawn_in is None else _draw(loaded, found, measured, data, drawn_in)
    seen = not dataset.test and any(one.knows(data) for one, _ in saved.trainings())
    if as_json:
        output.say_json(
            {
                "model": model,
                "data": data,
                "test_set": bool(dataset.test),
                "learned_from": seen,
                **found.to_json(),
                "importance": None if columns is None else columns.to_json(),
                "pictures": [str(path) for path in drawn],
            }
        )
        return
    which = "the test set of " if dataset.test else ""
    about = " that it has mostly learned from: no score for other samples" if seen else ""
    output.say_line(f"{which}{data}: {found.samples} samples{about}: {beside(found)}")
    how_sure = [] if seen else certainty(found)
    for line in (others(found, dataset.target_name), *rare(found), *how_sure):
        output.say_line(f"  {line}")
    if seen and (honest := _honest(loaded)):
        output.say_line(honest)
    if not seen:
        run = output.word(str(saved.folder or model))
        hidden = saved.settings is None or saved.settings.layers
        linear = "train with --layers none" if hidden else None
        for line in doubts(found, f"clearprop doctor {run}", linear):
            output.say_line(line)
    for line in matters(columns) if found.beats("constant") is not False else ():
        output.say_line(line)
    if found.classes:
        output.say()
        output.say_table(
            ("class ", "samples", "precision", "recall"),
            (
                (one.name, one.samples, output.percent(one.precision), output.percent(one.recall))
                for one in found.classes
            ),
            most=output.MOST_ROWS,
        )
        _say_confusion(found)
    if found.mistakes:
        _say_mistakes(found)
    for path in drawn:
        output.say_line(path)


def _draw(
    model: Model, found: evaluation.Evaluation, measured: Dataset, data: str, folder: str
) -> list[Path]:
    """Draw where the network looks in some of the data; return the file, if that could be."""
    path = make_folder(Path(folder)) / f"{Path(data).stem or 'data'}-attention.png"
    with output.waiting("Drawing"):
        undrawn = draw(lambda: draw_attention(model, found.answers, measured), path)
    if undrawn is not None:
        output.note_undrawn([undrawn])
        return []
    return [path]


def _matched(model: Model, dataset: Dataset, given: dict[str, str]) -> Dataset:
    """Give the classes of data the names that the model has for them."""
    if model.class_names is None:
        if given:
            raise UsageError("The model predicts values, not classes; leave --map out.")
        return dataset
    with naming(dataset.name):
        if model.preprocessing is not None:
            model.preprocessing.inputs.check(dataset.X)  # more likely than classes by another name
        return class_names.renamed(dataset, model.class_names, given)


def _pairs(mapped: tuple[str, ...]) -> dict[str, str]:
    """Read what --map says."""
    pairs: dict[str, str] = {}
    for pair in mapped:
        name, equals, meant = pair.partition("=")
        if not (name and equals and meant) or name in pairs:
            raise UsageError(f"--map takes NAME=CLASS, once for each NAME; found {pair!r}.")
        pairs[name] = meant
    return pairs


def _honest(model: Model) -> str | None:
    """Tell the score on samples that the model has not learned from, as training saved it."""
    told = model.training.get("score")
    if not isinstance(told, dict):
        return None
    score = str(told.get("score"))
    reached, samples = told.get(score), told.get("samples")
    if not isinstance(reached, float) or not isinstance(samples, int):
        return None
    return f"On {samples:,} samples that it had not learned from it reached {text(score, reached)}."


def _say_mistakes(found: evaluation.Evaluation) -> None:
    output.say()
    if not found.classes:
        output.say_table(
            ("furthest off ", "true", "predicted"),
            ((one.source, one.truth, one.predicted) for one in found.mistakes),
        )
        return
    count = "1 mistake" if len(found.mistakes) == 1 else f"{len(found.mistakes)} mistakes"
    certain = found.answers.probabilities is not None
    output.say(f"{count}, the most confident first:" if certain else f"{count}:")
    output.say_table(
        ("sample ", "true ", "predicted ", "probability")[: 3 + certain],
        (
            (one.source, one.truth, one.predicted)
            + (() if one.probability is None else (output.percent(one.probability),))
            for one in found.mistakes[:_MISTAKES]
        ),
    )


def _say_confusion(found: evaluation.Evaluation) -> None:
    output.say()
    names = [report.name for report in found.classes]
    if found.confusion is None or len(names) > _CLASSES:
        instead = "" if found.confusion is None else "; --json has it"
        output.say(f"The confusion of {len(names)} classes is too wide to print{instead}.")
        return
    output.say("Confusion: rows are the truth, columns what was said.")
    columns = names
    if sum(map(len, names)) > _WIDEST:  # long names stand in the rows alone
        columns = [str(number) for number in range(1, len(names) + 1)]
        names = [f"{number} {name}" for number, name in zip(columns, names, strict=True)]
    output.say_table(
        (" ", *columns),
        ((name, *counts) for name, counts in zip(names, found.confusion.tolist(), strict=True)),
    )
