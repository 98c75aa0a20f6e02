"""What became of each frame on its way: read back from Kafka, and from the time codes in the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from confluent_kafka import Consumer, Message, TopicPartition

from demo.stack.messages import TopicReader, headers
from demo.stack.process import HANG_LIMIT, StackError
from demo.stack.time_code import read_time_code


@dataclass(frozen=True)
class Stored:
    """A frame in a topic."""

    stream: str
    sequence: int
    captured_us: int
    """Unix time of the header ce_time, us."""
    appended_ms: int
    """Unix time at which the broker stored it, ms, in a topic with message.timestamp.type=LogAppendTime."""
    answered: str | None
    """Capture time of the newest frame that a model had answered for."""
    jpeg: bytes

    @property
    def identity(self) -> tuple[str, int]:
        """The same for the same frame in all topics."""
        return self.stream, self.sequence


def end_offset(bootstrap_servers: str, topic: str, limit: float = HANG_LIMIT) -> int:
    """Offset of the message that will come next in partition 0 of a topic. Raises KafkaException when the partition's
    leader has not answered within `limit` seconds: a new leader is only found by asking again.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "bench", "log_level": 3})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, 0), limit)[1]
    finally:
        consumer.close()


def read_topic(bootstrap_servers: str, topic: str, begin: int) -> list[Stored]:
    """All frames that are in partition 0 of a topic from the offset `begin` on."""
    count = end_offset(bootstrap_servers, topic) - begin
    with TopicReader(bootstrap_servers, topic, offset=begin) as reader:
        return [_stored(message) for message in reader.messages(count)]


def _stored(message: Message) -> Stored:
    fields = headers(message)
    results = json.loads(fields.get("ce_classifications", "[]"))
    return Stored(fields["ce_stream"], int(fields["ce_sequence"]), unix_us(fields["ce_time"]), message.timestamp()[1],
                  max((r["captured"] for r in results if r.get("captured")), default=None), message.value())


def unix_us(rfc3339: str) -> int:
    """A UTC time such as 2026-11-23T03:21:46.123456789Z as Unix time in us, rounded down."""
    return int(np.datetime64(rfc3339.removesuffix("Z"), "ns").astype(np.int64)) // 1000


@dataclass(frozen=True)
class Passage:
    """Frames that went into a stage and came out of it."""

    distinct: int
    """Different frames that came out."""
    repeated: int
    """Frames that came out again."""
    dropped: int
    """Frames that went in and never came out."""


def passage(entered: Iterable[object], left: Sequence[object]) -> Passage:
    """How a stage dealt with the frames that entered it, all named by what is unique to each."""
    entered = set(entered)
    came_out = [frame for frame in left if frame in entered]
    distinct = len(set(came_out))
    return Passage(distinct, len(came_out) - distinct, len(entered) - distinct)


def missing_numbers(numbers: Iterable[int]) -> int:
    """How many numbers of a sequence are missing between its first and its last."""
    numbers = set(numbers)
    return max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0


def missing_frames(times_us: Sequence[int], fps: float, begin_us: int, end_us: int) -> int:
    """How many frames of a camera with `fps` frames a second are missing in the time from `begin_us` to `end_us`.

    `times_us` are capture times within it. Counted over the whole time, for a single frame of a busy camera may be
    late; at both ends half a frame's time is granted.
    """
    different = set(times_us)
    if not different:
        return round((end_us - begin_us) * fps / 1e6)
    first, last = min(different), max(different)
    between = round((last - first) * fps / 1e6) + 1 - len(different)
    ends = (int(max(0, time_us * fps / 1e6 - 0.5)) for time_us in (first - begin_us, end_us - last))
    return max(0, between) + sum(ends)


def time_codes(jpegs: Iterable[bytes]) -> list[int | None]:
    """The time code in each picture, Unix us; None where there is none."""
    codes = []
    for jpeg in jpegs:
        gray = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            raise StackError("A message of the topic is no picture.")
        codes.append(read_time_code(gray))
    return codes


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value that `percent` of the values do not exceed; None without values."""
    return float(np.percentile(values, percent)) if len(values) else None
