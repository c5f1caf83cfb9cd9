"""JAX: a compiled step called from Python, or a compiled loop over all steps."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

Tree = Any
"""A nested list of arrays, as JAX calls it."""


class Jax(Peer):
    """Pure functions of (parameters, moments), differentiated and compiled by JAX."""

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
        self.state: Tree = (parameters, (m, v))

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
        return np.asarray(self.forward(self.state[0], X))

    def _loop(
        self, state: Tree, X: Tree, y: Tree, rows: Tree, first: Tree, last: Tree, rate: Tree
    ) -> Tree:
        return jax.lax.fori_loop(
            first, last, lambda number, state: self._step(state, X, y, rows, number, rate), state
        )

    def _step(self, state: Tree, X: Tree, y: Tree, rows: Tree, number: Tree, rate: Tree) -> Tree:
        parameters, (m, v) = state
        if rows is not None:
            X, y = X[rows[number]], y[rows[number]]
        key = jax.random.fold_in(jax.random.key(0), number)
        g = jax.grad(self._loss)(parameters, X, y, key)
        if self.task.rule.optimizer == "sgd":
            return jax.tree.map(lambda w, g: w - rate * g, parameters, g), (m, v)
        if self.task.rule.optimizer == "momentum":
            m = jax.tree.map(lambda m, g: MOMENTUM * m - rate * g, m, g)
            return jax.tree.map(jnp.add, parameters, m), (m, v)
        t = number + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        # 1 - 0.999^t loses four digits in float32 if it is written like that.
        m_share, v_share = (-jnp.expm1(t * math.log(beta)) for beta in (0.9, 0.999))
        epsilon = self.task.rule.epsilon
        moves = jax.tree.map(
            lambda m, v: rate / m_share * m / (jnp.sqrt(v / v_share) + epsilon), m, v
        )
        return jax.tree.map(jnp.subtract, parameters, moves), (m, v)

    def _loss(self, parameters: Tree, x: Tree, y: Tree, key: Tree) -> Tree:
        z = self._logits(parameters, x, key)
        if z.shape[1] == 1:
            return jnp.mean(jnp.logaddexp(0, z[:, 0]) - y * z[:, 0])
        picked = jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - picked)

    def _logits(self, parameters: Tree, x: Tree, key: Tree = None) -> Tree:
        share = self.task.rule.dropout
        for place, (W, b) in enumerate(parameters[:-1]):
            x = jax.nn.relu(x @ W + b)
            if share and key is not None:
                kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - share, x.shape)
                x = jnp.where(kept, x / (1 - share), 0)
        W, b = parameters[-1]
        return x @ W + b

    def _probabilities(self, parameters: Tree, x: Tree) -> Tree:
        z = self._logits(parameters, x)
        return jax.nn.sigmoid(z) if z.shape[1] == 1 else jax.nn.softmax(z)
