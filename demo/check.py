"""Judges a page by what a browser shows of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from demo.stack.browser import Browser
from demo.stack.camera import CameraSimulator
from demo.stack.labels import Found, changed_share, find_label
from demo.stack.process import StackError
from demo.stack.time_code import read_time_code

MODEL_SECONDS = 1.0
"""The video does not wait for the model: a label may be the answer about a picture that is this much older."""
LABEL_LINES = 50
"""Pixel rows at the top that labels stand in."""
MOVING = 0.0003
"""Share of changed pixels that tells a moving picture: one block of the time code is enough."""


@dataclass
class Judgement:
    """What the pictures of a page have shown so far."""

    right: list[str] = field(default_factory=list)
    """Labels that named what the camera showed, each once."""
    wrong: list[str] = field(default_factory=list)
    """Labels that did not, as sentences."""
    moving: bool = False
    pictures: int = 0

    def add(self, found: Found, shown: Sequence[str]) -> None:
        """Count one picture: the label drawn in it, and what the camera was showing when it took it."""
        self.pictures += 1
        if len(set(shown)) != 1 or not found.certain:
            return
        if found.label != shown[0]:
            self.wrong.append(f"{found.label} was drawn while the camera showed {shown[0]}")
        elif found.label not in self.right:
            self.right.append(found.label)

    def __str__(self) -> str:
        return (f"{self.pictures} pictures, {'moving' if self.moving else 'not moving'}; right labels: "
                f"{', '.join(self.right) or 'none'}; wrong labels: {'; '.join(self.wrong) or 'none'}")


def watch(browser: Browser, page: str, cameras: CameraSimulator, labels: Sequence[str], *, source: str = "patterns",
          model: str = "patterns", wanted: int = 2, limit: float = 60) -> Judgement:
    """Watch a page until it has shown moving video of `source` with `wanted` different right labels of `model`.

    Both come from the pixels of what the browser shows: the label, and the time code that says when the camera took
    the picture. A label is right when it names what the simulator says it was showing then; pictures around a change
    are not judged. Raises StackError after `limit` seconds, and says what was seen.
    """
    browser.open(page)
    judgement, before = Judgement(), None
    end = time.monotonic() + limit
    while len(judgement.right) < wanted or not judgement.moving:
        if time.monotonic() > end:
            raise StackError(f"The page {page} did not show {wanted} right labels in moving video within {limit:g} s: "
                             f"{judgement}.")
        picture = browser.picture(source, limit)
        taken = read_time_code(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        if taken is None:
            continue
        shown = cameras.shown_during(taken / 1e6 - MODEL_SECONDS, taken / 1e6)
        judgement.add(find_label(picture, model, [*labels, "Nothing"]), shown)
        judgement.moving |= before is not None and len(set(shown)) == 1 and _moved(before, picture)
        before = picture
    return judgement


def _moved(before: np.ndarray, after: np.ndarray) -> bool:
    return before.shape == after.shape and changed_share(before[LABEL_LINES:], after[LABEL_LINES:]) > MOVING
