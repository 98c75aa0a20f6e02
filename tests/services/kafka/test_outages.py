"""A broker that goes away while numbered frames flow: kafkasink delivery=lossless writes a topic, kafkasrc mode=stream
reads it and writes what it reads into a second one. Both topics must hold each frame once and in order.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from chain import LIVE, Chain, recoveries_of, warnings_of, writer
from frames import end_of, numbers, wait_for_frames
from launcher import Launcher

from demo.stack.kafka_broker import KafkaBroker


def restart(broker: KafkaBroker, how: signal.Signals) -> None:
    """End a broker and start it again."""
    broker.process.send_signal(how)
    broker.process.wait()
    broker.start()
    broker.wait_until_ready()


@pytest.fixture
def chain(broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher) -> Chain:
    return Chain(broker.bootstrap_servers, topic(), topic(), launcher)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_restarted_broker(how: signal.Signals, broker: KafkaBroker, chain: Chain) -> None:
    chain.wait(100)
    restart(broker, how)
    chain.wait(end_of(chain.servers, chain.first) + 100)
    first, second = chain.end()
    print(f"longest gap: {first.longest_gap_ms} ms written, {second.longest_gap_ms} ms read; "
          f"sent again: {first.repeated} and {second.repeated}")
    assert first.without_repeats() == list(range(len(set(first.ids))))
    assert second.sequence == first.sequence or second.without_repeats() == first.sequence
    for element, (warnings, recoveries) in chain.tellings().items():
        assert len(warnings) == 1, (element, warnings)
        assert len(recoveries) == 1, (element, recoveries)


@pytest.mark.parametrize("assignor", ["cooperative-sticky", "range"])
def test_restarted_broker_of_a_group(assignor: str, broker: KafkaBroker, topic: Callable[..., str],
                                     launcher: Launcher) -> None:
    """What was read since the last commit may be read twice, but each frame is read, and the outage is told once."""
    first, second = topic(), topic()
    chain = Chain(broker.bootstrap_servers, first, second, launcher, reads=f"group-id={first} assignor={assignor}")
    chain.wait(100)
    restart(broker, signal.SIGKILL)
    chain.wait(end_of(chain.servers, chain.first) + 100)
    written, read = chain.end()
    print(f"longest gap: {read.longest_gap_ms} ms read; read twice: {read.repeated}")
    assert read.without_repeats() == written.without_repeats()
    for element, (warnings, recoveries) in chain.tellings().items():
        assert len(warnings) == 1, (element, warnings)
        assert len(recoveries) == 1, (element, recoveries)


def test_hung_broker(broker: KafkaBroker, chain: Chain) -> None:
    chain.wait(100)
    broker.process.send_signal(signal.SIGSTOP)
    time.sleep(10)  # the fault's duration
    broker.process.send_signal(signal.SIGCONT)
    chain.wait(end_of(chain.servers, chain.first) + 100)
    first, second = chain.end()
    print(f"longest gap: {first.longest_gap_ms} ms written, {second.longest_gap_ms} ms read")
    assert first.without_repeats() == list(range(len(set(first.ids))))
    assert second.without_repeats() == first.sequence
    for element, (warnings, recoveries) in chain.tellings().items():
        assert len(warnings) <= 1, (element, warnings)
        assert len(recoveries) == len(warnings), (element, warnings, recoveries)


def test_broker_that_comes_later(broker: KafkaBroker, topic: Callable[..., str], launcher: Launcher) -> None:
    first, second = topic(), topic()
    broker.stop()
    chain = Chain(broker.bootstrap_servers, first, second, launcher)
    for process in (chain.writer, chain.reader):
        process.wait_for_line("No Kafka broker answers at")
    broker.start()
    broker.wait_until_ready()
    chain.wait(100)
    written, read = chain.end()
    assert written.sequence == list(range(len(written.sequence)))
    assert read.sequence == written.sequence


def test_live_loses_frames_and_stays_in_order(broker: KafkaBroker, topic: Callable[..., str],
                                              launcher: Launcher) -> None:
    name = topic()
    sink = writer(launcher, broker, name, LIVE)
    wait_for_frames(broker.bootstrap_servers, name, 100, sink)
    restart(broker, signal.SIGKILL)
    wait_for_frames(broker.bootstrap_servers, name, 300, sink)
    sink.send_signal(signal.SIGINT)
    assert sink.wait() == 0
    written = numbers(broker.bootstrap_servers, name)
    assert written.repeated == 0
    assert written.sequence == sorted(written.sequence)
    assert len(warnings_of(sink)) == 1
    assert len(recoveries_of(sink, name)) == 1
