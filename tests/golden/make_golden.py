"""Make the golden values that the tests of the engine compare it with.

PyTorch is the oracle, and nothing else in the project needs it. To make the files again, give it an
environment of its own::

    python -m venv torch-environment
    torch-environment/bin/pip install torch==2.13.0 numpy safetensors
    torch-environment/bin/python tests/golden/make_golden.py

Beside itself it writes, in float64, as the CPU computes:

- ``optimizers.safetensors``: the parameters of one small network after each of 50 steps, for every
  optimizer, plain, with L2, and with decoupled weight decay.
- ``layers.safetensors``: output and gradients of single layers.
- ``networks.safetensors``: the losses and the last parameters of 20 steps of gradient descent, for
  a network of every family of layers and every loss.
- ``pictures.safetensors``: convolutions, pools and batch norm of channels, each with its inputs,
  and one gradient of whole networks of them.
- ``tables.safetensors``: the layers of tables, each with its inputs, and the losses and the last
  parameters of 20 steps of a network of them.
- ``schedules.safetensors``: learning rates, step by step.

Start values and data lie in the files, too, so the tests draw nothing. Arrays are called and laid
out as clearprop does it: W (inputs, units), b (units,), samples in rows.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from golden_networks import networks
from golden_pictures import pictures
from golden_tables import tables
from golden_tensors import ACTIVATIONS, Arrays, dense, flat, start_values, tensors
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

FOLDER = Path(__file__).parent
STEPS, BATCH, SAMPLES, FEATURES, CLASSES = 50, 4, 12, 4, 3
ALPHA, WEIGHT_DECAY = 0.5, 0.1

OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.1),
    "momentum": partial(torch.optim.SGD, lr=0.05, momentum=0.9),
    "nesterov": partial(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": partial(torch.optim.Adagrad, lr=0.1, eps=1e-10),
    "rmsprop": partial(torch.optim.RMSprop, lr=0.01, alpha=0.99, eps=1e-8),
    "adam": partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.999), eps=1e-8),
    "adamw": partial(torch.optim.AdamW, lr=0.02, betas=(0.9, 0.999), eps=1e-8),
}
DECOUPLED_BY_HAND = {"sgd", "momentum", "nesterov"}  # PyTorch has it for AdamW only


def main() -> None:
    """Write every file."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for name, arrays in {
        "optimizers": optimizers(),
        "layers": layers(),
        "networks": networks(),
        "pictures": pictures(),
        "tables": tables(),
        "schedules": schedules(),
    }.items():
        save_file(
            {key: np.ascontiguousarray(array) for key, array in arrays.items()},
            FOLDER / f"{name}.safetensors",
        )


def optimizers() -> Arrays:
    """Train Dense(3), Tanh, Dense(3) with softmax, on batches of 4 out of 12 samples in turn."""
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((SAMPLES, FEATURES))
    y = np.arange(SAMPLES) % CLASSES
    start = start_values(random_state, {"0.W": (4, 3), "0.b": (3,), "2.W": (3, 3), "2.b": (3,)})
    arrays: Arrays = {"X": X, "y": y, "start": flat(tensors(start))}
    for name in OPTIMIZERS:
        for pull in ("plain", "l2", "decoupled"):
            if pull != "decoupled" or name in DECOUPLED_BY_HAND | {"adamw"}:
                arrays[f"{name}/{pull}"] = trajectory(name, pull, X, y, start)
    return arrays


def trajectory(name: str, pull: str, X: np.ndarray, y: np.ndarray, start: Arrays) -> np.ndarray:
    """Return the flat parameters after every step, shape (STEPS, P)."""
    params = tensors(start, learned=True)
    weights = [value for key, value in params.items() if key.endswith("W")]
    biases = [value for key, value in params.items() if key.endswith("b")]
    decay = WEIGHT_DECAY if pull == "decoupled" else 0.0
    by_hand = name in DECOUPLED_BY_HAND
    optimizer = OPTIMIZERS[name](
        [
            {"params": weights, "weight_decay": 0.0 if by_hand else decay},
            {"params": biases, "weight_decay": 0.0},
        ]
    )
    path = []
    for step in range(STEPS):
        batch = [(step * BATCH + row) % SAMPLES for row in range(BATCH)]
        hidden = torch.tanh(dense(params, "0", torch.tensor(X[batch])))
        loss = functional.cross_entropy(dense(params, "2", hidden), torch.tensor(y[batch]))
        if pull == "l2":
            loss = loss + ALPHA / (2 * BATCH) * sum((weight**2).sum() for weight in weights)
        optimizer.zero_grad()
        loss.backward()
        if by_hand and decay:
            with torch.no_grad():
                for weight in weights:
                    weight.mul_(1 - optimizer.defaults["lr"] * decay)
        optimizer.step()
        path.append(flat(params))
    return np.array(path)


def layers() -> Arrays:
    """Run single layers forward and backward."""
    random_state = np.random.RandomState(1)
    x = 3 * random_state.standard_normal((6, 5))
    x[0, 0] = 0.0  # where ReLU and its kin have their kink
    dy = random_state.standard_normal(x.shape)
    gamma, beta = 1 + 0.3 * random_state.standard_normal((2, 5))
    arrays: Arrays = {"x": x, "dy": dy, "gamma": gamma, "beta": beta}
    for name, function in ACTIVATIONS.items():
        arrays |= passed(name, lambda x, function=function: function(x), {"x": x}, dy)

    arrays |= passed(
        "LayerNorm",
        lambda x, gamma, beta: functional.layer_norm(x, (5,), gamma, beta, eps=1e-3),
        {"x": x, "gamma": gamma, "beta": beta},
        dy,
    )
    running = torch.zeros(5), torch.ones(5)
    for call, batch in (("train", x), ("train again", x[::-1] * 2), ("eval", x)):
        arrays |= passed(
            f"BatchNorm {call}",
            lambda x, gamma, beta, training=call != "eval": functional.batch_norm(
                x, *running, gamma, beta, training=training, momentum=0.2, eps=1e-3
            ),
            {"x": batch, "gamma": gamma, "beta": beta},
            dy,
        )
        arrays[f"BatchNorm {call}/running_mean"] = running[0].numpy().copy()
        arrays[f"BatchNorm {call}/running_variance"] = running[1].numpy().copy()
    return arrays


def passed(name: str, function: Callable[..., Tensor], inputs: Arrays, dy: np.ndarray) -> Arrays:
    """Return the output of one layer and the gradient of each of its inputs."""
    given = tensors(inputs, learned=True)
    y = function(**given)
    y.backward(torch.tensor(dy))
    gradients = {f"{name}/d{key}": value.grad.numpy() for key, value in given.items()}
    return {f"{name}/y": y.detach().numpy(), **gradients}


def schedules() -> Arrays:
    """Step PyTorch's schedulers."""
    rates = torch.optim.lr_scheduler
    return {
        "step": stepped(25, lambda sgd: rates.StepLR(sgd, 10, gamma=0.5)),
        "exponential": stepped(25, lambda sgd: rates.ExponentialLR(sgd, 0.1 ** (1 / 10))),
        "cosine": stepped(41, lambda sgd: rates.CosineAnnealingLR(sgd, 40, eta_min=0.01)),
        "one_cycle": stepped(40, lambda sgd: rates.OneCycleLR(sgd, 0.4, total_steps=40)),
        "one_cycle_fractional": stepped(
            33,
            lambda sgd: rates.OneCycleLR(
                sgd, 0.4, total_steps=33, pct_start=0.45, div_factor=10, final_div_factor=100
            ),
        ),
        "warm_up": stepped(8, lambda sgd: rates.LinearLR(sgd, 1 / 8, total_iters=7)),
    }


def stepped(steps: int, scheduler: Callable[[torch.optim.SGD], object]) -> np.ndarray:
    """Return the learning rate of each step, from 0.4 at first where the schedule says nothing."""
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule = scheduler(sgd)
    used = []
    for step in range(steps):
        used.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if step + 1 < steps:
            schedule.step()
    return np.array(used)


if __name__ == "__main__":
    main()
