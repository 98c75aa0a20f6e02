"""A real browser: headless Chromium."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import urllib3
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from .process import HANG_LIMIT, Process, StackError

CHROMEDRIVER = "/usr/bin/chromedriver"
FAILURES = (WebDriverException, urllib3.exceptions.HTTPError)
COMMAND_LIMIT = 30
"""Seconds after which a single command to the browser gives up."""


class Browser:
    """A headless Chromium with one page; a context manager."""

    def __init__(self, log: Path, *, width: int = 1600, height: int = 1200) -> None:
        """`width` and `height` of the window, pixels; one of them is one of the screenshots'."""
        # Started as a Process, for it must end even when this process is killed. Port 0: it takes a free one.
        self._chromedriver = Process("chromedriver", [CHROMEDRIVER, "--port=0"], log)
        self._chromedriver.start()
        port = self._chromedriver.wait_for_line(r"started successfully on port (\d+)")[1]
        try:
            client = ClientConfig(f"http://127.0.0.1:{port}", timeout=COMMAND_LIMIT)
            self.driver = webdriver.Remote(client.remote_server_addr, options=self._options(width, height),
                                           client_config=client)
        except BaseException:
            self._chromedriver.stop()
            raise

    @staticmethod
    def _options(width: int, height: int) -> webdriver.ChromeOptions:
        options = webdriver.ChromeOptions()
        # A page with an endless picture stream never finishes loading.
        options.page_load_strategy = "none"
        for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--force-device-scale-factor=1", f"--window-size={width},{height}",
                         # Chromium ends with the driver: the pipe closes.
                         "--remote-debugging-pipe"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        return options

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(*FAILURES):
            self.driver.quit()
        self._chromedriver.stop()

    def open(self, url: str) -> None:
        """Go to a page, without waiting for all of it."""
        with _failures_explained(f"open {url}"):
            self.driver.get(url)

    def picture(self, source: str = "", limit: float = HANG_LIMIT) -> np.ndarray:
        """What the page's <img> of `source` shows: RGB, shape (height, width, 3), uint8, in the video's own size.

        Waits until there is a picture; raises StackError after `limit` seconds.
        """
        try:
            with _failures_explained("take a picture of the video"):
                wait = WebDriverWait(self.driver, limit, 0.1, [StaleElementReferenceException])
                return wait.until(lambda _: self._take_picture(source))[0]
        except TimeoutException:
            raise StackError(f"The page showed no video of {source or 'any source'} within {limit:g} s.") from None

    def _take_picture(self, source: str) -> tuple[np.ndarray] | None:
        """The picture, in a tuple because an array has no truth value."""
        found = self._find_video(source)
        if not found:
            return None
        image, width, height = found
        shown = cv2.imdecode(np.frombuffer(image.screenshot_as_png, np.uint8), cv2.IMREAD_COLOR)
        own_size = cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA)
        return (cv2.cvtColor(own_size, cv2.COLOR_BGR2RGB),)

    def _find_video(self, source: str) -> tuple[WebElement, int, int] | None:
        """The <img> with a URL that names the source and its picture's width and height, once it has a picture.

        Looked up each time, for a page may replace it.
        """
        return self.driver.execute_script("""
            const image = [...document.images].find(i => i.src.includes(arguments[0]) && i.naturalWidth > 0);
            return image ? [image, image.naturalWidth, image.naturalHeight] : null;""", source)

    def save_screenshot(self, file: Path) -> None:
        """Write the whole page as a PNG file."""
        with _failures_explained("take a screenshot"):
            file.write_bytes(self.driver.get_screenshot_as_png())


@contextlib.contextmanager
def _failures_explained(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutException:
        raise
    except FAILURES as error:
        raise StackError(f"The browser could not {what}: {str(error).splitlines()[0]}") from error
