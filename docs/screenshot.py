# ruff: noqa: INP001 - a script beside the pages it serves, not a package
"""Take the README's picture of a report: ``python docs/screenshot.py report.html``.

Needs Debian's chromium and chromium-driver; fonts-noto-color-emoji makes emoji visible.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTH = 1400
PICTURE = Path(__file__).parent / "images" / "report.png"
# The sandbox cannot start for root in a container; the rest keeps the browser from calling home.
ARGUMENTS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
)


def main() -> None:
    """Open the page given on the command line and save what a visitor sees first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="report.html to open")
    parser.add_argument("--height", type=int, default=1000, help="height of the picture in pixels")
    given = parser.parse_args()
    report = given.report.resolve()
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (report.is_file() and chromium and driver):
        sys.exit(f"{report} must exist, and chromium and chromedriver must be on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for argument in (*ARGUMENTS.split(), f"--user-data-dir={profile}"):
            options.add_argument(argument)
        with webdriver.Chrome(options, Service(driver)) as browser:
            size = {"width": WIDTH, "height": given.height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(report.as_uri())
            PICTURE.parent.mkdir(exist_ok=True)
            browser.save_screenshot(str(PICTURE))


if __name__ == "__main__":
    main()
