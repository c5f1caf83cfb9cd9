"""Training by L-BFGS, as an estimator asks for it."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from clearprop.backend import blas_threads
from clearprop.estimators.fitting.given import Given
from clearprop.estimators.fitting.objective import Objective
from clearprop.estimators.fitting.record import Record
from clearprop.estimators.fitting.reduced import reduced
from clearprop.estimators.interface import Estimator
from clearprop.estimators.losses import as_reported
from clearprop.estimators.rows import engine_for
from clearprop.lbfgs import Minimum, minimize
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run

_UNFINISHED = {
    "iterations": "It had as many iterations as max_iter={0.max_iter} allows. Allow more.",
    "evaluations": "It looked at the loss more often than max_fun={0.max_fun} allows. Allow more.",
    "stuck": "It found no step that lowers the loss from here.",
}


def fit_lbfgs(estimator: Estimator, network: Network, given: Given) -> None:
    """Train a network in place by L-BFGS; each iteration is an epoch of one update.

    Parameters
    ----------
    estimator : Estimator
        Its attributes `n_iter_` and `loss_` are set.
    network : Network
    given : Given
    """
    samples, held_out = given.samples(network), given.held_out(network)
    engine, loss = engine_for(network, samples.X), as_reported(network.loss)
    run = Run(
        trainer=None,
        samples=samples,
        held_out=held_out,
        engine=engine,
        optimizer_state={},
        random_state=np.random.RandomState(0),  # nothing is drawn
        epochs=estimator.max_iter,
        steps_per_epoch=1,
    )
    watched = held_out is not None or estimator.callbacks
    rotated = None if watched else reduced(estimator, network, loss, samples)
    objective = rotated or Objective(
        engine,
        loss,
        samples,
        estimator.alpha,
        threads=estimator.threads,
        calls=estimator.max_iter,
    )
    _minimize(estimator, run, objective, Record(estimator, run, loss, held_out, tallies=False))


def _minimize(estimator: Estimator, run: Run, objective: Objective, record: Record) -> None:
    """Minimise, and leave the best parameters in the network, however it ends."""
    x, found = objective.start(), None

    def end_iteration(reached: Array, loss: float) -> bool:
        nonlocal x
        x = reached
        run.epoch, run.step, run.loss = run.epoch + 1, run.step + 1, loss
        estimator.n_iter_, estimator.loss_ = run.epoch, loss
        if estimator.verbose:
            print(f"Iteration {run.epoch}, loss = {loss:.8f}")
        record.end_epoch(loss)
        record.tell_epoch()
        return run.stop_reason is not None

    estimator.n_iter_ = 0
    try:
        with (
            stop_on_interrupt(run),
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),
            blas_threads(objective.blas_threads),
        ):
            record.begin()
            if run.stop_reason is None:
                found = minimize(
                    objective,
                    x,
                    max_iterations=estimator.max_iter,
                    max_evaluations=estimator.max_fun,
                    is_flat=lambda gradient: objective.is_flat(gradient, estimator.tol),
                    on_iteration=end_iteration,
                )
                estimator.loss_ = found.value
    except KeyboardInterrupt:
        run.stop("interrupted")
    finally:
        objective.finish(x)
        if found is not None and run.stop_reason is None:
            run.stop("finished" if found.reason in _UNFINISHED else "early")
        record.end()
    if run.stop_reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)
    elif found is not None and run.stop_reason == "finished":
        _warn(estimator, found)


def _warn(estimator: Estimator, found: Minimum) -> None:
    status = 2 if found.reason == "stuck" else 1  # SciPy's
    why = _UNFINISHED[found.reason].format(estimator)
    warnings.warn(
        f"lbfgs failed to converge after {found.iterations} iteration(s) (status={status}): {why} "
        "Scaling the features to about 1 helps, too.",
        ConvergenceWarning,
        stacklevel=2,
    )
