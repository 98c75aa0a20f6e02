"""The stack that the tests of whole pipelines share: one broker, model server and camera for the whole run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from launcher import LOG_FOLDER, Launcher

from demo.stack.paths import TOOLS
from demo.stack.service import Service
from demo.stack.stack import Stack

PATTERNS = ["pinwheel", "smpte", "checkers-8", "spokes", "circular", "bar"]
"""Test patterns that the model names right in every frame: a wrong label is the chain's fault then."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Broker (without auto.create.topics.enable), model server and cameras."""
    with Stack(LOG_FOLDER, cameras={"video": TOOLS / "video" / "bikes.mp4", "patterns": PATTERNS}) as stack:
        yield stack


@pytest.fixture(scope="session")
def camera_topic(stack: Stack) -> Iterator[str]:
    """A topic into which a camera service of its own sends the simulator's `/patterns`, source id `patterns`."""
    stack.broker.create_topics("always")
    service = Service("camera", {"BOOTSTRAP_SERVERS": stack.broker.bootstrap_servers, "TOPIC": "always",
                                 "RTSP_URL": stack.cameras.url("patterns"), "SOURCE_ID": "patterns"},
                      LOG_FOLDER / "always-camera.log")
    service.start()
    yield "always"
    service.stop()


topic_numbers = itertools.count()


@pytest.fixture
def new_topic(stack: Stack) -> Callable[[], str]:
    """Makes a topic that nobody uses yet and returns its name."""
    def make() -> str:
        name = f"topic-{next(topic_numbers)}"
        stack.broker.create_topics(name)
        return name
    return make


@pytest.fixture
def launcher(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Launcher]:
    """Starts services and pipelines for one test, and ends them after it."""
    launcher = Launcher(stack.broker.bootstrap_servers, request.node.name)
    yield launcher
    launcher.stop()
