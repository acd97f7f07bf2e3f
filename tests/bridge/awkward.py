"""Awkward architectures: the small networks that a pruning library's own tests are made of, each drawn here anew.

They are named after what is awkward about them. Those with a counterpart among the other cases are there, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.blocks import Attending, Rotary, Scaled, Standardised, Stochastic
from tests.bridge.zoo import Case, Conv, Linear, Norm, Wired, flat, image, randomised, row, weight


class Named(Wired):
    """A wired module whose inputs have names, so that one can say which of their sizes vary."""

    # torch.export reads the names, which the wired module leaves open.
    def forward(self, x: Any, y: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().forward(*(one for one in (x, y) if one is not None))


def named(case: Case) -> nn.Module:
    """The module of a case, with inputs `x` and, where there are two, `y`."""
    return randomised(Named(case.wiring, case.parts())).eval()


def lenet(m: Any, x: Any) -> Any:
    y = F.max_pool2d(F.relu(m.b(F.max_pool2d(F.relu(m.a(x)), 2))), 2)
    return m.f(F.relu(m.e(F.relu(m.d(flat(y))))))


def cascaded(m: Any, x: Any) -> Any:
    first = torch.cat([m.a(x), m.b(x)], 1)
    second = torch.cat([first, m.c(F.relu(first)), m.a(x)], 1)
    return m.o(torch.cat([F.relu(second), m.d(second), first], 1))


def rejoined(m: Any, x: Any) -> Any:
    one, two, three = torch.split(m.a(x), [2, 4, 3], dim=1)
    return m.o(torch.cat([m.c(F.relu(three)), two, m.b(torch.sigmoid(one))], 1) + m.d(x))


def ghosts(m: Any, x: Any) -> Any:
    y = F.relu(m.a(x))
    return m.o(torch.cat([y, F.relu(m.cheap(y))], 1))


def hourglass(m: Any, x: Any) -> Any:
    high = F.relu(m.n(m.a(x)))
    low = F.relu(m.down(high))
    return m.o(torch.cat([high, F.relu(m.up(low))], 1))


def several(m: Any, x: Any, y: Any) -> Any:
    left, right = F.relu(m.i(x)), F.relu(m.j(y))
    both = left + right
    return {"sum": m.o(both), "right": m.p(torch.cat([right, both], 1)), "both": (m.q(both), m.o(left))}


def convnext(m: Any, x: Any) -> Any:
    y = m.stem(x)
    z = m.norm(m.depth(y).permute(0, 2, 3, 1))
    z = (m.down(F.gelu(m.up(z))) * m.gamma).permute(0, 3, 1, 2)
    return m.o((y + m.drop(z)).mean((2, 3)))


def tokens(m: Any, x: Any) -> Any:
    y = m.patch(x).flatten(2).transpose(1, 2)
    y = torch.cat([m.first.expand(y.size(0), -1, -1), y], 1) + m.places
    return m.o(F.layer_norm(m.mix(F.gelu(y)), (6,)).sum(1))


def separate(m: Any, x: Any) -> Any:
    y = F.relu6(m.n(m.a(x)))
    return m.o(F.relu6(m.point(m.depth(y))))


def in_place(m: Any, x: Any) -> Any:
    y = m.relu(m.a(x))
    z = m.n(m.b(y))
    z += y
    return m.o(m.relu(z).mean((2, 3)))


def attended(m: Any, x: Any) -> Any:
    y = m.i(x)
    return m.o(y + m.at(y, y, y, need_weights=False)[0])


def unbound(m: Any, x: Any) -> Any:
    y = m.i(x)
    return m.o(y + m.at(y))


def packed(m: Any, x: Any) -> Any:
    y = m.i(x)
    return m.o(m.layer(y).sum(1))


def fused(m: Any, x: Any, y: Any) -> Any:
    return m.o(F.relu(m.both(m.i(x), torch.tanh(m.j(y)))))


def numbered(x: Any) -> Any:
    """Tokens from numbers, since inputs are drawn as such."""
    return x.abs().mul(3).clamp(max=8).long()


def worded(m: Any, x: Any) -> Any:
    y = m.table(numbered(x)) + m.places.weight
    return m.o(F.relu(m.i(y)).sum(1))


def masked_by_one(m: Any, x: Any) -> Any:
    y = F.relu(m.a(x))
    mask = torch.sigmoid(m.one(y))
    return m.o(y * mask), mask


def recurring(m: Any, x: Any) -> Any:
    y = F.relu(m.i(x))
    for _ in range(3):
        y = y + m.n(F.relu(m.step(y)))
    return m.o(y.mean((2, 3)))


def spared(m: Any, x: Any) -> Any:
    return m.o(F.relu(m.i(x)))


def joined_rows(m: Any, x: Any) -> Any:
    rows = torch.cat([m.a(x), m.b(x), m.a(x.flip(2))], 2)
    return m.o(F.relu(rows).mean((2, 3)))


AWKWARD: Mapping[str, Case] = {
    "LeNet": Case(
        lenet,
        ((1, 16, 16),),
        lambda: {
            "a": Conv(1, 6, 3), "b": Conv(6, 10, 3), "d": Linear(40, 12), "e": Linear(12, 9), "f": Linear(9, 3)
        },
        ("a:out", "b:out", "d:out", "e:out"),
    ),
    "fully connected": row(
        lambda m, x: m.stack(x),
        ("stack.0:out", "stack.2:out", "stack.5:out"),
        stack=lambda: nn.Sequential(
            Linear(5, 8), nn.ReLU(), Linear(8, 7), nn.Tanh(), nn.Dropout(0.5), Linear(7, 6), nn.ELU(), Linear(6, 3)
        ),
    ),
    "concatenations of concatenations": image(
        cascaded,
        ("a:out", "b:out", "c:out", "d:out"),
        a=lambda: Conv(3, 4, 1),
        b=lambda: Conv(3, 3, 1),
        c=lambda: Conv(7, 5, 1),
        d=lambda: Conv(16, 6, 1),
        o=lambda: Conv(29, 2, 1),
    ),
    "split in three and put together in another order": image(
        rejoined,
        ("b:out", "c:out"),
        a=lambda: Conv(3, 9, 1),
        b=lambda: Conv(2, 3, 1),
        c=lambda: Conv(3, 5, 1),
        d=lambda: Conv(3, 12, 1),
        o=lambda: Conv(12, 2, 1),
    ),
    "rows put together, not channels": image(
        joined_rows, ("a:out",), a=lambda: Conv(3, 6, 1), b=lambda: Conv(3, 6, 1), o=lambda: Linear(6, 2)
    ),
    "half of the channels made cheaply": image(
        ghosts, ("a:out",), a=lambda: Conv(3, 6, 1), cheap=lambda: Conv(6, 6, 3, padding=1, groups=6),
        o=lambda: Conv(12, 2, 1),
    ),
    "down, up again, and across": image(
        hourglass,
        ("a:out", "down:out", "up:filters"),
        a=lambda: Conv(3, 6, 3, padding=1),
        n=lambda: Norm(6),
        down=lambda: Conv(6, 8, 2, stride=2),
        up=lambda: nn.ConvTranspose2d(8, 5, 2, stride=2),
        o=lambda: Conv(11, 2, 1),
    ),
    "two inputs and four named outputs": Case(
        several,
        ((5,), (4,)),
        lambda: {"i": Linear(5, 6), "j": Linear(4, 6), "o": Linear(6, 3), "p": Linear(12, 2), "q": Linear(6, 4)},
        ("i:out",),
    ),
    "depth that is dropped at random, and a scale for each channel": image(
        convnext,
        ("up:out",),
        stem=lambda: Conv(3, 6, 2, stride=2),
        depth=lambda: Conv(6, 6, 3, padding=1, groups=6),
        norm=lambda: nn.LayerNorm(6),
        up=lambda: Linear(6, 12),
        down=lambda: Linear(12, 6),
        gamma=lambda: weight(6),
        drop=Stochastic,
        o=lambda: Linear(6, 2),
    ),
    "parameters without a layer": image(
        tokens,
        None,
        patch=lambda: Conv(3, 6, 4, stride=4),
        first=lambda: weight(1, 1, 6),
        places=lambda: weight(1, 5, 6),
        mix=lambda: Linear(6, 6),
        o=lambda: Linear(6, 2),
    ),
    "parameters that nothing reads": row(
        spared,
        ("i:out",),
        i=lambda: Linear(5, 6),
        o=lambda: Linear(6, 3),
        unread=lambda: weight(6, 4),
        uncalled=lambda: Linear(6, 6),
    ),
    "a layer of the user's own": image(
        lambda m, x: m.o(m.own(m.a(x))), ("a:out",), a=lambda: Conv(3, 6, 1), own=lambda: Scaled(6),
        o=lambda: Conv(6, 2, 1),
    ),
    "a norm of the user's own": image(
        lambda m, x: m.o(m.own(m.a(x))), (), a=lambda: Conv(3, 6, 1), own=lambda: Standardised(6),
        o=lambda: Conv(6, 2, 1),
    ),
    "a map of one channel": image(
        masked_by_one, ("a:out",), a=lambda: Conv(3, 6, 3), one=lambda: Conv(6, 1, 1), o=lambda: Conv(6, 2, 1)
    ),
    "separable convolutions": image(
        separate,
        ("a:out", "point:out"),
        a=lambda: Conv(3, 6, 3),
        n=lambda: Norm(6),
        depth=lambda: Conv(6, 6, 3, groups=6),
        point=lambda: Conv(6, 8, 1),
        o=lambda: Conv(8, 2, 1),
    ),
    "written in place": image(
        in_place,
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        b=lambda: Conv(6, 6, 3, padding=1),
        n=lambda: Norm(6),
        relu=lambda: nn.ReLU(inplace=True),
        o=lambda: Linear(6, 2),
    ),
    "a layer that is applied three times": image(
        recurring,
        ("i:out",),
        i=lambda: Conv(3, 6, 1),
        step=lambda: Conv(6, 6, 3, padding=1),
        n=lambda: Norm(6),
        o=lambda: Linear(6, 2),
    ),
    "attention": Case(
        attended,
        ((4, 5),),
        lambda: {"i": Linear(5, 8), "at": nn.MultiheadAttention(8, 2, batch_first=True), "o": Linear(8, 3)},
        ("i:out",),
    ),
    "queries, keys and values unbound": Case(
        unbound, ((4, 5),), lambda: {"i": Linear(5, 8), "at": Attending(8, 2), "o": Linear(8, 3)}, ("i:out",)
    ),
    "positions that turn queries and keys": Case(
        unbound, ((4, 5),), lambda: {"i": Linear(5, 8), "at": Rotary(8, 2, 4), "o": Linear(8, 3)},
        ("i:out", "at.query:out/0", "at.query:out/1/0", "at.value:out/1"),
    ),
    "a transformer's layer": Case(
        packed,
        ((4, 5),),
        lambda: {
            "i": Linear(5, 8),
            "layer": nn.TransformerEncoderLayer(8, 2, 12, 0.1, "gelu", batch_first=True, norm_first=True),
            "o": Linear(8, 3),
        },
        None,
    ),
    "long short-term memory": Case(
        lambda m, x: m.o(m.layer(m.i(x))[0].sum(1)),
        ((4, 5),),
        lambda: {"i": Linear(5, 6), "layer": nn.LSTM(6, 7, 2, batch_first=True), "o": Linear(7, 3)},
        ("i:out", "layer:units"),
    ),
    "gated recurrence in both directions": Case(
        lambda m, x: m.o(m.layer(m.i(x))[0].sum(1)),
        ((4, 5),),
        lambda: {
            "i": Linear(5, 6), "layer": nn.GRU(6, 7, batch_first=True, bidirectional=True), "o": Linear(14, 3)
        },
        ("i:out", "layer:units"),
    ),
    "two tables of embeddings": Case(
        worded,
        ((4,),),
        lambda: {"table": nn.Embedding(9, 6), "places": nn.Embedding(4, 6), "i": Linear(6, 5), "o": Linear(5, 3)},
        ("table:in", "i:out"),
    ),
    "a bilinear meeting": Case(
        fused,
        ((5,), (4,)),
        lambda: {"i": Linear(5, 6), "j": Linear(4, 7), "both": nn.Bilinear(6, 7, 8), "o": Linear(8, 3)},
        ("i:out", "j:out", "both:out"),
    ),
    "a slope for each channel": image(
        lambda m, x: m.o(m.slope(m.a(x))), ("a:out",), a=lambda: Conv(3, 6, 1), slope=lambda: nn.PReLU(6),
        o=lambda: Conv(6, 2, 1),
    ),
    "an instance norm": image(
        lambda m, x: m.o(m.n(m.a(x))),
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        n=lambda: nn.InstanceNorm2d(6, affine=True),
        o=lambda: Conv(6, 2, 1),
    ),
    "a weight in polar form": row(
        lambda m, x: m.o(F.relu(m.i(x))),
        ("i:out",),
        i=lambda: Linear(5, 6),
        o=lambda: nn.utils.parametrizations.weight_norm(Linear(6, 3)),
    ),
    "an image flattened first": image(
        lambda m, x: m.o(F.relu(m.i(flat(x)))), ("i:out",), i=lambda: Linear(192, 6), o=lambda: Linear(6, 2)
    ),
    "upsampled and joined": image(
        lambda m, x: m.o(torch.cat([F.interpolate(m.a(F.avg_pool2d(x, 2)), scale_factor=2.0), m.b(x)], 1)),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 5, 1),
        b=lambda: Conv(3, 4, 1),
        o=lambda: Conv(9, 2, 1),
    ),
}  # fmt: skip
