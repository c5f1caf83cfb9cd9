"""The settings that a search varies, what it draws for each, and the candidates that come of it.

Source of the space for the network of tables, as far as its settings are ours: Holzmüller,
Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data"
(2024), the search space of RealMLP-HPO.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from clearprop import preprocessing
from clearprop.configuration import Json
from clearprop.data import Dataset
from clearprop.data.splitting import without_column
from clearprop.errors import UsageError, listed
from clearprop.experiment import augmenting
from clearprop.experiment.augmenting import LIGHT, STRONG
from clearprop.experiment.candidates import CHOSEN, candidates
from clearprop.experiment.layer_words import Words, convolution, is_convolution
from clearprop.experiment.parts import column_not_learned
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import resolve_for
from clearprop.optimizers import OPTIMIZERS

_CHOOSES = "0.2"  # of the samples that are learned from
_VARIED = 0.5  # the chance of each setting to be drawn, so that most candidates keep some defaults
_TRIES = 200  # draws in a row that bring nothing new, after which nothing new is left
_RATE_FACTOR = 4.0  # between the usual learning rate and the ends of its range
_DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.5)
_BATCHES, _FEWEST_BATCHES = (16, 32, 64, 128, 256, 512), 4
_BATCH_FACTOR = 4  # between the usual size of a batch and the ends of its range
_L2, _TABLE_L2 = (1e-5, 1e-1), (1e-3, 3.0)

_TABLE_RATES = (0.02, 0.3)
_TABLE_DROPOUTS = (0.0, 0.15, 0.3)
_TABLE_LAYERS: tuple[Words, ...] = ((64,) * 5, (512,), (256,) * 3)
_TABLE_ACTIVATIONS = ("mish", "relu", "selu")

Changes: TypeAlias = Mapping[str, Any]
"""The settings of a candidate that differ from those that were given, by name."""


@dataclass(frozen=True)
class Between:
    """A number whose logarithm is drawn evenly, to two digits.

    Parameters
    ----------
    least, most : float
    usual : float or None
        The default; None where samples choose it.
    """

    least: float
    most: float
    usual: float | None

    has_order = True

    def draw(self, random_state: np.random.RandomState) -> float:
        """Draw a number."""
        drawn = math.exp(random_state.uniform(math.log(self.least), math.log(self.most)))
        return float(f"{drawn:.2g}")

    def place(self, value: Any) -> float:
        """Return where a value stands among others."""
        return float(value)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {"least": self.least, "most": self.most, "default": self.usual}


@dataclass(frozen=True)
class OneOf:
    """One of several values other than the usual, each as likely.

    Parameters
    ----------
    values : sequence of object
        The values, the usual one among them or not; from the least to the largest, if there is an
        order.
    usual : object
        The default; None where samples choose it.
    has_order : bool, default True
    """

    values: Sequence[Any]
    usual: Any
    has_order: bool = True

    def draw(self, random_state: np.random.RandomState) -> Any:
        """Draw a value."""
        others = [one for one in self.values if one != self.usual]
        return others[random_state.randint(len(others))]

    def place(self, value: Any) -> float:
        """Return where a value stands among others."""
        return float(self.values.index(value))

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        told = [list(one) if isinstance(one, tuple) else one for one in self.values]
        usual = list(self.usual) if isinstance(self.usual, tuple) else self.usual
        return {"values": told, "default": usual}


@dataclass(frozen=True)
class Space:
    """The settings that a search varies.

    Parameters
    ----------
    varied : mapping of str to Between or OneOf
        What is drawn for each, by its name.
    network : str
        The network of the defaults, which candidates with other layers keep.
    has_folds : bool, default False
        Whether a training, unless told otherwise, deals its samples out to folds to choose the
        epoch: six trainings are one then.
    """

    varied: Mapping[str, Between | OneOf]
    network: str
    has_folds: bool = False

    def drawn(self, seed: int) -> Iterator[Changes]:
        """Draw candidates, each once, without end or until nothing new is left."""
        random_state, known, tries = np.random.RandomState(seed), set[tuple[Any, ...]](), 0
        while tries < _TRIES:
            changes = {
                name: of.draw(random_state)
                for name, of in self.varied.items()
                if random_state.rand() < _VARIED
            }
            one = tuple(changes.items())
            if not changes or one in known:
                tries += 1
                continue
            known.add(one)
            tries = 0
            yield changes

    def settings(self, given: Settings, changes: Changes) -> Settings:
        """Return the settings of a candidate, of the network that the defaults would have."""
        found = given.changed(changes)
        describes = "layers" in changes or "activation" in changes  # which asks for a dense one
        return found.changed({"network": self.network}) if describes else found

    def quick(self, settings: Settings) -> Settings:
        """Return settings whose epoch is chosen by a part held out, where folds would choose it."""
        return replace(settings, validation=_CHOOSES) if self.has_folds else settings


def space_of(given: Settings, dataset: Dataset) -> Space:
    """Return what a search varies: the settings that matter for the network, if not given.

    Parameters
    ----------
    given : Settings
        The settings as they were given; None marks what is open.
    dataset : Dataset

    Raises
    ------
    UsageError
        If all of them are given, or the settings can't be used with these data.
    """
    no_input = column_not_learned(given)
    inputs = dataset if no_input is None else without_column(dataset, no_input)
    shape = preprocessing.fit_inputs(inputs).input_shape
    usual = resolve_for(given, dataset, shape)
    tried = candidates(given, usual, dataset.kind)
    chosen = {name for name in CHOSEN if len({getattr(one, name) for one in tried}) > 1}
    every = _of_table(usual) if usual.network == "table" else _of_others(usual, dataset, shape)
    varied = {
        name: of if name not in chosen else _without_usual(of)
        for name, of in every.items()
        if getattr(given, name) is None
    }
    if not varied:
        raise UsageError(
            f"Nothing is left to search, as {listed(every)} are given. Leave out what is to be "
            "searched; a run's folder or a config file gives all settings, its data alone none."
        )
    return Space(varied, usual.network, has_folds=given.folds is None and bool(usual.folds))


def _without_usual(of: Between | OneOf) -> Between | OneOf:
    if isinstance(of, Between):
        return Between(of.least, of.most, None)
    return OneOf(of.values, None, of.has_order)


def _of_table(usual: Settings) -> dict[str, Between | OneOf]:
    """Return what is varied of the network of tables."""
    return {
        "learning_rate": Between(*_TABLE_RATES, usual.learning_rate),
        "layers": _one_of(_TABLE_LAYERS, usual.layers),
        "activation": _one_of(_TABLE_ACTIVATIONS, usual.activation, has_order=False),
        "dropout": _one_of(_TABLE_DROPOUTS, usual.dropout),
    }


def _of_others(
    usual: Settings, dataset: Dataset, shape: tuple[int, ...]
) -> dict[str, Between | OneOf]:
    """Return what is varied of a dense network, or of one of convolutions."""
    words, full_batch = usual.layers or (), OPTIMIZERS[usual.optimizer].full_batch
    varied: dict[str, Between | OneOf] = {}
    if not full_batch:
        rate = usual.learning_rate or 0.0
        varied["learning_rate"] = Between(
            float(f"{rate / _RATE_FACTOR:.2g}"), float(f"{rate * _RATE_FACTOR:.2g}"), rate
        )
    of_pictures = is_convolution(words)
    shapes = _wider_or_narrower(words) if of_pictures else _shapes(words, math.prod(shape))
    varied["layers"] = OneOf(shapes, words)
    if not full_batch:
        varied["dropout"] = _one_of(_DROPOUTS, usual.dropout)
    if usual.augment:
        varied["augment"] = OneOf(((), (LIGHT,), (STRONG,)), (augmenting.usual(len(dataset)),))
    if not of_pictures:
        least, most = _TABLE_L2 if dataset.kind == "table" else _L2
        varied["l2"] = Between(least, most, usual.l2)
    if not of_pictures and not full_batch and usual.batch_size:
        size, most_samples = usual.batch_size, len(dataset) // _FEWEST_BATCHES
        near = [
            one
            for one in _BATCHES
            if size <= _BATCH_FACTOR * one <= size * _BATCH_FACTOR**2 and one <= most_samples
        ]
        if set(near) - {size}:
            varied["batch_size"] = _one_of(near, size)
    return varied


def _one_of(values: Sequence[Any], usual: Any, *, has_order: bool = True) -> OneOf:
    """Make a choice of values that has the usual one in its place."""
    every = set(values) if usual is None else {*values, usual}
    return OneOf(tuple(sorted(every, key=_order_of)), usual, has_order)


def _order_of(value: Any) -> Any:
    """Return what layers are put into order by: their weights; any other value is its own order."""
    return _weights(value) if isinstance(value, tuple) else value


def _weights(words: Words, inputs: int = 1) -> int:
    units = [inputs, *(one for one in words if isinstance(one, int))]
    return sum(before * one for before, one in pairwise(units))


def _shapes(words: Words, inputs: int) -> tuple[Words, ...]:
    """Return hidden layers around the usual ones, from few weights to many.

    They are half and twice as wide, one layer of twice as many units, and one layer more.
    """
    units = tuple(one for one in words if isinstance(one, int)) or (64,)
    near: set[Words] = {
        words,
        units,
        tuple(max(one // 2, 1) for one in units),
        tuple(2 * one for one in units),
        (2 * units[0],),
        (units[0], *units),
    }
    return tuple(sorted(near, key=lambda one: (_weights(one, inputs), one)))


def _wider_or_narrower(words: Words) -> tuple[Words, ...]:
    """Return convolutions and dense layers of half, as many, and twice as many channels."""

    def scaled(word: int | str, factor: float) -> int | str:
        if isinstance(word, int):
            return max(round(word * factor), 1)
        found = convolution(word)
        if found is None:
            return word
        return found._replace(filters=max(round(found.filters * factor), 1)).word

    return tuple(tuple(scaled(word, factor) for word in words) for factor in (0.5, 1.0, 2.0))
