"""Reads drawn labels back from the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

COLOUR = (200, 150, 50)
FONT, SCALE, THICKNESS = cv2.FONT_HERSHEY_PLAIN, 1.2, 2
LEFT, LINE_HEIGHT = 10, 20
ABOVE, BELOW = 15, 6
"""Pixels above and below the baseline that letters reach."""
SEARCH = 3
"""Pixels that the text may be off its place in each direction, in a browser's picture."""
DRAWN = 0.5
"""Correlation from which a text counts as drawn."""


@dataclass(frozen=True)
class Found:
    """The text that is drawn in a picture."""

    label: str
    score: float
    """Correlation of the picture with the text, -1 to 1."""
    margin: float
    """How much better it is than the next label's."""

    @property
    def certain(self) -> bool:
        """Whether this label is drawn, and no other."""
        return self.score >= DRAWN and self.margin > 0.01


def find_label(picture: np.ndarray, model: str, labels: Sequence[str], *, line: int = 0) -> Found:
    """The label that stands in the picture's line `line` as `model : label`.

    Args:
        picture: shape (height, width, 3), RGB, dtype uint8, in the video's own size.
        model: name of the model.
        labels: what it may have answered; what matches best is returned, drawn or not.
        line: 0 is the top line.
    """
    texts = [f"{model} : {label}" for label in labels]
    room = picture.shape[1] - LEFT - 2 * SEARCH
    width = min(room, max(cv2.getTextSize(text, FONT, SCALE, THICKNESS)[0][0] for text in texts) + SEARCH)
    baseline = (line + 1) * LINE_HEIGHT
    region = _closeness(picture, baseline - ABOVE - SEARCH, baseline + BELOW + SEARCH, LEFT - SEARCH,
                        LEFT + width + SEARCH)
    scores = [float(cv2.matchTemplate(region, _template(text, width), cv2.TM_CCOEFF_NORMED).max()) for text in texts]
    best = int(np.argmax(scores))
    others = [score for i, score in enumerate(scores) if i != best]
    return Found(labels[best], scores[best], scores[best] - max(others, default=-1))


def _closeness(picture: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """How near each pixel of a region is to the label's colour: 1 at it, 0 far away. Rows above the picture are 0."""
    region = picture[max(0, top):bottom, left:right].astype(np.float32)
    distance = np.linalg.norm(region - np.array(COLOUR, np.float32), axis=2)
    near = np.clip(1 - distance / 120, 0, 1)
    return np.pad(near, ((max(0, -top), 0), (0, 0)))


def _template(text: str, width: int) -> np.ndarray:
    canvas = np.zeros((ABOVE + BELOW, width), np.uint8)
    cv2.putText(canvas, text, (0, ABOVE), FONT, SCALE, 255, THICKNESS)
    return canvas.astype(np.float32) / 255


def changed_share(before: np.ndarray, after: np.ndarray) -> float:
    """The share of pixels that differ between two RGB pictures by more than a codec's noise, 0 to 1."""
    return float((np.abs(before.astype(np.int16) - after.astype(np.int16)).max(axis=2) > 32).mean())
