"""Trains the classifier of videotestsrc's patterns and exports it beside this file; takes some minutes of two cores.

  train.py [--epochs 18] [--output demo/models] [--frames FOLDER]

writes OUTPUT/patterns/1        image_bytes DT_STRING [-1] (JPEG) to classes int64 [-1], probabilities float [-1,19];
                                class 0 is background, so the label index is classes - 1
       OUTPUT/patterns_raw/1    input_1 float [-1,96,96,3] (RGB, 0..255) to predictions float [-1,18]
       OUTPUT/patterns/labels.json, OUTPUT/patterns/accuracy.json
"""
import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tensorflow as tf
from augmentation import augment, backgrounds
from frames import DEMO_SIZES, HELD_OUT_SIZES, PATTERNS, TRAINING_SIZES, demo_scene, label_of, render_set, varied_scene

SIDE = 96
CLASSES = len(PATTERNS) + 1
BACKGROUND = 0
BATCH = 32
SEED = 7


def decode(jpeg: tf.Tensor, antialias: bool = False) -> tf.Tensor:
    """JPEG bytes to float32 [96, 96, 3]. Plain bilinear by default: it is quick and keeps fine textures."""
    picture = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32)
    return tf.image.resize(picture, (SIDE, SIDE), antialias=antialias)


def load(files: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [n, 96, 96, 3] and classes int64 [n]. A third is antialiased, as a client's own scaler does it."""
    frames = np.empty((len(files), SIDE, SIDE, 3), np.uint8)
    for index, file in enumerate(files):
        scaled = decode(tf.io.read_file(str(file)), antialias=index % 3 == 0)
        frames[index] = tf.cast(tf.clip_by_value(tf.round(scaled), 0.0, 255.0), tf.uint8)
    return frames, np.array([label_of(file) + 1 for file in files], np.int64)


def build() -> keras.Model:
    """Depthwise separable convolutions, 24 k parameters: RGB 0..255 [n, 96, 96, 3] to logits [n, 19]."""
    layers = keras.layers

    def activated(x):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))

    def convolution(x, filters, kernel, stride=1):
        return activated(layers.Conv2D(filters, kernel, stride, "same", use_bias=False)(x))

    def separable(x, filters, stride):
        return convolution(activated(layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)), filters, 1)

    image = keras.Input((SIDE, SIDE, 3))
    x = convolution(layers.Rescaling(1 / 127.5, -1)(image), 16, 3, 2)
    for filters, stride in ((32, 2), (48, 1), (64, 2), (64, 1), (96, 2)):
        x = separable(x, filters, stride)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    return keras.Model(image, layers.Dense(CLASSES, name="logits")(layers.Dropout(0.2)(x)))


def train(frames: np.ndarray, classes: np.ndarray, epochs: int) -> keras.Model:
    none = backgrounds(len(frames) // 6, frames, seed=5)
    frames = np.concatenate([frames, none])
    classes = np.concatenate([classes, np.full(len(none), BACKGROUND)])
    data = tf.data.Dataset.from_tensor_slices((frames, classes)).shuffle(len(frames), seed=3)
    data = data.map(augment, num_parallel_calls=2, deterministic=True).batch(BATCH).prefetch(2)
    model = build()
    steps = -(-len(frames) // BATCH) * epochs
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(data, epochs=epochs, verbose=2)
    return model


class ImageSignature(tf.Module):
    """JPEG bytes in, as the official ResNet takes them."""

    def __init__(self, network: keras.Model):
        self.kept = list(network.variables)  # not the Keras object itself: it would triple the file
        self.network = network.call

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def serve(self, image_bytes):
        frames = tf.map_fn(decode, image_bytes, fn_output_signature=tf.TensorSpec((SIDE, SIDE, 3), tf.float32))
        probabilities = tf.nn.softmax(self.network(frames, training=False))
        return {"classes": tf.argmax(probabilities, 1), "probabilities": probabilities}


class TensorSignature(tf.Module):
    """Pixels in, one output without a background class, as Keras models have it."""

    def __init__(self, network: keras.Model):
        self.kept = list(network.variables)
        self.network = network.call

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32, name="input_1")])
    def serve(self, input_1):
        return {"predictions": tf.nn.softmax(self.network(input_1, training=False)[:, BACKGROUND + 1 :])}


def export(model: keras.Model, output: Path) -> None:
    network = build()  # without the optimizer's slots
    network.set_weights(model.get_weights())
    for name, module in (("patterns", ImageSignature(network)), ("patterns_raw", TensorSignature(network))):
        folder = output / name / "1"
        shutil.rmtree(folder, ignore_errors=True)
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    labels = {str(index): name for index, name in enumerate(PATTERNS)}
    (output / "patterns" / "labels.json").write_text(json.dumps(labels, indent=2) + "\n")


def noised(jpeg: bytes, rng: np.random.Generator) -> bytes:
    """The same frame with noise of sigma 8, encoded again at quality 50."""
    picture = tf.io.decode_jpeg(jpeg, channels=3).numpy()
    picture = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
    return tf.io.encode_jpeg(picture, quality=50).numpy()


def evaluate(title: str, model: Path, files: list[Path], change=lambda jpeg: jpeg) -> dict:
    """Share of right answers of the exported model; prints each wrong one."""
    predict = tf.saved_model.load(str(model)).signatures["serving_default"]
    right, least = 0, 1.0
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        answer = predict(image_bytes=tf.constant([change(file.read_bytes()) for file in batch]))
        confidences = answer["probabilities"].numpy().max(axis=1)
        for file, found, confidence in zip(batch, answer["classes"].numpy(), confidences, strict=True):
            if found == label_of(file) + 1:
                right += 1
                least = min(least, float(confidence))
            else:
                name = "background" if found == BACKGROUND else PATTERNS[found - 1]
                shown = PATTERNS[label_of(file)]
                print(f"  {title}: {file.name} ({shown}) taken for {name}, {confidence:.2f}")
    print(f"{title}: {right} of {len(files)} right; least confident right answer {least:.2f}", flush=True)
    accuracy = round(right / len(files), 4)
    return {"frames": len(files), "right": right, "accuracy": accuracy, "least_confidence": round(least, 3)}


def evaluate_all(model: Path, held_out: list[Path], demo: list[Path]) -> dict:
    rng = np.random.default_rng(1)
    return {
        "held out (other sizes and scenes)": evaluate("held out", model, held_out),
        "held out, noise added, JPEG quality 50": evaluate("noised", model, held_out, lambda jpeg: noised(jpeg, rng)),
        "as in the demo (640x480, 1280x720, H.264 2 Mbit/s, JPEG quality 85)": evaluate("demo", model, demo),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--epochs", type=int, default=18)
    arguments.add_argument("--output", type=Path, default=Path(__file__).parents[1])
    arguments.add_argument("--frames", type=Path, help="an empty folder to keep the rendered frames in")
    options = arguments.parse_args()

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.frames or Path(temporary)
        training = render_set(folder / "training", TRAINING_SIZES, 5, 3, 4, varied_scene, seed=1)
        # A ball is small and may be anywhere: it takes more frames to learn than the others.
        ball = [PATTERNS.index("ball")]
        training += render_set(folder / "ball", TRAINING_SIZES, 8, 4, 8, varied_scene, seed=4, labels=ball)
        held_out = render_set(folder / "held-out", HELD_OUT_SIZES, 2, 3, 4, varied_scene, seed=2)
        demo = render_set(folder / "demo", DEMO_SIZES, 4, 8, 8, demo_scene, seed=3)
        print(f"{len(training)} training, {len(held_out)} held-out, {len(demo)} demo frames", flush=True)
        export(train(*load(training), options.epochs), options.output)
        results = evaluate_all(options.output / "patterns" / "1", held_out, demo)
    (options.output / "patterns" / "accuracy.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
