"""The classifier, and targets that are classes: checked, turned into what losses take, and back."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import neural_network
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import class_weight, multiclass
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from clearprop.core.initializers import Initializer
from clearprop.core.parameters import Array
from clearprop.estimators.base import BaseMLP, is_stochastic
from clearprop.estimators.checks import check_class_weight, check_one_type
from clearprop.losses import LOSSES, Loss
from clearprop.training import Callback, plan

NAMED: dict[str, dict[bool, Loss]] = {}
"""For yes or no, and for one of many classes, by name."""

for _kind in LOSSES:
    if _kind.name is not None and _kind.classifies:
        NAMED.setdefault(_kind.name, {})[_kind.one_of_many] = _kind()


def _wrong_kind(given: object, pair: dict[bool, Loss], one_of_many: bool) -> ValueError:
    kind = "one of many classes" if one_of_many else "one of two classes, or several labels"
    hint = f"; {type(pair[one_of_many]).__name__}() is" if one_of_many in pair else ""
    return ValueError(f"loss={given!r} is not for {kind}{hint}.")


def has_probabilities(estimator: "MLPClassifier") -> bool:
    """Whether the loss has probabilities; hinge has none."""
    loss = estimator.loss
    kind = type(loss) if isinstance(loss, Loss) else type(next(iter(NAMED[loss].values())))
    return kind.predict_proba is not Loss.predict_proba


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron that classifies: scikit-learn's, and more.

    Parameters, attributes and rules are those of `sklearn.neural_network.MLPClassifier`, and so are
    the numbers; what that class lacks comes after `max_fun`, and is off unless asked for.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        The number of units of each hidden layer.
    activation : str, Layer, or sequence of one for each hidden layer, default "relu"
        "identity", "logistic", "tanh", "relu"; and here "leaky_relu", "elu", "selu", "gelu",
        "mish", "softplus" or an activation as a layer, such as ``LeakyReLU(0.2)``.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
    alpha : float, default 0.0001
        L2: alpha / (2 n) times the sum of squared weights is added to the loss of n samples.
    batch_size : int, default "auto"
        The number of samples that an update sees; "auto" for 200, or all where there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or Schedule, default "constant"
        The change of sgd's learning rate: none; learning_rate_init / samples seen ** power_t; or a
        division by 5 when progress ends. Here, for adam too, any schedule over the updates, which
        takes the place of `learning_rate_init`.
    learning_rate_init : float, default 0.001
    power_t : float, default 0.5
    max_iter : int, default 200
        The number of epochs at most; of iterations of lbfgs.
    shuffle : bool, default True
        Whether samples are shuffled before every epoch.
    random_state : int, RandomState or None, default None
        The source of weights, shuffles, validation shares and dropout.
    tol : float, default 1e-4
        The least progress of loss or score; for lbfgs the largest gradient at the end.
    verbose : bool or int, default False
        Whether every epoch is printed.
    warm_start : bool, default False
        Whether `fit` goes on from what was learned.
    momentum, nesterovs_momentum : float and bool, default 0.9 and True
        The momentum of sgd, and whether it looks ahead.
    early_stopping : bool, default False
        Whether a share of the samples is held out, progress is that of the score on it, and the
        best weights are restored.
    validation_fraction : float, default 0.1
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        The settings of adam.
    n_iter_no_change : int, default 10
        The number of epochs without progress that are borne: the patience.
    max_fun : int, default 15000
        The number of looks at the loss, at most, of lbfgs.
    loss : {"log_loss", "hinge", "focal"} or Loss, default "log_loss"
    class_weight : "balanced" or dict of label to weight, optional
        Factors of the sample weights. Balanced: N / (classes count of the class).
    dropout : float, or sequence of one for each hidden layer, default 0.0
        The share of each hidden layer's outputs that is dropped while training.
    batch_norm : bool, default False
        Whether hidden layers are normalised over the batch, before their activation.
    init : Initializer, optional
        The source of the first weights, with biases of zero. Unless given, scikit-learn's.
    weight_decay : float, default 0.0
        The share of each weight, times the learning rate, that every update takes away, whatever
        the gradient; with adam this is AdamW.
    scoring : "loss", str, callable or None, default None
        The measure of early stopping: the validation loss, or a scorer of scikit-learn's; None for
        the estimator's own score.
    callbacks : sequence of Callback, optional
        Objects that hear of every update and epoch, and may end training; ``[ProgressLine()]``
        shows it.
    sample_space : "auto" or bool, default "auto"
        Whether sgd and lbfgs train the first layer in a space that the samples span:
        the same numbers up to rounding, many times faster with few samples of many features.
    threads : int, optional
        The number of threads of matrix products. Unless given, the size of the batches decides.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (D, M) and biases (M,) of each layer: views of the network's.
    network_ : Network
        The engine's network.
    history_ : History
        A row for each epoch.
    loss_, best_loss_ : float
        The loss of the last epoch, and the least; the second is None with early stopping.
    loss_curve_ : list of float
    validation_scores_ : list of float or None
    best_validation_score_ : float or None
    n_iter_, t_ : int
        The numbers of epochs of the last fit, and of samples seen in all.
    n_features_in_, n_outputs_, n_layers_ : int
    feature_names_in_ : ndarray of str
        The names of the columns, where samples came with names.
    out_activation_ : str
    classes_ : ndarray, shape (classes,)
        The labels, in order.

    Examples
    --------
    >>> import clearprop as cp
    >>> moons = cp.load_data("moons")
    >>> net = cp.MLPClassifier(16, "tanh", solver="lbfgs", max_iter=1000, random_state=0)
    >>> net.fit(moons.X, moons.y).score(moons.X, moons.y) > 0.95
    True
    """

    _sklearn_class = neural_network.MLPClassifier
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(NAMED)), Loss],
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
        sample_space: plan.Choice = "auto",
        threads: int | None = None,
    ) -> None:
        self._keep(locals())

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
        if multiclass._check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            multilabel = multiclass.type_of_target(y).startswith("multilabel")
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
        X, y = super()._check(X, y, reset=reset)
        if y.dtype == object:
            check_one_type(y)
        if y.dtype.kind in "fO":  # whole numbers and text are labels, and looking takes long
            multiclass.check_classification_targets(y)
        return X, y

    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        elif self.warm_start and set(found := multiclass.unique_labels(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {found}"
            )
        kind, classes = self._label_binarizer.y_type_, len(self.classes_)
        self.n_outputs_ = 1 if kind == "binary" else classes
        self.out_activation_ = self._engine_loss().link

    def _encode(self, y: Any) -> Array:
        found = multiclass.unique_labels(y)
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

    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        if self.class_weight is None:
            return weights
        given = self.class_weight
        if isinstance(given, dict) and y.ndim == 1:
            check_class_weight(given, self.classes_)
            given = {label: given.get(label, 1.0) for label in np.unique(y).tolist()}
        found = class_weight.compute_sample_weight(given, y)
        return found if weights is None else found * weights

    def _strata(self, y: Array) -> Array | None:
        return y.astype(bool) if self.n_outputs_ == 1 else None

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        chosen = self._network.loss.predict(logits)
        return float(accuracy_score(y.reshape(chosen.shape), chosen, sample_weight=weights))

    def _engine_loss(self) -> Loss:
        one_of_many, given = self._is_one_of_many(), self.loss
        if not isinstance(given, Loss):
            pair = NAMED[given]
            if one_of_many not in pair:
                raise _wrong_kind(given, pair, one_of_many)
            return pair[one_of_many]
        if not given.classifies:
            raise ValueError(f"loss={given!r} is for values; MLPRegressor takes it.")
        for pair in NAMED.values():
            if type(given) is type(pair.get(not one_of_many)):
                raise _wrong_kind(given, pair, one_of_many)
        return given

    def _decode(self, logits: Array) -> Array:
        chosen = self._synchronized().loss.predict(logits)
        if chosen.ndim == 2:
            return chosen
        return np.take(self.classes_, chosen, mode="clip")  # there may be a single class

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
