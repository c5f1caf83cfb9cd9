"""clearprop itself."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from bench import fronts
from bench.fronts import Front
from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

if TYPE_CHECKING:
    import clearprop as cp


class Clearprop(Peer):
    """`Trainer.fit` on ordinary layers, with everything left to its own choice."""

    def load(self, task: Task) -> None:
        """Make the network and the trainer."""
        import clearprop as cp

        rule, steps = task.rule, task.rule.steps
        layers: list[cp.Layer] = []
        if rule.front:
            layers += [*_layers(rule.front), cp.Flatten()]
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
        rate: float | cp.Schedule = rule.learning_rate
        if rule.cycle:
            rate = cp.OneCycleSchedule(rule.learning_rate, steps)
        elif rule.dropout:
            rate = cp.CosineSchedule(rule.learning_rate, steps)
        optimizers: dict[str, cp.Optimizer] = {
            "sgd": cp.SGD(rate),
            "momentum": cp.Momentum(rate, momentum=MOMENTUM),
            "adam": cp.Adam(rate, epsilon=rule.epsilon),
        }
        self.trainer = cp.Trainer(
            optimizer=optimizers[rule.optimizer],
            epochs=-(-steps // task.steps_per_epoch),
            max_steps=steps,
            batch_size=rule.batch_size,
        )
        self.learned = _in_pairs(self.network)

    def fresh(self) -> None:
        """Write the first weights into the network."""
        parameters, state = self.network.parameters, self.network.state
        for (first, second), (W, b) in zip(self.learned, self.task.weights, strict=True):
            parameters[first][...] = W
            if second in parameters:
                parameters[second][...] = b
        for name in state:
            state[name][...] = name.endswith("running_variance")

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
        """Return W and b of every Dense layer, after those of the front."""
        parameters = self.network.parameters
        none = np.empty(0)
        return [(parameters[W], parameters.get(b, none)) for W, b in self.learned]

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        return np.asarray(self.network.predict_proba(X))

    def learn(self, look: Callable[[], bool]) -> None:
        """Fit once: what the optimizer keeps would not outlast a call."""
        import clearprop as cp

        every = self.task.every

        class Watch(cp.Callback):
            def on_step_end(self, run: cp.Run) -> None:
                if run.step % every == 0 and look():
                    run.stop()

        self.trainer.fit(self.network, self.task.X, self.task.y, callbacks=[Watch()])


def _layers(front: Front) -> "Iterator[cp.Layer]":
    """Yield the layers of a front."""
    import clearprop as cp

    for place, part in enumerate(front):
        if isinstance(part, int):
            yield cp.Conv2D(part, bias=fronts.has_bias(front, place))
        elif part == "norm":
            yield cp.BatchNorm(fronts.NORM_MOMENTUM, fronts.EPSILON)
        elif part == "relu":
            yield cp.ReLU()
        elif part == "pool":
            yield cp.MaxPool2D()
        elif part == "average":
            yield cp.GlobalAveragePool2D()
        else:
            yield cp.Residual(tuple(_layers(part)))


def _in_pairs(network: "cp.Network") -> list[tuple[str, str]]:
    """Return the names of what every layer learns: W and b, or gamma and beta."""
    seconds = {"W": "b", "gamma": "beta"}
    pairs = []
    for name in network.parameters:
        place, _, kind = name.rpartition(".")
        if kind in seconds:
            pairs.append((name, f"{place}.{seconds[kind]}"))
    return pairs
