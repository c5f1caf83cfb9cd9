"""Element-wise formulas that several layers and losses share."""

from clearprop.kernels.elementwise import sigmoid

__all__ = ["sigmoid"]
