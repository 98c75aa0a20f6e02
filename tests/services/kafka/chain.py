"""Pipelines that write numbered frames, and that read them into another topic, where they can be judged."""

from __future__ import annotations

import signal

from frames import SOURCE, Numbers, numbers, wait_for_frames
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import Process

LOSSLESS = "delivery=lossless max-queue-frames=5000 drain-timeout=0"
LIVE = ""


def writer(launcher: Launcher, broker: KafkaBroker, topic: str, more: str = LOSSLESS, count: int = -1) -> Process:
    """Numbered frames into a topic."""
    source = SOURCE.replace("is-live=true", f"is-live=true num-buffers={count}")
    return launcher.pipeline(f"{source} ! kafkasink bootstrap-servers={broker.bootstrap_servers} topic={topic} {more}")


def fill(launcher: Launcher, broker: KafkaBroker, topic: str, count: int, more: str = "") -> None:
    """So many numbered frames into a topic, as fast as it takes them."""
    pipeline = launcher.pipeline(f"{SOURCE.replace('is-live=true', f'num-buffers={count}')} ! kafkasink {LOSSLESS} "
                                 f"bootstrap-servers={broker.bootstrap_servers} topic={topic} {more}")
    if pipeline.wait() != 0:
        raise pipeline.failure("did not write its frames")


def copy(launcher: Launcher, broker: KafkaBroker, source: str, target: str, more: str) -> Process:
    """What kafkasrc reads, as a topic."""
    connection = f"bootstrap-servers={broker.bootstrap_servers}"
    return launcher.pipeline(f"kafkasrc mode=stream topic={source} {connection} {more} ! "
                             f"kafkasink topic={target} {connection} {LOSSLESS}")


def warnings_of(process: Process, element: str = "") -> list[str]:
    """Warnings of the elements of a process, or of those whose name begins so."""
    return [line for line in process.lines if line.startswith("WARNING: from element") and f":{element}" in line]


def recoveries_of(process: Process, topic: str) -> list[str]:
    """How often the element of a topic has told that Kafka answers again."""
    return [line for line in process.lines if f'answers again for the topic "{topic}"' in line]


class Chain:
    """kafkasink delivery=lossless writes the first topic; kafkasrc mode=stream reads it, and writes what it reads into
    the second one.
    """

    def __init__(self, servers: str, first: str, second: str, launcher: Launcher, connection: str = "",
                 reads: str = "") -> None:
        """`connection`: the elements' properties, where they take another way than those who look on. `reads`: more
        properties of kafkasrc.
        """
        self.servers, self.first, self.second = servers, first, second
        connection = connection or f"bootstrap-servers={servers}"
        reads = f"mode=stream start-offset=earliest {reads}"
        self.writer = launcher.pipeline(f"{SOURCE} ! kafkasink topic={first} {connection} {LOSSLESS}")
        self.reader = launcher.pipeline(f"kafkasrc topic={first} {connection} {reads} ! "
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

    def tellings(self) -> dict[str, tuple[list[str], list[str]]]:
        """What each element has told of the beginning and of the end of outages; what a replaced producer sends again
        is said besides.
        """
        told = {"writer": (warnings_of(self.writer), recoveries_of(self.writer, self.first)),
                "reader": (warnings_of(self.reader, "kafkasrc"), recoveries_of(self.reader, self.first)),
                "copier": (warnings_of(self.reader, "kafkasink"), recoveries_of(self.reader, self.second))}
        return {element: ([line for line in warnings if "lost count of the frames" not in line], recoveries)
                for element, (warnings, recoveries) in told.items()}
