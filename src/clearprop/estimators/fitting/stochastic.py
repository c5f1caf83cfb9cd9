"""Training by sgd or adam, as an estimator asks for it."""

import warnings
from dataclasses import replace

import numpy as np

from clearprop.estimators.fitting.epochs import StochasticFit
from clearprop.estimators.fitting.given import Given
from clearprop.estimators.fitting.record import Record
from clearprop.estimators.fitting.sample_space import leave, uses_sample_space
from clearprop.estimators.fitting.stopping import Scorer, split_rows
from clearprop.estimators.fitting.updates import Updates, optimizer_for
from clearprop.estimators.interface import Estimator
from clearprop.estimators.losses import as_reported
from clearprop.estimators.rows import engine_for
from clearprop.network import Network
from clearprop.sample_space import SampleNetwork
from clearprop.training.engine import in_sample_space
from clearprop.training.run import Run
from clearprop.training.trainer import Trainer

_BATCH = 200  # scikit-learn's


def fit_stochastic(
    estimator: Estimator,
    network: Network,
    given: Given,
    random_state: np.random.RandomState,
    *,
    incremental: bool,
) -> None:
    """Train a network in place by sgd or adam; for one epoch, if it is incremental.

    Parameters
    ----------
    estimator : Estimator
    network : Network
    given : Given
        Its evaluation set takes the place of a share of the samples.
    random_state : numpy.random.RandomState
        It is advanced.
    incremental : bool
    """
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    samples, held_out = given.samples(network), given.held_out(network)
    order, evaluation, scorer = np.arange(len(samples)), given.evaluation, None
    if estimator.early_stopping:
        if held_out is None or evaluation is None:
            strata = estimator._strata(given.y)
            order, held = split_rows(
                len(samples), estimator.validation_fraction, strata, random_state
            )
            held_out, evaluation = samples.take(held), (given.X[held], given.y[held])
        scorer = Scorer(estimator, held_out, evaluation[0], estimator._labels(evaluation[1]))
    batch_size = _batch_size(estimator, len(order))
    epochs, steps = 1 if incremental else estimator.max_iter, -(-len(order) // batch_size)
    optimizer = optimizer_for(estimator)
    engine = engine_for(network, samples.X)
    shown, measured = samples, held_out
    if estimator.callbacks and len(order) < len(samples):  # they see what is trained on
        shown = samples.take(order)
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
        samples=shown,
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
        record=Record(estimator, run, loss, held_out, tallies=given.evaluation is not None),
        scorer=scorer,
        incremental=incremental,
    ).go()
    if isinstance(engine, SampleNetwork):
        estimator._optimizer.state = leave(engine, estimator._optimizer.state)


def _batch_size(estimator: Estimator, samples: int) -> int:
    if estimator.batch_size == "auto":
        return min(_BATCH, samples)
    if estimator.batch_size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, samples))
