"""The plugins as a user has them: installed, in a development environment, beside other Kafka clients."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from launcher import Launcher
from mjpeg import picture

from demo.stack.messages import TopicReader
from demo.stack.paths import BUILD, ROOT
from demo.stack.process import HANG_LIMIT
from demo.stack.stack import Stack

ELEMENTS = ["kafkasink", "kafkasrc", "souphttpsink", "textoverlaylabels", "tfservingclassify"]


def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; it must end well."""
    result = subprocess.run(arguments, capture_output=True, timeout=HANG_LIMIT, cwd=ROOT,
                            env={**os.environ, **(environment or {})})
    assert result.returncode == 0, result.stdout.decode() + result.stderr.decode()
    return result


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that knows the plugins of an empty folder after `meson install`, and no others of ours."""
    folder = tmp_path_factory.mktemp("install")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", folder)
    plugins = {file.parent for file in folder.rglob("libgst*.so")}
    assert len(plugins) == 1
    return {"GST_PLUGIN_PATH": str(plugins.pop()), "GST_REGISTRY": str(folder / "registry.bin")}


def test_installed_elements_describe_themselves(installed: dict[str, str]) -> None:
    for element in ELEMENTS:
        text = run("gst-inspect-1.0", element, environment=installed).stdout.decode()
        assert f"Name                     {element}" in text
        assert installed["GST_PLUGIN_PATH"] in text


def test_installed_elements_run(installed: dict[str, str], stack: Stack, new_topic: Callable[[], str]) -> None:
    topic, servers = new_topic(), stack.broker.bootstrap_servers
    with TopicReader(servers, topic) as reader:
        run("gst-launch-1.0", "-e", *f"videotestsrc num-buffers=5 ! textoverlaylabels ! jpegenc ! "
            f"kafkasink delivery=lossless bootstrap-servers={servers} topic={topic}".split(), environment=installed)
        assert [picture(message.value()).shape for message in reader.messages(5)] == [(240, 320, 3)] * 5


def test_first_lines_of_the_readme_in_the_development_environment(stack: Stack, launcher: Launcher,
                                                                  new_topic: Callable[[], str]) -> None:
    topic, servers = new_topic(), stack.broker.bootstrap_servers
    launcher.pipeline(f"videotestsrc is-live=true ! jpegenc ! kafkasink bootstrap-servers={servers} topic={topic}")
    # num-buffers ends the source by itself: the example in the documentation runs until Ctrl-C.
    run("meson", "devenv", "-C", BUILD, "-w", ROOT, "gst-launch-1.0", *f"kafkasrc num-buffers=20 "
        f"bootstrap-servers={servers} topic={topic} ! jpegdec ! fakesink".split())


def test_kcat_reads_a_jpeg_and_its_headers(stack: Stack, launcher: Launcher, new_topic: Callable[[], str]) -> None:
    topic, servers = new_topic(), stack.broker.bootstrap_servers
    launcher.pipeline(f"videotestsrc is-live=true ! jpegenc ! kafkasink bootstrap-servers={servers} topic={topic} "
                      "source-id=camera-1")
    kcat = ["kcat", "-b", servers, "-t", topic, "-C", "-o", "beginning", "-c", "1", "-q"]
    key, timestamp, names_and_values = run(*kcat, "-f", r"%k\n%T\n%h").stdout.decode().split("\n", 2)
    # Values can hold commas: a new header begins at a comma with a name behind it.
    found = dict(part.split("=", 1) for part in names_and_values.replace(",ce_", "\nce_").split("\n"))
    assert key == found["ce_source"] == "camera-1"
    assert found["content-type"] == "image/jpeg"
    assert found["ce_specversion"] == "1.0"
    assert found["ce_type"] == "gst-kafka-vision.frame.v1"
    assert found["ce_caps"].startswith("image/jpeg, ")
    assert found["ce_time"].endswith("Z")
    assert {"ce_id", "ce_stream", "ce_sequence", "ce_pts"} <= found.keys()
    assert int(timestamp) > 0
    assert picture(run(*kcat, "-f", "%s").stdout).shape == (240, 320, 3)
