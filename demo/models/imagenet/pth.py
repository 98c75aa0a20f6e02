"""Reads tensors from a file that torch.save() wrote before version 1.6, without torch."""
import collections
import pickle
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class View(NamedTuple):
    """A tensor as the file describes it: a strided view of a storage that comes later in the file."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements


class TensorUnpickler(pickle.Unpickler):
    """Lets a file name nothing but what a dictionary of tensors consists of: a pickle may otherwise run any code."""

    def __init__(self, file, storage_types: dict[str, np.dtype]):
        super().__init__(file)
        self.storage_types = storage_types

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: View(storage, offset, shape, strides)
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"the file names {module}.{name}, which is no part of a tensor")

    def persistent_load(self, identity):
        _, storage_type, key, *_ = identity
        self.storage_types[key] = storage_type
        return key


def load_tensors(path: Path) -> dict[str, np.ndarray]:
    """All tensors by name, contiguous. Raises pickle.UnpicklingError for a file that holds anything else."""
    storage_types: dict[str, np.dtype] = {}
    storages = {}
    with open(path, "rb") as file:
        for _ in ("magic number", "protocol version", "system"):
            TensorUnpickler(file, storage_types).load()
        views = TensorUnpickler(file, storage_types).load()
        for key in TensorUnpickler(file, storage_types).load():
            (count,) = struct.unpack("<q", file.read(8))
            dtype = storage_types[key]
            storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {name: contiguous(storages[view.storage], view) for name, view in views.items()}


def contiguous(storage: np.ndarray, view: View) -> np.ndarray:
    """Weights that came from TensorFlow keep its memory order, so the strides matter."""
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if min(view.offset, *view.strides, 0) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides).copy()
