"""Samples and weights are drawn as they are, of whatever kind."""

import numpy as np
import pytest
from figures import AWKWARD_NAMES, drawn, shown, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clearprop import plots
from clearprop.errors import DataError, ShapeError


class TestMistakes:
    PICTURES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)

    def test_come_most_confident_first_with_truth_prediction_and_probability(self):
        figure = plots.mistakes(
            self.PICTURES,
            truth=[0, 1, 1, 0, 1],
            predicted=[0, 0, 1, 1, 0],
            probability=[0.99, 0.7, 0.8, 0.9, 0.6],
            class_names=["cat", "dog"],
            names=[f"folder/{index}.png" for index in range(5)],
        )
        assert figure.get_suptitle().startswith("3 of 5 samples predicted wrongly")
        assert [axes.get_title() for axes in drawn(figure).axes] == [
            "true: cat\nsaid 90%: dog\n3.png",
            "true: dog\nsaid 70%: cat\n1.png",
            "true: dog\nsaid 60%: cat\n4.png",
        ]
        for axes, index in zip(figure.axes, (3, 1, 4), strict=True):
            np.testing.assert_array_equal(shown(axes), self.PICTURES[index] / 255)

    def test_none_is_said(self):
        figure = drawn(plots.mistakes(self.PICTURES, [1] * 5, [1] * 5, [1.0] * 5, ["a", "b"]))
        assert figure.axes == []
        assert [text.get_text() for text in figure.texts] == ["No mistakes among 5 samples."]

    def test_are_at_most_twenty_and_only_those_are_read(self):
        read = []

        class Recording(list):
            def __getitem__(self, index):
                read.append(index)
                return super().__getitem__(index)

        samples = Recording(np.zeros((30, 4, 4)))
        probability = np.linspace(0.9, 0.5, 30)
        figure = plots.mistakes(samples, [0] * 30, [1] * 30, probability, ["a", "b"])
        assert read == list(range(20))
        assert figure.get_suptitle().endswith("the 20 most confident first")

    def test_of_rows_are_strips_of_bars(self):
        rows = np.array([[1.0, -2.0, 3.0, np.nan, np.inf]])
        (axes,) = drawn(plots.mistakes(rows, [0], [1], [0.5], ["a", "b"])).axes
        assert axes.patches[0].get_data().values.tolist() == [1, -2, 3, 0, 0]

    def test_of_classes_with_any_names_are_drawn(self):
        count = len(AWKWARD_NAMES)
        truth = np.arange(count)
        predicted = (truth + 1) % count
        drawn(
            plots.mistakes(
                np.eye(count), truth, predicted, np.ones(count), AWKWARD_NAMES, AWKWARD_NAMES
            )
        )

    def test_refuse_lengths_that_differ(self):
        with pytest.raises(ShapeError, match="5 samples, 4 true and 5 predicted"):
            plots.mistakes(self.PICTURES, [0] * 4, [0] * 5, [0] * 5, ["a"])

    @pytest.mark.parametrize("shape", [(1, 2, 2, 2), (1, 2, 2, 2, 3)])
    def test_refuse_a_sample_that_is_no_picture(self, shape):
        with pytest.raises(ShapeError, match="can't be drawn"):
            plots.mistakes(np.zeros(shape), [0], [1], [1.0], ["a", "b"])


class TestFirstLayerWeights:
    def test_come_by_norm_on_one_scale_with_white_for_zero(self):
        W = np.zeros((4, 3))
        W[:, 1], W[:, 2] = [3, -3, 0, 0], [1, 0, 0, 0]
        figure = drawn(plots.first_layer_weights(W, (2, 2)))
        assert [axes.get_title() for axes in figure.axes] == ["1: 4.2", "2: 1", "0: 0"]
        largest, small, nothing = map(shown, figure.axes)
        assert (nothing == 1).all()
        assert (largest[1] == 1).all()
        assert largest[0, 0, 0] > largest[0, 0, 2]  # positive is orange
        assert largest[0, 1, 0] < largest[0, 1, 2]  # negative is blue
        assert small[0, 0].sum() > largest[0, 0].sum()

    def test_of_colour_pictures_are_grey_at_zero_and_brighter_above(self):
        W = np.array([[1.0], [0.0], [-1.0]])
        (axes,) = drawn(plots.first_layer_weights(W, (1, 1, 3))).axes
        np.testing.assert_allclose(shown(axes)[0, 0], [1, 0.5, 0])

    def test_are_those_of_at_most_sixty_units(self):
        figure = plots.first_layer_weights(np.ones((4, 70)), (2, 2))
        assert len(figure.axes) == 60
        assert "60 of 70 units" in figure.get_suptitle()

    @pytest.mark.parametrize(("change", "drawn"), [(0.5, [0.5, 0]), (3, [4, 1])])
    def test_are_the_changes_as_long_as_these_are_smaller(self, change, drawn):
        first = np.array([[1.0], [1.0]])
        W = first + np.array([[change], [0]])
        figure = plots.first_layer_weights(W, (1, 2), first)
        assert figure.get_suptitle().startswith("What training" if change < 1 else "Weights")
        (axes,) = figure.axes
        assert axes.get_title() == f"0: {np.linalg.norm(drawn):.2g}"

    def test_of_zeros_are_drawn(self):
        drawn(plots.first_layer_weights(np.zeros((4, 2)), (2, 2)))

    @pytest.mark.parametrize("shape", [(4,), (2, 2, 1), (1, 2, 2)])
    def test_refuse_what_is_no_shape_of_a_picture(self, shape):
        with pytest.raises(ShapeError, match=r"expected \(H, W\) or \(H, W, 3\)"):
            plots.first_layer_weights(np.zeros((4, 2)), shape)

    def test_refuse_weights_that_are_not_finite(self):
        with pytest.raises(DataError, match="diverged"):
            plots.first_layer_weights([[1.0], [np.nan]], (1, 2))

    @pytest.mark.parametrize("shape", [(5, 2), (4,)])
    def test_refuse_a_picture_of_another_size(self, shape):
        with pytest.raises(ShapeError, match=r"expected \(4, units\)"):
            plots.first_layer_weights(np.zeros(shape), (2, 2))


class TestWhatItSees:
    def test_shows_both_pictures_and_the_five_likeliest_classes(self):
        given_picture = np.full((4, 6, 3), 255, np.uint8)
        probabilities = [0.05, 0.5, 0.1, 0.2, 0.12, 0.03]
        figure = plots.what_it_sees(
            given_picture, np.full((2, 2, 3), 0.25), probabilities, list("abcdef")
        )
        given_axes, seen, answer = drawn(figure).axes
        assert given_axes.get_title() == "as given, 6 x 4"
        assert seen.get_title() == "as the network sees it, 2 x 2"
        assert (shown(given_axes) == 1).all()
        assert (shown(seen) == 0.25).all()
        assert [bar.get_width() for bar in answer.patches] == [0.5, 0.2, 0.12, 0.1, 0.05]
        assert texts(answer)[:2] == ["b  50.0%", "d  20.0%"]

    def test_shows_rows_and_any_names(self):
        count = len(AWKWARD_NAMES)
        row = np.arange(3.0)
        drawn(plots.what_it_sees(row, row - 1, np.full(count, 1 / count), AWKWARD_NAMES))

    def test_refuses_names_that_do_not_fit(self):
        with pytest.raises(ShapeError, match="one for each class name"):
            plots.what_it_sees(np.zeros(3), np.zeros(3), [0.5, 0.5], ["a"])

    @given(
        picture=st.sampled_from(["uint8", "float32", "float64", "int64", "bool"]).flatmap(
            lambda dtype: arrays(dtype, st.sampled_from([(2, 3), (2, 3, 1), (2, 3, 3)]))
        )
    )
    @settings(max_examples=30)  # each makes a figure
    @example(np.array([[1.7e308, -1.7e308, 0.0], [0.0, 0.0, 0.0]]))
    def test_shows_pictures_of_any_kind_between_black_and_white(self, picture):
        figure = plots.what_it_sees(picture, picture, [1.0], ["a"])
        values = shown(figure.axes[1])
        assert values.shape[:2] == (2, 3)
        assert values.min() >= 0
        assert values.max() <= 1


class TestAugmented:
    def test_stands_beside_its_original(self):
        originals = np.arange(2 * 3 * 4, dtype=np.float64).reshape(2, 3, 4) / 24
        changed = [originals[:, ::-1], originals / 2, originals[:, :, ::-1]]
        figure = drawn(plots.augmented(originals, changed, ["cat", "dog"]))
        titles = [axes.get_title() for axes in figure.axes]
        assert titles == ["cat", "", "", "", "dog", "", "", ""]
        expected = [column[row] for row in range(2) for column in (originals, *changed)]
        for axes, picture in zip(figure.axes, expected, strict=True):
            np.testing.assert_array_equal(shown(axes), picture)

    def test_has_one_shape_and_a_name_for_each(self):
        with pytest.raises(ShapeError, match="expected as many names as pictures"):
            plots.augmented(np.zeros((2, 3, 4)), [np.zeros((2, 4, 3))])
        with pytest.raises(ShapeError, match="have 1 names"):
            plots.augmented(np.zeros((2, 3, 4)), [np.zeros((2, 3, 4))], ["cat"])
