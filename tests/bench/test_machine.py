"""What the benches say that processes cost."""

from __future__ import annotations

import subprocess
import sys

from bench.measure import machine


def test_a_process_costs_what_its_child_costs() -> None:
    work = "while time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    launcher = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sys, time\\n' + {work!r}])"
    with subprocess.Popen([sys.executable, "-c", launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert len(machine.process_tree(process.pid)) == 2
        assert machine.cpu_seconds(process.pid) > 0.25  # whole clock ticks are counted
        assert machine.thread_seconds(process.pid, "python") > 0.25
        assert machine.thread_seconds(process.pid, "rdk:") == 0
        own = machine.resident_bytes(process.pid)
        assert 0 < machine.resident_bytes(machine.process_tree(process.pid)[1]) < own
        process.stdin.close()


def test_machine_is_described_with_its_libraries() -> None:
    text = machine.describe()
    assert "GStreamer 1." in text
    assert "librdkafka " in text
    assert "cores" in text
