"""Changed settings: how one types them, and short trainings that try them before they are advised.

Settings go by the names that `clearprop train` gives them, without dashes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import count
from math import inf, isfinite
from typing import Any, TypeAlias

from clearprop.core.initializers import INITIALIZERS
from clearprop.doctor.scores import Score, is_well, score
from clearprop.errors import DivergedError, UsageError
from clearprop.layers import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Layer,
    Sequential,
)
from clearprop.network import Network
from clearprop.training import Trainer
from clearprop.training.engines.sample_space import why_not_exact
from clearprop.training.samples import Samples

Changes: TypeAlias = Mapping[str, Any]
"""New values of settings, by their names."""

_MOST_UPDATES, _FEWEST_UPDATES = 300, 50
_PRODUCTS = 3 * 10**10  # multiplications that a trial may take: a second or two
_DECADES = 8  # of rates above the training's own that are tried, and as many below


@dataclass(frozen=True)
class Setting:
    """A setting that the doctor changes, beside those that are fields of `Trainer`.

    Parameters
    ----------
    python : str
        The template of the line that one types in Python.
    names : mapping
        The objects that its values name, where they are names.
    of_optimizer : str, optional
        The optimizer's field of that meaning.
    where : tuple of type
        The layers that it concerns.
    replaced : callable, optional
        A function of such a layer and the value that gives the layers that take its place.
    """

    python: str
    names: Mapping[str, object] = field(default_factory=dict)
    of_optimizer: str | None = None
    where: tuple[type[Layer], ...] = ()
    replaced: Callable[[Any, Any], list[Layer]] | None = None


SETTINGS: dict[str, Setting] = {
    "init": Setting(
        "init=cp.{class_name}() for every cp.Dense and cp.Conv2D",
        names=INITIALIZERS,
        where=(Dense, Conv2D),
        replaced=lambda layer, name: [replace(layer, init=INITIALIZERS[name])],
    ),
    "activation": Setting(
        "cp.{class_name}() for every activation",
        names=ACTIVATIONS,
        where=(Activation,),
        replaced=lambda _, name: [ACTIVATIONS[name]],
    ),
    "batch_norm": Setting(
        "cp.BatchNorm() before every activation",
        where=(Activation,),
        replaced=lambda layer, _: [BatchNorm(), layer],
    ),
    "dropout": Setting(
        "cp.Dropout({value:g}) after every activation",
        where=(Dropout,),
        replaced=lambda layer, rate: [replace(layer, rate=rate)],
    ),
    "layers": Setting("hidden layers of {value} units, each a cp.Dense and an activation"),
    "learning_rate": Setting(
        "cp.Trainer(optimizer=cp.{optimizer}({value:g}), ...)", of_optimizer="learning_rate"
    ),
    "l2": Setting(
        "cp.Trainer(optimizer=cp.{optimizer}(..., alpha={value:g}), ...)", of_optimizer="alpha"
    ),
    "patience": Setting("cp.Trainer(early_stopping=cp.EarlyStopping({value}), ...)"),
}


def in_python(name: str, value: object, optimizer: str) -> str:
    """Write a changed setting as one types it in Python."""
    if name not in SETTINGS:
        written = f"{value:g}" if isinstance(value, float) else repr(value)
        return f"cp.Trainer({name}={written}, ...)"
    setting = SETTINGS[name]
    class_name = type(setting.names.get(str(value))).__name__
    return setting.python.format(value=value, class_name=class_name, optimizer=optimizer)


def as_options(changes: Changes) -> str:
    """Write changed settings as options of ``clearprop train``."""
    return " ".join(_as_option(name, value) for name, value in changes.items())


def _as_option(name: str, value: object) -> str:
    option = f"--{name.replace('_', '-')}"
    if value is True:
        return option
    if isinstance(value, list):
        return f"{option} {','.join(map(str, value))}"
    return f"{option} {value:g}" if isinstance(value, float) else f"{option} {value}"


def treated(network: Network, changes: Changes) -> Network:
    """Make a network with first weights of its own, and other layers where settings say so.

    It is a copy with the same weights where nothing is changed that concerns a network.
    """
    layers, is_another = network.layers, False
    for name, value in changes.items():
        setting = SETTINGS.get(name)
        if setting is not None and setting.replaced is not None:
            layers, is_another = _replaced(layers, setting, value), True
    if not is_another:
        return network.copy()
    return Network(
        layers,
        loss=network.loss,
        input_shape=network.input_shape,
        seed=network.seed,
        dtype=network.dtype,
    )


def _replaced(layers: Iterable[Layer], setting: Setting, value: object) -> tuple[Layer, ...]:
    changed: list[Layer] = []
    for layer in layers:
        if isinstance(layer, setting.where) and setting.replaced is not None:
            changed += setting.replaced(layer, value)
        else:
            changed.append(_replaced_inside(layer, setting, value))
    return tuple(changed)


def _replaced_inside(layer: Layer, setting: Setting, value: object) -> Layer:
    inner = layer.inner()
    if not inner:
        return layer
    if layer.chains:  # of any length: there may be more layers now
        changed = _replaced(inner.values(), setting, value)
        return layer.with_inner(dict(zip(map(str, count()), changed, strict=False)))
    blocks = {name: _replaced([one], setting, value) for name, one in inner.items()}
    return layer.with_inner(
        {name: one[0] if len(one) == 1 else Sequential(one) for name, one in blocks.items()}
    )


@dataclass(frozen=True, eq=False)
class Trials:
    """Trainings anew with changed settings, for a few updates each; none is done twice.

    Parameters
    ----------
    start : Network
        The network with its first weights.
    trainer : Trainer
        The trainer that went on from there.
    rate : float or None
        The training's largest learning rate, which trials keep constant; None for the trainer's.
    samples : Samples
        The samples that are trained on.
    sample : Samples
        The samples that a trial's loss is measured on.
    judged : Samples
        The samples that its score is measured on.
    most : int
        The number of updates that the training itself did: a trial does not do more.
    """

    start: Network
    trainer: Trainer
    rate: float | None
    samples: Samples
    sample: Samples
    judged: Samples
    most: int
    _done: dict[str, Score] = field(default_factory=dict)

    @property
    def updates(self) -> int:
        """The number of updates of a trial."""
        affordable = max(_PRODUCTS // self._products_of_an_update(), _FEWEST_UPDATES)
        return min(_MOST_UPDATES, affordable, self.most)

    def reach(self, changes: Changes) -> Score:
        """Train with changed settings, and measure; the loss is infinite where it diverged.

        A trial that is interrupted raises `KeyboardInterrupt`.
        """
        key = repr(sorted(changes.items()))
        if key not in self._done:
            try:
                self._done[key] = self._train(changes)
            except UsageError:  # the optimizer can't train with them, as L-BFGS with batch norm
                if not changes:
                    raise
                self._done[key] = replace(score(self.start, self.judged), value=-1.0, loss=inf)
        return self._done[key]

    def best_rate(self, changes: Changes, most: float = inf) -> tuple[float, Score]:
        """Return the best multiple of the training's learning rate, and the score it reaches.

        Rates are ten times apart, and tried until one does well, or they are far worse than the
        best; lower ones at least until they don't diverge. They must suit the other `changes`.

        Parameters
        ----------
        changes : mapping
        most : float, optional
            The largest multiple that is tried. Below 1, the search begins at the optimizer's usual
            rate, if that is lower: from 10**12 no other way is short.
        """
        usual = self.trainer.optimizer.usual_rate / (self.rate or 1.0)
        first = 1.0 if most >= 1 else min(most, usual)
        chosen, best = first, self.reach({**changes, **(self.at(first) if first < 1 else {})})
        for step in (10.0, 0.1):
            for power in range(1, _DECADES + 1):
                if is_well(best):
                    return chosen, best
                factor = first * step**power
                if factor > most:
                    break
                tried = self.reach({**changes, **self.at(factor)})
                if tried.loss < best.loss:
                    chosen, best = factor, tried
                elif tried.loss >= 2 * best.loss and (step > 1 or isfinite(best.loss)):
                    break
        return chosen, best

    def at(self, factor: float) -> dict[str, float]:
        """Return the change to a multiple of the training's learning rate, rounded for people."""
        return {"learning_rate": float(f"{(self.rate or 0.0) * factor:.3g}")}

    def _train(self, changes: Changes) -> Score:
        network = treated(self.start, changes)
        optimizer = self.trainer.optimizer
        if self.rate is not None:
            optimizer = replace(optimizer, learning_rate=self.rate)
        of_optimizer = {
            setting.of_optimizer: changes[name]
            for name, setting in SETTINGS.items()
            if setting.of_optimizer is not None and name in changes
        }
        of_trainer = {
            one.name: changes[one.name] for one in fields(Trainer) if one.name in changes
        } | {"epochs": self.updates, "max_steps": self.updates, "early_stopping": None}
        of_trainer |= {"shards": None, "cluster": None}  # too short for anybody's help
        trial = replace(self.trainer, optimizer=replace(optimizer, **of_optimizer), **of_trainer)
        X, y, weights = self.samples.X, self.samples.y, self.samples.weights
        try:
            history = trial.fit(network, X, y, sample_weight=weights)
            reached, loss = score(network, self.judged), score(network, self.sample).loss
        except DivergedError:
            return replace(score(network, self.judged), value=-1.0, loss=inf)
        except KeyError:  # a container of one's own that keeps no state for a batch norm in it
            return replace(score(self.start, self.judged), value=-1.0, loss=inf)
        if history.stopped == "interrupted":  # half a trial says nothing, nor would the next
            raise KeyboardInterrupt
        return replace(reached, loss=loss)

    def _products_of_an_update(self) -> int:
        """Count the multiplications; in sample space a layer has as many inputs as samples."""
        weights = self.start.multiplications
        if why_not_exact(self.start, self.trainer.optimizer, self.samples.X) is None:
            first = next(
                self.start.parameters[f"{place}.W"]
                for place, layer in enumerate(self.start.layers)
                if isinstance(layer, Dense)
            )
            features, units = first.shape
            weights -= max(features - len(self.samples), 0) * units
        batch = min(self.trainer.samples_per_update or len(self.samples), len(self.samples))
        return 6 * weights * batch  # a product forward and two back, each multiplied and added
