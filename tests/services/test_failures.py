"""What a user reads when something is wrong: exit code 1, and a sentence that names what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from launcher import Launcher

from demo.stack.process import Process, free_port
from demo.stack.stack import Stack

SOURCE = "videotestsrc is-live=true ! jpegenc"
SINK_ELEMENTS = {
    "kafkasink": SOURCE + " ! kafkasink bootstrap-servers={servers} topic={topic} connect-timeout={timeout}",
    "kafkasrc": "kafkasrc bootstrap-servers={servers} topic={topic} connect-timeout={timeout} ! fakesink",
}


def error_of(process: Process) -> str:
    """The error that ended a pipeline, which is gst-launch's exit code 1."""
    code = process.wait()
    errors = [line for line in process.lines if line.startswith(("ERROR: from element", "ERROR: pipeline"))]
    assert errors, process.failure(f"ended with exit code {code} and no error")
    assert code in (1, 255), process.failure(f"ended with exit code {code}")
    return errors[0]


@pytest.mark.parametrize("element", SINK_ELEMENTS)
def test_no_broker(element: str, launcher: Launcher) -> None:
    servers = f"127.0.0.1:{free_port()}"
    error = error_of(launcher.pipeline(SINK_ELEMENTS[element].format(servers=servers, topic="t", timeout=1000)))
    assert servers in error
    assert "bootstrap-servers" in error


@pytest.mark.parametrize("element", SINK_ELEMENTS)
def test_unknown_topic(element: str, stack: Stack, launcher: Launcher) -> None:
    servers = stack.broker.bootstrap_servers
    error = error_of(launcher.pipeline(SINK_ELEMENTS[element].format(servers=servers, topic="misspelt", timeout=2000)))
    assert "misspelt" in error
    assert "property topic" in error


@pytest.mark.parametrize(("url", "named"), [
    ("nonsense", "nonsense"),
    ("ftp://127.0.0.1/v1/models/m:predict", "ftp://127.0.0.1/v1/models/m:predict"),
    ("http://127.0.0.1:1/v1/models", "http://127.0.0.1:1/v1/models"),
    ('{"m": ', "JSON"),
])
def test_wrong_model_url(url: str, named: str, launcher: Launcher, camera_topic: str) -> None:
    error = error_of(launcher.service("classify", TOPIC_IN=camera_topic, TOPIC_OUT=camera_topic, MODEL_URLS=url))
    assert "model-urls" in error
    assert named in error


def test_label_file_that_is_not_there(stack: Stack, launcher: Launcher, camera_topic: str) -> None:
    error = error_of(launcher.service("classify", TOPIC_IN=camera_topic, TOPIC_OUT=camera_topic,
                                      LABEL_URLS="/no/such.json",
                                      MODEL_URLS=stack.model_server.predict_url("patterns")))
    assert "label-urls" in error
    assert "/no/such.json" in error


def test_model_that_the_server_does_not_have(stack: Stack, launcher: Launcher, camera_topic: str,
                                             new_topic: Callable[[], str]) -> None:
    """The video goes on without an answer, and the user is told."""
    service = launcher.service("classify", TOPIC_IN=camera_topic, TOPIC_OUT=new_topic(),
                               MODEL_URLS=stack.model_server.predict_url("nosuchmodel"))
    warning = service.wait_for_line("WARNING: from element .*tfservingclassify")
    assert "nosuchmodel" in warning.string
    assert service.running


def test_port_in_use(stack: Stack, launcher: Launcher, camera_topic: str) -> None:
    port = str(free_port())
    launcher.service("web", TOPIC=camera_topic, PORT=port).wait_until_started()
    error = error_of(launcher.service("web", TOPIC=camera_topic, PORT=port))
    assert port in error
    assert "property port" in error


def test_missing_variable_is_named_before_anything_starts(launcher: Launcher) -> None:
    service = launcher.service("camera")
    assert service.wait() == 2
    assert "RTSP_URL" in service.lines[0]
