"""The scale on which values are learned: as asked for, or found by short trainings."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clearprop.data import Dataset
from clearprop.errors import DivergedError, UsageError
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.settings import Settings
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import ClassTarget, PowerScale, Preprocessing, ValueTarget, values_of
from clearprop.training.table_recipe import fit_to_rows

_SKEWED = 1.0  # a skewness above it is high: Bulmer, "Principles of Statistics" (1979)
_FEWEST, _MOST = 100, 2000  # samples of a trial
_MOST_PARAMETERS = 300_000  # beyond, trials would be minutes of silence
_FOLDS = 3
_UPDATES = 600  # of a trial's training; _LOOKS of an optimizer that sees all samples at once
_TABLE_UPDATES = 200  # of the network of tables, whose batches are eight times as large
_LOOKS = 50
_BETTER = 0.85  # of the squared error is left on a scale that is taken


def on_scale(
    settings: Settings, recipe: Preprocessing, train: Dataset, others: Sequence[Dataset]
) -> tuple[Preprocessing, tuple[str, ...]]:
    """Bring the target to the scale that resolved settings ask for, or to the one that is best.

    With ``auto``, a single output whose values are all 0 or more, with a skewness above 1, is
    learned as its logarithm or a power if short trainings of the network on parts of the training
    data then predict the other parts clearly better: with less than 0.85 of the squared error on
    the values' own scale in all, and with less in most of the parts.

    Parameters
    ----------
    settings : Settings
    recipe : Preprocessing
        The recipe fitted to `train`, with values on their own scale.
    train : Dataset
    others : sequence of Dataset
        The samples for validation and testing: only their least value is looked at, as a logarithm
        must suit it.

    Returns
    -------
    recipe : Preprocessing
    notes : tuple of str
        What was done, where it is not the usual.

    Raises
    ------
    UsageError
        If a scale is asked for that classes, or several outputs, can't have.
    DataError
        If a value below 0 is to have a logarithm.
    """
    asked, target, name = settings.target_scale, recipe.target, train.target_name
    if isinstance(target, ClassTarget) or target.outputs > 1:
        if asked not in ("auto", "none"):
            kind = "classes" if isinstance(target, ClassTarget) else "several values a sample"
            raise UsageError(
                f"--target-scale {asked} is for one value a sample, and {name!r} of {train.name} "
                f"holds {kind}: leave it out."
            )
        return recipe, ()
    values = values_of(train)[:, 0]
    least = min(float(values_of(part).min()) for part in (train, *others))
    if asked in ("log", "power"):
        scale = PowerScale.fit(asked, values, least)
        note = f"{name} is learned as its {scale.in_words}, as --target-scale asks."
        return _with(recipe, train, scale), (note,)
    skewness = _skewness(values)
    if asked == "none" or least < 0 or not skewness > _SKEWED or len(values) < _FEWEST:
        return recipe, ()
    skewed = f"{name} is skewed ({skewness:.1f})"
    if build_network(settings, recipe).parameters.data.size > _MOST_PARAMETERS:
        note = (
            f"{skewed}; learned as it is, as the network is too large to try other scales. "
            "--target-scale log learns its logarithm."
        )
        return recipe, (note,)

    def errors_of(scale: str) -> NDArray[np.float64]:
        return _errors(settings, recipe, train, scale, least)

    plain = errors_of("none")
    errors = {"log": errors_of("log")}
    if errors["log"].sum() < plain.sum():  # else a power, with one number more, is worse, too
        errors["power"] = errors_of("power")
    best = min(errors, key=lambda one: float(errors[one].sum()))
    left = errors[best].sum() / plain.sum() if np.isfinite(plain).all() else math.inf
    if not (left < _BETTER and np.median(errors[best] - plain) < 0):
        note = f"{skewed}; learned as it is, as its logarithm was not clearly better in a trial."
        return recipe, (note,)
    scale = PowerScale.fit(best, values, least)
    note = (
        f"{skewed}: learned as its {scale.in_words}, which left {left:.0%} of the squared error in "
        "a trial on the training data; --target-scale none learns it as it is."
    )
    return _with(recipe, train, scale), (note,)


def _with(recipe: Preprocessing, train: Dataset, scale: PowerScale) -> Preprocessing:
    target = ValueTarget.fit(train, scale, within=_keeps_within(recipe))
    return replace(recipe, target=target)


def _keeps_within(recipe: Preprocessing) -> bool:
    return isinstance(recipe.target, ValueTarget) and recipe.target.low is not None


def _skewness(values: NDArray[np.float64]) -> float:
    """Return the third standardised moment, 0 for values that are all alike."""
    off = values - values.mean()
    largest = np.abs(off).max()
    if not largest > 0:
        return 0.0
    off = off / largest  # cubes can't overflow
    return float(np.mean(off**3) / np.mean(off**2) ** 1.5)


def _errors(
    settings: Settings, recipe: Preprocessing, train: Dataset, name: str, least: float
) -> NDArray[np.float64]:
    """Return the squared errors of a scale's trials, by fold; infinite from one that diverged on.

    Errors are on the values' own scale, in their standard deviations.
    """
    rows = np.random.RandomState(settings.seed).permutation(len(train))[:_MOST]
    errors = np.full(_FOLDS, np.inf)
    spread = float(np.std(values_of(train)))
    for fold in range(_FOLDS):
        is_held = np.arange(len(rows)) % _FOLDS == fold
        known, asked = (train.take(np.sort(rows[part])) for part in (~is_held, is_held))
        values = values_of(known)[:, 0]
        scale = None if name == "none" else PowerScale.fit(name, values, least)
        try:
            target = ValueTarget.fit(known, scale, within=_keeps_within(recipe))
            answers = _answers(settings, recipe, target, known, asked)
        except DivergedError:
            break
        errors[fold] = np.square((answers - values_of(asked)[:, 0]) / spread).sum()
    return errors


def _answers(
    settings: Settings,
    recipe: Preprocessing,
    target: ValueTarget,
    known: Dataset,
    asked: Dataset,
) -> NDArray[np.float64]:
    """Return the values, shape (N,), that a short training on known samples answers for others."""
    batch_size = min(settings.batch_size or len(known), len(known))
    looks = OPTIMIZERS[settings.optimizer].full_batch
    updates = _TABLE_UPDATES if settings.network == "table" else _UPDATES
    epochs = _LOOKS if looks else max(round(updates * batch_size / len(known)), 1)
    short = replace(settings, epochs=min(epochs, settings.epochs or epochs), patience=None)
    network = build_network(short, replace(recipe, target=target), len(known))
    X, Z = (recipe.inputs.transform(part.X, network.dtype) for part in (known, asked))
    if settings.network == "table":
        fit_to_rows(network, X)
    history = build_trainer(short, len(known)).fit(network, X, target.encode(known))
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return target.restore(network.predict(Z))
