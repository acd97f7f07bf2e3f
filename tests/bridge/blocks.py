"""Blocks of a user's own, such as layers that are not in any library, for the awkward architectures."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.zoo import Linear


class Rotary(nn.Module):
    """Attention whose queries and keys are turned by their positions, one half of a head against the other."""

    def __init__(self, width: int, heads: int, tokens: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (Linear(width, width) for _ in range(3))
        self.out = Linear(width, width)
        angles = torch.arange(tokens)[:, None] * 0.7 ** torch.arange(width // heads // 2)
        self.angles: torch.Tensor
        self.register_buffer("angles", torch.cat([angles, angles], 1))

    def turned(self, x: Any) -> Any:
        low, high = x.chunk(2, -1)
        return x * self.angles.cos() + torch.cat([-high, low], -1) * self.angles.sin()

    def forward(self, x: Any) -> Any:
        query, key, value = (
            part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        found = F.scaled_dot_product_attention(self.turned(query), self.turned(key), value)
        return self.out(found.transpose(1, 2).flatten(2))


class Stochastic(nn.Module):
    """Stochastic depth: in training it drops a whole branch now and then; here it only hands it on."""

    def forward(self, x: Any) -> Any:
        if not self.training:
            return x
        return x * torch.bernoulli(torch.full((x.size(0), 1, 1, 1), 0.9)) / 0.9


class Standardised(nn.Module):
    """A layer of the user's own: channels divided by their root mean square, then scaled and shifted."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x: Any) -> Any:
        root = x.pow(2).mean(1, keepdim=True).add(1e-5).sqrt()
        return x / root * self.scale.view(1, -1, 1, 1) + self.shift.view(1, -1, 1, 1)


class Scaled(nn.Module):
    """A layer of the user's own: each channel by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, width, 1, 1))

    def forward(self, x: Any) -> Any:
        return F.softsign(x) * self.scale


class Attending(nn.Module):
    """Heads from one matrix of queries, keys and values that is unbound."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = Linear(width, 3 * width), Linear(width, width)

    def forward(self, x: Any) -> Any:
        batch, tokens, width = x.shape
        packed = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = packed.unbind(0)
        found = F.scaled_dot_product_attention(query, key, value)
        return self.out(found.transpose(1, 2).reshape(batch, tokens, width))
