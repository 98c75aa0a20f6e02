"""What the server says of its models, as TensorFlow Serving's messages; REST gives them as JSON."""
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from .models import ModelVersion, Registry


def model_status(
    registry: Registry, name: str, version: int | None = None
) -> get_model_status_pb2.GetModelStatusResponse:
    """Of all versions, or the one given. Raises ServingError."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for number in registry.available(name, version):
        status = response.model_version_status.add(
            version=number, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE
        )
        status.status.SetInParent()
    return response


def signature_def_map(version: ModelVersion) -> get_model_metadata_pb2.SignatureDefMap:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in version.signature_defs.items():
        signatures.signature_def[name].CopyFrom(definition)
    return signatures
