"""The parameters after some epochs of a run, by which a page shows how they came about."""

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
_LARGEST: Final = 288_000  # parameters of all epochs together: a page has two bytes for each
_KIND: Final = "epochs"


class KeptEpochs(Callback):
    """Keeps the parameters after a few epochs, evenly spaced however many there come to be.

    Where one more would be too many, every other one is dropped, and only every other epoch is
    kept from then on. Of a network so large that not two would do, nothing is kept.

    Attributes
    ----------
    kept : list of (int, ndarray)
        Each epoch, from 0 on, and the parameters after it, float32, shape (P,).
    """

    def __init__(self) -> None:
        self.kept: list[tuple[int, Array]] = []
        self._every, self._most = 1, 0

    def on_train_begin(self, run: Run) -> None:
        """Keep the parameters that training begins with."""
        size = run.write_back().parameters.data.size
        self._most = min(_MOST, _LARGEST // max(size, 1))
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
        network = run.write_back()
        self.kept.append((run.epoch, network.parameters.data.astype(np.float32)))


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
    """Read the kept epochs of a network; none where the file is gone, or is of another network."""
    try:
        file = open_tensors(path, _KIND)
        size = network.parameters.data.size
        epochs = sorted(int(name) for name, shape in file.shapes.items() if shape == (size,))
        return [(epoch, file.read(str(epoch))) for epoch in epochs]
    except (ClearpropError, ValueError):
        return []
