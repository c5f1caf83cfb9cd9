"""Predictions are drawn where they belong, for one class and for a hundred."""

from itertools import pairwise

import numpy as np
import pytest
from figures import AWKWARD_NAMES, drawn, texts

from clearprop import plots
from clearprop.errors import DataError, ShapeError

NAN = float("nan")


class TestConfusion:
    def test_writes_counts_and_shares_of_the_true_class(self):
        (axes,) = drawn(plots.confusion([[299, 1], [30, 10]], ["cat", "dog"])).axes
        assert texts(axes) == ["299\n100%", "1\n<1%", "30\n75%", "10\n25%"]
        assert axes.get_title(loc="left") == "90.9% right: 309 of 340"
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert names == ["cat (300)", "dog (40)"]

    def test_darkens_a_cell_with_its_share(self):
        (axes,) = plots.confusion([[9, 1, 0], [5, 5, 0], [0, 0, 0]], ["a", "b", "c"]).axes
        brightness = np.asarray(axes.images[0].get_array()).sum(axis=2)
        assert brightness[0, 0] < brightness[1, 1] < brightness[2, 2] == 3
        assert brightness[1, 0] < brightness[0, 1] < brightness[0, 2] == 3

    @pytest.mark.parametrize("classes", [1, 2, 20, 21, 100])
    def test_hides_numbers_where_there_is_no_room(self, classes):
        matrix = np.full((classes, classes), 3)
        (axes,) = drawn(plots.confusion(matrix, [f"class {i}" for i in range(classes)])).axes
        assert len(axes.texts) == (classes**2 if classes <= 20 else 0)
        assert len(axes.get_xticklabels()) == classes

    def test_numbers_the_classes_where_names_have_no_room(self):
        (axes,) = drawn(plots.confusion(np.eye(101, dtype=int), ["name"] * 101)).axes
        assert "name" not in {label.get_text() for label in axes.get_xticklabels()}
        assert axes.get_ylabel() == "true class"

    @pytest.mark.parametrize(
        ("names", "below", "turned"),
        [
            (["stays", "will cancel it"], ["stays", "will cancel it"], False),
            (["stays", "will cancel it very soon"], ["stays", "will cancel it\nvery soon"], False),
            (["stays", "Donaudampfschifffahrt"], ["stays", "Donaudampfschifffahrt"], True),
        ],
    )
    def test_breaks_or_turns_long_names(self, names, below, turned):
        (axes,) = drawn(plots.confusion(np.eye(2, dtype=int), names)).axes
        labels = axes.get_xticklabels()
        assert [label.get_text() for label in labels] == below
        assert {label.get_rotation() for label in labels} == {90.0 if turned else 0.0}

    @pytest.mark.parametrize("classes", [2, 5, 12, 30])
    def test_names_stay_apart(self, classes):
        names = [f"number {n} of the classes with a long name at the end" for n in range(classes)]
        figure = drawn(plots.confusion(np.eye(classes, dtype=int), names))
        figure.set_dpi(100)
        figure.draw_without_rendering()
        for labels, low, high in (
            (figure.axes[0].get_xticklabels(), "x0", "x1"),
            (figure.axes[0].get_yticklabels(), "y0", "y1"),
        ):
            boxes = [label.get_window_extent() for label in labels]
            spans = sorted((getattr(box, low), getattr(box, high)) for box in boxes)
            assert all(one[1] <= other[0] + 1 for one, other in pairwise(spans))

    def test_tells_names_apart_that_look_alike(self):
        names = ["\U0010ffff", "a" * 90 + "b" * 90, "a" * 90 + "-" + "b" * 90]
        (axes,) = drawn(plots.confusion(np.eye(3, dtype=int), names)).axes
        below = [label.get_text() for label in axes.get_xticklabels()]
        assert len(set(below)) == 3

    def test_draws_classes_without_samples(self):
        (axes,) = drawn(plots.confusion(np.zeros((2, 2), int), ["a", "b"])).axes
        assert axes.get_title(loc="left") == "No samples"

    def test_draws_any_names(self):
        drawn(plots.confusion(np.eye(len(AWKWARD_NAMES), dtype=int), AWKWARD_NAMES))

    @pytest.mark.parametrize("shape", [(2, 3), (3, 3), (4,)])
    def test_refuses_a_matrix_that_does_not_fit_the_names(self, shape):
        with pytest.raises(ShapeError, match=r"must have shape \(2, 2\)"):
            plots.confusion(np.zeros(shape, int), ["a", "b"])


class TestDecisionBoundary:
    def test_asks_for_the_plane_around_the_samples_and_draws_each_class(self):
        asked = []

        def predict_proba(plane):
            asked.append(plane)
            right = 1 / (1 + np.exp(-plane[:, 0]))
            return np.stack([1 - right, right], axis=1)

        X, y = np.array([[-2.0, 5.0], [3.0, 6.0], [1.0, 5.5]]), np.array([0, 1, 1])
        figure = drawn(plots.decision_boundary(predict_proba, X, y, ["left", "right"]))
        (axes,) = figure.axes
        assert (asked[0].min(axis=0) < X.min(axis=0)).all()
        assert (asked[0].max(axis=0) > X.max(axis=0)).all()
        points = [axes.collections[i].get_offsets().tolist() for i in (-2, -1)]
        assert points == [X[:1].tolist(), X[1:].tolist()]
        border = axes.collections[0].get_paths()[0].vertices
        np.testing.assert_allclose(border[:, 0], 0, atol=0.02)

    @pytest.mark.parametrize("classes", [1, 3, 12, 100])
    def test_draws_a_network_that_always_says_the_same(self, classes):
        def predict_proba(plane):
            return np.eye(classes)[np.zeros(len(plane), int)]

        names = [f"_{index}" for index in range(classes)]
        figure = plots.decision_boundary(predict_proba, [[1, 1], [1, 1]], [0, 0], names)
        legend = drawn(figure).axes[0].get_legend()
        assert [text.get_text() for text in legend.get_texts()] == names

    def test_refuses_other_than_two_features(self):
        with pytest.raises(ShapeError, match=r"\(N, 2\)"):
            plots.decision_boundary(len, np.zeros((4, 3)), np.zeros(4), ["a", "b"])

    def test_refuses_other_than_one_probability_for_each_class(self):
        with pytest.raises(ShapeError, match="one for each of 3 classes"):
            plots.decision_boundary(np.zeros_like, np.zeros((4, 2)), np.zeros(4), list("abc"))

    def test_refuses_probabilities_that_are_not_finite(self):
        def predict_proba(plane):
            return np.full((len(plane), 2), NAN)

        with pytest.raises(DataError, match="diverged"):
            plots.decision_boundary(predict_proba, np.zeros((4, 2)), np.zeros(4), ["a", "b"])

    def test_draws_a_border_between_every_two_of_many_classes(self):
        def predict_proba(plane):
            centres = np.arange(40) % 8 * 1.0, np.arange(40) // 8
            distances = sum((plane[:, [i]] - centres[i]) ** 2 for i in (0, 1))
            return np.exp(-distances) / np.exp(-distances).sum(axis=1, keepdims=True)

        X, names = [[0, 0], [7, 4]], [f"class {i}" for i in range(40)]
        figure = plots.decision_boundary(predict_proba, X, [0, 39], names)
        assert len(drawn(figure).axes[0].collections) == 40 + 40

    def test_refuses_no_samples(self):
        with pytest.raises(DataError, match="no samples"):
            plots.decision_boundary(len, np.zeros((0, 2)), np.zeros(0), ["a"])


class TestResiduals:
    def test_draw_predictions_against_truth_and_what_is_left_over(self):
        against, left_over = drawn(plots.residuals([1, 2, 4], [2, 2, 1], "price")).axes
        assert against.collections[0].get_offsets().tolist() == [[1, 2], [2, 2], [4, 1]]
        assert left_over.collections[0].get_offsets().tolist() == [[2, 1], [2, 0], [1, -3]]
        assert against.get_xlabel() == "true price"
        assert left_over.get_title(loc="left") == "Residuals, root mean square 1.83"

    def test_give_each_output_its_colour(self):
        against, _ = drawn(plots.residuals(np.zeros((5, 3)), np.ones((5, 3)))).axes
        colours = {tuple(points.get_facecolor()[0]) for points in against.collections}
        assert len(colours) == 3

    @pytest.mark.parametrize(
        ("size", "label", "ticks"),
        [
            (1.0, "true price", {"0", "1", "2"}),
            (3e3, "true price", {"3,000"}),
            (1e4, "true price, in thousands", {"10", "20"}),
            (1e6, "true price, in millions", {"1", "2"}),
            (2.5e9, "true price, in billions", {"2.5", "5"}),
            (1e20, "true price / 1e+20", {"1", "2"}),
        ],
    )
    def test_say_in_what_units_large_numbers_are(self, size, label, ticks):
        against, _ = drawn(plots.residuals([0, size, 2 * size], [0, size, 2 * size], "price")).axes
        against.set_xticks([0, size, 2 * size])
        against.set_yticks([0, size, 2 * size])
        drawn(against.figure)
        assert against.get_xlabel() == label
        assert ticks <= {tick.get_text() for tick in against.get_xticklabels()}
        assert against.yaxis.get_offset_text().get_text() == ""

    def test_ticks_close_to_each_other_differ(self):
        against, _ = plots.residuals([1.0, 1.0001], [1.0, 1.0001]).axes
        ticks = [1.0, 1.00005, 1.0001]
        written = against.xaxis.get_major_formatter().format_ticks(ticks)
        assert [float(text) for text in written] == pytest.approx(ticks, abs=1e-6)

    def test_draw_predictions_that_are_not_finite(self):
        drawn(plots.residuals([1.0, 2.0, 3.0], [1.0, NAN, 2.0]))

    def test_refuse_shapes_that_differ(self):
        with pytest.raises(ShapeError, match=r"\(3,\) and predicted ones \(3, 1\)"):
            plots.residuals([1, 2, 3], [[1], [2], [3]])
