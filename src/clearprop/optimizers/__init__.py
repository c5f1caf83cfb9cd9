"""Optimizers: frozen hyper-parameters, and a state of flat arrays that lies outside them.

Every update is element by element, so it runs over the vectors in blocks that stay in the
processor's cache while all of its passes go over them.

Two kinds of pull towards zero exist, on weights only (`ParameterVector.decayed`):

- `alpha` is L2 as scikit-learn scales it: alpha / (2 n) times the squared weights is added to the
  loss of a batch of n samples, and alpha / n w to the gradient. `regularize` does that.
- `weight_decay` is decoupled: w is multiplied by 1 - learning_rate weight_decay before the update.
  Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (2019), algorithms 1 and 2.
  It may be a schedule, as the learning rate may.

Arrays may have a factor f of the learning rate, `Parameter.rate`: whatever multiplies by the rate
does so with f times the rate, and decoupled decay has f times the decay besides.

A line here makes an optimizer one of clearprop's own: it has its name on the command line, and its
code in compiled steps.
"""

from typing import Any

# In the order in which the command line lists them.
# isort: off
from clearprop.optimizers.base import Optimizer as Optimizer
from clearprop.optimizers.base import OptimizerState as OptimizerState
from clearprop.optimizers.descent import SGD as SGD
from clearprop.optimizers.descent import Momentum as Momentum
from clearprop.optimizers.descent import Nesterov as Nesterov
from clearprop.optimizers.adaptive import AdaGrad as AdaGrad
from clearprop.optimizers.adaptive import RMSprop as RMSprop
from clearprop.optimizers.adaptive import Adam as Adam
from clearprop.optimizers.adaptive import AdamW as AdamW
from clearprop.optimizers.lbfgs import LBFGS as LBFGS
# isort: on

from clearprop.configuration import classes_in

OPTIMIZERS: dict[str, type[Any]] = {kind.name: kind for kind in classes_in(vars(), Optimizer)}
"""Every optimizer by the name that the command line gives it."""
