"""REST routes, as TensorFlow Serving's model_servers/http_rest_api_util.cc matches and answers them."""
import asyncio
import json
import re
import urllib.parse
from concurrent.futures import Executor
from typing import Any

from aiohttp import web
from google.protobuf import json_format

from . import faults, metadata
from .errors import ServingError, invalid
from .json_tensors import inputs_of, parse_request, response_of
from .models import DEFAULT_SIGNATURE, ModelVersion, Registry

VERSION_OR_LABEL = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
METHOD = r":(?P<method>classify|regress|predict)"
POST_PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)" + VERSION_OR_LABEL + METHOD, re.I)
GET_PATH = re.compile(r"/v1/models(?:/(?P<name>[^/:]+))?" + VERSION_OR_LABEL + "(?P<metadata>/metadata)?", re.I)

TIMEOUT_SECONDS = 30
KEEPALIVE_SECONDS = 50
LARGEST_REQUEST = 1 << 28
NOT_FOUND_PAGE = "<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"


def predict(version: ModelVersion, body: bytes) -> dict[str, Any]:
    """Answers a request's body. Blocks while the model runs. Raises ServingError."""
    document = parse_request(body)
    signature = document.get("signature_name") or DEFAULT_SIGNATURE
    if not isinstance(signature, str) or not version.has(signature):
        raise invalid(f'Serving signature name: "{signature}" not found in signature def')
    inputs, row = inputs_of(document, version.input_specs(signature))
    return response_of(version.run(signature, inputs), row)


def json_response(status: int, document: dict[str, Any]) -> web.Response:
    """Pretty-printed, as the real server's answers are."""
    return web.Response(
        status=status, body=json.dumps(document, indent=4).encode(), content_type="application/json"
    )


class RestApi:
    def __init__(self, registry: Registry, executor: Executor):
        self._registry = registry
        self._executor = executor
        self._faults = faults.Faults()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.raw_path  # a query string belongs to the path that must match
        try:
            if path == faults.PATH and request.method == "POST":
                return await self._faults.set(request)
            if not path.lower().startswith("/v1/"):
                return web.Response(status=404, text=NOT_FOUND_PAGE, content_type="text/html")
            if request.method == "POST" and (match := POST_PATH.fullmatch(path)):
                return await self._post(request, match)
            if request.method == "GET" and (match := GET_PATH.fullmatch(path)):
                return json_response(200, self._get(match))
            raise invalid(f"Malformed request: {request.method} {path}")
        except ServingError as error:
            return json_response(error.http_status, {"error": error.text})

    async def _post(self, request: web.Request, match: re.Match) -> web.Response:
        body = await request.read()
        if (answer := await self._faults.apply(request)) is not None:
            return answer
        if match["method"].lower() != "predict":
            raise ServingError("UNIMPLEMENTED", f"{match['method']} is not served here, only predict")
        version = self._find(match)
        running = asyncio.get_running_loop().run_in_executor(self._executor, predict, version, body)
        try:
            return json_response(200, await asyncio.wait_for(running, TIMEOUT_SECONDS))
        except TimeoutError as error:
            raise ServingError("DEADLINE_EXCEEDED", "Timed out waiting for notification") from error

    def _get(self, match: re.Match) -> dict[str, Any]:
        if not match["name"]:
            raise invalid("Missing model name in request.")
        if match["metadata"]:
            return metadata_document(self._find(match))
        # The label is ignored here, as the real server does.
        name, version = urllib.parse.unquote(match["name"]), match["version"]
        status = metadata.model_status(self._registry, name, int(version) if version else None)
        return as_json(status)

    def _find(self, match: re.Match) -> ModelVersion:
        version, label = match["version"], match["label"]
        return self._registry.find(
            urllib.parse.unquote(match["name"]),
            int(version) if version else None,
            urllib.parse.unquote(label) if label else None,
        )


def metadata_document(version: ModelVersion) -> dict[str, Any]:
    return {
        "model_spec": {"name": version.name, "signature_name": "", "version": str(version.number)},
        "metadata": {"signature_def": as_json(metadata.signature_def_map(version))},
    }


def as_json(message) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
