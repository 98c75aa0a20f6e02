"""Starts services and pipelines for one test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from demo.stack.paths import LOGS
from demo.stack.process import Process, stop_all
from demo.stack.service import Pipeline, Service

LOG_FOLDER = LOGS / "services"
AnyProcess = TypeVar("AnyProcess", bound=Process)


class Launcher:
    """Each process has a log named after the test; `stop` ends all of them."""

    def __init__(self, bootstrap_servers: str, test: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._test = re.sub(r"\W+", "-", test).strip("-")
        self._processes: list[Process] = []

    def service(self, pipeline: str, **environment: str) -> Service:
        """Run `pipelines/launch pipeline`, on the shared broker unless the environment names another."""
        environment = {"BOOTSTRAP_SERVERS": self._bootstrap_servers, "ADDRESS": "127.0.0.1", **environment}
        return self._start(Service(pipeline, environment, self.log(pipeline)))

    def pipeline(self, text: str, environment: dict[str, str] | None = None, *,
                 options: Sequence[str] = ("-e",)) -> Pipeline:
        """Run `gst-launch-1.0` with words that need no quotes."""
        return self._start(Pipeline(text, self.log("pipeline"), environment=environment, options=options))

    def process(self, *arguments: str | Path) -> Process:
        """Run any program."""
        return self._start(Process(Path(arguments[0]).name, arguments, self.log(Path(arguments[0]).name)))

    def log(self, name: str) -> Path:
        """A file for the output of the next process."""
        return LOG_FOLDER / f"{self._test}-{len(self._processes)}-{name}.log"

    def _start(self, process: AnyProcess) -> AnyProcess:
        self._processes.append(process)
        process.start()
        return process

    def stop(self) -> None:
        """End everything that was started."""
        stop_all(self._processes)
