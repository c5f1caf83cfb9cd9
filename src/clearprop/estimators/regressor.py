"""The regressor, and targets that are values."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import neural_network
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from clearprop.core.initializers import Initializer
from clearprop.core.parameters import Array
from clearprop.estimators.base import BaseMLP, is_stochastic
from clearprop.losses import LOSSES, Loss, PoissonDeviance
from clearprop.training import Callback, plan

NAMED: dict[str, Loss] = {
    kind.name: kind() for kind in LOSSES if kind.name is not None and not kind.classifies
}


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron that predicts values: scikit-learn's, and more.

    Parameters, attributes and rules are those of `sklearn.neural_network.MLPRegressor`, and so are
    the numbers; what that class lacks comes after `max_fun`, and is off unless asked for.

    Parameters
    ----------
    loss : str or Loss, default "squared_error"
        "squared_error" or "poisson"; and here "absolute_error", "huber", "quantile" (the median),
        or a loss such as ``Quantile(0.9)``.
    hidden_layer_sizes, activation, solver, alpha, ..., threads
        All others are parameters of `MLPClassifier`, too, with the same meaning and default there;
        its `class_weight` is not among them.

    Attributes
    ----------
    coefs_, intercepts_, network_, history_, loss_, ..., out_activation_
        Those of `MLPClassifier`, but for `classes_`.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> X = np.linspace(0, 6, 50)[:, np.newaxis]
    >>> net = cp.MLPRegressor(hidden_layer_sizes=16, activation="tanh", solver="lbfgs",
    ...                       max_iter=1000, random_state=0)
    >>> net.fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.99
    True
    """

    _sklearn_class = neural_network.MLPRegressor
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(NAMED)), Loss],
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
        sample_space: plan.Choice = "auto",
        threads: int | None = None,
    ) -> None:
        self._keep(locals())

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

    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        is_count = isinstance(self._engine_loss(), PoissonDeviance)
        self.out_activation_ = "exp" if is_count else "identity"

    def _encode(self, y: Any) -> Array:
        return np.asarray(y)

    def _labels(self, y: Array) -> Array:
        return y[:, 0] if y.shape[1] == 1 else y

    def _engine_loss(self) -> Loss:
        if not isinstance(self.loss, Loss):
            return NAMED[self.loss]
        if self.loss.classifies:
            raise ValueError(f"loss={self.loss!r} is for classes; MLPClassifier takes it.")
        return self.loss

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        predicted = self._network.loss.predict(logits)
        if not np.isfinite(predicted).all():
            return float("nan")
        return float(r2_score(y, predicted, sample_weight=weights))
