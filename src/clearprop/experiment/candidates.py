"""What samples that are not learned from choose for a table: the strength of L2, hidden layers."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.errors import DivergedError
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.parts import Parts
from clearprop.experiment.settings import Settings
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import Preprocessing, prepare

CHOSEN = ("layers", "l2")
"""The settings in which candidates differ."""

_STRENGTHS, _STRENGTHS_BY_FOLDS = (0.003, 0.03, 0.3), (0.1, 1.0)
"""Clean rows want the first of each, rows that are mostly noise the last: docs/decisions/0024."""
_HANDICAP = 1.02  # of the loss without hidden layers: they go where they do harm, not by chance
_EXPLODED = 10.0  # times the loss of knowing nothing
_MOST = 10_000  # samples of a trial
_MOST_PARAMETERS = 300_000  # beyond, trials would be minutes of silence


def candidates(asked: Settings, resolved: Settings, kind: str) -> tuple[Settings, ...]:
    """Return the settings to choose from, where nothing was asked for.

    Parameters
    ----------
    asked, resolved : Settings
        The settings as they were given, and with their defaults.
    kind : str
        That of the data.
    """
    if kind != "table" or OPTIMIZERS[resolved.optimizer].full_batch or asked.start is not None:
        return (resolved,)
    if resolved.network == "table":  # its weight decay is tuned for all tables alike
        return (resolved,)
    strengths = _STRENGTHS_BY_FOLDS if resolved.folds else _STRENGTHS
    found = [resolved]
    if asked.l2 is None:
        found = [replace(resolved, l2=strength) for strength in strengths]
    if asked.layers is None:
        found.append(replace(found[0], layers=()))
    return tuple(found)


def handicapped(losses: Array, tried: Sequence[Settings]) -> Array:
    """Return losses, shape (candidates, ...), by which the least is to be chosen."""
    worth = [1.0 if one.layers else _HANDICAP for one in tried]
    return losses * np.reshape(worth, (-1, *[1] * (losses.ndim - 1)))


def choice_in_words(
    chosen: int, tried: Sequence[Settings], losses: Sequence[float]
) -> tuple[str, ...]:
    """Say what was chosen, and by which validation losses, if anything was."""
    if len(tried) == 1 or not math.isfinite(losses[chosen]):
        return ()
    of = tried[chosen]
    options = f"--l2 {of.l2:g}" if of.layers else f"--layers none --l2 {of.l2:g}"
    told = [
        f"{loss:.4f} with {f'L2 {one.l2:g}' if one.layers else 'no hidden layers'}"
        for one, loss in zip(tried, losses, strict=True)
    ]
    return (f"Chosen by validation loss: {options} ({', '.join(told)}).",)


def choose_by_trial(
    tried: Sequence[Settings], recipe: Preprocessing, parts: Parts
) -> tuple[Settings, tuple[str, ...]]:
    """Train each candidate, and take the one with the best validation loss.

    Parameters
    ----------
    tried : sequence of Settings
    recipe : Preprocessing
    parts : Parts

    Returns
    -------
    chosen : Settings
        The first one where none can be tried: without samples for validation, or where it would
        take minutes.
    notes : tuple of str
        The losses that were found.
    """
    validation, first = parts.validation, tried[0]
    size = build_network(first, recipe).parameters.data.size
    if validation is None or len(tried) == 1 or size > _MOST_PARAMETERS:
        return first, ()
    known, judge = _some(parts.train, first.seed), _some(validation, first.seed)
    losses = np.array([_best_loss(one, recipe, known, judge) for one in tried])
    if not np.isfinite(losses).any():
        return first, ()
    best = int(np.argmin(handicapped(losses, tried)))
    return tried[best], choice_in_words(best, tried, losses.tolist())


def _some(dataset: Dataset, seed: int) -> Dataset:
    if len(dataset) <= _MOST:
        return dataset
    return dataset.take(np.sort(np.random.RandomState(seed).permutation(len(dataset))[:_MOST]))


def _best_loss(settings: Settings, recipe: Preprocessing, known: Dataset, judge: Dataset) -> float:
    """Return the best validation loss of a training on known samples; infinite if it exploded."""
    network = build_network(settings, recipe)
    X, Z = (prepare(part.X, recipe.inputs, network.dtype) for part in (known, judge))
    y, z = recipe.target.encode(known), recipe.target.encode(judge)
    try:
        history = build_trainer(settings, len(known)).fit(network, X, y, validation=(Z, z))
    except DivergedError:
        return math.inf
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    best = min((row["validation_loss"] for row in history.rows), default=math.inf)
    zeros = np.zeros((len(judge), *network.output_shape), network.dtype)
    nothing = network.loss(zeros, network.targets(z))[0]
    return best if best < _EXPLODED * nothing else math.inf
