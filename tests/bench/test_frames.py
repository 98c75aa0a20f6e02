"""What the benches say became of frames."""

from __future__ import annotations

import io

from bench.measure.frames import Passage, missing_frames, missing_numbers, passage, percentile, unix_us
from bench.measure.viewer import read_part


def test_frames_that_a_stage_dropped_and_repeated() -> None:
    assert passage("abcd", "abc") == Passage(distinct=3, repeated=0, dropped=1)
    assert passage("abcd", "aacdcc") == Passage(distinct=3, repeated=3, dropped=1)
    assert passage("bc", "abcd") == Passage(distinct=2, repeated=0, dropped=0)
    assert passage("", "") == Passage(0, 0, 0)


def test_missing_numbers() -> None:
    assert missing_numbers([7, 8, 9]) == 0
    assert missing_numbers([7, 9, 9, 12]) == 3
    assert missing_numbers([]) == 0


def test_missing_frames_are_counted_over_the_whole_time() -> None:
    late = [5_000, 40_000, 115_000, 120_000, 160_000]
    assert missing_frames(late, 25, 0, 200_000) == 0
    assert missing_frames([0, 40_000, 160_000, 160_000], 25, 0, 200_000) == 2
    assert missing_frames([200_000, 240_000], 25, 39_000, 280_000) == 3
    assert missing_frames([0, 40_000], 25, 0, 280_000) == 5
    assert missing_frames([], 25, 0, 1_000_000) == 25


def test_capture_time_is_cut_to_microseconds() -> None:
    assert unix_us("1970-01-01T00:00:01.123456789Z") == 1_123_456
    assert unix_us("2026-11-23T03:21:46Z") == 1_795_404_106_000_000


def test_percentile() -> None:
    assert percentile([1, 2, 3], 50) == 2
    assert percentile([], 50) is None


def test_parts_of_a_stream_are_read_by_their_length() -> None:
    stream = io.BytesIO(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\nX-Timestamp: 12.000345\r\n\r\n"
                        b"--frame\r\n\r\n--frame\r\nContent-Length: 2\r\nX-Timestamp: 13.5\r\n\r\nab\r\n--frame\r\n")
    first, second = read_part(stream), read_part(stream)
    assert first and (first.jpeg, first.captured_us) == (b"--frame\r\n", 12_000_345)
    assert second and (second.jpeg, second.captured_us) == (b"ab", 13_500_000)
    assert read_part(stream) is None


def test_a_picture_that_was_cut_off_is_none() -> None:
    assert read_part(io.BytesIO(b"--frame\r\nContent-Length: 9\r\nX-Timestamp: 1.0\r\n\r\nabc")) is None
