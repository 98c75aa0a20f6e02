"""What kafkasink and kafkasrc cost by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from demo.stack.messages import TopicReader
from demo.stack.process import StackError, stop_all, wait_for_end
from demo.stack.service import Pipeline
from demo.stack.stack import Stack

from .frames import end_offset
from .machine import CostMeter, thread_seconds
from .report import Figure

TOPIC = "elements"
GOAL = "< 0.3"
LIBRDKAFKA_THREADS = "rdk:"
"""How the names begin that librdkafka gives its threads."""
WARM_UP_FRAMES = 50
TOLERANCE = 0.05
"""Share of the frames by which a run may miss its rate."""


def measure(stack: Stack, size: str, frame_bytes: int, fps: int, seconds: float) -> list[Figure]:
    """CPU time of each element for a frame, librdkafka's threads included.

    Three processes run at the same time, so that all have the same machine:
      sink    fakesrc (live) ! kafkasink
      without fakesrc (live) ! fakesink
      source  kafkasrc ! fakesink
    kafkasink costs what `sink` uses more than `without`. kafkasrc's figure is all of `source`: the process around it
    is counted as its own, which is to its disadvantage. fakesrc writes each frame into new memory, as an encoder does.

    Args:
        stack: has the topic `elements`.
        size: WIDTHxHEIGHT, for the frames' caps and the figures' case.
        frame_bytes: bytes of a frame.
        fps: frames a second.
        seconds: how long to measure.
    """
    processes = _processes(stack, size, frame_bytes, fps)
    try:
        used = _measure(stack, processes, seconds)
    finally:
        stop_all(list(processes.values()))
    if abs(used.frames - fps * seconds) > TOLERANCE * fps * seconds + 1:
        raise StackError(f"kafkasink sent {used.frames} frames in {seconds:g} s instead of {fps} a second.")
    whole = {"sink": used.cpu["sink"] - used.cpu["without"], "source": used.cpu["source"]}
    figures = []
    for process, element in (("sink", "kafkasink"), ("source", "kafkasrc")):
        case, per_frame = f"{size} {element}", 1000 / used.frames
        figures += [Figure(case, "cpu_ms_per_frame", whole[process] * per_frame, goal=GOAL),
                    # The part of it that is out of our hands: sending, receiving, timers.
                    Figure(case, "librdkafka_threads_cpu_ms_per_frame", used.librdkafka[process] * per_frame)]
    return figures


def _processes(stack: Stack, size: str, frame_bytes: int, fps: int) -> dict[str, Pipeline]:
    width, height = size.split("x")
    frames = (f"fakesrc is-live=true sync=true format=time sizetype=fixed sizemax={frame_bytes} "
              f"datarate={frame_bytes * fps} filltype=zero ! image/jpeg,width={width},height={height} !")
    broker = f"bootstrap-servers={stack.broker.bootstrap_servers} topic={TOPIC}"
    texts = {"source": f"kafkasrc {broker} mode=latest-offset ! fakesink",
             "without": f"{frames} fakesink",
             "sink": f"{frames} kafkasink {broker} source-id=bench"}
    return {name: Pipeline(text, stack.logs / f"elements-{name}.log", build=stack.build,
                           name=f"The pipeline {text!r}") for name, text in texts.items()}


@dataclass(frozen=True)
class _Used:
    cpu: dict[str, float]
    """Seconds of CPU time of each process."""
    librdkafka: dict[str, float]
    """Seconds of it that its librdkafka threads used."""
    frames: int


def _measure(stack: Stack, processes: dict[str, Pipeline], seconds: float) -> _Used:
    servers = stack.broker.bootstrap_servers
    with TopicReader(servers, TOPIC) as reader:
        for process in processes.values():
            process.start()
        for _ in reader.messages(WARM_UP_FRAMES):
            pass
    pids = {name: process.pid for name, process in processes.items()}
    meter, begin = CostMeter(pids), end_offset(servers, TOPIC)
    before = {name: thread_seconds(pid, LIBRDKAFKA_THREADS) for name, pid in pids.items()}
    if ended := wait_for_end(list(processes.values()), seconds):
        raise ended[0].failure("ended while it was measured")
    cost, frames = meter.read(), end_offset(servers, TOPIC) - begin
    return _Used(cost.cpu, {name: thread_seconds(pid, LIBRDKAFKA_THREADS) - before[name] for name, pid in pids.items()},
                 frames)
