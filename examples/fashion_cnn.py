"""A convolutional network for the whole of Fashion-MNIST: 60 000 rows to train on, 10 000 held out.

The four files come from Debian's package dataset-fashion-mnist; README.md says how to get them with and without root.
"""

import gzip
import os
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn

MEAN, DEVIATION = 0.2860, 0.3530  # of the training images
WIDTHS = (16, 32, 32, 64, 64)
IMAGES_HEADER, LABELS_HEADER = 16, 8  # bytes before the data in an idx file of three and of one dimension
DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"
MISSING = """\
Fashion-MNIST is not here: {path}
  with root:     apt-get install dataset-fashion-mnist
  without root:  apt-get download dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb build/fashion
                 export FASHION_MNIST=build/fashion{folder}"""


def build() -> nn.Module:
    """Return the network `f32[B, 1, 28, 28] -> f32[B, 10]`, in evaluation mode and with fresh weights."""
    c1, c2, c3, c4, c5 = WIDTHS
    layers = OrderedDict[str, nn.Module](
        block1=block(1, c1),
        block2=block(c1, c2, stride=2),
        block3=block(c2, c3),
        block4=block(c3, c4, stride=2),
        block5=block(c4, c5),
        pool=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        head=nn.Linear(c5, 10),
    )
    return nn.Sequential(layers).eval()


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """Return a 3x3 convolution, its batch norm (which carries the bias), and a ReLU."""
    layers = OrderedDict[str, nn.Module](
        conv=nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        norm=nn.BatchNorm2d(outputs),
        relu=nn.ReLU(),
    )
    return nn.Sequential(layers)


def train() -> tuple[Tensor, Tensor]:
    """Return 60 000 normalised images `f32[60000, 1, 28, 28]` and their labels `i64[60000]`."""
    return rows("train")


def test() -> tuple[Tensor, Tensor]:
    """Return 10 000 images that the weights never saw, and their labels."""
    return rows("t10k")


def rows(part: str) -> tuple[Tensor, Tensor]:
    """Return the images and labels of one part of the data set, `train` or `t10k`."""
    pixels = read(f"{part}-images-idx3-ubyte.gz", IMAGES_HEADER).reshape(-1, 1, 28, 28)
    labels = read(f"{part}-labels-idx1-ubyte.gz", LABELS_HEADER)
    return (pixels.float() / 255 - MEAN) / DEVIATION, labels.long()


def read(name: str, header: int) -> Tensor:
    """Return the bytes of a file after its header."""
    content = bytearray(gzip.decompress(find(name).read_bytes()))
    return torch.frombuffer(content, dtype=torch.uint8, offset=header)


def find(name: str) -> Path:
    """Return the path of a file of the data set, in the folder FASHION_MNIST or in Debian's."""
    path = Path(os.environ.get("FASHION_MNIST", DEBIAN_FOLDER)) / name
    if not path.is_file():
        raise FileNotFoundError(MISSING.format(path=path, folder=DEBIAN_FOLDER))
    return path


def main() -> None:
    """Exit with the way to the data if it is not here: `make example-fashion` asks first."""
    try:
        for part in ("train", "t10k"):
            find(f"{part}-images-idx3-ubyte.gz")
            find(f"{part}-labels-idx1-ubyte.gz")
    except FileNotFoundError as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
