"""Failures on demand: how a test sees what a client does when the server is slow, refuses or answers nonsense."""
import asyncio
from typing import Any

from aiohttp import web

from .errors import HTTP_STATUS, ServingError, invalid

PATH = "/__fault"


class Faults:
    """What the next POST requests below /v1/ meet, as set by POST /__fault with a JSON object of

    count   how many requests (default 0: none)
    delay   seconds to wait first; the request is then answered as usual unless one of these is given:
    close   true: the connection is cut off without an answer
    body    the answer's text, with `status` (default 200) and `type` (default application/json)
    code    the name of a code, as "UNAVAILABLE": answered as a failure with `text`
    """

    def __init__(self):
        self._fault: dict[str, Any] = {}

    async def set(self, request: web.Request) -> web.Response:
        """Raises ServingError for what is no fault."""
        try:
            fault = await request.json()
        except ValueError as error:
            raise invalid(f"The fault is not JSON: {error}") from error
        if not isinstance(fault, dict) or fault.get("code", "UNKNOWN") not in HTTP_STATUS:
            raise invalid("The fault must be an object; its code one of " + ", ".join(HTTP_STATUS))
        self._fault = fault
        return web.json_response(fault)

    async def apply(self, request: web.Request) -> web.Response | None:
        """The answer to give instead of the usual one. Raises ServingError for an injected failure."""
        if self._fault.get("count", 0) <= 0:
            return None
        self._fault["count"] -= 1
        fault = dict(self._fault)
        await asyncio.sleep(fault.get("delay", 0))
        if fault.get("close"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if "body" in fault:
            return web.Response(
                status=fault.get("status", 200),
                text=fault["body"],
                content_type=fault.get("type", "application/json"),
            )
        if "code" in fault:
            raise ServingError(fault["code"], fault.get("text", "injected"))
        return None
