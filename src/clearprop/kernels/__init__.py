"""Element-wise formulas that layers, losses and optimizers share, and their compiled twins.

Each is written twice: as a formula in NumPy, and as a loop that makes one pass where the formula
makes several. Where Numba is installed (the extra `fast`), a training that is long enough for it to
pay has the loops compiled, once on a machine: the machine code is kept on disk. Both give the same
bits. The environment variable CLEARPROP_KERNELS says otherwise: ``numpy`` for formulas alone,
``compiled`` for loops from the first step.
"""

from clearprop.kernels.formulas import (
    relu,
    relu_backward,
    sigmoid,
    softmax_pick,
    softmax_shift,
    sparse_multiply,
    sparse_multiply_transposed,
)
from clearprop.kernels.kernel import (
    Kernel,
    are_compiled,
    compile_if_worthwhile,
    give_up_compiling,
)
from clearprop.kernels.updates import adapt, descend, flush_below, look_ahead, push, scale

__all__ = [
    "Kernel",
    "adapt",
    "are_compiled",
    "compile_if_worthwhile",
    "descend",
    "flush_below",
    "give_up_compiling",
    "look_ahead",
    "push",
    "relu",
    "relu_backward",
    "scale",
    "sigmoid",
    "softmax_pick",
    "softmax_shift",
    "sparse_multiply",
    "sparse_multiply_transposed",
]
