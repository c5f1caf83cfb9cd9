"""Trainings as others may look at them while they go on.

The thread that trains only appends to lists and replaces whole values, and those who look take
them as they are. So there is no lock that training could wait for, and nothing that fills up where
nobody empties it: who was away finds the latest, and all rows of the history.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.experiment.epochs_kept import KeptEpochs
from clearprop.network import Network
from clearprop.report import kept_data
from clearprop.report.run_page import LARGEST
from clearprop.training import History, Run

_PAUSE = 0.5  # seconds between two snapshots, at least
_DEAREST = 100  # of the time that goes by, a snapshot and its way out take one part at most
_LARGEST = LARGEST * 3 // 4  # bytes of a network's parameters: base64 makes four of three
_WAY_OUT = 2.0  # times what it takes to write one out: it is sent, too


def is_too_large(network: Network) -> bool:
    """Whether a page with all parameters of a network would be larger than is sensible."""
    return network.parameters.data.nbytes > _LARGEST


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Copies of the weights.

    Parameters
    ----------
    network : Network
        A network of the same layers, whose own weights are of no importance.
    epoch, step : int
        The numbers of epochs and of updates that were done.
    parameters, state : ndarray of float32, shape (P,)

    Attributes
    ----------
    costs : list of float
        The seconds that it took to write them out, once they were.
    """

    network: Network
    epoch: int
    step: int
    parameters: Array
    state: Array
    costs: list[float] = field(default_factory=list, init=False)

    @cached_property
    def text(self) -> str:
        """The weights as a page takes them, an object of JSON, written when first asked for."""
        began = time.perf_counter()
        data = kept_data(self.network, self.epoch, self.numbers) | {"step": self.step}
        written = json.dumps(data, separators=(",", ":"))
        self.costs.append(time.perf_counter() - began)
        return written

    @property
    def numbers(self) -> Array:
        """The parameters, then the state, as `KeptEpochs` has them, shape (P + S,)."""
        return np.concatenate([self.parameters, self.state])

    def as_network(self) -> Network:
        """Return a network that has these weights."""
        network = self.network.copy()
        network.parameters.data[...], network.state.data[...] = self.parameters, self.state
        return network


class Watched:
    """One training.

    Parameters
    ----------
    label : str
        The name of the training among several.
    run : Run
        The run, before its first update or the first after a checkpoint.
    is_kept : bool
        Whether its network is kept: that of a training without a fold is not.

    Attributes
    ----------
    is_too_large : bool
        Whether its network is too large for a page: then its history is shown, and no weights.
    latest : Snapshot
    kept : KeptEpochs
        A few epochs, evenly spaced.
    is_paused : bool
    stepped : {"update", "epoch"}
        The extent of a single step.
    rate_by_hand : float or None
        The learning rate that somebody set.
    """

    def __init__(self, label: str, run: Run, *, is_kept: bool) -> None:
        self.label, self.is_kept = label, is_kept
        self.kept = KeptEpochs()
        self.kept.on_train_begin(run)
        self.is_paused = False
        self.stepped = "update"
        self.rate_by_hand: float | None = None
        self._run: Run | None = run
        self._rows: Sequence[dict[str, float]] = run.history.rows
        self._last: dict[str, Json] = {}
        network = run.write_back()
        self.is_too_large = is_too_large(network)
        self._network = network.copy()
        self.latest = self._snapshot(run)
        self._due = time.perf_counter() + _PAUSE

    @property
    def rows(self) -> Sequence[dict[str, float]]:
        """The rows of its history so far; more may be appended."""
        return self._rows

    def is_due(self, *, in_epoch: bool) -> bool:
        """Whether it is time for a snapshot; within an epoch only where epochs are long."""
        return time.perf_counter() >= self._due + (_PAUSE if in_epoch else 0)

    def take(self, run: Run) -> None:
        """Take a snapshot, and say when the next one is due: the dearer, the later."""
        began, before = time.perf_counter(), self.latest
        if (before.epoch, before.step) != (run.epoch, run.step) and not self.is_too_large:
            self.latest = self._snapshot(run)
        now = time.perf_counter()
        self._due = now + max(_PAUSE, _DEAREST * (now - began + _WAY_OUT * sum(before.costs)))

    def end(self, run: Run) -> None:
        """Keep what is to be seen of it, and let go of the run with its samples."""
        self.take(run)
        self._last = self.told() | {"state": "ended"}
        self._rows = [dict(row) for row in self._rows]  # those of the run may be changed later
        self._run = None
        if not self.is_kept:
            self.kept = KeptEpochs()

    def told(self) -> dict[str, Json]:
        """Say how far it is."""
        run = self._run
        if run is None:
            return self._last
        rate = None if run.optimizer.full_batch else run.optimizer.rate(run.step)
        return {
            "state": "paused" if self.is_paused else "running",
            "epoch": run.epoch,
            "epochs": run.epochs,
            "step": run.step,
            "steps_per_epoch": run.steps_per_epoch,
            "rate": rate,
            "stepped": self.stepped,
            "stopped": run.stop_reason,
            "seconds": round(run.seconds, 1),
            "rate_by_hand": self.rate_by_hand is not None,
        }

    def history(self) -> History:
        """Return the history so far."""
        return History(list(self._rows))

    def _snapshot(self, run: Run) -> Snapshot:
        network = run.write_back()
        with np.errstate(over="ignore", invalid="ignore"):
            return Snapshot(
                self._network,
                run.epoch,
                run.step,
                network.parameters.data.astype(np.float32),
                network.state.data.astype(np.float32),
            )


@dataclass
class Mailbox:
    """All trainings of a run, in the order in which they began.

    Parameters
    ----------
    trainings : list of Watched
        More may be appended.
    saved : mapping or None
        The data of the page of the whole run, once it is saved: nothing changes any more.
    """

    trainings: list[Watched] = field(default_factory=list)
    saved: Mapping[str, Json] | None = None

    @property
    def takes_a_rate(self) -> bool:
        """Whether a training under way has a learning rate that can be set."""
        told = [one.told() for one in self.trainings]
        return any(one["rate"] is not None for one in told if one["state"] != "ended")
