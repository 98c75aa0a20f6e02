"""Processes of the stack: started, waited for by event, and ended by process id."""

from __future__ import annotations

import os
import random
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

HANG_LIMIT = 60.0
"""Seconds after which a wait gives up: a bound for hangs, never the expected duration of anything."""

STOP_LIMIT = 5.0
"""Seconds for a process to end in good order before it is asked with more force."""


class StackError(Exception):
    """A part of the stack failed; the text says which, and shows the end of its log."""


class Process:
    """One child process in a session of its own, its output in a log file and readable line by line.

    The kernel kills the child when the thread that started it ends, however that happens: so start processes on
    the main thread, and a killed demo or test run leaves nothing behind.
    """

    def __init__(self, name: str, arguments: Sequence[str | Path], log: Path,
                 environment: Mapping[str, str] | None = None) -> None:
        """`environment` is added to this process's own."""
        self.name = name
        self.log = log
        self._arguments = [str(a) for a in arguments]
        self._environment = {**os.environ, **(environment or {})}
        self._lines: list[str] = []
        self._printing = False
        self._printed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start the process. A second start, after it has ended, appends to the same log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._process is None:
            self.log.unlink(missing_ok=True)
        self._lines, self._printing = [], True
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *self._arguments], env=self._environment,
            encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, output: Iterable[str]) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for line in output:
                log.write(line)
                log.flush()
                with self._printed:
                    self._lines.append(line.rstrip("\n"))
                    self._printed.notify_all()
        with self._printed:
            self._printing = False
            self._printed.notify_all()

    @property
    def pid(self) -> int:
        """Process id; the process must have been started."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def lines(self) -> list[str]:
        """What this run of the process has printed so far."""
        with self._printed:
            return list(self._lines)

    def wait_for_line(self, pattern: str, limit: float = HANG_LIMIT, start: int = 0) -> re.Match[str]:
        """The first match of `pattern` in the output from line `start` on; waits until there is one.

        Raises StackError when the process ends without it, or after `limit` seconds.
        """
        expression, end, at = re.compile(pattern), time.monotonic() + limit, start
        with self._printed:
            while True:
                for line in self._lines[at:]:
                    if found := expression.search(line):
                        return found
                at = max(at, len(self._lines))
                if not self._printing:
                    break
                if not self._printed.wait(end - time.monotonic()):
                    raise self.failure(f"did not print {pattern!r} within {limit:g} s")
        raise self.failure(f"ended with exit code {self.wait()} before it printed {pattern!r}")

    def wait(self, limit: float = HANG_LIMIT) -> int:
        """Wait for the end; returns the exit code (negative: the signal). Raises StackError after `limit` seconds."""
        if not wait_for_end([self], limit):
            raise self.failure(f"did not end within {limit:g} s")
        assert self._process is not None and self._reader is not None
        code = self._process.wait()
        self._reader.join(HANG_LIMIT)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it still runs."""
        if self.running:
            os.kill(self.pid, number)

    def stop(self, limit: float = STOP_LIMIT) -> int | None:
        """End the process: SIGINT, after `limit` seconds SIGTERM, then SIGKILL. Returns the exit code."""
        stop_all([self], limit)
        return self._process.returncode if self._process else None

    def failure(self, what: str, lines: int = 12) -> StackError:
        """An error that says what happened to this process and shows the last lines of its log."""
        tail = "\n".join("  " + line for line in self.lines[-lines:])
        return StackError(f"{self.name} {what}. Its log {self.log} ends with:\n{tail}")


def wait_for_end(processes: Sequence[Process], limit: float | None) -> list[Process]:
    """Wait until one of the processes has ended; returns those that have, none after `limit` seconds."""
    poller, descriptors = select.poll(), {}
    try:
        for process in processes:
            if not process.running:
                return [p for p in processes if not p.running]
            # The child is ours and not yet reaped, so the id cannot belong to another process.
            descriptor = os.pidfd_open(process.pid)
            descriptors[descriptor] = process
            poller.register(descriptor, select.POLLIN)
        ready = poller.poll(None if limit is None else max(0, limit) * 1000)
        return [descriptors[descriptor] for descriptor, _ in ready]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def stop_all(processes: Sequence[Process], limit: float = STOP_LIMIT) -> None:
    """End all the processes at the same time: SIGINT, after `limit` seconds SIGTERM, then SIGKILL."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        left = [p for p in processes if p.running]
        for process in left:
            process.send_signal(number)
        end = time.monotonic() + limit
        while left and wait_for_end(left, end - time.monotonic()):
            left = [p for p in left if p.running]
    for process in processes:
        if process._process is not None:
            process.wait()


def ports_in_use() -> set[int]:
    """Local TCP ports that somebody listens on or is connected with.

    Looks in /proc instead of connecting: a connection to a closed loopback port can meet itself.
    """
    tables = [table for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if table.exists()]
    lines = [line for table in tables for line in table.read_text().splitlines()[1:]]
    return {int(line.split()[1].rpartition(":")[2], 16) for line in lines}


def free_port() -> int:
    """A TCP port that is not in use, below the range that outgoing connections take theirs from."""
    used = ports_in_use()
    return random.choice([port for port in range(20000, 32000) if port not in used])
