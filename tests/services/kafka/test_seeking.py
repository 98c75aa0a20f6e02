"""A recording is sought in by time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chain import fill
from frames import read_all
from launcher import Launcher

from bench.measure.frames import unix_us
from demo.stack.kafka_broker import KafkaBroker
from demo.stack.messages import headers
from demo.stack.process import Process
from demo.stack.service import plugin_environment

SCRIPT = Path(__file__).with_name("seek.py")
COUNT = 50


def test_seeks_by_time_to_the_beginning_and_after_the_end(broker: KafkaBroker, topic: Callable[..., str],
                                                          launcher: Launcher) -> None:
    name = topic()
    fill(launcher, broker, name, COUNT)
    messages = read_all(broker.bootstrap_servers, name)
    # Kafka's time, by which is sought; the capture time is the buffers' time stamp.
    middle = messages[COUNT // 2].timestamp()[1]
    expected = [number for number, message in enumerate(messages) if message.timestamp()[1] >= middle]
    captured = [unix_us(headers(message)["ce_time"]) for message in messages]
    pipeline = (f"kafkasrc mode=stream timestamps=capture start-offset=earliest stop=end topic={name} "
                f"bootstrap-servers={broker.bootstrap_servers} ! appsink name=sink sync=false max-buffers=1")
    process = Process("The seeking application", ["/usr/bin/python3", SCRIPT, pipeline, str(middle / 1000), "0",
                                                  str(middle / 1000)], launcher.log("seek"), plugin_environment())
    process.start()
    assert process.wait() == 0, process.failure("failed")
    played = [[int(time) // 1000 for time in line.split()] for line in process.lines if line and line[0].isdigit()]
    assert played == [captured[expected[0]:], captured, captured[expected[0]:]]
