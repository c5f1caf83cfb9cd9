"""The tables of docs/scaling.md, each put between its marks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.scaling import plan, results
from bench.scaling.constants import LARGE, SMALL, TINY
from bench.scaling.model import LOOPBACK, WAYS, Job, Wire, fastest, paying, step
from bench.scaling.steps import Case
from bench.words import amount, short
from clearprop.errors import DataError
from clearprop.files.written import write_text

PAGE = Path(__file__).parents[2] / "docs/scaling.md"
_MARKED = re.compile(r"(<!-- (\w+): from bench/scaling/results\.json -->\n).*?(<!-- end -->)", re.S)
_CORES = 2
_WIRES = {
    "1 Gbit/s, 1 ms": Wire(1, 1),
    "10 Gbit/s, 0.2 ms": Wire(10, 0.2),
    "100 Gbit/s, 0.05 ms": Wire(100, 0.05),
}
_CONSTANTS = {
    "flop": "an operation of a product, float32, one thread",
    "number": "a number that a layer computes besides",
    "weight": "a parameter, in each shard's part: read, gradient written, copied",
    "layer": "a layer, in each shard's part, however small",
    "add": "a parameter, when two gradients are added",
    "update": "a parameter, when Adam goes over it",
    "row": "a row of the batch, in the asking process",
    "step": "an update, in the asking process",
    "answer": "a call's way through a worker",
    "call": "each worker's call, in the asking process",
    "byte": "a byte from process to process",
}


def write() -> None:
    """Put all tables into the page anew.

    Raises
    ------
    DataError
        If the page has no place for one of them, or one for another.
    """
    tables = {
        "constants": constants(),
        "loopback": loopback(),
        "wires": wires(),
        "workers": _workers(),
        "plan": _plan(),
        "critical": _critical(),
        "batches": batches(),
        "local": local(),
    }
    page = PAGE.read_text(encoding="utf-8")
    places = [found[2] for found in _MARKED.finditer(page)]
    if sorted(places) != sorted(tables):
        raise DataError(
            f"{PAGE.name} has places for {', '.join(places)}; expected {', '.join(tables)}."
        )
    text = _MARKED.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n{found[3]}", page)
    write_text(PAGE, text)


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, the first column to the left, all others to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def constants() -> str:
    """Return the constants of the machine."""
    found = results.load()["machine"]
    return grid(
        ["constant", "seconds", "for"],
        ([f"`{name}`", f"{found[name]:.1e}", words] for name, words in _CONSTANTS.items()),
    )


def _beside(case: Case, seconds: float) -> str:
    modelled = step(case.job, results.machine(_CORES), case.wire, case.workers).seconds
    return f"{short(1e3 * seconds)} / {short(1e3 * modelled)}"


def loopback() -> str:
    """Return what was measured on loopback beside what the model says: a column for workers."""
    found = {case: taken for case, taken in results.steps().items() if case.wire == LOOPBACK}
    return _measured(found, lambda case: f"{list(case.widths)}, {case.batch:,} rows")


def wires() -> str:
    """Return the same over wires."""
    found = {case: taken for case, taken in results.steps().items() if case.wire != LOOPBACK}
    return _measured(
        found,
        lambda case: (
            f"{list(case.widths)}, {case.batch:,} rows; {case.wire.gigabits:g} Gbit/s, "
            f"{case.wire.milliseconds:g} ms"
        ),
    )


def _measured(found: dict[Case, float], title: Any) -> str:
    counts = sorted({case.workers for case in found})
    rows: dict[str, dict[int, str]] = {}
    for case, seconds in found.items():
        rows.setdefault(title(case), {})[case.workers] = _beside(case, seconds)
    return grid(
        ["ms, measured / modelled", *map(_of_workers, counts)],
        ([name, *(fields[count] for count in counts)] for name, fields in rows.items()),
    )


def _of_workers(count: int) -> str:
    return f"{count:,} worker" + "s" * (count > 1)


def _workers() -> str:
    """Return by how many workers an update is over soonest, and how many pay, of each way."""
    machine = results.machine()

    def rows() -> Iterator[list[str]]:
        for widths, batch in ((TINY, 4096), (SMALL, 4096), (LARGE, 4096), (LARGE, 65_536)):
            job = Job.dense(widths, batch)
            for name, wire in _WIRES.items():
                fields = []
                for way in WAYS:
                    count, seconds = fastest(job, machine, wire, way)
                    fields.append(
                        f"{paying(job, machine, wire, way)}; {count} in {amount(seconds, 's')}"
                    )
                alone = step(job, machine, wire).seconds
                yield [f"{job.parameters:,}", f"{batch:,}", name, amount(alone, "s"), *fields]

    head = ["parameters", "batch", "network", "one worker", "star, as today", "tree", "halving"]
    return grid(head, rows())


def _plan() -> str:
    """Return the days of a training of ten billion rows: a row for each number of workers."""
    machine = results.machine()
    cost = results.local_cost(plan.LOCAL_STEPS)

    def rows() -> Iterator[list[str]]:
        for count in plan.WORKERS:
            star, halving = (plan.training(machine, count, way) for way in ("star", "halving"))
            best = plan.training(machine, count, "halving", batch=None)
            alone = plan.training(
                machine, count, "halving", local_steps=plan.LOCAL_STEPS, cost=cost
            )
            yield [
                f"{count:,}",
                f"{amount(star.update, 's')}, {short(star.days)} days",
                f"{amount(halving.update, 's')}, {short(halving.days)} days",
                f"{best.batch:,}: {amount(best.update, 's')}, {short(best.days)} days",
                f"{amount(alone.update, 's')}, {short(alone.days)} days",
            ]

    head = [
        "workers",
        "star",
        "halving",
        "halving, best batch",
        f"halving, {plan.LOCAL_STEPS} local steps",
    ]
    return grid(head, rows())


def _critical() -> str:
    """Return the best batches and days for other critical batches."""
    machine = results.machine()

    def rows() -> Iterator[list[str]]:
        for critical in (1_000.0, 10_000.0, 100_000.0):
            need = replace(plan.NEED, critical=critical)
            taken = (
                plan.training(machine, count, "halving", batch=None, need=need)
                for count in plan.WORKERS[1:]
            )
            fields = (
                f"{one.batch:,}: {short(one.days)} days, {one.rows / plan.ROWS:.1f} passes"
                for one in taken
            )
            yield [f"{critical:,.0f}", *fields]

    return grid(["critical batch", *map(_of_workers, plan.WORKERS[1:])], rows())


def batches() -> str:
    """Return what batches take of each goal."""
    learning = results.load()["learning"]

    def rows() -> Iterator[list[str]]:
        for name, found in learning.items():
            need = results.need(name)
            for batch, one in found["batches"].items():
                yield [
                    name,
                    batch,
                    f"{one['rate']:.2g}",
                    f"{one['rows'] / int(batch):,.0f}",
                    f"{one['rows']:,.0f} ± {one['error']:,.0f}",
                    f"{need.rows_seen(int(batch)):,.0f}",
                ]

    return grid(["goal", "batch", "rate", "updates", "rows", "rows, fitted"], rows())


def local() -> str:
    """Return what local steps take of each goal."""
    learning = results.load()["learning"]

    def rows() -> Iterator[list[str]]:
        for name, found in learning.items():
            alone = found["local"]["1"]["rows"]
            for steps, one in found["local"].items():
                exchanges = one["rows"] / (int(steps) * results.LOCAL_BATCH)
                yield [
                    name,
                    steps,
                    f"{one['rate']:.2g}",
                    f"{exchanges:,.0f}",
                    f"{one['rows']:,.0f} ± {one['error']:,.0f}",
                    f"{one['rows'] / alone:.2f}",
                ]

    head = ["goal", "local steps", "rate", "exchanges", "rows", "times as many"]
    return grid(head, rows())
