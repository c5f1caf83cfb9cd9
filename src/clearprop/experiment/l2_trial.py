"""The strength of L2 for a table: found by short trainings, with the rows that choose the epoch."""

import math
from dataclasses import replace

import numpy as np

from clearprop.data import Dataset
from clearprop.errors import DivergedError
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.parts import Parts
from clearprop.experiment.settings import Settings
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import Preprocessing, prepare

_STRENGTHS = (0.003, 0.03, 0.3)
"""Rows without noise want the first, rows that are mostly noise the last: docs/decisions/0024."""
_MOST = 10_000  # samples of a trial
_MOST_PARAMETERS = 300_000  # beyond, trials would be minutes of silence


def with_tried_l2(
    settings: Settings, recipe: Preprocessing, parts: Parts
) -> tuple[Settings, tuple[str, ...]]:
    """Take the strength of L2 whose training has the best validation loss.

    Tables only: elsewhere, and without a validation part, the settings stay as they are.

    Parameters
    ----------
    settings : Settings
        Resolved settings.
    recipe : Preprocessing
    parts : Parts

    Returns
    -------
    settings : Settings
    notes : tuple of str
        The losses that were found.
    """
    validation = parts.validation
    if (
        validation is None
        or parts.train.kind != "table"
        or OPTIMIZERS[settings.optimizer].full_batch
        or build_network(settings, recipe).parameters.data.size > _MOST_PARAMETERS
    ):
        return settings, ()
    known, judge = _some(parts.train, settings.seed), _some(validation, settings.seed)
    tried = [replace(settings, l2=strength) for strength in _STRENGTHS]
    losses = [_best_loss(one, recipe, known, judge) for one in tried]
    best = int(np.argmin(losses))
    if not math.isfinite(losses[best]):
        return settings, ()
    told = ", ".join(f"{at:g}: {loss:.4f}" for at, loss in zip(_STRENGTHS, losses, strict=True))
    note = f"--l2 {_STRENGTHS[best]:g}, by trial (validation loss with {told})."
    return tried[best], (note,)


def _some(dataset: Dataset, seed: int) -> Dataset:
    if len(dataset) <= _MOST:
        return dataset
    return dataset.take(np.sort(np.random.RandomState(seed).permutation(len(dataset))[:_MOST]))


def _best_loss(settings: Settings, recipe: Preprocessing, known: Dataset, judge: Dataset) -> float:
    """Return the best validation loss of a training on known samples; infinite if it diverged."""
    network = build_network(settings, recipe)
    X, Z = (prepare(part.X, recipe.inputs, network.dtype) for part in (known, judge))
    y, z = recipe.target.encode(known), recipe.target.encode(judge)
    try:
        history = build_trainer(settings, len(known)).fit(network, X, y, validation=(Z, z))
    except DivergedError:
        return math.inf
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return min((row["validation_loss"] for row in history.rows), default=math.inf)
