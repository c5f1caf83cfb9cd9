"""What is done in the playground of a page, and read of it."""

from pathlib import Path

import numpy as np
from browser import Chromium
from numpy.typing import NDArray

import clearprop as cp
from clearprop.files.models import Model
from clearprop.page import pack
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing
from clearprop.report import RunPage, page_data
from clearprop.training import History


def model_of_moons() -> Model:
    moons = cp.load_data("moons")
    layers = [cp.Dense(6), cp.Tanh(), cp.Dense(2)]
    net = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(2,), seed=1)
    recipe = Preprocessing(ArrayRecipe.fit(moons.X), ClassTarget(moons.class_names, "moon"))
    return Model(net, recipe, {})


def page_of_moons(folder: Path, **others: object) -> Path:
    told = {"name": "moons", "command": "clearprop train moons", "model": model_of_moons()}
    run = RunPage(**(told | others), history=History(), report={})
    path = folder / "page.html"
    path.write_text(pack(page_data([run]), title="moons"), encoding="utf-8")
    return path


def opened(browser: Chromium, page: Path, address: str = "") -> None:
    browser.open(page, address)
    browser.show("playground")


def press(browser: Chromium, text: str) -> None:
    """Click on the button with a text."""
    buttons = browser.all("#playground button")
    click(browser, next(one for one in buttons if one.text == text))


def click(browser: Chromium, element: object) -> None:
    browser.run("arguments[0].click()", element)


def fill(browser: Chromium, name: str, value: str) -> None:
    """Set one of the fields, as a person leaves it."""
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
    browser.run(script, browser.find(f".play-form [name={name}]"), value)


def epoch(browser: Chromium) -> int:
    return int(browser.text(".play-status").split()[1].strip(":").replace(",", ""))


def picture(browser: Chromium, selector: str) -> NDArray[np.uint8]:
    """Return what a canvas shows, RGBA."""
    browser.find(selector)
    script = """
        const canvas = document.querySelector(arguments[0]);
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        return [width, height, [...data]];
    """
    width, height, levels = browser.run(script, selector)
    return np.array(levels, np.uint8).reshape(height, width, 4)


def plane(browser: Chromium) -> NDArray[np.uint8]:
    return picture(browser, ".play .plane-answers")
