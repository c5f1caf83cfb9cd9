"""Draw ``page.png``: the first screen of the page of a run on digits, as Chromium shows it.

Needs Debian's chromium and chromium-driver, and Selenium.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

WIDTH, HEIGHT = 1180, 1000


def main() -> None:
    """Train, open the page, and keep a picture of it."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "digits")
        train = [sys.executable, "-m", "clearprop", "train", "digits", "--out", str(run)]
        subprocess.run(train, check=True)  # noqa: S603 - as it is typed
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless", "--no-sandbox", f"--window-size={WIDTH},{HEIGHT}"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            browser.get((run / "report.html").as_uri())
            curves = "return document.querySelectorAll('#curves svg').length"
            WebDriverWait(browser, 20).until(lambda page: page.execute_script(curves))
            browser.save_screenshot(Path(__file__).with_name("page.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
