"""A real browser, without a window: Debian's Chromium and its driver."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
REQUIRED_VARIABLE = "SANDBOX_BROWSER_REQUIRED"
DEADLINE_SECONDS = 90.0

ARGUMENTS = (
    "--headless=new",
    # Tests run as root in containers, where Chromium's own sandbox cannot start.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-GB",
)

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get(REQUIRED_VARIABLE),
    reason="chromium and chromedriver (Debian: chromium, chromium-driver) are not installed",
)


class Browser:
    """One browser, looked at through roles and texts as a person would."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        # A change of the fragment alone would not load the document anew.
        self.driver.get("about:blank")
        self.driver.get(url)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Wait for an element that is shown."""
        self.until(lambda: any(each.is_displayed() for each in self.all(selector)), selector)
        return next(each for each in self.all(selector) if each.is_displayed())

    def texts(self, selector: str) -> list[str]:
        """Return the texts of elements, all read at one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        found: list[str] = self.driver.execute_script(script, selector)
        return found

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        wait = WebDriverWait(self.driver, DEADLINE_SECONDS, poll_frequency=0.05)
        wait.until(lambda _driver: condition(), f"{what} does not come to pass")

    def click(self, text: str) -> None:
        """Follow the link, or press the button, of that text."""
        path = f"//*[self::a or self::button][normalize-space()='{text}']"
        self.until(lambda: self.driver.find_elements(By.XPATH, path), text)
        self.driver.find_element(By.XPATH, path).click()

    def emulate(self, scheme: str) -> None:
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def resize(self, width: int, height: int, scale: float = 1.0) -> None:
        """Show so many CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def console(self) -> list[str]:
        """Return what the console said since it was asked last."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries]


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """Run a browser with a profile of its own."""
    assert CHROMIUM, "chromium is not installed"
    assert DRIVER, "chromedriver is not installed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = Chrome(options, ChromeService(DRIVER))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
