"""The time of an update with W workers, in closed form.

Three ways of sending weights out and gradients back. `"star"` is what `Trainer(cluster=)` does: the
asking process sends all weights to each worker, and takes the sums of each. The other two are not
built. `"tree"`: who has the weights passes them on, and sums come back the same way, which takes
log2(W + 1) rounds each (a binomial tree). `"halving"`: each worker ends with the sum of a W-th of
the gradient, updates this part, and all exchange parts: recursive halving and doubling (Thakur,
Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", 2005), whose
sums have the order of a binary tree, too. In both of these workers choose their own rows, so that
nothing but weights and gradients travels.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["star", "tree", "halving"]
WAYS: tuple[Way, ...] = ("star", "tree", "halving")
MOST = 1024  # workers that are looked at


@dataclass(frozen=True)
class Job:
    """A network and the batches that it learns from.

    Parameters
    ----------
    parameters : int
    batch : int
        The rows of a batch.
    shards : int, default 16
        The virtual shards: more workers than these have nothing to do.
    layers : int, default 5
    numbers : float, default 0
        The numbers that layers compute for one row, besides products.
    inputs : int, default 0
        The parameters behind the inputs, which have no gradient of their inputs.
    outputs : int, default 1
        The logits of a row.
    itemsize : int, default 4
        The bytes of a number.
    """

    parameters: int
    batch: int
    shards: int = 16
    layers: int = 5
    numbers: float = 0.0
    inputs: int = 0
    outputs: int = 1
    itemsize: int = 4

    @classmethod
    def dense(cls, widths: Sequence[int], batch: int, shards: int = 16) -> "Job":
        """Return the job of dense layers of some widths, inputs first, with an activation each."""
        weights = [before * after for before, after in pairwise(widths)]
        return cls(
            parameters=sum(weights) + sum(widths[1:]),
            batch=batch,
            shards=shards,
            layers=2 * len(weights) - 1,
            numbers=float(sum(widths[1:])),
            inputs=weights[0],
            outputs=widths[-1],
        )

    def for_workers(self, workers: int) -> "Job":
        """Return the job with a shard for each worker at least."""
        return replace(self, shards=max(self.shards, workers))

    @property
    def flops(self) -> float:
        """Operations on one row: two for each weight forward, for its gradient, and for inputs'."""
        return 6.0 * self.parameters - 2.0 * self.inputs

    @property
    def bytes(self) -> int:
        """The bytes of all weights, and of a gradient."""
        return self.itemsize * self.parameters


@dataclass(frozen=True)
class Machine:
    """What one thread of a worker, and the asking process, take for their work; all in seconds.

    Parameters
    ----------
    flop : float
        An operation of products.
    number : float
        A number that layers compute besides.
    weight : float
        A parameter in a shard's part of a batch: read, and its gradient written and copied.
    layer : float
        A layer's passes over a shard's part, however few rows it has.
    add : float
        A parameter, when two gradients are added.
    update : float
        A parameter, when the optimizer goes over it.
    row : float
        A row of a batch, in the asking process: drawn, sorted to its shard, its logits gathered.
    step : float
        An update, in the asking process, whatever its size.
    answer : float
        A worker's, after it was called, however little it has to tell.
    call : float
        A worker's call and answer, in the asking process.
    byte : float
        A byte that goes from one process to another without a wire.
    cores : float, optional
        Cores that all workers share; one each unless given.
    """

    flop: float
    number: float
    weight: float
    layer: float
    add: float
    update: float
    row: float
    step: float
    answer: float
    call: float
    byte: float
    cores: float | None = None

    def part(self, job: Job) -> float:
        """Return the seconds of one shard's part of a batch, on one core."""
        rows = job.batch / job.shards
        of_rows = rows * (job.flops * self.flop + job.numbers * self.number)
        return of_rows + job.parameters * self.weight + job.layers * self.layer

    def computing(self, job: Job, workers: int) -> float:
        """Return the seconds until the last worker has the sum of its parts."""
        most = math.ceil(job.shards / workers)
        alone = most * self.part(job) + (most - 1) * job.parameters * self.add
        if self.cores is None:
            return alone
        return max(alone, job.shards * self.part(job) / self.cores)


@dataclass(frozen=True)
class Wire:
    """A network: what each end of it can send and take, both at once.

    Parameters
    ----------
    gigabits : float
        A second.
    milliseconds : float
        There and back.
    """

    gigabits: float = math.inf
    milliseconds: float = 0.0

    @property
    def round_trip(self) -> float:
        """Seconds there and back."""
        return self.milliseconds / 1e3

    def byte(self, machine: Machine) -> float:
        """Return the seconds of a byte: of the processes or the wire, whichever is slower."""
        return max(machine.byte, 8e-9 / self.gigabits)


LOOPBACK = Wire()
"""Processes of one machine."""


@dataclass(frozen=True)
class Step:
    """The parts of an update's time, in seconds.

    Parameters
    ----------
    computing : float
        By the workers.
    down, up : float
        Weights that go out, and gradients that come back.
    waiting : float
        The way there and back, and what a call costs.
    asking : float
        The sums, the optimizer and what else one process does while all others wait.
    """

    computing: float
    down: float
    up: float
    waiting: float
    asking: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.computing + self.down + self.up + self.waiting + self.asking


def step(
    job: Job,
    machine: Machine,
    wire: Wire = LOOPBACK,
    workers: int = 1,
    way: Way = "star",
    local_steps: int = 1,
) -> Step:
    """Return the time of an update.

    Parameters
    ----------
    job : Job
    machine : Machine
    wire : Wire
    workers : int
        From 1; of more than there are shards the others have nothing to do.
    way : {"star", "tree", "halving"}
    local_steps : int, default 1
        Updates that each worker does by itself before weights are averaged; not built either. The
        time is that of one of them, with its share of the exchange.

    Raises
    ------
    ValueError
        If there is no worker, no such way, or no step.
    """
    if workers < 1 or local_steps < 1 or way not in WAYS:
        raise ValueError(
            f"Found {workers} workers, {local_steps} local steps and the way {way!r}; expected at "
            f"least one of each, and one of {', '.join(WAYS)}."
        )
    workers = min(workers, job.shards)
    once = _WAYS[way](job, machine, wire, workers)
    if local_steps == 1:
        return once
    by_itself = job.parameters * machine.update
    return Step(
        once.computing + by_itself,
        *(part / local_steps for part in (once.down, once.up, once.waiting, once.asking)),
    )


def _star(job: Job, machine: Machine, wire: Wire, workers: int) -> Step:
    sums = sums_sent(job.shards, workers)
    byte = wire.byte(machine)
    return Step(
        computing=machine.computing(job, workers),
        down=(workers * job.bytes + 8 * job.batch) * byte,
        up=(sums * job.bytes + job.batch * (job.itemsize * job.outputs + 8)) * byte,
        waiting=wire.round_trip + machine.answer + workers * machine.call,
        asking=machine.step
        + job.batch * machine.row
        + job.parameters * (machine.update + (sums - 1) * machine.add),
    )


def _tree(job: Job, machine: Machine, wire: Wire, workers: int) -> Step:
    rounds = math.ceil(math.log2(workers + 1))
    one_way = rounds * job.bytes * wire.byte(machine)
    return Step(
        computing=machine.computing(job, workers),
        down=one_way,
        up=one_way + (rounds - 1) * job.parameters * machine.add,  # the first sum is alone there
        waiting=rounds * (wire.round_trip + machine.answer + machine.call),
        asking=machine.step + job.batch / workers * machine.row + job.parameters * machine.update,
    )


def _halving(job: Job, machine: Machine, wire: Wire, workers: int) -> Step:
    rounds, others = math.ceil(math.log2(workers)), 1 - 1 / workers
    one_way = others * job.bytes * wire.byte(machine)
    return Step(
        computing=machine.computing(job, workers),
        down=one_way,
        up=one_way + others * job.parameters * machine.add,
        waiting=rounds * (wire.round_trip + machine.answer + machine.call),
        asking=machine.step
        + job.batch / workers * machine.row
        + job.parameters / workers * machine.update,
    )


_WAYS = {"star": _star, "tree": _tree, "halving": _halving}


@cache
def sums_sent(shards: int, workers: int) -> int:
    """Return how many sums of gradients come back in a star: the nodes that workers have whole.

    Workers have neighbouring shards, as many each as can be. Where their number divides that of
    shards, and both are powers of two, each sends one.
    """
    ends = [place * shards // workers for place in range(1, workers + 1)]

    def within(start: int, stop: int) -> int:
        if ends[bisect_right(ends, start)] >= stop:
            return 1
        middle = start + (1 << (stop - start - 1).bit_length() - 1)
        return within(start, middle) + within(middle, stop)

    return within(0, shards)


def fastest(
    job: Job, machine: Machine, wire: Wire, way: Way = "star", most: int = MOST
) -> tuple[int, float]:
    """Return the number of workers by which an update is over soonest, and its seconds.

    Parameters
    ----------
    job : Job
        Where there are more workers than its shards, there are as many shards as workers.
    machine, wire, way
        As `step` takes them.
    most : int
        The workers that there may be.
    """
    return min(_by_workers(job, machine, wire, way, most).items(), key=lambda one: (one[1], one[0]))


def paying(
    job: Job,
    machine: Machine,
    wire: Wire,
    way: Way = "star",
    most: int = MOST,
    least: float = 0.5,
) -> int:
    """Return the largest number of workers of whose time a share is well spent.

    Parameters
    ----------
    job, machine, wire, way, most
        As `fastest` takes them.
    least : float
        The share: T(1) / (W T(W)), where T(W) is the time with W workers.
    """
    taken = _by_workers(job, machine, wire, way, most)
    return max(workers for workers in taken if taken[1] / (workers * taken[workers]) >= least)


def _by_workers(job: Job, machine: Machine, wire: Wire, way: Way, most: int) -> dict[int, float]:
    """Return the seconds of an update by the number of workers."""
    return {
        workers: step(job.for_workers(workers), machine, wire, workers, way).seconds
        for workers in range(1, most + 1)
    }
