"""Topics as they are made, where reading of them starts, and what retention deletes."""

from __future__ import annotations

import datetime
import re
import signal
from collections.abc import Callable

from chain import LOSSLESS, copy, writer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from frames import end_of, numbers, wait_for_frames
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


def test_messages_that_are_deleted_under_a_running_reader(admin: AdminClient, broker: KafkaBroker,
                                                          topic: Callable[..., str], launcher: Launcher) -> None:
    """Each lost frame is told once as a deleted message, and once as missing in its source's numbers."""
    source, target = topic(), topic()
    sink = writer(launcher, broker, source)
    connection = f"bootstrap-servers={broker.bootstrap_servers}"
    reader = launcher.pipeline(f"kafkasrc mode=stream topic={source} start-offset=earliest {connection} ! "
                               f"kafkasink topic={target} {connection} {LOSSLESS}", options=("-e", "-m"))
    wait_for_frames(broker.bootstrap_servers, target, 100, sink, reader)
    reader.send_signal(signal.SIGSTOP)  # it has no time to read; what is on its way already still arrives
    try:
        end = end_of(broker.bootstrap_servers, source)
        wait_for_frames(broker.bootstrap_servers, source, end + 200, sink)
        sink.send_signal(signal.SIGINT)
        assert sink.wait() == 0
        for result in admin.delete_records([TopicPartition(source, 0, end + 100)]).values():
            result.result(30)
    finally:
        reader.send_signal(signal.SIGCONT)
    told = int(reader.wait_for_line(r"WARNING: from element .* (\d+) messages of partition 0 of the topic")[1])
    left = end_of(broker.bootstrap_servers, source) - told
    wait_for_frames(broker.bootstrap_servers, target, left, reader)
    reader.send_signal(signal.SIGINT)
    assert reader.wait() == 0
    read = numbers(broker.bootstrap_servers, target).sequence
    missing = sorted(set(range(read[-1])) - set(read))
    print(f"{told} of {end + 100} deleted messages had not been read")
    assert len(missing) == told
    gaps = [line for line in reader.lines if "kafka-gap" in line]
    assert sum(int(re.search(r"lost=\(guint64\)(\d+)", line)[1]) for line in gaps) == told
    assert len(gaps) == 1


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
