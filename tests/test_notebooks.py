"""What objects show in notebooks: whole HTML, hostile names harmless, readable on both themes."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.files.models import Model

HOSTILE = "<script>alert(1)</script> \x1b[31m\u202e\"'&"
VOID = {"img", "br", "line", "circle", "path", "polyline"}


class Page(HTMLParser):
    """Tags that close where they should, cells by row, and all text but style sheets."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(shown)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def network(*layers, inputs=(3,)):
    return cp.Network(
        [*layers, cp.Dense(2), cp.Tanh(), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=inputs,
    )


def history(best=None):
    rows = [
        {"epoch": n, "step": n, "loss": loss, "validation_loss": loss + 1, "accuracy": 0.1 * n}
        for n, loss in enumerate([3.0, 2.0, float("nan"), 1.0], start=1)
    ]
    made = cp.History(rows)
    made.best_epoch, made.stopped = best, "early"
    return made


def table():
    columns = {HOSTILE: np.array([1234567.0, np.nan]), "b": Words.of([HOSTILE, ""])}
    return cp.Dataset("a", "table", Table(columns), np.array([0, 1]), (HOSTILE, "no"))


def pictures():
    X = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
    return cp.Dataset("p", "pictures", X, np.array([1, 0, 1]), ("x", HOSTILE))


def values():
    X = np.random.RandomState(0).standard_normal((4, 20))
    return cp.Dataset("v", "array", X, np.array([1.5, 2.0, 3.0, 2.5e6]), None)


def model():
    data = table()
    recipe = cp.fit_recipe(data)
    training = {"score": {"score": "accuracy", "accuracy": 0.5, "samples": 7}, HOSTILE: HOSTILE}
    return Model(network(inputs=recipe.inputs.input_shape), recipe, training)


def check():
    X, y = np.random.RandomState(0).standard_normal((5, 3)), np.array([0, 1, 0, 1, 1])
    return cp.check_gradients(network(), X, y)


def examination():
    doctor, moons = cp.Doctor(), cp.load_data("moons")
    net = network(inputs=(2,))
    net.parameters.data[...] = 0
    cp.Trainer(epochs=1).fit(net, moons.X, moons.y, callbacks=[doctor])
    return doctor.examination


EVERY = [
    *(table, pictures, values, model, check, examination, network, history, cp.History),
    lambda: network().summary(),
    lambda: examination()[0],
]


@pytest.mark.parametrize("make", EVERY)
def test_everything_is_whole_and_reads_on_light_and_dark(make):
    shown = make()._repr_html_()
    page = Page(shown)
    assert page.text.strip()
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    sources = [given["src"] or "" for tag, given in page.tags if tag == "img"]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    style = re.search("<style>(.*)</style>", shown, re.DOTALL)
    assert style is not None
    assert "@media (prefers-color-scheme: dark)" in style[1]
    for theme in ('data-jp-theme-light="true"', 'data-jp-theme-light="false"', ".vscode-dark"):
        assert theme in style[1]


@pytest.mark.parametrize("make", [table, pictures, model])
def test_names_are_shown_and_not_obeyed(make):
    shown = make()._repr_html_()
    assert r"<script>alert(1)</script> \x1b[31m\u202e" in Page(shown).text
    assert not {"\x1b", "\u202e"} & set(shown)
    assert not {"\x1b", "\u202e", "\n"} & set(repr(make()))


def test_a_summary_has_the_numbers_of_the_network():
    summary = network(cp.BatchNorm()).summary()
    rows = Page(summary._repr_html_()).rows
    # BatchNorm 3 + 3 learned, 3 + 3 kept; Dense 3*2 + 2; Dense 2*1 + 1; float64
    assert [row[4:] for row in rows[2:]] == [
        *(["6", "96 B"], ["8", "64 B"], ["", ""], ["3", "24 B"], ["17", "184 B"])
    ]
    assert repr(summary) == str(summary)
    assert str(summary).splitlines()[-1].split() == ["total", "17", "184", "B"]


def test_a_deep_network_leaves_out_its_middle():
    net = network(*(cp.Dense(4) for _ in range(30)))
    assert "… 21 more layers …" in Page(net._repr_html_()).text


def test_pictures_enter_a_network_with_their_shape():
    assert "4×5×3" in Page(network(cp.Flatten(), inputs=(4, 5, 3))._repr_html_()).text


def test_a_history_shows_first_best_and_last_epoch():
    page = Page(history(best=2)._repr_html_())
    assert page.text.startswith("\n\n4 epochs, stopped early; the best is epoch 2")
    assert [row[:3] for row in page.rows] == [
        ["epoch", "step", "loss"],
        ["1", "1", "3"],
        ["2 (best)", "2", "2"],
        ["4", "4", "1"],
    ]
    lines = [given for tag, given in page.tags if tag == "line"]
    # a third of the way from epoch 1 to 4, in both charts
    assert [float(given["x1"] or "nan") for given in lines] == [
        pytest.approx(56 + 260 / 3, abs=0.1)
    ] * 2
    dots = [given for tag, given in page.tags if tag == "circle"]
    assert len(dots) == 2  # epoch 4 of both losses, behind the gap
    assert not [1 for tag, _ in Page(history()._repr_html_()).tags if tag == "line"]


def test_a_chart_is_scaled_to_its_numbers():
    page = Page(
        cp.History([{"epoch": n, "step": n, "loss": 3.0 - n} for n in (1, 2)])._repr_html_()
    )
    (line,) = [given["points"] for tag, given in page.tags if tag == "polyline"]
    assert line == "56.0,22.0 316.0,162.0"


def test_a_history_from_cross_validation_has_its_best_epoch_marked():
    from clearprop.experiment import Settings, learn, load_dataset, set_task

    settings = Settings(data="iris", epochs=3)
    trained = learn(set_task(settings, load_dataset(settings)))
    assert trained.out_of_fold is not None
    best = trained.history.best_epoch
    assert f"the best is epoch {best}" in trained.history._repr_html_()
    (loss, score) = trained.history.plot().axes
    assert loss.get_title(loc="left").endswith(f"at epoch {best}")
    assert "best epoch" in [text.get_text() for text in loss.get_legend().get_texts()]
    assert score.get_ylabel() == "accuracy"


def test_figures_show_themselves(tmp_path):
    (tmp_path / "shown.png").write_bytes(history(best=2).plot()._repr_png_())
    with Image.open(tmp_path / "shown.png") as image:
        assert image.format == "PNG"
        assert image.size == (800, 340)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (values, "Dataset 'v': 4 arrays of 20, float64, target from 1.5 to 2,500,000"),
        (
            lambda: cp.load_data("moons"),
            "Dataset 'moons': 400 arrays of 2, float64, 2 classes (upper, lower)",
        ),
        (
            lambda: cp.load_data("iris"),
            "Dataset 'iris': 150 rows of 4 columns (sepal length (cm), sepal width (cm), petal "
            "length (cm), petal width (cm)), 3 classes (setosa, versicolor, virginica)",
        ),
    ],
)
def test_data_are_a_line(make, line):
    assert repr(make()) == line


def test_data_show_their_first_rows():
    rows = Page(table()._repr_html_()).rows
    assert [row[0] for row in rows[1:3]] == ["1,234,567", ""]
    assert rows[-2][1:] == ["1", "50.0%"]
    assert len(Page(values()._repr_html_()).rows[0]) == 8 + 1 + 1


def test_a_model_tells_its_score_and_is_a_line():
    shown = model()
    assert ["held out", "accuracy 0.5000 on 7 samples"] in Page(shown._repr_html_()).rows
    assert len(repr(shown)) < 400
    assert repr(shown).startswith("Model of a table with the columns <script>")


def test_a_model_without_a_recipe_is_shown():
    shown = Model(network())
    assert repr(shown) == "Model of prepared arrays: values; 11 parameters"
    assert "11 parameters" in Page(shown._repr_html_()).text


def test_a_score_that_is_none_does_no_harm():
    shown = Model(network(), training={"score": {"score": ["x"], "baselines": {"linear": 3}}})
    assert "held out" in Page(shown._repr_html_()).text


def test_reports_are_their_own_text():
    for report in (check(), examination()):
        assert repr(report) == str(report)
    page = Page(check()._repr_html_())
    assert [row[-1] for row in page.rows[1:]] == ["right"] * 4
    assert "Equal weights" in Page(examination()._repr_html_()).text


def test_predicting_from_what_people_have(tmp_path: Path):
    data = table()
    cp.save(tmp_path / "m.safetensors", model())
    loaded = cp.load(tmp_path / "m.safetensors")
    columns = {HOSTILE: [1234567.0, 1234567.0, 1234567.0], "b": [HOSTILE, "", HOSTILE]}
    assert set(loaded.predict(columns)) <= {HOSTILE, "no"}
    assert loaded.predict_proba(columns).shape == (3, 2)
    np.testing.assert_array_equal(loaded.predict(data.X), model().predict(data.X))
