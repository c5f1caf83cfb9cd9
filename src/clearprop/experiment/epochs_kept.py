"""What a network was after some epochs of a run, by which a page shows how it came about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import ClearpropError
from clearprop.files.tensors import open_tensors, save_tensors
from clearprop.network import Network
from clearprop.training import Callback, Run

_MOST: Final = 24  # epochs
_LARGEST: Final = 288_000  # numbers of all epochs together: a page has two bytes for most
_KIND: Final = "epochs"


class KeptEpochs(Callback):
    """Keeps what a network is after a few epochs, evenly spaced however many there come to be.

    Where one more would be too many, every other one is dropped, and only every other epoch is
    kept from then on. Of a network so large that not two would do, nothing is kept.

    Attributes
    ----------
    kept : list of (int, ndarray)
        Each epoch, from 0 on, and after it the parameters, then the running statistics that layers
        keep beside them, float32, shape (P + S,).
    """

    def __init__(self) -> None:
        self.kept: list[tuple[int, Array]] = []
        self._every, self._most = 1, 0

    def on_train_begin(self, run: Run) -> None:
        """Keep what training begins with."""
        self._most = min(_MOST, _LARGEST // max(numbers_of(run.write_back()).size, 1))
        self.on_epoch_end(run)

    def on_epoch_end(self, run: Run) -> None:
        """Keep an epoch, if it is its turn."""
        if self._most < 2 or run.epoch % self._every:
            return
        if len(self.kept) == self._most:
            self._every *= 2
            self.kept = [one for one in self.kept if one[0] % self._every == 0]
            if run.epoch % self._every:
                return
        self.kept.append((run.epoch, numbers_of(run.write_back())))


def numbers_of(network: Network) -> Array:
    """Return the parameters of a network, then its running statistics, as float32, (P + S,)."""
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverges
        numbers = np.concatenate([network.parameters.data, network.state.data])
        return numbers.astype(np.float32)


def save_kept(path: Path, kept: Sequence[tuple[int, Array]]) -> None:
    """Write kept epochs to a file, where there are any.

    Raises
    ------
    OutputError
        If it can't be written.
    """
    if kept:
        save_tensors(path, {str(epoch): array for epoch, array in kept}, {"kind": _KIND})


def read_kept(path: Path, network: Network) -> list[tuple[int, Array]]:
    """Read the kept epochs of a network; none where the file is gone, or is of another network.

    Files of before have no running statistics: (P,) numbers an epoch.
    """
    try:
        file = open_tensors(path, _KIND)
        size = network.parameters.data.size
        fitting = {(size,), (size + network.state.data.size,)}
        epochs = sorted(int(name) for name, shape in file.shapes.items() if shape in fitting)
        return [(epoch, file.read(str(epoch))) for epoch in epochs]
    except (ClearpropError, ValueError):
        return []
