"""A fit by the two classes that an import line chooses between: scikit-learn's, and clearprop's."""

import warnings
from abc import abstractmethod
from pathlib import Path
from typing import Any

from bench.fits import Fit
from bench.peers.base import Contestant

_NEVER = 10**9


class Estimators(Contestant[Fit]):
    """`fit` with every parameter at its default, but for solver, seed, and when it ends."""

    @abstractmethod
    def classes(self) -> tuple[type[Any], type[Any]]:
        """Import the classifier and the regressor."""

    def read(self, path: Path) -> Fit:
        """Read which samples to fit, and how."""
        return Fit.load(path)

    def load(self, task: Fit) -> None:
        """Make the samples: every process makes the same."""
        self.task = task
        self.X, self.y = task.samples()

    def fresh(self) -> None:
        """Make the estimator, which draws the same weights and shuffles as the other."""
        classifier, regressor = self.classes()
        self.model = (regressor if self.y.dtype.kind == "f" else classifier)(
            solver=self.task.solver, random_state=0, tol=0.0, n_iter_no_change=_NEVER
        )

    def train(self, first: int, last: int) -> None:
        """Fit; the warning that it has not converged is expected."""
        if first:
            raise ValueError("A fit begins with the first iteration.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model.set_params(max_iter=last).fit(self.X, self.y)

    def final_loss(self) -> float:
        """Return what the estimator says itself."""
        return float(self.model.loss_)


class Theirs(Estimators):
    """scikit-learn's."""

    def classes(self) -> tuple[type[Any], type[Any]]:
        """Import them."""
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        return MLPClassifier, MLPRegressor


class Ours(Estimators):
    """clearprop's."""

    def classes(self) -> tuple[type[Any], type[Any]]:
        """Import them."""
        from clearprop import MLPClassifier, MLPRegressor

        return MLPClassifier, MLPRegressor
