"""The whole chain on this machine: cameras, Kafka, models, services, and a page that shows it.

Run it as `./dev demo`; see `./dev demo --help`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path

from demo.check import watch
from demo.stack.browser import Browser
from demo.stack.model_server import labels
from demo.stack.paths import LOGS, ROOT, TOOLS
from demo.stack.process import StackError, free_port, ports_in_use, wait_for_end
from demo.stack.stack import Stack

LOG_FOLDER = LOGS / "demo"


def show(stack: Stack, cameras: dict[str, str], address: str, port: int) -> str:
    """Start the services and say where to look."""
    page = stack.start_chain(cameras, address=address, port=port)
    print(f"The video is at {page}\nLogs are in {LOG_FOLDER}.", flush=True)
    return page


def run(stack: Stack, page_arguments: tuple[dict[str, str], str, int]) -> None:
    """Show the video until a part ends, which is an error, or the user interrupts."""
    show(stack, *page_arguments)
    print("Ctrl-C ends the demo.", flush=True)
    ended = wait_for_end(stack.processes, None)[0]
    raise ended.failure(f"ended with exit code {ended.wait()}")


def check(stack: Stack, page_arguments: tuple[dict[str, str], str, int], screenshot: Path) -> None:
    """Let a browser judge the page."""
    assert stack.cameras is not None
    with Browser(LOG_FOLDER / "chromedriver.log") as browser:
        page = show(stack, *page_arguments)
        try:
            judgement = watch(browser, page, stack.cameras, labels("patterns"))
            browser.save_screenshot(screenshot)
        except StackError as error:
            with contextlib.suppress(StackError):
                browser.save_screenshot(screenshot)
            ended = [p.failure(f"ended with exit code {p.wait()}") for p in stack.processes if not p.running]
            raise StackError("\n".join(map(str, [error, *ended]))) from None
    print(f"The page is right: {judgement}. See {screenshot}.")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="See ./dev demo --help.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("cameras", nargs="*", metavar="RTSP-URL")
    arguments = parser.parse_args()
    if arguments.check and arguments.cameras:
        parser.error("--check needs the simulated cameras: only they say what they show")
    return arguments


def main() -> int:
    """Entry point."""
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    address = os.environ.get("ADDRESS", "127.0.0.1")
    port = int(os.environ.get("PORT", 0)) or (free_port() if 8080 in ports_in_use() else 8080)
    print("Starting the Kafka broker, the model server and the cameras …", flush=True)
    try:
        with Stack(LOG_FOLDER, cameras={"video": TOOLS / "video" / "bikes.mp4"},
                   simulate_cameras=not arguments.cameras) as stack:
            cameras = {f"camera-{i}": url for i, url in enumerate(arguments.cameras, 1)}
            if stack.cameras:
                cameras = {name: stack.cameras.url(name) for name in ("patterns", "video")}
            if arguments.check:
                check(stack, (cameras, address, port), ROOT / "screenshot.png")
            else:
                run(stack, (cameras, address, port))
    except StackError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo has ended.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
