"""Ten billion rows on up to 1,024 workers: what the model and its simulation say of them.

What is assumed, and not measured: the wire, the stragglers, and the critical batch of such data.
"""

from dataclasses import dataclass
from functools import partial

from bench.scaling.batches import Need, best_batch
from bench.scaling.model import Job, Machine, Way, Wire
from bench.scaling.simulation import Stragglers, simulate

WIDTHS, ROWS = (100, 1024, 1024, 2), 10**10  # 4 TB in float32
BATCH = 4096
WORKERS = (1, 4, 16, 64, 256, 1024)
WIRE = Wire(gigabits=10, milliseconds=0.2)
STRAGGLERS = Stragglers(spread=0.1, slow=0.01, factor=3.0)
NEED = Need(critical=10_000, rows=ROWS)  # one pass would do, in very small batches
LOCAL_STEPS = 16
_BATCHES = tuple(2**power for power in range(10, 21))
_DAY = 86_400.0


@dataclass(frozen=True)
class Training:
    """A training until the goal is reached.

    Parameters
    ----------
    batch : int
    update : float
        The mean seconds of an update, with stragglers.
    rows : float
        The rows that are seen.
    """

    batch: int
    update: float
    rows: float

    @property
    def days(self) -> float:
        """The time of it all."""
        return self.rows / self.batch * self.update / _DAY


def training(
    machine: Machine,
    workers: int,
    way: Way,
    batch: int | None = BATCH,
    local_steps: int = 1,
    cost: float = 1.0,
    need: Need = NEED,
) -> Training:
    """Return the training by some workers.

    Parameters
    ----------
    machine : Machine
    workers : int
    way : {"star", "tree", "halving"}
    batch : int or None
        None for the one by which the goal is reached soonest.
    local_steps : int
    cost : float
        The number of times as many rows that local steps take.
    need : Need
    """
    seconds = partial(_mean_update, machine, workers, way, local_steps)
    rows = best_batch(need, seconds, _BATCHES) if batch is None else batch
    return Training(rows, seconds(rows), cost * need.rows_seen(rows))


def _mean_update(machine: Machine, workers: int, way: Way, local_steps: int, batch: int) -> float:
    job = Job.dense(WIDTHS, batch).for_workers(workers)
    taken = simulate(job, machine, WIRE, workers, way, STRAGGLERS, local_steps)
    return float(taken.mean())
