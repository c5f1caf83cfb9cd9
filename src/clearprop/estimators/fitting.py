"""From checked samples to a trained network."""

from typing import TYPE_CHECKING, Any
import warnings

import numpy as np

from clearprop.estimators.lbfgs import Objective, minimize_loss
from clearprop.estimators.losses import as_reported
from clearprop.estimators.rows import engine_for, rows_of
from clearprop.estimators.stochastic import HeldOut, StochasticFit
from clearprop.estimators.stopping import split_rows
from clearprop.estimators.updates import EarlyEpsilonAdam, Updates, sgd
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array
from clearprop.training.run import Run

if TYPE_CHECKING:
    from clearprop.estimators.base import BaseMLP

_BATCH = 200  # scikit-learn's


def fit_lbfgs(
    estimator: "BaseMLP", network: Network, X: Any, y: Array, weights: Array | None
) -> None:
    """Train a network in place by L-BFGS."""
    rows = rows_of(X, network.dtype)
    engine = engine_for(network, rows)
    loss = as_reported(network.loss)
    minimize_loss(estimator, Objective(engine, loss, rows, y, weights, estimator.alpha))


def fit_stochastic(
    estimator: "BaseMLP",
    network: Network,
    X: Any,
    y: Array,
    weights: Array | None,
    random_state: np.random.RandomState,
    incremental: bool,
) -> None:
    """Train a network in place by sgd or adam; for one epoch, if it is incremental."""
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    rows = rows_of(X, network.dtype)
    engine = engine_for(network, rows)
    order, held_out = np.arange(len(rows)), None
    if estimator.early_stopping:
        order, held = split_rows(
            len(rows), estimator.validation_fraction, estimator._strata(y), random_state
        )
        held_out = HeldOut(rows[held], y[held], None if weights is None else weights[held])
    batch_size = _batch_size(estimator, len(order))
    if not (incremental and hasattr(estimator, "_optimizer")):
        schedule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        estimator._optimizer = Updates(
            _optimizer(estimator), engine.parameters, schedule, estimator.power_t
        )
    run = Run(
        engine=engine,
        optimizer_state=estimator._optimizer.state,
        random_state=random_state,
        epochs=1 if incremental else estimator.max_iter,
        steps_per_epoch=-(-len(order) // batch_size),
    )
    StochasticFit(
        estimator=estimator,
        run=run,
        loss=as_reported(network.loss),
        updates=estimator._optimizer,
        X=rows,
        y=y,
        weights=weights,
        order=order,
        batch_size=batch_size,
        held_out=held_out,
        incremental=incremental,
    ).go()


def _optimizer(estimator: "BaseMLP") -> Optimizer:
    rate, alpha = estimator.learning_rate_init, estimator.alpha
    if estimator.solver == "sgd":
        return sgd(rate, alpha, estimator.momentum, nesterov=estimator.nesterovs_momentum)
    return EarlyEpsilonAdam(
        rate,
        alpha=alpha,
        beta_1=estimator.beta_1,
        beta_2=estimator.beta_2,
        epsilon=estimator.epsilon,
    )


def _batch_size(estimator: "BaseMLP", samples: int) -> int:
    if estimator.batch_size == "auto":
        return min(_BATCH, samples)
    if estimator.batch_size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, samples))
