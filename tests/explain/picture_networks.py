"""Small networks of pictures for the tests of what explains them."""

import numpy as np

import clearprop as cp

SHAPE = (8, 8, 3)


def flat_network(shape=SHAPE, loss=None, outputs=3, seed=0):
    layers = [
        cp.Conv2D(4),
        cp.BatchNorm(),
        cp.Tanh(),
        cp.MaxPool2D(),
        cp.Residual([cp.Conv2D(4), cp.Tanh()]),
        cp.Dropout(0.5),
        cp.Flatten(),
        cp.Dense(outputs),
    ]
    return cp.Network(layers, loss=loss or cp.SoftmaxCrossEntropy(), input_shape=shape, seed=seed)


def averaging_network(convolutions, outputs=3):
    layers = [*convolutions, cp.GlobalAveragePool2D(), cp.Dense(outputs)]
    return cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=SHAPE, seed=1)


def pictures(count=3, shape=SHAPE, seed=0):
    return np.random.RandomState(seed).rand(count, *shape)
