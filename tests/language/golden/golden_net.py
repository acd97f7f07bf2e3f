"""The network of the golden files: its weights are written down, so that every version of torch makes the same plan."""

import torch
from torch import nn


class Net(nn.Module):
    """Two convolutions, the first normalised, a residual block and a head: `f32[B, 2, 4, 4] -> f32[B, 3]`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.inner = nn.Conv2d(6, 6, 1)
        self.head = nn.Linear(6, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Classify."""
        stem = torch.relu(self.norm(self.stem(image)))
        return self.head((stem + torch.relu(self.inner(stem))).mean((2, 3)))


def build() -> nn.Module:
    """Return the network with weights that count up."""
    net = Net()
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters(), 1):
            count = torch.arange(parameter.numel(), dtype=torch.float32)
            parameter.copy_(((count * (number + 2)) % 7 + 1).reshape(parameter.shape) / 8)
    return net


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    """Return twelve rows and their classes."""
    count = torch.arange(12 * 32, dtype=torch.float32).reshape(12, 2, 4, 4)
    return (count % 11) / 11, torch.arange(12) % 3
