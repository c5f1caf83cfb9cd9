"""The names that everything else is built on, and what importing them costs."""

import re
import subprocess
import sys
from pathlib import Path

import clearprop as cp

PUBLIC = [
    *("AdaGrad", "Adam", "AdamW", "BatchNorm", "BinaryCrossEntropy", "Built", "Callback"),
    *("Checkpoint", "ClearpropError", "Constant", "ConstantSchedule", "CosineSchedule"),
    *(
        "Dataset",
        "Dense",
        "Doctor",
        "Dropout",
        "ELU",
        "EarlyStopping",
        "ExponentialSchedule",
        "Flatten",
    ),
    *("GELU", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "History", "LBFGS"),
    *("Initializer", "Layer", "LayerNorm", "LeakyReLU", "Loss", "MeanSquaredError", "Model"),
    *("Momentum", "Nesterov", "Network", "Normal", "OneCycleSchedule", "Optimizer", "Parameter"),
    *("ParameterVector", "Preprocessing", "ProgressLine", "RMSprop", "ReLU", "Residual", "Run"),
    *("SGD", "Scaled", "Schedule", "Sequential", "Sigmoid", "SoftmaxCrossEntropy", "Softplus"),
    *("StepSchedule", "Tanh", "Trace", "Trainer", "Walk", "WarmUp", "Zeros"),
    *("AbsoluteError", "BinaryFocal", "Hinge", "Huber", "MulticlassHinge", "PoissonDeviance"),
    *("Quantile", "Quantiles", "SoftmaxFocal", "MLPClassifier", "MLPRegressor"),
    *("Studio", "TableClassifier", "TableRegressor"),
    *("CosLogSchedule", "FlatCosineSchedule", "FromData", "SmoothedCrossEntropy"),
    *("Blend", "Columns", "Embedding", "Mish", "NTKDense", "PeriodicEmbedding", "SELU", "Scale"),
    *("Uniform",),
    *("AveragePool2D", "Conv2D", "GlobalAveragePool2D", "MaxPool2D", "SpatialDropout2D"),
    *("Augmentation", "Mixup", "RandomColour", "RandomCrop", "RandomErasing", "RandomFlip"),
    *("RandomRotation", "RandomScale", "RandomShift"),
    *("check", "check_backward", "check_gradients", "check_layer", "check_loss", "watch"),
    *("class_activation", "feature_maps", "saliency"),
    *(
        "course",
        "examine",
        "export",
        "fit_recipe",
        "hold_out",
        "load",
        "load_data",
        "plots",
        "save",
        "walk",
    ),
]
HEAVY = ["sklearn", "matplotlib", "PIL", "scipy", "rich", "click", "h5py", "safetensors", "pandas"]


def test_the_public_names_are_these() -> None:
    assert sorted(cp.__all__) == sorted(PUBLIC)


def test_every_public_name_is_there_and_listed() -> None:
    for name in PUBLIC:
        assert getattr(cp, name) is not None
    assert set(PUBLIC) <= set(dir(cp))


def test_the_api_reference_has_every_public_name_once() -> None:
    pages = Path(__file__).parents[1].glob("docs/api/*.rst")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert sorted(re.findall(r"^\.\. auto\w+:: clearprop\.(\w+)$", text, re.M)) == sorted(PUBLIC)


def test_other_names_are_not() -> None:
    assert not hasattr(cp, "Dence")


def test_importing_clearprop_imports_numpy_alone() -> None:
    code = f"import sys, clearprop; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
