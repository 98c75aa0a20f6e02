"""The services: pipeline texts run by gst-launch with the plugins of a build folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .paths import BUILD, ROOT
from .process import HANG_LIMIT, Process


def plugin_environment(build: Path = BUILD) -> dict[str, str]:
    """Variables with which GStreamer finds the plugins of a build folder, and keeps its registry there."""
    folders = sorted({str(file.parent) for file in (build / "gst").glob("*/libgst*.so")})
    path = ":".join([*folders, *filter(None, [os.environ.get("GST_PLUGIN_PATH")])])
    return {"GST_PLUGIN_PATH": path, "GST_REGISTRY": str(build / "gst-registry.bin")}


class Service(Process):
    """`pipelines/launch NAME` with an environment."""

    def __init__(self, pipeline: str | Path, environment: Mapping[str, str], log: Path, *, build: Path = BUILD,
                 name: str | None = None) -> None:
        """`pipeline` is a name in pipelines/, or a file."""
        super().__init__(name or f"The {pipeline} service",
                         ["/usr/bin/python3", ROOT / "pipelines" / "launch", pipeline], log,
                         {**plugin_environment(build), **environment})

    @property
    def pipeline_pid(self) -> int:
        """Process id of gst-launch-1.0, the launcher's child."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def wait_until_started(self, limit: float = HANG_LIMIT) -> None:
        """Wait until every element has started: a server listens. Whether data flows is another question."""
        self.wait_for_line(r"PREROLL", limit)


class Pipeline(Process):
    """`gst-launch-1.0` with a pipeline text given word by word, and the plugins of a build folder."""

    def __init__(self, text: str, log: Path, *, build: Path = BUILD, environment: Mapping[str, str] | None = None,
                 name: str = "The pipeline", options: Sequence[str] = ("-e",)) -> None:
        """`options` are gst-launch's; with -e SIGINT ends the stream, without it the pipeline is stopped at once."""
        super().__init__(name, ["gst-launch-1.0", *options, "--no-fault", *text.split()], log,
                         {**plugin_environment(build), **(environment or {})})
