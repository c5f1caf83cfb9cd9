"""Curves, costs and comparisons show every number they were given."""

import numpy as np
import pytest
from figures import drawn, lines, texts

from clearprop import plots
from clearprop.errors import DataError, ShapeError

HISTORY = {
    "epoch": [1, 2, 3, 4],
    "loss": [0.7, 0.5, 0.3, 0.2],
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "validation_loss": [0.8, 0.6, 0.65, 0.7],
    "validation_accuracy": [0.4, 0.6, 0.7, 0.65],
    "learning_rate": [0.1, 0.1, 0.1, 0.1],
    "seconds": [1.0, 2.0, 3.0, 4.0],
}
NAN = float("nan")


class TestCurves:
    def test_draw_loss_and_score_of_training_and_validation(self):
        loss, accuracy = drawn(plots.curves(HISTORY)).axes
        assert lines(loss) == [HISTORY["loss"], HISTORY["validation_loss"]]
        assert lines(accuracy) == [HISTORY["accuracy"], HISTORY["validation_accuracy"]]
        assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss")

    def test_name_the_last_epoch_and_mark_none(self):
        loss, accuracy = plots.curves(HISTORY).axes
        assert loss.get_title(loc="left") == "Validation loss 0.7 at epoch 4"
        assert accuracy.get_title(loc="left") == "Validation accuracy 65.0% at epoch 4"
        assert "best epoch" not in [text.get_text() for text in loss.get_legend().get_texts()]

    def test_name_and_mark_the_epoch_whose_weights_were_kept(self):
        loss = plots.curves(HISTORY, best_epoch=3).axes[0]
        assert loss.get_title(loc="left") == "Validation loss 0.65 at epoch 3"
        assert "best epoch" in [text.get_text() for text in loss.get_legend().get_texts()]

    def test_do_without_validation_and_score(self):
        (loss,) = drawn(plots.curves({"epoch": [1, 2, 3], "loss": [3, 2, 1]})).axes
        assert lines(loss) == [[3, 2, 1]]
        assert loss.get_title(loc="left") == "Training loss 1 at epoch 3"

    def test_draw_r2_where_values_were_learned(self):
        history = {"epoch": [1, 2, 3], "loss": [3, 2, 1], "r2": [-4.0, 0.1, 0.5]}
        _, r2 = drawn(plots.curves(history)).axes
        assert lines(r2) == [[-4.0, 0.1, 0.5]]
        assert r2.get_ylabel() == "R²"

    @pytest.mark.parametrize(
        ("last", "scale"), [(0.0101, "linear"), (0.0099, "log"), (0, "linear")]
    )
    def test_loss_over_more_than_two_decades_is_on_a_logarithmic_scale(self, last, scale):
        figure = plots.curves({"epoch": [1, 2, 3], "loss": [1, 0.5, last]})
        assert drawn(figure).axes[0].get_yscale() == scale

    def test_say_where_the_loss_stopped_being_finite(self):
        history = {"epoch": [1, 2, 3, 4], "loss": [1, 5, float("inf"), NAN]}
        (loss,) = drawn(plots.curves(history)).axes
        assert loss.get_title(loc="left") == "Loss not finite from epoch 3"
        np.testing.assert_array_equal(lines(loss), [[1, 5, NAN, NAN]])

    def test_draw_nothing_but_nan(self):
        (loss,) = drawn(plots.curves({"epoch": [1, 2], "loss": [NAN, NAN]})).axes
        assert loss.get_title(loc="left") == "Loss not finite from epoch 1"

    def test_mark_a_single_epoch(self):
        (loss,) = drawn(plots.curves({"epoch": [1], "loss": [0.4]})).axes
        assert loss.lines[0].get_marker() == "o"
        assert [tick for tick in loss.get_xticks() if 0.5 <= tick <= 1.5] == [1]

    def test_refuse_a_history_of_no_epochs(self):
        with pytest.raises(DataError, match="no epoch"):
            plots.curves({"epoch": [], "loss": []})

    def test_name_the_column_that_is_missing(self):
        with pytest.raises(DataError, match="no column 'loss'; it has epoch, acc"):
            plots.curves({"epoch": [1], "acc": [1]})


class TestCostCurve:
    def test_draws_published_points_over_what_was_measured(self):
        published = {0: 0.69, 100: 0.58, 200: 0.47}
        (axes,) = drawn(plots.cost_curve([0, 100, 200], [0.7, 0.6, 0.5], published)).axes
        assert lines(axes) == [[0.7, 0.6, 0.5], [0.69, 0.58, 0.47]]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            "measured",
            "published",
        ]

    def test_needs_no_legend_for_one_line(self):
        assert plots.cost_curve([0, 1], [2, 1]).axes[0].get_legend() is None

    def test_refuses_lengths_that_differ(self):
        with pytest.raises(ShapeError, match="2 iterations and 1 costs"):
            plots.cost_curve([0, 1], [1])

    def test_refuses_to_draw_nothing(self):
        with pytest.raises(DataError, match="no iteration"):
            plots.cost_curve([], [])


class TestComparison:
    def test_shows_every_run_and_mean_and_spread_as_percentages(self):
        rows = [("logistic", 12289, [0.7, 0.72, 0.74]), ("20-7-5", 245973, [0.8])]
        (axes,) = drawn(plots.comparison(rows)).axes
        assert list(axes.lines[0].get_xdata()) == pytest.approx([70, 72, 74])
        assert texts(axes) == ["72.0 ± 2.0%", "80.0%"]
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert names == ["logistic\n12,289 parameters", "20-7-5\n245,973 parameters"]

    def test_shows_other_scores_as_they_are(self):
        (axes,) = plots.comparison([("7", 10, [0.5, 0.7])], "validation R²").axes
        assert texts(axes) == ["0.600 ± 0.141"]
        assert axes.get_xlabel() == "validation R²"

    def test_keeps_a_row_for_an_architecture_that_never_finished(self):
        (axes,) = drawn(plots.comparison([("7", 10, [NAN]), ("8", 10, [])])).axes
        assert texts(axes) == ["no run ended", "no run ended"]

    def test_refuses_to_compare_nothing(self):
        with pytest.raises(DataError, match="no architectures"):
            plots.comparison([])
