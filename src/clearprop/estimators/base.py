"""What both estimators are: scikit-learn's parameters and rules on clearprop's engine."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from clearprop.core.parameters import Array
from clearprop.estimators.building import (
    activation_of,
    draw_weights,
    layers_of,
    per_layer,
    share_of,
    weights_and_biases,
)
from clearprop.estimators.checks import check_callbacks, check_for_lbfgs, hidden_units, pair_of
from clearprop.estimators.constraints import CONSTRAINTS, STOCHASTIC
from clearprop.estimators.fitted import FittedMLP
from clearprop.estimators.learning import Given, fit_lbfgs, fit_stochastic
from clearprop.layers import Layer
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.training.history import History


class BaseMLP(FittedMLP, ABC):
    """Base of `MLPClassifier` and `MLPRegressor`.

    What is learned lies in the network's one vector; `coefs_` and `intercepts_` are views of it.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    best_loss_: Any
    validation_scores_: Any
    best_validation_score_: Any

    @abstractmethod
    def _check(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """Check samples and targets, and return them as arrays."""

    @abstractmethod
    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        """Find out from targets what outputs are needed, or check them against what is known."""

    @abstractmethod
    def _encode(self, y: Any) -> Array:
        """Return targets as the engine's losses take them."""

    @abstractmethod
    def _labels(self, y: Array) -> Array:
        """Return encoded targets as they were given."""

    @abstractmethod
    def _engine_loss(self) -> Loss:
        """Return the loss that the parameters and the targets ask for."""

    @abstractmethod
    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        """Multiply the weights of classes into those of samples."""

    @abstractmethod
    def _strata(self, y: Array) -> Array | None:
        """Return the classes of which a validation set gets its share."""

    @abstractmethod
    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        """Return the score of logits against encoded targets; NaN where it is not defined."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: tuple[Any, Any] | None = None,
    ) -> Self:
        """Train on samples and their targets.

        Ctrl-C ends training after the update that is under way, and keeps what was learned.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame, shape (N, D)
        y : array-like, shape (N,) or (N, K)
        sample_weight : array-like, shape (N,), optional
        eval_set : tuple of X and y, optional
            What is measured after every epoch: its loss and score stand in `history_`. With
            `early_stopping` it takes the place of the share that would be held out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If something does not fit, as scikit-learn says it.
        """
        return self._fit(X, y, sample_weight, eval_set, incremental=False)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        eval_set: tuple[Any, Any] | None = None,
        *,
        incremental: bool,
    ) -> Self:
        hidden = hidden_units(self.hidden_layer_sizes)
        check_callbacks(self.callbacks)
        if self.solver == "lbfgs":
            check_for_lbfgs(self)
        anew = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, labels = self._check(X, y, reset=anew)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        self._learn_targets(labels, incremental=incremental)
        sample_weight = self._weigh_classes(sample_weight, labels)
        if sample_weight is not None and not (incremental or sample_weight.any()):
            raise ValueError(
                "Every sample has weight 0, by sample_weight and class_weight together; at least "
                "one has to count."
            )
        random_state = check_random_state(self.random_state)
        if anew:
            self._initialize([X.shape[1], *hidden, self.n_outputs_], X.dtype, random_state)
        if self.solver in STOCHASTIC:
            self._watch(anew=anew)
        if not hasattr(self, "history_"):
            self.history_ = History()
        network = self._synchronized() if anew else self._described_anew()
        y = self._targets(network, labels)
        evaluation = None
        if eval_set is not None:
            X_held, held = self._check_held_out(*pair_of(eval_set))
            evaluation = X_held, self._targets(network, held)
        given = Given(X, y, sample_weight, evaluation)
        if self.solver == "lbfgs":
            fit_lbfgs(self, network, given)
        else:
            fit_stochastic(self, network, given, random_state, incremental=incremental)
        if not np.isfinite(network.parameters.data).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        return self

    def _targets(self, network: Network, labels: Any) -> Array:
        return network.loss.targets(self._encode(labels), self.n_outputs_, network.dtype)

    def _check_held_out(self, X: Any, y: Any) -> tuple[Any, Any]:
        try:
            return self._check(X, y, reset=False)
        except (ValueError, TypeError) as error:
            error.add_note("It is the eval_set that this is about.")
            raise

    def _initialize(
        self, units: list[int], dtype: np.dtype[Any], random_state: np.random.RandomState
    ) -> None:
        """Set every attribute to what it is before the first update."""
        self.n_iter_ = self.t_ = 0
        self.n_layers_ = len(units)
        # L-BFGS works in double precision, whatever it is given.
        self._network = self._build(units, np.float64 if self.solver == "lbfgs" else dtype)
        if self.init is None:
            logistic = isinstance(self.activation, str) and self.activation == "logistic"
            draw_weights(self._network, random_state, dtype, logistic=logistic)
        else:
            self._network.parameters.initialize(random_state)
        self.coefs_, self.intercepts_ = weights_and_biases(self._network)
        self.history_ = History()

    def _watch(self, *, anew: bool) -> None:
        """Set what progress is measured by to what it is before the first epoch, where it is not.

        Without early stopping `best_loss_` has a value and the scores are None, and the reverse
        with it.
        """
        if anew or not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
        if self.early_stopping and (anew or getattr(self, "validation_scores_", None) is None):
            self.best_loss_ = None
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        elif not self.early_stopping and (anew or getattr(self, "best_loss_", None) is None):
            self.best_loss_ = np.inf
            self.validation_scores_ = self.best_validation_score_ = None

    def _build(self, units: list[int], dtype: Any) -> Network:
        features, *others = units
        layers, loss = self._layers(others), self._engine_loss()
        return Network(layers, loss=loss, input_shape=(int(features),), dtype=dtype)

    def _layers(self, units: list[int]) -> tuple[Layer, ...]:
        hidden = len(units) - 1
        return layers_of(
            units,
            activations=[
                activation_of(one) for one in per_layer("activation", self.activation, hidden)
            ],
            dropout=[share_of(one) for one in per_layer("dropout", self.dropout, hidden)],
            batch_norm=self.batch_norm,
            init=self.init,
        )

    def _described_anew(self) -> Network:
        """Return the network as the parameters now describe it, with what it has learned."""
        network = self._synchronized()
        units = [len(b) for b in self.intercepts_]
        if self._layers(units) == network.layers and self._engine_loss() == network.loss:
            return network
        changed = self._build([*network.input_shape, *units], network.dtype)
        before, now = network.parameters.data, changed.parameters.data
        if before.size != now.size:
            raise ValueError(
                f"The parameters describe a network of {now.size} numbers, and {before.size} were "
                "learned. Fit a clone, or change back what has numbers of its own: batch_norm."
            )
        now[...], changed.state.data[...] = before, network.state.data
        self._network = changed
        self.coefs_, self.intercepts_ = weights_and_biases(changed)
        return changed


def is_stochastic(estimator: BaseMLP) -> bool:
    """Whether an estimator can `partial_fit`; scikit-learn hides the method otherwise."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True
