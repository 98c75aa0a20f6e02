"""Large messages, limits on their size, and messages that are not what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from frames import end_of, wait_for_bytes, wait_for_frames
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import HANG_LIMIT, Process

PICTURES = "videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=320,height=240"
JPEG = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()


def set_topic_limit(admin: AdminClient, topic: str, max_message_bytes: int) -> None:
    """Set max.message.bytes of a topic."""
    limit = ConfigEntry("max.message.bytes", str(max_message_bytes), incremental_operation=AlterConfigOpType.SET)
    limited = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[limit])
    for result in admin.incremental_alter_configs([limited]).values():
        result.result(30)


def produce(broker: KafkaBroker, topic: str, value: bytes, headers: dict[str, str] | None = None) -> None:
    """A message as other producers write it."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "message.max.bytes": 100_000_000})
    producer.produce(topic, value, headers=list((headers or {}).items()))
    assert producer.flush(HANG_LIMIT) == 0


def reader(launcher: Launcher, broker: KafkaBroker, topic: str, more: str, behind: str) -> Process:
    """Reads a topic from its beginning into what comes behind."""
    return launcher.pipeline(f"kafkasrc mode=stream start-offset=earliest bootstrap-servers={broker.bootstrap_servers} "
                             f"topic={topic} {more} ! {behind}")


def checksums(process: Process) -> list[str]:
    """What checksumsink has printed, once the pipeline has ended."""
    assert process.wait() == 0, process.failure("failed")
    return [found[1] for line in process.lines if (found := re.search(r" ([0-9a-f]{64})$", line))]


def test_messages_of_50_megabytes(broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher) -> None:
    """They arrive byte for byte."""
    name, sums = topic(), "checksumsink hash=sha256 sync=false"
    sent = checksums(launcher.pipeline(
        "videotestsrc num-buffers=2 pattern=ball ! video/x-raw,format=GRAY8,width=10000,height=5000 ! tee name=t "
        f"t. ! queue max-size-buffers=1 max-size-bytes=0 ! {sums} "
        "t. ! queue max-size-buffers=1 max-size-bytes=0 ! kafkasink delivery=lossless drain-timeout=0 "
        f"bootstrap-servers={broker.bootstrap_servers} topic={name}"))
    assert len(sent) == 2
    assert checksums(reader(launcher, broker, name, "stop=end", sums)) == sent


def test_message_above_the_topics_limit(admin: AdminClient, broker: KafkaBroker, topic: Callable[..., str],
                                        launcher: Launcher) -> None:
    """The broker's limit is known before anything is sent, and named."""
    name = topic()
    set_topic_limit(admin, name, 20000)
    pipeline = launcher.pipeline(f"{PICTURES} ! kafkasink bootstrap-servers={broker.bootstrap_servers} topic={name}")
    pipeline.wait_for_line("WARNING: from element .*"
                           f'A frame of 76800 bytes is larger than the topic takes: max.message.bytes of "{name}" is '
                           "20000")
    assert end_of(broker.bootstrap_servers, name) == 0


def test_topics_limit_that_is_raised(admin: AdminClient, broker: KafkaBroker, topic: Callable[..., str],
                                     launcher: Launcher) -> None:
    """As the warning says: a service that runs need not be started again."""
    name = topic()
    set_topic_limit(admin, name, 20000)
    pipeline = launcher.pipeline(f"{PICTURES} ! kafkasink bootstrap-servers={broker.bootstrap_servers} topic={name}")
    pipeline.wait_for_line("WARNING: from element .*max.message.bytes")
    set_topic_limit(admin, name, 1_000_000)
    wait_for_frames(broker.bootstrap_servers, name, 10, pipeline)


@pytest.mark.parametrize("limits", [
    pytest.param("fetch.max.bytes=1000000,message.max.bytes=1000000,fetch.message.max.bytes=100000", id="of-a-fetch"),
    pytest.param("receive.message.max.bytes=2000000,fetch.max.bytes=1000000,message.max.bytes=1000000,"
                 "fetch.message.max.bytes=100000", id="of-a-response"),
])
def test_message_above_the_readers_limit(limits: str, broker: KafkaBroker, topic: Callable[..., str],
                                         launcher: Launcher, tmp_path: Path) -> None:
    """It is delivered, or the user reads which limit it is that keeps it."""
    name, file = topic(), tmp_path / "message"
    produce(broker, name, JPEG + bytes(3_000_000))
    process = reader(launcher, broker, name, f"config=c,{limits}", f"filesink buffer-mode=unbuffered location={file}")
    if "receive" in limits:
        process.wait_for_line("(WARNING|ERROR): from element .*GstKafkaSrc")
        process.wait_for_line(r"receive\.message\.max\.bytes")
    else:
        wait_for_bytes(file, len(JPEG) + 3_000_000, process)


def test_caps_header_of_a_megabyte(broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher,
                                   tmp_path: Path) -> None:
    """It is ignored and told; the message is delivered as what its bytes are."""
    name, file = topic(), tmp_path / "picture"
    produce(broker, name, JPEG, {"ce_caps": f"video/x-raw, format=(string){1_000_000 * 'x'}"})
    process = reader(launcher, broker, name, "", f"filesink buffer-mode=unbuffered location={file}")
    wait_for_bytes(file, len(JPEG), process)
    assert file.read_bytes() == JPEG
    process.wait_for_line("WARNING: from element .*GstKafkaSrc.*malformed")


BROKEN = {"text": b"this is no picture", "no-quantization-tables": JPEG.replace(b"\xff\xdb", b"\xff\xfe")}


@pytest.mark.parametrize("broken", BROKEN)
def test_bytes_that_are_no_jpeg(broken: str, broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher,
                                tmp_path: Path) -> None:
    """A decoder that goes on gets the next picture; the reader has nothing to say."""
    name, file = topic(), tmp_path / "decoded"
    for _ in range(3):
        produce(broker, name, BROKEN[broken], {"ce_caps": "image/jpeg"})
    produce(broker, name, JPEG, {"ce_caps": "image/jpeg"})
    process = reader(launcher, broker, name, "", "jpegdec max-errors=-1 ! video/x-raw,format=I420 ! "
                     f"filesink buffer-mode=unbuffered location={file}")
    wait_for_bytes(file, 16 * 16 * 3 // 2, process)
    assert not any(line.startswith(("WARNING", "ERROR")) for line in process.lines)
