"""Numbered frames: what a topic holds of a stream that kafkasink has written."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from bench.measure.frames import end_offset
from demo.stack.messages import headers
from demo.stack.process import HANG_LIMIT, Process, StackError

RATE = 100
SOURCE = f"videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=32,height=32,framerate={RATE}/1"


@dataclass(frozen=True)
class Numbers:
    """The frames of a topic, in its order."""

    sequence: list[int]
    ids: list[str]
    arrived_ms: list[int]

    @property
    def repeated(self) -> int:
        """Frames that are in the topic a second time, recognised by ce_id."""
        return len(self.ids) - len(set(self.ids))

    def without_repeats(self) -> list[int]:
        """Each frame once, where it first came."""
        first: dict[str, int] = {}
        for identity, number in zip(self.ids, self.sequence, strict=True):
            first.setdefault(identity, number)
        return list(first.values())

    @property
    def longest_gap_ms(self) -> int:
        """Longest time between two frames, as the broker wrote them down."""
        times = self.arrived_ms
        return max((b - a for a, b in zip(times, times[1:], strict=False)), default=0)


def end_of(bootstrap_servers: str, topic: str, partition: int = 0) -> int:
    """Offset of the message that will come next, also of a broker that has just been started."""
    deadline = time.monotonic() + HANG_LIMIT
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "judge", "log_level": 0})
    try:
        while time.monotonic() < deadline:
            with contextlib.suppress(KafkaException):  # a leader may just be changing
                return consumer.get_watermark_offsets(TopicPartition(topic, partition), 5)[1]
            time.sleep(0.05)
    finally:
        consumer.close()
    raise StackError(f"Partition {partition} of the topic {topic} has no leader.")


def read_all(bootstrap_servers: str, topic: str, partition: int = 0) -> list[Message]:
    """All that a partition of a topic holds at this moment."""
    end = end_of(bootstrap_servers, topic, partition)
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "judge", "log_level": 0})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    messages: list[Message] = []
    deadline = time.monotonic() + HANG_LIMIT
    while end > (messages[-1].offset() + 1 if messages else 0):
        if time.monotonic() > deadline:
            raise StackError(f"The topic {topic} could not be read to its end.")
        message = consumer.poll(1)
        if message is not None and not message.error():
            messages.append(message)
    consumer.close()
    return messages


def numbers(bootstrap_servers: str, topic: str) -> Numbers:
    """The numbers that kafkasink gave the frames of a topic."""
    messages = read_all(bootstrap_servers, topic)
    fields = [headers(message) for message in messages]
    return Numbers([int(field["ce_sequence"]) for field in fields], [field["ce_id"] for field in fields],
                   [message.timestamp()[1] for message in messages])


def wait_for_frames(bootstrap_servers: str, topic: str, count: int, *processes: Process) -> None:
    """Wait until a topic holds so many messages. Raises StackError when one of the processes ends before."""
    deadline = time.monotonic() + HANG_LIMIT
    while time.monotonic() < deadline:
        for process in processes:
            if not process.running:
                raise process.failure("ended")
        with contextlib.suppress(KafkaException):
            if end_offset(bootstrap_servers, topic, limit=1) >= count:
                return
        time.sleep(0.05)
    raise StackError(f"The topic {topic} did not get {count} messages.")


def wait_for_bytes(file: Path, size: int, *processes: Process) -> None:
    """Wait until a file has grown so large. Raises StackError when one of the processes ends before."""
    deadline = time.monotonic() + HANG_LIMIT
    while not file.exists() or file.stat().st_size < size:
        for process in processes:
            if not process.running:
                raise process.failure("ended")
        if time.monotonic() > deadline:
            raise StackError(f"The file {file} did not grow to {size} bytes.")
        time.sleep(0.05)
