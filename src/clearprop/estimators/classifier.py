"""The classifier."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import neural_network
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
)

from clearprop.core.initializers import Initializer
from clearprop.core.parameters import Array
from clearprop.estimators.base import is_stochastic
from clearprop.estimators.constraints import CONSTRAINTS
from clearprop.estimators.labels import LOSSES, LabelledMLP, check_loss, loss_named
from clearprop.losses import Loss
from clearprop.training.plan import Choice
from clearprop.training.run import Callback


def has_probabilities(estimator: "MLPClassifier") -> bool:
    """Whether the loss has probabilities; hinge has none."""
    loss = estimator.loss
    kind = type(loss) if isinstance(loss, Loss) else type(next(iter(LOSSES[loss].values())))
    return kind.predict_proba is not Loss.predict_proba


class MLPClassifier(ClassifierMixin, LabelledMLP):
    """Multi-layer perceptron that classifies: scikit-learn's, and more.

    Parameters, attributes and rules are those of `sklearn.neural_network.MLPClassifier`, and so are
    the numbers; what that class lacks comes after `max_fun`, and is off unless asked for.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        The units of each hidden layer.
    activation : str, Layer, or sequence of one for each hidden layer, default "relu"
        "identity", "logistic", "tanh", "relu"; and here "leaky_relu", "elu", "gelu", "softplus" or
        an activation as a layer, such as ``LeakyReLU(0.2)``.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
    alpha : float, default 0.0001
        L2: alpha / (2 n) times the sum of squared weights is added to the loss of n samples.
    batch_size : int, default "auto"
        Samples that an update sees; "auto" for 200, or all where there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or Schedule, default "constant"
        How sgd's learning rate changes: not; as learning_rate_init / samples seen ** power_t; or by
        a division by 5 when progress ends. Here, for adam too, any schedule over the updates, which
        takes the place of `learning_rate_init`.
    learning_rate_init : float, default 0.001
    power_t : float, default 0.5
    max_iter : int, default 200
        Epochs at most; iterations of lbfgs.
    shuffle : bool, default True
        Whether samples are shuffled before every epoch.
    random_state : int, RandomState or None, default None
        Of weights, shuffles, validation shares and dropout.
    tol : float, default 1e-4
        What counts as progress of loss or score; for lbfgs the largest gradient at the end.
    verbose : bool or int, default False
        Whether every epoch is printed.
    warm_start : bool, default False
        Whether `fit` goes on from what was learned.
    momentum : float, default 0.9
        Of sgd.
    nesterovs_momentum : bool, default True
    early_stopping : bool, default False
        Whether a share of the samples is held out, progress is that of the score on it, and the
        best weights are restored.
    validation_fraction : float, default 0.1
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        Of adam.
    n_iter_no_change : int, default 10
        Epochs without progress that are borne: the patience.
    max_fun : int, default 15000
        Calls of the loss at most, of lbfgs.
    loss : {"log_loss", "hinge", "focal"} or Loss, default "log_loss"
    class_weight : "balanced" or dict of label to weight, optional
        Multiplied into the sample weights. Balanced: N / (classes count of the class).
    dropout : float, or sequence of one for each hidden layer, default 0.0
        The share of each hidden layer's outputs that is dropped while training.
    batch_norm : bool, default False
        Whether hidden layers are normalised over the batch, before their activation.
    init : Initializer, optional
        How weights start, with biases of zero. Unless given, as in scikit-learn.
    weight_decay : float, default 0.0
        Decoupled from the gradient; with adam this is AdamW.
    scoring : "loss", str, callable or None, default None
        What early stopping goes by: the validation loss, or a scorer of scikit-learn's; None for
        the estimator's own score.
    callbacks : sequence of Callback, optional
        They hear of every update and epoch, and may end training. ``[ProgressLine()]`` shows it.
    sample_space : "auto" or bool, default "auto"
        Whether sgd and lbfgs train the first layer in a space that the samples span:
        the same numbers up to rounding, many times faster with few samples of many features.
    threads : int, optional
        Of matrix products. Unless given, chosen by the size of the batches.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (D, M) and biases (M,) of each layer: views of the network's.
    network_ : Network
        The engine's network.
    history_ : History
        A row for each epoch.
    loss_, best_loss_ : float
        Of the last epoch, and the least; the second is None with early stopping.
    loss_curve_ : list of float
    validation_scores_ : list of float or None
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs of the last fit, and samples seen in all.
    n_features_in_, n_outputs_, n_layers_ : int
    feature_names_in_ : ndarray of str
        Where samples came with names.
    out_activation_ : str
    classes_ : ndarray, shape (classes,)

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

    def _engine_loss(self) -> Loss:
        one_of_many = self._is_one_of_many()
        if isinstance(self.loss, Loss):
            check_loss(self.loss, one_of_many=one_of_many)
            return self.loss
        return loss_named(self.loss, one_of_many=one_of_many)

    def _decode(self, logits: Array) -> Array:
        chosen = self._synchronized().loss.predict(logits)
        if chosen.ndim == 2:
            return chosen
        return np.take(self.classes_, chosen, mode="clip")  # there may be a single class

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
