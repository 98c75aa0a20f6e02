"""A broker that answers, and sends its clients where nobody is: the commonest mistake in a broker's configuration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from frames import SOURCE
from launcher import LOG_FOLDER, Launcher

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.process import free_port

NOBODY = "127.0.0.1:9"
ELEMENTS = {
    "sink-lossless": f"{SOURCE} ! kafkasink delivery=lossless {{properties}}",
    "sink-live": f"{SOURCE} ! kafkasink delivery=live {{properties}}",
    "src-stream": "kafkasrc mode=stream start-offset=earliest {properties} ! fakesink",
    "src-latest-offset": "kafkasrc mode=latest-offset {properties} ! fakesink",
    "src-group": "kafkasrc mode=stream group-id=misled {properties} ! fakesink",
}


@pytest.fixture(scope="module")
def misleading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a listener of a broker that is advertised as NOBODY; the broker has the topic `frames`."""
    port, misled, controller = (free_port() for _ in range(3))
    log = LOG_FOLDER / "misleading-broker.log"
    broker = KafkaBroker(tmp_path_factory.mktemp("misleading"), log, port=port, config={
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAIN://127.0.0.1:{port},MISLED://127.0.0.1:{misled},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAIN://127.0.0.1:{port},MISLED://{NOBODY}",
        "listener.security.protocol.map": "PLAIN:PLAINTEXT,MISLED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    })
    broker.start()
    broker.wait_until_ready()
    broker.create_topics("frames")
    yield f"127.0.0.1:{misled}"
    broker.stop()


@pytest.mark.parametrize("element", ELEMENTS)
def test_wrong_advertised_listener(element: str, misleading: str, launcher: Launcher) -> None:
    """The user is told where the broker sends its clients, or which of its settings does; a service may wait for it."""
    pipeline = launcher.pipeline(ELEMENTS[element].format(properties=f"bootstrap-servers={misleading} topic=frames"))
    warning = pipeline.wait_for_line("WARNING: from element .*GstKafka").string
    pipeline.wait_for_line(rf"advertised\.listeners|{NOBODY.replace('.', '[.]')}\b")
    assert pipeline.running, pipeline.failure("ended")
    print(warning)
