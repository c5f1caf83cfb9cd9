"""scikit-learn's MLPClassifier."""

import warnings

import numpy as np

from bench.peers.base import Peer
from bench.task import MOMENTUM, Array, Task, Weights

_FOREVER = 10**9


class ScikitLearn(Peer):
    """`fit` on all samples at once; an epoch at a time by `partial_fit` with batches."""

    def can(self, task: Task) -> bool:
        """Whether there is neither dropout nor a convolution, which it has not."""
        return not task.rule.dropout and not task.rule.front

    def differs(self, task: Task) -> str | None:
        """Say so where it would learn one output instead of two."""
        if task.rule.widths[-1] == 2:
            return "two classes are one output to it"
        return None

    def load(self, task: Task) -> None:
        """Make the classifier, and let it draw weights that `fresh` then overwrites."""
        from sklearn.neural_network import MLPClassifier

        self.task = task
        rule = task.rule
        outputs = max(rule.widths[-1], 2)
        self.model = MLPClassifier(
            rule.widths[:-1],
            solver="adam" if rule.optimizer == "adam" else "sgd",
            alpha=0.0,
            batch_size=rule.batch_size or len(task.X),
            learning_rate_init=rule.learning_rate,
            momentum=MOMENTUM if rule.optimizer == "momentum" else 0.0,
            nesterovs_momentum=False,
            epsilon=rule.epsilon,
            shuffle=False,
            tol=0.0,
            n_iter_no_change=_FOREVER,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one sample is fewer than a batch
            self.model.partial_fit(task.X[:1], task.y[:1], classes=np.arange(outputs))
        self.model.set_params(warm_start=rule.batch_size is None)

    def fresh(self) -> None:
        """Write the first weights; a new optimizer is made where there is none."""
        vars(self.model).pop("_optimizer", None)
        weights = self.task.weights
        if self.task.rule.widths[-1] == 2:
            W, b = weights[-1]
            weights = [*weights[:-1], (W[:, 1:] - W[:, :1], b[1:] - b[:1])]
        self.model.coefs_ = [W.copy() for W, _ in weights]
        self.model.intercepts_ = [b.copy() for _, b in weights]

    def train(self, first: int, last: int) -> None:
        """Train; the warnings that it is not done yet are expected."""
        task, model = self.task, self.model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if task.rule.batch_size is None:
                model.set_params(max_iter=last - first)
                model.fit(task.X, task.y)
                return
            for epoch in task.epochs(first, last):
                order = task.rows[epoch].ravel()
                model.partial_fit(task.X[order], task.y[order])

    def weights(self) -> Weights:
        """Return them, with one output of two classes as two."""
        weights = list(zip(self.model.coefs_, self.model.intercepts_, strict=True))
        if self.task.rule.widths[-1] == 2:
            W, b = weights[-1]
            weights[-1] = np.hstack([0 * W, W]), np.hstack([0 * b, b])
        return weights

    def predict(self, X: Array) -> Array:
        """Return probabilities (N, K)."""
        return np.asarray(self.model.predict_proba(X))
