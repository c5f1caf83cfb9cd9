"""The classifier."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import validate_data

from clearprop.estimators.base import BaseMLP, is_stochastic
from clearprop.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy
from clearprop.parameters import Array


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc] # scikit-learn ships no types
    """Multi-layer perceptron that classifies."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    @available_if(is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> "MLPClassifier":
        """Go once through some samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (N, D)
        y : array-like, shape (N,) or (N, K)
        sample_weight : array-like, shape (N,), optional
        classes : array-like, shape (K,), optional
            All classes that will ever come; needed in the first call.

        Returns
        -------
        self
        """
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer.fit(y if multilabel else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample (N,), or yes and no for each label (N, K)."""
        return self._decode(self._logits(X))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of `classes_`: (N, classes)."""
        logits = self._logits(X)
        return self._synchronized().loss.predict_proba(logits)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    def _encode(self, X: Any, y: Any, *, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(y))
        chosen = self._label_binarizer.transform(y).astype(bool)
        self.n_outputs_ = chosen.shape[1]
        self.out_activation_ = "softmax" if self._excludes_each_other() else "logistic"
        return X, chosen.argmax(axis=1) if self._excludes_each_other() else chosen

    def _check_classes(self, classes: Array) -> None:
        if self.warm_start:
            if set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous "
                    f"call to fit. Previously got {self.classes_}, `y` has {classes}"
                )
        elif not set(classes) <= set(self.classes_):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _excludes_each_other(self) -> bool:
        """Whether there are more than two classes, one of which a sample has."""
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _engine_loss(self) -> Loss:
        return SoftmaxCrossEntropy() if self._excludes_each_other() else BinaryCrossEntropy()

    def _decode(self, logits: Array) -> Array:
        chosen = self._synchronized().loss.predict(logits)
        if chosen.ndim == 2:
            return chosen
        return np.take(self.classes_, chosen, mode="clip")  # there may be a single class

    def _strata(self, y: Array) -> Array | None:
        return y.astype(bool) if self.n_outputs_ == 1 else None

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        chosen = self._network.loss.predict(logits)
        return float(accuracy_score(y.reshape(chosen.shape), chosen, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
