"""A multilayer perceptron for the 8x8 digits of scikit-learn: the smallest example, a second to train.

The data is read from the file inside the scikit-learn package, so that neither training nor compressing imports it.
"""

import gzip
import importlib.util
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

INKS = 16  # a pixel counts the inked dots of a 4x4 square
WIDTHS = (128, 128)
HELD_OUT = 5  # every fifth row of each class is held out


def build() -> nn.Module:
    """Return the network `f32[B, 64] -> f32[B, 10]`, in evaluation mode and with fresh weights."""
    first, second = WIDTHS
    layers = OrderedDict[str, nn.Module](
        fc1=nn.Linear(64, first),
        relu1=nn.ReLU(),
        drop1=nn.Dropout(0.2),
        fc2=nn.Linear(first, second),
        relu2=nn.ReLU(),
        drop2=nn.Dropout(0.2),
        head=nn.Linear(second, 10),
    )
    return nn.Sequential(layers).eval()


def train() -> tuple[Tensor, Tensor]:
    """Return four fifths of the rows, `f32[rows, 64]`, and their labels `i64[rows]`."""
    pixels, labels, held_out = rows()
    return pixels[~held_out], labels[~held_out]


def test() -> tuple[Tensor, Tensor]:
    """Return the fifth of the rows that the weights never saw, and their labels."""
    pixels, labels, held_out = rows()
    return pixels[held_out], labels[held_out]


def rows() -> tuple[Tensor, Tensor, Tensor]:
    """Return all 1797 rows scaled to -1..1, their labels, and which rows are held out."""
    with gzip.open(data_file(), "rt", encoding="ascii") as lines:
        table = torch.from_numpy(np.loadtxt(lines, dtype=np.int64, delimiter=","))
    dots, labels = table[:, :-1], table[:, -1]
    rank = (nn.functional.one_hot(labels).cumsum(0) - 1).gather(1, labels[:, None]).squeeze(1)
    return dots.float() / (INKS / 2) - 1, labels, rank % HELD_OUT == HELD_OUT - 1


def data_file() -> Path:
    """Return the file that the scikit-learn package carries."""
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        message = "the digits are not installed: run `make setup`, or `pip install scikit-learn`"
        raise FileNotFoundError(message)
    return Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
