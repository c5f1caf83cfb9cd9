"""The regressor."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import neural_network
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from clearprop.estimators.base import BaseMLP, is_stochastic
from clearprop.estimators.constraints import CONSTRAINTS
from clearprop.initializers import Initializer
from clearprop.losses import AbsoluteError, Huber, Loss, MeanSquaredError, PoissonDeviance, Quantile
from clearprop.parameters import Array
from clearprop.training.callbacks import Callback
from clearprop.training.engine import Choice

LOSSES: dict[str, Loss] = {
    "squared_error": MeanSquaredError(),
    "poisson": PoissonDeviance(),
    "absolute_error": AbsoluteError(),
    "huber": Huber(),
    "quantile": Quantile(),
}


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron that predicts values."""

    _sklearn_class = neural_network.MLPRegressor
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **CONSTRAINTS,
        "loss": [StrOptions(set(LOSSES)), Loss],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
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
        dropout: Any = 0.0,
        batch_norm: bool = False,
        init: Initializer | None = None,
        weight_decay: float = 0.0,
        scoring: Any = None,
        callbacks: Sequence[Callback] | None = None,
        sample_space: Choice = "auto",
        threads: int | None = None,
    ) -> None:
        self.loss = loss
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go once through some samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (N, D)
        y : array-like, shape (N,) or (N, K)
        sample_weight : array-like, shape (N,), optional

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the predicted values, shape (N,) or (N, K)."""
        logits = self._logits(X)
        return self._synchronized().loss.predict(logits)

    def _check(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        is_count = isinstance(self._engine_loss(), PoissonDeviance)
        self.out_activation_ = "exp" if is_count else "identity"

    def _encode(self, y: Any) -> Array:
        return np.asarray(y)

    def _labels(self, y: Array) -> Array:
        return y[:, 0] if y.shape[1] == 1 else y

    def _engine_loss(self) -> Loss:
        return self.loss if isinstance(self.loss, Loss) else LOSSES[self.loss]

    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        return weights

    def _strata(self, y: Array) -> None:
        return None

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        predicted = self._network.loss.predict(logits)
        if not np.isfinite(predicted).all():
            return float("nan")
        return float(r2_score(y, predicted, sample_weight=weights))
