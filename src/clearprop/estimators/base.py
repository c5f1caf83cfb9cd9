"""Base of both estimators: how they are fitted, on clearprop's engine, by scikit-learn's rules."""

from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context, is_regressor
from sklearn.utils import check_random_state, column_or_1d, validation

from clearprop.estimators import building, checks
from clearprop.estimators.estimator import Estimator
from clearprop.estimators.learning import check_for_lbfgs, fit_lbfgs, fit_stochastic
from clearprop.training import History
from clearprop.training.samples import Samples


class BaseMLP(Estimator):
    """Base of `MLPClassifier` and `MLPRegressor`."""

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
            Samples that are measured after every epoch: their loss and score stand in `history_`.
            With `early_stopping` they take the place of the share that would be held out.

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
        hidden = checks.hidden_units(self.hidden_layer_sizes)
        checks.check_callbacks(self.callbacks)
        if self.solver == "lbfgs":
            check_for_lbfgs(self)
        anew = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, labels = self._check(X, y, reset=anew)
        if sample_weight is not None:
            sample_weight = validation._check_sample_weight(
                sample_weight, X, ensure_non_negative=True
            )
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
        if self.solver in checks.STOCHASTIC:
            self._watch(anew=anew)
        if not hasattr(self, "history_"):
            self.history_ = History()
        if not anew:
            self._describe_anew()
        samples = self._samples(X, labels, sample_weight)
        held_out = None
        if eval_set is not None:
            held_out = self._samples(*self._check_held_out(*checks.pair_of(eval_set)))
        if self.solver == "lbfgs":
            fit_lbfgs(self, samples, held_out, random_state)
        else:
            fit_stochastic(self, samples, held_out, random_state, incremental=incremental)
        if not np.isfinite(self._network.parameters.data).all():
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        return self

    def _samples(self, X: Any, labels: Any, weights: Any = None) -> Samples:
        """Return checked samples as the network takes them."""
        network = self._network
        y = network.loss.targets(self._encode(labels), self.n_outputs_, network.dtype)
        weights = None if weights is None else weights.astype(network.dtype, copy=False)
        return Samples(building.rows_of(X, network.dtype), y, weights)

    def _check(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """Check samples and targets, and return them as arrays."""
        X, y = checks.checked_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=is_regressor(self),
            dtype=checks.DTYPES,
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

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
        self._network = building.network_of(
            self, units, np.float64 if self.solver == "lbfgs" else dtype
        )
        if self.init is None:
            logistic = isinstance(self.activation, str) and self.activation == "logistic"
            building.draw_weights(self._network, random_state, dtype, logistic=logistic)
        else:
            self._network.parameters.initialize(random_state)
        self.coefs_, self.intercepts_ = building.weights_and_biases(self._network)
        self.history_ = History()
        self.__dict__.pop("_optimizer", None)  # its moments are those of another network

    def _watch(self, *, anew: bool) -> None:
        """Set what progress is measured by to what it is before the first epoch, where it is not.

        Without early stopping `best_loss_` has a value and the scores are None, and the reverse
        with it.
        """
        if anew or not hasattr(self, "loss_curve_"):
            self.loss_curve_ = []
            self._no_improvement_count = 0
        if self.early_stopping and (anew or getattr(self, "validation_scores_", None) is None):
            self.best_loss_ = None
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        elif not self.early_stopping and (anew or getattr(self, "best_loss_", None) is None):
            self.best_loss_ = np.inf
            self.validation_scores_ = self.best_validation_score_ = None

    def _describe_anew(self) -> None:
        """Make the network the one that the parameters now describe, with what it has learned."""
        network = self._synchronized()
        units = [len(b) for b in self.intercepts_]
        if (
            building.layers_of(self, units) == network.layers
            and self._engine_loss() == network.loss
        ):
            return
        changed = building.network_of(self, [*network.input_shape, *units], network.dtype)
        before, now = network.parameters.data, changed.parameters.data
        if before.size != now.size:
            raise ValueError(
                f"The parameters describe a network of {now.size} numbers, and {before.size} were "
                "learned. Fit a clone, or change back what has numbers of its own: batch_norm."
            )
        now[...], changed.state.data[...] = before, network.state.data
        self._network = changed
        self.coefs_, self.intercepts_ = building.weights_and_biases(changed)


def is_stochastic(estimator: BaseMLP) -> bool:
    """Whether an estimator can `partial_fit`; scikit-learn hides the method otherwise."""
    if estimator.solver not in checks.STOCHASTIC:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True
