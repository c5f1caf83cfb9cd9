"""Golden values of layers of pictures, and of small networks of them.

PyTorch puts channels first; everything is turned around on the way in and out, so that the files
hold pictures (N, H, W, C) and filters (kh, kw, C, F), as clearprop lays them out. The border of
"same" is TensorFlow's: ceil(size / stride) windows, the smaller half of the border before.
"""

from collections.abc import Callable

import numpy as np
import torch
from golden_tensors import Arrays, Tensors, start_values, tensors
from torch import Tensor
from torch.nn import functional

CONVOLUTIONS: dict[str, tuple[tuple[int, ...], int, tuple[int, int], tuple[int, int], str]] = {
    "3x3": ((7, 5, 3), 4, (3, 3), (1, 1), "same"),
    "3x3 valid": ((7, 5, 3), 4, (3, 3), (1, 1), "valid"),
    "3x3 stride 2": ((7, 6, 2), 3, (3, 3), (2, 2), "same"),
    "3x3 valid stride 2": ((8, 6, 2), 3, (3, 3), (2, 2), "valid"),
    "even": ((6, 5, 2), 3, (2, 4), (1, 1), "same"),
    "even stride": ((9, 8, 2), 3, (4, 2), (3, 2), "same"),
    "flat and long": ((4, 9, 1), 2, (1, 5), (1, 3), "same"),
    "1x1 stride 2": ((5, 7, 4), 6, (1, 1), (2, 2), "same"),
    "many channels": ((6, 6, 9), 5, (3, 3), (1, 1), "same"),
    "larger than the picture": ((3, 2, 2), 2, (7, 5), (2, 1), "same"),
    "whole picture": ((4, 5, 2), 3, (4, 5), (1, 1), "valid"),
}
"""Shape of a picture, filters, kernel, stride, padding."""

POOLS: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "2": ((2, 2), (2, 2)),
    "3 stride 2": ((3, 3), (2, 2)),
    "3 stride 1": ((3, 3), (1, 1)),
    "2x1 stride 3x2": ((2, 1), (3, 2)),
}
"""Size and stride, on pictures of 7 x 8 that hold many equal numbers."""

SAMPLES = 4


def pictures() -> Arrays:
    """Run single layers forward and backward, and whole networks for one gradient."""
    random_state = np.random.RandomState(3)
    arrays: Arrays = {}
    for name, (shape, filters, kernel, stride, padding) in CONVOLUTIONS.items():
        inputs = {
            "x": random_state.standard_normal((SAMPLES, *shape)),
            "W": random_state.standard_normal((*kernel, shape[-1], filters)),
            "b": random_state.standard_normal(filters),
        }
        arrays |= passed(
            f"Conv2D {name}",
            lambda x, W, b, stride=stride, padding=padding: convolution(x, W, b, stride, padding),
            inputs,
            random_state,
        )
    # Few numbers, so that the largest of a window is often there more than once.
    x = random_state.randint(-2, 2, (SAMPLES, 7, 8, 3)).astype(float)
    for name, (size, stride) in POOLS.items():
        for kind, pool in (("Max", functional.max_pool2d), ("Average", functional.avg_pool2d)):
            arrays |= passed(
                f"{kind}Pool2D {name}",
                lambda x, pool=pool, size=size, stride=stride: last(pool(first(x), size, stride)),
                {"x": x},
                random_state,
            )
    arrays |= passed("GlobalAveragePool2D", lambda x: x.mean(dim=(1, 2)), {"x": x}, random_state)
    arrays |= batch_norm(random_state)
    for name, (shapes, forward, shape) in NETWORKS.items():
        arrays |= gradient_of(name, shapes, forward, shape, random_state)
    return arrays


def first(x: Tensor) -> Tensor:
    """Put channels first."""
    return x.permute(0, 3, 1, 2)


def last(x: Tensor) -> Tensor:
    """Put channels last."""
    return x.permute(0, 2, 3, 1)


def convolution(
    x: Tensor,
    W: Tensor,
    b: Tensor | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: str = "same",
) -> Tensor:
    """Return the convolution of pictures with their channels last."""
    if padding == "same":
        borders = []
        for size, kernel, step in zip(x.shape[1:3], W.shape[:2], stride, strict=True):
            over = size % step or step
            whole = max(kernel - over, 0)
            borders = [whole // 2, whole - whole // 2, *borders]  # of the last axis first
        x = functional.pad(x, (0, 0, *borders))
    return last(functional.conv2d(first(x), W.permute(3, 2, 0, 1), b, stride))


def passed(
    name: str,
    function: Callable[..., Tensor],
    inputs: Arrays,
    random_state: np.random.RandomState,
) -> Arrays:
    """Return the inputs of one layer, its output, and the gradient of each input."""
    given = tensors(inputs, learned=True)
    y = function(**given)
    dy = random_state.standard_normal(y.shape)
    y.backward(torch.tensor(dy))
    gradients = {f"{name}/d{key}": value.grad.numpy() for key, value in given.items()}
    held = {f"{name}/{key}": value for key, value in inputs.items()}
    return {**held, f"{name}/dy": dy, f"{name}/y": y.detach().numpy(), **gradients}


def batch_norm(random_state: np.random.RandomState) -> Arrays:
    """Normalise channels in two training passes, and in one for prediction."""
    arrays: Arrays = {}
    running = torch.zeros(3), torch.ones(3)
    for call in ("train", "train again", "eval"):
        inputs = {
            "x": 2 + random_state.standard_normal((SAMPLES, 5, 4, 3)),
            "gamma": 1 + 0.3 * random_state.standard_normal(3),
            "beta": random_state.standard_normal(3),
        }
        name = f"BatchNorm {call}"
        arrays |= passed(
            name,
            lambda x, gamma, beta, training=call != "eval": last(
                functional.batch_norm(
                    first(x), *running, gamma, beta, training=training, momentum=0.2, eps=1e-3
                )
            ),
            inputs,
            random_state,
        )
        arrays[f"{name}/running_mean"] = running[0].numpy().copy()
        arrays[f"{name}/running_variance"] = running[1].numpy().copy()
    return arrays


def _dense(p: Tensors, name: str, x: Tensor) -> Tensor:
    return x.reshape(len(x), -1) @ p[f"{name}.W"] + p[f"{name}.b"]


def _conv(p: Tensors, name: str, x: Tensor, stride: int = 1, padding: str = "same") -> Tensor:
    return convolution(x, p[f"{name}.W"], p.get(f"{name}.b"), (stride, stride), padding)


def _norm(p: Tensors, name: str, x: Tensor) -> Tensor:
    gamma, beta = p[f"{name}.gamma"], p[f"{name}.beta"]
    return last(functional.batch_norm(first(x), None, None, gamma, beta, training=True))


def _plain(p: Tensors, x: Tensor) -> Tensor:
    x = last(functional.max_pool2d(first(torch.relu(_conv(p, "0", x))), 2))
    x = last(functional.max_pool2d(first(torch.relu(_conv(p, "3", x))), 2))
    return _dense(p, "8", torch.tanh(_dense(p, "7.0", x)))


def _normed(p: Tensors, x: Tensor) -> Tensor:
    x = torch.relu(_norm(p, "1", _conv(p, "0", x, 2)))
    x = torch.relu(_norm(p, "4", _conv(p, "3", x, padding="valid")))
    return _dense(p, "7", x.mean(dim=(1, 2)))


def _residual(p: Tensors, x: Tensor) -> Tensor:
    x = torch.relu(_conv(p, "0", x))
    block = _conv(p, "2.3", torch.relu(_norm(p, "2.1", _conv(p, "2.0", x))))
    x = torch.relu(block + x)
    x = _conv(p, "4.0", x) + x @ p["4.P"]
    return _dense(p, "7", last(functional.avg_pool2d(first(x), 3, 2)))


NETWORKS: dict[
    str,
    tuple[dict[str, tuple[int, ...]], Callable[[Tensors, Tensor], Tensor], tuple[int, ...]],
] = {
    "plain": (
        {
            "0.W": (3, 3, 1, 4),
            "0.b": (4,),
            "3.W": (3, 3, 4, 5),
            "3.b": (5,),
            "7.0.W": (15, 6),
            "7.0.b": (6,),
            "8.W": (6, 3),
            "8.b": (3,),
        },
        _plain,
        (7, 13, 1),
    ),
    "normed": (
        {
            "0.W": (3, 3, 3, 4),
            "1.gamma": (4,),
            "1.beta": (4,),
            "3.W": (2, 3, 4, 5),
            "4.gamma": (5,),
            "4.beta": (5,),
            "7.W": (5, 3),
            "7.b": (3,),
        },
        _normed,
        (9, 8, 3),
    ),
    "residual": (
        {
            "0.W": (3, 3, 2, 4),
            "0.b": (4,),
            "2.0.W": (3, 3, 4, 4),
            "2.0.b": (4,),
            "2.1.gamma": (4,),
            "2.1.beta": (4,),
            "2.3.W": (3, 3, 4, 4),
            "2.3.b": (4,),
            "4.0.W": (1, 1, 4, 5),
            "4.0.b": (5,),
            "4.P": (4, 5),
            "7.W": (30, 3),
            "7.b": (3,),
        },
        _residual,
        (7, 6, 2),
    ),
}


def gradient_of(
    name: str,
    shapes: dict[str, tuple[int, ...]],
    forward: Callable[[Tensors, Tensor], Tensor],
    shape: tuple[int, ...],
    random_state: np.random.RandomState,
) -> Arrays:
    """Return start values, samples, the mean loss of softmax, and all gradients."""
    start = start_values(random_state, shapes)
    x = random_state.standard_normal((6, *shape))
    y = np.arange(6) % 3
    params, inputs = tensors(start, learned=True), torch.tensor(x, requires_grad=True)
    loss = functional.cross_entropy(forward(params, inputs), torch.tensor(y))
    loss.backward()
    return {
        f"{name}/x": x,
        f"{name}/y": y,
        f"{name}/loss": np.array([loss.item()]),
        f"{name}/dx": inputs.grad.numpy(),
        **{f"{name}/start/{key}": value for key, value in start.items()},
        **{f"{name}/gradient/{key}": value.grad.numpy() for key, value in params.items()},
    }
