"""PyTorch, eager and compiled."""

import os

import numpy as np
import torch
from torch.nn import functional

from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights


class PyTorch(Peer):
    """The usual loop over an `nn.Sequential`, with the fused optimizers."""

    def load(self, task: Task) -> None:
        """Share the arrays' memory, and make the module."""
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        rule, dtype = task.rule, getattr(torch, task.X.dtype.name)
        self.task = task
        self.X = torch.from_numpy(task.X)
        self.y = torch.from_numpy(task.y)
        if rule.widths[-1] == 1:
            self.y = self.y.to(dtype)[:, None]
        self.rows = None if rule.batch_size is None else torch.from_numpy(task.rows)
        modules: list[torch.nn.Module] = []
        inputs = task.X.shape[1]
        for units in rule.widths:
            modules += [torch.nn.Linear(inputs, units, dtype=dtype), torch.nn.ReLU()]
            modules += [torch.nn.Dropout(rule.dropout)] if rule.dropout else []
            inputs = units
        self.module = torch.nn.Sequential(*modules[: -2 if rule.dropout else -1])
        self.linear = [one for one in self.module if isinstance(one, torch.nn.Linear)]
        self.loss = self._loss
        self.logits = self.module

    def fresh(self) -> None:
        """Copy the first weights, and make the optimizer."""
        with torch.no_grad():
            for linear, (W, b) in zip(self.linear, self.task.weights, strict=True):
                linear.weight.copy_(torch.from_numpy(W.T))
                linear.bias.copy_(torch.from_numpy(b))
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
            self.optimizer.zero_grad()
            self.loss(x, y).backward()
            self.optimizer.step()

    def weights(self) -> Weights:
        """Return them transposed."""
        return [(one.weight.detach().numpy().T, one.bias.detach().numpy()) for one in self.linear]

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        self.module.eval()
        with torch.inference_mode():
            logits = self.logits(torch.from_numpy(X))
            one = logits.shape[1] == 1
            chances = torch.sigmoid(logits) if one else torch.softmax(logits, 1)
            return np.asarray(chances.numpy())

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = self.module(x)
        if logits.shape[1] == 1:
            return functional.binary_cross_entropy_with_logits(logits, y)
        return functional.cross_entropy(logits, y)


class Compiled(PyTorch):
    """PyTorch with forward, loss and backward compiled by `torch.compile`, and prediction."""

    def load(self, task: Task) -> None:
        """Compile at the first call, which is not timed."""
        super().load(task)
        torch._dynamo.reset()
        self.loss = torch.compile(self._loss, dynamic=False)
        self.logits = torch.compile(self.module, dynamic=False)
