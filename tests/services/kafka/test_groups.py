"""Consumer groups: who reads what, what is committed, and who is not let in."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from chain import LOSSLESS, copy, fill, writer
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from frames import end_of, read_all, wait_for_frames
from launcher import Launcher
from test_failures import error_of

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.messages import TopicReader, headers
from demo.stack.process import HANG_LIMIT, Process


@pytest.mark.parametrize("assignor", ["cooperative-sticky", "range"])
def test_two_readers_of_a_group_come_and_go(assignor: str, broker: KafkaBroker, topic: Callable[..., str],
                                            launcher: Launcher) -> None:
    """Each frame is read; what was read since the last commit may be read twice when the partitions change hands."""
    source, targets = topic(partitions=4), [topic(), topic()]
    sinks = [writer(launcher, broker, source, f"partition={i} source-id=camera-{i} {LOSSLESS}") for i in range(4)]
    group = f"group-id={assignor} assignor={assignor} start-offset=earliest config=c,session.timeout.ms=6000"
    stays = copy(launcher, broker, source, targets[0], group)
    wait_for_frames(broker.bootstrap_servers, targets[0], 200, stays, *sinks)
    for _ in range(2):
        comes = copy(launcher, broker, source, targets[1], group)
        before = end_of(broker.bootstrap_servers, targets[1])
        wait_for_frames(broker.bootstrap_servers, targets[1], before + 200, stays, comes, *sinks)
        comes.send_signal(signal.SIGINT)
        assert comes.wait() == 0
    for sink in sinks:
        sink.send_signal(signal.SIGINT)
        assert sink.wait() == 0
    written = sum(end_of(broker.bootstrap_servers, source, partition) for partition in range(4))
    while True:
        so_far = end_of(broker.bootstrap_servers, targets[0])
        seen = _identities(broker, targets)
        if len(set(seen)) >= written:
            break
        wait_for_frames(broker.bootstrap_servers, targets[0], so_far + 1, stays)
    print(f"{written} frames, {len(seen) - len(set(seen))} read twice")
    assert len(set(seen)) == written


def _identities(broker: KafkaBroker, topics: list[str]) -> list[tuple[str, int]]:
    fields = [headers(message) for topic in topics for message in read_all(broker.bootstrap_servers, topic)]
    return [(field["ce_stream"], int(field["ce_sequence"])) for field in fields]


def committed(broker: KafkaBroker, group: str, topic: str, partition: int = 0) -> int:
    """Offset at which the group goes on; negative: it has none."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group, "log_level": 0})
    try:
        return consumer.committed([TopicPartition(topic, partition)], HANG_LIMIT)[0].offset
    finally:
        consumer.close()


def wait_until_committed(broker: KafkaBroker, group: str, topic: str, offset: int, reader: Process) -> None:
    """Wait until the group is so far."""
    deadline = time.monotonic() + HANG_LIMIT / 2
    while (found := committed(broker, group, topic)) < offset:
        if not reader.running:
            raise reader.failure("ended")
        assert time.monotonic() < deadline, f"committed is {found}, not {offset}"
        time.sleep(0.1)


@pytest.mark.parametrize("taken", ["entrance", "nobody"])
def test_what_a_filter_passes_over_is_committed(taken: str, broker: KafkaBroker, topic: Callable[..., str],
                                                launcher: Launcher) -> None:
    """Or the group's lag would grow, and be read again after each start."""
    name = topic()
    reader = launcher.pipeline(f"kafkasrc bootstrap-servers={broker.bootstrap_servers} topic={name} mode=stream "
                               f"group-id={name} source-filter={taken} start-offset=earliest ! fakesink")
    fill(launcher, broker, name, 20, "source-id=entrance")
    fill(launcher, broker, name, 30, "source-id=yard")
    wait_until_committed(broker, name, name, 50, reader)


def test_new_partition_is_read_from_its_beginning_by_a_group_that_starts_at_the_end(
        admin: AdminClient, broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher) -> None:
    source, target = topic(), topic()
    sinks = [writer(launcher, broker, source, "partition=0 " + LOSSLESS)]
    reader = copy(launcher, broker, source, target,
                  f"group-id={source} start-offset=latest config=c,topic.metadata.refresh.interval.ms=3000")
    wait_for_frames(broker.bootstrap_servers, target, 50, reader, *sinks)
    with TopicReader(broker.bootstrap_servers, target) as copied:
        for result in admin.create_partitions([NewPartitions(source, 2)]).values():
            result.result(30)
        fill(launcher, broker, source, 10, "partition=1 source-id=before-it-was-found")
        sinks.append(writer(launcher, broker, source, f"partition=1 source-id=later {LOSSLESS}"))
        read: list[str] = []
        while not read or read[-1] != "later":
            source_id = headers(copied.read())["ce_source"]
            if source_id in ("before-it-was-found", "later"):
                read.append(source_id)
    assert read == 10 * ["before-it-was-found"] + ["later"]


def test_member_that_another_one_has_replaced(broker: KafkaBroker, topic: Callable[..., str],
                                              launcher: Launcher) -> None:
    """Two readers with the same group.instance.id: the first one must know that it reads nothing any more."""
    source, targets = topic(), [topic(), topic()]
    sink = writer(launcher, broker, source)
    member = f"group-id={source} start-offset=earliest config=c,group.instance.id=entrance"
    first = copy(launcher, broker, source, targets[0], member)
    wait_for_frames(broker.bootstrap_servers, targets[0], 50, sink, first)
    second = copy(launcher, broker, source, targets[1], member)
    assert "group.instance.id" in error_of(first)
    wait_for_frames(broker.bootstrap_servers, targets[1], 50, sink, second)
