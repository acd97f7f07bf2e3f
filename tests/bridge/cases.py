"""The modules on which cutting is tried: name → case.

An axis that could be cut and is not found is no fault; one that a case lists and that is lost is one, and so is any
that is cut wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.convolutions import CONVOLUTIONS
from tests.bridge.rows import ROWS
from tests.bridge.zoo import (
    Case,
    Conv,
    Linear,
    flat,
    hidden,
    image,
    row,
)

OVER: Mapping[str, Case] = {
    "mean": hidden(lambda y: y - y.mean(1, keepdim=True), ()),
    "softmax": hidden(lambda y: y.softmax(1), ()),
    "log softmax": hidden(lambda y: F.log_softmax(y, -1), ()),
    "mean over a part": hidden(lambda y: flat(y.view(-1, 2, 3) - y.view(-1, 2, 3).mean(1, keepdim=True))),
    "softmax over a part": hidden(lambda y: flat(y.view(-1, 2, 3).softmax(1))),
    "mean over channels": image(
        lambda m, x: m.e(m.a(x)) * m.a(x).mean(1, keepdim=True), (), a=lambda: Conv(3, 8, 3), e=lambda: Conv(8, 2, 1)
    ),
}
"""Operations work over the axes: a cut is well-typed, and not exact."""

PERMUTED: Mapping[str, Case] = {
    "flip": hidden(lambda y: y.flip(1), ()),
    "roll": hidden(lambda y: y.roll(1, 1), ()),
    "sort": hidden(lambda y: y.sort(1)[0], ()),
    "index": hidden(lambda y: y[:, [1, 0, 2, 3, 4, 5]], ()),
    "argmax": hidden(lambda y: y * y.argmax(1, keepdim=True), ()),
    "every other": hidden(lambda y: torch.cat([y[:, ::2], y[:, 1::2]], 1), ()),
    "select": hidden(lambda y: y * y.select(1, 0).unsqueeze(1), ()),
    "flipped and joined": hidden(lambda y: torch.cat([y, y.flip(1)], 1)[:, 3:9], ()),
    "squeezed where it might be one": hidden(lambda y: y.unsqueeze(1).squeeze(1).squeeze(1), ()),
}
"""Operations look at positions: every hidden axis is pinned."""

OTHER: Mapping[str, Case] = {
    "einsum": hidden(lambda y: torch.einsum("bc,dc->bd", y, torch.ones(6, 6))),
    "sum": hidden(lambda y: y * y.sum(1, keepdim=True)),
    "sum of shifted": hidden(lambda y: y * (y + 1).sum(1, keepdim=True)),
    "sum of sigmoids": hidden(lambda y: y * y.sigmoid().sum(1, keepdim=True)),
    "norm": hidden(lambda y: F.normalize(y, dim=1)),
    "layer norm": hidden(lambda y: F.layer_norm(y, (6,))),
    "expand": hidden(lambda y: y * y[:, :1].expand(-1, 6)),
    "largest": hidden(lambda y: y - y.amax(1, keepdim=True)),
    "chunk": hidden(lambda y: torch.cat(y.chunk(2, 1)[::-1], 1)),
    "split": hidden(lambda y: torch.cat(y.split([2, 4], 1)[::-1], 1)),
    "stack": hidden(lambda y: torch.stack([y, y * 2], 1).sum(1)),
    "slopes": hidden(lambda y: F.prelu(y, torch.full((6,), 0.3))),
    "a margin of ones": hidden(
        lambda y: y * F.pad(y.unsqueeze(1), (0, 0, 1, 1), value=1.0).sum((1, 2)).unsqueeze(1), ()
    ),
    "a margin of zeros": hidden(lambda y: y * F.pad(y.unsqueeze(1), (0, 0, 1, 1)).sum((1, 2)).unsqueeze(1)),
    "pad": hidden(lambda y: F.pad(y, (1, 1))[:, 1:7]),
    "where": hidden(lambda y: torch.where(y > 0, y, 0.1 * y)),
    "one minus": hidden(lambda y: 1 - y),
    "matrix product": hidden(lambda y: y @ torch.ones(6, 6).triu()),
    "clamp": hidden(lambda y: y.clamp(-1, 1)),
    "outer and cut": hidden(lambda y: flat(y[:, :, None] * y[:, None, :])[:, :6]),
    "unflatten": hidden(lambda y: flat(y.unflatten(1, (2, 3)).softmax(2))),
    "nothing joined": hidden(lambda y: torch.cat([y[:, :0].exp(), y[:, 6:], y], 1), ("i:out",)),
    "cumsum": hidden(lambda y: y.cumsum(1)),
    "repeat": hidden(lambda y: y[:, ::2].repeat(1, 2)),
    "mean of everything": hidden(lambda y: y - y.mean()),
    "pooled and repeated": hidden(lambda y: y.view(-1, 3, 2).mean(2).repeat_interleave(2, 1)),
    "group norm": image(
        lambda m, x: m.o(m.n(m.a(x))),
        None,
        a=lambda: Conv(3, 6, 1),
        n=lambda: nn.GroupNorm(2, 6),
        o=lambda: Conv(6, 2, 1),
    ),
    "transposed": image(
        lambda m, x: m.o(m.t(m.a(x))),
        None,
        a=lambda: Conv(3, 6, 1),
        t=lambda: nn.ConvTranspose2d(6, 5, 2, stride=2),
        o=lambda: Conv(5, 2, 1),
    ),
    "same padding": image(
        lambda m, x: m.o(m.t(m.a(x))),
        ("a:out", "t:out"),
        a=lambda: Conv(3, 6, 1),
        t=lambda: Conv(6, 5, 3, padding="same"),
        o=lambda: Conv(5, 2, 1),
    ),
    "pixel shuffle": image(
        lambda m, x: m.e(F.pixel_shuffle(m.a(x), 2)), None, a=lambda: Conv(3, 8, 3), e=lambda: Conv(2, 2, 1)
    ),
    "upsampling": image(
        lambda m, x: m.o(F.interpolate(m.a(x), scale_factor=2)), None, a=lambda: Conv(3, 6, 1), o=lambda: Conv(6, 2, 1)
    ),
    "a pool without a batch": row(
        lambda m, x: m.o(F.max_pool1d(m.i(x).relu(), 3, 1, 1)), None, i=lambda: Linear(5, 4), o=lambda: Linear(4, 2)
    ),
    "a norm over tokens": Case(
        lambda m, x: m.o(F.relu(m.n(m.i(x)))),
        ((6, 5),),
        lambda: {"i": Linear(5, 6), "n": nn.BatchNorm1d(6), "o": Linear(6, 3)},
        ("i:out",),
    ),
}
"""Operations with a rule or without one: whatever is not pinned must be cut exactly or say that it is not."""

CASES: Mapping[str, Case] = {**CONVOLUTIONS, **ROWS, **OVER, **PERMUTED, **OTHER}
