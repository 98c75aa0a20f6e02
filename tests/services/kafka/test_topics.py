"""Topics as they are made, where reading of them starts, and what retention deletes."""

from __future__ import annotations

import datetime
import signal
from collections.abc import Callable

from chain import LOSSLESS, copy, writer
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)
from frames import numbers, read_all, wait_for_frames
from launcher import Launcher
from test_failures import error_of

from bench.measure.frames import end_offset
from demo.stack.kafka_broker import KafkaBroker
from demo.stack.messages import TopicReader, headers


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


def test_deleted_topic_that_is_made_anew(admin: AdminClient, broker: KafkaBroker,
                                         topic: Callable[..., str], launcher: Launcher) -> None:
    source, target = topic(), topic()
    sink = writer(launcher, broker, source, more="")  # live: what cannot be sent is dropped
    reader = copy(launcher, broker, source, target, "start-offset=earliest")
    wait_for_frames(broker.bootstrap_servers, target, 100, sink, reader)
    for result in admin.delete_topics([source]).values():
        result.result(30)
    reader.wait_for_line("WARNING: from element")
    broker.create_topics(source)
    wait_for_frames(broker.bootstrap_servers, source, 100, sink, reader)
    so_far = end_offset(broker.bootstrap_servers, target)
    wait_for_frames(broker.bootstrap_servers, target, so_far + 100, sink, reader)


def test_new_partitions_are_read_from_their_beginning(admin: AdminClient, broker: KafkaBroker,
                                                      topic: Callable[..., str], launcher: Launcher) -> None:
    source, target = topic(), topic()
    sinks = [writer(launcher, broker, source, "partition=0 " + LOSSLESS)]
    reader = copy(launcher, broker, source, target,
                  "start-offset=latest config=c,topic.metadata.refresh.interval.ms=500")
    wait_for_frames(broker.bootstrap_servers, target, 50, reader, *sinks)
    for result in admin.create_partitions([NewPartitions(source, 2)]).values():
        result.result(30)
    sinks.append(writer(launcher, broker, source, f"partition=1 source-id=second {LOSSLESS}"))
    with TopicReader(broker.bootstrap_servers, target) as copied:
        while True:
            fields = headers(copied.read())
            if fields["ce_source"] == "second":
                assert fields["ce_sequence"] == "0"
                return


def test_message_above_the_topics_limit(admin: AdminClient, broker: KafkaBroker,
                                        topic: Callable[..., str], launcher: Launcher) -> None:
    """The broker's limit is known before anything is sent, and named."""
    name = topic()
    limit = ConfigEntry("max.message.bytes", "20000", incremental_operation=AlterConfigOpType.SET)
    limited = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[limit])
    for result in admin.incremental_alter_configs([limited]).values():
        result.result(30)
    pipeline = launcher.pipeline("videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=320,height=240 ! "
                                 f"kafkasink bootstrap-servers={broker.bootstrap_servers} topic={name}")
    warning = pipeline.wait_for_line("WARNING: from element").string
    limit = f'A frame of 76800 bytes is larger than the topic takes: max.message.bytes of "{name}" is 20000'
    pipeline.wait_for_line(limit)
    assert warning
    assert end_offset(broker.bootstrap_servers, name) == 0


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


def test_two_readers_of_a_group_come_and_go(broker: KafkaBroker, topic: Callable[..., str],
                                            launcher: Launcher) -> None:
    """Each frame is read; what was read since the last commit may be read twice when the partitions change hands."""
    source, targets = topic(partitions=4), [topic(), topic()]
    sinks = [writer(launcher, broker, source, f"partition={i} source-id=camera-{i} {LOSSLESS}") for i in range(4)]
    group = "group-id=readers start-offset=earliest config=c,session.timeout.ms=6000"
    stays = copy(launcher, broker, source, targets[0], group)
    wait_for_frames(broker.bootstrap_servers, targets[0], 200, stays, *sinks)
    for _ in range(2):
        comes = copy(launcher, broker, source, targets[1], group)
        before = end_offset(broker.bootstrap_servers, targets[1])
        wait_for_frames(broker.bootstrap_servers, targets[1], before + 200, stays, comes, *sinks)
        comes.send_signal(signal.SIGINT)
        assert comes.wait() == 0
    for sink in sinks:
        sink.send_signal(signal.SIGINT)
        assert sink.wait() == 0
    written = sum(_end(broker, source, partition) for partition in range(4))
    while True:
        so_far = end_offset(broker.bootstrap_servers, targets[0])
        seen = _identities(broker, targets)
        if len(set(seen)) >= written:
            break
        wait_for_frames(broker.bootstrap_servers, targets[0], so_far + 1, stays)
    print(f"{written} frames, {len(seen) - len(set(seen))} read twice")
    assert len(set(seen)) == written


def _end(broker: KafkaBroker, topic: str, partition: int) -> int:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "judge", "log_level": 0})
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, partition), 30)[1]
    finally:
        consumer.close()


def _identities(broker: KafkaBroker, topics: list[str]) -> list[tuple[str, int]]:
    fields = [headers(message) for topic in topics for message in read_all(broker.bootstrap_servers, topic)]
    return [(field["ce_stream"], int(field["ce_sequence"])) for field in fields]
