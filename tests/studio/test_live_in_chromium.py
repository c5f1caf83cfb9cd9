"""A training watched and steered in a browser, from the address that is printed to the end."""

from dataclasses import replace

import pytest
from asking import InThread
from browser import chromium

from clearprop.experiment import learn, measure
from clearprop.experiment.folder import save_run
from clearprop.experiment.reporting import page_of_training
from clearprop.studio.children import Children
from clearprop.studio.desk import Desk
from clearprop.studio.live import Live
from clearprop.studio.serving import serve_live, serve_studio

pytestmark = pytest.mark.browser


def press(browser, text):
    """Press the button of the live bar that says so."""

    def pressed():
        return browser.run(
            """
            const buttons = [...document.querySelectorAll(".live-bar button")];
            const found = buttons.find((one) => one.textContent === arguments[0] && !one.hidden);
            found?.click();
            return found !== undefined;
            """,
            text,
        )

    browser.until(pressed, f"there is no button {text!r}")


def test_a_training_is_seen_steered_and_kept(moons, tmp_path):
    live = Live(moons, name="the run", command="clearprop train moons")
    live.controls.ask("pause")
    with serve_live(live) as server, chromium() as browser:
        training = InThread(lambda: learn(moons, callbacks=[live.watching]))
        browser.driver.get(server.address)
        browser.says(".live-state", "Paused")
        assert browser.driver.current_url == f"http://127.0.0.1:{server.port}/"  # without the token
        assert browser.driver.title == "the run"
        press(browser, "One step")
        browser.says(".live-told", "epoch 0 of 3, 1 updates")
        press(browser, "Go on")
        browser.says(".live-state", "Ended")
        trained = training.result()
        measured = measure(trained)
        report = save_run(tmp_path, trained, measured, "clearprop train moons")
        shown = page_of_training(tmp_path, trained, measured, report=report, kept=(), doctor=None)
        live.save(replace(shown, name="the run"))
        browser.says(".page-head", "held out for the test")
        press(browser, "Close the server")
        live.wait_closed()
        assert browser.errors() == []


def test_another_page_of_the_same_browser_gets_nothing(moons, serve, tmp_path):
    """As anybody's page on the web would try, with the cookie lying in the browser."""
    live = Live(moons, name="the run", command="clearprop train moons")
    (tmp_path / "elsewhere.html").write_text("<!doctype html><title>elsewhere</title>")
    with serve(live) as server, chromium() as browser:
        browser.driver.get(server.address)
        browser.driver.get((tmp_path / "elsewhere.html").as_uri())
        found = browser.driver.execute_async_script(
            """
            const [address, done] = arguments;
            const told = (asked) => asked.then(() => "answered", () => "refused");
            const cookies = { credentials: "include" };
            const form = { method: "POST", mode: "no-cors", body: '{"do": "pause"}', ...cookies };
            (async () => done([
              await told(fetch(address + "state", cookies)),
              await told(fetch(address + "control", form)),
              await new Promise((tell) => {
                const events = new EventSource(address + "events", { withCredentials: true });
                events.onopen = () => tell("answered");
                events.onerror = () => tell("refused");
              }),
            ]))();
            """,
            f"http://127.0.0.1:{server.port}/",
        )
        assert found == ["refused"] * 3
        assert not live.controls.wish.is_paused


def test_the_start_page_of_the_studio_is_as_wide_as_a_phone(tmp_path):
    children = Children(tmp_path)
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    with serve_studio(Desk(tmp_path), children) as server, chromium() as browser:
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.driver.get(server.address)
        browser.says("h1", "clearprop studio")
        browser.find("#of-file")
        whole, seen = browser.run(
            "const { scrollWidth, clientWidth } = document.documentElement;"
            "return [scrollWidth, clientWidth]"
        )
        assert whole == seen
        assert browser.errors() == []
