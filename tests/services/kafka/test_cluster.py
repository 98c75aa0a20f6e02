"""Three brokers, of which one dies or hangs while numbered frames flow with acks=all."""

from __future__ import annotations

import signal

import pytest
from brokers import Cluster
from chain import Chain
from launcher import Launcher

from bench.measure.frames import end_offset


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_leader_goes_away(how: signal.Signals, cluster: Cluster, launcher: Launcher) -> None:
    """Nothing is lost, nothing is there twice but what a replaced producer sent again, and the order is kept."""
    first, second = f"first-{how.name}", f"second-{how.name}"
    for topic in (first, second):
        cluster.create_topic(topic)
    chain = Chain(cluster.bootstrap_servers, first, second, launcher)
    chain.wait(200)
    leader = cluster.leader(first)
    so_far = end_offset(cluster.bootstrap_servers, first)
    leader.process.send_signal(how)
    try:
        chain.wait(so_far + 300)
    finally:
        if how == signal.SIGSTOP:
            leader.process.send_signal(signal.SIGCONT)
        else:
            leader.process.wait()
            leader.start()
            leader.wait_until_ready()
    written, read = chain.end()
    print(f"longest gap: {written.longest_gap_ms} ms written, {read.longest_gap_ms} ms read; "
          f"sent again: {written.repeated} and {read.repeated}")
    assert written.without_repeats() == list(range(len(set(written.ids))))
    assert read.without_repeats() == written.sequence
    for process, topic in ((chain.writer, written), (chain.reader, read)):
        replaced = any("lost count of the frames" in line for line in process.lines)
        assert replaced or topic.repeated == 0
