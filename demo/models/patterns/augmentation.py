"""What the training adds to rendered frames: pictures of the background class, and random changes of each frame."""
import numpy as np
import tensorflow as tf
from frames import PATTERNS

BLACK_CLASS, BALL_CLASS = PATTERNS.index("black") + 1, PATTERNS.index("ball") + 1
CLASS_COLOURS = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]])


def flat_colour(rng: np.random.Generator, side: int) -> np.ndarray:
    """A flat colour that is none of the classes black, white, red, green, blue."""
    while True:
        colour = rng.uniform(0, 255, 3)
        if np.abs(CLASS_COLOURS - colour).max(axis=1).min() > 110:
            return np.ones((side, side, 3)) * colour


def colour_clouds(rng: np.random.Generator, side: int) -> np.ndarray:
    spots = rng.uniform(0, 255, (*rng.integers(2, 9, 2), 3))
    return tf.image.resize(spots, (side, side), method="bicubic").numpy()


def rectangles(rng: np.random.Generator, side: int) -> np.ndarray:
    picture = np.ones((side, side, 3)) * rng.uniform(0, 255, 3)
    for _ in range(rng.integers(3, 14)):
        (top, left), (height, width) = rng.integers(0, side, 2), rng.integers(6, 60, 2)
        picture[top : top + height, left : left + width] = rng.uniform(0, 255, 3)
    return picture


def mixed_frames(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Two frames laid over each other, one upside down and one mirrored."""
    first, second = frames[rng.integers(len(frames), size=2)].astype(float)
    share = rng.uniform(0.4, 0.6)
    picture = share * first[::-1] + (1 - share) * second[:, ::-1]
    alike = np.abs(first - second).mean() < 60
    return 255 - picture if alike else picture


def skewed_ramp(rng: np.random.Generator, side: int) -> np.ndarray:
    ramp = np.add.outer(np.linspace(0, rng.uniform(-1, 1), side), np.linspace(0, rng.uniform(0.4, 1), side))
    ramp = ((ramp - ramp.min()) / np.ptp(ramp))[..., None]
    return ramp * rng.uniform(0, 255, 3) + (1 - ramp) * rng.uniform(0, 255, 3)


def backgrounds(count: int, frames: np.ndarray, seed: int) -> np.ndarray:
    """Pictures that are no pattern: uint8 [count, side, side, 3], made with the help of `frames` of that shape."""
    rng = np.random.default_rng(seed)
    side = frames.shape[1]
    kinds = [
        lambda: flat_colour(rng, side),
        lambda: colour_clouds(rng, side),
        lambda: rectangles(rng, side),
        lambda: mixed_frames(rng, frames),
        lambda: skewed_ramp(rng, side),
    ]
    pictures = [kinds[rng.integers(len(kinds))]() for _ in range(count)]
    return np.clip(pictures, 0, 255).astype(np.uint8)


def zoom(frame: tf.Tensor, side: int) -> tf.Tensor:
    """Shifts and magnifies a little: what is cut off must not be the ball, which may touch the edge."""
    cut = tf.random.uniform([], 0, 3, tf.int32)
    return tf.image.resize(tf.image.random_crop(frame, (side - cut, side - cut, 3)), (side, side))


def wrap(frame: tf.Tensor, side: int) -> tf.Tensor:
    """Moves the picture by any distance; what leaves at one edge comes in at the other."""
    return tf.roll(frame, tf.random.uniform([2], 0, side, tf.int32), axis=(0, 1))


def relight(frame: tf.Tensor) -> tf.Tensor:
    contrast = tf.random.uniform([], 0.75, 1.25)
    brightness = tf.random.uniform([], -30.0, 30.0) + tf.random.uniform([3], -8.0, 8.0)
    return frame * contrast + brightness + tf.random.normal(tf.shape(frame)) * tf.random.uniform([], 0.0, 10.0)


def augment(frame: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """For tf.data: a uint8 [side, side, 3] frame becomes float32 0..255 of the same shape."""
    side = frame.shape[0]
    frame = tf.cast(frame, tf.float32)
    if tf.random.uniform([]) < 0.5:
        frame = zoom(frame, side)
    # A ball may be anywhere, near a caption or time code too; black frames must not differ from it but by the ball.
    if tf.reduce_any(label == [BALL_CLASS, BLACK_CLASS]) and tf.random.uniform([]) < 0.6:
        frame = wrap(frame, side)
    return tf.ensure_shape(tf.clip_by_value(relight(frame), 0.0, 255.0), (side, side, 3)), label
