"""kafkasink and kafkasrc beside minimal C programs on librdkafka with the same configuration and headers (bench/peers),
on a real broker whose log is in memory.

  throughput      CPU time a MB and MB/s of writing and of reading. Pairs run in turn, for the machine's speed changes:
                  the ratios are medians of the pairs' ratios. What the same pipeline costs with a fakesink in
                  kafkasink's place is taken off. Kafka's own perf tools, with their own defaults, stand beside them.
  end to end      from the sink to the source through the broker, 100 kB at 30/s, both kinds at the same time
  newest          mode=latest-offset: a writer of 60/s, a reader that takes 100 ms a frame and stalls once for 5 s;
                  beside it a reader that asks for the end and assigns anew for each frame, as the predecessor does
  many sources    50 sources in 4 partitions, 60/s in all, a reader that takes 10 ms a frame
  soak            (only with --soak) 100 MB/s for 10 minutes through kafkasink and kafkasrc: their memory

Exit code 0 also when a goal does not hold.
"""

from __future__ import annotations

import contextlib
import signal
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from confluent_kafka.admin import AdminClient

from bench.measure import kafka_programs, machine
from bench.measure.frames import end_offset, percentile
from bench.measure.kafka_programs import LIVE, NEWEST, Arrival, Programs, Speed, Work, frames
from bench.measure.report import Figure, Report, argument_parser
from demo.stack.kafka_broker import KafkaBroker
from demo.stack.paths import LOGS
from demo.stack.process import HANG_LIMIT, Process, StackError, stop_all, wait_for_end

PEER = "C on librdkafka"
PAIRS = 5
WORKS = (Work(100_000, 4000), Work(1_000_000, 800), Work(500, 20_000))
FRAME = 100_000
"""Bytes of a frame in the measurements of time."""
RAM = Path("/dev/shm")
SINK = "fakesink enable-last-sample=false"
BROKER = {
    # Topics are deleted when they have served; what they held goes soon.
    "log.retention.ms": "3600000", "log.segment.delete.delay.ms": "1000",
}
SOAK_BROKER = BROKER | {"log.retention.bytes": "536870912", "log.retention.check.interval.ms": "1000"}
SOAK_SECONDS = 600
SOAK_WARM_UP_SECONDS = 60


class Bench:
    """What each measurement needs."""

    def __init__(self, broker: KafkaBroker, report: Report) -> None:
        self.broker = broker
        self.report = report
        self.programs = Programs(broker.bootstrap_servers, LOGS / "bench")
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "log_level": 3})

    @contextlib.contextmanager
    def topics(self, *names: str, partitions: int = 1) -> Iterator[None]:
        """Topics that are there for one measurement."""
        self.broker.create_topics(*names, partitions=partitions)
        try:
            yield
        finally:
            for result in self._admin.delete_topics(list(names), operation_timeout=HANG_LIMIT).values():
                result.result(HANG_LIMIT)


# --------------------------------------------------------------------------------------------------------- throughput

def throughput(bench: Bench, work: Work) -> None:
    """Writing and reading messages of one size."""
    programs = bench.programs
    pipeline_options = ("-w", str(work.warm_up))
    peer_options = ("-w", str(work.warm_up), "-b", str(work.size))
    source = frames(work.size, work.total)
    without = kafka_programs.speed(programs.pipeline(f"{source} ! {SINK}", *pipeline_options), work)
    written: list[tuple[Speed, Speed]] = []
    read: list[tuple[Speed, Speed]] = []
    for _ in range(PAIRS):
        with bench.topics("element", "peer"):
            sink = programs.pipeline(f"{source} ! {programs.kafkasink('element')}", *pipeline_options)
            src = programs.kafkasrc("peer", f"mode=stream start-offset=earliest num-buffers={work.total}")
            peer = kafka_programs.speed(programs.produce("peer", work.count, *peer_options), work)
            written.append((kafka_programs.speed(sink, work), peer))
            peer = kafka_programs.speed(programs.consume("peer", work.count, "-w", str(work.warm_up)), work)
            read.append((kafka_programs.speed(programs.pipeline(f"{src} ! {SINK}", *pipeline_options), work), peer))
    with bench.topics("perf"):
        java = (kafka_programs.java_producer_speed(kafka_programs.run(programs.java_producer("perf", work))),
                kafka_programs.java_consumer_speed(kafka_programs.run(programs.java_consumer("perf", work))))
    bench.report.add(throughput_figures(f"{work.name} kafkasink", written, java[0], without.cpu_ms_per_mb)
                     + throughput_figures(f"{work.name} kafkasrc", read, java[1]))


def throughput_figures(case: str, pairs: Sequence[tuple[Speed, Speed]], java_mb_per_second: float,
                       not_ours: float = 0) -> list[Figure]:
    """Each pair is an element's and its peer's. `not_ours`: CPU time of the rest of the element's pipeline, ms a MB."""
    def median(of: Callable[[Speed, Speed], float]) -> float:
        return statistics.median(of(element, peer) for element, peer in pairs)

    mb_per_second = median(lambda element, _: element.mb_per_second)
    return [
        Figure(case, "cpu_ms_per_mb", median(lambda element, _: element.cpu_ms_per_mb - not_ours), PEER,
               median(lambda _, peer: peer.cpu_ms_per_mb)),
        Figure(case, "cpu_ratio", median(lambda element, peer: (element.cpu_ms_per_mb - not_ours) / peer.cpu_ms_per_mb),
               goal="<= 1.05"),
        Figure(case, "mb_per_second", mb_per_second, PEER, median(lambda _, peer: peer.mb_per_second)),
        Figure(case, "mb_per_second_ratio", median(lambda element, peer: element.mb_per_second / peer.mb_per_second),
               goal=">= 0.95"),
        Figure(case, "mb_per_second", mb_per_second, "Kafka's perf tool", java_mb_per_second),
    ]


# --------------------------------------------------------------------------------------------------------------- time

FOREVER = 1_000_000


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Processes that run while something is measured."""
    for process in processes:
        process.start()
    try:
        yield
    finally:
        stop_all(list(processes))


def ages(arrivals: Sequence[Arrival]) -> list[float]:
    """In ms."""
    return [arrival.age_ms for arrival in arrivals]


def end_to_end(bench: Bench, seconds: int = 30, fps: int = 30) -> None:
    """Sink to source."""
    programs, warm_up = bench.programs, 2 * fps
    count = warm_up + seconds * fps
    with bench.topics("element", "peer"):
        readers = (programs.pipeline(f"{programs.kafkasrc('element', f'num-buffers={count}')} ! {SINK}", "-a"),
                   programs.consume("peer", count, "-a", config=NEWEST))
        writers = (programs.pipeline(f"{frames(FRAME, FOREVER, fps, live=True)} ! {programs.kafkasink('element', '')}",
                                     "-c"),
                   programs.produce("peer", FOREVER, "-r", str(fps), "-b", str(FRAME), config=LIVE))
        with running(*writers, *readers):
            element, peer = (ages(kafka_programs.arrivals(kafka_programs.finish(reader))[warm_up:])
                             for reader in readers)
    for percent, goal in ((50, 1.1), (99, 1.5)):
        values = percentile(element, percent), percentile(peer, percent)
        ratio = values[0] / values[1] if values[0] and values[1] else None
        bench.report.add([Figure("end to end, 100 kB at 30/s", f"latency_ms_p{percent}", values[0], PEER, values[1]),
                          Figure("end to end, 100 kB at 30/s", f"latency_p{percent}_ratio", ratio, goal=f"<= {goal}")])


def newest(bench: Bench, fps: int = 60, count: int = 100, stall_after: int = 50) -> None:
    """mode=latest-offset with a slow reader that stalls once."""
    programs = bench.programs
    with bench.topics("newest"):
        writer = programs.produce("newest", FOREVER, "-r", str(fps), "-b", str(FRAME), config=LIVE)
        text = programs.kafkasrc("newest", f"mode=latest-offset num-buffers={count}")
        readers = (programs.pipeline(f"{text} ! {SINK}", "-a", "-p", "100", "-i", str(stall_after), "-d", "5000"),
                   programs.consume("newest", count, "-a", "-n", "-p", "100", config=NEWEST))
        with running(writer, *readers):
            element, peer = (ages(kafka_programs.arrivals(kafka_programs.finish(reader))) for reader in readers)
    peer = peer[10:]
    for case, values in (("newest frame, reader of 10/s", element[10:stall_after]),
                         ("newest frame, after a stall of 5 s", element[stall_after:])):
        bench.report.add([
            Figure(case, "age_ms_p50", percentile(values, 50), "as the predecessor", percentile(peer, 50), "< 15"),
            Figure(case, "age_ms_max", max(values, default=None), "as the predecessor", max(peer), "< 40")])


def many_sources(bench: Bench, sources: int = 50, fps: int = 60, seconds: int = 20) -> None:
    """The sources share partitions, and the reader has little time to spare."""
    programs = bench.programs
    with bench.topics("many", partitions=4):
        writer = programs.produce("many", FOREVER, "-r", str(fps), "-b", str(FRAME), "-s", str(sources), config=LIVE)
        text = programs.kafkasrc("many", f"mode=latest-offset num-buffers={fps * seconds}")
        reader = programs.pipeline(f"{text} ! {SINK}", "-a", "-p", "10")
        with running(writer, reader):
            arrivals = kafka_programs.arrivals(kafka_programs.finish(reader))[2 * fps:]
    by_source: dict[str, list[int]] = defaultdict(list)
    for arrival in arrivals:
        by_source[arrival.source].append(arrival.arrived_ns)
    waits = [(b - a) / 1e6 for times in by_source.values() for a, b in zip(times, times[1:], strict=False)]
    case = f"{sources} sources in 4 partitions"
    bench.report.add([
        Figure(case, "sources_served", len(by_source), goal=f"== {sources}"),
        Figure(case, "wait_ms_mean", statistics.mean(waits)),
        Figure(case, "longest_wait_in_means", max(waits) / statistics.mean(waits), goal="<= 2"),
        Figure(case, "age_ms_p50", percentile(ages(arrivals), 50)),
        Figure(case, "age_ms_max", max(ages(arrivals))),
    ])


# --------------------------------------------------------------------------------------------------------------- soak

def soak(bench: Bench) -> None:
    """Memory of a steady stream."""
    programs = bench.programs
    with bench.topics("soak"):
        parts = {
            "kafkasink": programs.pipeline(f"{frames(1_000_000, FOREVER, 100, live=True)} ! "
                                           f"{programs.kafkasink('soak')}"),
            "kafkasrc": programs.pipeline(f"{programs.kafkasrc('soak', 'mode=stream')} ! {SINK}")}
        with running(*parts.values()):
            memory: dict[str, list[int]] = {name: [] for name in parts}
            cpu = {name: -machine.cpu_seconds(process.pid) for name, process in parts.items()}
            for _ in range(SOAK_SECONDS // 10):
                if ended := wait_for_end(list(parts.values()), 10):
                    raise ended[0].failure("ended while it was measured")
                for name, process in parts.items():
                    memory[name].append(machine.resident_bytes(process.pid))
            for name, process in parts.items():
                cpu[name] += machine.cpu_seconds(process.pid)
            megabytes = end_offset(bench.broker.bootstrap_servers, "soak")
    bench.report.say(f"{megabytes} messages of 1 MB were written in {SOAK_SECONDS} s.")
    for name, bytes_ in memory.items():
        settled = bytes_[SOAK_WARM_UP_SECONDS // 10:]
        half = len(settled) // 2
        growth = statistics.median(settled[half:]) - statistics.median(settled[:half])
        bench.report.add([Figure("soak, 1 MB at 100/s", f"{name}_rss_mb_min", min(settled) / 1e6),
                          Figure("soak, 1 MB at 100/s", f"{name}_rss_mb_max", max(settled) / 1e6),
                          Figure("soak, 1 MB at 100/s", f"{name}_rss_growth_mb", growth / 1e6, goal="<= 1"),
                          Figure("soak, 1 MB at 100/s", f"{name}_cpu_ms_per_mb", cpu[name] * 1000 / megabytes)])


def bench_all(report: Report, *, with_soak: bool) -> None:
    """Measure everything."""
    report.say(f"bench kafka: {machine.describe()}")
    folder = tempfile.TemporaryDirectory(prefix="gst-kafka-vision-", dir=RAM if RAM.is_dir() else None)
    with folder as name:
        broker = KafkaBroker(Path(name), LOGS / "bench" / "broker.log", config=SOAK_BROKER if with_soak else BROKER)
        broker.start()
        try:
            broker.wait_until_ready()
            bench = Bench(broker, report)
            if with_soak:
                soak(bench)
                return
            for work in WORKS:
                throughput(bench, work)
            end_to_end(bench)
            newest(bench)
            many_sources(bench)
        finally:
            broker.stop()


def main() -> int:
    """Entry point."""
    parser = argument_parser(__doc__)
    parser.add_argument("--soak", action="store_true", help="measure only memory, for 10 minutes")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report("kafka", json_lines=arguments.json)
    try:
        bench_all(report, with_soak=arguments.soak)
    except StackError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
