"""What the makers of golden values share: activations, start values, arrays to tensors and back."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Arrays = dict[str, np.ndarray]
Tensors = dict[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "LeakyReLU": partial(functional.leaky_relu, negative_slope=0.2),
    "ELU": partial(functional.elu, alpha=0.7),
    "GELU": functional.gelu,
    "Softplus": partial(functional.softplus, threshold=50),  # linear above it
}


def start_values(random_state: np.random.RandomState, shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """Draw parameters: weights of a sensible size, and nothing else at zero or one either."""
    return {
        name: random_state.standard_normal(shape) / math.sqrt(shape[0]) + name.endswith("gamma")
        for name, shape in shapes.items()
    }


def dense(params: Tensors, name: str, x: Tensor) -> Tensor:
    """Return x W + b."""
    return x @ params[f"{name}.W"] + params[f"{name}.b"]


def tensors(arrays: Arrays, *, learned: bool = False) -> Tensors:
    """Copy arrays into tensors."""
    return {
        name: torch.tensor(np.ascontiguousarray(array), requires_grad=learned)
        for name, array in arrays.items()
    }


def flat(params: Tensors) -> np.ndarray:
    """Return all of them in one vector, as `ParameterVector.data` holds them."""
    return np.concatenate([value.detach().numpy().ravel() for value in params.values()])
