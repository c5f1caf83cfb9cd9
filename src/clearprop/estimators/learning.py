"""From checked samples to a trained network: the training loop, by scikit-learn's rules."""

import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from clearprop.core.parameters import Array
from clearprop.estimators.interface import Estimator
from clearprop.estimators.losses import as_reported
from clearprop.estimators.optimizers import Going, optimizer_for
from clearprop.estimators.rows import rows_of
from clearprop.estimators.rules import LBFGSRules, Scorer, StochasticRules
from clearprop.network import Network
from clearprop.training import Trainer
from clearprop.training.loop import Loop
from clearprop.training.plan import Plan, Training
from clearprop.training.rules import Rules
from clearprop.training.run import Run
from clearprop.training.samples import Samples, steps_per_epoch

_BATCH = 200  # scikit-learn's
_UNFINISHED = {
    "iterations": "It had as many iterations as max_iter={0.max_iter} allows. Allow more.",
    "evaluations": "It looked at the loss more often than max_fun={0.max_fun} allows. Allow more.",
    "stuck": "It found no step that lowers the loss from here.",
}


@dataclass(frozen=True)
class Given:
    """Checked samples, and those that are measured beside them.

    Parameters
    ----------
    X : ndarray or sparse CSR matrix, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    evaluation : tuple of X and y, or None
        Samples that are measured after every epoch.
    """

    X: Any
    y: Array
    weights: Array | None
    evaluation: tuple[Any, Array] | None

    def samples(self, network: Network) -> Samples:
        """Return the samples as a network takes them."""
        weights = None if self.weights is None else self.weights.astype(network.dtype, copy=False)
        return Samples(rows_of(self.X, network.dtype), self.y, weights)

    def held_out(self, network: Network) -> Samples | None:
        """Return the evaluation set as a network takes it, if there is one."""
        if self.evaluation is None:
            return None
        X, y = self.evaluation
        return Samples(rows_of(X, network.dtype), y)


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
    optimizer = optimizer_for(estimator)
    plan = Training(
        network,
        samples,
        held_out,
        optimizer,
        loss=as_reported(network.loss),
        batch_size=None,
        updates=estimator.max_iter,
        sample_space=estimator.sample_space,
        threads=estimator.threads,
    ).plan()
    run = Run(
        engine=plan.engine,
        optimizer=optimizer,
        optimizer_state=optimizer.start(plan.engine.parameters),
        samples=samples,
        held_out=held_out,
        random_state=np.random.RandomState(0),  # nothing is drawn
        epochs=estimator.max_iter,
        steps_per_epoch=1,
        trainer=Trainer(optimizer=optimizer, epochs=estimator.max_iter),
    )
    _train(estimator, plan, run, LBFGSRules(estimator, run, plan.samples, plan.held_out))
    if run.stop_reason not in {"asked", "interrupted"}:
        estimator.loss_ = run.loss
    if run.stop_reason in {"finished", "stuck"}:
        unfinished = "evaluations" if run.epoch < run.epochs else "iterations"
        why = _UNFINISHED["stuck" if run.stop_reason == "stuck" else unfinished].format(estimator)
        status = 2 if run.stop_reason == "stuck" else 1  # SciPy's
        warnings.warn(
            f"lbfgs failed to converge after {run.epoch} iteration(s) (status={status}): {why} "
            "Scaling the features to about 1 helps, too.",
            ConvergenceWarning,
            stacklevel=2,
        )


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
    evaluation, scorer = given.evaluation, None
    if estimator.early_stopping:
        if held_out is None or evaluation is None:
            strata = estimator._strata(given.y)
            kept, held = _split_rows(
                len(samples), estimator.validation_fraction, strata, random_state
            )
            samples, held_out = samples.take(kept), samples.take(held)
            evaluation = given.X[held], given.y[held]
        scorer = Scorer(estimator, held_out, evaluation[0], estimator._labels(evaluation[1]))
    batch_size = _batch_size(estimator, len(samples))
    epochs = 1 if incremental else estimator.max_iter
    steps = steps_per_epoch(len(samples), batch_size)
    going = estimator._optimizer if incremental and hasattr(estimator, "_optimizer") else None
    optimizer = optimizer_for(estimator)
    if going is not None:  # L2 is no part of scikit-learn's
        going.optimizer = replace(going.optimizer, alpha=estimator.alpha)
        optimizer = going.optimizer
    plan = Training(
        network,
        samples,
        held_out,
        optimizer,
        loss=as_reported(network.loss),
        batch_size=batch_size,
        updates=epochs * steps,
        # What partial_fit goes on with are the moments of the network's own parameters.
        sample_space=False if incremental else estimator.sample_space,
        threads=estimator.threads,
    ).plan()
    if going is None:
        schedule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        state = optimizer.start(plan.engine.parameters)
        going = estimator._optimizer = Going(optimizer, state, schedule, estimator.power_t)
    run = Run(
        engine=plan.engine,
        optimizer=going.optimizer,
        optimizer_state=going.state,
        samples=samples,
        held_out=held_out,
        random_state=random_state,
        epochs=epochs,
        steps_per_epoch=steps,
        trainer=Trainer(optimizer=optimizer, epochs=epochs, batch_size=batch_size),
        step=going.step,
    )
    rules = StochasticRules(
        estimator,
        run,
        plan.samples,
        plan.held_out,
        batch_size=batch_size,
        going=going,
        scorer=scorer,
        scores=given.evaluation is not None,
    )
    _train(estimator, plan, run, rules)
    going.step, going.state = run.step, plan.engine.moments(run.optimizer_state)
    if run.stop_reason == "finished" and not incremental:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({run.epochs}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )


def _train(estimator: Estimator, plan: Plan, run: Run, rules: Rules) -> None:
    """Run the loop; Ctrl-C keeps what was learned."""
    step, blas_threads = plan.step(run, scores=rules.scores, goes_on=rules.goes_on)
    callbacks = tuple(estimator.callbacks or ())
    with suppress(KeyboardInterrupt):
        Loop(run, step, rules, plan.samples, blas_threads, callbacks).go()
    if run.stop_reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)


def _split_rows(
    samples: int, share: float, strata: Array | None, random_state: np.random.RandomState
) -> tuple[Array, Array]:
    """Hold a share of the samples out, the very ones that scikit-learn would.

    Parameters
    ----------
    samples : int
    share : float
    strata : ndarray, shape (N,), or None
        Classes of which either side gets its share.
    random_state : numpy.random.RandomState
        It is advanced.

    Returns
    -------
    kept, held_out : ndarray of int

    Raises
    ------
    ValueError
        If there are too few samples, of all or of a class.
    """
    kept, held_out = train_test_split(
        np.arange(samples), random_state=random_state, test_size=share, stratify=strata
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return kept, held_out


def _batch_size(estimator: Estimator, samples: int) -> int:
    if estimator.batch_size == "auto":
        return min(_BATCH, samples)
    if estimator.batch_size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, samples))
