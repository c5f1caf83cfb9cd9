"""From checked samples to a trained network."""

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.estimators.lbfgs import minimize_loss
from clearprop.estimators.losses import as_reported
from clearprop.estimators.objective import Objective
from clearprop.estimators.record import Record
from clearprop.estimators.reduced import ReducedObjective, is_worthwhile
from clearprop.estimators.rows import engine_for, rows_of
from clearprop.estimators.sample_space import leave, uses_sample_space
from clearprop.estimators.stochastic import StochasticFit
from clearprop.estimators.stopping import Scorer, split_rows
from clearprop.estimators.updates import Updates, optimizer_for
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.sample_space import SampleNetwork
from clearprop.training.engine import in_sample_space
from clearprop.training.run import Run
from clearprop.training.samples import Samples
from clearprop.training.trainer import Trainer

if TYPE_CHECKING:
    from clearprop.estimators.base import BaseMLP

_BATCH = 200  # scikit-learn's


def fit_lbfgs(
    estimator: "BaseMLP",
    network: Network,
    X: Any,
    y: Array,
    weights: Array | None,
    evaluation: tuple[Any, Array] | None,
) -> None:
    """Train a network in place by L-BFGS.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    X : ndarray or sparse CSR matrix, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    evaluation : tuple of X and y, or None
        What is measured after every iteration.
    """
    for name in ("dropout", "batch_norm", "weight_decay"):
        if np.any(getattr(estimator, name)):
            raise ValueError(
                f"solver='lbfgs' needs a loss that stays the same from one look to the next, which "
                f"it does not with {name}={getattr(estimator, name)!r}. Use 'sgd' or 'adam'."
            )
    rows, held_out = rows_of(X, network.dtype), _samples(network, evaluation)
    run = Run(
        trainer=None,
        samples=Samples(rows, y, weights),
        held_out=held_out,
        engine=engine_for(network, rows),
        optimizer_state={},
        random_state=np.random.RandomState(0),  # nothing is drawn
        epochs=estimator.max_iter,
        steps_per_epoch=1,
    )
    loss = as_reported(network.loss)
    reduces = (
        held_out is None
        and not estimator.callbacks
        and isinstance(rows, np.ndarray)
        and is_worthwhile(network, len(rows), estimator.sample_space, iterations=estimator.max_iter)
    )
    objective = (ReducedObjective if reduces else Objective)(
        network if reduces else run.engine,
        *(loss, rows, y, weights, estimator.alpha),
        threads=estimator.threads,
        calls=estimator.max_iter,
    )
    minimize_loss(estimator, run, objective, Record(estimator, run, loss, held_out, tallies=False))


def fit_stochastic(
    estimator: "BaseMLP",
    network: Network,
    X: Any,
    y: Array,
    weights: Array | None,
    evaluation: tuple[Any, Array] | None,
    random_state: np.random.RandomState,
    *,
    incremental: bool,
) -> None:
    """Train a network in place by sgd or adam; for one epoch, if it is incremental.

    Parameters
    ----------
    estimator : BaseMLP
    network : Network
    X : ndarray or sparse CSR matrix, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    evaluation : tuple of X and y, or None
        What is measured after every epoch, in the place of a share of the samples.
    random_state : numpy.random.RandomState
        It is advanced.
    incremental : bool
    """
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    samples = Samples(rows_of(X, network.dtype), y, weights)
    held_out, tallies = _samples(network, evaluation), evaluation is not None
    order, scorer = np.arange(len(y)), None
    if estimator.early_stopping:
        if held_out is None or evaluation is None:
            order, held = split_rows(
                len(y), estimator.validation_fraction, estimator._strata(y), random_state
            )
            held_out, evaluation = samples.take(held), (X[held], y[held])
        scorer = Scorer(estimator, held_out, evaluation[0], estimator._labels(evaluation[1]))
    batch_size = _batch_size(estimator, len(order))
    epochs, steps = 1 if incremental else estimator.max_iter, -(-len(order) // batch_size)
    optimizer = optimizer_for(estimator)
    engine = engine_for(network, samples.X)
    given, measured = samples, held_out
    if estimator.callbacks and len(order) < len(samples):  # they see what is trained on
        given = samples.take(order)
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
    if incremental and hasattr(estimator, "_optimizer"):  # L2 is no part of scikit-learn's
        going_on = estimator._optimizer
        going_on.optimizer = replace(going_on.optimizer, alpha=estimator.alpha)
    else:
        schedule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        estimator._optimizer = Updates(optimizer, engine.parameters, schedule, estimator.power_t)
    run = Run(
        trainer=Trainer(optimizer=optimizer, epochs=epochs, batch_size=batch_size),
        samples=given,
        held_out=measured,
        engine=engine,
        optimizer_state=estimator._optimizer.state,
        random_state=random_state,
        epochs=epochs,
        steps_per_epoch=steps,
        step=estimator._optimizer.step,
    )
    loss = as_reported(network.loss)
    StochasticFit(
        estimator=estimator,
        run=run,
        loss=loss,
        updates=estimator._optimizer,
        samples=samples,
        order=order,
        batch_size=batch_size,
        record=Record(estimator, run, loss, held_out, tallies=tallies),
        scorer=scorer,
        incremental=incremental,
    ).go()
    if isinstance(engine, SampleNetwork):
        estimator._optimizer.state = leave(engine, estimator._optimizer.state)


def _samples(network: Network, evaluation: tuple[Any, Array] | None) -> Samples | None:
    if evaluation is None:
        return None
    X, y = evaluation
    return Samples(rows_of(X, network.dtype), y)


def _batch_size(estimator: "BaseMLP", samples: int) -> int:
    if estimator.batch_size == "auto":
        return min(_BATCH, samples)
    if estimator.batch_size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, samples))
