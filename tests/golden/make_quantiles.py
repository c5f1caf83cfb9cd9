"""Make the training of a network of quantiles that the tests compare ours with.

To make the file again, in the environment that ``make_golden.py`` describes::

    torch-environment/bin/python tests/golden/make_quantiles.py

Beside itself it writes ``quantiles.safetensors``, in float64: the losses and the last parameters of
20 steps of gradient descent on all samples, by PyTorch. Its loss is the definition of Koenker and
Bassett (1978), written with `where`, and differentiated by autograd.
"""

from pathlib import Path

import numpy as np
import torch
from golden_networks import descent
from golden_tensors import dense, start_values
from safetensors.numpy import save_file
from torch import Tensor

LEVELS = (0.1, 0.5, 0.8)


def pinball(logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean of q (y - z) where y is above z, and of (1 - q) (z - y) where it is not."""
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    return torch.where(y > logits, levels * (y - logits), (1 - levels) * (logits - y)).mean()


def main() -> None:
    """Draw samples, and train."""
    random_state = np.random.RandomState(3)
    X, y = random_state.standard_normal((12, 4)), random_state.standard_normal((12, 1))
    shapes = {"0.W": (4, 5), "0.b": (5,), "2.W": (5, 3), "2.b": (3,)}
    start = start_values(random_state, shapes)
    found = descent(
        start, lambda p, x, _training: dense(p, "2", torch.tanh(dense(p, "0", x))), pinball, X, y
    )
    arrays = {"X": X, "y": y, "levels": np.array(LEVELS), **found}
    arrays |= {f"start/{name}": value for name, value in start.items()}
    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(held, Path(__file__).with_name("quantiles.safetensors"))


if __name__ == "__main__":
    main()
