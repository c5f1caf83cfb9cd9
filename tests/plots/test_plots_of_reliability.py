"""A reliability diagram has its points where they belong, and counts beside them."""

import numpy as np
import pytest
from figures import drawn, texts

from clearprop import plots
from clearprop.errors import ShapeError

BINS = ([0.1, 0.5, 0.9], [0.2, 0.5, 0.7], [10, 1200, 10])


def test_draws_each_bin_with_its_count():
    (axes,) = drawn(plots.reliability(BINS, "'yes'")).axes
    assert texts(axes) == ["10", "1,200", "10"]
    points = axes.lines[-1]
    np.testing.assert_array_equal(points.get_xdata(), BINS[0])
    np.testing.assert_array_equal(points.get_ydata(), BINS[1])
    assert "probability of 'yes'" in axes.get_xlabel()


def test_names_the_mean_error():
    (axes,) = plots.reliability(BINS, "'yes'").axes
    error = (0.1 * 10 + 0 * 1200 + 0.2 * 10) / 1220
    assert axes.get_title(loc="left") == f"Probabilities are off by {error:.1%} on average"


def test_draws_what_it_was_before_a_temperature():
    (axes,) = drawn(plots.reliability(BINS, "the likeliest class", BINS)).axes
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[:3] == ["as sure as it may be", "before the temperature", "as it is"]
    (axes,) = plots.reliability(BINS, "the likeliest class").axes
    assert len(axes.get_legend().get_texts()) == len(names) - 1


@pytest.mark.parametrize(
    "bins",
    [([0.0], [0.0], [1]), ([1.0], [1.0], [1]), ([0.0, 1.0], [1.0, 0.0], [1, 10**7])],
)
def test_draws_the_surest_probabilities(bins):
    drawn(plots.reliability(bins, "x" * 300))


def test_bars_stay_between_0_and_1():
    (axes,) = plots.reliability(([0.02, 0.98], [0.0, 1.0], [10, 10]), "'yes'").axes
    ends = np.array([one for path in axes.collections[0].get_paths() for one in path.vertices])
    assert (ends[:, 1] >= 0).all()
    assert (ends[:, 1] <= 1).all()


@pytest.mark.parametrize(
    "bins", [([0.1], [0.1]), ([0.1], [0.1], [1, 2]), ([[0.1]], [[0.1]], [[1]])], ids=str
)
def test_refuses_what_does_not_fit_together(bins):
    with pytest.raises(ShapeError, match="three arrays of one length"):
        plots.reliability(bins, "'yes'")
