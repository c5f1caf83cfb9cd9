"""Measure how many pictures a second the playground draws while it trains.

``python tests/page/frames.py`` trains [2, 8, 8, 1] on 500 points for two seconds at each pace, and
prints the pictures and updates of a second. A measure, and no test: it depends on the machine.
"""

import tempfile
from pathlib import Path

from browser import Chromium, chromium
from playground import page_of_moons

SECONDS = 2
COUNTED = """
const [seconds, done] = arguments;
const start = performance.now();
let pictures = 0;
const count = (now) => {
  pictures += 1;
  if (now - start < 1000 * seconds) requestAnimationFrame(count);
  else done((1000 * pictures) / (now - start));
};
requestAnimationFrame(count);
"""


def measure(browser: Chromium, pace: str) -> float:
    """Return the pictures of a second while the network trains at a pace."""
    browser.run(
        "const select = document.querySelector('.play-controls select');"
        "select.value = arguments[0];",
        pace,
    )
    play = browser.find(".play-controls .primary")
    browser.run("arguments[0].click()", play)
    pictures = browser.driver.execute_async_script(COUNTED, SECONDS)
    browser.run("arguments[0].click()", play)
    return pictures


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chromium() as started:
        started.open(page_of_moons(Path(folder)))
        started.show("playground")
        for one in ("update", "epoch", "full"):
            shown = measure(started, one)
            said = started.text(".play-rate")
            print(f"{one:7} {shown:5.1f} pictures a second; the page itself says: {said}")
