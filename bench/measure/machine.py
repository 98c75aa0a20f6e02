"""What the machine is, and what processes cost it."""

from __future__ import annotations

import ctypes
import datetime
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def describe() -> str:
    """Date, machine, and versions of the libraries that the elements are linked to."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    now = datetime.datetime.now(datetime.UTC)
    return (f"{now:%Y-%m-%d %H:%M} UTC, {model[1] if model else platform.machine()}, "
            f"{len(os.sched_getaffinity(0))} cores, Linux {platform.release()}, "
            f"{_library_text('libgstreamer-1.0.so.0', 'gst_version_string')}, "
            f"librdkafka {_library_text('librdkafka.so.1', 'rd_kafka_version_str')}")


def _library_text(library: str, function: str) -> str:
    call = getattr(ctypes.CDLL(library), function)
    call.restype = ctypes.c_char_p
    return call().decode()


def _read(file: Path) -> str:
    """The text of a thread's file in /proc; empty when the thread has ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def process_tree(pid: int) -> list[int]:
    """A process and all that descend from it: a launcher's work is done by its child."""
    children = [int(child) for thread in Path(f"/proc/{pid}/task").iterdir()
                for child in _read(thread / "children").split()]
    return [pid, *(found for child in children for found in process_tree(child))]


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used with all its threads and descendants, those that have ended included."""
    # The name in parentheses may hold spaces; utime, stime, cutime and cstime are fields 14 to 17 (proc(5)).
    ticks = [int(field) for member in process_tree(pid)
             for field in Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()[11:15]]
    return sum(ticks) * TICK_SECONDS


def thread_seconds(pid: int, prefix: str) -> float:
    """CPU time of those living threads of a process and its descendants whose names begin with `prefix`."""
    threads = [thread for member in process_tree(pid) for thread in Path(f"/proc/{member}/task").iterdir()
               if _read(thread / "comm").startswith(prefix)]
    return sum(int((_read(thread / "schedstat") or "0").split()[0]) for thread in threads) / 1e9


def resident_bytes(pid: int) -> int:
    """Memory of a process and its descendants that is in RAM (RSS; pages they share count for each)."""
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in process_tree(pid)) * PAGE_BYTES


def busy_seconds() -> float:
    """CPU time that the whole machine has used since it was started, all cores together."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) * TICK_SECONDS


@dataclass(frozen=True)
class Cost:
    """What processes have cost between two moments."""

    cpu: dict[str, float]
    """Seconds of CPU time of each process."""
    resident: dict[str, int]
    """Bytes at the end."""
    others: float
    """Seconds of CPU time that went to everything else on the machine, all cores together."""


class CostMeter:
    """Measures from its making on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """`pids` names the processes."""
        self._pids = dict(pids)
        self._cpu, self._all = self._look()

    def _look(self) -> tuple[dict[str, float], float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}, busy_seconds()

    def read(self) -> Cost:
        """The cost so far."""
        cpu, busy = self._look()
        used = {name: cpu[name] - self._cpu[name] for name in cpu}
        return Cost(used, {name: resident_bytes(pid) for name, pid in self._pids.items()},
                    max(0.0, busy - self._all - sum(used.values())))
