"""tensorflow.serving.PredictionService and ModelService over gRPC, with the official stubs."""
import asyncio
from concurrent.futures import Executor

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from . import metadata
from .errors import ServingError, invalid
from .models import DEFAULT_SIGNATURE, ModelVersion, Registry

TYPED_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "uint64": "uint64_val",
    "uint32": "uint32_val",
    "bool": "bool_val",
    "int32": "int_val",
    "int16": "int_val",
    "int8": "int_val",
    "uint16": "int_val",
    "uint8": "int_val",
}


def tensor_message(value: np.ndarray, as_content: bool) -> tensor_pb2.TensorProto:
    """Values in the typed fields, the real server's default, or as bytes in tensor_content."""
    message = tf.make_tensor_proto(value)
    field = TYPED_FIELDS.get(value.dtype.name)
    if message.tensor_content and not as_content and field:
        message.ClearField("tensor_content")
        getattr(message, field).extend(value.ravel().tolist())
    return message


def arrays(request: predict_pb2.PredictRequest) -> dict[str, np.ndarray]:
    values = {}
    for name, message in request.inputs.items():
        try:
            values[name] = tf.make_ndarray(message)
        except (TypeError, ValueError) as error:
            raise invalid(f"tensor parsing error: {name}") from error
    return values


def version_of(spec: model_pb2.ModelSpec) -> int | None:
    """None when unset, which means the newest; a version 0 that is set is a version like others."""
    return spec.version.value if spec.WhichOneof("version_choice") == "version" else None


def find(registry: Registry, spec: model_pb2.ModelSpec) -> ModelVersion:
    return registry.find(spec.name, version_of(spec), spec.version_label or None)


async def in_executor(executor: Executor, context: grpc.aio.ServicerContext, function, request):
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, function, request)
    except ServingError as error:
        await context.abort(grpc.StatusCode[error.code], error.text)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The methods that are not here answer UNIMPLEMENTED."""

    def __init__(self, registry: Registry, executor: Executor, tensor_content: bool):
        self._registry = registry
        self._executor = executor
        self._tensor_content = tensor_content

    async def Predict(self, request, context):
        return await in_executor(self._executor, context, self._predict, request)

    async def GetModelMetadata(self, request, context):
        return await in_executor(self._executor, context, self._metadata, request)

    def _predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        version = find(self._registry, request.model_spec)
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if not version.has(signature):
            raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{signature}" not found.')
        response = predict_pb2.PredictResponse()
        response.model_spec.name = version.name
        response.model_spec.version.value = version.number
        response.model_spec.signature_name = signature
        for name, value in version.run(signature, arrays(request), request.output_filter).items():
            response.outputs[name].CopyFrom(tensor_message(value, self._tensor_content))
        return response

    def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if list(request.metadata_field) != ["signature_def"]:
            raise invalid(f"Metadata field {', '.join(request.metadata_field)} is not supported")
        version = find(self._registry, request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = version.name
        response.model_spec.version.value = version.number
        response.metadata["signature_def"].Pack(metadata.signature_def_map(version))
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """The methods that are not here answer UNIMPLEMENTED."""

    def __init__(self, registry: Registry, executor: Executor):
        self._registry = registry
        self._executor = executor

    async def GetModelStatus(self, request, context):
        return await in_executor(self._executor, context, self._status, request)

    def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return metadata.model_status(self._registry, request.model_spec.name, version_of(request.model_spec))


def create_server(registry: Registry, executor: Executor, tensor_content: bool) -> grpc.aio.Server:
    """Not yet bound to a port nor started."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # two servers on one port would share the requests, unnoticed
        ]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(registry, executor, tensor_content), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(registry, executor), server)
    return server
