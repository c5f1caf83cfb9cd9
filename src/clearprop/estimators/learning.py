"""From checked samples to a trained network: the training loop, by scikit-learn's rules."""

import warnings
from contextlib import suppress
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from clearprop.estimators.estimator import Estimator
from clearprop.estimators.rules import Going, LBFGSRules, ScikitLearnRules, StochasticRules
from clearprop.estimators.twins import as_reported, optimizer_for
from clearprop.training import Run, Trainer
from clearprop.training.loop import Loop
from clearprop.training.plan import Plan, Training
from clearprop.training.samples import Samples, steps_per_epoch

_BATCH = 200  # scikit-learn's
_UNFINISHED = {
    "iterations": "It had as many iterations as max_iter={0.max_iter} allows. Allow more.",
    "evaluations": "It looked at the loss more often than max_fun={0.max_fun} allows. Allow more.",
    "stuck": "It found no step that lowers the loss from here.",
}


def check_for_lbfgs(estimator: Estimator) -> None:
    """Refuse what lbfgs can't train with.

    Raises
    ------
    ValueError
    """
    for name in ("dropout", "batch_norm"):
        if np.any(getattr(estimator, name)):
            raise ValueError(
                "solver='lbfgs' needs a loss that stays the same from one look to the next, which "
                f"it does not with {name}={getattr(estimator, name)!r}. Use 'sgd' or 'adam'."
            )
    if estimator.weight_decay:
        raise ValueError(
            f"weight_decay={estimator.weight_decay!r} shrinks weights in every update of 'sgd' and "
            "'adam'; solver='lbfgs' has none. alpha pulls weights to zero with every solver."
        )


def fit_lbfgs(
    estimator: Estimator,
    samples: Samples,
    held_out: Samples | None,
    random_state: np.random.RandomState,
) -> None:
    """Train an estimator's network by L-BFGS; each iteration is an epoch of one update.

    Parameters
    ----------
    estimator : Estimator
        Its `n_iter_`, `loss_` and `history_` are set, too.
    samples : Samples
    held_out : Samples or None
        The samples that are measured after every iteration.
    random_state : numpy.random.RandomState
        Nothing is drawn.
    """
    plan, run = _planned(estimator, samples, held_out, random_state, batch_size=None)
    _train(plan, LBFGSRules(estimator, run, plan))
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
    samples: Samples,
    held_out: Samples | None,
    random_state: np.random.RandomState,
    *,
    incremental: bool,
) -> None:
    """Train an estimator's network by sgd or adam; for one epoch, if it is incremental.

    Parameters
    ----------
    estimator : Estimator
        The attributes that say what it has learned are set, too.
    samples : Samples
    held_out : Samples or None
        The samples that are measured after every epoch. Early stopping holds a share of the others
        out where there are none.
    random_state : numpy.random.RandomState
        It is advanced.
    incremental : bool
    """
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    scores = held_out is not None
    if estimator.early_stopping and held_out is None:
        samples, held_out = _split(estimator, samples, random_state)
    going = estimator._optimizer if incremental and hasattr(estimator, "_optimizer") else None
    plan, run = _planned(
        estimator,
        samples,
        held_out,
        random_state,
        batch_size=_batch_size(estimator, len(samples)),
        incremental=incremental,
        going=going,
    )
    if going is None:
        rate = estimator.learning_rate
        schedule = rate if estimator.solver == "sgd" and isinstance(rate, str) else "constant"
        going = Going(run.optimizer, run.optimizer_state, 0, schedule, estimator.power_t)
    try:
        _train(plan, StochasticRules(estimator, run, plan, going, scores=scores))
    finally:
        going.optimizer, going.step = run.optimizer, run.step
        going.state = plan.engine.moments(run.optimizer_state)
        estimator._optimizer = going
    if run.stop_reason == "finished" and not incremental:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({run.epochs}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )


def _planned(
    estimator: Estimator,
    samples: Samples,
    held_out: Samples | None,
    random_state: np.random.RandomState,
    *,
    batch_size: int | None,
    incremental: bool = False,
    going: Going | None = None,
) -> tuple[Plan, Run]:
    """Decide how it is computed, and return that with a run before its first update."""
    network, epochs = estimator._network, 1 if incremental else estimator.max_iter
    steps = steps_per_epoch(len(samples), batch_size)
    if going is None:
        optimizer = optimizer_for(estimator)
    else:  # L2 is no part of scikit-learn's
        optimizer = replace(going.optimizer, alpha=estimator.alpha)
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
    run = Run(
        engine=plan.engine,
        optimizer=optimizer,
        optimizer_state=optimizer.start(plan.engine.parameters) if going is None else going.state,
        samples=samples,
        held_out=held_out,
        random_state=random_state,
        epochs=epochs,
        steps_per_epoch=steps,
        trainer=Trainer(optimizer=optimizer, epochs=epochs, batch_size=batch_size),
        step=0 if going is None else going.step,
        history=estimator.history_,
    )
    return plan, run


def _train(plan: Plan, rules: ScikitLearnRules) -> None:
    """Run the loop; Ctrl-C keeps what was learned."""
    run = rules.run
    step, blas_threads = plan.step(run, scores=rules.scores, goes_on=rules.goes_on)
    callbacks = tuple(rules.estimator.callbacks or ())
    with suppress(KeyboardInterrupt):
        Loop(run, step, rules, plan.samples, blas_threads, callbacks).go()
    if run.stop_reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)


def _split(
    estimator: Estimator, samples: Samples, random_state: np.random.RandomState
) -> tuple[Samples, Samples]:
    """Hold a share of the samples out, the very ones that scikit-learn would."""
    kept, held_out = train_test_split(
        np.arange(len(samples)),
        random_state=random_state,
        test_size=estimator.validation_fraction,
        stratify=estimator._strata(samples.y),
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return samples.take(kept), samples.take(held_out)


def _batch_size(estimator: Estimator, samples: int) -> int:
    if estimator.batch_size == "auto":
        return min(_BATCH, samples)
    if estimator.batch_size > samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=2,
        )
    return int(min(estimator.batch_size, samples))
