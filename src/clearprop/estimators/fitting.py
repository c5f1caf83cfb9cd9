"""From checked samples to a trained network."""

from typing import TYPE_CHECKING, Any
import warnings

import numpy as np

from clearprop.estimators.lbfgs import Objective, minimize_loss
from clearprop.estimators.losses import as_reported
from clearprop.estimators.rows import engine_for, rows_of
from clearprop.estimators.sample_space import leave, uses_sample_space
from clearprop.estimators.stochastic import StochasticFit
from clearprop.estimators.stopping import split_rows
from clearprop.estimators.updates import EarlyEpsilonAdam, Updates, sgd
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array
from clearprop.sample_space import SampleNetwork
from clearprop.training.engine import in_sample_space
from clearprop.training.run import Run
from clearprop.training.samples import Samples

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
    samples = Samples(rows_of(X, network.dtype), y, weights)
    held_out = None
    order = np.arange(len(y))
    if estimator.early_stopping:
        order, held = split_rows(
            len(y), estimator.validation_fraction, estimator._strata(y), random_state
        )
        held_out = samples.take(held)
    batch_size = _batch_size(estimator, len(order))
    epochs, steps = 1 if incremental else estimator.max_iter, -(-len(order) // batch_size)
    optimizer = _optimizer(estimator)
    engine = engine_for(network, samples.X)
    if not incremental and uses_sample_space(
        estimator,
        network,
        optimizer,
        samples.X,
        0 if held_out is None else len(held_out),
        batch_size,
        epochs * steps,
    ):
        samples, order = samples.take(order), np.arange(len(order))
        engine, samples, held_out = in_sample_space(network, samples, held_out)
    if not (incremental and hasattr(estimator, "_optimizer")):
        schedule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        estimator._optimizer = Updates(optimizer, engine.parameters, schedule, estimator.power_t)
    StochasticFit(
        estimator=estimator,
        run=Run(
            engine=engine,
            optimizer_state=estimator._optimizer.state,
            random_state=random_state,
            epochs=epochs,
            steps_per_epoch=steps,
        ),
        loss=as_reported(network.loss),
        updates=estimator._optimizer,
        samples=samples,
        order=order,
        batch_size=batch_size,
        held_out=held_out,
        incremental=incremental,
    ).go()
    if isinstance(engine, SampleNetwork):
        estimator._optimizer.state = leave(engine, estimator._optimizer.state)


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
