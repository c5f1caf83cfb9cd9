"""JAX: a compiled step called from Python, or a compiled loop over all steps."""

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench import fronts
from bench.fronts import Front
from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

Tree = Any
"""A nested list of arrays, as JAX calls it."""


class Jax(Peer):
    """Pure functions of (parameters, moments), differentiated and compiled by JAX."""

    def can(self, task: Task) -> bool:
        """Whether it is no loop over convolutions: XLA takes six times as long for those there."""
        return not (task.rule.front and self.way == "loop")

    def load(self, task: Task) -> None:
        """Copy the data, and say what is to be compiled."""
        jax.config.update("jax_enable_x64", task.X.dtype == np.float64)
        self.task = task
        self.X, self.y = jnp.asarray(task.X), jnp.asarray(task.y, jnp.int32)
        batched = task.rule.batch_size is not None
        self.rows = jnp.asarray(task.rows, jnp.int32) if batched else None
        self.step = jax.jit(self._step, donate_argnums=0)
        self.loop = jax.jit(self._loop, donate_argnums=0)
        self.forward = jax.jit(self._probabilities)

    def fresh(self) -> None:
        """Copy the first weights; moments begin at zero."""
        parameters = [(jnp.array(W), jnp.array(b)) for W, b in self.task.weights]
        m, v = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        norms = [jnp.asarray(W) for W, _ in self.task.weights if W.ndim == 1]
        running = [(jnp.zeros_like(gamma), jnp.ones_like(gamma)) for gamma in norms]
        self.state: Tree = (parameters, (m, v), running)

    def train(self, first: int, last: int) -> None:
        """Run, and wait for the result."""
        rate = self.task.rate(first)
        if self.way == "loop":
            self.state = self.loop(self.state, self.X, self.y, self.rows, first, last, rate)
        else:
            for number in range(first, last):
                self.state = self.step(self.state, self.X, self.y, self.rows, number, rate)
        jax.block_until_ready(self.state)

    def weights(self) -> Weights:
        """Return them."""
        return [(np.asarray(W), np.asarray(b)) for W, b in self.state[0]]

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        return np.asarray(self.forward(self.state[0], self.state[2], X))

    def _loop(
        self, state: Tree, X: Tree, y: Tree, rows: Tree, first: Tree, last: Tree, rate: Tree
    ) -> Tree:
        return jax.lax.fori_loop(
            first, last, lambda number, state: self._step(state, X, y, rows, number, rate), state
        )

    def _step(self, state: Tree, X: Tree, y: Tree, rows: Tree, number: Tree, rate: Tree) -> Tree:
        parameters, (m, v), running = state
        if rows is not None:
            X, y = X[rows[number]], y[rows[number]]
        key = jax.random.fold_in(jax.random.key(0), number)
        g, running = jax.grad(self._loss, has_aux=True)(parameters, running, X, y, key)
        if self.task.rule.optimizer == "sgd":
            moved = jax.tree.map(lambda w, g: w - rate * g, parameters, g)
            return moved, (m, v), running
        if self.task.rule.optimizer == "momentum":
            m = jax.tree.map(lambda m, g: MOMENTUM * m - rate * g, m, g)
            return jax.tree.map(jnp.add, parameters, m), (m, v), running
        t = number + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        # 1 - 0.999^t loses four digits in float32 if it is written like that.
        m_share, v_share = (-jnp.expm1(t * math.log(beta)) for beta in (0.9, 0.999))
        epsilon = self.task.rule.epsilon
        moves = jax.tree.map(
            lambda m, v: rate / m_share * m / (jnp.sqrt(v / v_share) + epsilon), m, v
        )
        return jax.tree.map(jnp.subtract, parameters, moves), (m, v), running

    def _loss(self, parameters: Tree, running: Tree, x: Tree, y: Tree, key: Tree) -> Tree:
        z, running = self._logits(parameters, running, x, key)
        if z.shape[1] == 1:
            return jnp.mean(jnp.logaddexp(0, z[:, 0]) - y * z[:, 0]), running
        picked = jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - picked), running

    def _logits(
        self, parameters: Tree, running: Tree, x: Tree, key: Tree = None
    ) -> tuple[Tree, Tree]:
        """Return logits and the running statistics of norms, moved on where there is a key."""
        share, front = self.task.rule.dropout, self.task.rule.front
        seen: list[Tree] = []
        if front:
            weights = iter(parameters)
            averages = iter(running) if key is None else None
            x = _through(front, weights, averages, seen, x)
            x, parameters = x.reshape(len(x), -1), list(weights)
        for place, (W, b) in enumerate(parameters[:-1]):
            x = jax.nn.relu(x @ W + b)
            if share and key is not None:
                kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - share, x.shape)
                x = jnp.where(kept, x / (1 - share), 0)
        W, b = parameters[-1]
        if seen:
            new = fronts.NORM_MOMENTUM
            running = jax.tree.map(lambda a, b: (1 - new) * a + new * b, running, seen)
        return x @ W + b, running

    def _probabilities(self, parameters: Tree, running: Tree, x: Tree) -> Tree:
        z, _ = self._logits(parameters, running, x)
        return jax.nn.sigmoid(z) if z.shape[1] == 1 else jax.nn.softmax(z)


def _through(
    front: Front,
    weights: Iterator[Tree],
    averages: Iterator[Tree] | None,
    seen: list[Tree],
    x: Tree,
) -> Tree:
    """Take pictures through a front; norms take averages, or note what they have seen."""
    for part in front:
        if isinstance(part, int):
            W, b = next(weights)
            x = jax.lax.conv_general_dilated(
                x, W, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = x + b if b.size else x
        elif part == "norm":
            gamma, beta = next(weights)
            if averages is None:
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                count = x.size // mean.size
                seen.append((mean, variance * (count / (count - 1))))
            else:
                mean, variance = next(averages)
            x = (x - mean) * (gamma * jax.lax.rsqrt(variance + fronts.EPSILON)) + beta
        elif part == "relu":
            x = jax.nn.relu(x)
        elif part == "pool":
            two = (1, 2, 2, 1)
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, two, two, "VALID")
        elif part == "average":
            x = x.mean((1, 2))
        else:
            x = x + _through(part, weights, averages, seen, x)
    return x
