"""What a run is asked to do, as plain values that fit into a TOML file."""

import json
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from clearprop import layers
from clearprop.configuration import Json
from clearprop.errors import DataError, UsageError, unknown_name
from clearprop.files import write_text
from clearprop.initializers import INITIALIZERS
from clearprop.optimizers import OPTIMIZERS

ACTIVATIONS = tuple(layers.ACTIVATIONS)
INITS = tuple(INITIALIZERS)
SCHEDULES = ("constant", "step", "exponential", "cosine", "one-cycle", "warm-up")
DTYPES = ("float32", "float64")
CLASS_WEIGHTS = ("none", "balanced")

_LARGEST_SIZE = 10**7  # of a layer: products of two stay within what NumPy can count
_LARGEST_SEED = 2**32 - 1  # of numpy.random.RandomState

_CHOICES = {
    "activation": ACTIVATIONS,
    "init": INITS,
    "optimizer": tuple(OPTIMIZERS),
    "schedule": SCHEDULES,
    "dtype": DTYPES,
    "class_weight": CLASS_WEIGHTS,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run. None stands for a default that depends on the data; see `defaults.resolve`.

    Parameters
    ----------
    data : str
        A name or a path.
    target : str, optional
        The column of a table that is to be learned.
    size : (int, int), optional
        Height and width that pictures are brought to, in pixels.
    layers : tuple of int, optional
        Units of each hidden layer; empty for none.
    activation : str
        After every hidden layer.
    init : str, optional
        How weights start.
    optimizer : str
    learning_rate : float, optional
        The largest of the schedule.
    schedule : str
    epochs : int, optional
    batch_size : int, optional
        0 for all samples at once, which the command line calls "full".
    dropout : float, optional
        The share that is dropped after every hidden layer.
    batch_norm : bool
        Before every hidden activation.
    l2 : float
        As scikit-learn scales it.
    clip_norm : float, optional
        The longest gradient.
    class_weight : {"none", "balanced"}
    patience : int, optional
        Epochs without a better validation loss after which training ends and the best weights are
        restored; None to train all epochs and keep the last weights.
    validation : str, optional
        A share of the training samples that is held out, or a path or name of data; "0" for none.
    dtype : {"float32", "float64"}
    seed : int
        Of weights, batches, dropout and what is held out.
    """

    data: str
    target: str | None = None
    size: tuple[int, int] | None = None
    layers: tuple[int, ...] | None = None
    activation: str = "relu"
    init: str | None = None
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: str = "one-cycle"
    epochs: int | None = None
    batch_size: int | None = None
    dropout: float | None = None
    batch_norm: bool = False
    l2: float = 0.0
    clip_norm: float | None = None
    class_weight: str = "none"
    patience: int | None = None
    validation: str | None = None
    dtype: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("size", "layers"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _whole_numbers(name, value))
        # As one writes a share in a TOML file; True is an int to Python.
        if isinstance(self.validation, int | float) and not isinstance(self.validation, bool):
            object.__setattr__(self, "validation", str(self.validation))
        for name in ("data", "target", "validation"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise UsageError(f"{name} takes a text in quotes, found {value!r}.")
        if not isinstance(self.batch_norm, bool):
            raise UsageError(f"batch_norm takes true or false, found {self.batch_norm!r}.")
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in known:
                raise unknown_name(name.replace("_", " "), str(value), known)
        for name, least in (("epochs", 1), ("batch_size", 0), ("patience", 1), ("seed", 0)):
            _check_number(name, getattr(self, name), least, int)
        for name in ("learning_rate", "dropout", "l2", "clip_norm"):
            _check_number(name, getattr(self, name), 0, float)
        if self.learning_rate == 0:
            raise UsageError("learning_rate takes a number above 0; at 0 nothing is learned.")
        if self.seed > _LARGEST_SEED:
            raise UsageError(f"seed takes a number up to {_LARGEST_SEED}, found {self.seed}.")
        if self.size is not None and len(self.size) != 2:
            raise UsageError(f"A size is a height and a width, found {self.size}.")

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """Return these settings with some changed; None changes nothing."""
        _check_names(changes)
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None}
        )

    def to_json(self) -> dict[str, Json]:
        """Describe them in JSON values; what is None is left out."""
        found = {name: value for name, value in asdict(self).items() if value is not None}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as TOML; what is None is left out.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        lines = [
            # A JSON value of these types is a TOML value, too, but for a raw DEL in a string.
            f"{name} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")
            for name, value in self.to_json().items()
        ]
        write_text(path, "\n".join(lines) + "\n")


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read settings from a TOML file: those that stand there, by name.

    Raises
    ------
    DataError
        If the file is missing or no TOML.
    UsageError
        If it names a setting that does not exist.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no TOML file: {error}.") from error
    _check_names(found)
    return found


def _check_names(names: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Settings)]
    for name in names:
        if name not in known:
            raise unknown_name("setting", name, known)


def _whole_numbers(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(
        isinstance(size, int) and 1 <= size <= _LARGEST_SIZE for size in value
    ):
        raise UsageError(
            f"{name} takes whole numbers from 1 to {_LARGEST_SIZE}, found {list(value)!r}."
            if isinstance(value, list | tuple)
            else f"{name} takes a list of whole numbers, found {value!r}."
        )
    return tuple(value)


def _check_number(name: str, value: Any, least: int, kind: type) -> None:
    allowed = (int, float) if kind is float else (int,)
    if value is None:
        return
    number = isinstance(value, allowed) and not isinstance(value, bool)
    if not number or not least <= value < math.inf:
        what = "a whole number" if kind is int else "a number"
        raise UsageError(f"{name} takes {what} of at least {least}, found {value!r}.")
