"""clearprop itself."""

from collections.abc import Callable

import numpy as np

from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights


class Clearprop(Peer):
    """`Trainer.fit` on ordinary layers, with everything left to its own choice."""

    def load(self, task: Task) -> None:
        """Make the network and the trainer."""
        import clearprop as cp

        rule, steps = task.rule, task.rule.steps
        layers: list[cp.Layer] = []
        for units in rule.widths[:-1]:
            layers += [cp.Dense(units), cp.ReLU()]
            layers += [cp.Dropout(rule.dropout)] if rule.dropout else []
        layers.append(cp.Dense(rule.widths[-1]))
        self.task = task
        self.network = cp.Network(
            layers,
            loss=cp.BinaryCrossEntropy() if rule.widths[-1] == 1 else cp.SoftmaxCrossEntropy(),
            input_shape=task.X.shape[1:],
            dtype=task.X.dtype,
        )
        rate = rule.learning_rate
        falling = cp.CosineSchedule(rate, steps) if rule.dropout else rate
        optimizers: dict[str, cp.Optimizer] = {
            "sgd": cp.SGD(falling),
            "momentum": cp.Momentum(falling, momentum=MOMENTUM),
            "adam": cp.Adam(falling, epsilon=rule.epsilon),
        }
        self.trainer = cp.Trainer(
            optimizer=optimizers[rule.optimizer],
            epochs=-(-steps // task.steps_per_epoch),
            max_steps=steps,
            batch_size=rule.batch_size,
        )
        self.dense = [place for place, layer in enumerate(layers) if isinstance(layer, cp.Dense)]

    def fresh(self) -> None:
        """Write the first weights into the network."""
        parameters = self.network.parameters
        for place, (W, b) in zip(self.dense, self.task.weights, strict=True):
            parameters[f"{place}.W"][...] = W
            parameters[f"{place}.b"][...] = b

    def train(self, first: int, last: int) -> None:
        """Fit; a training that is to end early is planned as the whole one all the same."""
        import clearprop as cp

        class EndsAfter(cp.Callback):
            def on_step_end(self, run: cp.Run) -> None:
                if run.step == last:
                    run.stop()

        if first:
            raise ValueError("clearprop trains from the first update on.")
        short = [] if last == self.task.rule.steps else [EndsAfter()]
        self.trainer.fit(self.network, self.task.X, self.task.y, callbacks=short)

    def weights(self) -> Weights:
        """Return W and b of every Dense layer."""
        parameters = self.network.parameters
        return [(parameters[f"{place}.W"], parameters[f"{place}.b"]) for place in self.dense]

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        return np.asarray(self.network.predict_proba(X))

    def learn(self, after_epoch: Callable[[], bool]) -> None:
        """Fit once: what the optimizer keeps would not outlast a call."""
        import clearprop as cp

        class Watch(cp.Callback):
            def on_epoch_end(self, run: cp.Run) -> None:
                if after_epoch():
                    run.stop()

        self.trainer.fit(self.network, self.task.X, self.task.y, callbacks=[Watch()])
