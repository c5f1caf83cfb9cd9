"""The estimators of tables, for classes and for values, by the recipe of RealMLP."""

from collections.abc import Sequence
from itertools import count
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import multiclass
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import assert_all_finite, check_is_fitted, column_or_1d

from clearprop.core.parameters import Array
from clearprop.estimators.partitions import by_partitions, computed, is_dask
from clearprop.estimators.table_base import FEWEST, BaseTable, held_out_of
from clearprop.estimators.table_samples import require_as_many, targets_of
from clearprop.experiment.temperature import fit_temperature
from clearprop.losses import Loss, MeanSquaredError, Quantiles, SoftmaxCrossEntropy
from clearprop.training.table_recipe import FOR_CLASSES, FOR_VALUES, SMOOTHED


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
    members : int, default 2
        The number of networks whose probabilities are averaged; each has a share of the rows of its
        own held out, and as many are trained at once as there are threads.
    random_state : int, RandomState or None, default None
        The source of the validation set, weights, batches and dropout.
    threads : int, optional
        The number of threads at most.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (D,)
        Of data frames.
    n_iter_ : int
        The number of epochs.
    networks_ : list of Network
        Of each member those where the last three swings of the learning rate ended and, if rows
        chose one, that of the best epoch, trained in float32; in float64, so that an answer does
        not depend on the rows beside it.
    histories_ : list of History
        The course of their trainings.
    temperature_ : float
        The number that logits are divided by, fitted to the rows that the members held out: above 1
        where they were too sure.
    recipe_ : TableRecipe
        The recipe of the columns.

    Examples
    --------
    >>> import clearprop as cp
    >>> from sklearn import datasets
    >>> X, y = datasets.load_iris(return_X_y=True, as_frame=True)
    >>> model = cp.TableClassifier(max_iter=64, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTable._parameter_constraints,
        "scoring": [StrOptions({"accuracy", "log_loss"})],
    }
    _usual = FOR_CLASSES

    scoring: str

    classes_: Array
    temperature_: float

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
        members: int = 2,
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
        """Return the probability of each class, shape (N, K): the mean of the members'.

        Of a collection of Dask it is one, too, that is not computed yet.
        """
        check_is_fitted(self)
        if is_dask(X):
            return by_partitions(self.predict_proba, X, np.empty((0, len(self.classes_))))
        rows = self._rows(X)
        found = [
            network.loss.predict_proba(network.logits(rows) / self.temperature_)
            for network in self.networks_
        ]
        return np.asarray(np.mean(found, axis=0))

    def predict(self, X: Any) -> Array:
        """Return the class of the largest probability, shape (N,); see `predict_proba`."""
        check_is_fitted(self)
        if is_dask(X):
            return by_partitions(self.predict, X, self.classes_[:0])
        found = np.argmax(self.predict_proba(X), axis=1)
        return np.asarray(self.classes_[found])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of predictions."""
        truth, found = computed(y, self.predict(X))
        return float(accuracy_score(truth, found, sample_weight=sample_weight))

    def _learn_targets(self, y: Any, rows: int, labels: Array | None = None) -> Array:
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        require_as_many(y, rows)
        multiclass.check_classification_targets(y)
        self.classes_ = np.unique(y if labels is None else np.concatenate([labels, y]))
        if len(self.classes_) < 2:
            raise ValueError(
                f"There is one class, {self.classes_.tolist()[0]!r}; a classifier needs samples of "
                "at least 2 classes."
            )
        return self._encoded_alike(y)

    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        """Choose a share of each class, as near as can be, and leave one of each to learn from."""
        held_out = np.zeros((self.members, len(targets)), np.bool_)
        if len(targets) < FEWEST:
            return held_out
        shuffled = random_state.permutation(len(targets))
        for one in range(len(self.classes_)):
            rows = shuffled[targets[shuffled] == one]
            given = rows, self.validation_fraction, self.members, random_state, len(rows) - 1
            for aside, some in zip(held_out, held_out_of(*given), strict=True):
                aside[some] = True
        return held_out

    def _calibrate(self, rows: Array, y: Array, held_out: Array) -> None:
        """Fit the temperature that all members' logits are divided by.

        Each member's rows are answered by the mean of its own networks.
        """
        each, self.temperature_ = len(self.networks_) // len(held_out), 1.0
        if not held_out.any():
            return
        logits = [
            [net.logits(rows[aside].astype(np.float64)) for net in self.networks_[first:][:each]]
            for first, aside in zip(count(step=each), held_out, strict=False)
        ]
        found = fit_temperature(
            self.networks_[0].loss,
            np.concatenate(logits, axis=1),
            np.concatenate([y[aside] for aside in held_out]),
        )
        self.temperature_ = found.value

    def _encoded(self, targets: Array, learned: Array) -> Array:
        return targets

    def _widen(self, low: Array, high: Array) -> None:
        """Do nothing: classes are in no order."""

    def _encoded_alike(self, y: Array) -> Array:
        return np.searchsorted(self.classes_, y).astype(np.int64)

    def _loss(self) -> tuple[Loss, int]:
        loss = SMOOTHED if self.scoring == "accuracy" else SoftmaxCrossEntropy()
        return loss, len(self.classes_)


class TableRegressor(RegressorMixin, BaseTable):
    """Regressor of tables: a network with the defaults of RealMLP.

    Values are standardised, and predictions are kept within the range of those learned from.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (256, 256, 256)
        The number of units of each hidden layer.
    quantiles : sequence of float, optional
        The levels of the quantiles that are learned in the place of the mean, ascending, such as
        (0.1, 0.5, 0.9), of a single target. Then `predict` returns the median: where it is not
        among them, the value on the straight line between its neighbours, or the nearest one.
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
    members : int, default 2
        The number of networks whose predictions are averaged; each has a share of the rows of its
        own held out, and as many are trained at once as there are threads.
    random_state : int, RandomState or None, default None
        The source of the validation set, first weights, batches and dropout.
    threads : int, optional
        The number of threads at most.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (D,)
        Of data frames.
    n_iter_ : int
        The number of epochs.
    networks_ : list of Network
        Of each member those where the last three swings of the learning rate ended and, if rows
        chose one, that of the best epoch, trained in float32; in float64, so that an answer does
        not depend on the rows beside it.
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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTable._parameter_constraints,
        "quantiles": ["array-like", None],
    }
    _usual = FOR_VALUES

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (256, 256, 256),
        *,
        quantiles: Sequence[float] | None = None,
        learning_rate_init: float | None = None,
        batch_size: int = 256,
        max_iter: int = 256,
        validation_fraction: float = 0.2,
        categorical_features: Sequence[Any] | None = None,
        members: int = 2,
        random_state: Any = None,
        threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.quantiles = quantiles
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.members = members
        self.random_state = random_state
        self.threads = threads

    def predict(self, X: Any) -> Array:
        """Return the predicted values, shape (N,) or (N, K): the mean of the members'.

        Of a collection of Dask they are one, too, that is not computed yet.
        """
        check_is_fitted(self)
        if is_dask(X):
            wide = (len(self._mean),) if self._is_wide else ()
            return by_partitions(self.predict, X, np.empty((0, *wide)))
        rows = self._rows(X)
        found = [network.predict(rows).reshape(len(rows), -1) for network in self.networks_]
        values = np.mean(found, axis=0, dtype=np.float64) * self._spread + self._mean
        values = np.clip(values, self._low, self._high)
        return values if self._is_wide else values[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2, the share of the variance of y that predictions explain."""
        truth, found = computed(y, self.predict(X))
        return float(r2_score(truth, found, sample_weight=sample_weight))

    def predict_quantiles(self, X: Any) -> Array:
        """Return the quantiles, shape (N, number of `quantiles`): the mean of the members'.

        Those of a row are in ascending order: where the network's own cross, they are sorted. Of a
        collection of Dask they are one, too, that is not computed yet.

        Raises
        ------
        AttributeError
            If the mean was learned, and no quantiles.
        """
        check_is_fitted(self)
        losses = [one.loss for one in self.networks_ if isinstance(one.loss, Quantiles)]
        if not losses:
            raise AttributeError(
                "This TableRegressor has learned the mean; quantiles=(0.1, 0.5, 0.9) learns "
                "quantiles."
            )
        if is_dask(X):
            return by_partitions(self.predict_quantiles, X, np.empty((0, len(losses[0].levels))))
        rows = self._rows(X)
        found = [losses[0].quantiles(network.logits(rows)) for network in self.networks_]
        values = np.mean(found, axis=0, dtype=np.float64) * self._spread + self._mean
        return np.clip(values, self._low, self._high)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.quantiles is None
        return tags

    def _learn_targets(self, y: Any, rows: int, labels: Array | None = None) -> Array:
        y = targets_of(y, rows)
        self._is_wide = y.ndim == 2
        if self.quantiles is not None and y.size != rows:
            raise ValueError(
                f"Quantiles are of a single target, and y has {y.shape[1]} columns: fit one "
                "TableRegressor for each."
            )
        return y.reshape(rows, -1)

    def _held_out(self, targets: Array, random_state: np.random.RandomState) -> Array:
        rows = np.arange(len(targets))
        held_out = np.zeros((self.members, len(rows)), np.bool_)
        if len(rows) >= FEWEST:
            rows = random_state.permutation(rows)
            given = rows, self.validation_fraction, self.members, random_state, len(rows) - 1
            for aside, some in zip(held_out, held_out_of(*given), strict=True):
                aside[some] = True
        return held_out

    def _encoded(self, targets: Array, learned: Array) -> Array:
        some = targets[learned]
        self._mean, self._spread = some.mean(axis=0), some.std(axis=0)
        self._spread[self._spread == 0] = 1  # all are alike
        self._low, self._high = some.min(axis=0), some.max(axis=0)
        return self._encoded_alike(targets)

    def _widen(self, low: Array, high: Array) -> None:
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)

    def _encoded_alike(self, y: Array) -> Array:
        return (np.reshape(y, (len(y), -1)) - self._mean) / self._spread

    def _loss(self) -> tuple[Loss, int]:
        if self.quantiles is not None:
            loss = Quantiles(tuple(self.quantiles))
            return loss, len(loss.levels)
        return MeanSquaredError(), len(self._mean)
