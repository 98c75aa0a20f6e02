"""pipelines/launch: what a pipeline file says arrives in gst-launch-1.0 as it is meant."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

LAUNCH = Path(__file__).resolve().parents[2] / "pipelines" / "launch"

VALUES = [
    "plain",
    "two words",
    "two  spaces and one at the end ",
    " leading space",
    "tab\there",
    "line\nbreak",
    "carriage\rreturn",
    '{"imagenet_1": "http://tfserving:8501/v1/models/m:predict", "b": "c d"}',
    '{\n  "a": "http://x/y",\n  "b": "z"\n}\n',
    "a ! b",
    "$HOME $(touch injected) `touch injected`",
    "back\\slash",
    "ends in a backslash\\",
    '\\"',
    'one " quote',
    '"',
    '"quoted"',
    '"quoted" and "quoted"',
    '"ü quoted"',
    "'single'",
    "it's",
    "NULL",
    "# no comment",
    "a=b",
    "(int)5",
    "{ a, b }",
    "[ 1, 2 ]",
    "${NOT_EXPANDED}",
    "}",
    "-v",
    "a --version -v b",
    "--help",
    "ünïcödé 日本",
    "http://user:p%40ss@host/x?a=b&c=d#e",
    'x" ! filesink location="injected',
    '" ! filesink location=injected "',
    '\\" ! filesink location=injected name=\\"x',
    "x ! filesink location=injected",
]


def launch(pipeline: str, folder: Path, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run a pipeline text in `folder`, with these variables added to the environment."""
    file = folder / "test.pipeline"
    file.write_text(pipeline, encoding="utf-8", newline="")
    # Not in text mode, which would make every \r a \n.
    result = subprocess.run(["/usr/bin/python3", LAUNCH, *options, file], cwd=folder, capture_output=True, timeout=60,
                            env={**os.environ, **environment})
    return subprocess.CompletedProcess(result.args, result.returncode, result.stdout.decode(), result.stderr.decode())


def value_in_gst_launch(pipeline: str, folder: Path, environment: dict[str, str]) -> str:
    """The `location` of a filesrc as the element itself names it: the file does not exist."""
    result = launch(pipeline, folder, environment)
    found = re.search(r'No such file "(.*)"\n', result.stdout + result.stderr, re.DOTALL)
    assert found, result.stdout + result.stderr
    return found[1]


@pytest.mark.parametrize("value", VALUES)
def test_value_arrives_whole(value: str, tmp_path: Path) -> None:
    got = value_in_gst_launch("filesrc location=${VALUE} ! fakesink", tmp_path, {"VALUE": value})
    assert got == value
    assert [file.name for file in tmp_path.iterdir()] == ["test.pipeline"], "the value ran as something else"


@pytest.mark.parametrize(("written", "environment", "expected"), [
    ("${V:-default}", {}, "default"),
    ("${V:-default}", {"V": ""}, "default"),
    ("${V:-default}", {"V": "set"}, "set"),
    ('${V:-{"a": {"b": "c d"}}}', {}, '{"a": {"b": "c d"}}'),
    ("${V:-two words}", {}, "two words"),
    ("${V:-a\n  b}", {}, "a\n  b"),
    ("${V:-${W:-inner}}", {}, "inner"),
    ("${V:-${W:-inner}}", {"W": "w"}, "w"),
    ("${V:?why}", {"V": "set"}, "set"),
    ("http://${V}:${W:-80}/x", {"V": "a b"}, "http://a b:80/x"),
    ("${V}", {"V": "${W}", "W": "not again"}, "${W}"),
])
def test_expansion(written: str, environment: dict[str, str], expected: str, tmp_path: Path) -> None:
    assert value_in_gst_launch(f"filesrc location={written} ! fakesink", tmp_path, environment) == expected


def test_comments_and_lines(tmp_path: Path) -> None:
    pipeline = "# first ${MISSING}\n\nfilesrc\n    location=${V}\n  # between ! and \"\n! fakesink\n"
    assert value_in_gst_launch(pipeline, tmp_path, {"V": "x"}) == "x"


def test_empty_value_leaves_the_property_out(tmp_path: Path) -> None:
    result = launch("fakesrc num-buffers=${N:-} ! fakesink", tmp_path, {"N": ""}, "--print")
    assert result.stdout == "fakesrc ! fakesink\n"


def test_text_without_variables_is_left_as_it_is(tmp_path: Path) -> None:
    pipeline = 'fakesrc num-buffers=1 ! capsfilter caps="image/jpeg, width=(int)5" ! fakesink name="a b"'
    assert launch(pipeline, tmp_path, {}, "--print").stdout == pipeline + "\n"


def test_all_missing_variables_are_named_before_anything_starts(tmp_path: Path) -> None:
    pipeline = "fakesrc num-buffers=1 name=${A} ! filesink location=${B:?where to write} name=${C:-c} qos=${D}"
    result = launch(pipeline, tmp_path, {"A": ""})
    assert result.returncode == 2
    assert "A; B (where to write); D" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("pipeline", [
    "${ELEMENT:-fakesrc} ! fakesink",
    'filesrc location="a ${V:-b}" ! fakesink',
    "filesrc location=${V ! fakesink",
    "filesrc location=${V:+x} ! fakesink",
    "filesrc location=${1} ! fakesink",
])
def test_refused(pipeline: str, tmp_path: Path) -> None:
    result = launch(pipeline, tmp_path, {})
    assert result.returncode == 2
    assert result.stderr.startswith("launch: ")
    assert "Traceback" not in result.stderr


def test_exit_code_is_gst_launch_s(tmp_path: Path) -> None:
    assert launch("fakesrc num-buffers=${N:-1} ! fakesink", tmp_path, {}).returncode == 0
    assert launch("nosuchelement ! fakesink", tmp_path, {}).returncode == 1


def test_unknown_pipeline_is_named_with_those_there_are() -> None:
    result = subprocess.run([LAUNCH, "nosuch"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "nosuch" in result.stderr
    assert "camera, classify, web" in result.stderr
