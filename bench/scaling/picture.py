"""The picture of docs/scaling.md: model beside measurement, ways, ten billion rows, batches."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from bench.scaling import plan, results
from bench.scaling.constants import LARGE, SMALL, TINY
from bench.scaling.model import LOOPBACK, WAYS, Job, Machine, step
from bench.scaling.simulation import simulate
from bench.scaling.steps import Case
from clearprop.plots import save
from clearprop.plots.figures import PALETTE, chart, finished, heading, new_figure, plain_numbers
from clearprop.plots.figures import SMALL as SMALL_TEXT

FILE = Path(__file__).parents[2] / "docs/images/scaling.png"
_CORES = 2
_SHOWN = ((LARGE, 4096), (LARGE, 512), (SMALL, 4096), (TINY, 4096))
_MANY = tuple(2**power for power in range(11))


def draw() -> None:
    """Write the picture."""
    save(figure(), FILE)


def figure() -> Figure:
    """Return the figure."""
    drawn = new_figure(7.4)
    heading(drawn, "What more workers are good for")
    axes = drawn.subplots(2, 2).ravel()
    _loopback(axes[0])
    _ways(axes[1], results.machine())
    _days(axes[2], results.machine())
    _batches(axes[3])
    return finished(drawn)


def _finish(axes: Axes, title: str, x: str, y: str, ticks: tuple[int, ...]) -> None:
    chart(axes, title, x, y)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(ticks)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain_numbers)
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend(fontsize=SMALL_TEXT, frameon=False)


def _loopback(axes: Axes) -> None:
    """Draw updates of one machine's processes: measured as marks, modelled as lines."""
    measured, machine = results.steps(), results.machine(_CORES)
    for (widths, batch), colour in zip(_SHOWN, PALETTE, strict=False):
        cases = [
            case
            for case in measured
            if (case.widths, case.batch, case.wire) == (widths, batch, LOOPBACK)
        ]
        counts = range(1, max(case.workers for case in cases) + 1)
        modelled = [
            1e3 * step(Case(widths, batch, count, LOOPBACK).job, machine, LOOPBACK, count).seconds
            for count in counts
        ]
        axes.plot(counts, modelled, color=colour, linewidth=1.3)
        axes.plot(
            [case.workers for case in cases],
            [1e3 * measured[case] for case in cases],
            "o",
            color=colour,
            markersize=4,
            label=f"{list(widths)}, {batch:,} rows",
        )
    axes.set_ylim(0.3, 400)  # room for the names
    _finish(axes, "On two cores; dots are measured", "workers", "ms an update", (1, 2, 3, 4, 8))


def _ways(axes: Axes, machine: Machine) -> None:
    """Draw updates over a wire by each way: closed form, and dashed with stragglers."""
    for way, colour in zip(WAYS, PALETTE, strict=False):
        jobs = [Job.dense(plan.WIDTHS, plan.BATCH).for_workers(count) for count in _MANY]
        pairs = list(zip(jobs, _MANY, strict=True))
        usual = [1e3 * step(job, machine, plan.WIRE, count, way).seconds for job, count in pairs]
        slow = [
            1e3 * simulate(job, machine, plan.WIRE, count, way, plan.STRAGGLERS).mean()
            for job, count in pairs
        ]
        axes.plot(_MANY, usual, color=colour, label=way)
        axes.plot(_MANY, slow, color=colour, linestyle=":")
    title = f"Over {plan.WIRE.gigabits:g} Gbit/s; dotted with stragglers"
    _finish(axes, title, "workers", f"ms an update of {plan.BATCH:,} rows", _MANY[::2])


def _days(axes: Axes, machine: Machine) -> None:
    """Draw how long a training of ten billion rows takes."""
    cost = results.local_cost(plan.LOCAL_STEPS)
    shown = {
        "star, 4,096 rows": [plan.training(machine, count, "star") for count in _MANY],
        "halving, 4,096 rows": [plan.training(machine, count, "halving") for count in _MANY],
        "halving, best batch": [plan.training(machine, count, "halving", None) for count in _MANY],
        f"halving, {plan.LOCAL_STEPS} local steps": [
            plan.training(machine, count, "halving", local_steps=plan.LOCAL_STEPS, cost=cost)
            for count in _MANY
        ],
    }
    colours = (PALETTE[0], PALETTE[2], PALETTE[1], PALETTE[3])
    for (name, trainings), colour in zip(shown.items(), colours, strict=True):
        axes.plot(_MANY, [one.days for one in trainings], color=colour, label=name)
    _finish(axes, "Ten billion rows, with stragglers", "workers", "days", _MANY[::2])


def _batches(axes: Axes) -> None:
    """Draw the rows that goals took by the batch, with their fits, and by local steps."""
    learning = results.load()["learning"]
    for (name, found), colour in zip(learning.items(), PALETTE, strict=False):
        sizes = [int(batch) for batch in found["batches"]]
        fitted, need = np.geomspace(sizes[0], sizes[-1], 50), results.need(name)
        axes.plot(fitted, [need.rows_seen(size) for size in fitted], color=colour, linewidth=1.3)
        rows = [one["rows"] for one in found["batches"].values()]
        axes.plot(sizes, rows, "o", color=colour, markersize=4, label=name)
        exchanged = [int(steps) * results.LOCAL_BATCH for steps in found["local"]]
        local = [one["rows"] for one in found["local"].values()]
        label = f"{name}, local steps"
        axes.plot(exchanged, local, "x", color=colour, markersize=5, label=label)
    _finish(
        axes, "Until a goal is reached", "rows between exchanges", "rows seen", tuple(sizes[::2])
    )
