"""Golden values of whole networks: one of every family of layers, and of every loss."""

from collections.abc import Callable

import numpy as np
import torch
from golden_tensors import ACTIVATIONS, Arrays, Tensors, dense, start_values, tensors
from torch import Tensor
from torch.nn import functional

Forward = Callable[[Tensors, Tensor, bool], Tensor]


def networks() -> Arrays:
    """Train one network of every family."""
    random_state = np.random.RandomState(2)
    X = random_state.standard_normal((12, 4))
    classes = np.arange(12) % 3
    soft = random_state.dirichlet(np.ones(3), 12)
    yes = (X[:, :1] > 0).astype(float)
    several = (random_state.standard_normal((12, 3)) > 0).astype(float)
    values = random_state.standard_normal((12, 3))
    weight = random_state.uniform(0, 2, 12)
    drawn = np.frombuffer(np.random.RandomState(7).bytes(2 * 12 * 5), "<u2").reshape(12, 5)
    dropped = round(0.4 * 65536)
    mask = (drawn >= dropped) / (1 - dropped / 65536)
    running = torch.zeros(5), torch.ones(5)

    first = {"0.W": (4, 5), "0.b": (5,)}
    plain = first | {"2.W": (5, 3), "2.b": (3,)}
    one_output = first | {"2.W": (5, 1), "2.b": (1,)}
    normed = first | {"1.gamma": (5,), "1.beta": (5,), "3.W": (5, 3), "3.b": (3,)}
    residual = first | {
        "1.0.W": (5, 5),
        "1.0.b": (5,),
        "2.0.W": (5, 3),
        "2.0.b": (3,),
        "2.P": (5, 3),
    }

    def with_activation(function: Callable[[Tensor], Tensor]) -> Forward:
        return lambda p, x, _training: dense(p, "2", function(dense(p, "0", x)))

    def layer_norm(p: Tensors, x: Tensor, _training: bool) -> Tensor:
        normal = functional.layer_norm(dense(p, "0", x), (5,), p["1.gamma"], p["1.beta"])
        return dense(p, "3", torch.tanh(normal))

    def batch_norm(p: Tensors, x: Tensor, training: bool) -> Tensor:
        normal = functional.batch_norm(
            dense(p, "0", x), *running, p["1.gamma"], p["1.beta"], training=training
        )
        return dense(p, "3", torch.tanh(normal))

    def dropout(p: Tensors, x: Tensor, training: bool) -> Tensor:
        hidden = torch.tanh(dense(p, "0", x))
        return dense(p, "2", hidden * torch.tensor(mask) if training else hidden)

    def residual_links(p: Tensors, x: Tensor, _training: bool) -> Tensor:
        x = dense(p, "0", x)
        x = x + torch.tanh(dense(p, "1.0", x))
        return torch.tanh(dense(p, "2.0", x)) + x @ p["2.P"]

    tanh = with_activation(torch.tanh)
    softmax = functional.cross_entropy
    questions = functional.binary_cross_entropy_with_logits

    def weighted(logits: Tensor, y: Tensor) -> Tensor:
        each = functional.cross_entropy(logits, y, reduction="none")
        return (torch.tensor(weight) * each).sum() / weight.sum()

    def multilabel(logits: Tensor, y: Tensor) -> Tensor:
        return questions(logits, y, reduction="none").sum(dim=1).mean()

    families = {
        **{
            name: (plain, with_activation(function), softmax, classes)
            for name, function in ACTIVATIONS.items()
        },
        "LayerNorm": (normed, layer_norm, softmax, classes),
        "BatchNorm": (normed, batch_norm, softmax, classes),
        "Dropout": (plain, dropout, softmax, classes),
        "Residual": (residual, residual_links, softmax, classes),
        "soft labels": (plain, tanh, softmax, soft),
        "weighted": (plain, tanh, weighted, classes),
        "binary": (one_output, tanh, questions, yes),
        "multilabel": (plain, tanh, multilabel, several),
        "squared error": (plain, tanh, functional.mse_loss, values),
    }
    arrays: Arrays = {"X": X, "weight": weight}
    for name, (shapes, forward, loss, y) in families.items():
        start = start_values(random_state, shapes)
        result = descent(start, forward, loss, X, y)
        arrays[f"{name}/y"] = y
        arrays |= {f"{name}/start/{key}": value for key, value in start.items()}
        arrays |= {f"{name}/{key}": value for key, value in result.items()}
    arrays["BatchNorm/running_mean"] = running[0].numpy()
    arrays["BatchNorm/running_variance"] = running[1].numpy()
    return arrays


def descent(
    start: Arrays,
    forward: Forward,
    loss: Callable[[Tensor, Tensor], Tensor],
    X: np.ndarray,
    y: np.ndarray,
) -> Arrays:
    """Do 20 steps of gradient descent on all samples, with learning rate 0.2."""
    params = tensors(start, learned=True)
    optimizer = torch.optim.SGD(params.values(), lr=0.2)
    inputs, targets = torch.tensor(X), torch.tensor(y)
    losses = []
    for _ in range(20):
        value = loss(forward(params, inputs, True), targets)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    with torch.no_grad():
        logits = forward(params, inputs, False).numpy()
    ends = {f"end/{key}": value.detach().numpy() for key, value in params.items()}
    return {"losses": np.array(losses), "logits": logits, **ends}
