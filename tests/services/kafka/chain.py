"""Frames through two topics, each of which must hold each frame once and in order."""

from __future__ import annotations

import signal

from frames import SOURCE, Numbers, numbers, wait_for_frames
from launcher import Launcher

LOSSLESS = "delivery=lossless max-queue-frames=5000 drain-timeout=0"


class Chain:
    """kafkasink delivery=lossless writes the first topic; kafkasrc mode=stream reads it, and writes what it reads into
    the second one.
    """

    def __init__(self, servers: str, first: str, second: str, launcher: Launcher) -> None:
        self.servers, self.first, self.second = servers, first, second
        connection = f"bootstrap-servers={servers}"
        self.writer = launcher.pipeline(f"{SOURCE} ! kafkasink topic={first} {connection} {LOSSLESS}")
        self.reader = launcher.pipeline(f"kafkasrc topic={first} mode=stream start-offset=earliest {connection} ! "
                                        f"kafkasink topic={second} {connection} {LOSSLESS}")

    def wait(self, count: int) -> None:
        """Until so many frames have come through both."""
        wait_for_frames(self.servers, self.second, count, self.writer, self.reader)

    def end(self) -> tuple[Numbers, Numbers]:
        """End the writer in good order, and the reader when it has read all; returns what the topics hold."""
        self.writer.send_signal(signal.SIGINT)
        assert self.writer.wait() == 0
        first = numbers(self.servers, self.first)
        wait_for_frames(self.servers, self.second, len(first.sequence), self.reader)
        self.reader.send_signal(signal.SIGINT)
        assert self.reader.wait() == 0
        return first, numbers(self.servers, self.second)
