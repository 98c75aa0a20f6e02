"""Renders labelled JPEG frames of videotestsrc's patterns with gst-launch-1.0, as a camera's video looks in the demo.

A frame may carry what real video carries: a line of text, altered brightness, H.264 compression, the caption that the
overlay element draws, and the row of black and white blocks that a time code at the bottom edge is made of.
"""
import os
import random
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

PATTERNS = [
    "smpte", "snow", "black", "white", "red", "green", "blue", "checkers-8", "circular", "ball", "bar",
    "pinwheel", "spokes", "gradient", "colors", "gamut", "smpte-rp-219", "zone-plate",
]  # fmt: skip

Size = tuple[int, int]

# Widths are multiples of 8: GStreamer's I420 rows then have no padding.
TRAINING_SIZES: Sequence[Size] = (
    (160, 120), (176, 144), (320, 240), (640, 480), (800, 600), (960, 540), (1280, 720)
)  # fmt: skip
HELD_OUT_SIZES: Sequence[Size] = ((192, 108), (352, 288), (480, 360), (640, 360), (1024, 576), (1280, 720))
DEMO_SIZES: Sequence[Size] = ((640, 480), (1280, 720))

MOVING = ("ball", "bar", "zone-plate")
MOTION_PERIOD = 200  # frames that a ball takes across the picture and back

TIME_CODE_BLOCKS = 80
WORDS = ("camera", "one", "front", "door", "lobby", "dock", "7", "gate", "yard", "unit", "B", "LIVE", "cold", "42")


@dataclass(frozen=True)
class Text:
    """A line of text; the defaults are the place, font and colour of the overlay element."""

    text: str
    place: tuple[float, float] = (0, 0)  # 0..1 of the room that the text leaves: left to right, top to bottom
    font: int = cv2.FONT_HERSHEY_PLAIN
    scale: float = 1.2
    bgr: tuple[int, int, int] = (50, 150, 200)
    shaded: bool = False  # on a black box


@dataclass(frozen=True)
class Scene:
    """A short piece of video of one pattern. The elements are pieces of a gst-launch-1.0 pipeline, or empty."""

    label: int  # index into PATTERNS
    size: Size  # width, height in pixels
    variant: int
    pixel_format: str  # in which videotestsrc draws: 'colors' differs between RGB and I420
    source: str
    start: int  # frames of the video that are skipped, so that what moves is met anywhere
    balance: str
    texts: tuple[Text, ...]
    block_row: bool  # black and white blocks along the bottom edge
    codec: str  # an encoder and a decoder
    jpeg_quality: int

    @property
    def stem(self) -> str:
        width, height = self.size
        return f"{self.label:02d}_{width}x{height}_{self.variant}"


SceneMaker = Callable[[int, Size, int, random.Random], Scene]  # label, size, variant, random numbers


def label_of(path: Path) -> int:
    """The index into PATTERNS of a rendered file."""
    return int(path.name[:2])


def source_of(pattern: str, rng: random.Random) -> str:
    options = {
        "zone-plate": "kx2=20 ky2=20 kt=1",
        "bar": f"horizontal-speed={rng.choice([0, 1, 7, 13])}",
        "ball": f"motion={rng.choice(['wavy', 'sweep', 'hsweep'])}",
    }
    return f"videotestsrc pattern={pattern} {options.get(pattern, '')}"


def start_of(pattern: str, rng: random.Random) -> int:
    return rng.randrange(MOTION_PERIOD) if pattern in MOVING else 0


def any_text(rng: random.Random) -> Text:
    clock = f"{rng.randrange(24)}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    return Text(
        text=rng.choice([" ".join(rng.sample(WORDS, rng.randint(1, 4))), clock]),
        place=(rng.choice([0, 0.5, 1]), rng.choice([0, 1])),
        font=rng.choice([cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX]),
        scale=rng.uniform(0.6, 1.2),
        bgr=rng.choice([(255, 255, 255), (0, 0, 0), (0, 255, 255), (0, 200, 0)]),
        shaded=rng.random() < 0.5,
    )


def wrong_caption(rng: random.Random) -> Text:
    """What the overlay element draws, but naming any pattern: the text says nothing about the picture."""
    return Text(f"patterns : {rng.choice(PATTERNS)}")


def video_balance(rng: random.Random) -> str:
    return (
        f"videobalance brightness={rng.uniform(-0.2, 0.2):.3f} contrast={rng.uniform(0.8, 1.2):.3f}"
        f" saturation={rng.uniform(0.8, 1.2):.3f}"
    )


def h264(bit_rate: int) -> str:
    """As the demo's camera encodes; bit_rate in kbit/s."""
    return f"x264enc tune=zerolatency speed-preset=ultrafast threads=1 bitrate={bit_rate} key-int-max=25 ! avdec_h264"


def varied_scene(label: int, size: Size, variant: int, rng: random.Random) -> Scene:
    """Anything that may happen to a frame. Variant 0 keeps the pattern's own colours."""
    return Scene(
        label=label,
        size=size,
        variant=variant,
        pixel_format=rng.choice(["I420", "RGB"]),
        source=source_of(PATTERNS[label], rng),
        start=start_of(PATTERNS[label], rng),
        balance=video_balance(rng) if variant > 0 and rng.random() < 0.7 else "",
        texts=tuple(make(rng) for make in (any_text, wrong_caption) if rng.random() < 0.4),
        block_row=rng.random() < 0.5,
        codec=h264(rng.choice([500, 1000, 2000, 3000])) if rng.random() < 0.4 else "",
        jpeg_quality=rng.randint(35, 95),
    )


def demo_scene(label: int, size: Size, variant: int, rng: random.Random) -> Scene:
    """What the demo's camera sends, decoded and encoded as JPEG; variants with and without caption and time code."""
    return Scene(
        label=label,
        size=size,
        variant=variant,
        pixel_format="I420",
        source=source_of(PATTERNS[label], rng),
        start=start_of(PATTERNS[label], rng),
        balance="",
        texts=(wrong_caption(rng),) if variant & 1 else (),
        block_row=bool(variant & 2),
        codec=h264(2000),
        jpeg_quality=85,
    )


def draw_block_row(i420: np.ndarray, size: Size, rng: random.Random) -> None:
    """Draws random blocks into an I420 frame (height*3/2, width), in place, laid out as the camera's time code."""
    width, height = size
    rows = max(16, width // 320 * 8)
    blocks = np.array([rng.choice([16, 235]) for _ in range(TIME_CODE_BLOCKS)], np.uint8)
    i420[height - rows : height] = blocks[np.arange(width) * TIME_CODE_BLOCKS // width]
    for plane in i420[height:].reshape(2, height // 2, width // 2):
        plane[height // 2 - rows // 2 :] = 128


def draw_texts(i420: np.ndarray, texts: Sequence[Text]) -> np.ndarray:
    picture = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
    for line in texts:
        (width, height), _ = cv2.getTextSize(line.text, line.font, line.scale, 2)
        x = 10 + round(line.place[0] * max(0, picture.shape[1] - width - 20))
        y = 20 + round(line.place[1] * (picture.shape[0] - 30))
        if line.shaded:
            cv2.rectangle(picture, (x - 4, y - height - 4), (x + width + 4, y + 6), (0, 0, 0), cv2.FILLED)
        cv2.putText(picture, line.text, (x, y), line.font, line.scale, line.bgr, 2)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)


def gst_launch(stages: Sequence[str], stdin: bytes = b"") -> bytes:
    """Runs a pipeline of the stages that are not empty; its standard input and output are the caller's."""
    command = "exec gst-launch-1.0 -q " + " ! ".join(stage for stage in stages if stage)
    return subprocess.run(command, shell=True, input=stdin, stdout=subprocess.PIPE, check=True).stdout


def render(scene: Scene, folder: Path, frames: int, keep_every: int, seed: int) -> None:
    """Writes `frames` files, each `keep_every` frames of 25 fps video apart."""
    rng = random.Random(seed)
    width, height = scene.size
    video = gst_launch([
        f"{scene.source} num-buffers={scene.start + frames * keep_every}",
        f"video/x-raw,format={scene.pixel_format},width={width},height={height},framerate=25/1",
        "videoconvert", scene.balance, "videoconvert", "video/x-raw,format=I420", "fdsink fd=1",
    ])  # fmt: skip
    drawn = []
    for raw in np.frombuffer(video, np.uint8).reshape(-1, height * 3 // 2, width)[scene.start :]:
        frame = draw_texts(raw, scene.texts) if scene.texts else raw.copy()
        if scene.block_row:
            draw_block_row(frame, scene.size, rng)
        drawn.append(frame.tobytes())
    gst_launch([
        "fdsrc fd=0", f"rawvideoparse format=i420 width={width} height={height} framerate=25/1", scene.codec,
        f"jpegenc quality={scene.jpeg_quality}", f"multifilesink location={folder}/{scene.stem}_%d.jpg",
    ], b"".join(drawn))  # fmt: skip
    for index in range(frames * keep_every):
        if index % keep_every != keep_every - 1:
            (folder / f"{scene.stem}_{index}.jpg").unlink()


def render_set(
    folder: Path,
    sizes: Sequence[Size],
    variants: int,
    frames: int,
    keep_every: int,
    make_scene: SceneMaker,
    seed: int,
    labels: Sequence[int] = range(len(PATTERNS)),
) -> list[Path]:
    """Renders each pattern in each size `variants` times; the same seed gives the same scenes. Returns the files."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    scenes = [
        make_scene(label, size, variant, rng)
        for label in labels for size in sizes for variant in range(variants)
    ]  # fmt: skip
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(render, scene, folder, frames, keep_every, seed + i) for i, scene in enumerate(scenes)]
        for job in jobs:
            job.result()
    return sorted(folder.glob("*.jpg"))
