"""The base of the estimators of tables: the recipe of RealMLP, from columns to trained networks.

Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
Trees on Tabular Data" (2024), table A.1.
"""

from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from clearprop.core.initializers import FromData
from clearprop.core.parameters import Array
from clearprop.core.schedules import CosLogSchedule, FlatCosineSchedule
from clearprop.data import Table
from clearprop.estimators.table_samples import table_of
from clearprop.layers import Blend, Columns, Dropout, Layer, NTKDense, Scale
from clearprop.losses import Loss
from clearprop.network import Network, twin_of
from clearprop.optimizers import AdamW
from clearprop.preprocessing import TableRecipe
from clearprop.training import EarlyStopping, History, Trainer
from clearprop.training.samples import steps_per_epoch

_FACTOR = 0.1  # of the learning rate: of biases, of the embedding of numbers, of Blend
_SCALE_FACTOR = 6.0
_DROPOUT, _DECAY, _BETA_2 = 0.15, 0.02, 0.95
FEWEST = 5
"""Rows of which one can be held out."""

_SEEDS = 2**31 - 1


class BaseTable(BaseEstimator, ABC):
    """Base of the estimators of tables: recipe, networks, and training."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "categorical_features": ["array-like", None],
        "members": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    _usual_rate: ClassVar[float]
    _activation: ClassVar[Layer]

    hidden_layer_sizes: Any
    learning_rate_init: float | None
    batch_size: int
    max_iter: int
    validation_fraction: float
    categorical_features: Any
    members: int
    random_state: Any
    threads: int | None

    histories_: list[History]
    n_features_in_: int
    n_iter_: int
    networks_: list[Network]
    recipe_: TableRecipe

    @abstractmethod
    def _learn_targets(self, y: Any, rows: int) -> Array:
        """Check targets, learn what outputs they need, and return them as numbers."""

    @abstractmethod
    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        """Choose the rows that are to choose the epoch, shape (N,) of bool."""

    @abstractmethod
    def _encoded(self, targets: Array, learned: Array) -> Array:
        """Return targets as the loss takes them, by what is known of the rows learned from."""

    @abstractmethod
    def _loss(self) -> tuple[Loss, int]:
        """Return the loss, and the number of its logits."""

    @property
    @abstractmethod
    def _monitor(self) -> str:
        """The column of the history that chooses the epoch."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : data frame of N rows, or array-like, shape (N, D)
            Columns of numbers, dates and categories, with gaps as they are; those of an array are
            numbers, NaN where missing.
        y : array-like, shape (N,) or, of values, (N, K)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y can't be learned from.
        """
        table = self._table(X, reset=True)
        targets = self._learn_targets(y, len(table))
        random_state = check_random_state(self.random_state)
        held_out = self._held_out(targets, random_state)
        learned = np.flatnonzero(~held_out)
        self.recipe_ = TableRecipe.fit(table[learned], robust=True)
        rows, y = self.recipe_.transform(table, np.float32), self._encoded(targets, learned)
        validation = (rows[held_out], y[held_out]) if held_out.any() else None
        self.networks_, self.histories_ = [], []
        for _ in range(self.members):
            network = self._network(rows[learned], int(random_state.randint(_SEEDS)))
            history = self._trainer(len(learned), network.seed, chooses=validation is not None).fit(
                network, rows[learned], y[learned], validation=validation
            )
            self.networks_.append(twin_of(network, dtype=np.float64))
            self.histories_.append(history)
        self.n_iter_ = max(map(len, self.histories_))
        return self

    def _network(self, rows: Array, seed: int) -> Network:
        """Make a network with its first values, which depend on the rows learned from."""
        steps = self._steps(len(rows))
        numbers, plain, sizes = self.recipe_.groups
        first = Columns.of_table(numbers=numbers, plain=plain, sizes=sizes, rate=_FACTOR)
        layers: list[Layer] = [first, Scale(rate=_SCALE_FACTOR)]
        for units in self._sizes():
            layers += [
                NTKDense(units, FromData(), bias_rate=_FACTOR),
                Blend(self._activation, rate=_FACTOR),
                Dropout(FlatCosineSchedule(_DROPOUT, steps)),
            ]
        loss, outputs = self._loss()
        layers.append(NTKDense(outputs, FromData(), bias_rate=_FACTOR))
        shape = self.recipe_.input_shape
        network = Network(layers, loss=loss, input_shape=shape, seed=seed, dtype=np.float32)
        network.initialize_from(rows, np.random.RandomState(seed))
        return network

    def _trainer(self, rows: int, seed: int, *, chooses: bool) -> Trainer:
        steps = self._steps(rows)
        rate = self.learning_rate_init or self._usual_rate
        stopping = EarlyStopping(self.max_iter, self._monitor, last=True)
        return Trainer(
            optimizer=AdamW(
                CosLogSchedule(rate, steps),
                beta_2=_BETA_2,
                weight_decay=FlatCosineSchedule(_DECAY, steps),
            ),
            epochs=self.max_iter,
            batch_size=min(self.batch_size, rows),
            drop_last=True,
            early_stopping=stopping if chooses else None,
            seed=seed,
            threads=self.threads,
        )

    def _steps(self, rows: int) -> int:
        size = min(self.batch_size, rows)
        return self.max_iter * steps_per_epoch(rows, size, drop_last=True)

    def _sizes(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        found = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
        if all(isinstance(one, Integral) and int(one) > 0 for one in found):
            return tuple(map(int, found))
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes!r}.")

    def _rows(self, X: Any) -> Array:
        """Check samples, and prepare them."""
        check_is_fitted(self)
        return self.recipe_.transform(self._table(X, reset=False), np.float64)

    def _table(self, X: Any, *, reset: bool) -> Table:
        named = () if self.categorical_features is None else list(self.categorical_features)
        return table_of(self, X, named, reset=reset)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def count_of(rows: int, share: float, random_state: np.random.RandomState) -> int:
    """Return a share of a number of rows; what is left of one more is the chance of that."""
    whole, rest = divmod(rows * share, 1)
    return int(whole) + int(random_state.uniform() < rest)
