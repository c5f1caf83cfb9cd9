"""A headless Chromium that opens pages, for the tests marked ``browser``."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT = 20  # seconds until what a page should do is held to be missing: no measure of its speed


class Chromium:
    """One window of a browser that has nothing of its own and asks nobody for anything.

    Parameters
    ----------
    driver : selenium.webdriver.Chrome
    downloads : Path
        The folder that saved files come into.
    """

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads

    def open(self, page: Path, address: str = "") -> None:
        """Open a file anew, with the part of its address behind a hash."""
        self.run("window.isBefore = true")
        self.driver.get("about:blank")  # another hash alone would not load it again
        self.driver.get(page.as_uri() + address)
        self.until(self._is_loaded, f"{page} is not loaded")

    def _is_loaded(self) -> bool:
        from selenium.common.exceptions import WebDriverException

        here = "location.protocol === 'file:' && !window.isBefore"
        try:
            return self.run(f"return {here} && document.readyState === 'complete'")
        except WebDriverException:  # between two pages
            return False

    def show(self, panel: str) -> None:
        """Bring a panel into the window by its id, and wait until it is made.

        Panels above it that are made on the way push it away again.
        """

        def is_there() -> bool:
            self.run(f"document.getElementById({panel!r}).scrollIntoView({{behavior: 'instant'}})")
            return bool(self.all(f"#{panel} .panel-body.made"))

        self.until(is_there, f"the panel {panel} is not made")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        """Return the first element of a CSS selector, as soon as there is one."""
        return self.until(lambda: next(iter(self.all(selector)), None), f"there is no {selector}")

    def all(self, selector: str) -> list[Any]:
        """Return the elements of a CSS selector that there are now."""
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        """Return the text of an element, seen or not."""
        self.find(selector)
        # At once: between two questions the page may have drawn it anew.
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def says(self, selector: str, part: str) -> None:
        """Wait until the text of an element holds another."""
        self.until(lambda: part in self.text(selector), f"{selector} does not say {part!r}")

    def until(self, found: Callable[[], Any], missing: str) -> Any:
        """Ask again and again until the answer is true, and return it."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.wait import WebDriverWait

        try:
            return WebDriverWait(self.driver, WAIT, poll_frequency=0.05).until(lambda _: found())
        except TimeoutException:
            pytest.fail(missing)

    def drop(self, selector: str, name: str, content: bytes) -> None:
        """Drop a file on an element, as if dragged from a folder."""
        self.run(
            """
            const [element, name, bytes] = arguments;
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], name));
            const event = { dataTransfer: data, bubbles: true, cancelable: true };
            element.dispatchEvent(new DragEvent("drop", event));
            """,
            self.find(selector),
            name,
            list(content),
        )

    def saved(self, name: str) -> bytes:
        """Return a file that the page has saved, as soon as it is whole."""
        path = self.downloads / name
        self.until(path.exists, f"{name} was not saved; {sorted(self.downloads.iterdir())}")
        content = path.read_bytes()
        path.unlink()
        return content

    def errors(self) -> list[str]:
        """Return the errors in the page's console since the last call."""
        return [
            one["message"] for one in self.driver.get_log("browser") if one["level"] == "SEVERE"
        ]


@contextmanager
def chromium(*switches: str, width: int = 1200, height: int = 1000) -> Iterator[Chromium]:
    """Start a browser with a fresh profile, and end it.

    Parameters
    ----------
    *switches : str
        Further ones of its command line.
    width, height : int
        The window's, in pixels.
    """
    pytest.importorskip("selenium")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed, and a page is drawn by a browser")
    options = ChromeOptions()
    options.binary_location = program
    # Saving a file begins like going to another page, whose end a driver would wait for in vain.
    options.page_load_strategy = "none"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with TemporaryDirectory() as profile, TemporaryDirectory() as downloads:
        for one in (*SWITCHES, f"--user-data-dir={profile}", *switches):
            options.add_argument(one)
        options.add_argument(f"--window-size={width},{height}")
        started = Chrome(options=options, service=Service(driver))
        try:
            where = {"behavior": "allow", "downloadPath": downloads}
            started.execute_cdp_cmd("Browser.setDownloadBehavior", where)
            yield Chromium(started, Path(downloads))
        finally:
            started.quit()
