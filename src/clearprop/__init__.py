"""clearprop: deep feed-forward networks whose every number can be seen, checked and explained.

The parts of a network are imported at once; training, and whatever reads data, draws pictures or
saves models, when it is first asked for, so that importing clearprop stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clearprop.core.initializers import (
    Constant,
    FromData,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    Normal,
    Scaled,
    Uniform,
    Zeros,
)
from clearprop.core.parameters import Parameter, ParameterVector
from clearprop.core.schedules import (
    ConstantSchedule,
    CosineSchedule,
    CosLogSchedule,
    ExponentialSchedule,
    FlatCosineSchedule,
    OneCycleSchedule,
    Schedule,
    StepSchedule,
    WarmUp,
)
from clearprop.core.trace import Trace
from clearprop.errors import ClearpropError
from clearprop.layers import (
    ELU,
    GELU,
    SELU,
    AveragePool2D,
    BatchNorm,
    Blend,
    Built,
    Columns,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    Mish,
    NTKDense,
    PeriodicEmbedding,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    Softplus,
    SpatialDropout2D,
    Tanh,
)
from clearprop.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    BinaryFocal,
    Hinge,
    Huber,
    Loss,
    MeanSquaredError,
    MulticlassHinge,
    PoissonDeviance,
    Quantile,
    Quantiles,
    SmoothedCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxFocal,
)
from clearprop.network import Network
from clearprop.optimizers import (
    LBFGS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from clearprop.version import __version__ as __version__

if TYPE_CHECKING:
    from clearprop import course, plots
    from clearprop.data import Dataset, hold_out
    from clearprop.data import load as load_data
    from clearprop.doctor import Doctor, examine
    from clearprop.estimators import MLPClassifier, MLPRegressor, TableClassifier, TableRegressor
    from clearprop.explain import class_activation, feature_maps, saliency
    from clearprop.exports.exporting import export
    from clearprop.files.models import Model, save
    from clearprop.files.saved import load
    from clearprop.gradcheck import check_backward, check_gradients, check_layer, check_loss
    from clearprop.gradcheck.seeing.asked import check
    from clearprop.preprocessing import Preprocessing, fit_recipe
    from clearprop.studio.notebook import Studio
    from clearprop.studio.watch import watch
    from clearprop.training import (
        Callback,
        Checkpoint,
        EarlyStopping,
        History,
        ProgressLine,
        Run,
        Trainer,
    )
    from clearprop.training.augmentation import (
        Augmentation,
        Mixup,
        RandomColour,
        RandomCrop,
        RandomErasing,
        RandomFlip,
        RandomRotation,
        RandomScale,
        RandomShift,
    )
    from clearprop.walkthrough import Walk, walk

_LATER = {
    "Augmentation": "clearprop.training.augmentation:Augmentation",
    "Callback": "clearprop.training:Callback",
    "Checkpoint": "clearprop.training:Checkpoint",
    "Dataset": "clearprop.data:Dataset",
    "Doctor": "clearprop.doctor:Doctor",
    "EarlyStopping": "clearprop.training:EarlyStopping",
    "History": "clearprop.training:History",
    "MLPClassifier": "clearprop.estimators:MLPClassifier",
    "MLPRegressor": "clearprop.estimators:MLPRegressor",
    "Mixup": "clearprop.training.augmentation:Mixup",
    "Model": "clearprop.files.models:Model",
    "Preprocessing": "clearprop.preprocessing:Preprocessing",
    "ProgressLine": "clearprop.training:ProgressLine",
    "RandomColour": "clearprop.training.augmentation:RandomColour",
    "RandomCrop": "clearprop.training.augmentation:RandomCrop",
    "RandomErasing": "clearprop.training.augmentation:RandomErasing",
    "RandomFlip": "clearprop.training.augmentation:RandomFlip",
    "RandomRotation": "clearprop.training.augmentation:RandomRotation",
    "RandomScale": "clearprop.training.augmentation:RandomScale",
    "RandomShift": "clearprop.training.augmentation:RandomShift",
    "Run": "clearprop.training:Run",
    "Studio": "clearprop.studio.notebook:Studio",
    "TableClassifier": "clearprop.estimators:TableClassifier",
    "TableRegressor": "clearprop.estimators:TableRegressor",
    "Trainer": "clearprop.training:Trainer",
    "Walk": "clearprop.walkthrough:Walk",
    "check": "clearprop.gradcheck.seeing.asked:check",
    "check_backward": "clearprop.gradcheck:check_backward",
    "check_gradients": "clearprop.gradcheck:check_gradients",
    "check_layer": "clearprop.gradcheck:check_layer",
    "check_loss": "clearprop.gradcheck:check_loss",
    "class_activation": "clearprop.explain:class_activation",
    "course": "clearprop.course",
    "examine": "clearprop.doctor:examine",
    "export": "clearprop.exports.exporting:export",
    "feature_maps": "clearprop.explain:feature_maps",
    "fit_recipe": "clearprop.preprocessing:fit_recipe",
    "hold_out": "clearprop.data:hold_out",
    "load": "clearprop.files.saved:load",
    "load_data": "clearprop.data:load",
    "plots": "clearprop.plots",
    "saliency": "clearprop.explain:saliency",
    "save": "clearprop.files.models:save",
    "walk": "clearprop.walkthrough:walk",
    "watch": "clearprop.studio.watch:watch",
}

__all__ = [
    "ELU",
    "GELU",
    "LBFGS",
    "SELU",
    "SGD",
    "AbsoluteError",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Augmentation",
    "AveragePool2D",
    "BatchNorm",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Blend",
    "Built",
    "Callback",
    "Checkpoint",
    "ClearpropError",
    "Columns",
    "Constant",
    "ConstantSchedule",
    "Conv2D",
    "CosLogSchedule",
    "CosineSchedule",
    "Dataset",
    "Dense",
    "Doctor",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "ExponentialSchedule",
    "FlatCosineSchedule",
    "Flatten",
    "FromData",
    "GlobalAveragePool2D",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Hinge",
    "History",
    "Huber",
    "Initializer",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Loss",
    "MLPClassifier",
    "MLPRegressor",
    "MaxPool2D",
    "MeanSquaredError",
    "Mish",
    "Mixup",
    "Model",
    "Momentum",
    "MulticlassHinge",
    "NTKDense",
    "Nesterov",
    "Network",
    "Normal",
    "OneCycleSchedule",
    "Optimizer",
    "Parameter",
    "ParameterVector",
    "PeriodicEmbedding",
    "PoissonDeviance",
    "Preprocessing",
    "ProgressLine",
    "Quantile",
    "Quantiles",
    "RMSprop",
    "RandomColour",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomScale",
    "RandomShift",
    "ReLU",
    "Residual",
    "Run",
    "Scale",
    "Scaled",
    "Schedule",
    "Sequential",
    "Sigmoid",
    "SmoothedCrossEntropy",
    "SoftmaxCrossEntropy",
    "SoftmaxFocal",
    "Softplus",
    "SpatialDropout2D",
    "StepSchedule",
    "Studio",
    "TableClassifier",
    "TableRegressor",
    "Tanh",
    "Trace",
    "Trainer",
    "Uniform",
    "Walk",
    "WarmUp",
    "Zeros",
    "check",
    "check_backward",
    "check_gradients",
    "check_layer",
    "check_loss",
    "class_activation",
    "course",
    "examine",
    "export",
    "feature_maps",
    "fit_recipe",
    "hold_out",
    "load",
    "load_data",
    "plots",
    "saliency",
    "save",
    "walk",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'clearprop' has no attribute {name!r}")
    module, _, member = _LATER[name].partition(":")
    found = import_module(module)
    value = getattr(found, member) if member else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
