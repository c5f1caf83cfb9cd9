"""Layers: frozen dataclasses with forward and backward next to each other."""

from clearprop.layers.activations import (
    ELU,
    GELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from clearprop.layers.base import Built, Layer
from clearprop.layers.containers import Residual, Sequential
from clearprop.layers.dense import Dense
from clearprop.layers.dropout import Dropout
from clearprop.layers.flatten import Flatten
from clearprop.layers.normalization import BatchNorm, LayerNorm

__all__ = [
    "ELU",
    "GELU",
    "BatchNorm",
    "Built",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "Tanh",
]
