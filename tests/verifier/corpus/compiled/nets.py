"""Small networks whose weights are fractions of sixteen, so that no generator and no library has a part in them."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional


def filled(module: nn.Module) -> nn.Module:
    """The module in its final form, each weight from its place and the number of the weight."""
    for number, (name, tensor) in enumerate(sorted(module.state_dict().items())):
        if tensor.is_floating_point():
            values = ((torch.arange(tensor.numel()) + number) * 37 % 23 - 11) / 16
            values = values.abs() + 0.5 if name.endswith("running_var") else values
            tensor.copy_(values.reshape(tensor.shape))
    return module.eval()


def mlp() -> nn.Module:
    """x [B, 4] → y [B, 3]."""
    layers = {"a": nn.Linear(4, 8), "relu": nn.ReLU(), "b": nn.Linear(8, 6), "c": nn.Linear(6, 3)}
    return filled(nn.Sequential(OrderedDict(layers)))


def conv() -> nn.Module:
    """image [B, 1, 6, 6] → y [B, 3]."""
    layers = {"conv": nn.Conv2d(1, 6, 3), "norm": nn.BatchNorm2d(6), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2)}
    layers |= {"flat": nn.Flatten(), "drop": nn.Dropout(0.5), "fc": nn.Linear(24, 3)}
    return filled(nn.Sequential(OrderedDict(layers)))


class Attention(nn.Module):
    """Two heads of width four, and a feed-forward layer behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.dense = (nn.Linear(8, 8) for _ in range(4))
        self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 12), nn.Linear(12, 8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part(x).view(*x.shape[:2], 2, 4).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = self.norm(x + self.dense(mixed.transpose(1, 2).flatten(2)))
        return x + self.down(functional.gelu(self.up(x)))


def attention() -> nn.Module:
    """x [B, 5, 8] → y [B, 5, 8]."""
    return filled(Attention())


def rows() -> tuple[Tensor, Tensor]:
    """Sixty rows with the class that is their largest number."""
    x = (torch.arange(240).reshape(60, 4) * 29 % 31 - 15) / 8
    return x, x[:, :3].argmax(1)
