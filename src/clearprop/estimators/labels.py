"""Targets that are classes: found, checked, and turned into what losses take, and back."""

from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from clearprop import losses
from clearprop.core.parameters import Array
from clearprop.estimators.base import BaseMLP
from clearprop.estimators.checks import check_class_weight, check_one_type, checked_data
from clearprop.losses import Loss

LOSSES: dict[str, dict[bool, Loss]] = {}
"""For yes or no, and for one of many classes, by name."""

for _kind in losses.LOSSES:
    if _kind.name is not None and _kind.classifies:
        LOSSES.setdefault(_kind.name, {})[_kind.one_of_many] = _kind()


def check_loss(loss: Loss, *, one_of_many: bool) -> None:
    """Refuse a loss that does not fit the classes.

    Parameters
    ----------
    loss : Loss
        As it was given.
    one_of_many : bool
        Whether a sample has one of more than two classes.

    Raises
    ------
    ValueError
    """
    if not loss.classifies:
        raise ValueError(f"loss={loss!r} is for values; MLPRegressor takes it.")
    for pair in LOSSES.values():
        if type(loss) is type(pair.get(not one_of_many)):
            raise _wrong_kind(loss, pair, one_of_many)


def loss_named(name: str, *, one_of_many: bool) -> Loss:
    """Return the loss of a name that fits the classes.

    Raises
    ------
    ValueError
        If the one of that name is for others.
    """
    pair = LOSSES[name]
    if one_of_many not in pair:
        raise _wrong_kind(name, pair, one_of_many)
    return pair[one_of_many]


def _wrong_kind(given: object, pair: dict[bool, Loss], one_of_many: bool) -> ValueError:
    kind = "one of many classes" if one_of_many else "one of two classes, or several labels"
    hint = f"; {type(pair[one_of_many]).__name__}() is" if one_of_many in pair else ""
    return ValueError(f"loss={given!r} is not for {kind}{hint}.")


class LabelledMLP(BaseMLP):
    """The side of the classifier that knows of labels."""

    def _check(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = checked_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.dtype == object:
            check_one_type(y)
        if y.dtype.kind in "fO":  # whole numbers and text are labels, and looking takes long
            check_classification_targets(y)
        return X, y

    def _learn_targets(self, y: Any, *, incremental: bool) -> None:
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        elif self.warm_start and set(found := unique_labels(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {found}"
            )
        kind, classes = self._label_binarizer.y_type_, len(self.classes_)
        self.n_outputs_ = 1 if kind == "binary" else classes
        self.out_activation_ = self._engine_loss().link

    def _encode(self, y: Any) -> Array:
        found = unique_labels(y)
        if not set(found) <= set(self.classes_):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {found}."
            )
        chosen = self._label_binarizer.transform(y)
        return chosen.argmax(axis=1) if self._is_one_of_many() else chosen.astype(bool)

    def _labels(self, y: Array) -> Array:
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return y.astype(np.int64)
        return np.take(self.classes_, y.reshape(-1).astype(np.int64))

    def _is_one_of_many(self) -> bool:
        """Whether a sample has one of more than two classes."""
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _weigh_classes(self, weights: Array | None, y: Any) -> Array | None:
        if self.class_weight is None:
            return weights
        given = self.class_weight
        if isinstance(given, dict) and y.ndim == 1:
            check_class_weight(given, self.classes_)
            given = {label: given.get(label, 1.0) for label in np.unique(y).tolist()}
        found = compute_sample_weight(given, y)
        return found if weights is None else found * weights

    def _strata(self, y: Array) -> Array | None:
        return y.astype(bool) if self.n_outputs_ == 1 else None

    def _score_logits(self, logits: Array, y: Array, weights: Array | None) -> float:
        chosen = self._network.loss.predict(logits)
        return float(accuracy_score(y.reshape(chosen.shape), chosen, sample_weight=weights))
