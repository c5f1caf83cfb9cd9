"""Layers: frozen dataclasses with forward and backward next to each other.

A line here makes a layer one of clearprop's own: model files may contain it, and an activation has
its name on the command line and among the estimators', and its code in compiled steps.
"""

# In the order in which the command line lists them.
# isort: off
from clearprop.layers.activations import Activation as Activation
from clearprop.layers.activations import ReLU as ReLU
from clearprop.layers.activations import LeakyReLU as LeakyReLU
from clearprop.layers.activations import ELU as ELU
from clearprop.layers.activations import SELU as SELU
from clearprop.layers.gated import GELU as GELU
from clearprop.layers.gated import Mish as Mish
from clearprop.layers.activations import Softplus as Softplus
from clearprop.layers.activations import Tanh as Tanh
from clearprop.layers.activations import Sigmoid as Sigmoid
from clearprop.layers.base import Built as Built
from clearprop.layers.base import Layer as Layer
from clearprop.layers.columns import Columns as Columns
from clearprop.layers.containers import Residual as Residual
from clearprop.layers.containers import Sequential as Sequential
from clearprop.layers.convolution import Conv2D as Conv2D
from clearprop.layers.dense import Dense as Dense
from clearprop.layers.dense import Flatten as Flatten
from clearprop.layers.dense import NTKDense as NTKDense
from clearprop.layers.dropout import Dropout as Dropout
from clearprop.layers.dropout import SpatialDropout2D as SpatialDropout2D
from clearprop.layers.embedding import Embedding as Embedding
from clearprop.layers.embedding import PeriodicEmbedding as PeriodicEmbedding
from clearprop.layers.normalization import BatchNorm as BatchNorm
from clearprop.layers.normalization import LayerNorm as LayerNorm
from clearprop.layers.pooling import AveragePool2D as AveragePool2D
from clearprop.layers.pooling import GlobalAveragePool2D as GlobalAveragePool2D
from clearprop.layers.pooling import MaxPool2D as MaxPool2D
from clearprop.layers.scaling import Blend as Blend
from clearprop.layers.scaling import Scale as Scale
# isort: on

from clearprop.configuration import classes_in

ACTIVATIONS: dict[str, Activation] = {kind.name: kind() for kind in classes_in(vars(), Activation)}
"""Every activation by the name that the command line gives it."""
