"""An estimator: its parameters, what it has learned, and all that is done with it but training."""

import os
from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import estimator_html_repr, validation

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.estimators import building, checks, exchange
from clearprop.files.models import Model
from clearprop.layers import Dense, Dropout, Sequential
from clearprop.losses import Loss
from clearprop.network import Network
from clearprop.network.drawing import drawing_of
from clearprop.training import History, engines

_VIEWS = ("coefs_", "intercepts_")


class Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of the estimators, as those see it who fit it, save it, or hand it over.

    The parameters are scikit-learn's and those of the two classes, with their meaning there;
    attributes with an underscore behind them are learned, and change while it is fitted. Weights
    lie in the network's one vector: `coefs_` and `intercepts_` are views of it, and whatever else
    somebody puts into those lists is written into the network before it is used.
    """

    _sklearn_class: ClassVar[type]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = checks.CONSTRAINTS

    hidden_layer_sizes: Any
    activation: Any
    solver: str
    alpha: float
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: Any
    dropout: Any
    batch_norm: bool
    init: Any
    weight_decay: float
    scoring: Any
    callbacks: Any
    sample_space: Any
    threads: int | None

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
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    t_: int
    validation_scores_: Any

    _label_binarizer: Any
    _network: Network
    _no_improvement_count: int
    _optimizer: Any

    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the arguments of `__init__` as they came, each under its name."""
        for name, value in given.items():
            if name != "self":
                setattr(self, name, value)

    @abstractmethod
    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        """Find out from targets what outputs are needed, or check them against what is known."""

    @abstractmethod
    def _encode(self, y: Any) -> Array:
        """Return targets as the engine's losses take them."""

    @abstractmethod
    def _labels(self, y: Array) -> Array:
        """Return encoded targets as they were given."""

    @abstractmethod
    def _engine_loss(self) -> Loss:
        """Return the loss that the parameters and the targets ask for."""

    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        """Multiply the weights of classes, if there are any, into those of samples."""
        return weights

    def _strata(self, y: Array) -> Array | None:
        """Return the classes of which a validation set gets its share, if there are any."""
        return None

    @abstractmethod
    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        """Return the score of logits against encoded targets; NaN where it is not defined."""

    def _synchronized(self) -> Network:
        """Return the network, with the arrays that now stand in `coefs_` and `intercepts_`."""
        if not hasattr(self, "_network"):  # somebody has written the attributes by hand
            sizes = [len(self.coefs_[0]), *(len(b) for b in self.intercepts_)]
            self._network = building.network_of(self, sizes, self.coefs_[0].dtype)
        views = building.weights_and_biases(self._network)
        for arrays, own in zip((self.coefs_, self.intercepts_), views, strict=True):
            for place, view in enumerate(own):
                if arrays[place] is not view:
                    view[...] = arrays[place]
                    arrays[place] = view
        return self._network

    @property
    def network_(self) -> Network:
        """The engine's network, with the weights that were learned."""
        validation.check_is_fitted(self)
        return self._synchronized()

    def _logits(self, X: Any) -> Array:
        """Check samples and return their logits (N, K)."""
        engine = self._engine(X)
        return engine.logits(engine.X)

    def _engine(self, X: Any) -> engines.Engine:
        """Check samples, and return the engine that passes them through the network."""
        validation.check_is_fitted(self)
        X = checks.checked_data(self, X, accept_sparse="csr", dtype=checks.DTYPES, reset=False)
        network = self._synchronized()
        rows = building.rows_of(X, network.dtype)
        is_sparse = isinstance(rows, engines.SparseRows)
        kind = engines.SparseEngine if is_sparse else engines.Engine
        return kind(network, network.loss, rows)

    def transform(self, X: Any, layer: int = -1) -> Array:
        """Pass samples through the network, up to a hidden layer.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (N, D)
        layer : int, default -1
            The number of the hidden layer, from 0; -1 is the last.

        Returns
        -------
        ndarray, shape (N, units)
            The outputs of its activation.

        Raises
        ------
        ValueError
            If there is no such hidden layer.
        TypeError
            If `layer` is no whole number.
        """
        if not isinstance(layer, Integral):
            raise TypeError(f"layer must be the number of a hidden layer, got {layer!r}.")
        engine = self._engine(X)
        layers, rows, trace = engine.network.layers, engine.X, Trace()
        *hidden, _ = (place for place, one in enumerate(layers) if isinstance(one, Dense))
        if not -len(hidden) <= layer < len(hidden):
            raise ValueError(f"There are {len(hidden)} hidden layers; found layer={layer}.")
        end = hidden[layer] + 1
        while not isinstance(layers[end], Dense | Dropout):
            end += 1
        body = Sequential(engine.body.layers[:end])
        outputs = np.empty((len(rows), len(self.intercepts_[:-1][layer])), engine.dtype)
        for start in range(0, len(rows), engine.chunk):
            some = slice(start, start + engine.chunk)
            outputs[some] = body.forward(engine.stack.params, engine.inputs(rows[some]), trace)
        return outputs

    @property
    def _n_features_out(self) -> int:
        """The number of columns of `transform`, which scikit-learn names."""
        if len(self.intercepts_) < 2:
            raise ValueError("There is no hidden layer, and so nothing that transform could give.")
        return len(self.intercepts_[-2])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to a ``.safetensors`` file, whole or not at all.

        `clearprop.load` reads it. What an optimizer has gathered is not kept, nor are callbacks.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        OutputError
            If the file can't be written; what stood there before is untouched.
        UsageError
            If classes are neither text nor numbers.
        """
        validation.check_is_fitted(self)
        exchange.save_estimator(path, self)

    def as_model(self) -> Model:
        """Return what was learned as a model, which `clearprop.export` takes.

        Raises
        ------
        UsageError
            If classes are neither text nor numbers.
        """
        validation.check_is_fitted(self)
        return exchange.model_of(self)

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Self:
        """Return an estimator that has learned what scikit-learn's has.

        Parameters
        ----------
        fitted : sklearn.neural_network.MLPClassifier or MLPRegressor
            It keeps its own copy.

        Raises
        ------
        TypeError
            If it is none of those.
        NotFittedError
            If it has learned nothing.
        """
        if not isinstance(fitted, cls._sklearn_class):
            raise TypeError(
                f"{cls.__name__}.from_sklearn takes scikit-learn's own {cls.__name__}, fitted, got "
                f"{fitted!r}."
            )
        validation.check_is_fitted(fitted)
        estimator = cls(**exchange.shared_parameters(fitted, cls))
        exchange.copy_learned(fitted, estimator)
        return estimator

    def to_sklearn(self) -> Any:
        """Return scikit-learn's estimator that predicts the same, with a copy of what was learned.

        Raises
        ------
        ValueError
            If scikit-learn's has no such activation, loss or normalisation.
        """
        validation.check_is_fitted(self)
        exchange.check_exchangeable(self)
        theirs = self._sklearn_class(**exchange.shared_parameters(self, self._sklearn_class))
        exchange.copy_learned(self, theirs)
        return theirs

    def _html_repr(self) -> str:
        """Return what notebooks show: scikit-learn's table, and the network below it."""
        table = estimator_html_repr(self)
        return table + drawing_of(self.network_) if hasattr(self, "coefs_") else table

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "coefs_" in state:
            self._synchronized()
            state = {name: value for name, value in state.items() if name not in _VIEWS}
            state["_network"] = self._network
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_network" in state:
            self.coefs_, self.intercepts_ = building.weights_and_biases(self._network)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
