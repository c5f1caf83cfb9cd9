"""clearprop: deep feed-forward networks whose every number can be seen, checked and explained."""

__version__ = "0.1.0"

from clearprop.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    Normal,
    Scaled,
    Zeros,
)
from clearprop.layers import *
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.parameters import Parameter, ParameterVector
from clearprop.trace import Trace
