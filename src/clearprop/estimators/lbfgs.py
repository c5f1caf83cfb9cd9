"""Training by L-BFGS: SciPy's, over one flat vector in scikit-learn's order."""

import warnings
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from clearprop.backend import blas_threads, choose_threads
from clearprop.estimators.building import dense_places
from clearprop.estimators.record import Record
from clearprop.estimators.rows import chunk_rows
from clearprop.kernels import compile_if_worthwhile
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.parameters import Array, ParameterVector
from clearprop.trace import Trace
from clearprop.training.interrupt import stop_on_interrupt
from clearprop.training.run import Run

if TYPE_CHECKING:
    from clearprop.estimators.base import BaseMLP


class Share:
    """Chunks of samples that one thread passes through the network, and what it needs for that.

    Parameters
    ----------
    engine : Network
    starts : range
        Where the chunks begin; its end is that of the last one.
    """

    def __init__(self, engine: Network, starts: range) -> None:
        self.starts = starts
        self.trace = Trace(training=True)
        self.trace.wants_dx = False
        self.gradient, self.part = engine.parameters.like(), engine.parameters.like()


class Objective:
    """The loss of all samples, with L2, and its gradient, as functions of one vector.

    The samples pass a chunk at a time, so that what lies between the layers stays in the cache, and
    where there are many, several threads have a share of them each.

    Parameters
    ----------
    engine : Network
        Its parameters are those of the last call.
    loss : Loss
    X : ndarray or SparseRows, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
        Targets, as the loss takes them.
    weights : ndarray, shape (N,), or None
    alpha : float
        L2, as scikit-learn scales it.
    """

    def __init__(
        self, engine: Network, loss: Loss, X: Any, y: Array, weights: Array | None, alpha: float
    ) -> None:
        self.engine, self.loss, self.alpha = engine, loss, alpha
        self.X, self.y = X, y
        total = float(len(y)) if weights is None else float(weights.sum())
        self.weights = None if weights is None else (weights / total)[:, np.newaxis]
        self.total = total
        self.rows = chunk_rows(engine)
        self.arrays = arrays_of(engine, engine.parameters)
        self.shares = [Share(engine, range(0, len(y), self.rows))]
        self.gradient = self.shares[0].gradient
        self.gradients = arrays_of(engine, self.gradient)

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return loss and gradient at a vector of coefficients, then intercepts."""
        self.move_to(vector)
        first, *others = self.shares
        results = [self.pool.submit(self._pass, share) for share in others]
        loss = self._pass(first)
        for share, result in zip(others, results, strict=True):
            loss += result.result()
            self.gradient.data += share.gradient.data
        loss += self._regularize()
        return loss, np.concatenate([array.ravel() for array in self.gradients])

    def share_among(self, pool: Executor, threads: int) -> None:
        """Have so many threads do the work, all but one of them from a pool."""
        self.pool = pool
        cuts = [len(self.y) * part // threads for part in range(threads + 1)]
        first, *others = (range(*ends, self.rows) for ends in pairwise(cuts))
        self.shares[0].starts = first
        self.shares += [Share(self.engine, starts) for starts in others]

    def start(self) -> Array:
        """Return the vector that stands for the present parameters."""
        return np.concatenate([array.ravel() for array in self.arrays], dtype=np.float64)

    def largest_gradient(self, tolerance: float) -> float:
        """Return the size of gradients at which SciPy ends, for one that the estimator asks for."""
        return tolerance

    def is_flat(self, tolerance: float) -> bool:
        """Whether the last gradient is below a tolerance; SciPy sees to that of all parameters."""
        return False

    def finish(self, vector: Array) -> None:
        """Leave the parameters of a vector in the network."""
        self.move_to(vector)

    def move_to(self, vector: Array) -> None:
        """Write a vector of coefficients, then intercepts, into the engine."""
        start = 0
        for array in self.arrays:
            array[...] = vector[start : start + array.size].reshape(array.shape)
            start += array.size

    def _pass(self, share: Share) -> float:
        loss, gradient = 0.0, share.gradient
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a thread has its own
            for start in share.starts:
                rows = slice(start, min(start + self.rows, share.starts.stop))
                loss += self._chunk(rows, share.trace, gradient)
                if gradient is share.part:
                    share.gradient.data += share.part.data
                gradient = share.part
        return loss

    def _chunk(self, rows: slice, trace: Trace, gradient: ParameterVector) -> float:
        logits = self.engine.forward(self.X[rows], trace)
        losses, dlogits = self.loss.each(logits, self.y[rows])
        if self.weights is None:
            dlogits /= self.total
            loss = losses.sum() / self.total
        else:
            dlogits *= self.weights[rows]
            loss = losses @ self.weights[rows, 0]
        self.engine.backward(dlogits, trace, gradient)
        return float(loss)

    def _regularize(self) -> float:
        parameters = self.engine.parameters
        for name in parameters.decayed:
            self.gradient[name][...] += self.alpha / self.total * parameters[name]
        squares = self.engine.squared_norm(parameters, parameters.decayed)
        return 0.5 * self.alpha / self.total * squares


def arrays_of(network: Network, vector: ParameterVector) -> list[Array]:
    """Return the arrays of a network's vector in scikit-learn's order: all W, then all b."""
    places = dense_places(network)
    return [vector[f"{place}.{name}"] for name in ("W", "b") for place in places]


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
    engine, max_iter = objective.engine, estimator.max_iter
    parameters = engine.parameters.data.size
    compile_if_worthwhile(parameters, max_iter)
    threads = choose_threads(parameters, len(objective.y), estimator.threads)
    shares = threads if len(objective.y) > objective.rows else 1

    def end_iteration(intermediate_result: OptimizeResult) -> None:
        objective.move_to(intermediate_result.x)
        run.epoch, run.step, run.loss = run.epoch + 1, run.step + 1, intermediate_result.fun
        estimator.n_iter_, estimator.loss_ = run.epoch, run.loss
        if estimator.verbose:
            print(f"Iteration {run.epoch}, loss = {run.loss:.8f}")
        record.end_epoch(run.loss)
        record.tell_epoch()
        if objective.is_flat(estimator.tol):
            run.stop("early")
        if run.stop_reason is not None:
            raise StopIteration

    with (
        stop_on_interrupt(run),
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        blas_threads(1 if shares > 1 else threads),
        ThreadPoolExecutor(shares) as pool,
    ):
        objective.share_among(pool, shares)
        record.begin()
        found = minimize(
            objective,
            objective.start(),
            method="L-BFGS-B",
            jac=True,
            callback=end_iteration,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": max_iter,
                "gtol": objective.largest_gradient(estimator.tol),
            },
        )
    objective.finish(found.x)
    estimator.n_iter_, estimator.loss_ = min(found.nit, max_iter), found.fun
    run.stop_reason = run.stop_reason or ("finished" if found.status else "early")
    record.end()
    if run.stop_reason == "interrupted":
        warnings.warn("Training interrupted by user.", stacklevel=2)
    elif run.stop_reason == "finished":
        _warn(found, estimator.n_iter_, max_iter)


def _warn(found: OptimizeResult, done: int, max_iter: int) -> None:
    more = f" Increase max_iter, which is {max_iter}." if done == max_iter else ""
    warnings.warn(
        f"lbfgs failed to converge after {done} iteration(s) (status={found.status}): "
        f"{found.message}.{more} Scaling the features to about 1 helps, too.",
        ConvergenceWarning,
        stacklevel=2,
    )
