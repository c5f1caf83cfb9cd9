"""The page's engine in a browser: the same numbers as in Python, as in Node."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium
from hypothesis import given, settings
from random_networks import Drawn, codes_and_numbers, networks, randomized
from twins import assert_trains_alike

import clearprop as cp
from clearprop.network import Network

pytestmark = pytest.mark.browser

ANSWERS = Path(__file__).with_name("engine_answers.mjs")


class Page:
    """A page that has loaded the engine's modules as they lie, and answers questions."""

    def __init__(self, browser: Chromium, folder: Path) -> None:
        page = folder / "engine.html"
        module = f'import {{ answerTo }} from "{ANSWERS.as_uri()}"; window.answerTo = answerTo;'
        page.write_text(f'<script type="module">{module}</script>', encoding="utf-8")
        browser.open(page)
        self.browser = browser
        browser.until(lambda: browser.run("return window.answerTo !== undefined"), "no engine")

    def ask(self, **question: Any) -> Any:
        answer = self.browser.run("return answerTo(arguments[0])", question)
        assert "error" not in answer, answer
        return answer["value"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium("--allow-file-access-from-files") as browser:
        yield Page(browser, tmp_path_factory.mktemp("engine"))


@given(networks())
@settings(max_examples=20)
def test_a_drawn_network_trains_alike_in_a_browser(page: Page, drawn: Drawn) -> None:
    assert_trains_alike(page, *drawn, seed=3)


def test_a_network_of_pictures_trains_alike_in_a_browser(page: Page) -> None:
    random = np.random.RandomState(0)
    # Without biases before the norm: their slope is 0, and Adam makes steps of its rounding.
    layers = [
        *(cp.Conv2D(3, bias=False), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
        cp.SpatialDropout2D(0.2),
        *(cp.Residual((cp.Conv2D(3), cp.GELU())), cp.AveragePool2D(), cp.Flatten(), cp.Dense(4)),
        *(cp.LayerNorm(), cp.Dropout(0.2), cp.Dense(3)),
    ]
    net = Network(layers, loss=cp.SmoothedCrossEntropy(), input_shape=(9, 8, 2))
    x, y = random.standard_normal((5, 9, 8, 2)), random.randint(0, 3, 5)
    assert_trains_alike(page, randomized(net, random), x, y, optimizer=cp.Adam(1e-3), seed=1)


def test_a_network_of_a_table_trains_alike_in_a_browser(page: Page) -> None:
    random = np.random.RandomState(0)
    first = cp.Columns.of_table(numbers=2, plain=1, sizes=(3, 4))
    layers = [first, cp.Scale(rate=6), cp.NTKDense(5), cp.Blend(cp.Mish()), cp.NTKDense(1)]
    net = Network(layers, loss=cp.Huber(), input_shape=(5,))
    x, y = codes_and_numbers(first, 6), random.standard_normal(6)
    assert_trains_alike(page, randomized(net, random), x, y, optimizer=cp.AdamW(1e-3))
