"""Columns of a table are drawn by how much they matter, and by how the answer goes with them."""

import numpy as np
import pytest
from figures import AWKWARD_NAMES, drawn

from clearprop import plots
from clearprop.errors import DataError, ShapeError


class TestImportance:
    def test_the_largest_is_at_the_top(self):
        figure = plots.importance(["a", "b", "c"], [0.1, 0.3, -0.02], [0.01] * 3, "accuracy", "x")
        (axes,) = drawn(figure).axes
        assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a", "c"]
        assert [bar.get_width() for bar in axes.patches] == [0.3, 0.1, -0.02]
        assert axes.yaxis_inverted()
        assert axes.get_title(loc="left") == "What matters, on x"
        assert axes.xaxis.get_major_formatter()(0.1) == "10%"

    def test_of_many_columns_twenty_are_drawn_and_the_others_counted(self):
        names = [f"c{k}" for k in range(50)]
        (axes,) = drawn(plots.importance(names, np.arange(50), np.zeros(50), "R²", "rows")).axes
        assert len(axes.patches) == 20
        assert "30 more columns matter less" in axes.get_xlabel()

    def test_names_are_drawn_as_they_stand(self):
        count = len(AWKWARD_NAMES)
        drawn(plots.importance(AWKWARD_NAMES, np.ones(count), np.ones(count), "R²", "rows"))

    def test_figures_must_fit(self):
        with pytest.raises(ShapeError, match=r"expected \(2,\)"):
            plots.importance(["a", "b"], [1.0], [1.0], "R²", "rows")
        with pytest.raises(DataError, match="no columns"):
            plots.importance([], [], [], "R²", "rows")


def panel(name="x", cells=None, answers=None, base=(0.5,)):
    cells = np.array([1.0, 2.0, 5.0]) if cells is None else cells
    answers = np.array([[0.1], [0.4], [0.7]]) if answers is None else np.asarray(answers)
    return plots.Panel(name, cells, answers, np.array(base))


class TestDependence:
    def test_numbers_are_a_line_and_words_are_bars_from_the_mean(self):
        words = panel("city", ["Oslo", "Rome", "(missing)"])
        numbers, bars = drawn(plots.dependence([panel(), words], ["yes"], "probability")).axes
        assert list(numbers.lines[0].get_ydata()) == [0.1, 0.4, 0.7]
        ends = [bar.get_y() + bar.get_height() for bar in bars.patches]
        assert ends == pytest.approx([0.1, 0.4, 0.7])
        assert {bar.get_y() for bar in bars.patches} == {0.5}
        assert [label.get_text() for label in bars.get_xticklabels()] == [
            "Oslo",
            "Rome",
            "(missing)",
        ]

    def test_dates_are_a_line(self):
        days = np.array(["2020-01-01", "2021-06-01", "2023-01-01"], "datetime64[s]")
        (axes,) = drawn(plots.dependence([panel(cells=days)], ["y"], "price")).axes
        assert "2021" in [label.get_text() for label in axes.get_xticklabels()]

    def test_of_several_answers_each_has_its_colour_and_of_many_those_that_move(self):
        answers = np.zeros((3, 9))
        answers[1] = np.arange(9)
        names = [f"class {k}" for k in range(9)]
        figure = drawn(plots.dependence([panel(answers=answers, base=[0.0] * 9)], names, "p"))
        assert len(figure.axes[0].lines) == 7
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == names[2:]

    @pytest.mark.parametrize("count", [1, 2, 4, 6])
    def test_panels_that_are_not_needed_are_not_seen(self, count):
        figure = drawn(plots.dependence([panel(f"x{k}") for k in range(count)], ["y"], "y"))
        assert sum(axes.get_visible() for axes in figure.axes) == count

    def test_names_are_drawn_as_they_stand(self):
        each = [
            panel(name, AWKWARD_NAMES, np.ones((len(AWKWARD_NAMES), 1))) for name in AWKWARD_NAMES
        ]
        drawn(plots.dependence(each[:6], [AWKWARD_NAMES[0]], AWKWARD_NAMES[0]))

    def test_a_single_cell_is_drawn(self):
        one = panel(cells=np.array([2.0]), answers=[[0.2]])
        drawn(plots.dependence([one], ["yes"], "probability"))

    def test_there_must_be_something_to_draw(self):
        with pytest.raises(DataError, match="no columns"):
            plots.dependence([], ["yes"], "probability")
