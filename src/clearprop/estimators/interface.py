"""What the parts of an estimator know of it."""

from typing import Any, Protocol

from clearprop.core.parameters import Array
from clearprop.network import Network
from clearprop.training.history import History


class Estimator(Protocol):
    """An estimator as those see it who fit it, save it, or hand it over.

    The parameters are scikit-learn's and those of the two classes, with their meaning there; names
    with an underscore behind them are what has been learned, and change while it is fitted.
    """

    activation: Any
    alpha: float
    batch_norm: bool
    batch_size: Any
    beta_1: float
    beta_2: float
    callbacks: Any
    dropout: Any
    early_stopping: bool
    epsilon: float
    learning_rate: Any
    learning_rate_init: float
    loss: Any
    max_fun: int
    max_iter: int
    momentum: float
    n_iter_no_change: float
    nesterovs_momentum: bool
    power_t: float
    sample_space: Any
    scoring: Any
    shuffle: bool
    solver: str
    threads: int | None
    tol: float
    validation_fraction: float
    verbose: bool
    weight_decay: float

    best_loss_: Any
    best_validation_score_: Any
    classes_: Array
    coefs_: list[Array]
    feature_names_in_: Array
    history_: History
    intercepts_: list[Array]
    loss_: float
    loss_curve_: list[float]
    n_features_in_: int
    n_iter_: int
    n_outputs_: int
    t_: int
    validation_scores_: Any

    _label_binarizer: Any
    _network: Network
    _no_improvement_count: int
    _optimizer: Any

    @property
    def network_(self) -> Network:
        """The engine's network, with the weights that were learned."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""

    def _labels(self, y: Array) -> Array:
        """Return encoded targets as they were given."""

    def _strata(self, y: Array) -> Array | None:
        """Return the classes of which a validation set gets its share."""

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        """Return the score of logits against encoded targets; NaN where it is not defined."""
