"""A broker with passwords and certificates that is restarted while frames flow."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import SecureBroker
from chain import Chain
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType
from frames import end_of
from launcher import LOG_FOLDER, Launcher
from test_security import config_file, login


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A secure broker that nobody else uses. Mallory may do everything with topics whose names begin with `open`."""
    fragile = SecureBroker(tmp_path_factory.mktemp("fragile"), LOG_FOLDER / "fragile-broker.log")
    fragile.start()
    allowed = AclBinding(ResourceType.TOPIC, "open", ResourcePatternType.PREFIXED, "User:mallory", "*",
                         AclOperation.ALL, AclPermissionType.ALLOW)
    for result in fragile.admin.create_acls([allowed]).values():
        result.result(30)
    yield fragile
    fragile.broker.stop()


@pytest.mark.parametrize("listener", ["SASL", "TLS"])
def test_restarted_broker(listener: str, fragile: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    """What a broker refuses while it stops and starts is no reason to give up: nothing is lost, and it is told once."""
    keys = login("mallory") if listener == "SASL" else {
        "security_protocol": "ssl", "ssl_ca_location": str(fragile.certificates / "ca.pem")}
    first, second = f"open-{listener.lower()}", f"open-{listener.lower()}-copy"
    fragile.broker.create_topics(first, second)
    chain = Chain(fragile.broker.bootstrap_servers, first, second, launcher,
                  f"bootstrap-servers={fragile.servers(listener)} config-file={config_file(tmp_path, **keys)}")
    chain.wait(100)
    fragile.broker.process.send_signal(signal.SIGTERM)
    fragile.broker.process.wait()
    fragile.broker.start()
    fragile.broker.wait_until_ready()
    chain.wait(end_of(chain.servers, first) + 100)
    written, read = chain.end()
    assert written.without_repeats() == list(range(len(set(written.ids))))
    assert read.without_repeats() == written.sequence
    for process in (chain.writer, chain.reader):
        assert not any(line.startswith("ERROR") for line in process.lines)
    for element, (warnings, recoveries) in chain.tellings().items():
        assert len(warnings) == 1, (element, warnings)
        assert len(recoveries) == 1, (element, recoveries)
