"""A subject: a trained network with the rows that judge it and the rows that calibrate, as the curves need it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from torch import Tensor, nn

HOUSE = Path(__file__).resolve().parents[3]
sys.path[1:1] = [str(HOUSE / "examples"), str(HOUSE / "tests" / "benchmarks" / "zoo")]

import shim  # noqa: E402, F401  # lets torchvision import, which peers do by way of transformers


@frozen
class Subject:
    """One trained network."""

    name: str
    what: str
    """A phrase for the table: the network and what it is asked."""
    build: Callable[[], nn.Module]
    calibration: Callable[[], tuple[Tensor, ...]]
    """Inputs that no score is taken on."""
    scores: tuple[tuple[str, Callable[[nn.Module], float]], ...]
    """What is measured, by name; the first one is drawn."""
    declaration: str
    """The model and its data `calib` in the language."""
    weighty: str
    """The selector of what is made sparse: the layers that the peers know, embeddings not."""
    falling: bool = False
    """Whether less is better."""
    second_order: bool = True
    """Whether the Hessian of every layer fits into memory."""
    more: str = ""
    """What the page says besides, with the command that prints it."""
