"""Short trainings that try advice before it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isfinite

from clearprop.doctor.finding import Changes
from clearprop.doctor.scores import Score, is_well, score
from clearprop.doctor.treatment import treated
from clearprop.errors import DivergedError
from clearprop.layers import Dense
from clearprop.network import Network
from clearprop.training import Trainer
from clearprop.training.engines.sample_space import why_not_exact
from clearprop.training.samples import Samples

_MOST_UPDATES, _FEWEST_UPDATES = 300, 50
_PRODUCTS = 3 * 10**10  # multiplications that a trial may take: a second or two
_DECADES = 8  # of rates above the training's own that are tried, and as many below


@dataclass(frozen=True, eq=False)
class Trials:
    """Trainings anew with changed settings, for a few updates each; none is done twice.

    Parameters
    ----------
    start : Network
        With the weights that training began with.
    trainer : Trainer
        How it went on.
    rate : float or None
        Its largest learning rate, which trials keep constant; None for the trainer's own.
    samples : Samples
        What is trained on.
    sample : Samples
        What a trial's loss is measured on.
    judged : Samples
        What its score is measured on.
    most : int
        Updates that the training itself did: a trial does not do more.
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
        """How many updates a trial does."""
        affordable = max(_PRODUCTS // self._products_of_an_update(), _FEWEST_UPDATES)
        return min(_MOST_UPDATES, affordable, self.most)

    def reach(self, changes: Changes) -> Score:
        """Train with changed settings, and measure.

        Parameters
        ----------
        changes : mapping
            Settings of network, optimizer and trainer.

        Returns
        -------
        Score
            With an infinite loss where it diverged.

        Raises
        ------
        KeyboardInterrupt
            If it was interrupted.
        """
        key = repr(sorted(changes.items()))
        if key not in self._done:
            self._done[key] = self._train(changes)
        return self._done[key]

    def best_rate(self, changes: Changes) -> tuple[float, Score]:
        """Find by how much the best of some learning rates differs from the training's own.

        Rates are ten times apart, and tried until one does well, or they are far worse than the
        best; lower ones at least until they don't diverge.

        Parameters
        ----------
        changes : mapping
            What else is changed: the rate must suit it.

        Returns
        -------
        factor : float
        best : Score
            What it reaches.
        """
        chosen, best = 1.0, self.reach(changes)
        for step in (10.0, 0.1):
            for power in range(1, _DECADES + 1):
                if is_well(best):
                    return chosen, best
                factor = step**power
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
        trial = replace(
            self.trainer,
            optimizer=replace(optimizer, **_named(changes, _OF_OPTIMIZERS)),
            epochs=self.updates,
            max_steps=self.updates,
            early_stopping=None,
            **_named(changes, _OF_TRAINERS),
        )
        X, y, weights = self.samples.X, self.samples.y, self.samples.weights
        try:
            history = trial.fit(network, X, y, sample_weight=weights)
        except DivergedError:
            return replace(score(network, self.judged), value=-1.0, loss=inf)
        if history.stopped == "interrupted":  # half a trial says nothing, nor would the next
            raise KeyboardInterrupt
        return replace(score(network, self.judged), loss=score(network, self.sample).loss)

    def _products_of_an_update(self) -> int:
        """Count the multiplications; in sample space a layer has as many inputs as samples."""
        weights = self.start.parameters.data.size
        if why_not_exact(self.start, self.trainer.optimizer, self.samples.X) is None:
            first = next(
                self.start.parameters[f"{place}.W"]
                for place, layer in enumerate(self.start.layers)
                if isinstance(layer, Dense)
            )
            features, units = first.shape
            weights -= max(features - len(self.samples), 0) * units
        return (
            6
            * weights
            * min(self.trainer.samples_per_update or len(self.samples), len(self.samples))
        )


_OF_OPTIMIZERS = {"learning_rate": "learning_rate", "l2": "alpha"}
_OF_TRAINERS = {"class_weight": "class_weight", "clip_norm": "clip_norm"}


def _named(changes: Changes, names: Mapping[str, str]) -> Changes:
    """Return the changes of some settings, by the names that a class gives them."""
    return {names[name]: value for name, value in changes.items() if name in names}
