"""Defaults that depend on the data: a fixed rule each, so that the same data give the same run."""

import math
from dataclasses import replace
from typing import Any

from clearprop.experiment.settings import Settings
from clearprop.layers import ACTIVATIONS
from clearprop.optimizers import OPTIMIZERS

_LARGE = 10_000  # samples from which batches of 128 are many enough, and more units pay
_UPDATES = 6_000  # what a network of this kind needs to get good
_FEWEST_EPOCHS, _MOST_EPOCHS = 10, 200
_MANY_FEATURES = 64
_VERY_MANY_FEATURES = 1000
_DROPOUT = 0.2


def resolve(settings: Settings, samples: int, features: int, *, has_test_set: bool) -> Settings:
    """Put a number in the place of every None.

    Parameters
    ----------
    settings : Settings
    samples : int
        How many there are to train on, before any is held out.
    features : int
        Numbers in one prepared sample.
    has_test_set : bool
        Whether the data bring a test set: then less is held out for validation.

    Returns
    -------
    Settings
        With 256 and 128 units from 64 features on (512 and 256 from 10,000 samples on), else 64 and
        32, and a fifth of them dropped; where the layers are given, none is dropped unasked.
        Batches of 128 from 10,000 samples on, else of 32; as many epochs as make about 6,000
        updates, between 10 and 200; He initial weights for the ReLU family and Glorot's for tanh
        and sigmoid; a tenth held out beside a test set, else a fifth; and a learning rate that
        suits the optimizer, lowered by sqrt(1000 / features) above 1,000 features.
    """
    batch_size = settings.batch_size
    if batch_size is None:
        batch_size = 128 if samples >= _LARGE else 32
    updates_per_epoch = math.ceil(samples / batch_size) if batch_size else 1
    epochs = min(max(round(_UPDATES / updates_per_epoch), _FEWEST_EPOCHS), _MOST_EPOCHS)
    if not batch_size:
        epochs = _UPDATES
    saturates = ACTIVATIONS[settings.activation].saturates
    return replace(
        settings,
        layers=_first(settings.layers, _layers(samples, features)),
        dropout=_first(settings.dropout, _DROPOUT if settings.layers is None else 0.0),
        batch_size=batch_size,
        epochs=_first(settings.epochs, epochs),
        init=_first(settings.init, "glorot" if saturates else "he"),
        learning_rate=_first(settings.learning_rate, _rate(settings.optimizer, features)),
        validation=_first(settings.validation, "0.1" if has_test_set else "0.2"),
    )


def _layers(samples: int, features: int) -> tuple[int, int]:
    if features < _MANY_FEATURES:
        return 64, 32
    return (512, 256) if samples >= _LARGE else (256, 128)


def _rate(optimizer: str, features: int) -> float:
    # A step moves each weight by about as much however many there are, so that a unit with 12,288
    # inputs is thrown far enough for its ReLU to die: photographs then end as one class.
    fewer = min(1.0, math.sqrt(_VERY_MANY_FEATURES / features))
    return OPTIMIZERS[optimizer].usual_rate * fewer


def _first(value: Any, default: Any) -> Any:
    return default if value is None else value
