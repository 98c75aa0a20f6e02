"""A real Apache Kafka broker: one node, KRaft, plain text, on loopback."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from .paths import TOOLS
from .process import HANG_LIMIT, Process, free_port

JARS = TOOLS / "kafka"
# A short-lived broker starts fastest with the small compiler and the simple collector.
JVM = "-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"

LOG4J = """\
status=warn
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %-5p %m (%c{1})%n%ex
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
"""


class KafkaBroker:
    """A broker on `127.0.0.1:port`; its data folder and port stay the same over stop and start.

    Topics are created by name before use: with `auto.create.topics.enable` a producer would create a misspelt
    topic, so the broker is started without it unless `config` says otherwise.
    """

    def __init__(self, folder: Path, log: Path, port: int | None = None,
                 config: Mapping[str, str] | None = None) -> None:
        """`folder` holds configuration and data, `config` is added to the broker's configuration."""
        self.folder = folder
        self.port = port or free_port()
        self._config = {**self._default_config(free_port()), **(config or {})}
        self.process = Process("The Kafka broker", ["bash", "-c", self._command()], log)

    @property
    def bootstrap_servers(self) -> str:
        """host:port, as clients take it."""
        return f"127.0.0.1:{self.port}"

    def _default_config(self, controller_port: int) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAIN://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller_port}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAIN",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "message.max.bytes": "104857600",
            "replica.fetch.max.bytes": "104857600",
            # Above the largest message, or a too large one is answered by disconnecting.
            "socket.request.max.bytes": "209715200",
            # Only whole segments expire: small ones, or the videos of a long demo fill the disk.
            "log.retention.ms": "60000",
            "log.segment.bytes": "67108864",
            "log.retention.check.interval.ms": "10000",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "log.cleaner.dedupe.buffer.size": "10485760",
        }

    def _command(self) -> str:
        """Format the data folder when it is new, then become the broker."""
        java = f"java {JVM} -Dlog4j2.configurationFile={shlex.quote(str(self.folder / 'log4j2.properties'))} " \
               f"-cp {shlex.quote(str(JARS))}/'*'"
        config = shlex.quote(str(self.folder / "server.properties"))
        formatted = shlex.quote(str(self.folder / "data" / "meta.properties"))
        return f"[ -f {formatted} ] || {java} kafka.tools.StorageTool format -t {CLUSTER_ID} -c {config} || exit; " \
               f"exec {java} kafka.Kafka {config}"

    def start(self) -> None:
        """Start the broker without waiting for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(LOG4J)
        (self.folder / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in self._config.items()))
        self.process.start()

    def wait_until_ready(self, limit: float = HANG_LIMIT) -> None:
        """Wait until clients are served. Raises StackError when the broker ends before."""
        self.process.wait_for_line(r"Kafka Server started", limit)

    def create_topics(self, *names: str, partitions: int = 1) -> None:
        """Create topics on the running broker and wait until they can be used; existing ones are an error."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 3})
        created = admin.create_topics([NewTopic(name, partitions, 1) for name in names], operation_timeout=HANG_LIMIT)
        for result in created.values():
            result.result(HANG_LIMIT)

    def stop(self) -> None:
        """Stop in good order; the data stays."""
        self.process.stop()
