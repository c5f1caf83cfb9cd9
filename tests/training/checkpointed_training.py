"""Training with a checkpoint, and what stands in it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open
from small_training import small_network, two_classes

import clearprop as cp
from clearprop.core.parameters import Array

X, Y = two_classes(17)
HELD_OUT = two_classes(30)
BODIES: dict[str, tuple[cp.Layer, ...]] = {
    "plain": (cp.Dense(4), cp.Tanh()),
    "dropout": (cp.Dense(4), cp.ReLU(), cp.Dropout(0.4)),
    "batch norm": (cp.Dense(4, bias=False), cp.BatchNorm(), cp.ReLU()),
}
BASE = cp.Trainer(epochs=2, batch_size=5)


def train(
    trainer: cp.Trainer,
    path: Path,
    *,
    body: str = "plain",
    dtype: str = "float64",
    resume: bool = False,
    every: float = 0,
    callbacks: Sequence[cp.Callback] = (),
) -> tuple[cp.Network, cp.History]:
    net = small_network(*BODIES[body], dtype=dtype)
    history = trainer.fit(
        net,
        X,
        Y,
        validation=HELD_OUT,
        callbacks=callbacks,
        checkpoint=cp.Checkpoint(path, every),
        resume=resume,
    )
    return net, history


def content(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays and the description of a checkpoint."""
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        return arrays, json.loads(file.metadata()["clearprop"])
