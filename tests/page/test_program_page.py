"""The page of a watched program, in a browser: what its server tells is what is drawn."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium

import clearprop as cp
from clearprop.studio.programs import Program
from clearprop.studio.serving import serve_live

pytestmark = pytest.mark.browser

DEAD = """
import numpy as np

rng = np.random.default_rng(1)
X = rng.normal(size=(20, 3))
Y = (X[:, :1] > 0) * 1.0
W1, W2 = rng.normal(size=(3, 5)), rng.normal(size=(5, 1))
b1 = np.array([-50.0, -50.0, -50.0, 0.0, 0.0])
costs = []
for epoch in range(400):
    H = np.maximum(0, X @ W1 + b1)
    P = 1 / (1 + np.exp(-(H @ W2)))
    cost = np.mean((P - Y) ** 2)
    costs.append(cost)
    dP = 2 * (P - Y) / Y.size * P * (1 - P)
    dW2 = H.T @ dP
    dH = dP @ W2.T * (H > 0)
    dW1 = X.T @ dH
    db1 = dH.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
print("cost: <b>" + str(cost) + "</b>")
"""

ENDLESS = DEAD.replace("print", "while True: pass\nprint")


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture
def watched(browser: Chromium, tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    """Watch a program in the browser, from its first moment."""
    opened: list[Any] = []

    def watch(text: str) -> Program:
        file = tmp_path / "mine.py"
        file.write_text(text)
        program = Program(file)
        server = serve_live(program)
        opened.extend((server, program))
        browser.driver.get(server.address)
        browser.says("h1", "mine.py")
        program.start()
        return program

    yield watch
    browser.driver.get("about:blank")
    for one in opened:
        with closing(one):
            pass


def show(browser: Chromium, part: str) -> None:
    """Bring a part of the page into the window, where it is drawn."""
    browser.until(lambda: browser.find(f"#{part}").is_displayed(), f"{part} has nothing to show")
    browser.run("document.getElementById(arguments[0]).scrollIntoView()", part)


def seen(browser: Chromium, part: str) -> list[str]:
    """Return the names on the cards of a part of the page."""
    titles = browser.run(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)",
        f"#{part} .program-card h4",
    )
    return sorted(titles)


def test_a_program_is_shown_by_its_own_names(
    browser: Chromium, watched: Callable[[str], Program]
) -> None:
    watched(DEAD)
    browser.says(".live-state", "Ended")
    browser.says(".live-told", "epoch = 399")
    show(browser, "parameters")
    browser.until(lambda: seen(browser, "parameters") == ["W1", "W2", "b1"], "no parameters")
    show(browser, "gradients")
    browser.until(lambda: seen(browser, "gradients") == ["dW1", "dW2", "db1"], "no gradients")
    show(browser, "activations")
    browser.until(lambda: set(seen(browser, "activations")) >= {"H", "P"}, "no activations")
    browser.says("#activations", "% of it is zero.")
    browser.says("#findings", "Dead ReLUs: H: 60% of the units give zero for every sample.")
    show(browser, "cost")
    browser.says("#cost .program-lists .legend", "entry 400")
    show(browser, "printed")
    browser.says("#printed pre", "cost: <b>0.")  # text, and no markup
    assert browser.errors() == []


def test_the_check_stands_beside_it(browser: Chromium, watched: Callable[[str], Program]) -> None:
    watched(DEAD.replace("(H > 0)", "(H < 0)"))
    browser.says("#verdict", "Line 17 is where it goes wrong.")
    browser.says("#verdict pre", "dH = dP @ W2.T * (H < 0)")
    show(browser, "parameters")
    browser.says("#parameters", "The check: its gradient is wrong.")


def test_an_endless_program_is_ended_by_a_button(
    browser: Chromium, watched: Callable[[str], Program]
) -> None:
    program = watched(ENDLESS)
    browser.says("#cost .program-lists .legend", "entry 400")
    waiting = threading.Thread(target=program.wait)
    waiting.start()
    browser.run(
        "[...document.querySelectorAll('.live-bar button')]"
        ".find((one) => one.textContent === 'Stop the program').click()"
    )
    browser.says(".live-state", "Stopped")
    waiting.join(60)
    assert not waiting.is_alive()
    show(browser, "parameters")
    browser.until(lambda: seen(browser, "parameters") == ["W1", "W2", "b1"], "the picture is gone")


def test_what_a_program_failed_with_is_said(
    browser: Chromium, watched: Callable[[str], Program]
) -> None:
    watched(DEAD.replace("print(", "X @ W2\nprint("))
    browser.says(".live-state", "Failed")
    browser.says(".program-why", "X @ W2")
    browser.says(".program-why", "Two arrays that don't fit are multiplied")


def test_a_block_is_shown_with_what_it_logs(browser: Chromium) -> None:
    with cp.watch(live=True) as live:
        browser.driver.get(live.address)
        browser.says("h1", "test_program_page.py")
        W = np.ones((2, 3))
        for step in range(40):
            live.log(cost=1 / (step + 1), parameters={"<i>W": W}, gradients={"<i>W": 0 * W})
            W = W * 0.9
    browser.says(".live-state", "Ended")
    show(browser, "parameters")
    browser.until(lambda: seen(browser, "parameters") == ["<i>W"], "no parameters")
    browser.says("#parameters", "An update changes 10.000% of it.")
    show(browser, "cost")
    browser.says("#cost .program-lists .legend", "entry 40")
    assert browser.errors() == []
    browser.driver.get("about:blank")
    live.close()
