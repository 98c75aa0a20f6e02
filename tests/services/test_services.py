"""Each service by itself: what it passes on, how it starts, recovers and ends."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable

import pytest
from launcher import LOG_FOLDER, Launcher
from mjpeg import picture, viewer

from demo.stack.kafka_broker import KafkaBroker
from demo.stack.labels import find_label
from demo.stack.messages import TopicReader, headers
from demo.stack.model_server import labels
from demo.stack.process import Process, free_port
from demo.stack.stack import Stack

JPEG_START = b"\xff\xd8"


def service_environment(pipeline: str, stack: Stack, topic: str) -> dict[str, str]:
    """What a service needs to run on the shared stack."""
    return {
        "camera": {"RTSP_URL": stack.cameras.url("patterns"), "SOURCE_ID": "patterns", "TOPIC": topic},
        "classify": {"TOPIC_IN": topic, "TOPIC_OUT": topic, **stack.model_server.environment("patterns")},
        "web": {"TOPIC": topic, "PORT": str(free_port())},
        "web-multipart": {"TOPIC": topic, "PORT": str(free_port())},
    }[pipeline]


def ends_cleanly(process: Process) -> None:
    """SIGINT ends a service in good order; one that needs longer than 2 s the launcher stops, and says so."""
    process.send_signal(signal.SIGINT)
    code = process.wait()
    assert code == 0, process.failure(f"ended with exit code {code}")
    assert not [line for line in process.lines if "ERROR" in line or "CRITICAL" in line or "was stopped" in line]


def test_camera_service_sends_jpeg_frames_of_its_source(stack: Stack, launcher: Launcher,
                                                        new_topic: Callable[[], str]) -> None:
    topic = new_topic()
    with TopicReader(stack.broker.bootstrap_servers, topic) as reader:
        service = launcher.service("camera", **service_environment("camera", stack, topic))
        messages = list(reader.messages(50))
        ends_cleanly(service)
    assert all(picture(message.value()).shape == (480, 640, 3) for message in messages)
    assert {message.key() for message in messages} == {b"patterns"}
    assert {headers(message)["ce_source"] for message in messages} == {"patterns"}
    sequence = [int(headers(message)["ce_sequence"]) for message in messages]
    assert sequence == list(range(sequence[0], sequence[0] + 50))


def test_classify_service_draws_and_names_what_the_model_says(stack: Stack, launcher: Launcher, camera_topic: str,
                                                              new_topic: Callable[[], str]) -> None:
    topic = new_topic()
    with TopicReader(stack.broker.bootstrap_servers, topic) as reader:
        service = launcher.service("classify", TOPIC_IN=camera_topic, TOPIC_OUT=topic,
                                   **stack.model_server.environment("patterns"))
        # The video does not wait for the first answer.
        message = next(m for m in reader.messages(500) if _label(headers(m)))
        ends_cleanly(service)
    label = _label(headers(message))
    found = find_label(picture(message.value()), "patterns", labels("patterns"))
    assert found.label == label
    assert found.certain
    assert headers(message)["ce_source"] == "patterns"


def _label(message_headers: dict[str, str]) -> str | None:
    results = json.loads(message_headers.get("ce_classifications", "[]"))
    return results[0]["label"] if results else None


@pytest.mark.parametrize("pipeline", ["web", "web-multipart"])
def test_web_services_stream_the_topic(pipeline: str, stack: Stack, launcher: Launcher, camera_topic: str) -> None:
    environment = service_environment(pipeline, stack, camera_topic)
    service = launcher.service(pipeline, **environment)
    service.wait_until_started()
    with viewer(f"http://127.0.0.1:{environment['PORT']}/stream") as stream:
        jpegs = [stream.read() for _ in range(10)]
    assert all(jpeg.startswith(JPEG_START) and picture(jpeg).shape == (480, 640, 3) for jpeg in jpegs)
    assert len(set(jpegs)) > 5
    ends_cleanly(service)


@pytest.mark.parametrize("pipeline", ["camera", "classify", "web", "web-multipart"])
def test_service_that_waits_for_its_broker_ends_cleanly(pipeline: str, stack: Stack, launcher: Launcher) -> None:
    service = launcher.service(pipeline, **service_environment(pipeline, stack, "topic"),
                               BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    # rtspsrc loses an EOS that comes before the camera sends; what adapts the latency is there when it does.
    service.wait_for_line("Redistribute latency" if pipeline == "camera" else "Setting pipeline to PLAYING")
    ends_cleanly(service)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_camera_service_ends_while_its_camera_does_not_answer(number: signal.Signals, stack: Stack,
                                                              launcher: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"rtsp://127.0.0.1:{mute.getsockname()[1]}/"
        service = launcher.service("camera", RTSP_URL=url, TOPIC="topic")
        connection, _ = mute.accept()
        with connection:
            service.send_signal(number)
            assert service.wait() == 0
    assert "launch: The end of the stream did not come; the pipeline was stopped." in service.lines


def test_services_wait_for_a_broker_that_starts_later(stack: Stack, launcher: Launcher,
                                                      tmp_path) -> None:
    broker = KafkaBroker(tmp_path, LOG_FOLDER / "late-broker.log")
    port = str(free_port())
    services = [launcher.service("camera", BOOTSTRAP_SERVERS=broker.bootstrap_servers, TOPIC="late-in",
                                 RTSP_URL=stack.cameras.url("patterns")),
                launcher.service("classify", BOOTSTRAP_SERVERS=broker.bootstrap_servers, TOPIC_IN="late-in",
                                 TOPIC_OUT="late-out", **stack.model_server.environment("patterns")),
                launcher.service("web", BOOTSTRAP_SERVERS=broker.bootstrap_servers, TOPIC="late-out", PORT=port)]
    for service in services:
        service.wait_for_line("Setting pipeline to PLAYING")
    broker.start()
    try:
        broker.wait_until_ready()
        broker.create_topics("late-in", "late-out")
        with viewer(f"http://127.0.0.1:{port}/stream") as stream:
            assert picture(stream.read()).shape == (480, 640, 3)
        assert all(service.running for service in services)
    finally:
        broker.stop()


def test_viewer_sees_a_restarted_camera_service(stack: Stack, launcher: Launcher,
                                                new_topic: Callable[[], str]) -> None:
    topic, port = new_topic(), str(free_port())
    camera = launcher.service("camera", **service_environment("camera", stack, topic))
    web = launcher.service("web", TOPIC=topic, PORT=port)
    web.wait_until_started()
    with viewer(f"http://127.0.0.1:{port}/stream") as stream, \
            TopicReader(stack.broker.bootstrap_servers, topic) as reader:
        before = headers(reader.read())
        stream.read()
        ends_cleanly(camera)
        shown = [stream.read()]
        camera.start()
        after = next(h for h in map(headers, reader.messages(1000)) if h["ce_stream"] != before["ce_stream"])
        # The same connection goes on, with pictures that are new.
        while len(set(shown)) < 6:
            shown.append(stream.read())
    assert after["ce_source"] == before["ce_source"] == "patterns"
    assert after["ce_sequence"] == "0"
