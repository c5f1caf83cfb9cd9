"""A training run on disk, from which it goes on to the very same bits."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.errors import ModelFileError, UsageError
from clearprop.parameters import Array
from clearprop.sample_space import SampleNetwork
from clearprop.tensor_file import TensorFile, open_tensors, save_tensors
from clearprop.training.history import History
from clearprop.training.run import Best, Run

_KIND = "checkpoint"
_KEYS = 624  # words of a Mersenne Twister's state


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is saved while it goes on.

    Parameters
    ----------
    path : path-like
        The file, ``.safetensors`` by custom. Its folder must exist.
    every : float, default 10.0
        Seconds between two saves, which hold the end of an epoch; 0 saves every epoch. The last
        whole epoch is saved whenever training ends, stopped or finished.
    """

    path: str | os.PathLike[str]
    every: float = 10.0

    def __post_init__(self) -> None:
        if not self.every >= 0:
            raise UsageError(f"Checkpoints are every 0 seconds or more, found {self.every}.")

    def exists(self) -> bool:
        """Whether there is one to go on from."""
        return Path(self.path).exists()


class Saver:
    """Writes a run to a checkpoint as it goes on, and reads it back.

    Parameters
    ----------
    checkpoint : Checkpoint
    run : Run
    settings : dict
        What must be the same when training goes on.
    """

    def __init__(self, checkpoint: Checkpoint, run: Run, settings: dict[str, Json]) -> None:
        self.checkpoint = checkpoint
        self.run = run
        self.settings = settings
        self._saved_at = time.monotonic()
        self._last_epoch: tuple[dict[str, Array], dict[str, Any]] | None = None

    def save(self, *, at_last: bool) -> None:
        """Take the run as it is at the end of an epoch; write it if it is time to, or `at_last`.

        Raises
        ------
        OutputError
            If it can't be written; the last checkpoint is untouched then.
        """
        run = self.run
        # The legacy form is a tuple of plain values, which is all that needs to be kept.
        _, keys, position, has_gauss, cached = run.random_state.get_state(legacy=True)
        description: dict[str, Any] = {
            "kind": _KIND,
            "settings": self.settings,
            "epoch": run.epoch,
            "step": run.step,
            "history": run.history.rows,
            "random_state": [int(position), int(has_gauss), float(cached)],
            "best": run.best and {"epoch": run.best.epoch, "value": run.best.value},
        }
        arrays = _arrays(run) | {"random_state": np.asarray(keys, np.uint32)}
        self._last_epoch = arrays, description
        if at_last or time.monotonic() - self._saved_at >= self.checkpoint.every:
            self.save_last_epoch()
        elif run.steps_per_epoch > 1:  # a stop in the middle of the next epoch goes back to here
            copies = {name: array.copy() for name, array in arrays.items()}
            self._last_epoch = copies, description | {"history": list(run.history.rows)}

    def save_last_epoch(self) -> None:
        """Write the end of the last whole epoch, if it is not written yet.

        Raises
        ------
        OutputError
            If it can't be written; the last checkpoint is untouched then.
        """
        if self._last_epoch is not None:
            save_tensors(self.checkpoint.path, *self._last_epoch)
            self._last_epoch = None
            self._saved_at = time.monotonic()

    def restore(self) -> None:
        """Bring a new run, before its first update, to where the saved one was.

        Raises
        ------
        UsageError
            If the saved run had other settings; the first that differs is named.
        ModelFileError
            If the file is no checkpoint, or its arrays don't fit.
        """
        run, path = self.run, self.checkpoint.path
        file = open_tensors(path, _KIND)
        saved = file.description
        _check_settings(file, self.settings)
        try:
            position, has_gauss, cached = saved["random_state"]
            place = int(position), int(has_gauss), float(cached)
            if not 0 <= place[0] <= _KEYS:  # NumPy itself would read beyond the words
                raise ValueError(f"random_state at {position}")
            run.epoch, run.step = int(saved["epoch"]), int(saved["step"])
            run.history = _history(saved["history"], run.epoch)
            if saved["best"]:
                parameters, state = run.engine.parameters.data, run.engine.state.data
                run.best = Best(
                    epoch=int(saved["best"]["epoch"]),
                    value=float(saved["best"]["value"]),
                    parameters=np.empty_like(parameters),
                    state=np.empty_like(state),
                )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(f"{path}: its description is damaged ({error!r}).") from error
        keys = np.empty(_KEYS, np.uint32)
        into = _arrays(run) | {"random_state": keys}
        for name, array in into.items():
            if file.shapes.get(name) != array.shape or file.dtypes.get(name) != array.dtype:
                raise ModelFileError(
                    f"{path}: {name!r} is {file.dtypes.get(name)} {file.shapes.get(name)}, "
                    f"expected {array.dtype} {array.shape}."
                )
        for name, array in into.items():
            array[...] = file.read(name)
        if isinstance(run.engine, SampleNetwork):
            run.engine.start_from(run.engine.W_0)
        run.random_state.set_state(("MT19937", keys, *place))


def was(checkpoint: Checkpoint, way: str) -> bool:
    """Whether the saved run goes a way: "in sample space", "by compiled steps"."""
    settings = open_tensors(checkpoint.path, _KIND).description.get("settings")
    return isinstance(settings, dict) and settings.get(way) is True


def _history(rows: list[dict[str, float]], epochs: int) -> History:
    history = History(rows)
    numbers = all(isinstance(cell, int | float) for row in history.rows for cell in row.values())
    if not numbers or len(history["seconds"]) != epochs:
        raise ValueError("history")
    return history


def _arrays(run: Run) -> dict[str, Array]:
    arrays = {
        "parameters": run.engine.parameters.data,
        "state": run.engine.state.data,
        **{f"optimizer.{name}": array for name, array in run.optimizer_state.items()},
    }
    if isinstance(run.engine, SampleNetwork):
        arrays["W_0"] = run.engine.W_0
    if run.best is not None:
        arrays |= {"best.parameters": run.best.parameters, "best.state": run.best.state}
    return arrays


def _check_settings(file: TensorFile, settings: dict[str, Json]) -> None:
    saved = file.description.get("settings")
    if not isinstance(saved, dict):
        raise ModelFileError(f"{file.path} does not say which settings it was made with.")
    for name, value in settings.items():
        if saved.get(name) != value:
            raise UsageError(
                f"{file.path} was made with {name} = {saved.get(name)}, this run has {value}. "
                "Resume with the same settings, or start anew in another folder."
            )
