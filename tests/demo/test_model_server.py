"""The model server of the demo, asked as a client of TensorFlow Serving asks."""
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import pytest
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ROOT / "demo" / "models" / "patterns"
PREDICT = "/v1/models/patterns:predict"
HANG_SECONDS = 60


class Server(NamedTuple):
    process: subprocess.Popen
    rest: int
    grpc: int


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "demo.model_server", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def when_ready(process: subprocess.Popen) -> Server:
    line = process.stdout.readline()
    ready = re.fullmatch(r"READY rest=(\d+) grpc=(\d+)\n", line)
    if not ready:
        process.kill()
        pytest.fail(f"no READY line but {line!r}: {process.communicate()[1]}")
    return Server(process, int(ready[1]), int(ready[2]))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    raw = f"raw={PATTERNS.parent / 'patterns_raw'}"
    server = when_ready(start("--model", f"patterns={PATTERNS}", "--model", raw, "--label", "patterns:stable=1"))
    yield server
    server.process.kill()
    server.process.communicate()


@pytest.fixture(scope="module")
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        yield channel


@pytest.fixture(scope="module")
def labels() -> dict[str, str]:
    return json.loads((PATTERNS / "labels.json").read_text())


def frame(pattern: str) -> bytes:
    """A JPEG picture of the pattern, 640x480."""
    pipeline = (
        f"videotestsrc pattern={pattern} num-buffers=1 ! video/x-raw,format=I420,width=640,height=480"
        " ! jpegenc ! fdsink fd=1"
    )
    return subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], stdout=subprocess.PIPE, check=True).stdout


def request(server: Server, method: str, path: str, document: Any = None) -> Answer:
    body = document if isinstance(document, bytes) or document is None else json.dumps(document).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{server.rest}{path}", body, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=HANG_SECONDS) as response:
            return Answer(response.status, response.headers["Content-Type"], response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers["Content-Type"], error.read())


def binary(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


def rows(*pictures: bytes) -> dict[str, Any]:
    return {"instances": [{"image_bytes": binary(picture)} for picture in pictures]}


@pytest.mark.parametrize("pattern", ["smpte", "pinwheel", "ball", "red"])
def test_rest_row_form_names_the_pattern(server, labels, pattern):
    answer = request(server, "POST", PREDICT, rows(frame(pattern)))
    assert (answer.status, answer.content_type) == (200, "application/json")
    [prediction] = answer.json["predictions"]
    assert labels[str(prediction["classes"] - 1)] == pattern
    assert len(prediction["probabilities"]) == len(labels) + 1
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_rest_answers_each_row_in_order(server, labels):
    answer = request(server, "POST", PREDICT, rows(frame("blue"), frame("spokes"), frame("green")))
    named = [labels[str(prediction["classes"] - 1)] for prediction in answer.json["predictions"]]
    assert named == ["blue", "spokes", "green"]


@pytest.mark.parametrize("choice", ["/versions/1", "/labels/stable"])
def test_rest_takes_bare_values_and_column_form(server, choice):
    path = f"/V1/models/patterns{choice}:predict"
    picture = binary(frame("pinwheel"))
    row = request(server, "POST", path, {"instances": [picture]}).json["predictions"][0]
    column = request(server, "POST", path, {"inputs": [picture]}).json["outputs"]
    named = request(server, "POST", path, {"inputs": {"image_bytes": [picture]}}).json["outputs"]
    assert column == named == {name: [value] for name, value in row.items()}


def test_rest_unwraps_a_sole_output(server, labels):
    black = np.zeros((1, 96, 96, 3)).tolist()
    answer = request(server, "POST", "/v1/models/raw:predict", {"instances": black}).json
    assert labels[str(np.argmax(answer["predictions"][0]))] == "black"


@pytest.mark.parametrize(
    "path, document, status, text",
    [
        ("/v1/models/nobody:predict", rows(b""), 404, "Servable not found for request: Latest(nobody)"),
        ("/v1/models/patterns/versions/7:predict", rows(b""), 404, "Specific(patterns, 7)"),
        ("/v1/models/patterns/labels/no:predict", rows(b""), 400, "Unrecognized servable version label: no"),
        (PREDICT + "?x", rows(b""), 400, "Malformed request: POST"),
        ("/v1/models/patterns:guess", rows(b""), 400, "Malformed request: POST"),
        ("/v1/models/patterns:classify", rows(b""), 501, "classify"),
        (PREDICT, b"", 400, "The document is empty"),
        (PREDICT, b"{", 400, "JSON Parse error"),
        (PREDICT, b"[" * 100_000, 400, "JSON Parse error"),
        (PREDICT, [], 400, "Is not object"),
        (PREDICT, {}, 400, "Missing 'inputs' or 'instances' key"),
        (PREDICT, {"instances": [], "inputs": []}, 400, "only one of"),
        (PREDICT, {"instances": []}, 400, "No values in 'instances' array"),
        (PREDICT, {"instances": [{"picture": "x"}]}, 400, "keys must be equal to: image_bytes"),
        (PREDICT, {"instances": [{"b64": "%"}]}, 400, "base64"),
        (PREDICT, {"instances": [1]}, 400, "not of expected type: string"),
        (PREDICT, {"instances": ["a", ["b"]]}, 400, "unexpected size"),
        (PREDICT, {"instances": [["a"]]}, 400, "shape"),
        (PREDICT, {"instances": ["a"], "signature_name": "no"}, 400, '"no" not found in signature def'),
        (PREDICT, rows(b"no picture"), 400, "Unknown image file format"),
    ],
)
def test_rest_says_what_is_wrong_with_a_request(server, path, document, status, text):
    answer = request(server, "POST", path, document)
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert text in answer.json["error"]


def test_rest_status(server):
    available = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("/v1/models/patterns", "/v1/models/patterns/versions/1", "/v1/models/patterns/labels/ignored"):
        assert request(server, "GET", path).json == {"model_version_status": [available]}
    assert request(server, "GET", "/v1/models/nobody").status == 404
    assert request(server, "GET", "/v1/models/patterns/versions/7").status == 404


def test_rest_metadata(server):
    document = request(server, "GET", "/v1/models/patterns/metadata").json
    assert document["model_spec"] == {"name": "patterns", "signature_name": "", "version": "1"}
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signature["outputs"]["classes"]["dtype"] == "DT_INT64"
    sizes = [dimension["size"] for dimension in signature["outputs"]["probabilities"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "19"]


def test_outside_v1_answers_html(server):
    answer = request(server, "GET", "/metrics")
    assert (answer.status, answer.content_type.split(";")[0]) == (404, "text/html")
    assert b"Not Found" in answer.body


def test_fault_hook(server):
    picture = rows(frame("red"))
    request(server, "POST", "/__fault", {"count": 1, "code": "UNAVAILABLE", "text": "queue full"})
    answer = request(server, "POST", PREDICT, picture)
    assert (answer.status, answer.json) == (503, {"error": "queue full"})
    assert request(server, "POST", PREDICT, picture).status == 200

    request(server, "POST", "/__fault", {"count": 1, "body": '{"predictions": [NaN', "status": 200})
    assert request(server, "POST", PREDICT, picture).body == b'{"predictions": [NaN'

    request(server, "POST", "/__fault", {"count": 1, "close": True})
    with pytest.raises(OSError):
        request(server, "POST", PREDICT, picture)
    assert request(server, "POST", "/__fault", {"count": 1, "code": "NO_SUCH_CODE"}).status == 400
    assert request(server, "POST", PREDICT, picture).status == 200


def predict_request(jpeg: bytes) -> predict_pb2.PredictRequest:
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "patterns"
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[jpeg])
    tensor.tensor_shape.dim.add(size=1)
    asked.inputs["image_bytes"].CopyFrom(tensor)
    return asked


def test_grpc_predict(channel, labels):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = stub.Predict(predict_request(frame("smpte")), timeout=HANG_SECONDS)
    assert labels[str(answer.outputs["classes"].int64_val[0] - 1)] == "smpte"
    assert len(answer.outputs["probabilities"].float_val) == len(labels) + 1
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("patterns", 1)


def test_grpc_output_filter(channel):
    asked = predict_request(frame("smpte"))
    asked.output_filter.append("classes")
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(asked, timeout=HANG_SECONDS)
    assert list(answer.outputs) == ["classes"]


def unset_model(asked: predict_pb2.PredictRequest) -> None:
    asked.model_spec.name = "nobody"


def version_zero(asked: predict_pb2.PredictRequest) -> None:
    asked.model_spec.version.value = 0


def unknown_signature(asked: predict_pb2.PredictRequest) -> None:
    asked.model_spec.signature_name = "no"


def no_input(asked: predict_pb2.PredictRequest) -> None:
    asked.inputs.clear()


def unknown_filter(asked: predict_pb2.PredictRequest) -> None:
    asked.output_filter.append("no")


@pytest.mark.parametrize(
    "spoil, code",
    [
        (unset_model, grpc.StatusCode.NOT_FOUND),
        (version_zero, grpc.StatusCode.NOT_FOUND),
        (unknown_signature, grpc.StatusCode.FAILED_PRECONDITION),
        (no_input, grpc.StatusCode.INVALID_ARGUMENT),
        (unknown_filter, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_grpc_codes(channel, spoil, code):
    asked = predict_request(b"")
    spoil(asked)
    with pytest.raises(grpc.RpcError) as failure:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(asked, timeout=HANG_SECONDS)
    assert failure.value.code() == code


def test_grpc_status_and_metadata(channel):
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "patterns"
    answer = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=HANG_SECONDS)
    [version] = answer.model_version_status
    assert (version.version, version.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)

    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "patterns"
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    stub.GetModelMetadata(asked, timeout=HANG_SECONDS).metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["image_bytes"].dtype == types_pb2.DT_STRING


def failed_start(*arguments: str) -> str:
    process = start(*arguments)
    output, errors = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, output) == (1, "")
    [line] = errors.splitlines()
    return line


def test_missing_model_folder_is_named(tmp_path):
    missing = tmp_path / "missing"
    assert f"{missing} of --model m does not exist" in failed_start("--model", f"m={missing}")


@pytest.mark.parametrize("option", ["--rest-port", "--grpc-port"])
def test_taken_port_is_named(option):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}, give another {option}" in failed_start("--model", f"m={PATTERNS}", option, str(port))


@pytest.fixture
def two_processes() -> Iterator[list[subprocess.Popen]]:
    processes = [start("--model", f"patterns={PATTERNS}") for _ in range(2)]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_signals_end_it_while_a_request_waits(two_processes):
    for number, process in zip((signal.SIGINT, signal.SIGTERM), two_processes, strict=True):
        server = when_ready(process)
        request(server, "POST", "/__fault", {"count": 1, "delay": 10 * HANG_SECONDS})
        with socket.create_connection(("127.0.0.1", server.rest)) as waiting:
            waiting.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            request(server, "GET", "/v1/models/patterns")
            os.kill(process.pid, number)
            assert process.wait(HANG_SECONDS) == 0
