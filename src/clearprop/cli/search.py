"""``clearprop search``."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
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
    typed,
)
from clearprop.cli.scores import name, value
from clearprop.core.blas import available_cores
from clearprop.errors import ClusterError, UsageError, counted, listed, shortened
from clearprop.experiment import Settings, Task, load_dataset
from clearprop.experiment import folder as run_folder
from clearprop.experiment.fold import Spread
from clearprop.experiment.halving import Job, rungs_of
from clearprop.experiment.mattered import Mattered, Part
from clearprop.experiment.runs import require_there
from clearprop.experiment.search import Search, begin_search, read_search
from clearprop.training.together import together
from clearprop.training.units import Cluster

_FOLDS, _BUDGET = 5, 300.0
_ROOT = Path("searches")
_MOST_ROWS = 15  # of the table of candidates
_TYPED = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", re.ASCII)
_LONGEST = 366 * 24 * 3600.0
_BASELINES = {"constant": "larger class", "linear": "linear model"}


class _Duration(click.ParamType[float]):
    """Seconds, typed as ``30s``, ``5m``, ``1h``, ``1h30m``, or as a plain number of them."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found = _TYPED.fullmatch(str(value).strip().lower())
        if found is None or not any(found.groups()):
            self.fail(
                f"{shortened(value)} is no duration. Write seconds, minutes or hours, as in 90s, "
                "5m or 1h30m.",
                param,
                ctx,
            )
        hours, minutes, seconds = (float(one or 0) for one in found.groups())
        total = 3600 * hours + 60 * minutes + seconds
        if not 0 < total <= _LONGEST:
            self.fail(
                f"{shortened(value)} leaves no time for a training; give 5m, for instance."
                if total == 0
                else f"{shortened(value)} is more than a year.",
                param,
                ctx,
            )
        return total


@command(
    "clearprop search people.csv --target buys",
    "clearprop search people.csv --target buys --budget 30m --folds 10",
    "clearprop search visits.csv --target ill --group patient --dropout 0",
    "clearprop search --resume --out searches/people --budget 1h",
)
@click.argument("data", required=False, type=DataName())
@click.option(
    "--budget",
    type=_Duration(),
    metavar="TIME",
    help="The time that trainings may take: 90s, 5m, 1h30m.  [default: 5m]",
)
@click.option(
    "--folds",
    "count",
    type=click.IntRange(min=2),
    metavar="K",
    help=f"The parts that the best candidates are scored by, each in turn.  [default: {_FOLDS}]",
)
@setting_option("layers")
@partial(task_options, without=("folds", "test", "cluster"))
@click.option(
    "--out",
    metavar="FOLDER",
    help=f"Where all that was tried is kept.  [default: a new one under {_ROOT}/]",
)
@click.option("--resume", is_flag=True, help="Go on with the one in --out, to the same bits.")
@cluster_option
@output.json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    data: str | None,
    budget: float | None,
    count: int | None,
    out: str | None,
    resume: bool,
    cluster: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Try settings on DATA by cross-validation, and tell the command that trains the best.

    What matters for the network and is not given is drawn at random: rate, layers, dropout and
    others. All candidates are scored by one part of the data that is left out, the better third by
    three, and so on; the defaults are the first of them, and the best is compared with them.
    """
    before = None
    if resume:
        if out is None:
            raise UsageError("Say which search to go on with: --resume --out FOLDER.")
        before = read_search(Path(out))
        own = before.of
        if count is not None and count != own.count:
            raise UsageError(
                f"The search in {out} began with {own.count} folds, now it is {count}. Go on with "
                "what it began with, or begin another one in another folder."
            )
        settings, count = as_it_began(own.settings, Path(out), data, options), own.count
        budget = before.budget if budget is None else budget
        if data is None:
            require_there(settings, out, "clearprop search DATA, with the same options")
    elif data is None:
        raise UsageError(
            "Say what to learn from: clearprop search DATA, such as people.csv or photos/."
        )
    else:
        settings = settings_for(data, options)
    cluster, settings = cluster or settings.cluster, replace(settings, cluster=None)
    with output.waiting(f"Reading {settings.data}"):
        dataset = load_dataset(settings)
    output.note_data(dataset)
    found = begin_search(settings, dataset, count or _FOLDS, budget or _BUDGET)
    if before is not None:
        found = found.goes_on(before)
    for line in found.base.notes:
        output.note(line)
    task = None
    if jobs := found.next(1)[1]:
        with output.waiting(f"Preparing without {found.base.label_of(jobs[0].fold)}"):
            task = found.task(jobs[0])
    workers = on_cluster(ctx, cluster) if jobs else None
    folder = run_folder.open_folder(out, settings.data, resume=resume, root=_ROOT)
    found.save(folder)
    to_resume = f"clearprop search --resume --out {output.word(str(folder))}"
    try:
        for found in _each(found, task, workers, to_resume):  # noqa: B020 - it goes on
            found.save(folder)
    except (KeyboardInterrupt, ClusterError):
        done = sum(len(one.folds) for one in found.candidates)
        output.note(f"{counted(done, 'training')} were done before. To go on: {to_resume}")
        raise
    if as_json:
        output.say_json(
            {
                "folder": str(folder),
                **found.to_json(),
                **found.outcome_to_json(),
                "command": command_of(found.as_candidate(settings, found.chosen)),
                "commands": [
                    command_of(found.as_candidate(settings, k))
                    for k in range(len(found.candidates))
                ],
            }
        )
    else:
        _say(found, settings, to_resume)
        output.say_line(f"Kept in {folder / run_folder.SEARCH}.")
    if found.score_name == "":
        output.complain("Every training diverged. Try a lower --learning-rate.")
        ctx.exit(1)


def _each(
    found: Search, task: Task | None, workers: Cluster | None, to_resume: str
) -> Iterator[Search]:
    """Do the trainings that are due until there are no more; the first one's task is ready."""
    last, rungs, begun = perf_counter(), len(found.rungs), found
    while True:
        found, jobs = found.next(available_cores() if workers is None else workers.at_once)
        if len(found.rungs) > rungs:
            rungs = len(found.rungs)
            _note_rung(found)
        if not jobs:
            yield found
            return
        with output.waiting(_label(found, jobs)):
            if workers is None:
                ready = [task, *[None] * (len(jobs) - 1)]
                trainings = zip(jobs, ready, strict=True)
                scores = together([partial(found.score, *one) for one in trainings])
            else:  # which have what was there when they began, and need no more
                units = ((_named(found, job), job) for job in jobs)
                scores = list(workers.each(Search.score, begun, units))
        now, task = perf_counter(), None
        found, last = found.and_of(jobs, scores, now - last), now
        yield found
        if jobs[0].candidate == 0:
            _require_time(found, to_resume)


def _named(found: Search, job: Job) -> str:
    who = f"candidate {job.candidate}" if job.candidate else "the defaults"
    return f"{who} without {found.base.label_of(job.fold)}"


def _label(found: Search, jobs: list[Job]) -> str:
    names = [f"candidate {job.candidate}" if job.candidate else "the defaults" for job in jobs]
    folds = [str(1 + job.fold) for job in jobs]
    left = _clock(max(found.budget - found.standing.spent, 0.0))
    return (
        f"Training {listed(dict.fromkeys(names))} without fold {listed(dict.fromkeys(folds))} of "
        f"{found.folds}, {left} left"
    )


def _require_time(found: Search, to_resume: str) -> None:
    """Refuse a budget that is too small, by what trainings take; else tell what it allows."""
    standing, folds = found.standing, found.folds
    done, each = len(found.candidates[0].folds), standing.least_budget / (2 * folds)
    # The first training may have compiled code: one more tells what they take.
    if (done > 1 and standing.least_budget > found.budget) or standing.spent > found.budget:
        raise UsageError(
            f"A budget of {_typed_duration(found.budget)} is too small: a training takes "
            f"{output.duration(each)}, and the defaults and one candidate, each without {folds} "
            f"folds in turn, are {2 * folds} of them. To go on with more: {to_resume} --budget "
            f"{_typed_duration(2 * max(standing.least_budget, standing.spent))}"
        )
    if done == folds:
        output.note(
            f"A training takes {output.duration(each)}: {_clock(found.budget)} allow for about "
            f"{found.budget / max(each, 1e-3):,.0f} of them."
        )


def _note_rung(found: Search) -> None:
    """Tell how many candidates there were in the last rung, and how many go on."""
    *_, before, members = found.rungs
    done, folds = rungs_of(found.folds)[len(found.rungs) - 2 :][:2]
    if not members:  # time has run out
        return
    output.note(
        f"{counted(len(before), 'candidate')} scored by {counted(done, 'fold')} in "
        f"{_clock(found.standing.spent)}; next, by {folds}: the best {len(members):,}."
    )


def _say(found: Search, settings: Settings, to_resume: str) -> None:
    if not found.is_whole or found.score_name == "":
        return
    score = found.score_name
    ranked = found.ranked()
    rows = [_row(found, k, score) for k in ranked[:_MOST_ROWS]]
    output.say_table(
        (" ", f"mean {name(score)}", "standard error", "folds", "time", "settings "), rows
    )
    if (more := len(ranked) - len(rows)) > 0:
        output.say_line(f"... and {more:,} more; --json has them all")
    _say_mattered(found, score)
    _say_best(found, settings, score, to_resume)


def _row(found: Search, candidate: int, score: str) -> tuple[str, ...]:
    own, spread = found.candidates[candidate], found.spread(candidate)
    return (
        f"candidate {candidate}" if candidate else "the defaults",
        value(score, spread.mean),
        value(score, spread.standard_error),
        f"{len(own.folds)}",
        output.duration(math.fsum(own.seconds)),
        " ".join(map(output.word, typed(**own.changes))),
    )


def _say_mattered(found: Search, score: str) -> None:
    """Say how the score went with each setting."""
    told = found.mattered()
    if not told:
        output.say("Too few candidates were tried to say what mattered.")
        return
    rows = [(setting, *_mattered_row(setting, one, score)) for setting, one in told.items()]
    output.say("")
    output.say_table(
        ("setting ", "least ", "middle ", "largest ", "correlation", "by chance"),
        rows,
        title=f"What mattered: mean {name(score)} on the first fold, and the rank correlation of "
        "setting and score.",
    )
    mattering = [key for key, one in told.items() if one.is_beyond_chance]
    output.say_line(
        f"Beyond chance, as 1 in 20 is by chance: {', '.join(mattering)}."
        if mattering
        else "None of them goes with the score beyond chance."
    )
    output.say("")


def _mattered_row(setting: str, one: Mattered, score: str) -> tuple[str, ...]:
    cells = [_part(setting, part, score) for part in one.parts]
    cells += [""] * (3 - len(cells))
    return (
        *cells,
        "–" if math.isnan(one.correlation) else f"{one.correlation:+.2f}",
        "–" if math.isnan(one.correlation) else f"±{one.by_chance:.2f}",
    )


def _part(setting: str, part: Part, score: str) -> str:
    ends = [typed(**{setting: end})[-1] for end in (part.least, part.most)]
    return f"{value(score, part.score)} ({' to '.join(dict.fromkeys(ends))})"


def _say_best(found: Search, settings: Settings, score: str, to_resume: str) -> None:
    """Say how far the best is above the defaults, and what to type."""
    usual, best = found.spread(0), found.best
    to_train = command_of(found.as_candidate(settings, best))
    of_defaults = command_of(settings)
    folds = f"over {found.folds} folds"
    for_defaults = f"Mean {name(score)} of the defaults {folds}: {_with_error(usual, score)}"
    output.say_line(f"{for_defaults}{_to_beat(found, score)}.")
    rivals = len(found.candidates) - 1
    above = found.above
    if above is None:
        if any(len(one.folds) == found.folds for one in found.candidates[1:]):
            output.say_line(f"{counted(rivals, 'candidate')} tried, and none of them is better.")
        else:
            output.say_line(
                f"{counted(rivals, 'candidate')} tried, and there was no time to score one by all "
                f"folds. To go on: {to_resume} --budget {_typed_duration(2 * found.budget)}"
            )
        output.say_line(f"To train the defaults with all samples: {of_defaults}")
        return
    output.say_line(
        f"Best is candidate {best} of {rivals}: {_with_error(found.spread(best), score)}, "
        f"{_with_error(above, score)} above the defaults, fold by fold. As this score has chosen "
        "it, it flatters."
    )
    alike = f"of candidates that are all alike one would be as far above in {found.chance:.0%} of"
    if found.is_better:
        output.say_line(f"That is more than chance: {alike} such searches.")
        output.say_line(f"To train it with all samples: {to_train}")
        return
    output.say_line(f"That is no better than the defaults beyond chance: {alike} such searches.")
    output.say_line(f"To train the defaults with all samples: {of_defaults}")
    output.say_line(f"To train candidate {best} all the same: {to_train}")


def _to_beat(found: Search, score: str) -> str:
    """Write what the baselines reach on the same folds."""
    of_defaults = found.with_folds_of(0)
    words = _BASELINES | ({} if found.base.parts.dataset.class_names else {"constant": "mean"})
    told = [
        f"{word} {value(score, known[score].mean)}"
        for key, word in words.items()
        if score in (known := of_defaults.baseline(key))
    ]
    return f" ({', '.join(told)})" if told else ""


def _with_error(spread: Spread, score: str) -> str:
    return f"{value(score, spread.mean)} ± {value(score, spread.standard_error)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
    )


def _typed_duration(seconds: float) -> str:
    """Write a duration as one types it, rounded up."""
    if seconds < 10:
        return f"{math.ceil(seconds * 10) / 10:g}s"
    if seconds < 120:
        return f"{math.ceil(seconds)}s"
    return f"{math.ceil(seconds / 60)}m"
