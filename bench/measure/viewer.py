"""One viewer of an MJPEG stream that costs next to nothing while it watches."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from demo.stack.process import HANG_LIMIT, StackError


@dataclass(frozen=True)
class Seen:
    """A picture as it came."""

    arrived_ns: int
    """Unix time at which its last byte was here, ns."""
    captured_us: int
    """Unix time in X-Timestamp, us: the same for the same frame."""
    jpeg: bytes


class Viewer:
    """Reads a `multipart/x-mixed-replace` stream on a thread of its own and keeps every picture as it is; a context
    manager. What costs time, such as decoding, is left for afterwards.
    """

    def __init__(self, url: str) -> None:
        """`url` is that of the stream. Raises StackError when it cannot be had."""
        where = urllib.parse.urlsplit(url)
        self._url = url
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=HANG_LIMIT)
        self._connection.request("GET", where.path)
        self._socket = self._connection.sock
        response = self._connection.getresponse()
        kind = response.getheader("Content-Type", "")
        if response.status != 200 or not kind.startswith("multipart/x-mixed-replace"):
            raise StackError(f"{url} is no MJPEG stream: status {response.status}, type {kind}.")
        self._seen: list[Seen] = []
        self._arrived = threading.Condition()
        self._ended: str | None = None
        self._thread = threading.Thread(target=self._watch, args=(response,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)
        self._thread.join(HANG_LIMIT)
        self._connection.close()

    def _watch(self, stream: BinaryIO) -> None:
        why = "The stream ended"
        try:
            while seen := read_part(stream):
                with self._arrived:
                    self._seen.append(seen)
                    self._arrived.notify_all()
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = str(error)
        with self._arrived:
            self._ended = why
            self._arrived.notify_all()

    @property
    def seen(self) -> list[Seen]:
        """All pictures so far."""
        with self._arrived:
            return list(self._seen)

    def wait_for_count(self, count: int, limit: float = HANG_LIMIT) -> None:
        """Wait until so many pictures have come. Raises StackError after `limit` seconds or at the stream's end."""
        self._wait(lambda: len(self._seen) >= count, f"{count} pictures", limit)

    def wait_for_capture_after(self, unix_us: int, limit: float = HANG_LIMIT) -> None:
        """Wait for a picture that was captured after a moment of Unix time."""
        self._wait(lambda: bool(self._seen) and self._seen[-1].captured_us > unix_us, "later pictures", limit)

    def _wait(self, done: Callable[[], bool], what: str, limit: float) -> None:
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._ended or done(), limit):
                raise StackError(f"{self._url} did not show {what} within {limit:g} s; it showed {len(self._seen)}.")
            if self._ended and not done():
                raise StackError(f"{self._url} ended: {self._ended}.")


def read_part(stream: BinaryIO) -> Seen | None:
    """The next part of a multipart stream, from its boundary line on; None at the stream's end."""
    line = stream.readline()
    while line and not line.startswith(b"--"):
        line = stream.readline()
    headers: dict[bytes, bytes] = {}
    while (line := stream.readline().strip()):
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    if not headers:
        return None
    size = int(headers[b"content-length"])
    jpeg = stream.read(size)
    if len(jpeg) < size:
        return None
    seconds, _, fraction = headers[b"x-timestamp"].partition(b".")
    return Seen(time.time_ns(), int(seconds) * 1_000_000 + int(fraction.ljust(6, b"0")[:6]), jpeg)
