"""PyTorch, eager and compiled."""

import os
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional

from bench import fronts
from bench.fronts import Front
from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

_LAST = "channels last"
_LEARN = torch.nn.Conv2d | torch.nn.BatchNorm2d | torch.nn.Linear


class PyTorch(Peer):
    """The usual loop over an `nn.Sequential`, with the fused optimizers.

    Of pictures there are two ways: channels first, and channels last.
    """

    def can(self, task: Task) -> bool:
        """Whether there are pictures, whose channels may come last."""
        return bool(task.rule.front) or self.way != _LAST

    def load(self, task: Task) -> None:
        """Share the arrays' memory, and make the module."""
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        rule, dtype = task.rule, getattr(torch, task.X.dtype.name)
        self.task = task
        self.X = self._inputs(task.X)
        self.y = torch.from_numpy(task.y)
        if rule.widths[-1] == 1:
            self.y = self.y.to(dtype)[:, None]
        self.rows = None if rule.batch_size is None else torch.from_numpy(task.rows)
        modules: list[torch.nn.Module] = []
        shape: tuple[int, ...] = task.X.shape[1:]
        if rule.front:
            modules += [*_modules(rule.front, shape[-1]), torch.nn.Flatten()]
            shape = fronts.features(rule.front, shape)
        inputs = int(np.prod(shape))
        # The place of each feature in clearprop's order, (H, W, C), in PyTorch's, (C, H, W).
        self.order = np.moveaxis(np.arange(inputs).reshape(shape), -1, 0).ravel()
        for units in rule.widths:
            modules += [torch.nn.Linear(inputs, units, dtype=dtype), torch.nn.ReLU()]
            modules += [torch.nn.Dropout(rule.dropout)] if rule.dropout else []
            inputs = units
        self.module = torch.nn.Sequential(*modules[: -2 if rule.dropout else -1])
        self.module.to(dtype)
        if self.way == _LAST:
            self.module.to(memory_format=torch.channels_last)
        self.learning = [one for one in self.module.modules() if isinstance(one, _LEARN)]
        self.loss = self._loss
        self.logits = self.module

    def fresh(self) -> None:
        """Copy the first weights, and make the optimizer."""
        with torch.no_grad():
            for one, (W, b) in zip(self.learning, self.task.weights, strict=True):
                theirs = W[self.order] if one is self._first_linear() else W
                one.weight.copy_(torch.from_numpy(np.ascontiguousarray(_turned(theirs))))
                if one.bias is not None:
                    one.bias.copy_(torch.from_numpy(b))
                if isinstance(one, torch.nn.BatchNorm2d):
                    one.reset_running_stats()
        rule, parameters = self.task.rule, self.module.parameters()
        if rule.optimizer == "adam":
            self.optimizer = torch.optim.Adam(
                parameters, rule.learning_rate, eps=rule.epsilon, fused=True
            )
        else:
            momentum = MOMENTUM if rule.optimizer == "momentum" else 0.0
            self.optimizer = torch.optim.SGD(
                parameters, rule.learning_rate, momentum=momentum, fused=True
            )

    def train(self, first: int, last: int) -> None:
        """Gather, forward, backward, step."""
        self.module.train()
        self.optimizer.param_groups[0]["lr"] = self.task.rate(first)
        for step in range(first, last):
            if self.rows is None:
                x, y = self.X, self.y
            else:
                x, y = self.X[self.rows[step]], self.y[self.rows[step]]
            if self.way == _LAST:
                x = x.permute(0, 3, 1, 2)  # which copies nothing
            self.optimizer.zero_grad()
            self.loss(x, y).backward()
            self.optimizer.step()

    def weights(self) -> Weights:
        """Return them transposed."""
        found = []
        for one in self.learning:
            W = _turned_back(one.weight.detach().numpy())
            if one is self._first_linear():
                W = W[np.argsort(self.order)]
            found.append((W, np.empty(0) if one.bias is None else one.bias.detach().numpy()))
        return found

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        self.module.eval()
        with torch.inference_mode():
            x = self._inputs(X)
            logits = self.logits(x.permute(0, 3, 1, 2) if self.way == _LAST else x)
            one = logits.shape[1] == 1
            chances = torch.sigmoid(logits) if one else torch.softmax(logits, 1)
            return np.asarray(chances.numpy())

    def _inputs(self, X: Array) -> torch.Tensor:
        """Share an array's memory, but for pictures whose channels come first."""
        if X.ndim == 4 and self.way != _LAST:
            X = np.ascontiguousarray(X.transpose(0, 3, 1, 2))
        return torch.from_numpy(X)

    def _first_linear(self) -> torch.nn.Linear:
        return next(one for one in self.learning if isinstance(one, torch.nn.Linear))

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = self.module(x)
        if logits.shape[1] == 1:
            return functional.binary_cross_entropy_with_logits(logits, y)
        return functional.cross_entropy(logits, y)


class Residual(torch.nn.Module):  # type: ignore[misc] # torch's types are not read
    """A chain whose input is added to its output."""

    def __init__(self, *modules: torch.nn.Module) -> None:
        super().__init__()
        self.block = torch.nn.Sequential(*modules)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return block(x) + x."""
        return self.block(x) + x


class Compiled(PyTorch):
    """PyTorch with forward, loss and backward compiled by `torch.compile`, and prediction."""

    def load(self, task: Task) -> None:
        """Compile at the first call, which is not timed."""
        super().load(task)
        torch._dynamo.reset()
        self.loss = torch.compile(self._loss, dynamic=False)
        self.logits = torch.compile(self.module, dynamic=False)


def _modules(front: Front, channels: int) -> Iterator[torch.nn.Module]:
    """Yield the modules of a front."""
    for place, part in enumerate(front):
        if isinstance(part, int):
            bias = fronts.has_bias(front, place)
            yield torch.nn.Conv2d(channels, part, 3, padding=1, bias=bias)
            channels = part
        elif part == "norm":
            yield torch.nn.BatchNorm2d(channels, fronts.EPSILON, fronts.NORM_MOMENTUM)
        elif part == "relu":
            yield torch.nn.ReLU()
        elif part == "pool":
            yield torch.nn.MaxPool2d(2)
        elif part == "average":
            yield torch.nn.AdaptiveAvgPool2d(1)
        else:
            yield Residual(*_modules(part, channels))


def _turned(W: Array) -> Array:
    """Turn filters (3, 3, C, F) to (F, C, 3, 3), and weights (D, M) to (M, D)."""
    return W.transpose(3, 2, 0, 1) if W.ndim == 4 else W.T


def _turned_back(W: Array) -> Array:
    return W.transpose(2, 3, 1, 0) if W.ndim == 4 else W.T
