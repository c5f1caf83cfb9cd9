"""Training by L-BFGS, as an estimator asks for it."""

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from clearprop.backend import blas_threads
from clearprop.estimators.objective import Objective
from clearprop.estimators.record import Record
from clearprop.lbfgs import Minimum, minimize
from clearprop.parameters import Array
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run

if TYPE_CHECKING:
    from clearprop.estimators.base import BaseMLP

_UNFINISHED = {
    "iterations": "It had as many iterations as max_iter={0.max_iter} allows. Allow more.",
    "evaluations": "It looked at the loss more often than max_fun={0.max_fun} allows. Allow more.",
    "stuck": "It found no step that lowers the loss from here.",
}


def minimize_loss(estimator: "BaseMLP", run: Run, objective: Objective, record: Record) -> None:
    """Minimise, and leave the best parameters in the engine.

    Parameters
    ----------
    estimator : BaseMLP
        Its attributes `n_iter_` and `loss_` are set.
    run : Run
        Each iteration is an epoch of one update.
    objective : Objective
    record : Record
    """

    def end_iteration(_: Array, loss: float) -> bool:
        run.epoch, run.step, run.loss = run.epoch + 1, run.step + 1, loss
        estimator.n_iter_, estimator.loss_ = run.epoch, loss
        if estimator.verbose:
            print(f"Iteration {run.epoch}, loss = {loss:.8f}")
        record.end_epoch(loss)
        record.tell_epoch()
        if objective.is_flat(estimator.tol):
            run.stop("early")
        return run.stop_reason is not None

    with (
        stop_on_interrupt(run),
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        blas_threads(objective.passes.blas_threads),
    ):
        record.begin()
        found = minimize(
            objective,
            objective.start(),
            max_iterations=estimator.max_iter,
            max_evaluations=estimator.max_fun,
            tolerance=objective.largest_gradient(estimator.tol),
            on_iteration=end_iteration,
        )
    objective.finish(found.x)
    estimator.n_iter_, estimator.loss_ = found.iterations, found.value
    run.stop_reason = run.stop_reason or ("finished" if found.reason in _UNFINISHED else "early")
    record.end()
    if run.stop_reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)
    elif run.stop_reason == "finished":
        _warn(estimator, found)


def _warn(estimator: "BaseMLP", found: Minimum) -> None:
    status = 2 if found.reason == "stuck" else 1  # SciPy's
    why = _UNFINISHED[found.reason].format(estimator)
    warnings.warn(
        f"lbfgs failed to converge after {found.iterations} iteration(s) (status={status}): {why} "
        "Scaling the features to about 1 helps, too.",
        ConvergenceWarning,
        stacklevel=2,
    )
