"""Photographs of cats and dogs: a convolution ends above a dense network."""

from pathlib import Path
from typing import Any

import pytest

from clearprop.experiment import Settings, learn, load_dataset, measure, set_task


def accuracy(cats: Path, **given: Any) -> float:
    """Train on cats and dogs, and return the accuracy on the fifth that was held out."""
    settings = Settings(data=str(cats), size=(32, 32), epochs=25, **given)
    return measure(learn(set_task(settings, load_dataset(settings)))).parts["test"].score


@pytest.mark.slow
def test_a_convolution_tells_cats_from_dogs_where_a_dense_network_hardly_does(
    shared_data: Path,
) -> None:
    cats = shared_data / "cats_1652"
    assert accuracy(cats) > accuracy(cats, network="dense") + 0.05  # 68% and 58%
