"""The estimators of tables, by the recipe of RealMLP.

Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
Trees on Tabular Data" (2024), table A.1.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils import check_random_state, multiclass
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, column_or_1d

from clearprop.core.initializers import FromData
from clearprop.core.parameters import Array
from clearprop.core.schedules import CosLogSchedule, FlatCosineSchedule
from clearprop.estimators.table_samples import require_as_many, table_of, targets_of
from clearprop.layers import SELU, Blend, Columns, Dropout, Layer, Mish, NTKDense, Scale
from clearprop.losses import Loss, MeanSquaredError, SmoothedCrossEntropy, SoftmaxCrossEntropy
from clearprop.network import Network, twin_of
from clearprop.optimizers import AdamW
from clearprop.preprocessing import TableRecipe
from clearprop.training import EarlyStopping, History, Trainer
from clearprop.training.samples import steps_per_epoch

_FACTOR = 0.1  # of the learning rate: of biases, of the embedding of numbers, of Blend
_SCALE_FACTOR = 6.0
_DROPOUT, _DECAY, _BETA_2, _SMOOTHING = 0.15, 0.02, 0.95, 0.1
_FEWEST = 5  # rows of which one can be held out
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
            If a number is infinite, X and y differ in length, or there is nothing to tell apart.
        """
        named = () if self.categorical_features is None else list(self.categorical_features)
        table = table_of(self, X, named, reset=True)
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
        return Trainer(
            optimizer=AdamW(
                CosLogSchedule(rate, steps),
                beta_2=_BETA_2,
                weight_decay=FlatCosineSchedule(_DECAY, steps),
            ),
            epochs=self.max_iter,
            batch_size=min(self.batch_size, rows),
            drop_last=True,
            early_stopping=EarlyStopping(self.max_iter, self._monitor, last=True)
            if chooses
            else None,
            seed=seed,
            threads=self.threads,
        )

    def _steps(self, rows: int) -> int:
        size = min(self.batch_size, rows)
        return self.max_iter * steps_per_epoch(rows, size, drop_last=True)

    def _sizes(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        found = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
        if not all(isinstance(one, Integral) and int(one) > 0 for one in found):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes!r}.")
        return tuple(map(int, found))

    def _rows(self, X: Any) -> Array:
        """Check samples, and prepare them."""
        check_is_fitted(self)
        named = () if self.categorical_features is None else list(self.categorical_features)
        return self.recipe_.transform(table_of(self, X, named, reset=False), np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class TableClassifier(ClassifierMixin, BaseTable):
    """Classifier of tables: a network with the defaults of RealMLP.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (256, 256, 256)
        The number of units of each hidden layer.
    scoring : {"accuracy", "log_loss"}, default "accuracy"
        What counts. It chooses the epoch; and where it is "log_loss", labels are not smoothed.
    learning_rate_init : float, optional
        The peak of the learning rate; 0.04 unless given.
    batch_size : int, default 256
        The number of samples that an update sees; all, where there are fewer.
    max_iter : int, default 256
        The number of epochs.
    validation_fraction : float, default 0.2
        The share of the rows that choose the epoch, and are not learned from.
    categorical_features : sequence of str or int, optional
        The columns that are categories, whatever is in their cells; of an array their numbers.
    members : int, default 1
        The number of networks whose probabilities are averaged.
    random_state : int, RandomState or None, default None
        The source of the validation set, first weights, batches and dropout.
    threads : int, optional
        The number of threads at most.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Of data frames.
    n_iter_ : int
        The number of epochs.
    networks_ : list of Network
        The members, trained in float32; in float64, so that an answer does not depend on the rows
        beside it.
    histories_ : list of History
        The course of their trainings.
    recipe_ : TableRecipe
        The recipe of the columns.

    Examples
    --------
    >>> import clearprop as cp
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = cp.TableClassifier(max_iter=64, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTable._parameter_constraints,
        "scoring": [StrOptions({"accuracy", "log_loss"})],
    }
    _usual_rate = 0.04
    _activation = SELU()

    scoring: str

    classes_: Array

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (256, 256, 256),
        *,
        scoring: str = "accuracy",
        learning_rate_init: float | None = None,
        batch_size: int = 256,
        max_iter: int = 256,
        validation_fraction: float = 0.2,
        categorical_features: Sequence[Any] | None = None,
        members: int = 1,
        random_state: Any = None,
        threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.scoring = scoring
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.members = members
        self.random_state = random_state
        self.threads = threads

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (N, K): the mean of the members'."""
        rows = self._rows(X)
        found = [network.predict_proba(rows).astype(np.float64) for network in self.networks_]
        return np.asarray(np.mean(found, axis=0))

    def predict(self, X: Any) -> Array:
        """Return the class of the largest probability, shape (N,)."""
        found = np.argmax(self.predict_proba(X), axis=1)
        return np.asarray(self.classes_[found])

    def _learn_targets(self, y: Any, rows: int) -> Array:
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        require_as_many(y, rows)
        multiclass.check_classification_targets(y)
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"There is one class, {self.classes_[0]!r}; a classifier needs samples of at least "
                "2 classes."
            )
        return places.astype(np.int64)

    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        """Choose a share of each class, as near as can be, and leave one of each to learn from."""
        held_out = np.zeros(len(targets), np.bool_)
        if len(targets) < _FEWEST:
            return held_out
        shuffled = random_state.permutation(len(targets))
        for one in range(len(self.classes_)):
            rows = shuffled[targets[shuffled] == one]
            count = min(_count(len(rows), self.validation_fraction, random_state), len(rows) - 1)
            held_out[rows[:count]] = True
        return held_out

    def _encoded(self, targets: Array, learned: Array) -> Array:
        return targets

    def _loss(self) -> tuple[Loss, int]:
        smooth = self.scoring == "accuracy"
        loss = SmoothedCrossEntropy(_SMOOTHING) if smooth else SoftmaxCrossEntropy()
        return loss, len(self.classes_)

    @property
    def _monitor(self) -> str:
        return "validation_accuracy" if self.scoring == "accuracy" else "validation_loss"


class TableRegressor(RegressorMixin, BaseTable):
    """Regressor of tables: a network with the defaults of RealMLP.

    Values are standardised, and predictions are kept within the range of those learned from.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (256, 256, 256)
        The number of units of each hidden layer.
    learning_rate_init : float, optional
        The peak of the learning rate; 0.2 unless given.
    batch_size : int, default 256
        The number of samples that an update sees; all, where there are fewer.
    max_iter : int, default 256
        The number of epochs.
    validation_fraction : float, default 0.2
        The share of the rows that choose the epoch, and are not learned from.
    categorical_features : sequence of str or int, optional
        The columns that are categories, whatever is in their cells; of an array their numbers.
    members : int, default 1
        The number of networks whose predictions are averaged.
    random_state : int, RandomState or None, default None
        The source of the validation set, first weights, batches and dropout.
    threads : int, optional
        The number of threads at most.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Of data frames.
    n_iter_ : int
        The number of epochs.
    networks_ : list of Network
        The members, trained in float32; in float64, so that an answer does not depend on the rows
        beside it.
    histories_ : list of History
        The course of their trainings.
    recipe_ : TableRecipe
        The recipe of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> X = np.linspace(-3, 3, 300)[:, np.newaxis]
    >>> model = cp.TableRegressor(64, max_iter=64, random_state=0).fit(X, np.sin(X[:, 0]))
    >>> model.score(X, np.sin(X[:, 0])) > 0.95
    True
    """

    _usual_rate = 0.2
    _activation = Mish()

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (256, 256, 256),
        *,
        learning_rate_init: float | None = None,
        batch_size: int = 256,
        max_iter: int = 256,
        validation_fraction: float = 0.2,
        categorical_features: Sequence[Any] | None = None,
        members: int = 1,
        random_state: Any = None,
        threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.members = members
        self.random_state = random_state
        self.threads = threads

    def predict(self, X: Any) -> Array:
        """Return the predicted values, shape (N,) or (N, K): the mean of the members'."""
        rows = self._rows(X)
        found = [network.predict(rows).reshape(len(rows), -1) for network in self.networks_]
        values = np.mean(found, axis=0, dtype=np.float64) * self._spread + self._mean
        values = np.clip(values, self._low, self._high)
        return values if self._is_wide else values[:, 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _learn_targets(self, y: Any, rows: int) -> Array:
        y = targets_of(y, rows)
        self._is_wide = y.ndim == 2
        return y.reshape(rows, -1)

    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        held_out = np.zeros(len(targets), np.bool_)
        if len(targets) >= _FEWEST:
            count = _count(len(targets), self.validation_fraction, random_state)
            held_out[random_state.permutation(len(targets))[:count]] = True
        return held_out

    def _encoded(self, targets: Array, learned: Array) -> Array:
        some = targets[learned]
        self._mean, self._spread = some.mean(axis=0), some.std(axis=0)
        self._spread[self._spread == 0] = 1  # all are alike
        self._low, self._high = some.min(axis=0), some.max(axis=0)
        return (targets - self._mean) / self._spread

    def _loss(self) -> tuple[Loss, int]:
        return MeanSquaredError(), len(self._mean)

    @property
    def _monitor(self) -> str:
        return "validation_loss"


def _count(rows: int, share: float, random_state: np.random.RandomState) -> int:
    """Return a share of a number of rows; what is left of one more is the chance of that."""
    whole, rest = divmod(rows * share, 1)
    return int(whole) + int(random_state.uniform() < rest)
