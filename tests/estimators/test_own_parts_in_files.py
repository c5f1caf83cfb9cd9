"""Layers and losses of one's own in the file of an estimator."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from small_data import values

import clearprop as cp
from clearprop.errors import ModelFileError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class OwnReLU(cp.ReLU):
    """A layer of one's own."""


@dataclass(frozen=True)
class Cubic(cp.Loss):
    """A loss of one's own."""

    def each(self, logits: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        errors = logits - y
        return (np.abs(errors) ** 3).sum(axis=1), 3 * errors * np.abs(errors)


def test_are_read_where_their_classes_are_given(tmp_path: Path) -> None:
    X, y = values()
    net = cp.MLPRegressor(Cubic(), 4, OwnReLU(), max_iter=2, random_state=0).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    again = cp.load(tmp_path / "net.safetensors", custom=iter([OwnReLU, Cubic]))
    assert again.get_params() == net.get_params()
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    with pytest.raises(ModelFileError, match=r"not clearprop's: .*'OwnReLU'.* custom=\[\.\.\.\]"):
        cp.load(tmp_path / "net.safetensors")


def test_that_can_t_be_described_are_not_saved(tmp_path: Path) -> None:
    class Plain(cp.Loss):
        each = Cubic.each

    net = cp.MLPRegressor(Plain(), 4, max_iter=2).fit(*values())
    with pytest.raises(UsageError, match=r"Plain can't be saved.* make layers and losses"):
        net.save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())
