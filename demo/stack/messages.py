"""Reads a topic's messages as any Kafka client does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType

from confluent_kafka import OFFSET_END, Consumer, Message, TopicPartition

from .process import HANG_LIMIT, StackError


class TopicReader:
    """The messages that arrive in one partition from now on; a context manager."""

    def __init__(self, bootstrap_servers: str, topic: str, *, partition: int = 0, offset: int = OFFSET_END) -> None:
        """`offset` is where to begin; the default is the end of the partition at this moment."""
        self.topic = topic
        self._consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "reader",
                                   "enable.auto.commit": False, "fetch.wait.max.ms": 50,
                                   "auto.offset.reset": "error", "log_level": 3})
        if offset == OFFSET_END:
            offset = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), HANG_LIMIT)[1]
        self._consumer.assign([TopicPartition(topic, partition, offset)])

    def __enter__(self) -> TopicReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._consumer.close()

    def read(self, limit: float = HANG_LIMIT) -> Message:
        """The next message. Raises StackError when none comes within `limit` seconds, or the broker refuses."""
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0:
            message = self._consumer.poll(left)
            if message is None:
                continue
            if message.error():
                raise StackError(f"Reading the topic {self.topic} failed: {message.error()}.")
            return message
        raise StackError(f"No message arrived in the topic {self.topic} within {limit:g} s.")

    def messages(self, count: int, limit: float = HANG_LIMIT) -> Iterator[Message]:
        """The next `count` messages."""
        for _ in range(count):
            yield self.read(limit)


def headers(message: Message) -> dict[str, str]:
    """A message's headers as text."""
    return {name: value.decode() for name, value in message.headers() or []}
