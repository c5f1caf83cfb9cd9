"""Checkpoints of small trainings whose descriptions or bytes are wrong."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from models import Parts, changed_file, parts_of

import clearprop as cp
from clearprop.training import Checkpoint


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        yield "checkpoint.safetensors", changed_file(*_checkpoint(), random)


def resumed(path: Path) -> None:
    """Go on from a checkpoint, to the end of the third epoch."""
    X = np.arange(12.0).reshape(6, 2) / 12
    layers, loss = [cp.Dense(2), cp.Tanh(), cp.Dense(1)], cp.MeanSquaredError()
    network = cp.Network(layers, loss=loss, input_shape=(2,), seed=0)
    trainer = cp.Trainer(
        epochs=3, batch_size=3, early_stopping=cp.EarlyStopping(5), seed=0, optimizer=cp.Adam()
    )
    trainer.fit(
        network, X, X[:, :1], validation=(X, X[:, :1]), checkpoint=Checkpoint(path), resume=True
    )


@cache
def _checkpoint() -> Parts:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        resumed(path)
        return parts_of(path)
