"""Where a network looks is laid over its pictures, of whatever kind."""

import numpy as np
import pytest
from figures import AWKWARD_NAMES, drawn, shown, texts

from clearprop import plots
from clearprop.errors import ShapeError
from clearprop.plots.figures import class_colours
from clearprop.plots.looking import laid_over, smoothed

ORANGE = class_colours(2)[1]
SPOT = np.zeros((6, 6))
SPOT[1, 4] = 2.0


class TestLaidOver:
    def test_is_the_picture_in_pale_grey_and_orange_where_the_weights_are_largest(self):
        picture = np.zeros((6, 6, 3))
        picture[:3] = [0.9, 0.3, 0.3]
        found = laid_over(picture, SPOT)
        assert found.shape == (6, 6, 3)
        assert np.abs(found[1, 4] - ORANGE).max() < 0.1
        others = np.delete(found.reshape(-1, 3), 10, axis=0)
        np.testing.assert_allclose(np.ptp(others, axis=1), 0, atol=1e-12)
        assert found[0, 0, 0] > found[5, 5, 0]  # what was lighter still is

    def test_of_nothing_is_the_picture_alone(self):
        for weights in (np.zeros((6, 6)), np.full((6, 6), np.nan)):
            np.testing.assert_allclose(np.ptp(laid_over(np.eye(6), weights), axis=2), 0)

    def test_bytes_and_grey_pictures_are_alike(self):
        grey = np.random.RandomState(0).randint(0, 256, (6, 6), np.uint8)
        rgb = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
        np.testing.assert_allclose(laid_over(grey, SPOT), laid_over(rgb, SPOT))

    def test_refuses_a_map_of_another_size(self):
        with pytest.raises(ShapeError, match=r"shape \(6, 6\) can't be laid over"):
            laid_over(np.zeros((6, 7)), SPOT)


def test_saliency_is_averaged_over_some_pixels_and_adds_up_to_the_same():
    dust = np.zeros((64, 64))
    dust[30, 20] = 1
    found = smoothed(dust)
    assert found.argmax() == dust.argmax()
    assert 0.1 < found[30, 20] < 0.5
    np.testing.assert_allclose(found.sum(), 1)


class TestAttention:
    SAMPLES = np.random.RandomState(0).rand(2, 6, 6)
    MAPS = np.stack([SPOT, np.zeros((6, 6))])

    def test_lies_beside_each_picture_with_its_answer(self):
        figure = drawn(
            plots.attention(
                self.SAMPLES, [0, 1], [0, 0], [0.9, 0.8], ["cat", "dog"], self.MAPS, self.MAPS
            )
        )
        assert [axes.get_title() for axes in figure.axes] == [
            "right 90%: cat",
            "saliency",
            "class activation",
            "true: dog\nsaid 80%: cat",
            "saliency: none",
            "class activation: none",
        ]
        np.testing.assert_array_equal(shown(figure.axes[0]), self.SAMPLES[0])
        np.testing.assert_allclose(shown(figure.axes[2]), laid_over(self.SAMPLES[0], SPOT))
        said = figure.get_suptitle()
        assert said.startswith("Saliency: a small change")
        assert "speaks for the answer" in said

    def test_of_a_dense_network_is_saliency_alone(self):
        figure = drawn(
            plots.attention(self.SAMPLES, [0, 1], [0, 0], None, ["cat", "dog"], self.MAPS)
        )
        assert [axes.get_title() for axes in figure.axes] == [
            "right: cat",
            "saliency",
            "true: dog\nsaid: cat",
            "saliency: none",
        ]
        assert "activation" not in figure.get_suptitle()

    def test_takes_any_names(self):
        n = len(AWKWARD_NAMES)
        maps = np.zeros((n, 4, 4, 1)).squeeze(3)
        drawn(plots.attention(np.zeros((n, 4, 4)), range(n), [0] * n, None, AWKWARD_NAMES, maps))

    def test_refuses_lengths_that_differ(self):
        with pytest.raises(ShapeError, match="2 samples, 2 true and 1 predicted"):
            plots.attention(self.SAMPLES, [0, 1], [0], None, ["a", "b"], self.MAPS)


class TestFeatureMaps:
    def test_come_by_their_largest_number_on_one_scale_behind_the_picture(self):
        maps = np.zeros((3, 3, 3))
        maps[0, 0, 1], maps[1, 1, 2] = 1, 4
        figure = drawn(plots.feature_maps(np.eye(3), maps))
        assert [axes.get_title() for axes in figure.axes] == ["picture", "2: 4", "1: 1", "0: 0"]
        assert shown(figure.axes[1])[1, 1] == 1
        assert 0 < shown(figure.axes[2])[0, 0] < 0.5
        assert "all filters" in figure.get_suptitle()

    def test_are_at_most_47_and_may_hold_anything(self):
        maps = np.random.RandomState(0).randn(2, 2, 60)
        maps[0, 0, 0], maps[0, 0, 1] = np.nan, np.inf
        figure = drawn(plots.feature_maps(np.zeros((4, 4, 3)), maps))
        assert len(figure.axes) == 48
        assert "47 of 60 filters" in figure.get_suptitle()

    def test_need_three_axes(self):
        with pytest.raises(ShapeError, match=r"expected \(h, w, F\)"):
            plots.feature_maps(np.eye(3), np.eye(3))


class TestWhatItSees:
    def test_has_where_it_looks_below_and_says_what_that_is(self):
        picture = np.random.RandomState(0).rand(6, 6, 3)
        figure = drawn(
            plots.what_it_sees(
                picture, picture, [0.9, 0.1], ["a", "b"], saliency=SPOT, activation=SPOT
            )
        )
        titles = [axes.get_title() for axes in figure.axes]
        assert titles[3:5] == ["saliency", "class activation"]
        np.testing.assert_allclose(shown(figure.axes[4]), laid_over(picture, SPOT))
        (caption,) = texts(figure.axes[5])
        assert "Saliency: a small change" in caption
        assert "speaks\nfor the answer" in caption or "speaks for the answer" in caption

    def test_says_where_nothing_speaks_for_the_answer(self):
        nothing = np.zeros((6, 6))
        figure = plots.what_it_sees(None, SPOT, [1.0], ["a"], saliency=SPOT, activation=nothing)
        (caption,) = texts(drawn(figure).axes[-1])
        assert "nothing" in caption

    def test_of_a_dense_network_has_saliency_alone(self):
        figure = drawn(plots.what_it_sees(SPOT, SPOT, [1.0], ["a"], saliency=SPOT))
        assert "class activation" not in [axes.get_title() for axes in figure.axes]
