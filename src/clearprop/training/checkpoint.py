"""A training run on disk, from which it goes on to the very same bits."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.errors import ModelFileError, UsageError, shortened
from clearprop.files.tensors import TensorFile, open_tensors, save_tensors
from clearprop.training.history import History
from clearprop.training.run import Best, Run

_KIND = "checkpoint"
_KEYS = 624  # words of a Mersenne Twister's state
_MOST = 2**53  # updates: every number up to here is a float, too
_NEEDED = ("epoch", "step", "loss", "seconds")  # columns of a history that training reads


@dataclass(frozen=True)
class Checkpoint:
    """The place where a run is saved while it goes on.

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
    settings : dict
        The settings and facts that must be the same when training goes on.
    notes : dict
        Facts that may differ, and are kept for whoever resumes.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        run: Run,
        settings: dict[str, Json],
        notes: dict[str, Json],
    ) -> None:
        self.checkpoint, self.run = checkpoint, run
        self.settings, self.notes = settings, notes
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
            "settings": self.settings | self.notes,
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
            # NumPy itself would read beyond the words.
            place = _count(position, _KEYS), _count(has_gauss, 1), float(cached)
            run.epoch, run.step = _count(saved["epoch"]), _count(saved["step"])
            run.history = _history(saved["history"], run.epoch)
            if saved["best"]:
                epoch = _count(saved["best"]["epoch"], run.epoch)
                run.best = Best(epoch, float(saved["best"]["value"]), run.engine.weights())
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelFileError(
                f"{path}: its description is damaged ({shortened(error)})."
            ) from error
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
        run.engine.take_up()
        run.random_state.set_state(("MT19937", keys, *place))


def recorded(checkpoint: Checkpoint) -> dict[str, Json]:
    """Return the settings and facts that a checkpoint was made with.

    Raises
    ------
    ModelFileError
        If the file is no checkpoint, or does not say.
    """
    return _settings(open_tensors(checkpoint.path, _KIND))


def _count(value: Any, most: int = _MOST) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"found {shortened(value)}, expected a whole number from 0 to {most}")
    return value


def _history(rows: list[dict[str, float]], epochs: int) -> History:
    history = History(rows)
    numbers = all(isinstance(cell, int | float) for row in history.rows for cell in row.values())
    same = all(tuple(row) == history.columns for row in history.rows)
    if not numbers or not same or len(history) != epochs or not {*_NEEDED} <= {*history.columns}:
        raise ValueError("a history of other epochs or columns")
    return history


def _arrays(run: Run) -> dict[str, Array]:
    arrays = {
        "parameters": run.engine.parameters.data,
        "state": run.engine.state.data,
        **{f"optimizer.{name}": array for name, array in run.optimizer_state.items()},
        **run.engine.kept(),
    }
    if run.best is not None:
        arrays |= {f"best.{name}": array for name, array in run.best.weights._asdict().items()}
    return arrays


def _settings(file: TensorFile) -> dict[str, Json]:
    saved = file.description.get("settings")
    if not isinstance(saved, dict):
        raise ModelFileError(f"{file.path} does not say which settings it was made with.")
    return saved


def _check_settings(file: TensorFile, settings: dict[str, Json]) -> None:
    saved = _settings(file)
    for name, value in settings.items():
        if saved.get(name) != value:
            raise UsageError(
                f"{file.path} was made with {name} = {shortened(saved.get(name))}, this run has "
                f"{shortened(value)}. "
                "Resume with the same settings, or start anew in another folder."
            )
