"""Topics as they are made, where reading of them starts, and what retention deletes."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from chain import copy, writer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (
    AdminClient,
)
from frames import numbers
from launcher import Launcher
from test_failures import error_of

from demo.stack.kafka_broker import KafkaBroker


def test_deleted_messages_are_counted_and_told(admin: AdminClient, broker: KafkaBroker,
                                               topic: Callable[..., str], launcher: Launcher) -> None:
    """Retention overtakes a group that was away: reading goes on at the oldest message that is left."""
    source, target = topic(), topic()
    writer(launcher, broker, source, count=100).wait()
    copy(launcher, broker, source, target, "group-id=archive start-offset=earliest stop=end").wait()
    assert len(numbers(broker.bootstrap_servers, target).sequence) == 100
    writer(launcher, broker, source, count=100).wait()
    for result in admin.delete_records([TopicPartition(source, 0, 150)]).values():
        result.result(30)
    reader = copy(launcher, broker, source, target, "group-id=archive stop=end")
    reader.wait()
    read = numbers(broker.bootstrap_servers, target).sequence
    assert read[100:] == list(range(50, 100))
    reader.wait_for_line("50 messages of partition 0 of the topic")


def test_topic_is_created_as_asked(admin: AdminClient, broker: KafkaBroker, launcher: Launcher) -> None:
    sink = writer(launcher, broker, "made-by-kafkasink", "create-topic=true partitions=3", count=10)
    assert sink.wait() == 0
    metadata = admin.list_topics("made-by-kafkasink", timeout=30)
    assert len(metadata.topics["made-by-kafkasink"].partitions) == 3


def test_topic_that_cannot_be_created(broker: KafkaBroker, launcher: Launcher) -> None:
    error = error_of(writer(launcher, broker, "never-made", "create-topic=true replication-factor=3"))
    assert "replication-factor" in error


def test_reading_starts_at_a_time(broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher) -> None:
    source, target = topic(), topic()
    writer(launcher, broker, source, count=50).wait()
    arrived = numbers(broker.bootstrap_servers, source).arrived_ms
    middle = arrived[25]
    expected = [number for number, at in enumerate(arrived) if at >= middle]
    start = datetime.datetime.fromtimestamp(middle / 1000, datetime.UTC).isoformat(timespec="milliseconds")
    copy(launcher, broker, source, target, f"start-offset=timestamp start-time={start[:-6]}Z stop=end").wait()
    assert numbers(broker.bootstrap_servers, target).sequence == expected
