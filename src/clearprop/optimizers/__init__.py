"""Optimizers: frozen hyper-parameters, and a state of flat arrays that lies outside them.

Every update is element by element, so it runs over the vectors in blocks that stay in the
processor's cache while all of its passes go over them.

Two kinds of pull towards zero exist, on weights only (`ParameterVector.decayed`):

- `alpha` is L2 as scikit-learn scales it: alpha / (2 n) times the squared weights is added to the
  loss of a batch of n samples, and alpha / n w to the gradient. `regularize` does that.
- `weight_decay` is decoupled: w is multiplied by 1 - learning_rate weight_decay before the update.
  Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (2019), algorithms 1 and 2.
"""

from typing import Any

from clearprop.optimizers.adaptive import AdaGrad, Adam, AdamW, RMSprop
from clearprop.optimizers.base import Optimizer, OptimizerState
from clearprop.optimizers.descent import SGD, Momentum, Nesterov
from clearprop.optimizers.lbfgs import LBFGS

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "OptimizerState",
    "RMSprop",
]

OPTIMIZERS: dict[str, type[Any]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}
"""Every optimizer by the name that the command line gives it."""
