"""Passwords, certificates and ACLs: what a user reads when they are wrong, and that they work when they are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokers import USERS, SecureBroker
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from frames import wait_for_frames
from launcher import Launcher
from test_failures import error_of

ELEMENTS = {
    "kafkasink": "videotestsrc is-live=true ! jpegenc ! kafkasink {properties}",
    "kafkasrc": "kafkasrc mode=stream start-offset=earliest {properties} ! fakesink",
}
TOPIC = "guarded"


@pytest.fixture(scope="module", autouse=True)
def guarded_topic(secure: SecureBroker) -> None:
    """A topic that alice may use and mallory may only read."""
    secure.broker.create_topics(TOPIC, "hidden", "described")
    allowed = [AclBinding(ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL, "User:mallory", "*", operation,
                          AclPermissionType.ALLOW) for operation in (AclOperation.DESCRIBE, AclOperation.READ)]
    allowed.append(AclBinding(ResourceType.TOPIC, "described", ResourcePatternType.LITERAL, "User:mallory", "*",
                              AclOperation.DESCRIBE, AclPermissionType.ALLOW))
    for result in secure.admin.create_acls(allowed).values():
        result.result(30)


def config_file(folder: Path, **keys: str) -> Path:
    """A file for the property config-file; `_` stands for the dots of a key."""
    file = folder / "kafka.conf"
    file.write_text("".join(f"{key.replace('_', '.')}={value}\n" for key, value in keys.items()))
    return file


def login(user: str, password: str | None = None, mechanism: str = "PLAIN") -> dict[str, str]:
    """Keys with which a user logs in."""
    return {"security_protocol": "sasl_plaintext", "sasl_mechanisms": mechanism, "sasl_username": user,
            "sasl_password": password or USERS[user]}


def run(launcher: Launcher, element: str, servers: str, file: Path, topic: str = TOPIC, more: str = "") -> str:
    """The error of an element."""
    properties = f"bootstrap-servers={servers} topic={topic} config-file={file} connect-timeout=8000 {more}"
    return error_of(launcher.pipeline(ELEMENTS[element].format(properties=properties)))


def test_without_a_group_no_right_to_a_group_is_needed(secure: SecureBroker, launcher: Launcher,
                                                       tmp_path: Path) -> None:
    connection = f"bootstrap-servers={secure.servers('SASL')} config-file={config_file(tmp_path, **login('mallory'))}"
    plain = f"bootstrap-servers={secure.broker.bootstrap_servers}"
    secure.broker.create_topics("read-by-mallory")
    writer = launcher.pipeline(ELEMENTS["kafkasink"].format(properties=f"topic={TOPIC} {plain}"))
    reader = launcher.pipeline(f"kafkasrc mode=stream start-offset=earliest topic={TOPIC} {connection} ! "
                               f"kafkasink topic=read-by-mallory {plain}")
    wait_for_frames(secure.broker.bootstrap_servers, "read-by-mallory", 10, writer, reader)


@pytest.mark.parametrize("listener", ["SASL", "TLS", "MUTUAL"])
def test_right_login(listener: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    """Frames are written and read."""
    folder = secure.certificates
    keys = login("alice") if listener == "SASL" else {
        "security_protocol": "ssl", "ssl_ca_location": str(folder / "ca.pem"),
        "ssl_certificate_location": str(folder / "client.pem"), "ssl_key_location": str(folder / "client.key")}
    servers, topic = secure.broker.bootstrap_servers, f"right-{listener.lower()}"
    secure.broker.create_topics(topic, topic + "-copy")
    connection = f"bootstrap-servers={secure.servers(listener)} config-file={config_file(tmp_path, **keys)}"
    writer = launcher.pipeline(ELEMENTS["kafkasink"].format(properties=f"topic={topic} {connection}"))
    reader = launcher.pipeline(f"kafkasrc mode=stream start-offset=earliest topic={topic} {connection} ! "
                               f"kafkasink topic={topic}-copy bootstrap-servers={servers}")
    wait_for_frames(servers, topic + "-copy", 10, writer, reader)


@pytest.mark.parametrize("element", ELEMENTS)
def test_wrong_password(element: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    error = run(launcher, element, secure.servers("SASL"), config_file(tmp_path, **login("alice", "wrong")))
    assert "refuses the user; check sasl.username, sasl.password" in error


@pytest.mark.parametrize("element", ELEMENTS)
def test_scram_with_kafka_4(element: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    """The right password is refused with an old librdkafka: the error tells why."""
    user = UserScramCredentialUpsertion("scram", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"secret")
    for result in secure.admin.alter_user_scram_credentials([user]).values():
        result.result(30)
    file = config_file(tmp_path, **login("scram", "secret", "SCRAM-SHA-512"))
    assert "cannot log in to Kafka 4 with SCRAM" in run(launcher, element, secure.servers("SASL"), file)


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("authority", ["other-ca", "no-such-ca"])
def test_wrong_authority(authority: str, element: str, secure: SecureBroker, launcher: Launcher,
                         tmp_path: Path) -> None:
    file = config_file(tmp_path, security_protocol="ssl",
                       ssl_ca_location=str(secure.certificates / f"{authority}.pem"))
    assert "ssl.ca.location" in run(launcher, element, secure.servers("TLS"), file)


@pytest.mark.parametrize("element", ELEMENTS)
def test_wrong_host_name(element: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    file = config_file(tmp_path, security_protocol="ssl", ssl_ca_location=str(secure.certificates / "ca.pem"))
    assert "another host name" in run(launcher, element, secure.servers("TLS", "127.0.0.1"), file)


@pytest.mark.parametrize("element", ELEMENTS)
def test_no_client_certificate(element: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    file = config_file(tmp_path, security_protocol="ssl", ssl_ca_location=str(secure.certificates / "ca.pem"))
    assert "ssl.certificate.location" in run(launcher, element, secure.servers("MUTUAL"), file)


@pytest.mark.parametrize("element", ELEMENTS)
def test_tls_to_a_plain_port(element: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    file = config_file(tmp_path, security_protocol="ssl", ssl_ca_location=str(secure.certificates / "ca.pem"))
    error = run(launcher, element, secure.servers("PLAIN"), file)
    assert "security.protocol" in error
    assert "port" in error


@pytest.mark.parametrize("element", ELEMENTS)
def test_plain_text_to_a_port_with_login(element: str, secure: SecureBroker, launcher: Launcher,
                                         tmp_path: Path) -> None:
    error = run(launcher, element, secure.servers("SASL"), config_file(tmp_path, security_protocol="plaintext"))
    assert "security.protocol" in error


def test_write_denied(secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    error = run(launcher, "kafkasink", secure.servers("SASL"), config_file(tmp_path, **login("mallory")))
    assert f'denies access to the topic "{TOPIC}"' in error
    assert "ACLs" in error


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("topic", ["hidden", "described"])
def test_denied(element: str, topic: str, secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    """Neither what may not be seen nor what may only be seen is a reason to wait."""
    error = run(launcher, element, secure.servers("SASL"), config_file(tmp_path, **login("mallory")), topic)
    assert f'denies access to the topic "{topic}"' in error


def test_topic_that_is_there_need_not_be_created(secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    """create-topic=true of a user who may write, and create nothing."""
    topic = "writable"
    secure.broker.create_topics(topic)
    allowed = [AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:mallory", "*", operation,
                          AclPermissionType.ALLOW) for operation in (AclOperation.DESCRIBE, AclOperation.WRITE)]
    for result in secure.admin.create_acls(allowed).values():
        result.result(30)
    properties = f"bootstrap-servers={secure.servers('SASL')} topic={topic} create-topic=true " \
                 f"config-file={config_file(tmp_path, **login('mallory'))}"
    writer = launcher.pipeline(ELEMENTS["kafkasink"].format(properties=properties))
    wait_for_frames(secure.broker.bootstrap_servers, topic, 10, writer)


def test_group_denied(secure: SecureBroker, launcher: Launcher, tmp_path: Path) -> None:
    file = config_file(tmp_path, **login("mallory"))
    error = run(launcher, "kafkasrc", secure.servers("SASL"), file, more="group-id=archive")
    assert "property group-id" in error
