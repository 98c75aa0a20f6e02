"""A bench's figures: what holds, and what people and programs are shown."""

from __future__ import annotations

import json

import pytest

from bench.measure.report import Figure, Report, format_number, table


@pytest.mark.parametrize(("goal", "value", "holds"), [
    ("<= 6", 6, True), ("<= 6", 6.01, False), ("< 0.3", 0.3, False), ("< 0.3", 0.299, True), ("== 0", 0, True),
    ("== 0", 1, False), (">= 25", 24.9, False), ("> 1", 2, True), ("< 150", None, False), (None, 1, None),
])
def test_goal_holds(goal: str | None, value: float | None, holds: bool | None) -> None:
    assert Figure("case", "metric", value, goal=goal).holds is holds


def test_json_has_peer_and_goal_where_there_are_any() -> None:
    full = Figure("1280x720 camera", "cpu_ms_per_frame", 4.2, "Go system", 14.7, "<= 6")
    assert json.loads(full.to_json("chain")) == {
        "bench": "chain", "case": "1280x720 camera", "metric": "cpu_ms_per_frame", "value": 4.2, "peer": "Go system",
        "peer_value": 14.7, "goal": "<= 6", "holds": True}
    bare = Figure("case", "metric", None, "Go system")
    assert json.loads(bare.to_json("chain")) == {"bench": "chain", "case": "case", "metric": "metric", "value": None}


def test_table_has_a_heading_over_each_column_and_none_that_is_empty() -> None:
    lines = table([Figure("a", "frames", 1234), Figure("bb", "latency", 1.5, goal="< 1")])
    assert lines == ["case  metric   value  goal  holds",
                     "----  -------  -----  ----  -----",
                     "a     frames   1,234",
                     "bb    latency   1.50  < 1   NO"]


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1_230_000, "1,230,000"), (0.0876, "0.088"), (14.72, "14.7"),
                                             (355.4, "355"), (None, "none"), (-0.5, "-0.500")])
def test_numbers_are_as_precise_as_they_are_worth(value: float | None, text: str) -> None:
    assert format_number(value) == text


def test_json_report_keeps_standard_output_for_objects(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("chain", json_lines=True)
    report.say("a machine")
    report.add([Figure("a", "fits", 1, goal="== 1"), Figure("a", "fails", 2, goal="== 1")])
    report.close()
    output = capsys.readouterr()
    assert [json.loads(line)["metric"] for line in output.out.splitlines()] == ["fits", "fails"]
    assert output.err.splitlines() == ["a machine", "1 of 2 goals hold.",
                                       "GOAL MISSED: a: fails is 2, the goal is == 1."]
