"""What can be done with an estimator that has learned, besides predicting."""

import os
from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import estimator_html_repr
from sklearn.utils.validation import check_is_fitted

from clearprop.core.parameters import Array
from clearprop.estimators.building import weights_and_biases
from clearprop.estimators.checks import checked_data
from clearprop.estimators.drawing import drawing_of
from clearprop.estimators.exchange import check_exchangeable, copy_learned, shared_parameters
from clearprop.estimators.rows import engine_for, hidden_outputs, rows_of
from clearprop.estimators.saving import save_estimator
from clearprop.network import Network
from clearprop.training.engines import Engine

_VIEWS = ("coefs_", "intercepts_")


class FittedMLP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """The side of the estimators that looks at what was learned.

    It lies in the network's one vector; `coefs_` and `intercepts_` are views of it, and whatever
    else somebody puts into those lists is written into the network before it is used.
    """

    _sklearn_class: ClassVar[type]
    coefs_: list[Array]
    intercepts_: list[Array]

    @abstractmethod
    def _build(self, units: list[int], dtype: Any) -> Network:
        """Return a network of these sizes, as the parameters describe it."""

    def _synchronized(self) -> Network:
        """Return the network, with the arrays that now stand in `coefs_` and `intercepts_`."""
        if not hasattr(self, "_network"):  # somebody has written the attributes by hand
            units = [len(self.coefs_[0]), *(len(b) for b in self.intercepts_)]
            self._network = self._build(units, self.coefs_[0].dtype)
        views = weights_and_biases(self._network)
        for arrays, own in zip((self.coefs_, self.intercepts_), views, strict=True):
            for place, view in enumerate(own):
                if arrays[place] is not view:
                    view[...] = arrays[place]
                    arrays[place] = view
        return self._network

    @property
    def network_(self) -> Network:
        """The engine's network, with the weights that were learned."""
        check_is_fitted(self)
        return self._synchronized()

    def _logits(self, X: Any) -> Array:
        """Check samples and return their logits (N, K)."""
        engine = self._engine(X)
        return engine.logits(engine.X)

    def _engine(self, X: Any) -> Engine:
        """Check samples, and return the engine that passes them through the network."""
        check_is_fitted(self)
        dtypes = (np.float64, np.float32)
        X = checked_data(self, X, accept_sparse="csr", dtype=dtypes, reset=False)
        network = self._synchronized()
        return engine_for(network, rows_of(X, network.dtype))

    def transform(self, X: Any, layer: int = -1) -> Array:
        """Return what a hidden layer makes of samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (N, D)
        layer : int, default -1
            Which hidden layer, from 0; -1 is the last.

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
        return hidden_outputs(self._engine(X), layer)

    @property
    def _n_features_out(self) -> int:
        """How many columns `transform` gives: scikit-learn names them."""
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
        check_is_fitted(self)
        save_estimator(path, self)

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Self:
        """Return an estimator that has learned what scikit-learn's has.

        Parameters
        ----------
        fitted : sklearn.neural_network.MLPClassifier or MLPRegressor
            It keeps its own copy.
        """
        if not isinstance(fitted, cls._sklearn_class):
            raise TypeError(
                f"{cls.__name__}.from_sklearn takes scikit-learn's own {cls.__name__}, fitted, got "
                f"{fitted!r}."
            )
        estimator = cls(**shared_parameters(fitted, cls))
        copy_learned(fitted, estimator)
        return estimator

    def to_sklearn(self) -> Any:
        """Return scikit-learn's estimator that predicts the same, with a copy of what was learned.

        Raises
        ------
        ValueError
            If scikit-learn's has no such activation, loss or normalisation.
        """
        check_is_fitted(self)
        check_exchangeable(self)
        theirs = self._sklearn_class(**shared_parameters(self, self._sklearn_class))
        copy_learned(self, theirs)
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
            self.coefs_, self.intercepts_ = weights_and_biases(self._network)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
