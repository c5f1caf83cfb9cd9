"""L-BFGS: all parameters are moved by the loss of all samples and its gradient alone.

It needs few looks at that function, each of which is a pass over all samples.
"""

from clearprop.training.lbfgs.step import LayerPasses, LBFGSStep, Objective

__all__ = ["LBFGSStep", "LayerPasses", "Objective"]
