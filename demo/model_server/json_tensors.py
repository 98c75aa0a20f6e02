"""Between JSON values and tensors, in the row and column forms of TensorFlow Serving's util/json_tensor.cc."""
import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from .errors import ServingError, invalid

Json = Any
Specs = Mapping[str, tf.TensorSpec]

WITHOUT_JSON_FORM = (tf.half, tf.bfloat16, tf.uint16)


def quoted(value: Json) -> str:
    """A value as it stands in an error text; a picture isn't repeated whole."""
    return json.dumps(value)[:200]


def is_binary(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"}


def is_named(value: Json) -> bool:
    """An object of inputs by name, in contrast to a bare value."""
    return isinstance(value, dict) and not is_binary(value)


def parse_request(body: bytes) -> dict[str, Json]:
    """`NaN` and `Infinity` are taken as bare tokens. Raises ServingError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error if body else 'The document is empty'}") from error
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {quoted(document)} Is not object")
    return document


def inputs_of(document: dict[str, Json], specs: Specs) -> tuple[dict[str, np.ndarray], bool]:
    """The input tensors by name, and whether the request has the row form. Raises ServingError."""
    row = "instances" in document
    if row and "inputs" in document:
        raise invalid(
            "JSON Value: Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
        )
    if row:
        columns = columns_of_rows(document["instances"], specs)
    elif "inputs" in document:
        columns = named_columns(document["inputs"], specs)
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    return {name: tensor(value, specs[name].dtype) for name, value in columns.items()}, row


def columns_of_rows(instances: Json, specs: Specs) -> dict[str, Json]:
    if not isinstance(instances, list):
        raise invalid("JSON Value: Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("JSON Value: No values in 'instances' array")
    if not isinstance(instances[0], dict) and len(specs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required "
            "as per tensorinfo_map"
        )
    if not is_named(instances[0]):
        for index, element in enumerate(instances):
            if is_named(element):
                raise invalid(f"Expecting value/list but got object at item {index} of input list")
        return {next(iter(specs)): instances}
    for index, element in enumerate(instances):
        if not is_named(element):
            raise invalid(f"Expecting object but got list at item {index} of input list")
        if element.keys() != specs.keys():
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: {quoted(element)} "
                f"keys must be equal to: {','.join(sorted(specs))}"
            )
    return {name: [element[name] for element in instances] for name in specs}


def named_columns(inputs: Json, specs: Specs) -> dict[str, Json]:
    if not is_named(inputs):
        if len(specs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required "
                "as per tensorinfo_map"
            )
        return {next(iter(specs)): inputs}
    for name in specs:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: inputs[name] for name in specs}


def tensor(value: Json, dtype: tf.DType) -> np.ndarray:
    """A nested list as an array of the type. Raises ServingError."""
    if dtype in WITHOUT_JSON_FORM:
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {quoted(value)} to type: {dtype.name}")
    leaves = typed(value, dtype)
    try:
        if dtype == tf.string:
            return string_array(leaves)
        return np.array(leaves, dtype.as_numpy_dtype)
    except (ValueError, OverflowError) as error:
        raise invalid("Encountered list at unexpected size") from error


def string_array(leaves: Json) -> np.ndarray:
    """An array of bytes objects (NumPy's own conversion would cut trailing zero bytes). Raises ValueError if ragged."""
    shape, level = [], leaves
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    array = np.empty(shape, object)
    array[...] = leaves
    if any(isinstance(leaf, list) for leaf in array.flat):
        raise ValueError("ragged")
    return array


def typed(value: Json, dtype: tf.DType) -> Json:
    """Each leaf of nested lists checked against the type, binary ones decoded."""
    if isinstance(value, list):
        return [typed(element, dtype) for element in value]
    if isinstance(value, dict):
        if dtype != tf.string or not is_binary(value) or not isinstance(value["b64"], str):
            raise mismatch(value, "Object", dtype)
        return decode_base64(value["b64"])
    if dtype == tf.string:
        if not isinstance(value, str):
            raise mismatch(value, type_name(value), dtype)
        return value.encode("utf-8", "surrogatepass")
    if not fits(value, dtype):
        raise mismatch(value, type_name(value), dtype)
    return value


def fits(value: Json, dtype: tf.DType) -> bool:
    if dtype == tf.bool:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (dtype.is_floating and isinstance(value, float))


def type_name(value: Json) -> str:
    if isinstance(value, bool):
        return "Bool"
    return {str: "String", int: "Number", float: "Number", type(None): "Null"}[type(value)]


def mismatch(value: Json, name: str, dtype: tf.DType) -> ServingError:
    return invalid(f"JSON Value: {quoted(value)} Type: {name} is not of expected type: {dtype.name}")


def decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise invalid("JSON Value: Unable to base64 decode") from error


def response_of(outputs: dict[str, np.ndarray], row_form: bool) -> dict[str, Json]:
    """The answer in the request's form; a sole output is unwrapped to its bare value. Raises ServingError."""
    values = {name: json_of(name, value) for name, value in outputs.items()}
    sole = next(iter(values.values())) if len(values) == 1 else None
    if not row_form:
        return {"outputs": values if sole is None else sole}
    if len({value.shape[:1] for value in outputs.values()}) != 1 or next(iter(outputs.values())).ndim == 0:
        raise invalid("Tensors in the response have no common batch dimension: use the column form 'inputs'.")
    if sole is not None:
        return {"predictions": sole}
    rows = zip(*values.values(), strict=True)
    return {"predictions": [dict(zip(values, row, strict=True)) for row in rows]}


def json_of(name: str, value: np.ndarray) -> Json:
    """Nested lists. A string output whose name ends in _bytes is given as base64."""
    if value.dtype == object:
        return strings_of(value.tolist(), binary=name.endswith("_bytes"))
    if value.dtype == np.float32:
        # Through text: 0.1 and not 0.10000000149011612, the shortest decimal that reads back as the same float.
        return value.astype(str).astype(np.float64).tolist()
    return value.tolist()


def strings_of(value: list | bytes, binary: bool) -> Json:
    if isinstance(value, list):
        return [strings_of(element, binary) for element in value]
    if binary:
        return {"b64": base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")
