"""What the benchmark writes: results, tables, the picture, and README's part of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

from bench import picture, report, results  # noqa: E402
from bench.cells import CELLS  # noqa: E402
from bench.fits import TABLE as FITS  # noqa: E402
from bench.growth import PEERS, SIZES, TABLE  # noqa: E402
from bench.markdown import conditions, summary, tables  # noqa: E402
from bench.results import Figure, Line, Results  # noqa: E402
from bench.words import amount, mark, short  # noqa: E402
from clearprop.errors import DataError  # noqa: E402

FACTS = {"date": "2026-01-02", "machine": "A, 2 cores", "Python": "3.11"}


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ").splitlines()


def test_a_table_shows_times_ratios_and_what_is_not_comparable():
    line = Line(
        "a",
        "[3, 2]; Adam",
        "Training",
        "s",
        {
            "clearprop": Figure(0.002, 1.0),
            "scikit-learn": Figure(0.02, 10.0, "1 thread", remark="one output"),
            "PyTorch": Figure(0.0015, 0.75, "2 threads", agrees=True),
            "JAX": Figure(0.001, 0.5, agrees=False),
            "Keras": Figure(None, None, "on jax", remark="97.00% at best"),
            "PyTorch compiled": Figure(None, remark="failed: no compiler"),
            "floor": Figure(0.001, 0.5, "1 thread"),
        },
    )
    other = Line("b", "other", "Training", "bytes", {"clearprop": Figure(2e6)})
    assert plain(tables(Results((line, other)))) == [
        "**Training**",
        "",
        "|  | [3, 2]<br>Adam | other |",
        "| --- | ---: | ---: |",
        "| clearprop | 2.00 ms | **2.00 MB** |",
        "| scikit-learn | 20.0 ms, 10.0 ×¹<br>1 thread | – |",
        "| PyTorch | **1.50 ms, 0.75 ×**<br>2 threads | – |",
        "| PyTorch compiled | failed² | – |",
        "| JAX | other result | – |",
        "| Keras | 97.00% at best<br>on jax | – |",
        "| *clearprop over the floor* | 2.00 ×<br>floor 1.00 ms<br>1 thread | – |",
        "",
        "¹ scikit-learn: one output.",
        "",
        "² PyTorch compiled: no compiler.",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (12.34, "s", "12.3 s"),
        (0.99996, "s", "1,000 ms"),
        (0.0005, "s", "500 µs"),
        (1234.4, "s", "1,234 s"),
        (5.3e8, "bytes", "530 MB"),
        (None, "s", "–"),
    ],
)
def test_amounts_have_a_unit_that_suits_them(value, unit, words):
    assert amount(value, unit) == words


def test_no_more_digits_than_mean_something():
    assert [short(number) for number in (0.0456, 9.94, 9.96, 99.4, 99.6)] == [
        "0.05",
        "9.94",
        "10.0",
        "99.4",
        "100",
    ]
    assert mark(12) == "¹²"


def test_fits_have_a_table_of_samples_and_solvers():
    def line(samples, solver, ratio, **other):
        theirs = Figure(0.2, ratio, "1 thread", agrees=True)
        return Line(
            f"estimators-{samples}-{solver}",
            f"{samples}; {solver}",
            FITS,
            "s",
            {
                "clearprop": Figure(0.1, 1.0, agrees=True),
                "NumPy alone": Figure(0.2, 2.0, agrees=True),
                "scikit-learn": theirs,
            }
            | other,
        )

    failed = Figure(None, remark="failed: no memory")
    elsewhere = Figure(0.2, 9.0, agrees=False)
    lines = (
        line("A", "sgd", 2.0),
        line("A", "adam", 8.0),
        line("B", "sgd", 1.0, **{"scikit-learn": failed}),
        line("B", "lbfgs", 1.0, **{"scikit-learn": elsewhere}),
    )
    ours = "clearprop 100 ms<br>NumPy alone 200 ms, 2.00 ×"
    assert plain(tables(Results(lines))) == [
        f"**{FITS}**",
        "",
        "|  | sgd | adam | lbfgs |",
        "| --- | ---: | ---: | ---: |",
        f"| A | {ours}<br>scikit-learn 200 ms, 2.00 ×<br>1 thread "
        f"| {ours}<br>scikit-learn 200 ms, 8.00 ×<br>1 thread | – |",
        f"| B | {ours}<br>scikit-learn failed | – | {ours}<br>scikit-learn other result |",
        "",
        "In the geometric mean scikit-learn takes 4.00 × as long as clearprop, "
        "and 2.00 × as long as NumPy alone.",
    ]


def test_lines_that_are_measured_again_stay_in_their_place():
    old = [Line(name, name, "", "s", {}) for name in "ab"]
    found = Results().with_lines(old, {"date": "1"})
    again = found.with_lines([Line("a", "new", "", "s", {})], {"date": "2"})
    assert [line.title for line in again.lines] == ["new", "b"]
    assert again.measured == {"a": {"date": "2"}, "b": {"date": "1"}}


def test_results_come_back_from_their_file(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FILE", tmp_path / "results.json")
    assert Results.load() == Results()
    line = Line("a", "A", "T", "s", {"clearprop": Figure(1.5, 1.0, apart=1e-9, agrees=True)})
    saved = Results().with_lines([line], FACTS)
    saved.save()
    assert Results.load() == saved
    results.FILE.write_text('{"lines": [{}]}', encoding="utf-8")
    with pytest.raises(DataError, match=r"results\.json is not what"):
        Results.load()


def test_conditions_are_told_once_where_they_are_the_same():
    lines = [Line(name, name, "", "s", {}) for name in "abc"]
    once = Results().with_lines(lines, FACTS)
    assert conditions(once) == "Measured on 2026-01-02, A, 2 cores, Python 3.11.\n"
    twice = once.with_lines([lines[1]], FACTS | {"date": "2026-03-04"})
    assert conditions(twice).splitlines() == [
        "- Measured on 2026-01-02, A, 2 cores, Python 3.11: a, c.",
        "- Measured on 2026-03-04, A, 2 cores, Python 3.11: b.",
    ]


def grown():
    lines = [
        Line(
            f"growth-{what}-{size}",
            f"{what} {size}",
            TABLE,
            "s",
            {peer: Figure(size * (1 + place) * 1e-3) for place, peer in enumerate(PEERS)},
        )
        for what, sizes in SIZES.items()
        for size in sizes
    ]
    return Results().with_lines(lines, FACTS)


def test_the_picture_has_a_chart_for_each_kind_of_size_and_names_every_line():
    figure = picture.growth(grown())
    assert [axes.get_xlabel() for axes in figure.axes] == list(SIZES)
    for axes, sizes in zip(figure.axes, SIZES.values(), strict=True):
        assert [text.get_text() for text in axes.texts] == list(PEERS), "from the fastest up"
        assert [line.get_color() for line in axes.lines] == [
            text.get_color() for text in axes.texts
        ]
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), sizes)
        np.testing.assert_allclose(axes.lines[0].get_ydata(), np.array(sizes) / 100)


def test_the_report_shows_growth_only_where_it_was_measured():
    assert "growth.png" in report.text_of(grown())
    assert "| depth 8 | 8.00 ms |" in report.text_of(grown())
    line = Line("a", "A", "T", "s", {"clearprop": Figure(1.5)})
    assert "growth.png" not in report.text_of(Results().with_lines([line], FACTS))


@pytest.mark.parametrize("heights", [[0.1, 0.5, 0.9], [0.5] * 5, [0.2, 0.22, 0.25, 0.9]])
def test_names_are_moved_no_further_than_they_must(heights):
    moved = picture._apart(heights)
    assert np.diff(moved).min() >= picture._LINE - 1e-12
    assert np.mean(moved) == pytest.approx(np.mean(heights))
    if np.diff(heights).min() > picture._LINE:
        assert moved == heights


def test_the_small_table_has_a_row_for_each_line_and_a_column_for_whom_most_know():
    figures = {
        "clearprop": Figure(0.002, 1.0),
        "scikit-learn": Figure(0.001, 0.5, agrees=False),
        "PyTorch": Figure(None, remark="97.00% at best: never"),
        "JAX": Figure(0.0015, 0.75, "loop"),
        "Keras": Figure(0.0001),
    }
    lines = (Line("small-adam", "x", "T", "s", figures), Line("tiny-adam", "y", "T", "s", figures))
    heading, _, *rows = plain(summary(Results(lines)))
    assert heading == "|  | clearprop | NumPy alone | scikit-learn | PyTorch | JAX |"
    assert rows == [
        "| training [784, 64, 32, 10], 300 batches of 200 "
        "| 2.00 ms | – | – | 97.00% at best | 1.50 ms |"
    ], "in bold is who is fastest of all, who need not be in this table"


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(DataError, match="no place for the tables"):
        report.with_tables("table", "# clearprop\n")


@pytest.mark.parametrize(("page", "made"), [(report.README, summary), (report.PAGE, tables)])
def test_the_pages_show_the_tables_of_the_results(page, made):
    text = page.read_text(encoding="utf-8")
    assert report.with_tables(made(Results.load()), text) == text


def test_results_md_is_made_from_the_results():
    if not Results.load().lines:
        assert not report.FILE.exists()
    else:
        assert report.FILE.read_text(encoding="utf-8") == report.text_of(Results.load())


def test_every_line_of_the_results_belongs_to_a_cell():
    for line in Results.load().lines:
        assert line.name in CELLS or line.name.partition("-")[0] in CELLS
