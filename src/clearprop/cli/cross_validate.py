"""``clearprop cross-validate``."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from clearprop.cli import output
from clearprop.cli.command import DataName, command
from clearprop.cli.options import (
    as_it_began,
    cluster_option,
    command_of,
    on_cluster,
    setting_option,
    settings_for,
    task_options,
)
from clearprop.cli.scores import name, value
from clearprop.core.blas import single_threaded
from clearprop.errors import ClusterError, UsageError
from clearprop.experiment import Settings, Task, load_dataset
from clearprop.experiment import folder as run_folder
from clearprop.experiment.cross_validation import fold_labels, folds_at_once, times_of
from clearprop.experiment.fold import FoldScores
from clearprop.experiment.fold_scores import CrossValidation, begin, read_begun
from clearprop.experiment.runs import require_there
from clearprop.training import Forecast
from clearprop.training.together import together
from clearprop.training.units import Cluster

_FOLDS = 5
_ROOT = Path("cross-validations")
_BASELINES = {"constant": "", "linear": "linear model"}


@command(
    "clearprop cross-validate iris",
    "clearprop cross-validate visits.csv --target ill --group patient --folds 10",
    "clearprop cross-validate sales.csv --time date --layers none",
    "clearprop cross-validate --resume --out cross-validations/iris",
)
@click.argument("data", required=False, type=DataName())
@click.option(
    "--folds",
    "count",
    type=click.IntRange(min=2),
    metavar="K",
    help=f"The parts that are left out in turn.  [default: {_FOLDS}]",
)
@setting_option("layers")
@partial(task_options, without=("folds", "test", "cluster"))
@click.option(
    "--out",
    metavar="FOLDER",
    help=f"Where the scores are kept.  [default: a new one under {_ROOT}/]",
)
@click.option("--resume", is_flag=True, help="Go on with the one in --out, to the same bits.")
@cluster_option
@output.json_option
@click.pass_context
def cross_validate(
    ctx: click.Context,
    /,
    data: str | None,
    count: int | None,
    out: str | None,
    resume: bool,
    cluster: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train on DATA without each of K parts, and score each part: mean and spread.

    Every training is one as train makes it: what chooses its epoch is taken from the samples that
    are left. With --group the parts are whole groups; with --time each is later than what is
    learned from.

    For DATA, a run's folder or a model file stands for its data and its settings.
    """
    before = None
    if resume:
        if out is None:
            raise UsageError("Say which cross-validation to go on with: --resume --out FOLDER.")
        before = read_begun(Path(out))
        if count is not None and count != before.count:
            raise UsageError(
                f"The cross-validation in {out} began with {before.count} folds, now it is {count}."
                " Go on with what it began with, or begin another one in another folder."
            )
        settings, count = as_it_began(before.settings, Path(out), data, options), before.count
        if data is None:
            require_there(settings, out, "clearprop cross-validate DATA, with the same options")
    elif data is None:
        raise UsageError(
            "Say what to learn from: clearprop cross-validate DATA, such as digits or photos/."
        )
    else:
        settings = settings_for(data, options)
    cluster, settings = cluster or settings.cluster, replace(settings, cluster=None)
    with output.waiting(f"Reading {settings.data}"):
        dataset = load_dataset(settings)
    output.note_data(dataset)
    found = begin(settings, dataset, count or _FOLDS)
    if before is not None:
        found = found.goes_on(before)
    for line in found.notes:
        output.note(line)
    task = None if len(found.folds) == len(found.parts) else _ready(found)
    workers = None if task is None else on_cluster(ctx, cluster)
    folder = run_folder.open_folder(out, settings.data, resume=resume, root=_ROOT)
    found.save(folder)
    try:
        for found in () if task is None else _each(found, task, workers):  # noqa: B020 - it goes on
            found.save(folder)
    except (KeyboardInterrupt, ClusterError):
        output.note(
            f"{len(found.folds)} of {len(found.parts)} folds were done before. To go on: "
            f"clearprop cross-validate --resume --out {output.word(str(folder))}"
        )
        raise
    if as_json:
        output.say_json({"folder": str(folder), **found.to_json()})
    else:
        _say(found, settings)
        output.say_line(f"Kept in {folder / run_folder.FOLDS}.")
    if len(found.ended) < len(found.folds):
        diverged = [str(k) for k, one in enumerate(found.folds, 1) if one.diverged is not None]
        output.complain(
            f"{len(diverged)} of {len(found.folds)} trainings diverged and are left out: without "
            f"fold {', '.join(diverged)}. Try a lower --learning-rate."
        )
        ctx.exit(1)


def _ready(found: CrossValidation, place: int | None = None) -> Task:
    """Make a fold ready, the next one unless given."""
    label = found.label if place is None else found.label_of(place)
    with output.waiting(f"Preparing without {label}"):
        return found.task(place)


def _each(found: CrossValidation, task: Task, workers: Cluster | None) -> Iterator[CrossValidation]:
    """Train without each fold that is not done, the first of which is ready."""
    said = set[str]()
    for last in _here(found, task) if workers is None else _elsewhere(found, workers):
        label = found.label
        for line in last.notes:
            if line not in said:
                output.note(f"Without {label}: {line}")
                said.add(line)
        found = found.and_of(last)
        yield found
        score = last.diverged or (
            f"{name(last.score_name)} {value(last.score_name, last.scores[last.score_name])}"
        )
        output.note(f"{label.capitalize()}, {last.samples:,} samples: {score}")


def _here(found: CrossValidation, task: Task) -> Iterator[FoldScores]:
    """Train in this process: several at once, where updates are so large that this pays."""
    first, count = len(found.folds), len(found.parts)
    at_once, inner = folds_at_once(task), fold_labels(task)
    with single_threaded():
        forecast = Forecast(times_of(task) * -(-(count - first) // at_once))
    total = (count - first) * (1 + len(inner))
    line = output.progress(*(f"training {k} of {total}" for k in range(1, total + 1)))
    for start in range(first, count, at_once):
        places = range(start, min(start + at_once, count))
        task = task if start == first else _ready(found, start)
        if at_once == 1:
            label = f"without {found.label_of(start)}"
            line = output.progress(*(f"{label}, inner {one}" for one in inner), label)
        watch = [forecast, *line]
        ready = [task, *[None] * (len(places) - 1)]
        jobs = [
            partial(found.score, *one, callbacks=watch, in_folds=watch)
            for one in zip(places, ready, strict=True)
        ]
        yield from together(jobs, at_once)


def _elsewhere(found: CrossValidation, workers: Cluster) -> Iterator[FoldScores]:
    """Have the workers of a cluster train."""
    places = range(len(found.folds), len(found.parts))
    units = ((found.label_of(place), place) for place in places)
    with closing(workers.each(CrossValidation.score, found, units)) as scores:
        for place in places:
            with output.waiting(f"Training, {place} of {len(found.parts)} folds are done"):
                last = next(scores)
            yield last


def _say(found: CrossValidation, settings: Settings) -> None:
    if not found.ended:
        return
    spreads, of_classes = found.spreads, found.parts.dataset.class_names is not None
    always = "larger class" if of_classes else "median" if settings.quantiles else "mean"
    baselines = _BASELINES | {"constant": always}
    rows = [
        (
            f"fold {k}",
            f"{one.samples:,}",
            f"{one.epochs:,}",
            *(value(score, one.scores.get(score, math.nan)) for score in spreads),
        )
        for k, one in enumerate(found.folds, 1)
    ]
    more = len(rows) - output.MOST_ROWS
    rows = rows[: output.MOST_ROWS] + ([(f"... {more:,} more",)] if more > 0 else [])
    for told in ("mean", "standard_error", "least", "largest"):
        numbers = (value(score, getattr(one, told)) for score, one in spreads.items())
        rows.append((told.replace("_", " "), "", "", *numbers))
    for key, word in baselines.items():
        if known := found.baseline(key):
            means = (value(s, known[s].mean if s in known else math.nan) for s in spreads)
            rows.append((f"mean of {word}", "", "", *means))
    output.say_table((" ", "samples", "epochs", *map(name, spreads)), rows)
    output.say_line(_beside(found, baselines))
    for line in _undefined(found):
        output.say_line(line)
    output.say_line(f"To train with all samples: {command_of(settings)}")


def _beside(found: CrossValidation, baselines: dict[str, str]) -> str:
    """Write the mean of the score that counts, and how far it is above what is to be beaten."""
    score, against = found.score_name, found.compared_by

    def with_error(mean: float, error: float, of: str) -> str:
        return f"{value(of, mean)} ± {value(of, error)}"

    own = found.spreads[score]
    told = [
        f"{with_error(abs(one.mean), one.standard_error, against)} "
        f"{'below' if one.mean < 0 else 'above'} that of the {word}"
        for key, word in baselines.items()
        if (one := found.above(key)) is not None
    ]
    by = "" if score == against else f", by {name(against)}"
    fold_by_fold = f"; {', '.join(told)}, fold by fold{by}" if told else ""
    mean = with_error(own.mean, own.standard_error, score)
    return f"Mean {name(score)} and its standard error: {mean}{fold_by_fold}."


def _undefined(found: CrossValidation) -> list[str]:
    count = len(found.ended)
    return [
        f"The {name(score)} is not defined in {count - one.folds} of {count} folds, which are too "
        "small or of one class: its mean is that of the others."
        for score, one in found.spreads.items()
        if one.folds < count
    ]
