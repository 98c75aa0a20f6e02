"""Reads an MJPEG stream over HTTP as a viewer does."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import cv2
import numpy as np

LIMIT = 60.0
"""Seconds after which a read gives up."""


class Viewer:
    """The pictures of one `multipart/x-mixed-replace` response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        kind, _, boundary = response.headers["Content-Type"].partition("boundary=")
        assert kind.startswith("multipart/x-mixed-replace"), kind
        self._boundary = b"--" + boundary.strip('"').encode()
        self._response = response

    def read(self) -> bytes:
        """The next part's body: a JPEG."""
        while (line := self._response.readline()).strip() != self._boundary:
            assert line.strip() == b"", f"not a boundary: {line[:80]!r}"
            assert line, "the stream ended"
        part = http.client.parse_headers(self._response)
        assert part["Content-Type"] == "image/jpeg"
        return self._response.read(int(part["Content-Length"]))


@contextmanager
def viewer(url: str) -> Iterator[Viewer]:
    """A viewer of a stream; it waits for a picture as long as the server makes it wait."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        assert response.status == 200, f"{url}: {response.status} {response.reason}"
        yield Viewer(response)
    finally:
        connection.close()


def picture(jpeg: bytes) -> np.ndarray:
    """A JPEG as RGB, shape (height, width, 3), uint8."""
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None, "not a JPEG"
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
