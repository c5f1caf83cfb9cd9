"""The classifier."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import neural_network
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import validate_data

from clearprop.estimators.base import BaseMLP, is_stochastic
from clearprop.estimators.constraints import CONSTRAINTS
from clearprop.initializers import Initializer
from clearprop.losses import (
    BinaryCrossEntropy,
    BinaryFocal,
    Hinge,
    Loss,
    MulticlassHinge,
    SoftmaxCrossEntropy,
    SoftmaxFocal,
)
from clearprop.parameters import Array
from clearprop.training.callbacks import Callback
from clearprop.training.engine import Choice

LOSSES: dict[str, tuple[Loss, Loss]] = {
    "log_loss": (BinaryCrossEntropy(), SoftmaxCrossEntropy()),
    "hinge": (Hinge(), MulticlassHinge()),
    "focal": (BinaryFocal(), SoftmaxFocal()),
}
"""For yes or no, and for one of many classes."""

OUTPUTS: dict[type[Loss], str] = {
    **dict.fromkeys((BinaryCrossEntropy, BinaryFocal), "logistic"),
    **dict.fromkeys((SoftmaxCrossEntropy, SoftmaxFocal), "softmax"),
}
"""What makes probabilities of logits, as scikit-learn names it."""


def has_probabilities(estimator: "MLPClassifier") -> bool:
    """Whether the loss has probabilities; hinge has none."""
    loss = estimator.loss
    kind = type(loss) if isinstance(loss, Loss) else type(LOSSES[loss][0])
    return kind.predict_proba is not Loss.predict_proba


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron that classifies."""

    _sklearn_class = neural_network.MLPClassifier
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "loss": [StrOptions(set(LOSSES)), Loss],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

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
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        init: Initializer | None = None,
        weight_decay: float = 0.0,
        scoring: Any = None,
        callbacks: Sequence[Callback] | None = None,
        sample_space: Choice = "auto",
        threads: int | None = None,
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
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.init = init
        self.weight_decay = weight_decay
        self.scoring = scoring
        self.callbacks = callbacks
        self.sample_space = sample_space
        self.threads = threads

    @available_if(is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
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
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all samples at once, and partial_fit has only some. "
                "Give a weight for each class."
            )
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer.fit(y if multilabel else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample (N,), or yes and no for each label (N, K)."""
        return self._decode(self._logits(X))

    @available_if(has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of `classes_`: (N, classes)."""
        logits = self._logits(X)
        return self._synchronized().loss.predict_proba(logits)

    @available_if(has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    def _check(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
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
        return X, y

    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        elif self.warm_start and set(found := unique_labels(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {found}"
            )
        kind, classes = self._label_binarizer.y_type_, len(self.classes_)
        self.n_outputs_ = 1 if kind == "binary" else classes
        self.out_activation_ = OUTPUTS.get(type(self._engine_loss()), "identity")

    def _encode(self, y: Any) -> Array:
        found = unique_labels(y)
        if not set(found) <= set(self.classes_):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {found}."
            )
        chosen = self._label_binarizer.transform(y)
        return chosen.argmax(axis=1) if self._is_one_of_many() else chosen.astype(bool)

    def _labels(self, y: Array) -> Array:
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return y.astype(np.int64)
        return np.take(self.classes_, y.reshape(-1).astype(np.int64))

    def _is_one_of_many(self) -> bool:
        """Whether a sample has one of more than two classes."""
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _engine_loss(self) -> Loss:
        if isinstance(self.loss, Loss):
            return self.loss
        binary, multiclass = LOSSES[self.loss]
        return multiclass if self._is_one_of_many() else binary

    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        if self.class_weight is None:
            return weights
        found = compute_sample_weight(self.class_weight, y)
        return found if weights is None else found * weights

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
