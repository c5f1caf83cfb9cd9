"""The page of a run in a browser: its network, drawn and in numbers, is what Python computes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium
from panels import choose, opened, press, show_all, texts
from run_pages import Shown, planar_run, written_page

from clearprop.core.expressions import number_text
from clearprop.core.printable import readable
from clearprop.network.probe import Record, watched

pytestmark = pytest.mark.browser

LEFT, RIGHT, DOWN, ENTER = "\ue012", "\ue014", "\ue015", "\ue007"


@pytest.fixture(scope="module")
def page(digits: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_page(tmp_path_factory.mktemp("digits") / "digits.html", digits.page)


@pytest.fixture(autouse=True)
def no_errors(browser: Chromium) -> Iterator[None]:
    yield
    assert browser.errors() == []
    assert browser.all("p.error") == []


def test_the_network_is_drawn_and_its_layers_open(browser: Chromium, page: Path) -> None:
    opened(browser, page, "drawing")
    browser.find("#drawing svg .node")
    assert texts(browser, "#drawing .column-name") == [
        "input",
        "Dense(24)",
        "Dense(12)",
        "Dense(10)",
    ]
    assert texts(browser, "#drawing .column-after") == ["Flatten", "ReLU", "Dropout(0.1)", "Tanh"]
    assert len(browser.all("#drawing .node")) == 12 + 10
    assert len(browser.all("#drawing .block")) == 2
    # From 64 inputs in 12 groups to 24 units in 12, from those to 12 units, and from these to 10.
    assert len(browser.all("#drawing line.weight")) == 12 * 12 + 12 * 12 + 12 * 10
    press(browser, '#drawing [aria-label="Open layer 6, Dense(10)"]', ENTER)
    browser.find("#matrices .heat-field")
    chosen = "return document.querySelector('#matrices select')?.value"
    browser.until(lambda: browser.run(chosen) == "6", "another layer is open")


def test_lines_are_drawn_by_the_sign_and_the_size_of_weights(
    browser: Chromium, tmp_path: Path
) -> None:
    shown = planar_run()
    opened(browser, written_page(tmp_path / "planar.html", shown.page), "drawing")
    browser.find("#drawing line.weight")
    drawn = browser.run(
        "return [...document.querySelectorAll('#drawing line.weight')].map((one) => "
        "[one.classList.contains('negative'), Number(one.getAttribute('stroke-width'))])"
    )
    W = [shown.network.parameters[name].ravel() for name in ("0.W", "2.W")]
    expected = [(w < 0, abs(w) / np.abs(one).max()) for one in W for w in sorted(one, key=abs)]
    assert [negative for negative, _ in drawn] == [negative for negative, _ in expected]
    widths = [0.4 + 4.6 * share for _, share in expected]
    np.testing.assert_allclose([width for _, width in drawn], widths, atol=0.006)


def entry_lines(browser: Chromium, matrix: int, entry: str) -> list[str]:
    """Open an entry of the chosen layer's matrix by its number, and return what is written."""
    field = browser.all("#matrices .entry-place")[matrix]
    field.clear()
    field.send_keys(entry, ENTER)
    card = f"#matrices .matrix:nth-child({matrix + 1})"
    browser.says(f"{card} .entry h4", f"[{entry}]")
    return texts(browser, f"{card} .arithmetic p")


def test_any_entry_has_its_value_gradient_and_update(
    browser: Chromium, page: Path, digits: Shown
) -> None:
    network, x, y = digits.network, digits.x, digits.truth
    opened(browser, page, "matrices")
    browser.find("#matrices .heat-field")
    choose(browser, "#matrices select", "6")
    browser.says("#matrices .matrix-head", "W 12 × 10")
    trained = without_dropout(network)
    loss, gradient = trained.loss_and_gradient(x[:1], y[:1])
    assert f"has the loss {readable(loss)}" in browser.text("#matrices .note")
    W, dW = network.parameters["6.W"], gradient["6.W"]
    lines = entry_lines(browser, 0, "3,4")
    assert lines[0] == f"W[3,4] = {number_text(W[3, 4])}"
    assert lines[1:4] == [
        "dW[3,4] = x[0,3]*dy[0,4]",
        lines[2],
        f"= {number_text(dW[3, 4])}",
    ]
    m, v = 0.1 * dW[3, 4], 0.001 * dW[3, 4] ** 2
    after = W[3, 4] - 0.01 * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8)
    assert lines[-3].startswith("W_new[3,4] = W[3,4] - learning_rate*(m_W[3,4] / (1 - beta_1))")
    assert lines[-1] == f"= {number_text(after)}"
    lines = entry_lines(browser, 2, "0,4")
    p = network.predict_proba(x[:1])[0, 4]
    right = int(y[0] == 4)
    assert lines[-3:] == [
        "dlogits[0,4] = (p[0,4] - [y[0] = 4]) / N",
        f"= ({number_text(p)} - {right}) / 1",
        f"= {number_text(p - right)}",
    ]
    of_all = browser.all("#matrices .choices button")[1]
    browser.run("arguments[0].click()", of_all)  # which may lie below the contents
    loss, gradient = trained.loss_and_gradient(x, y)
    browser.says("#matrices .note", f"200 samples have the mean loss {readable(loss)}")
    lines = entry_lines(browser, 0, "3,4")
    assert lines[1].startswith("dW[3,4] = x[0,3]*dy[0,4] + x[1,3]*dy[1,4] + ")
    assert lines[1].endswith(" + ... + x[199,3]*dy[199,4]")
    assert lines[3] == f"= {number_text(gradient['6.W'][3, 4])}"


def without_dropout(network: Any) -> Any:
    """Return the network with the same numbers, that drops nothing when it learns."""
    import clearprop as cp

    layers = [cp.Dropout(0.0) if isinstance(one, cp.Dropout) else one for one in network.layers]
    twin = cp.Network(layers, loss=network.loss, input_shape=network.input_shape, dtype="float64")
    twin.parameters.data[...] = network.parameters.data
    return twin


def test_an_entry_of_an_output_is_written_out_and_wrong_ones_are_refused(
    browser: Chromium, page: Path, digits: Shown
) -> None:
    opened(browser, page, "matrices")
    browser.find("#matrices .heat-field")
    choose(browser, "#matrices select", "5")
    browser.says("#matrices .matrix-head", "y 1 × 12")
    record = Record()
    watched(digits.network, record).logits(digits.x[:1])
    (tanh,) = (one for one in record.forwards if one.name == "5")
    lines = entry_lines(browser, 0, "0,7")
    assert lines[:3] == [
        "y[0,7] = tanh(x[0,7])",
        f"= tanh({number_text(tanh.x[0, 7])})",
        f"= {number_text(tanh.y[0, 7])}",
    ]
    field = browser.find("#matrices .entry-place")
    field.clear()
    field.send_keys("0,12", ENTER)
    message = "return document.querySelector('#matrices .entry-place').validationMessage"
    assert browser.run(message) == "Expected 2 whole numbers from 0, below 1, 12."


def test_a_heat_map_is_read_by_keys(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "matrices")
    browser.find("#matrices .heat-field")
    press(browser, "#matrices .heat-field", RIGHT, RIGHT, DOWN)
    W = digits.network.parameters["1.W"]
    assert browser.text("#matrices .heat-readout") == f"W[1,2] = {readable(W[1, 2])}"
    press(browser, "#matrices .heat-field", ENTER)
    browser.says("#matrices .entry h4", "1.W[1,2]")
    colours = browser.run(
        "const canvas = document.querySelector('#matrices canvas.heat');"
        "return [[canvas.width, canvas.height], "
        "[...canvas.getContext('2d').getImageData(2, 1, 1, 1).data]]"
    )
    assert colours[0] == [24, 64]
    share = abs(W[1, 2]) / np.abs(W).max()
    assert colours[1][3] == pytest.approx(255 * share, abs=1)
    # Orange is positive, blue negative.
    assert (colours[1][0] > colours[1][2]) == (W[1, 2] > 0)


def test_first_weights_are_pictures(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "first-weights")
    browser.find("#first-weights canvas")
    assert len(browser.all("#first-weights canvas")) == 24
    alphas = browser.run(
        "const canvas = document.querySelectorAll('#first-weights canvas')[5];"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, 8, 8);"
        "return [...data].filter((_, n) => n % 4 === 3)"
    )
    W = np.abs(digits.network.parameters["1.W"])
    largest = np.sort(W.ravel())[int(0.995 * (W.size - 1))]
    np.testing.assert_allclose(alphas, 255 * np.minimum(1, W[:, 5] / largest), atol=1)


def test_one_sample_goes_through_all_layers(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "activations")
    browser.find("#activations .sample-answer .bars")
    press(browser, ".bench .turn:last-of-type", ENTER)
    browser.says("#activations .sample-given", "sample 1, row 2: 1")
    shares = digits.page.model.predict_proba(digits.page.samples[1].X[1:2])[0]
    names = texts(browser, "#activations .bar-name")
    assert names == [str(k) for k in np.argsort(-shares, kind="stable")]
    written = texts(browser, "#activations .bar-value")
    assert written == [f"{100 * share:.1f}%" for share in np.sort(shares)[::-1]]
    right = shares.argmax() == 1
    assert (", which is right." if right else ", which is wrong.") in browser.text(".sample-answer")
    record = Record()
    watched(digits.network, record).logits(digits.x[1:2])
    outputs = {one.name: one.y[0] for one in record.forwards}
    heads = texts(browser, "#activations .layer-head")
    assert [head.split()[0] for head in heads] == ["1", "2", "4", "5", "6"]
    for head in heads:
        y = outputs[head.split()[0]]
        low, high = readable(y.min()), readable(y.max())
        assert f"{y.size} numbers from {low} to {high}, {(y == 0).sum()} of them zero" in head


def test_dead_units_are_counted_and_named(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "shares")
    browser.find("#shares .card")
    record = Record()
    watched(digits.network, record).logits(digits.x)
    relu = next(one.y for one in record.forwards if one.name == "2")
    dead = np.flatnonzero((relu == 0).all(axis=0))
    assert 3 in dead
    card = browser.text("#shares .card:first-child")
    assert f"{len(dead)} of 24 units" in card
    assert f"Which are dead{', '.join(map(str, dead))}" in card
    shares = 100 * (relu > 0).mean(axis=0)
    said = browser.find("#shares .card:first-child svg").get_attribute("aria-label")
    assert said == (
        "share of 200 samples for which each of 24 units is above zero, "
        f"from {shares.max():.1f}% down to {shares.min():.1f}%"
    )
    assert "None of 12 units is dead." in browser.text("#shares .card:nth-child(2)")


def test_gradients_and_updates_by_layer(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "flow")
    browser.find("#flow .bars")
    _, gradient = without_dropout(digits.network).loss_and_gradient(digits.x, digits.truth)
    names = list(digits.network.parameters)
    figure = "#flow .charts figure:nth-child(2)"
    assert texts(browser, f"{figure} .bar-name") == names
    sizes = [np.sqrt((gradient[name] ** 2).mean()) for name in names]
    assert texts(browser, f"{figure} .bar-value") == [readable(size) for size in sizes]
    figure = "#flow .charts figure:nth-child(3)"
    for text, name in zip(texts(browser, f"{figure} .bar-value"), names, strict=True):
        g, w = gradient[name], digits.network.parameters[name]
        step = 0.01 * g / (np.abs(g) + 1e-8)
        change = np.sqrt((step**2).mean()) / np.sqrt((w**2).mean())
        assert float(text) == pytest.approx(change, rel=6e-3)


def test_layers_in_two_dimensions(browser: Chromium, page: Path, digits: Shown) -> None:
    opened(browser, page, "projection")
    browser.says("#projection .note", "of all their variance")
    record = Record()
    watched(digits.network, record).logits(digits.x)
    outputs = {one.name: one.y for one in record.forwards}
    for layer in ("5", "1"):
        choose(browser, "#projection select", layer)
        centred = outputs[layer] - outputs[layer].mean(axis=0)
        squares = np.linalg.svd(centred, compute_uv=False) ** 2
        first, second = 100 * squares[:2] / squares.sum()
        browser.says(
            "#projection .note", f"tell {first:.1f}% and {second:.1f}% of all their variance"
        )
    assert texts(browser, "#projection .legend li") == [str(k) for k in range(10)]


def test_numbers_that_are_not_finite_are_shown_as_such(
    browser: Chromium, digits: Shown, tmp_path: Path
) -> None:
    diverged = np.full(digits.network.parameters.data.size, np.nan)
    page = replace(digits.page, kept=[(0, digits.kept[0][1]), (1, diverged)])
    browser.open(written_page(tmp_path / "diverged.html", page))
    browser.find(".timeline").send_keys(LEFT)
    browser.says(".bench-epochs output", "epoch 1")
    show_all(browser)
    browser.show("drawing")
    browser.find("#drawing line.weight.wrong")
    browser.show("matrices")
    browser.says("#matrices .heat-readout", "W[0,0] = –")
    assert entry_lines(browser, 0, "3,4")[0] == "W[3,4] = nan"
