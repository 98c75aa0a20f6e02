"""The camera simulator as its viewers see it: through rtspsrc, and through JPEG as the services send it."""

import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "demo"))

from stack.time_code import read_time_code  # noqa: E402

SIMULATOR = os.environ.get(
    "CAMERA_SIMULATOR", str(REPOSITORY / "build" / "release" / "demo" / "camera" / "camera-simulator")
)
HANG_SECONDS = 30
SIZE = (640, 480)


class Camera:
    """A running simulator, which dies of any GLib critical message."""

    def __init__(self, *options: str) -> None:
        environment = os.environ | {"G_DEBUG": "fatal-criticals"}
        self.process = subprocess.Popen(
            [SIMULATOR, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.port = int(self._line().removeprefix("READY port="))

    def url(self, path: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def next_change(self) -> tuple[str, int]:
        """The next announced pattern, and since when it is shown in Unix us."""
        change = json.loads(self._line())
        assert change["camera"] == "patterns"
        assert change["time_ns"] % 1000 == 0
        return change["pattern"], change["time_ns"] // 1000

    def end(self, with_signal: signal.Signals) -> tuple[int, float, str]:
        """Exit code, how long ending took in seconds, and standard error."""
        began = time.monotonic()
        self.process.send_signal(with_signal)
        _, errors = self.process.communicate(timeout=HANG_SECONDS)
        return self.process.returncode, time.monotonic() - began, errors

    def _line(self) -> str:
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return line


@contextmanager
def running_camera(*options: str) -> Iterator[Camera]:
    camera = Camera(*options)
    try:
        yield camera
        code, _, errors = camera.end(signal.SIGTERM)
        assert (code, errors) == (0, "")
    finally:
        if camera.process.poll() is None:
            camera.process.kill()
            camera.process.communicate()


class Viewer:
    """Watches a camera; each frame has gone through H.264 and through JPEG of quality 85."""

    def __init__(self, url: str, size: tuple[int, int] = SIZE) -> None:
        self.width, self.height = size
        pipeline = (
            f"rtspsrc location={url} latency=0 ! rtph264depay ! avdec_h264 ! jpegenc quality=85 ! jpegdec"
            f" ! videoconvert ! video/x-raw,format=GRAY8,width={self.width},height={self.height} ! fdsink fd=1"
        )
        self.process = subprocess.Popen(["gst-launch-1.0", "-q", *pipeline.split()], stdout=subprocess.PIPE)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()

    def frame(self) -> np.ndarray:
        """The next frame's luma, shape (height, width), dtype uint8."""
        data = bytearray()
        while missing := self.width * self.height - len(data):
            assert self._selector.select(HANG_SECONDS), "no frame came"
            part = os.read(self.process.stdout.fileno(), missing)
            assert part, "the stream has ended"
            data += part
        return np.frombuffer(data, np.uint8).reshape(self.height, self.width)

    def frames(self, count: int) -> list[np.ndarray]:
        return [self.frame() for _ in range(count)]


def assert_increasing_time_codes(frames: list[np.ndarray]) -> list[int]:
    codes = [code for code in map(read_time_code, frames) if code is not None]
    assert len(codes) >= 0.98 * len(frames)
    assert codes == sorted(set(codes))
    assert abs(codes[-1] / 1e6 - time.time()) < HANG_SECONDS
    return codes


# Snow is the hardest for the encoder; 320 has the smallest blocks, and 800 blocks off the grid of 8 pixels.
@pytest.mark.parametrize("size", [(320, 240), (640, 480), (800, 600), (1280, 720)])
@pytest.mark.parametrize("pattern", ["snow", "ball", "white", "checkers-8"])
def test_time_codes_survive_encoding(size: tuple[int, int], pattern: str) -> None:
    options = ["--time-code", "--patterns", pattern, "--size", f"{size[0]}x{size[1]}"]
    with running_camera(*options) as camera, Viewer(camera.url("patterns"), size) as viewer:
        assert_increasing_time_codes(viewer.frames(30))


def test_misread_time_code_is_noticed() -> None:
    with running_camera("--time-code") as camera, Viewer(camera.url("patterns")) as viewer:
        frame = viewer.frame()
    assert read_time_code(frame) is not None
    for block in range(80):
        damaged = frame.copy()
        damaged[-16:, block * 8 : block * 8 + 8] = 255 - damaged[-16:, block * 8 : block * 8 + 8]
        assert read_time_code(damaged) is None


def test_picture_without_time_code() -> None:
    with running_camera("--patterns", "smpte") as camera, Viewer(camera.url("patterns")) as viewer:
        assert [read_time_code(frame) for frame in viewer.frames(5)] == [None] * 5


def test_pattern_changes_as_announced() -> None:
    luma = {"black": 16, "white": 235, "blue": 41}
    options = ["--time-code", "--pattern-seconds", "0.6", "--patterns", ",".join(luma)]
    with running_camera(*options) as camera, Viewer(camera.url("patterns")) as viewer:
        shown = {}
        for frame in viewer.frames(100):
            if (code := read_time_code(frame)) is not None:
                shown[code] = float(frame[:-32].mean())
        changes = [camera.next_change() for _ in range(4)]
        while changes[-1][1] < max(shown):
            changes.append(camera.next_change())

    names = [name for name, _ in changes]
    assert names == [list(luma)[i % len(luma)] for i in range(len(names))]
    for (name, begin), (_, end) in itertools.pairwise(changes):
        levels = [level for code, level in shown.items() if begin <= code < end]
        assert all(abs(level - luma[name]) < 12 for level in levels), (name, levels)
    announced = {begin for _, begin in changes if min(shown) < begin <= max(shown)}
    # A frame that a busy machine lost may be a pattern's first one.
    assert len(announced & set(shown)) >= len(announced) - 1
    assert len(announced) >= 4


def test_two_viewers_at_once_see_the_same_camera() -> None:
    with running_camera("--time-code") as camera:
        with Viewer(camera.url("patterns")) as first, Viewer(camera.url("patterns")) as second:
            first.frame(), second.frame()
            seen = [set(assert_increasing_time_codes(viewer.frames(40))) for viewer in (first, second)]
            assert seen[0] & seen[1]


def test_viewer_comes_while_another_leaves() -> None:
    with running_camera("--time-code", "--patterns", "ball") as camera:
        viewer = Viewer(camera.url("patterns"))
        for _ in range(5):
            viewer.frames(3)
            following = Viewer(camera.url("patterns"))
            viewer.__exit__()
            viewer = following
        with viewer:
            assert_increasing_time_codes(viewer.frames(10))


def test_viewer_who_does_not_read_costs_the_others_nothing() -> None:
    options = ["--time-code", "--patterns", "snow", "--size", "1280x720"]
    with running_camera(*options) as camera:
        url, size = camera.url("patterns"), (1280, 720)
        with Viewer(url, size) as stuck, Viewer(url, size) as viewer:
            stuck.frame()
            stuck.process.send_signal(signal.SIGSTOP)
            codes = assert_increasing_time_codes(viewer.frames(150))
            assert np.median(np.diff(codes)) < 60_000
            stuck.process.send_signal(signal.SIGCONT)
            # The first frames have waited with it; after them come new ones.
            while (code := read_time_code(stuck.frame())) is None or code <= codes[-1]:
                pass


@pytest.fixture(scope="module")
def short_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of black, then one of white: 320x240, 24 frames a second, with B-frames."""
    path = tmp_path_factory.mktemp("video") / "one second of each.mp4"
    pipeline = (
        "fdsrc fd=0 ! rawvideoparse format=gray8 width=320 height=240 framerate=24/1 ! videoconvert"
        " ! x264enc bframes=2 key-int-max=48 ! mp4mux ! filesink"
    ).split()
    frames = np.repeat(np.array([16, 235], np.uint8), 24 * 320 * 240).tobytes()
    command = ["gst-launch-1.0", "-q", *pipeline, f'location="{path}"']
    subprocess.run(command, input=frames, check=True, timeout=HANG_SECONDS)
    return path


def test_video_loops_at_its_own_speed(short_video: Path) -> None:
    with running_camera("--video", str(short_video)) as camera, Viewer(camera.url("video")) as viewer:
        viewer.frame()
        began = time.monotonic()
        white = [frame.mean() > 128 for frame in viewer.frames(200)]
        took = time.monotonic() - began
    assert 7 < took < 10, "200 frames at 25 a second"
    changes = np.flatnonzero(np.diff(white))
    assert 7 <= len(changes) <= 9
    # B-frames at the seam may cost a frame or two.
    assert all(22 <= run <= 27 for run in np.diff(changes)), changes


def test_videos_time_stamps_never_jump(short_video: Path) -> None:
    with running_camera("--video", str(short_video)) as camera:
        pipeline = (
            f"rtspsrc location={camera.url('video')} latency=0 ! rtph264depay ! h264parse ! identity eos-after=200"
            " ! fakesink sync=false silent=false"
        )
        command = ["gst-launch-1.0", "-v", *pipeline.split()]
        ended = subprocess.run(command, check=False, timeout=HANG_SECONDS, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr
    lines = [line for line in ended.stdout.splitlines() if "chain" in line]
    stamps = [float(line.split("pts: 0:00:")[1].split(",")[0]) for line in lines]
    assert len(stamps) >= 190
    # 40 ms apart, but rtspsrc smooths over packets that a busy machine delivers late.
    steps = np.diff(stamps)
    assert 0 < steps.min() and steps.max() < 0.5
    assert abs(np.median(steps) - 0.04) < 0.002


def test_video_and_patterns_at_once(short_video: Path) -> None:
    with running_camera("--time-code", "--video", str(short_video)) as camera:
        with Viewer(camera.url("patterns")) as patterns, Viewer(camera.url("video")) as video:
            assert_increasing_time_codes(patterns.frames(25))
            video.frames(25)


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_while_someone_watches(with_signal: signal.Signals, short_video: Path) -> None:
    camera = Camera("--video", str(short_video))
    with Viewer(camera.url("patterns")) as patterns, Viewer(camera.url("video")) as video:
        patterns.frame(), video.frame()
        code, seconds, errors = camera.end(with_signal)
    assert (code, errors) == (0, "")
    assert seconds < 1


def refusal(*options: str) -> str:
    """Standard error of a simulator that refuses to start."""
    ended = subprocess.run([SIMULATOR, *options], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


def test_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        errors = refusal("--port", port)
    assert port in errors and "--port" in errors


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--no-such-option"], "--no-such-option"),
        (["stray"], "stray"),
        (["--port", "70000"], "--port"),
        (["--port", "many"], "many"),
        (["--address", "not an address"], "--address"),
        (["--size", "640"], "--size"),
        (["--size", "641x480"], "--size"),
        (["--size", "640x480x3"], "--size"),
        (["--fps", "0"], "--fps"),
        (["--pattern-seconds", "0"], "--pattern-seconds"),
        (["--pattern-seconds", "nan"], "--pattern-seconds"),
        (["--patterns", "ball,unknown"], "unknown"),
        (["--patterns", ""], "--patterns"),
        (["--time-code", "--size", "160x120"], "--time-code"),
        (["--video", "/no/such/file.mp4"], "/no/such/file.mp4"),
        (["--video", "/"], "--video"),
        (["--video", __file__], __file__),
    ],
)
def test_unusable_option_is_named(options: list[str], named: str) -> None:
    assert named in refusal(*options)


def test_sound_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    pipeline = f"audiotestsrc num-buffers=20 ! wavenc ! filesink location={path}"
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, timeout=HANG_SECONDS)
    assert str(path) in refusal("--video", str(path))
