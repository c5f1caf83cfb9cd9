"""L-BFGS: a function of very many numbers is minimised, by its values and gradients alone.

It needs few looks at the function, each of which here is a pass over all samples. It knows nothing
of networks.
"""

from clearprop.lbfgs.minimizer import Minimum, minimize

__all__ = ["Minimum", "minimize"]
