"""EfficientNet-Lite0 in TensorFlow, from weights in PyTorch's names and layout.

Structure after https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

SIDE = 224
CENTRE = 0.875  # share of the shorter side that the square crop keeps
BATCH_NORM_EPSILON = 1e-3

Weights = Mapping[str, np.ndarray]


class Stage(NamedTuple):
    repeats: int
    stride: int  # of the first block
    expands: bool


STAGES = (
    Stage(1, 1, False),
    Stage(2, 2, True),
    Stage(2, 2, True),
    Stage(3, 2, True),
    Stage(3, 1, True),
    Stage(4, 2, True),
    Stage(1, 1, True),
)


class Convolution:
    """A convolution with its batch normalisation folded in."""

    def __init__(self, weights: Weights, convolution: str, norm: str, stride: int = 1, depthwise: bool = False):
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
        kernel = weights[f"{convolution}.weight"] * scale[:, None, None, None]
        # PyTorch [out, in, h, w]; TensorFlow [h, w, in, out], and [h, w, channel, 1] for depthwise.
        self.kernel = tf.constant(kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        self.bias = tf.constant(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
        self.stride = stride
        self.depthwise = depthwise

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        if self.depthwise:
            x = tf.nn.depthwise_conv2d(x, self.kernel, [1, self.stride, self.stride, 1], "SAME")
        else:
            x = tf.nn.conv2d(x, self.kernel, self.stride, "SAME")
        return tf.nn.bias_add(x, self.bias)


class Block:
    """Inverted residual: widen with 1x1, convolve each channel, narrow with 1x1.

    The first block of a stage changes the number of channels, so it cannot add its input.
    """

    def __init__(self, weights: Weights, prefix: str, stride: int, expands: bool, residual: bool):
        self.expand = Convolution(weights, f"{prefix}._expand_conv", f"{prefix}._bn0") if expands else None
        self.depthwise = Convolution(weights, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride, depthwise=True)
        self.project = Convolution(weights, f"{prefix}._project_conv", f"{prefix}._bn2")
        self.residual = residual

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        y = tf.nn.relu6(self.expand(x)) if self.expand else x
        y = self.project(tf.nn.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class Network:
    """RGB float 0..255 [n, 224, 224, 3] to logits [n, 1000]."""

    def __init__(self, weights: Weights):
        self.stem = Convolution(weights, "_conv_stem", "_bn0", 2)
        self.blocks = []
        for stage in STAGES:
            for repeat in range(stage.repeats):
                prefix = f"_blocks.{len(self.blocks)}"
                stride = stage.stride if repeat == 0 else 1
                self.blocks.append(Block(weights, prefix, stride, stage.expands, residual=repeat > 0))
        self.head = Convolution(weights, "_conv_head", "_bn1")
        self.classifier = tf.constant(weights["_fc.weight"].T.copy()), tf.constant(weights["_fc.bias"])

    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        x = tf.nn.relu6(self.stem((image - 127.0) / 128.0))
        for block in self.blocks:
            x = block(x)
        features = tf.reduce_mean(tf.nn.relu6(self.head(x)), [1, 2])
        kernel, bias = self.classifier
        return tf.matmul(features, kernel) + bias


def decode(jpeg: tf.Tensor) -> tf.Tensor:
    """JPEG bytes to the central square, float32 [224, 224, 3] in 0..255."""
    picture = tf.io.decode_jpeg(jpeg, channels=3)
    height, width = tf.shape(picture)[0], tf.shape(picture)[1]
    side = tf.cast(tf.cast(tf.minimum(height, width), tf.float32) * CENTRE, tf.int32)
    square = tf.image.crop_to_bounding_box(picture, (height - side) // 2, (width - side) // 2, side, side)
    scaled = tf.image.resize(tf.cast(square, tf.float32), (SIDE, SIDE), "bilinear", antialias=True)
    return tf.clip_by_value(scaled, 0.0, 255.0)


class ImageClassifier(tf.Module):
    """The signature of TensorFlow's official ResNet: 1001 classes, of which 0 is background and never the answer."""

    def __init__(self, weights: Weights):
        super().__init__()
        self.network = Network(weights)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def serve(self, image_bytes):
        pictures = tf.map_fn(decode, image_bytes, fn_output_signature=tf.TensorSpec((SIDE, SIDE, 3), tf.float32))
        probabilities = tf.nn.softmax(self.network(pictures))
        return {"classes": tf.argmax(probabilities, 1) + 1, "probabilities": tf.pad(probabilities, [[0, 0], [1, 0]])}
