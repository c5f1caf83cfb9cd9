"""What is done in the page of a run, and read of it."""

from pathlib import Path

from browser import Chromium


def opened(browser: Chromium, page: Path, panel: str) -> None:
    browser.open(page)
    browser.find(".page-head h1")
    browser.show(panel)


def press(browser: Chromium, selector: str, *keys: str) -> None:
    browser.find(selector).send_keys(*keys)


def texts(browser: Chromium, selector: str) -> list[str]:
    """Return the texts of all elements of a selector, as they are written and not as they look."""
    return browser.run(
        "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)",
        selector,
    )


def choose(browser: Chromium, selector: str, value: str) -> None:
    browser.run(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
        browser.find(selector),
        value,
    )


def show_all(browser: Chromium) -> None:
    """Show every panel; those that have nothing to show of a run go when they are reached."""
    browser.find(".panel")
    ids = browser.run("return [...document.querySelectorAll('.group .panel')].map((one) => one.id)")
    for panel in ids:
        browser.run(f"document.getElementById({panel!r})?.scrollIntoView()")
        browser.until(
            lambda panel=panel: browser.all(f"#{panel} .made") or not browser.all(f"#{panel}"),
            f"{panel} is not made",
        )
