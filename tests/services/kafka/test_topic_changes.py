"""Topics that are deleted, made anew and given more partitions while they are written and read."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from chain import LOSSLESS, copy, fill, recoveries_of, warnings_of, writer
from confluent_kafka.admin import AdminClient, NewPartitions
from frames import RATE, end_of, numbers, read_all, wait_for_frames
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.messages import TopicReader, headers

LOOKS_OFTEN = "config=c,topic.metadata.refresh.interval.ms=500"


def delete(admin: AdminClient, topic: str) -> None:
    """Delete a topic."""
    for result in admin.delete_topics([topic]).values():
        result.result(30)


def add_partitions(admin: AdminClient, topic: str, partitions: int) -> None:
    """Give a topic so many partitions in all."""
    for result in admin.create_partitions([NewPartitions(topic, partitions)]).values():
        result.result(30)


def test_deleted_topic_that_is_made_anew(admin: AdminClient, broker: KafkaBroker, topic: Callable[..., str],
                                         launcher: Launcher) -> None:
    source, target = topic(), topic()
    sink = writer(launcher, broker, source, more="")  # live: what cannot be sent is dropped
    reader = copy(launcher, broker, source, target, "start-offset=earliest")
    wait_for_frames(broker.bootstrap_servers, target, 100, sink, reader)
    delete(admin, source)
    reader.wait_for_line("WARNING: from element")
    broker.create_topics(source)
    wait_for_frames(broker.bootstrap_servers, source, 100, sink, reader)
    so_far = end_of(broker.bootstrap_servers, target)
    wait_for_frames(broker.bootstrap_servers, target, so_far + 100, sink, reader)


@pytest.mark.parametrize(("count", "notices"), [
    pytest.param(50, True, id="shorter-than-the-old-one"),
    pytest.param(1000, True, id="soon-longer-than-the-old-one"),
    pytest.param(1000, False, id="soon-longer-before-it-was-missed"),
])
def test_topic_that_is_made_anew_is_read_from_its_beginning(count: int, notices: bool, admin: AdminClient,
                                                            broker: KafkaBroker, topic: Callable[..., str],
                                                            launcher: Launcher) -> None:
    """The reader has read the old log. Nothing of the new one is skipped in silence."""
    source, target = topic(), topic()
    reader = copy(launcher, broker, source, target, "start-offset=earliest")
    # What tells one log from another is asked for every 5 s.
    old = 100 if notices else 6 * RATE
    sink = writer(launcher, broker, source, count=old)
    wait_for_frames(broker.bootstrap_servers, target, old, reader)
    assert sink.wait() == 0
    delete(admin, source)
    if notices:
        reader.wait_for_line("WARNING: from element .*GstKafkaSrc")
    broker.create_topics(source)
    fill(launcher, broker, source, count, "source-id=anew")
    read: list[int] = []
    with TopicReader(broker.bootstrap_servers, target, offset=old) as copied:
        while not read or read[-1] != count - 1:
            fields = headers(copied.read())
            assert fields["ce_source"] == "anew"
            read.append(int(fields["ce_sequence"]))
    assert read[0] == 0, f"{read[0]} frames were skipped; told: {warnings_of(reader, 'kafkasrc')}"
    assert read == list(range(count))


def test_lossless_writer_goes_on_when_its_topic_is_made_anew(admin: AdminClient, broker: KafkaBroker,
                                                             topic: Callable[..., str], launcher: Launcher) -> None:
    """It is told once. What was not acknowledged before goes into the new topic, and nothing is missing after it."""
    name = topic()
    sink = writer(launcher, broker, name)
    wait_for_frames(broker.bootstrap_servers, name, 100, sink)
    delete(admin, name)
    sink.wait_for_line("WARNING: from element")
    broker.create_topics(name)
    wait_for_frames(broker.bootstrap_servers, name, 200, sink)
    sink.send_signal(signal.SIGINT)
    assert sink.wait() == 0
    anew = numbers(broker.bootstrap_servers, name)
    sequence = anew.without_repeats()
    print(f"the new topic begins with frame {sequence[0]}; sent again: {anew.repeated}")
    assert sequence[0] >= 100
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    told = [line for line in warnings_of(sink) if "lost count of the frames" not in line]
    assert len(told) == 1, told
    assert len(recoveries_of(sink, name)) == 1


def test_new_partitions_are_read_from_their_beginning(admin: AdminClient, broker: KafkaBroker,
                                                      topic: Callable[..., str], launcher: Launcher) -> None:
    source, target = topic(), topic()
    sinks = [writer(launcher, broker, source, "partition=0 " + LOSSLESS)]
    reader = copy(launcher, broker, source, target, f"start-offset=latest {LOOKS_OFTEN}")
    wait_for_frames(broker.bootstrap_servers, target, 50, reader, *sinks)
    add_partitions(admin, source, 2)
    sinks.append(writer(launcher, broker, source, f"partition=1 source-id=second {LOSSLESS}"))
    with TopicReader(broker.bootstrap_servers, target) as copied:
        while True:
            fields = headers(copied.read())
            if fields["ce_source"] == "second":
                assert fields["ce_sequence"] == "0"
                return


def test_new_partitions_are_written_to(admin: AdminClient, broker: KafkaBroker, topic: Callable[..., str],
                                       launcher: Launcher) -> None:
    """A running kafkasink whose frames come from many sources, which are their keys: new partitions get their share,
    and no frame is lost.
    """
    source, target = topic(), topic()
    connection = f"bootstrap-servers={broker.bootstrap_servers} {LOOKS_OFTEN}"
    pipeline = launcher.pipeline(f"kafkasrc mode=stream topic={source} start-offset=earliest {connection} ! "
                                 f"kafkasink topic={target} {connection} {LOSSLESS}")
    fill(launcher, broker, source, 20, "source-id=before")
    wait_for_frames(broker.bootstrap_servers, target, 20, pipeline)
    add_partitions(admin, target, 4)
    expected = [("before", number) for number in range(20)]
    # The sink learns of the partitions when it asks for them next.
    for source_id in (f"camera-{number}" for number in range(100)):
        fill(launcher, broker, source, 5, f"source-id={source_id}")
        expected += [(source_id, number) for number in range(5)]
        ends = [end_of(broker.bootstrap_servers, target, partition) for partition in range(4)]
        if all(ends):
            break
    pipeline.send_signal(signal.SIGINT)
    assert pipeline.wait() == 0
    partitions = [read_all(broker.bootstrap_servers, target, partition) for partition in range(4)]
    found = [(headers(message)["ce_source"], int(headers(message)["ce_sequence"]))
             for messages in partitions for message in messages]
    assert sorted(found) == sorted(expected)
    for messages in partitions:
        by_source: dict[str, list[int]] = {}
        for message in messages:
            by_source.setdefault(headers(message)["ce_source"], []).append(int(headers(message)["ce_sequence"]))
        assert all(sequence == sorted(sequence) for sequence in by_source.values())
