"""An application that seeks in a pipeline: plays SECONDS-OF-UNIX-TIME, or 0 for the beginning, one after another, each
to the stream's end, and prints a line with the time stamps in ns of what was played.

usage: seek.py PIPELINE TIME…    (Debian's python3-gi; the pipeline ends in an appsink named sink)
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

HANG_LIMIT = 60 * Gst.SECOND


def play(pipeline: Gst.Pipeline, sink: Gst.Element, seconds: float) -> list[int]:
    """The time stamps from a time on."""
    flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT
    if not pipeline.seek_simple(Gst.Format.TIME, flags, round(seconds * Gst.SECOND)):
        sys.exit(f"The seek to {seconds} failed.")
    times = []
    while sample := sink.emit("try-pull-sample", HANG_LIMIT):
        times.append(sample.get_buffer().pts)
    if not sink.get_property("eos"):
        sys.exit("The stream did not end.")
    return times


def main() -> None:
    """Entry point."""
    Gst.init(None)
    pipeline = Gst.parse_launch(sys.argv[1])
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PAUSED)
    if pipeline.get_state(HANG_LIMIT)[0] != Gst.StateChangeReturn.SUCCESS:
        sys.exit("The pipeline did not preroll.")
    pipeline.set_state(Gst.State.PLAYING)
    for time in sys.argv[2:]:
        print(*play(pipeline, sink, float(time)), flush=True)
    pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
