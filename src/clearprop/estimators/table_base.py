"""The base of the estimators of tables: the recipe of RealMLP, from columns to trained networks."""

from abc import ABC, abstractmethod
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import assert_all_finite, check_is_fitted

from clearprop.core.blas import choose_threads
from clearprop.core.parameters import Array
from clearprop.data import Table
from clearprop.estimators.partitions import PartitionBlocks, Partitions, computed, is_dask
from clearprop.estimators.table_samples import is_frame, table_of
from clearprop.layers import ACTIVATIONS
from clearprop.losses import Loss
from clearprop.network import Network, twin_of
from clearprop.preprocessing import TableRecipe
from clearprop.preprocessing.blocks import Blocks
from clearprop.training import Callback, History, Run
from clearprop.training.table_recipe import TableTraining, Usual, fit_to_rows, stopping_for
from clearprop.training.together import together

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

    _usual: ClassVar[Usual]

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
    feature_names_in_: Array
    n_features_in_: int
    n_iter_: int
    networks_: list[Network]
    recipe_: TableRecipe

    @abstractmethod
    def _learn_targets(self, y: Any, rows: int, labels: Array | None = None) -> Array:
        """Check targets, learn what outputs they need, and return them as numbers.

        Where these are of a sample, all different ones are `labels`.
        """

    @abstractmethod
    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        """Choose the rows that are to choose each member's epoch, shape (members, N) of bool."""

    @abstractmethod
    def _encoded(self, targets: Array, learned: Array) -> Array:
        """Return targets as the loss takes them, by what is known of the rows learned from."""

    @abstractmethod
    def _widen(self, low: Array, high: Array) -> None:
        """Hear of the least and the largest targets of all rows, of which a sample is encoded."""

    @abstractmethod
    def _encoded_alike(self, y: Array) -> Array:
        """Return other targets as the loss takes them."""

    @abstractmethod
    def _loss(self) -> tuple[Loss, int]:
        """Return the loss, and the number of its logits."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : data frame of N rows, or array-like, shape (N, D); both also of Dask
            Columns of numbers, dates and categories, with gaps as they are; those of an array are
            numbers, NaN where missing. A collection of Dask with over 1 GB of cells is learned from
            partition by partition; a smaller one is computed.
        y : array-like, shape (N,) or, of values, (N, K)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y can't be learned from.
        """
        if is_dask(X):
            parts = Partitions.of(X, y, self._named())
            if not parts.is_small:
                return self._fit_partitions(parts, X)
        X, y = computed(X, y)
        table = self._table(X, reset=True)
        targets = self._learn_targets(y, len(table))
        random_state = check_random_state(self.random_state)
        held_out = self._held_out(targets, random_state)
        learned = np.flatnonzero(~held_out.all(axis=0))  # by one member or another
        self.recipe_ = TableRecipe.fit(table[learned], robust=True)
        rows, y = self.recipe_.transform(table, np.float32), self._encoded(targets, learned)
        members = [
            (aside, self._network(int(np.sum(~aside)), int(random_state.randint(_SEEDS))))
            for aside in held_out
        ]
        at_once = choose_threads(members[0][1].multiplications, self.batch_size, self.threads)
        threads = self.threads if len(members) == 1 else 1
        trained = together(
            [partial(self._trained, *one, rows, y, threads) for one in members], at_once
        )
        self.networks_ = [network for networks, _ in trained for network in networks]
        self.histories_ = [history for _, history in trained]
        self.n_iter_ = max(map(len, self.histories_))
        self._calibrate(rows, y, held_out)
        return self

    def _fit_partitions(self, parts: Partitions, X: Any) -> Self:
        """Learn from partitions: what is held out is part of a sample, which the recipe sees."""
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        if is_frame(X) and all(isinstance(name, str) for name in X.columns):
            self.feature_names_in_ = np.array(list(X.columns), dtype=object)
        self.n_features_in_ = parts.columns
        found = parts.survey()
        if found.y.dtype.kind == "f":  # a NaN in any row is one in both
            assert_all_finite(np.append(found.low, found.high), input_name="y")
        targets = self._learn_targets(found.y, len(found.y), found.labels)
        random_state = check_random_state(self.random_state)
        held_out = self._held_out(targets, random_state)
        learned = np.flatnonzero(~held_out.all(axis=0))
        self.recipe_ = found.recipe(learned)
        rows, y = self.recipe_.transform(found.sample, np.float32), self._encoded(targets, learned)
        self._widen(found.low, found.high)
        self.networks_, self.histories_ = [], []
        for aside in held_out:
            held = found.places[aside]
            blocks = PartitionBlocks(parts, self.recipe_, held, self._encoded_alike)
            network = self._network(len(blocks), int(random_state.randint(_SEEDS)))
            networks, history = self._trained(aside, network, rows, y, self.threads, blocks)
            self.networks_ += networks
            self.histories_.append(history)
        self.n_iter_ = max(map(len, self.histories_))
        self._calibrate(rows, y, held_out)
        return self

    def _training(self, rows: int) -> TableTraining:
        return TableTraining(rows=rows, batch_size=self.batch_size, epochs=self.max_iter)

    def _network(self, count: int, seed: int) -> Network:
        loss, outputs = self._loss()
        layers = self._training(count).layers(
            self.recipe_.groups, self._sizes(), ACTIVATIONS[self._usual.activation], outputs
        )
        shape = self.recipe_.input_shape
        return Network(layers, loss=loss, input_shape=shape, seed=seed, dtype=np.float32)

    def _trained(
        self,
        aside: Array,
        network: Network,
        rows: Array,
        y: Array,
        threads: int | None,
        blocks: Blocks | None = None,
    ) -> tuple[list[Network], History]:
        """Train a member on all rows but those held out, and keep it as it was several times.

        Where there are blocks, it is trained on these, and the rows are a sample of them.

        That is where a swing of the rate ended, so that it had come to rest, and at the epoch that
        the rows held out choose. Their mean is better than any of them, and costs no training:
        Huang, Li, Pleiss, Liu, Hopcroft, Weinberger, "Snapshot Ensembles: Train 1, Get M for Free"
        (2017); docs/table-networks.md has what it is worth.
        """
        learned, chooses = ~aside, bool(aside.any())
        fit_to_rows(network, rows[learned])
        training = self._training(int(learned.sum()) if blocks is None else len(blocks))
        trainer = training.trainer(
            self.learning_rate_init or self._usual.learning_rate,
            stopping=stopping_for(network.loss, self.max_iter) if chooses else None,
            seed=network.seed,
            threads=threads,
        )
        validation = (rows[aside], y[aside]) if chooses else None
        ends = _AtEnds(training.epochs_at_ends)
        given = (rows[learned], y[learned]) if blocks is None else (blocks, None)
        history = trainer.fit(network, *given, validation=validation, callbacks=[ends])
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        kept = [*ends.networks, network] if chooses else ends.networks
        return [twin_of(one, dtype=np.float64) for one in kept], history

    def _calibrate(self, rows: Array, y: Array, held_out: Array) -> None:
        """Learn what there is to learn of trained members from the rows that each held out."""

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
        return table_of(self, X, self._named(), reset=reset)

    def _named(self) -> list[Any]:
        return [] if self.categorical_features is None else list(self.categorical_features)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class _AtEnds(Callback):
    """Keep the network as it is after some epochs."""

    def __init__(self, epochs: tuple[int, ...]) -> None:
        self.epochs = epochs
        self.networks: list[Network] = []

    def on_epoch_end(self, run: Run) -> None:
        """Copy it, if this was one of them."""
        if run.epoch in self.epochs:
            self.networks.append(run.write_back().copy())


def held_out_of(
    rows: Array, share: float, members: int, random_state: np.random.RandomState, most: int
) -> list[Array]:
    """Deal rows that are shuffled out to members: a share of them to each, one after the other.

    So up to one over the share of members have rows of their own held out, and every row is learned
    from. What is left of one row more is the chance of that.
    """
    whole, rest = divmod(len(rows) * share, 1)
    count = min(int(whole) + int(random_state.uniform() < rest), most)
    return [
        rows[np.arange(member * count, (member + 1) * count) % len(rows)]
        for member in range(members)
    ]
