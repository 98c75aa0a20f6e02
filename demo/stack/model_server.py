"""The model server: TensorFlow models behind TensorFlow Serving's protocol."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .paths import ROOT, TOOLS
from .process import HANG_LIMIT, Process

MODELS = {"patterns": ROOT / "demo" / "models" / "patterns", "imagenet": TOOLS / "models" / "imagenet"}
"""Folders of the demo's models: version folders, and labels.json."""


def labels(model: str) -> list[str]:
    """The labels of one of the demo's models, in the order of its classes."""
    table = json.loads((MODELS[model] / "labels.json").read_text(encoding="utf-8"))
    return [table[str(i)] for i in range(len(table))]


class ModelServer:
    """A model server on loopback with the demo's models, or those of `models` (name: folder)."""

    def __init__(self, log: Path, models: Mapping[str, Path] | None = None) -> None:
        self.models = dict(models or MODELS)
        self.rest_port = 0
        self.grpc_port = 0
        arguments = [f"--model={name}={folder}" for name, folder in self.models.items()]
        self.process = Process("The model server", [sys.executable, "-m", "demo.model_server", *arguments], log,
                               {"PYTHONPATH": str(ROOT)})

    def start(self) -> None:
        """Start the server without waiting for it."""
        self.process.start()

    def wait_until_ready(self, limit: float = HANG_LIMIT) -> None:
        """Wait until the models answer, and learn the ports."""
        ready = self.process.wait_for_line(r"^READY rest=(\d+) grpc=(\d+)", limit)
        self.rest_port, self.grpc_port = int(ready[1]), int(ready[2])

    def predict_url(self, model: str) -> str:
        """The URL a client posts its pictures to."""
        return f"http://127.0.0.1:{self.rest_port}/v1/models/{model}:predict"

    def environment(self, *models: str) -> dict[str, str]:
        """MODEL_URLS and LABEL_URLS of the classify service, for these models (all without names)."""
        names = models or tuple(self.models)
        return {"MODEL_URLS": json.dumps({name: self.predict_url(name) for name in names}),
                "LABEL_URLS": json.dumps({name: (self.models[name] / "labels.json").as_uri() for name in names})}

    def stop(self) -> None:
        """End the server."""
        self.process.stop()
