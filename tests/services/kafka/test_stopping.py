"""Pipelines that end in the middle of an outage: within 1 s, and where frames are left to be delivered, within 1 s and
kafkasink's drain-timeout.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chain import writer
from frames import SOURCE, wait_for_bytes, wait_for_frames
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import Process

LIMIT = 5.0
"""Seconds: 1 is the specification, the rest is for a machine that others use, too."""

WRITERS = {
    "lossless": "delivery=lossless max-queue-frames=5000 drain-timeout=1000",
    "lossless-full": "delivery=lossless",
    "live": "delivery=live",
}
READERS = {
    "stream": "mode=stream",
    "latest-offset": "mode=latest-offset",
    "group": "mode=stream group-id={topic}",
}


@contextmanager
def hung(broker: KafkaBroker, _: Process) -> Iterator[None]:
    """The broker keeps the connections and answers nothing; the elements cannot know it yet."""
    broker.process.send_signal(signal.SIGSTOP)
    time.sleep(0.5)  # of the fault: frames are under way
    try:
        yield
    finally:
        broker.process.send_signal(signal.SIGCONT)


@contextmanager
def killed(broker: KafkaBroker, process: Process) -> Iterator[None]:
    """The broker is gone, and the element knows it."""
    broker.process.send_signal(signal.SIGKILL)
    broker.process.wait()
    try:
        process.wait_for_line("WARNING: from element")
        yield
    finally:
        broker.start()
        broker.wait_until_ready()


FAULTS = {"hung": hung, "killed": killed}


def stop(process: Process) -> None:
    """Ctrl-C, once: to gst-launch another one while it ends the stream would be a reason to die."""
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT)
    print(f"ended within {time.monotonic() - begin:.3f} s")
    process.wait_for_line("Freeing pipeline")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("delivery", "options"), [
    pytest.param("lossless", ("-e",), id="lossless-end-of-stream"),
    # Where the pipeline waits for room, gst-launch waits with it before it ends the stream.
    pytest.param("lossless-full", (), id="lossless-full-stopped"),
    pytest.param("lossless", (), id="lossless-stopped"),
    pytest.param("live", ("-e",), id="live-end-of-stream"),
    pytest.param("live", (), id="live-stopped"),
])
def test_writer(delivery: str, options: tuple[str, ...], fault: str, broker: KafkaBroker, topic: Callable[..., str],
                launcher: Launcher) -> None:
    name = topic()
    sink = launcher.pipeline(f"{SOURCE} ! kafkasink bootstrap-servers={broker.bootstrap_servers} topic={name} "
                             f"{WRITERS[delivery]}", options=options)
    wait_for_frames(broker.bootstrap_servers, name, 50, sink)
    with FAULTS[fault](broker, sink):
        stop(sink)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("options", [pytest.param(("-e",), id="end-of-stream"), pytest.param((), id="stopped")])
@pytest.mark.parametrize("kind", READERS)
def test_reader(kind: str, options: tuple[str, ...], fault: str, broker: KafkaBroker, topic: Callable[..., str],
                launcher: Launcher, tmp_path: Path) -> None:
    name, file = topic(), tmp_path / "frames"
    sink = writer(launcher, broker, name)
    properties = f"bootstrap-servers={broker.bootstrap_servers} topic={name} {READERS[kind].format(topic=name)}"
    reader = launcher.pipeline(f"kafkasrc {properties} ! filesink buffer-mode=unbuffered location={file}",
                               options=options)
    wait_for_bytes(file, 50 * 32 * 32, sink, reader)
    with FAULTS[fault](broker, reader):
        stop(reader)
