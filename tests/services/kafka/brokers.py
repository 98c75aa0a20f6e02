"""Kafka brokers as users have them: with passwords, certificates and ACLs, and three of them as a cluster."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import HANG_LIMIT, free_port, stop_all

USERS = {"alice": "in-wonderland", "mallory": "007"}
PASSWORDS = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
PLAIN_LOGIN = f"org.apache.kafka.common.security.plain.PlainLoginModule required {PASSWORDS};"
SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def _openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path) -> None:
    """A CA (ca.pem), one that nobody knows (other-ca.pem), a broker's key and certificate for the name localhost
    (server.pem), and a client's (client.key, client.pem).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for authority in ("ca", "other-ca"):
        _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={authority}",
                 "-keyout", f"{authority}.key", "-out", f"{authority}.pem", folder=folder)
    for name, extension in (("server", "subjectAltName=DNS:localhost"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension + "\n")
        _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr", folder=folder)
        _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                 "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt", folder=folder)
    for name in ("server", "client"):
        certificate = (folder / f"{name}.crt").read_text()
        (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text() + certificate)


class SecureBroker:
    """A broker with an ACL-checking authorizer. Who comes over the plain listener may do everything."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.certificates = folder / "certificates"
        make_certificates(self.certificates)
        self.ports = {name: free_port() for name in ("PLAIN", "SASL", "TLS", "MUTUAL", "CONTROLLER")}
        protocols = {"PLAIN": "PLAINTEXT", "SASL": "SASL_PLAINTEXT", "TLS": "SSL", "MUTUAL": "SSL",
                     "CONTROLLER": "PLAINTEXT"}
        listeners = {name: f"{name}://{'127.0.0.1' if name != 'TLS' else 'localhost'}:{port}"
                     for name, port in self.ports.items()}
        self.broker = KafkaBroker(folder / "kafka", log, port=self.ports["PLAIN"], config={
            "listeners": ",".join(listeners.values()),
            "advertised.listeners": ",".join(text.replace("127.0.0.1", "localhost") if name == "MUTUAL" else text
                                             for name, text in listeners.items() if name != "CONTROLLER"),
            "controller.quorum.voters": f"1@127.0.0.1:{self.ports['CONTROLLER']}",
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl.plain.sasl.jaas.config": PLAIN_LOGIN,
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
            "ssl.keystore.type": "PEM", "ssl.keystore.location": str(self.certificates / "server.pem"),
            "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.certificates / "ca.pem"),
            "listener.name.mutual.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:alice;User:CN=client",
        })

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.broker.start()
        self.broker.wait_until_ready()
        self.admin = AdminClient({"bootstrap.servers": self.broker.bootstrap_servers, "log_level": 3})

    def servers(self, listener: str, host: str = "localhost") -> str:
        """host:port of a listener: PLAIN, SASL, TLS or MUTUAL."""
        return f"{host}:{self.ports[listener]}"


class Cluster:
    """Three brokers; topics have three copies, of which two must be in sync."""

    def __init__(self, folder: Path, logs: Path) -> None:
        controllers = [free_port() for _ in range(3)]
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(controllers, 1))
        self.brokers = []
        for node, controller in enumerate(controllers, 1):
            port = free_port()
            self.brokers.append(KafkaBroker(folder / str(node), logs / f"cluster-{node}.log", port=port, config={
                "node.id": str(node),
                "controller.quorum.voters": voters,
                "listeners": f"PLAIN://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
                "default.replication.factor": "3", "min.insync.replicas": "2",
                "offsets.topic.replication.factor": "3",
                "transaction.state.log.replication.factor": "3", "transaction.state.log.min.isr": "2",
                "log.message.timestamp.type": "LogAppendTime",
                # A dead broker is noticed soon.
                "broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500",
            }))

    @property
    def bootstrap_servers(self) -> str:
        """All three."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    def start(self) -> None:
        """Start them and wait until they serve."""
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait_until_ready()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 3})

    def create_topic(self, name: str) -> None:
        """A topic with one partition."""
        created = self.admin.create_topics([NewTopic(name, 1, 3)], operation_timeout=HANG_LIMIT)
        created[name].result(HANG_LIMIT)

    def leader(self, topic: str) -> KafkaBroker:
        """The broker that leads the topic's partition now."""
        metadata = self.admin.list_topics(topic, timeout=HANG_LIMIT)
        return self.brokers[metadata.topics[topic].partitions[0].leader - 1]

    def stop(self) -> None:
        """End all three."""
        for broker in self.brokers:
            broker.process.send_signal(signal.SIGCONT)
        stop_all([broker.process for broker in self.brokers])
