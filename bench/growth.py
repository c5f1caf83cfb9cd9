"""How the cost of an update grows with samples, features, width and depth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from bench import data
from bench.peers import Entry
from bench.pool import Pool
from bench.task import Rule, Task
from bench.timing import measure, say
from bench.work import Effort, Training

FILE = Path(__file__).with_name("growth.png")
_PEERS = ("clearprop", "published loop", "scikit-learn", "PyTorch", "JAX")
_UPDATES = 100

Seconds: TypeAlias = Mapping[str, Mapping[int, float]]
"""By peer and size: what an update takes."""


@dataclass(frozen=True)
class Shape:
    """Full-batch gradient descent: what is varied, one at a time.

    Parameters
    ----------
    samples, features, width : int
    depth : int
        Hidden layers.
    """

    samples: int = 400
    features: int = 1000
    width: int = 32
    depth: int = 2

    def task(self) -> Task:
        """Make a task of this shape, in float32."""
        widths = (*(self.width for _ in range(self.depth)), 10)
        X, y = data.table(self.samples, self.features, 10)
        return Task(Rule(widths, _UPDATES, None, "sgd", 1e-3), X, y)


SIZES = {
    "samples": (50, 200, 800, 3200),
    "features": (100, 1000, 10_000, 50_000),
    "width": (8, 32, 128, 512),
    "depth": (1, 2, 4, 8),
}


def measured(pool: Pool, entries: Sequence[Entry], effort: Effort) -> dict[str, Seconds]:
    """Time an update for every size of each of the four, all else at its default."""
    chosen = tuple(entry for entry in entries if entry.name in _PEERS)
    less = replace(effort, rounds=min(effort.rounds, 2), turn=effort.trial, trial=effort.trial / 4)
    panels: dict[str, Seconds] = {}
    for what, sizes in SIZES.items():
        seconds: dict[str, dict[int, float]] = {}
        for size in sizes:
            say(f" {what} {size}")
            task = replace(Shape(), **{what: size}).task()
            for peer, figure in measure(pool, chosen, task, Training(_UPDATES), less).items():
                if figure.value is not None:
                    seconds.setdefault(peer, {})[size] = figure.value / _UPDATES
        panels[what] = seconds
    return panels


def draw(panels: Mapping[str, Seconds]) -> None:
    """Write `growth.png`: four charts, logarithmic both ways."""
    from matplotlib.ticker import NullFormatter, NullLocator

    from clearprop.plots import save
    from clearprop.plots.style import (
        PALETTE,
        chart,
        finished,
        heading,
        legend,
        new_figure,
        plain_numbers,
    )

    figure = new_figure(6.4)
    heading(figure, "How the time of an update grows, all else staying as it is")
    all_axes = figure.subplots(2, 2).ravel()
    for axes, (what, seconds) in zip(all_axes, panels.items(), strict=True):
        lines = [
            axes.loglog(
                list(of_peer),
                [1e3 * taken for taken in of_peer.values()],
                color=PALETTE[_PEERS.index(peer)],
                marker="o",
                markersize=3,
                linewidth=2 if peer == _PEERS[0] else 1.2,
            )[0]
            for peer, of_peer in seconds.items()
        ]
        chart(axes, "", what, "milliseconds")
        axes.set_xticks(SIZES[what])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(plain_numbers)
        axes.yaxis.set_major_formatter(plain_numbers)
        axes.yaxis.set_minor_formatter(NullFormatter())
    legend(all_axes[0], lines, list(seconds), loc="upper left")
    save(finished(figure), FILE)
