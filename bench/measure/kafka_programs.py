"""The programs that bench kafka runs side by side: pipelines with kafkasink and kafkasrc, programs in C on librdkafka
alone (bench/peers), and Kafka's own perf tools.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.stack.kafka_broker import JARS
from demo.stack.paths import BUILD
from demo.stack.process import Process, StackError
from demo.stack.service import plugin_environment

PEERS = BUILD / "bench" / "peers"
UNACKNOWLEDGED = 5
"""Messages under way: what an idempotent producer may have in requests. More make librdkafka 2.0.2 poll without a
pause, at six times the CPU time; kafkasink gives it no more.
"""

# The configuration of kafkasink (gst/kafkasink/frame_producer.cpp).
PRODUCER = {
    "linger.ms": "0", "batch.num.messages": "1", "message.copy.max.bytes": "1000", "message.max.bytes": "104857600",
    "queue.buffering.max.messages": "0", "queue.buffering.max.kbytes": "2097151", "socket.nagle.disable": "true",
    "socket.timeout.ms": "10000", "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "500",
}
LOSSLESS = PRODUCER | {"acks": "all", "enable.idempotence": "true", "retries": "2147483647", "message.timeout.ms": "0"}
LIVE = PRODUCER | {"acks": "1", "retries": "0", "message.timeout.ms": "3000"}
# The configuration of kafkasrc (gst/kafkasrc/frame_consumer.cpp), mode=stream.
CONSUMER = {
    "group.id": "bench", "fetch.wait.max.ms": "100", "fetch.min.bytes": "1", "fetch.error.backoff.ms": "500",
    "fetch.message.max.bytes": "1048576", "fetch.max.bytes": "104857600", "receive.message.max.bytes": "210763776",
    "message.max.bytes": "104857600", "queued.max.messages.kbytes": "16384", "enable.auto.commit": "false",
    "enable.auto.offset.store": "false", "auto.offset.reset": "error", "socket.nagle.disable": "true",
    "socket.timeout.ms": "10000", "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "500",
}
NEWEST = CONSUMER | {"fetch.wait.max.ms": "50", "fetch.error.backoff.ms": "50"}


@dataclass(frozen=True)
class Work:
    """What a throughput measurement moves."""

    size: int
    """Bytes of a message."""
    count: int
    """Messages that are measured."""

    @property
    def warm_up(self) -> int:
        """Messages before those that are measured."""
        return self.count // 10

    @property
    def total(self) -> int:
        """All messages."""
        return self.warm_up + self.count

    @property
    def name(self) -> str:
        """The size, for people."""
        for unit, factor in (("MB", 1_000_000), ("kB", 1000)):
            if self.size >= factor:
                return f"{self.size // factor} {unit}"
        return f"{self.size} B"


@dataclass(frozen=True)
class Speed:
    """What moving messages cost."""

    mb_per_second: float
    cpu_ms_per_mb: float
    """Of all threads of the process."""


@dataclass(frozen=True)
class Arrival:
    """A message as it came to a reader."""

    arrived_ns: int
    captured_ns: int
    """Unix times."""
    source: str

    @property
    def age_ms(self) -> float:
        """Time from its making to its arrival."""
        return (self.arrived_ns - self.captured_ns) / 1e6


class Programs:
    """Makes processes that are to be started."""

    def __init__(self, bootstrap_servers: str, logs: Path) -> None:
        """`logs` is a folder for their output."""
        self._servers = bootstrap_servers
        self._logs = logs

    def _peer(self, name: str, config: dict[str, str], options: Sequence[str], topic: str, count: int) -> Process:
        keys = [word for key, value in config.items() for word in ("-X", f"{key}={value}")]
        return Process(f"The program {name}", [PEERS / name, *keys, *options, self._servers, topic, str(count)],
                       self._logs / f"{name}.log")

    def produce(self, topic: str, count: int, *options: str, config: dict[str, str] = LOSSLESS) -> Process:
        """bench/peers/produce.c"""
        return self._peer("bench-produce", config, ["-f", str(UNACKNOWLEDGED), *options], topic, count)

    def consume(self, topic: str, count: int, *options: str, config: dict[str, str] = CONSUMER) -> Process:
        """bench/peers/consume.c"""
        return self._peer("bench-consume", config, options, topic, count)

    def pipeline(self, text: str, *options: str) -> Process:
        """bench/peers/pipeline.c"""
        return Process("The program bench-pipeline", [PEERS / "bench-pipeline", *options, text],
                       self._logs / "bench-pipeline.log", plugin_environment())

    def kafkasink(self, topic: str, properties: str = "delivery=lossless drain-timeout=0") -> str:
        """The element as text."""
        return f"kafkasink bootstrap-servers={self._servers} topic={topic} {properties}"

    def kafkasrc(self, topic: str, properties: str) -> str:
        """The element as text."""
        return f"kafkasrc bootstrap-servers={self._servers} topic={topic} {properties}"

    def java_producer(self, topic: str, work: Work) -> Process:
        """Kafka's ProducerPerformance, with its own defaults but for acks and the largest request."""
        return self._java("ProducerPerformance", f"--topic {topic} --num-records {work.total} "
                          f"--record-size {work.size} --throughput -1 --producer-props "
                          f"bootstrap.servers={self._servers} acks=all max.request.size=104857600")

    def java_consumer(self, topic: str, work: Work) -> Process:
        """Kafka's ConsumerPerformance, with its own defaults."""
        return self._java("ConsumerPerformance", f"--bootstrap-server {self._servers} --topic {topic} "
                          f"--messages {work.total} --timeout 20000")

    def _java(self, tool: str, options: str) -> Process:
        return Process(f"Kafka's {tool}", ["java", "-cp", f"{JARS}/*", f"org.apache.kafka.tools.{tool}",
                                           *shlex.split(options)], self._logs / f"{tool}.log")


def frames(size: int, count: int, fps: int = 25, *, live: bool = False) -> str:
    """A source as text that gives the same raw picture of `size` bytes again and again, without a copy."""
    height = next(height for height in (1000, 100, 1) if size % height == 0 and size // height >= 100)
    return (f"videotestsrc num-buffers=1 ! video/x-raw,format=GRAY8,width={size // height},height={height} ! "
            f"imagefreeze num-buffers={count} is-live={str(live).lower()} ! video/x-raw,framerate={fps}/1")


def run(process: Process, limit: float = 120) -> list[str]:
    """Run a process to its end; returns what it has printed. Raises StackError when it fails."""
    process.start()
    return finish(process, limit)


def finish(process: Process, limit: float = 120) -> list[str]:
    """Wait for the end of a process that was started."""
    try:
        code = process.wait(limit)
    finally:
        process.stop()
    if code != 0:
        raise process.failure(f"ended with exit code {code}")
    return process.lines


def speed(process: Process, work: Work) -> Speed:
    """Run a program of bench/peers and read what it has measured."""
    lines = [line for line in run(process) if line.startswith('{"messages"')]
    if len(lines) != 1:
        raise process.failure("did not print what it measured")
    measured = json.loads(lines[0])
    megabytes = measured["messages"] * work.size / 1e6
    return Speed(megabytes / measured["seconds"], measured["cpu_seconds"] * 1000 / megabytes)


def arrivals(lines: Sequence[str]) -> list[Arrival]:
    """What a program of bench/peers has printed with the option -a."""
    return [Arrival(**json.loads(line)) for line in lines if line.startswith('{"arrived_ns"')]


def java_producer_speed(lines: Sequence[str]) -> float:
    """MB/s, in the last line of ProducerPerformance; its MB has 2^20 bytes."""
    found = re.findall(r"\(([\d.]+) MB/sec\)", "\n".join(lines))
    if not found:
        raise StackError("Kafka's ProducerPerformance printed no MB/sec.")
    return float(found[-1]) * 1.048576


def java_consumer_speed(lines: Sequence[str]) -> float:
    """MB/s, in the table of ConsumerPerformance: without the time in which the group was joined."""
    table = [line.split(", ") for line in lines if ", " in line]
    if len(table) < 2:
        raise StackError("Kafka's ConsumerPerformance printed no table.")
    row = dict(zip(table[0], table[-1], strict=True))
    return float(row["fetch.MB.sec"]) * 1.048576
