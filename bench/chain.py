"""The whole chain on real parts: camera simulator, camera service, Kafka, classify service with the model `patterns`,
Kafka, web service, and one viewer of its MJPEG stream.

Measured for each picture size: frames a second, frames that each stage dropped or repeated, CPU time and memory of
each service, bytes in Kafka, and latency from the time code in the picture to its arrival at the viewer; then what
kafkasink and kafkasrc cost by themselves. Exit code 0 also when a goal does not hold.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.measure import kafka_elements, machine
from bench.measure.frames import (
    Passage,
    Stored,
    end_offset,
    missing_frames,
    missing_numbers,
    passage,
    percentile,
    read_topic,
    time_codes,
)
from bench.measure.machine import Cost, CostMeter
from bench.measure.report import Figure, Report, argument_parser
from bench.measure.viewer import Seen, Viewer
from demo.stack.camera import CameraSimulator
from demo.stack.model_server import MODELS
from demo.stack.paths import LOGS
from demo.stack.process import StackError, wait_for_end
from demo.stack.stack import TOPICS, Stack

FPS = 25
WARM_UP_FRAMES = 4 * FPS
MODEL = "patterns"
QUIET = 0.1
"""Share of the machine that everything else may use before the figures are worth a warning."""
PEER = "Go system, recorded"
BROKER = {
    # The time at which the broker has a frame tells the stages' latencies apart; ce_time keeps the capture time.
    "log.message.timestamp.type": "LogAppendTime",
    # Frames are read back after the measurement.
    "log.retention.ms": "600000",
}


@dataclass(frozen=True)
class Peer:
    """The Go services goproducer, goconsumer and govideo on the same work: recorded once, not run by this bench.

    Measured on 2 shared cores with Kafka 4.3, two models on a stub that took 30 ms for an answer, a camera of
    25 fps, without compression and without a limit of the frame rate, which is their fastest configuration (their
    defaults are several times slower). They send raw pictures in JSON.
    """

    fps: float
    """Frames a second that a viewer saw."""
    latency_ms: tuple[float, float]
    """p50 and p95."""
    cpu_ms: dict[str, float]
    bytes_per_frame: int


SIZES = {
    "640x480": Peer(11.3, (137, 159), {"camera": 7.9, "classify": 22.5, "web": 15.1}, 1_230_000),
    "1280x720": Peer(6.6, (355, 816), {"camera": 14.7, "classify": 44, "web": 31}, 3_690_000),
}
GOALS = {"1280x720": {"frames_dropped": "== 0", "frames_damaged": "== 0", "latency_ms_p50": "< 150"}}
"""Goals of the chain for each size: {metric: comparison}."""
ELEMENTS_SIZE = "1280x720"


@dataclass(frozen=True)
class Run:
    """What was recorded of one run; all frames are those captured in the measured period."""

    begin_us: int
    end_us: int
    """Unix times of the measured period."""
    cost: Cost
    topics: dict[str, list[Stored]]
    seen: list[Seen]

    @property
    def seconds(self) -> float:
        """Length of the measured period."""
        return (self.end_us - self.begin_us) / 1e6


def record(stack: Stack, size: str, seconds: float) -> Run:
    """Run the chain with one camera and one viewer, and record `seconds` of it after the warm-up."""
    camera = CameraSimulator(stack.logs / f"camera-simulator-{size}.log", build=stack.build, size=size, fps=FPS)
    with contextlib.ExitStack() as running:
        camera.start()
        running.callback(camera.stop)
        camera.wait_until_ready()
        page = stack.start_chain({size: camera.url()}, models=(MODEL,))
        running.callback(stack.stop_services)
        viewer = running.enter_context(Viewer(page + "stream"))
        viewer.wait_for_count(WARM_UP_FRAMES)

        servers = stack.broker.bootstrap_servers
        offsets = {topic: end_offset(servers, topic) for topic in TOPICS}
        parts = {"camera": stack.services[0], "classify": stack.services[1], "web": stack.services[2],
                 "broker": stack.broker.process, "model server": stack.model_server.process,
                 "camera simulator": camera.process}
        meter = CostMeter({name: process.pid for name, process in parts.items()})
        begin = time.time_ns() // 1000
        if ended := wait_for_end(list(parts.values()), seconds):
            raise ended[0].failure("ended while it was measured")
        cost, end = meter.read(), time.time_ns() // 1000
        viewer.wait_for_capture_after(end)
        seen = viewer.seen
    # Read when nothing is measured any more.
    topics = {topic: read_topic(servers, topic, offset) for topic, offset in offsets.items()}
    return Run(begin, end, cost,
               {topic: [f for f in frames if begin <= f.captured_us < end] for topic, frames in topics.items()},
               [picture for picture in seen if begin <= picture.captured_us < end])


def figures(size: str, run: Run) -> list[Figure]:
    """The figures of a run."""
    videocam, videodisplay = run.topics["videocam"], run.topics["videodisplay"]
    camera_codes, viewer_codes = time_codes(f.jpeg for f in videocam), time_codes(s.jpeg for s in run.seen)
    # X-Timestamp has the capture time, which Kafka's headers have too.
    classify = passage([f.identity for f in videocam], [f.identity for f in videodisplay])
    web = passage([f.captured_us for f in videodisplay], [s.captured_us for s in run.seen])
    frames = {"camera": len(videocam), "classify": len(videodisplay), "web": len(run.seen)}

    chain = Case(size, "chain")
    chain.add("frames_per_second", web.distinct / run.seconds, SIZES[size].fps)
    # From the end, so that the first arrival remains of a frame that was sent again.
    first_seen = {s.captured_us: (s.arrived_ns / 1e6, code)
                  for s, code in reversed(list(zip(run.seen, viewer_codes, strict=True)))}
    chain.add_latency([arrived - code / 1000 for arrived, code in first_seen.values() if code], SIZES[size].latency_ms)
    camera = Case(size, "camera")
    # What the simulator showed and did not come into the topic, wherever it was lost before.
    camera.add("frames_dropped", missing_frames([f.captured_us for f in videocam], FPS, run.begin_us, run.end_us))
    # What came, but so damaged that the time code is unreadable: packets of the video were lost.
    camera.add("frames_damaged", camera_codes.count(None))
    # What of the dropped frames was lost in kafkasink.
    camera.add("sequence_gaps", missing_numbers(f.sequence for f in videocam))
    camera.add_cost(run, frames, SIZES[size])
    camera.add_messages(videocam, SIZES[size])
    camera.add_latency([f.appended_ms - code / 1000 for f, code in zip(videocam, camera_codes, strict=True) if code])

    classify_case = Case(size, "classify")
    classify_case.add_passage(classify)
    classify_case.add("answers_per_second", len({f.answered for f in videodisplay if f.answered}) / run.seconds)
    classify_case.add_cost(run, frames, SIZES[size])
    classify_case.add_messages(videodisplay, SIZES[size])
    entered = {f.identity: f.appended_ms for f in videocam}
    classify_case.add_latency([float(f.appended_ms - entered[f.identity]) for f in videodisplay
                               if f.identity in entered])

    web_case = Case(size, "web")
    web_case.add_passage(web)
    web_case.add_cost(run, frames, SIZES[size])
    stored = {f.captured_us: f.appended_ms for f in videodisplay}
    web_case.add_latency([arrived - stored[captured] for captured, (arrived, _) in first_seen.items()
                          if captured in stored])

    others = [Case(size, name) for name in ("broker", "model server", "camera simulator")]
    for other in others:
        other.add_cost(run, {other.name: len(videocam)}, SIZES[size])
    return [figure for case in (chain, camera, classify_case, web_case, *others) for figure in case.figures]


def mean_bytes(frames: Sequence[Stored]) -> int | None:
    """Bytes of a frame's picture on average; None without frames."""
    return round(sum(len(f.jpeg) for f in frames) / len(frames)) if frames else None


class Case:
    """Figures of one part of the chain at one size."""

    def __init__(self, size: str, name: str) -> None:
        self.name = name
        self.figures: list[Figure] = []
        self._size = size
        self._goals = GOALS.get(size, {})

    def add(self, metric: str, value: float | None, peer_value: float | None = None, *, goal: bool = True) -> None:
        """Add a figure, with its goal where the size has one and `goal` is not False."""
        self.figures.append(Figure(f"{self._size} {self.name}", metric, value, PEER, peer_value,
                                   self._goals.get(metric) if goal else None))

    def add_passage(self, passage: Passage) -> None:
        """Frames that the stage lost or sent twice."""
        self.add("frames_dropped", passage.dropped)
        self.add("frames_repeated", passage.repeated)

    def add_cost(self, run: Run, frames: dict[str, int], peer: Peer) -> None:
        """CPU time for each frame that the part has passed on, and memory."""
        count = frames[self.name]
        self.add("cpu_ms_per_frame", run.cost.cpu[self.name] * 1000 / count if count else None,
                 peer.cpu_ms.get(self.name))
        self.add("rss_mb", run.cost.resident[self.name] / 1e6)

    def add_messages(self, frames: Sequence[Stored], peer: Peer) -> None:
        """Bytes of the messages' values."""
        self.add("bytes_per_frame", mean_bytes(frames), peer.bytes_per_frame)

    def add_latency(self, values: Sequence[float], peer: Sequence[float | None] = (None, None)) -> None:
        """Distribution of latencies in ms; only the whole chain's has a goal.

        The broker's times are in whole ms, rounded down, so the stages' are right within 1 ms.
        """
        for percent, peer_value in zip((50, 95), peer, strict=True):
            self.add(f"latency_ms_p{percent}", percentile(values, percent), peer_value, goal=self.name == "chain")
        self.add("latency_ms_max", max(values, default=None))


def warn_of_others(report: Report, run: Run) -> None:
    """Say how much of the machine was taken by what is not measured."""
    cores = len(os.sched_getaffinity(0))
    share = run.cost.others / (run.seconds * cores)
    total = sum(run.cost.cpu.values()) / (run.seconds * cores)
    report.say(f"The parts used {total:.0%} of the machine's {cores} cores, everything else {share:.0%}."
               + (" The machine was not quiet: frames are late or lost for that alone." if share > QUIET else ""))


def bench(report: Report, seconds: float) -> None:
    """Measure everything."""
    report.say(f"bench chain: {machine.describe()}; {seconds:g} s for each case.")
    report.say(f"'{PEER}': an older system of Go services on the same work, not run here.")
    with Stack(LOGS / "bench", broker=BROKER, simulate_cameras=False, models={MODEL: MODELS[MODEL]},
               topics=(*TOPICS, kafka_elements.TOPIC)) as stack:
        frame_bytes: dict[str, int] = {}
        for size in SIZES:
            run = record(stack, size, seconds)
            report.add(figures(size, run))
            warn_of_others(report, run)
            frame_bytes[size] = mean_bytes(run.topics["videocam"]) or 0
        report.add(kafka_elements.measure(stack, ELEMENTS_SIZE, frame_bytes[ELEMENTS_SIZE], FPS, seconds))


def main() -> int:
    """Entry point."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="seconds to measure in each case (20)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report("chain", json_lines=arguments.json)
    try:
        bench(report, arguments.seconds)
    except StackError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
