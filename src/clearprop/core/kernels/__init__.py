"""Element-wise formulas that layers, losses and optimizers share, and their compiled twins.

Each is written twice: as a formula in NumPy, and as a loop that makes one pass where the formula
makes several. Where Numba is installed (the extra `fast`), a training that is long enough for it to
pay has the loops compiled, once on a machine: the machine code is kept on disk. Both give the same
bits. The environment variable CLEARPROP_KERNELS says otherwise: ``numpy`` for formulas alone,
``compiled`` for loops from the first step.
"""

from clearprop.core.kernels.formulas import relu as relu
from clearprop.core.kernels.formulas import relu_backward as relu_backward
from clearprop.core.kernels.formulas import sigmoid as sigmoid
from clearprop.core.kernels.formulas import softmax_pick as softmax_pick
from clearprop.core.kernels.formulas import softmax_shift as softmax_shift
from clearprop.core.kernels.formulas import sparse_multiply as sparse_multiply
from clearprop.core.kernels.formulas import sparse_multiply_transposed as sparse_multiply_transposed
from clearprop.core.kernels.kernel import Kernel as Kernel
from clearprop.core.kernels.kernel import are_compiled as are_compiled
from clearprop.core.kernels.kernel import compile_if_worthwhile as compile_if_worthwhile
from clearprop.core.kernels.kernel import give_up_compiling as give_up_compiling
from clearprop.core.kernels.kernel import keep_apart as keep_apart
from clearprop.core.kernels.pictures import recolour as recolour
from clearprop.core.kernels.pictures import warp as warp
from clearprop.core.kernels.updates import adapt as adapt
from clearprop.core.kernels.updates import descend as descend
from clearprop.core.kernels.updates import flush_below as flush_below
from clearprop.core.kernels.updates import look_ahead as look_ahead
from clearprop.core.kernels.updates import push as push
from clearprop.core.kernels.updates import scale as scale
