"""Brokers that tests may break."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Cluster, SecureBroker
from confluent_kafka.admin import AdminClient
from launcher import LOG_FOLDER, Launcher

from demo.stack.kafka_broker import KafkaBroker


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A broker with passwords, certificates and ACLs."""
    secure = SecureBroker(tmp_path_factory.mktemp("secure"), LOG_FOLDER / "secure-broker.log")
    secure.start()
    yield secure
    secure.broker.stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[KafkaBroker]:
    """One broker for the tests of a file, which may stop, kill and start it again. It notices deleted messages soon,
    and writes down when a message came.
    """
    log = LOG_FOLDER / f"{Path(str(request.path)).stem}-broker.log"
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka") / "kafka", log,
                         config={"log.message.timestamp.type": "LogAppendTime", "log.retention.ms": "600000",
                                 "broker.session.timeout.ms": "1000", "broker.heartbeat.interval.ms": "300"})
    broker.start()
    broker.wait_until_ready()
    yield broker
    broker.stop()


@pytest.fixture
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    """Starts pipelines for one test, and ends them after it; they need no more of the stack than these brokers."""
    launcher = Launcher("", request.node.name)
    yield launcher
    launcher.stop()


@pytest.fixture(scope="module")
def admin(broker: KafkaBroker) -> AdminClient:
    """What may change topics."""
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 0})


numbers = itertools.count()


@pytest.fixture
def topic(broker: KafkaBroker) -> Callable[..., str]:
    """Makes a topic on `broker` and returns its name."""
    def make(partitions: int = 1) -> str:
        name = f"frames-{next(numbers)}"
        broker.create_topics(name, partitions=partitions)
        return name
    return make


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three brokers."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), LOG_FOLDER)
    cluster.start()
    yield cluster
    cluster.stop()
