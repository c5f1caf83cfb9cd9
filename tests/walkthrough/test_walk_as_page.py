"""The page of a walk: whole, by itself, readable without a mouse, and small."""

import base64
import io
import json
from collections import Counter
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import clearprop as cp
from clearprop.core.html import sample_picture
from clearprop.errors import OutputError
from clearprop.walkthrough.drawings import heat_map, unit_picture

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What stands in a page; every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.summaries: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
            if self.open and self.open[-1] == "summary":
                self.summaries.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


@dataclass(frozen=True)
class Hostile(cp.Layer):
    """<script>alert("docstring")</script> & 'quotes'."""

    name: str = "<img src=x onerror=alert(1)>"

    def forward(self, params, x, trace):
        return x

    def backward(self, params, dy, trace, grads):
        return dy


def network(*layers: cp.Layer, inputs: int = 5) -> cp.Network:
    return cp.Network(
        [cp.Dense(9), *layers, cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(inputs,)
    )


@pytest.fixture
def walked() -> cp.Walk:
    X = np.random.RandomState(0).standard_normal((12, 5))
    layers = cp.BatchNorm(), cp.Tanh(), cp.Dropout(0.3), cp.Residual((cp.Dense(4), cp.Tanh()))
    return cp.walk(network(*layers), X, np.arange(12) % 2, sample=10, optimizer=cp.Adam())


def test_it_is_one_page_that_loads_nothing(walked):
    text = walked.to_html()
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert "http:" not in text
    assert "https:" not in text
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "url(" not in text
    policy = next(one for one in page.all("meta") if "http-equiv" in one)
    assert policy["content"].startswith("default-src 'none';")


def test_every_reference_leads_to_one_place(walked):
    page = Page(walked.to_html())
    ids = Counter(one["id"] for _, one in page.elements if "id" in one)
    links = [one["href"] for one in page.all("a")]
    assert set(ids.values()) == {1}
    assert [link.removeprefix("#") for link in links] == list(ids)
    assert len(links) == len(walked.steps)


def test_numbers_open_their_arithmetic_by_keyboard(walked):
    text = walked.to_html()
    page = Page(text)
    opening = [one for one in page.all("details") if one.get("name") == "number"]
    assert len(opening) > 100
    assert len(page.all("summary")) == len(page.all("details")) == len(opening) + len(walked.steps)
    assert all(summary.strip() for summary in page.summaries)
    entry = walked.entry("0.y[10,2]")
    said = " ".join(page.text)
    assert f"y[10,2] = {entry.arithmetic.symbols()}" in said
    assert f"= {entry.arithmetic.numbers()}" in said
    assert f"engine {entry.value!r}, operands {entry.total!r}" in said


def test_it_is_for_light_and_dark_and_names_its_language(walked):
    text = walked.to_html()
    assert "color-scheme: light dark" in text
    assert '<html lang="en">' in text
    assert '<meta name="viewport"' in text
    assert all(one["alt"] for one in Page(text).all("img"))


def test_everything_is_escaped():
    walked = cp.walk(network(Hostile()), np.ones((2, 5)), [0, 1])
    walked = replace(walked, title="<b>&amp; \"'", facts=("<i>facts</i>",))
    for text in (walked.to_html(), walked._repr_html_()):
        page = Page(text)
        assert not {"script", "b", "i"} & {tag for tag, _ in page.elements}
        assert all("src" not in one or one["src"].startswith("data:") for one in page.all("img"))
        said = " ".join(page.text)
        assert "<b>&amp; \"'" in said
        assert "It says: <script>alert(\"docstring\")</script> & 'quotes'." in said
    named = cp.walk(network(Hostile("</style><script>")), np.ones((2, 5)), [0, 1])
    assert "Hostile(name='</style><script>')" in " ".join(Page(named.to_html()).text)


def test_in_a_notebook_it_has_no_places_to_link_to(walked):
    for shown in (walked, walked["0.W"], walked["0.y"], walked.entry("0.y[10,2]")):
        page = Page(shown._repr_html_())
        assert page.elements[0] == ("div", {"class": "clearprop-walk"})
        assert not [one for _, one in page.elements if "id" in one or "href" in one]


def test_numbers_that_are_not_finite_are_marked():
    X = np.ones((3, 5))
    X[1, 2] = np.nan
    text = cp.walk(network(), X, [0, 1, 0]).to_html()
    assert "The first number that is not finite is input.X[1,2] = nan." in text
    assert "not finite from [1, 2] on" in text
    assert 'class="wrong"' in text
    Page(text)


@pytest.mark.parametrize("notation", ["engine", "course"])
def test_a_network_of_12288_inputs_gives_a_small_page_with_pictures(notation):
    net = cp.Network(
        [cp.Dense(20), cp.ReLU(), cp.Dense(7), cp.ReLU(), cp.Dense(5), cp.ReLU(), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(12_288,),
    )
    X, y = np.random.RandomState(0).rand(209, 12_288), np.arange(209) % 2
    walked = cp.walk(
        net, X, y, sample=100, notation=notation, optimizer=cp.Adam(), picture_shape=(64, 64, 3)
    )
    text = walked.to_html()
    assert len(text) < 1_000_000
    assert len(json.dumps(walked.to_dict())) < 100_000
    said = [one["alt"] for one in Page(text).all("img")]
    assert said.count("unit 19") == 2  # of the weights, and of their gradient
    assert "sample 100" in said
    assert any("is the mean of up to" in one for one in said)


def test_the_page_of_a_deep_network_shows_less_of_each_matrix():
    layers = [cp.Dense(64, bias=False), cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.2)] * 6
    net = cp.Network([*layers, cp.Dense(10)], loss=cp.SoftmaxCrossEntropy(), input_shape=(784,))
    random_state = np.random.RandomState(0)
    walked = cp.walk(net, random_state.rand(64, 784), np.arange(64) % 10, optimizer=cp.Adam())
    assert len(walked.to_html()) < 2_000_000


def test_it_is_written_whole_or_not_at_all(walked, tmp_path):
    walked.save(tmp_path / "step.html")
    assert (tmp_path / "step.html").read_text(encoding="utf-8") == walked.to_html()
    with pytest.raises(OutputError, match="can't be written"):
        walked.save(tmp_path / "nowhere/step.html")


def pixels(source: str) -> np.ndarray:
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"), validate=True)
    image = Image.open(io.BytesIO(data))
    return np.asarray(image.convert("RGBA") if image.mode == "P" else image)


def test_heat_maps_show_sign_by_hue_and_size_by_strength():
    drawn = heat_map(np.array([[1.0, -2.0], [0.0, np.nan]]))
    found = pixels(drawn.source)
    assert (drawn.height, drawn.width, drawn.rows, drawn.columns) == (2, 2, 1, 1)
    assert found[:, :, 3].tolist() == [[126, 255], [0, 0]]
    orange, blue = found[0, 0], found[0, 1]
    assert orange[0] > orange[2]
    assert blue[2] > blue[0]


def test_large_heat_maps_are_means_of_blocks():
    matrix = np.zeros((130, 3))
    matrix[:3] = [[3.0, 0, 0], [3.0, 0, 0], [0.0, 0, 0]]
    matrix[129] = 1.0
    drawn = heat_map(matrix)
    found = pixels(drawn.source)
    assert (drawn.height, drawn.width, drawn.rows, drawn.columns) == (44, 3, 3, 1)
    # The first block's mean is 2, that of the last, of a single row, 1.
    assert found[0, :, 3].tolist() == [255, 0, 0]
    assert found[-1, :, 3].tolist() == [126, 126, 126]
    assert not found[1:-1, :, 3].any()


def test_samples_are_drawn_as_they_are_or_stretched():
    assert pixels(sample_picture(np.array([[0.0, 0.5], [1.0, 0.2]]))).tolist() == [
        [0, 128],
        [255, 51],
    ]
    assert pixels(sample_picture(np.array([[-1.0, 3.0]]))).tolist() == [[0, 255]]
    assert pixels(sample_picture(np.full((2, 2), 7.0))).tolist() == [[0, 0], [0, 0]]
    assert pixels(sample_picture(np.ones((256, 128, 3)))).shape == (64, 32, 3)


def test_units_are_drawn_against_the_largest_of_all():
    colours = np.array([[[2.0, 0.0, -4.0]]])
    assert pixels(unit_picture(colours, 4.0)).tolist() == [[[191, 128, 0]]]
    assert pixels(unit_picture(np.array([[2.0, -9.0]]), 4.0))[0, :, 3].tolist() == [126, 255]
    assert pixels(unit_picture(np.zeros((2, 2, 3)), 0.0)).tolist() == [[[128] * 3] * 2] * 2
