"""The failures that a client is told of, with TensorFlow Serving's codes."""

# Index: the number of the code, as in TensorFlow and gRPC. Value: its name and the HTTP status that REST answers.
CODES = (
    ("OK", 200),
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", 501),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
)
HTTP_STATUS = dict(CODES)


class ServingError(Exception):
    """`code` is a name of CODES, `text` what the client reads."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.code]


def invalid(text: str) -> ServingError:
    return ServingError("INVALID_ARGUMENT", text)
