"""Draw the pictures of docs/page.md: the first screen of a run's page and some of its panels.

``page.png``, and ``page-PANEL.png`` for each panel, as Chromium shows them. Needs Debian's chromium
and chromium-driver, Selenium and Pillow.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1180, 1000
LARGEST = 58_000  # bytes of a picture, which gets as many colours as have room
CUT = 640  # pixels of a panel that are shown

RUNS = {
    "digits": ("digits",),
    "conv": ("digits", "--layers", "conv8,pool,conv16,pool,32", "--epochs", "12", "--folds", "0"),
    "iris": ("iris", "--network", "dense", "--layers", "8,8", "--folds", "0"),
    "diabetes": (
        *("diabetes", "--network", "dense", "--layers", "16", "--folds", "0"),
        *("--quantiles", "0.05,0.5,0.95", "--coverage", "90%"),
    ),
}
OPENED = """
const slider = document.querySelector(".timeline");
slider.value = 0;
slider.dispatchEvent(new Event("input"));
const form = document.querySelector("#matrices form");
form.querySelector("input").value = "2,5";
form.querySelector("button").click();
"""
PLAYED = "document.querySelector('.play-controls .primary').click();"
# The run, the panel, what is done there, and what there is when it is done.
PANELS = (
    ("digits", "drawing", "", "#drawing svg"),
    ("iris", "matrices", OPENED, "#matrices .entry"),
    ("conv", "activations", "", "#activations .look + .look + .look canvas"),
    ("diabetes", "own-input", "", "#own-input .effect-list li"),
    ("digits", "playground", PLAYED, "#playground .play-rate:not(:empty)"),
)


def main() -> None:
    """Train, open the pages, and keep pictures of them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, words in RUNS.items():
            train = [sys.executable, "-m", "clearprop", "train", *words]
            subprocess.run([*train, "--out", str(Path(folder, name))], check=True)  # noqa: S603 - ours
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless", "--no-sandbox", f"--window-size={WIDTH},{HEIGHT}"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            browser.get(Path(folder, "digits", "report.html").as_uri())
            wait(browser, "#curves svg")
            keep(browser.get_screenshot_as_png(), "page.png")
            for name, panel, does, there in PANELS:
                browser.set_window_size(WIDTH, 2 * HEIGHT)
                browser.get(Path(folder, name, "report.html").as_uri())
                draw(browser, panel, does, there)
        finally:
            browser.quit()


def wait(browser: webdriver.Chrome, selector: str) -> None:
    """Wait until there is an element."""
    WebDriverWait(browser, 60).until(lambda page: page.find_elements("css selector", selector))


def draw(browser: webdriver.Chrome, panel: str, does: str, there: str) -> None:
    """Keep a picture of one panel."""

    def is_made(page: webdriver.Chrome) -> bool:
        # Panels above it that are made on the way push it away again.
        page.execute_script("document.getElementById(arguments[0]).scrollIntoView()", panel)
        return bool(page.find_elements("css selector", f"#{panel} .made"))

    WebDriverWait(browser, 60).until(is_made)
    browser.execute_script(does + "document.querySelector('.bench')?.remove();")
    wait(browser, there)

    def is_whole(page: webdriver.Chrome) -> bool:
        found = "const { top } = document.getElementById(arguments[0]).getBoundingClientRect();"
        found += "return top >= 0 && top + arguments[1] <= innerHeight"
        page.execute_script("document.getElementById(arguments[0]).scrollIntoView()", panel)
        return bool(page.execute_script(found, panel, CUT))

    ended = "return document.getAnimations().every((one) => one.playState === 'finished')"
    WebDriverWait(browser, 60).until(lambda page: page.execute_script(ended) and is_whole(page))
    keep(browser.find_element("id", panel).screenshot_as_png, f"page-{panel}.png")


def keep(png: bytes, name: str) -> None:
    """Write a picture, in as few colours as make it small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    height = CUT if name != "page.png" else picture.height
    picture = picture.crop((0, 0, picture.width, min(picture.height, height)))
    for colours in (256, 192, 128, 96, 64, 48, 32):
        few = picture.quantize(colours, dither=Image.Dither.NONE)
        few.save(HERE / name, optimize=True)
        if (HERE / name).stat().st_size <= LARGEST:
            break


if __name__ == "__main__":
    main()
