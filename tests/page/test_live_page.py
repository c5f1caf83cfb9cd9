"""The page of a run that goes on: it shows what its server tells, and asks what is clicked."""

import copy
import json
import queue
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from browser import Chromium, chromium
from run_pages import Shown, digits_run

from clearprop.core.printable import readable
from clearprop.page import pack
from clearprop.report import kept_data, page_data

pytestmark = pytest.mark.browser

ENDED = object()  # what ends a connection


class Teller:
    """A server of one page, that tells what a test wants told and keeps what it is asked."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.news: queue.Queue[Any] = queue.Queue()
        self.asked: queue.Queue[Any] = queue.Queue()
        self.refuses = False
        self._page = pack({"format": 1, "live": {"ended": False}, "runs": []}, title="", live=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def tell(self, name: str, **data: Any) -> None:
        self.news.put(f"event: {name}\ndata: {json.dumps(data)}\n\n")

    def close(self) -> None:
        self.news.put(ENDED)
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        teller = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def answer(self, text: str, kind: str, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def do_GET(self) -> None:
                if self.path == "/":
                    self.answer(teller._page, "text/html")
                elif self.path == "/state":
                    self.answer(json.dumps(teller.state), "application/json")
                elif self.path == "/events":
                    self.answer("retry: 100\n\nevent: state\ndata: {}\n\n", "text/event-stream")
                    while (told := teller.news.get()) is not ENDED:
                        self.wfile.write(told.encode())
                else:
                    self.answer("", "text/plain", 404)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if teller.refuses:
                    self.answer("Nothing trains now.", "text/plain", 409)
                else:
                    teller.asked.put(json.loads(body))
                    self.answer("{}", "application/json")

        return Handler


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shown() -> Shown:
    return digits_run()


def told(state: str, epoch: int) -> dict[str, Any]:
    return {"state": state, "epoch": epoch, "epochs": 6, "step": 25 * epoch, "rate": 0.01}


@pytest.fixture
def teller(shown: Shown, browser: Chromium) -> Iterator[Teller]:
    """Serve the run as it was after two of its epochs, and open it."""
    data = copy.deepcopy(page_data([shown.page]))
    (run,) = data["runs"]
    run["history"] = {name: values[:2] for name, values in run["history"].items()}
    run |= {"kept": run["kept"][:2], "report": {}, "told": told("running", 2), "best_epoch": None}
    teller = Teller(data | {"live": {"ended": False}})
    browser.driver.get(teller.address)
    browser.says(".live-told", "epoch 2 of 6, 50 updates")
    yield teller
    browser.driver.get("about:blank")
    teller.close()


def row(shown: Shown, place: int) -> dict[str, Any]:
    return {name: shown.page.history[name][place] for name in shown.page.history.columns}


def right_after(shown: Shown, place: int) -> int:
    said = shown.network_after(place).predict(shown.x)
    return int((said == shown.truth).sum())


def test_what_the_server_tells_is_drawn(browser: Chromium, teller: Teller, shown: Shown) -> None:
    browser.show("answers")
    browser.says("#answers p", f"{right_after(shown, 1)} of 200 embedded samples")
    browser.show("curves")
    browser.says("#curves .plot-where", "epoch 2")
    for place in (1, 2, 3):  # the state has the first of them already
        teller.tell("row", run=0, **row(shown, place))
    browser.says("#curves .plot-where", "epoch 4")
    loss = readable(shown.page.history["loss"][3])
    assert browser.text("#curves .legend output") == loss
    teller.tell("told", run=0, **told("running", 4))
    browser.says(".live-told", "epoch 4 of 6, 100 updates")
    epoch, parameters = shown.kept[2]
    teller.tell("kept", run=0, **kept_data(shown.network, epoch, parameters))
    browser.says(".bench-epochs output", "epoch 4")
    browser.show("answers")
    browser.says("#answers p", f"{right_after(shown, 2)} of 200 embedded samples")


def test_who_looks_at_an_earlier_epoch_is_left_there(
    browser: Chromium, teller: Teller, shown: Shown
) -> None:
    browser.find(".timeline").send_keys("\ue012")
    browser.says(".bench-epochs output", "epoch 0")
    epoch, parameters = shown.kept[2]
    teller.tell("kept", run=0, **kept_data(shown.network, epoch, parameters))
    browser.until(lambda: browser.find(".timeline").get_attribute("max") == "2", "nothing was kept")
    assert browser.text(".bench-epochs output") == "epoch 0"


def test_the_training_is_steered(browser: Chromium, teller: Teller) -> None:
    def press(name: str) -> Any:
        browser.run(
            "[...document.querySelectorAll('.live-bar button')]"
            ".find((one) => one.textContent === arguments[0]).click()",
            name,
        )
        return teller.asked.get(timeout=60)

    assert press("Pause") == {"do": "pause"}
    teller.tell("told", run=0, **told("paused", 2))
    browser.says(".live-state", "Paused")
    assert press("One step") == {"do": "step"}
    assert press("Go on") == {"do": "go on"}
    assert press("Stop and keep") == {"do": "stop"}
    rate = browser.find(".rate")
    assert rate.get_attribute("value") == "0.01"
    rate.clear()
    rate.send_keys("2e-3")
    assert press("Set") == {"do": "rate", "value": 0.002}
    rate.clear()
    rate.send_keys("fast\ue007")
    browser.says(".live-bar .bad", "A learning rate is a number of at least 0, such as 0.01.")
    assert teller.asked.empty()
    teller.refuses = True
    rate.clear()
    rate.send_keys("0.5\ue007")
    browser.says(".live-bar .bad", "Nothing trains now.")
    browser.errors()  # the refused answer is one of them


def test_a_page_that_lost_its_server_catches_up(
    browser: Chromium, teller: Teller, shown: Shown
) -> None:
    browser.find(".sample-number").clear()
    browser.find(".sample-number").send_keys("7\ue007")
    (run,) = page_data([shown.page])["runs"]
    teller.state["runs"] = [run | {"told": told("running", 6)}]
    teller.news.put(ENDED)  # the connection ends, and the browser makes another one
    browser.says(".live-told", "epoch 6 of 6, 150 updates")
    browser.show("curves")
    browser.says("#curves .plot-where", "epoch 6")
    assert browser.find(".sample-number").get_attribute("value") == "7"


def test_the_end_is_shown_with_the_model_as_it_was_saved(
    browser: Chromium, teller: Teller, shown: Shown
) -> None:
    (run,) = page_data([shown.page])["runs"]
    ended = {"state": "ended", "epoch": 6, "epochs": 6, "step": 150, "rate": None}
    teller.state |= {"live": {"ended": True}, "runs": [run | {"told": ended}]}
    teller.tell("state")
    browser.says(".live-state", "Ended")
    assert browser.text(".headline-number") == "91.3%"
    assert browser.text(".bench-epochs output") == "the model"
    seen = [one.text for one in browser.all(".live-bar button") if one.is_displayed()]
    assert seen == ["Close the server"]
    browser.show("answers")
    right = int((shown.network.predict(shown.x) == shown.truth).sum())
    browser.says("#answers p", f"{right} of 200 embedded samples")


def test_several_trainings_are_told_apart(browser: Chromium, teller: Teller, shown: Shown) -> None:
    (run,) = teller.state["runs"]
    fold = run | {"name": "fold 2", "told": told("running", 1), "samples": None}
    teller.state["runs"] = [run | {"name": "fold 1"}, fold]
    teller.tell("state")
    browser.says(".run-choice", "fold 2")
    browser.all(".run-choice button")[1].click()
    browser.says(".live-told", "epoch 1 of 6")
    teller.tell("told", run=1, **told("running", 3))
    browser.says(".live-told", "epoch 3 of 6")
    teller.tell("told", run=0, **told("running", 5))
    teller.tell("row", run=1, **row(shown, 2))
    browser.show("curves")
    browser.says("#curves .plot-where", "epoch 3")
    assert "epoch 3 of 6" in browser.text(".live-told")
    assert browser.errors() == []
