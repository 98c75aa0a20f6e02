"""Messages of producers that write in transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import HANG_LIMIT

COMMITTED, ABORTED, OPEN = "committed", "aborted", "open"
ISOLATION = {"read-committed": {COMMITTED}, "read-uncommitted": {COMMITTED, ABORTED, OPEN}}


@pytest.fixture
def transactions(broker: KafkaBroker, topic: Callable[..., str]) -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """Writes transactions of five messages each, which end as told, into a topic of its own. Returns the topic's name
    and the messages.
    """
    left_open: list[Producer] = []

    def write(*fates: str) -> tuple[str, list[str]]:
        name, messages = topic(), []
        for fate in fates:
            producer = Producer({"bootstrap.servers": broker.bootstrap_servers,
                                 "transactional.id": f"{name}-{len(messages)}"})
            producer.init_transactions(HANG_LIMIT)
            producer.begin_transaction()
            for number in range(len(messages), len(messages) + 5):
                messages.append(f"{fate} {number}")
                producer.produce(name, messages[-1] + "\n")
            producer.flush(HANG_LIMIT)
            if fate == COMMITTED:
                producer.commit_transaction(HANG_LIMIT)
            elif fate == ABORTED:
                producer.abort_transaction(HANG_LIMIT)
            else:
                left_open.append(producer)
        return name, messages

    yield write
    for producer in left_open:
        producer.abort_transaction(HANG_LIMIT)


@pytest.mark.parametrize("isolation", ISOLATION)
@pytest.mark.parametrize("fates", [
    pytest.param((COMMITTED, ABORTED, COMMITTED), id="committed-at-the-end"),
    pytest.param((COMMITTED, ABORTED), id="aborted-at-the-end"),
    pytest.param((COMMITTED, OPEN), id="open-at-the-end"),
    pytest.param((COMMITTED, OPEN, COMMITTED), id="behind-an-open-one"),
    pytest.param((ABORTED,), id="nothing-but-aborted"),
    pytest.param((OPEN,), id="nothing-but-open"),
])
def test_transactions(fates: tuple[str, ...], isolation: str, broker: KafkaBroker, launcher: Launcher,
                      transactions: Callable[..., tuple[str, list[str]]], tmp_path: Path) -> None:
    """What the isolation level lets through is read, and stop=end ends, although the last offsets are no message's."""
    name, messages = transactions(*fates)
    file = tmp_path / "messages"
    process = launcher.pipeline(f"kafkasrc bootstrap-servers={broker.bootstrap_servers} topic={name} mode=stream "
                                f"start-offset=earliest stop=end isolation-level={isolation} caps=text/x-raw ! "
                                f"filesink location={file}")
    assert process.wait() == 0
    wanted = [text for text in messages if text.split()[0] in ISOLATION[isolation]]
    if isolation == "read-committed" and OPEN in fates:  # what is committed behind it waits for its end, too
        wanted = [text for text in wanted if int(text.split()[1]) < 5 * fates.index(OPEN)]
    assert file.read_text().splitlines() == wanted
