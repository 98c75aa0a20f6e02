"""The models that are served: finding a version, and running one of its signatures. Nothing here knows a protocol."""
import contextlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from .errors import CODES, ServingError, invalid

DEFAULT_SIGNATURE = "serving_default"

Tensors = dict[str, np.ndarray]


class ModelVersion:
    """A SavedModel in memory. Its methods may be called from several threads at once."""

    def __init__(self, name: str, number: int, folder: Path):
        self.name = name
        self.number = number
        self._model = tf.saved_model.load(str(folder))  # keeps the variables alive
        self._functions = dict(self._model.signatures)
        saved_model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        self.signature_defs = dict(saved_model.meta_graphs[0].signature_def)
        for function in self._functions.values():
            warm_up(function)

    def has(self, signature: str) -> bool:
        return signature in self._functions

    def input_specs(self, signature: str) -> Mapping[str, tf.TensorSpec]:
        return self._functions[signature].structured_input_signature[1]

    def run(self, signature: str, inputs: Tensors, output_filter: Collection[str] = ()) -> Tensors:
        """Raises ServingError when the inputs don't fit the signature or the graph fails on them."""
        outputs = self.signature_defs[signature].outputs
        for name in output_filter:
            if name not in outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {name} "
                    f"Outputs expected to be in the set {{{','.join(sorted(outputs))}}}."
                )
        specs = self.input_specs(signature)
        check_names(inputs, specs)
        for name, value in inputs.items():
            check_tensor(name, value, specs[name])
        feeds = {name: tf.constant(value, dtype=specs[name].dtype) for name, value in inputs.items()}
        try:
            results = self._functions[signature](**feeds)
        except tf.errors.OpError as error:
            raise ServingError(CODES[error.error_code][0], error.message) from error
        return {name: value.numpy() for name, value in results.items() if not output_filter or name in output_filter}


def warm_up(function) -> None:
    """Runs a signature once, so that no client waits for what TensorFlow does on a first call."""
    jpeg = tf.io.encode_jpeg(tf.zeros((64, 64, 3), tf.uint8))
    feeds = {}
    for name, spec in function.structured_input_signature[1].items():
        shape = [size or 1 for size in spec.shape] if spec.shape.rank is not None else [1]
        feeds[name] = tf.fill(shape, jpeg) if spec.dtype == tf.string else tf.zeros(shape, spec.dtype)
    with contextlib.suppress(tf.errors.OpError):  # not a model of JPEG pictures: its first client waits
        function(**feeds)


def check_names(inputs: Tensors, specs: Mapping[str, tf.TensorSpec]) -> None:
    sent, required = sorted(inputs), sorted(specs)
    if sent == required:
        return
    extra, missing = sorted(set(sent) - set(required)), sorted(set(required) - set(sent))
    raise invalid(
        f"input size does not match signature: {len(sent)}!={len(required)} "
        f"len({{{','.join(sent)}}}) != len({{{','.join(required)}}}). "
        f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
    )


def check_tensor(name: str, value: np.ndarray, spec: tf.TensorSpec) -> None:
    sent = tf.string if value.dtype == object else tf.as_dtype(value.dtype)
    if sent != spec.dtype:
        raise invalid(f"input must be {spec.dtype.name}, was {sent.name}")
    if not spec.shape.is_compatible_with(value.shape):
        raise invalid(f"input {name} must have the shape {spec.shape}, was {list(value.shape)}")


class Registry:
    """All models by name and version, and the labels that stand for versions."""

    def __init__(self):
        self._models: dict[str, dict[int, ModelVersion]] = {}
        self._labels: dict[tuple[str, str], int] = {}

    def load(self, name: str, folder: Path) -> None:
        """Loads each version of a folder that `version_folders` accepts."""
        self._models[name] = {
            number: ModelVersion(name, number, version_folder)
            for number, version_folder in version_folders(folder).items()
        }

    def set_label(self, name: str, label: str, version: int) -> None:
        self._labels[name, label] = version

    def find(self, name: str, version: int | None = None, label: str | None = None) -> ModelVersion:
        """The newest version when neither is given. Raises ServingError."""
        if label is not None:
            version = self._labels.get((name, label))
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        versions = self._models.get(name, {})
        wanted = max(versions, default=None) if version is None else version
        if wanted not in versions:
            request = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise ServingError("NOT_FOUND", f"Servable not found for request: {request}")
        return versions[wanted]

    def available(self, name: str, version: int | None = None) -> list[int]:
        """The numbers of the versions that are served, or the one asked for. Raises ServingError."""
        versions = self._models.get(name, {})
        if version is not None and version not in versions:
            raise ServingError("NOT_FOUND", f"Could not find version {version} of model {name}")
        if not versions:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
        return sorted(versions) if version is None else [version]


def version_folders(folder: Path) -> dict[int, Path]:
    """The SavedModels below a model's folder, by version: OUTPUT/1, OUTPUT/2, ..."""
    return {
        int(entry.name): entry
        for entry in sorted(folder.iterdir())
        if entry.name.isdecimal() and (entry / "saved_model.pb").is_file()
    }
