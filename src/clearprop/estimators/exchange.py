"""To scikit-learn's own estimators, and from them."""

from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from clearprop.estimators.interface import Estimator
from clearprop.layers import ACTIVATIONS, BatchNorm
from clearprop.losses import LOSSES

_NAMES = [one.scikit_learn for one in ACTIVATIONS.values() if one.scikit_learn is not None]
_ACTIVATIONS = ("identity", *reversed(_NAMES))
_LOSSES = tuple(kind for kind in LOSSES if kind.in_scikit_learn)
_COPIED = (
    *("n_features_in_", "feature_names_in_", "n_outputs_", "n_layers_", "out_activation_"),
    *("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_"),
    *("best_validation_score_", "_no_improvement_count", "classes_", "_label_binarizer"),
)


def check_exchangeable(estimator: Estimator) -> None:
    """Refuse what scikit-learn could not predict with.

    Raises
    ------
    ValueError
    """
    network = estimator.network_
    name = estimator.activation
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise ValueError(
            f"scikit-learn has no activation={name!r}; it has one of {_ACTIVATIONS} for all layers."
        )
    if any(isinstance(layer, BatchNorm) for layer in network.layers):
        raise ValueError("scikit-learn has no batch_norm, and can't predict without it.")
    if type(network.loss) not in _LOSSES:
        raise ValueError(f"scikit-learn has no loss={estimator.loss!r}.")


def shared_parameters(source: Any, target: type) -> dict[str, Any]:
    """Return the parameters of an estimator that another class has, too."""
    known = target._get_param_names()  # type: ignore[attr-defined] # scikit-learn ships no types
    return {name: value for name, value in source.get_params(deep=False).items() if name in known}


def copy_learned(source: Any, target: Any) -> None:
    """Give one estimator a copy of what the other has learned.

    Raises
    ------
    NotFittedError
        If that is nothing.
    """
    check_is_fitted(source)
    for name in _COPIED:
        if hasattr(source, name):
            setattr(target, name, deepcopy(getattr(source, name)))
    target.coefs_ = [np.array(W) for W in source.coefs_]
    target.intercepts_ = [np.array(b) for b in source.intercepts_]
