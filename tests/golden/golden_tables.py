"""Golden values of the layers of tables, and of one small network of all of them."""

import math
from collections.abc import Callable

import numpy as np
import torch
from golden_networks import descent
from golden_pictures import passed
from golden_tensors import Arrays, Tensors
from torch import Tensor
from torch.nn import functional

SIZES = 3, 4
"""Rows in the table of each category."""

SHAPES: dict[str, tuple[int, ...]] = {
    "0.0.w1": (2, 6),
    "0.0.b1": (2, 6),
    "0.0.W2": (2, 6, 3),
    "0.0.b2": (2, 3),
    "0.2.E": (sum(SIZES), 2),
    "1.s": (14,),
    "2.W": (14, 5),
    "2.b": (5,),
    "3.alpha": (5,),
    "4.W": (5, 5),
    "4.b": (5,),
    "5.alpha": (5,),
    "6.W": (5, 3),
    "6.b": (3,),
}
"""The network: two numbers, two plain inputs, two categories; then SELU and Mish."""


def tables() -> Arrays:
    """Run single layers forward and backward, and train a network of them."""
    random_state = np.random.RandomState(4)

    def drawn(*shape: int) -> np.ndarray:
        return random_state.standard_normal(shape)

    x = 3 * drawn(7, 5)
    x[0, 0] = 0.0  # where SELU has its kink
    codes = np.stack([random_state.randint(0, size, 7) for size in SIZES], axis=1)
    waves = {"w1": drawn(5, 4), "b1": drawn(5, 4), "W2": drawn(5, 4, 2), "b2": drawn(5, 2)}
    cases: dict[str, tuple[Callable[..., Tensor], Arrays]] = {
        "SELU": (functional.selu, {"input": x}),
        "Mish": (functional.mish, {"input": x}),
        "NTKDense": (dense, {"x": x, "W": drawn(5, 3), "b": drawn(3)}),
        "Scale": (lambda x, s: x * s, {"x": x, "s": drawn(5)}),
        "Blend": (blend_of(functional.selu), {"x": x, "alpha": drawn(5)}),
        "PeriodicEmbedding": (periodic, {"x": x, **waves}),
        "Embedding": (lambda E: looked_up(E, torch.tensor(codes)), {"E": drawn(sum(SIZES), 3)}),
    }
    arrays: Arrays = {"Embedding/x": codes.astype(float), "Embedding/dx": np.zeros(codes.shape)}
    for name, (function, inputs) in cases.items():
        found = passed(name, function, inputs, random_state)
        arrays |= {key.replace("input", "x"): array for key, array in found.items()}

    X = np.concatenate([drawn(7, 4), codes], axis=1)
    y = np.arange(7) % 3
    start = {name: drawn(*shape) for name, shape in SHAPES.items()}
    result = descent(start, network, functional.cross_entropy, X, y)
    arrays |= {"network/X": X, "network/y": y}
    arrays |= {f"network/start/{name}": value for name, value in start.items()}
    return arrays | {f"network/{name}": value for name, value in result.items()}


def network(params: Tensors, x: Tensor, _training: bool) -> Tensor:
    """Return the logits of rows [2 numbers, 2 plain inputs, 2 codes]."""
    waves = {name: params[f"0.0.{name}"] for name in ("w1", "b1", "W2", "b2")}
    embedded = looked_up(params["0.2.E"], x[:, 4:].long())
    x = torch.cat([periodic(x[:, :2], **waves), x[:, :4], embedded], dim=1) * params["1.s"]
    for place, function in ((2, functional.selu), (4, functional.mish)):
        x = dense(x, params[f"{place}.W"], params[f"{place}.b"])
        x = blend_of(function)(x, params[f"{place + 1}.alpha"])
    return dense(x, params["6.W"], params["6.b"])


def dense(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Return x W / sqrt(D) + b."""
    return x @ W / math.sqrt(x.shape[1]) + b


def blend_of(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return x + alpha (f(x) - x) as a function of both."""
    return lambda x, alpha: torch.lerp(x, function(x), alpha)


def periodic(x: Tensor, w1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
    """Return W2 cos(2 pi w1 x + b1) + b2 of each number, side by side."""
    waves = torch.cos(2 * math.pi * x.unsqueeze(-1) * w1 + b1)
    return (torch.einsum("ndf,dfk->ndk", waves, W2) + b2).flatten(1)


def looked_up(tables: Tensor, codes: Tensor) -> Tensor:
    """Return the rows of tables that lie one below the other, side by side."""
    parts = torch.split(tables, SIZES)
    columns = (functional.embedding(codes[:, place], part) for place, part in enumerate(parts))
    return torch.cat(list(columns), dim=1)
