"""Whether sgd trains the first layer in the space of the samples, and the way back from there."""

from typing import Any

from clearprop.estimators.interface import Estimator
from clearprop.network import Network
from clearprop.optimizers import Optimizer
from clearprop.parameters import Array
from clearprop.sample_space import SampleNetwork, fits, is_cheaper, why_not_exact


def uses_sample_space(
    estimator: Estimator,
    network: Network,
    optimizer: Optimizer,
    X: Any,
    held_out: int,
    batch_size: int,
    steps: int,
) -> bool:
    """Decide it by the estimator's parameter: False, True, or "auto" where it is cheaper.

    Parameters
    ----------
    estimator : Estimator
    network : Network
    optimizer : Optimizer
    X : ndarray or SparseRows, shape (T, D)
        What is trained on.
    held_out : int
        How many samples are measured after every epoch.
    batch_size : int
    steps : int
        How many updates there may be.

    Raises
    ------
    ValueError
        If it is True where it would not be exact, or would not fit into memory.
    """
    wanted = estimator.sample_space
    if wanted is False:
        return False
    if wanted == "auto":
        features, units = network.parameters["0.W"].shape
        cheaper = is_cheaper(features, units, len(X), held_out, batch_size, steps)
        return cheaper and why_not_exact(network, optimizer, X) is None
    reason = why_not_exact(network, optimizer, X)
    if reason is None and not fits(len(X), held_out):
        reason = "because its matrix of samples times samples takes over half of the memory"
    if reason is not None:
        raise ValueError(f"sample_space=True can't be had, {reason}. Use sample_space='auto'.")
    return True


def leave(engine: SampleNetwork, state: dict[str, Array]) -> dict[str, Array]:
    """Give the network its weights, and return the optimizer's state as it would be for them.

    Parameters
    ----------
    engine : SampleNetwork
    state : dict of str to ndarray
        Of the engine's parameters: velocities are sums of gradients, as weights are.

    Returns
    -------
    dict of str to ndarray
        Of the network's parameters.
    """
    learned = engine.parameters.data.copy()
    translated = {}
    for name, moment in state.items():
        engine.parameters.data[...] = moment
        translated[name] = engine.write_back().parameters.data.copy()
    engine.parameters.data[...] = learned
    engine.write_back()
    return translated
