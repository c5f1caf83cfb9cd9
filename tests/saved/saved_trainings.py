"""Trainings whose checkpoints are kept, and models that are."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import clearprop as cp
from clearprop import preprocessing


def network(features: int, *middle: cp.Layer) -> cp.Network:
    """Return a network of two classes."""
    return cp.Network(
        [cp.Dense(3), *middle, cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(features,),
        seed=1,
    )


def samples(net: cp.Network) -> tuple[Any, Any]:
    """Draw twelve samples for a network."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((12, *net.input_shape))
    return X, (X[:, 0] > 0).astype(int)


def picture_network() -> cp.Network:
    """Return a network with one of each layer of pictures."""
    return cp.Network(
        [
            *(cp.Conv2D(4, (3, 2), padding="valid"), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
            *(cp.SpatialDropout2D(0.2), cp.Residual((cp.Conv2D(4, bias=False), cp.ReLU()))),
            *(cp.AveragePool2D((1, 2), stride=1), cp.GlobalAveragePool2D(), cp.Dense(3)),
        ],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(9, 8, 2),
        seed=2,
    )


def pictures() -> Any:
    """Draw six pictures for it."""
    return np.random.RandomState(3).standard_normal((6, 9, 8, 2))


TRAININGS: dict[str, tuple[Callable[[], cp.Network], Callable[..., cp.Trainer]]] = {
    "plain": (
        partial(network, 2, cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.2)),
        partial(
            cp.Trainer,
            optimizer=cp.Adam(0.01, alpha=0.1),
            batch_size=5,
            early_stopping=cp.EarlyStopping(9, monitor="loss"),
        ),
    ),
    "sample-space": (
        partial(network, 40, cp.Tanh()),
        partial(cp.Trainer, optimizer=cp.Nesterov(0.05), batch_size=5, sample_space=True),
    ),
}


SOME = np.random.RandomState(5).standard_normal((20, 4))
"""Samples for the models of `SURE`."""


def sure_of_classes() -> cp.Model:
    """Return a model of three classes with a temperature and a coverage."""
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4,), seed=3)
    target = preprocessing.ClassTarget(
        ("a", "b", "c"),
        "kind",
        temperature=0.75,
        coverage=preprocessing.Coverage(0.9, 40, 0.5),
    )
    recipe = preprocessing.ArrayRecipe.fit(SOME)
    return cp.Model(net, preprocessing.Preprocessing(recipe, target))


def sure_of_values() -> cp.Model:
    """Return a model of values, learned as their logarithms, with a coverage."""
    net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(4,), seed=4)
    target = preprocessing.ValueTarget(
        (1.5,),
        (0.5,),
        "price",
        preprocessing.PowerScale(0.0, 0, 100.0, (0.0, 3000.0)),
        preprocessing.Coverage(0.8, 12, 1.25),
    )
    recipe = preprocessing.ArrayRecipe.fit(SOME)
    return cp.Model(net, preprocessing.Preprocessing(recipe, target))


SURE: dict[str, Callable[[], cp.Model]] = {
    "sure-classes": sure_of_classes,
    "sure-values": sure_of_values,
}
"""Models that say how sure they are, by the name of their files."""
