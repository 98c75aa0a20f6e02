"""Reads the time code that the camera simulator draws into its pictures: demo/camera/time_code.h has the layout."""

from binascii import crc_hqx
from functools import lru_cache

import numpy as np

BLOCKS = 80
TIME_BLOCKS = 64
THRESHOLD = 128


def read_time_code(gray: np.ndarray) -> int | None:
    """When the camera made a frame.

    Args:
        gray: luma of the whole frame, shape (height, width), dtype uint8, in the size that the camera sent.

    Returns:
        Unix time in microseconds; None when the picture has no time code or its check sum is wrong.
    """
    height, width = gray.shape
    row_height = _row_height(width)
    if width < BLOCKS * 4 or height < row_height:
        return None
    # The middle half of each block, for edges are blurred by encoding.
    middle = gray[height - row_height * 3 // 4 : height - row_height // 4 : 2, _sampled_columns(width)]
    levels = middle.mean(axis=0).reshape(BLOCKS, -1).mean(axis=1)
    code = np.packbits(levels > THRESHOLD).tobytes()
    time, check_sum = code[: TIME_BLOCKS // 8], code[TIME_BLOCKS // 8 :]
    if crc_hqx(time, 0xFFFF) != int.from_bytes(check_sum, "big"):
        return None
    return int.from_bytes(time, "big")


def _row_height(width: int) -> int:
    return max(16, width // 320 * 8)


@lru_cache
def _sampled_columns(width: int) -> np.ndarray:
    """Two columns from the middle of each block, block after block."""
    edges = np.arange(BLOCKS + 1) * width // BLOCKS
    begin, size = edges[:-1], np.diff(edges)
    return np.stack([begin + size * 3 // 8, begin + size * 5 // 8], axis=1).ravel()
