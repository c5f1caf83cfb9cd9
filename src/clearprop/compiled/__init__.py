"""A whole training step, or the gradient of all samples, as one compiled function.

In a small network of Dense layers a step is so little work that calling NumPy some thirty times
costs more than the arithmetic. Where Numba is installed and a training is long enough for it to
pay, such a step runs as one compiled function, and so do many steps in a row. It takes the same
samples in the same order, and gives the same numbers up to rounding: sums are taken one number
after the other, and exp, log and tanh are the compiler's. Networks that begin with convolutions
have steps of their own, of one batch each, and so have those of tables, with their embeddings.
"""

from clearprop.compiled.blocks import is_pictures
from clearprop.compiled.building import is_chain, is_plain_chain
from clearprop.compiled.picture_steps import PicturePasses, PictureSteps
from clearprop.compiled.runners import FusedGradient, FusedSteps
from clearprop.compiled.table_building import is_table
from clearprop.compiled.table_steps import TablePasses, TableSteps

__all__ = [
    "FusedGradient",
    "FusedSteps",
    "PicturePasses",
    "PictureSteps",
    "TablePasses",
    "TableSteps",
    "is_chain",
    "is_pictures",
    "is_plain_chain",
    "is_table",
]
