"""Keras, on JAX or on PyTorch."""

import os
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np

from bench import fronts
from bench.fronts import Front
from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

_UPDATES_IN_A_ROW = 32  # before callbacks are asked; on PyTorch Keras allows one


class Keras(Peer):
    """`compile` and `fit` on a `Sequential`."""

    def __init__(self, way: str) -> None:
        super().__init__(way)
        os.environ["KERAS_BACKEND"] = way.removeprefix("on ")  # Keras reads it when it is imported

    def can(self, task: Task) -> bool:
        """Whether it has the precision: on PyTorch it multiplies matrices of float64 in float32."""
        return not (self.way == "on torch" and task.X.dtype == np.float64)

    def load(self, task: Task) -> None:
        """Make and compile the model."""
        import keras

        if self.way == "on jax":
            import jax

            jax.config.update("jax_enable_x64", task.X.dtype == np.float64)
        else:
            import torch

            torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        keras.utils.clear_session()
        keras.config.set_floatx(task.X.dtype.name)
        self.task, rule = task, task.rule
        inputs = x = keras.Input(task.X.shape[1:])
        if rule.front:
            x = keras.layers.Flatten()(_through(rule.front, x))
        for units in rule.widths[:-1]:
            x = keras.layers.Dense(units, activation="relu")(x)
            x = keras.layers.Dropout(rule.dropout)(x) if rule.dropout else x
        self.model = keras.Model(inputs, keras.layers.Dense(rule.widths[-1])(x))
        self.learning = [layer for layer in self.model.layers if layer.trainable_variables]
        self.X, one = task.X, rule.widths[-1] == 1
        self.y = task.y[:, None].astype(task.X.dtype if one else np.int32)
        if rule.batch_size is None:  # once, rather than in every update
            self.X, self.y = map(keras.ops.convert_to_tensor, (self.X, self.y))
        if rule.optimizer == "adam":
            optimizer = keras.optimizers.Adam(rule.learning_rate, epsilon=rule.epsilon)
        else:
            momentum = MOMENTUM if rule.optimizer == "momentum" else 0.0
            optimizer = keras.optimizers.SGD(rule.learning_rate, momentum=momentum)
        losses = keras.losses
        loss = losses.BinaryCrossentropy if one else losses.SparseCategoricalCrossentropy
        self.model.compile(
            optimizer,
            loss(from_logits=True, reduction="sum" if self._adds_up() else "sum_over_batch_size"),
            steps_per_execution=_UPDATES_IN_A_ROW if self.way == "on jax" else 1,
        )
        optimizer.build(self.model.trainable_variables)

    def fresh(self) -> None:
        """Write the first weights, and zero into all that the optimizer keeps.

        Compiling a new optimizer in would compile the update anew while it is timed.
        """
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        for layer, pair in zip(self.learning, self.task.weights, strict=True):
            given = [array for array in pair if array.size]
            for variable, array in zip(layer.trainable_variables, given, strict=True):
                variable.assign(array)
            for variable in layer.non_trainable_variables:
                start = np.ones if variable.name == "moving_variance" else np.zeros
                variable.assign(start(variable.shape))

    def train(self, first: int, last: int) -> None:
        """Fit on the given batches, or on all samples again and again."""
        rate = self.task.rate(first)
        self.model.optimizer.learning_rate = rate / len(self.y) if self._adds_up() else rate
        self.model.fit(self._batches(first, last), steps_per_epoch=last - first, verbose=0)

    def weights(self) -> Weights:
        """Return them."""
        import keras

        found = []
        for layer in self.learning:
            arrays = [keras.ops.convert_to_numpy(one) for one in layer.trainable_variables]
            found.append((arrays[0], arrays[1] if len(arrays) > 1 else np.empty(0)))
        return found

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K), by one batch."""
        import keras

        logits = self.model.predict_on_batch(X)
        one = logits.shape[1] == 1
        chances = keras.ops.sigmoid(logits) if one else keras.ops.softmax(logits)
        return np.asarray(keras.ops.convert_to_numpy(chances))

    def _adds_up(self) -> bool:
        """Whether the loss is the sum over samples, and the learning rate is divided instead.

        Keras divides the sum in float32, whatever the precision of the rest. To Adam the size of a
        gradient is all one.
        """
        return bool(self.task.X.dtype == np.float64) and self.task.rule.optimizer != "adam"

    def _batches(self, first: int, last: int) -> Iterator[tuple[Array, Array]]:
        if self.task.rule.batch_size is None:
            yield from repeat((self.X, self.y), last - first)
            return
        for rows in self.task.rows[first:last]:
            yield self.X[rows], self.y[rows]


def _through(front: Front, x: Any) -> Any:
    """Take a symbolic picture through a front."""
    from keras import layers

    for place, part in enumerate(front):
        if isinstance(part, int):
            bias = fronts.has_bias(front, place)
            x = layers.Conv2D(part, 3, padding="same", use_bias=bias)(x)
        elif part == "norm":
            kept = 1 - fronts.NORM_MOMENTUM
            x = layers.BatchNormalization(momentum=kept, epsilon=fronts.EPSILON)(x)
        elif part == "relu":
            x = layers.ReLU()(x)
        elif part == "pool":
            x = layers.MaxPooling2D()(x)
        elif part == "average":
            x = layers.GlobalAveragePooling2D()(x)
        else:
            x = layers.Add()([x, _through(part, x)])
    return x
