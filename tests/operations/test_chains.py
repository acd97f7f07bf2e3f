"""Random chains of operations and layers: what holds for each family must hold when they meet."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.operations.neutralising import Map, check

F: Any = nn.functional
STEPS: tuple[Map, ...] = (
    torch.sigmoid,
    lambda h: F.channel_shuffle(h, 2),
    lambda h: F.channel_shuffle(h, 3),
    lambda h: F.pixel_unshuffle(F.pixel_shuffle(h, 2).roll(1, 2), 2),
    lambda h: torch.cat([h, h.sigmoid()], 1)[:, : h.shape[1]],
    lambda h: torch.cat(torch.split(h, [5, 7], 1)[::-1], 1),
    lambda h: torch.cat([h.chunk(2, 1)[0] * h.chunk(2, 1)[1].sigmoid()] * 2, 1),
    lambda h: h[:, :6].repeat(1, 2, 1, 1),
    lambda h: h[:, :4].repeat_interleave(3, 1),
    lambda h: h[:, :1].expand(-1, 12, -1, -1) * h,
    lambda h: F.pad(h[:, 3:], (0, 0, 0, 0, 1, 2)),
    lambda h: F.pad(h[:, 2:], (0, 0, 0, 0, 2, 0), value=1.0),
    lambda h: h.unflatten(1, (3, -1)).transpose(1, 2).flatten(1, 2),
    lambda h: h.unflatten(1, (2, -1)).flip(1).flatten(1, 2),
    lambda h: torch.stack(torch.chunk(h, 2, 1), 2).flatten(1, 2),
    lambda h: torch.stack(torch.chunk(h, 3, 1), 1).flatten(1, 2),
    lambda h: h.roll(2, 1),
    lambda h: h.sort(2)[0],
    lambda h: h.gather(3, h.argsort(3)),
    lambda h: h.softmax(1),
    lambda h: h - h.mean(1, keepdim=True),
    lambda h: h * h.sum(1, keepdim=True).tanh(),
    lambda h: torch.einsum("bcd,bdhw->bchw", torch.einsum("bchw,bdhw->bcd", h.sigmoid(), h).tanh(), h),
    lambda h: F.fold(F.unfold(h, 3, padding=1), (6, 6), 3, padding=1),
    lambda h: F.interpolate(F.interpolate(h, scale_factor=0.5), size=(6, 6), mode="bilinear"),
    lambda h: h + torch.ones_like(h),
    lambda h: h / (h.abs() + 1),
    lambda h: h.reshape(-1, 4, 6, 6).tanh().reshape(-1, 12, 6, 6),
    lambda h: (
        torch.bmm(h.reshape(-1, 6, 36).mT, h.reshape(-1, 6, 36)).mean((1, 2)).view(-1, 2).repeat(1, 6)[..., None, None]
        * h
    ),
    lambda h: torch.cdist(h.flatten(2).mT, h.flatten(2).mT.tanh()).mean(2).view(-1, 1, 6, 6) * h,
    lambda h: F.cosine_similarity(h, h.roll(1, 3), dim=1).unsqueeze(1) * h,
    lambda h: F.cosine_similarity(h, h.sigmoid(), dim=2).unsqueeze(2) + h,
    lambda h: torch.addcdiv(h, h, h.exp(), value=0.5),
    lambda h: torch.cat([h[:, 3:3], h, h[:, :0].exp()], 1),
    lambda h: torch.ops.aten.copy(h.exp(), h[:, :, :1]),
)
LAYERS: tuple[Callable[[], nn.Module], ...] = (
    lambda: nn.Conv2d(12, 12, 1),
    lambda: nn.Conv2d(12, 12, 3, padding=1, groups=3),
    lambda: nn.Conv2d(12, 12, (2, 3), padding="same", groups=2),
    lambda: nn.Conv2d(12, 12, 1, groups=12),
    lambda: nn.ConvTranspose2d(12, 12, 3, padding=1),
    lambda: nn.ConvTranspose2d(12, 12, 3, padding=1, groups=2, bias=False),
    lambda: nn.BatchNorm2d(12),
    lambda: nn.GroupNorm(2, 12),
    nn.Identity,
)


@pytest.mark.parametrize("seed", range(32))
def test_chains_are_cut_as_they_are_neutralised(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - models of a test
    steps = [draw.choice(STEPS) for _ in range(3)]
    around = [draw.random() < 0.4 for _ in steps]
    middle = [draw.choice(LAYERS)() for _ in steps]

    def function(x: torch.Tensor, *layers: nn.Module) -> torch.Tensor:
        h: torch.Tensor = layers[0](x)
        for step, residual, layer in zip(steps, around, layers[1:-1], strict=True):
            found: torch.Tensor = layer(step(h))
            h = h + found if residual else found
        return layers[-1](h)

    found = check(function, nn.Conv2d(3, 12, 1), *middle, nn.Conv2d(12, 4, 1), shape=(3, 6, 6))
    assert "reaches output" in found.pins("layers.4.weight", 0)[0]
