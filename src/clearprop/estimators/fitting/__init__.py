"""From checked samples to a trained network: L-BFGS, sgd and adam by scikit-learn's rules."""

from clearprop.estimators.fitting.given import Given
from clearprop.estimators.fitting.lbfgs import fit_lbfgs
from clearprop.estimators.fitting.stochastic import fit_stochastic

__all__ = ["Given", "fit_lbfgs", "fit_stochastic"]
