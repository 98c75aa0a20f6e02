"""Everything around the services, up and down together."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .camera import CameraSimulator
from .kafka_broker import KafkaBroker
from .model_server import ModelServer
from .paths import BUILD
from .process import Process, free_port, stop_all
from .service import Service

TOPICS = ("videocam", "videodisplay")


class Stack:
    """A broker, a model server and cameras, ready for services; a context manager.

    All of them start at the same time. What runs as a service is up to the caller: `start_chain`, or
    `start_service` for each.
    """

    def __init__(self, logs: Path, *, build: Path = BUILD, topics: tuple[str, ...] = TOPICS,
                 broker: Mapping[str, str] | None = None, cameras: Mapping[str, Any] | None = None,
                 simulate_cameras: bool = True, models: Mapping[str, Path] | None = None) -> None:
        """`logs` is a folder for one log of each process. `topics` are created. `broker` adds to the broker's
        configuration, `cameras` are options of CameraSimulator, `models` those of ModelServer.
        """
        self.logs = logs
        self.build = build
        self.topics = topics
        self.folder = Path(tempfile.mkdtemp(prefix="gst-kafka-vision-"))
        self.broker = KafkaBroker(self.folder / "kafka", logs / "broker.log", config=broker)
        self.model_server = ModelServer(logs / "model-server.log", models)
        self.cameras = None
        if simulate_cameras:
            self.cameras = CameraSimulator(logs / "cameras.log", build=build, **(cameras or {}))
        self.services: list[Service] = []

    def __enter__(self) -> Stack:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _start(self) -> None:
        parts = [part for part in (self.broker, self.model_server, self.cameras) if part]
        for part in parts:
            part.start()
        self.broker.wait_until_ready()
        self.broker.create_topics(*self.topics)
        for part in parts[1:]:
            part.wait_until_ready()

    @property
    def processes(self) -> list[Process]:
        """All processes that should be running now."""
        parts = [part.process for part in (self.broker, self.model_server, self.cameras) if part]
        return [*parts, *self.services]

    def start_service(self, pipeline: str, environment: Mapping[str, str] | None = None,
                      name: str | None = None) -> Service:
        """Run `pipelines/launch pipeline` on this stack's broker, without waiting; its log is `name`.log."""
        name = name or pipeline
        service = Service(pipeline, {"BOOTSTRAP_SERVERS": self.broker.bootstrap_servers, **(environment or {})},
                          self.logs / f"{name}.log", build=self.build, name=f"The {name} service")
        self.services.append(service)
        service.start()
        return service

    def start_chain(self, cameras: Mapping[str, str], *, models: tuple[str, ...] = (), port: int | None = None,
                    address: str = "127.0.0.1") -> str:
        """Start a camera service for each camera (source id: RTSP URL), one classify service that asks `models`
        (none: all of them), and the web service. Returns the page's URL, which can be opened.
        """
        port = port or free_port()
        for source, url in cameras.items():
            self.start_service("camera", {"RTSP_URL": url, "SOURCE_ID": source}, f"camera-{source}")
        self.start_service("classify", self.model_server.environment(*models))
        web = self.start_service("web", {"ADDRESS": address, "PORT": str(port)})
        web.wait_until_started()
        return f"http://{'127.0.0.1' if address == '0.0.0.0' else address}:{port}/"

    def stop_services(self) -> None:
        """End all services that were started; the rest goes on."""
        stop_all(self.services)
        self.services.clear()

    def stop(self) -> None:
        """End everything and leave nothing but the logs."""
        self.stop_services()
        stop_all(self.processes)
        shutil.rmtree(self.folder, ignore_errors=True)
