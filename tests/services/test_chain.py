"""The whole chain: what the camera shows, in the browser, with the right label."""

from __future__ import annotations

from launcher import LOG_FOLDER

from demo.check import watch
from demo.stack.browser import Browser
from demo.stack.model_server import labels
from demo.stack.stack import Stack


def test_page_shows_moving_video_with_the_right_labels(stack: Stack) -> None:
    page = stack.start_chain({"patterns": stack.cameras.url("patterns"), "video": stack.cameras.url("video")})
    try:
        with Browser(LOG_FOLDER / "chromedriver.log") as browser:
            judgement = watch(browser, page, stack.cameras, labels("patterns"))
            browser.save_screenshot(LOG_FOLDER / "page.png")
            # Both cameras have a place of their own on the page.
            assert browser.picture("video").shape == (480, 640, 3)
        assert judgement.wrong == []
        assert all(service.running for service in stack.services)
    finally:
        stack.stop_services()
