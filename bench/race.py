"""The time to a test accuracy."""

from bench.cells import Cell
from bench.peers import CLEARPROP, Entry
from bench.pool import PeerError, Pool
from bench.results import Figure, Line
from bench.timing import Contender, best, failure, on_disk, say
from bench.work import Effort, Training

TARGETS = (0.98, 0.985)
_TRIED = 40  # updates at most on which settings are tried


def race(pool: Pool, entries: tuple[Entry, ...], cell: Cell, effort: Effort) -> list[Line]:
    """Train until the last target is reached, and return a line for each target.

    Everybody has the first recipe that they can do. Each trains once: that takes far longer than
    what disturbs it.

    Raises
    ------
    PeerError
        If clearprop itself fails.
    """
    reached: dict[str, tuple[Contender, dict[str, float | None], float]] = {}
    failed: dict[str, Figure] = {}
    for entry in entries:
        try:
            run = _run(pool, entry, cell, effort)
        except PeerError as error:
            failed[entry.name] = failure(entry.name, error)
            continue
        if run is not None:
            reached[entry.name] = run
    return [
        Line(
            f"{cell.name}-{target:g}",
            f"{cell.title} to {target:.1%}",
            "s",
            failed | _figures(reached, str(target)),
        )
        for target in TARGETS
    ]


def _run(
    pool: Pool, entry: Entry, cell: Cell, effort: Effort
) -> tuple[Contender, dict[str, float | None], float] | None:
    for make in (cell.make, *cell.simpler):
        task = make()
        with on_disk(task) as path:
            one = best(pool, entry, path, Training(min(_TRIED, task.rule.steps)), effort)
            if one is not None and one.differs is None:
                answer = one.remote.ask("learn", targets=TARGETS, limit=effort.limit)
                one.remote.ask("drop")
                say(f"  {entry.name:<18}{answer['reached']}, best {answer['best']:.2%}")
                return one, answer["reached"], answer["best"]
    return None


def _figures(
    reached: dict[str, tuple[Contender, dict[str, float | None], float]], target: str
) -> dict[str, Figure]:
    reference = reached[CLEARPROP.name][1][target]
    figures = {}
    for name, (one, times, accuracy) in reached.items():
        seconds = times[target]
        figures[name] = Figure(
            seconds,
            seconds / reference if seconds and reference else None,
            one.setting.in_words(),
            remark="" if seconds else f"not reached: {accuracy:.2%} at best",
        )
    return figures
