"""The convolutional network of examples/fashion_cnn on all ten thousand held-out images."""

from __future__ import annotations

import torch
from safetensors.torch import load_file
from subject import HOUSE, Subject
from torch import Tensor, nn

import fashion_cnn  # isort: skip  # lies among the examples, which `subject` put on the path

CALIBRATION = 512


def build() -> nn.Module:
    """Return the trained network, in evaluation mode."""
    network = fashion_cnn.build()
    network.load_state_dict(load_file(HOUSE / "examples" / "fashion_cnn.safetensors"))
    return network.eval()


def calibration() -> tuple[Tensor, Tensor]:
    """Return images that were trained on, and their labels."""
    images, labels = fashion_cnn.train()
    return images[:CALIBRATION], labels[:CALIBRATION]


def accuracy(network: nn.Module) -> float:
    """Return the share of held-out images that are told rightly."""
    images, labels = fashion_cnn.test()
    with torch.no_grad():
        found = torch.cat([network(rows).argmax(1) for rows in images.split(500)])
    return float((found == labels).float().mean())


SUBJECT = Subject(
    name="fashion",
    what="Fashion-MNIST CNN, right of 10 000 held-out images",
    build=build,
    calibration=lambda: calibration()[:1],
    scores=(("accuracy", accuracy),),
    declaration="""
model net : (image: f32[B, 1, 28, 28]) -> (logits: f32[B, 10]) { source = python("fashion:build") }
data calib { source = python("fashion:calibration") }
""",
    weighty="@**",
)
