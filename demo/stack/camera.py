"""The camera simulator: RTSP cameras with known pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .paths import BUILD
from .process import HANG_LIMIT, Process


@dataclass(frozen=True)
class Shown:
    """What a camera shows from a moment on."""

    pattern: str
    since: float
    """Unix time in seconds."""


class CameraSimulator:
    """RTSP cameras: `/patterns` changes its test pattern every few seconds, `/video` plays a file in a loop."""

    def __init__(self, log: Path, *, build: Path = BUILD, size: str = "640x480", fps: int = 25,
                 pattern_seconds: float = 4, patterns: Sequence[str] = (), time_code: bool = True,
                 video: Path | None = None) -> None:
        """`size` is WIDTHxHEIGHT in pixels, `patterns` those of videotestsrc that are shown in turn (none: the
        simulator's choice); `time_code` draws the time of each frame into it, see time_code.py."""
        arguments = [build / "demo" / "camera" / "camera-simulator", "--port", "0", "--size", size, "--fps", str(fps),
                     "--pattern-seconds", f"{pattern_seconds:g}"]
        arguments += ["--patterns", ",".join(patterns)] if patterns else []
        arguments += ["--time-code"] if time_code else []
        arguments += ["--video", video] if video else []
        self.process = Process("The camera simulator", arguments, log)
        self.port = 0

    def start(self) -> None:
        """Start the simulator without waiting for it."""
        self.process.start()

    def wait_until_ready(self, limit: float = HANG_LIMIT) -> None:
        """Wait until the cameras can be played, and learn the port."""
        self.port = int(self.process.wait_for_line(r"READY port=(\d+)", limit)[1])

    def url(self, camera: str = "patterns") -> str:
        """RTSP URL of a camera: `patterns` or `video`."""
        return f"rtsp://127.0.0.1:{self.port}/{camera}"

    def history(self) -> list[Shown]:
        """What `/patterns` has shown so far, oldest first, as the simulator says."""
        lines = (json.loads(line) for line in self.process.lines if line.startswith("{"))
        return [Shown(line["pattern"], line["time_ns"] / 1e9) for line in lines if line.get("camera") == "patterns"]

    def shown_during(self, start: float, end: float | None = None) -> list[str]:
        """The patterns `/patterns` has shown between two moments of Unix time (to now without `end`), in order."""
        end = time.time() if end is None else end
        history = self.history()
        until = [change.since for change in history[1:]] + [float("inf")] if history else []
        return [h.pattern for h, left in zip(history, until, strict=True) if h.since <= end and left >= start]

    def stop(self) -> None:
        """End the simulator."""
        self.process.stop()
