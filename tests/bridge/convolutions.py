"""Networks on images whose axes can be cut: residuals, groups, gates, slices, shuffles.

Each names the axes for which a cut must be exact.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.zoo import (
    Case,
    Conv,
    Linear,
    Norm,
    branches,
    dense,
    flat,
    gated_by_one,
    image,
    mobile,
    residual,
    shuffled,
    squeezed,
)

CONVOLUTIONS: Mapping[str, Case] = {
    "batch norm": image(
        lambda m, x: m.fc(F.relu(m.n2(m.b(F.relu(m.n(m.a(x)))))).mean((2, 3))),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 6, 3),
        n=lambda: Norm(6),
        b=lambda: Conv(6, 8, 3),
        n2=lambda: Norm(8),
        fc=lambda: Linear(8, 3),
    ),
    "batch norm without scale": image(
        lambda m, x: m.fc(F.relu(m.n(m.a(x))).mean((2, 3))),
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        n=lambda: Norm(6, affine=False),
        fc=lambda: Linear(6, 3),
    ),
    "residual": image(
        residual,
        ("a:out", "b:out"),
        a=lambda: Conv(3, 6, 3, padding=1),
        b=lambda: Conv(6, 5, 3, padding=1),
        c=lambda: Conv(5, 6, 1),
        fc=lambda: Linear(384, 4),
    ),
    "concatenation": image(
        lambda m, x: m.d(torch.cat([m.a(x).relu(), m.b(x).tanh(), m.a(x)], 1)),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 4, 1),
        b=lambda: Conv(3, 6, 1),
        d=lambda: Conv(14, 2, 3),
    ),
    "slices": image(branches, None, a=lambda: Conv(3, 8, 1), d=lambda: Conv(8, 2, 3)),
    "slices that overlap": image(
        lambda m, x: m.d(m.a(x)[:, :6].relu()) + m.e(m.a(x)[:, 3:]),
        None,
        a=lambda: Conv(3, 8, 1),
        d=lambda: Conv(6, 2, 3),
        e=lambda: Conv(5, 2, 3),
    ),
    "gated halves": image(
        lambda m, x: m.d(m.a(x)[:, :4] * m.a(x)[:, 4:]),
        ("a:out/slice",),
        a=lambda: Conv(3, 8, 1),
        d=lambda: Conv(4, 2, 3),
    ),
    "grouped": image(
        lambda m, x: m.e(F.relu(m.g(F.relu(m.a(x))))),
        ("g:groups", "g:in", "g:filters"),
        a=lambda: Conv(3, 8, 3),
        g=lambda: Conv(8, 12, 3, groups=4),
        e=lambda: Conv(12, 2, 1),
    ),
    "groups in groups": image(
        lambda m, x: m.e(F.relu(m.h(F.relu(m.g(F.relu(m.a(x))))))),
        ("h:groups", "g:in", "g:filters", "h:filters"),
        a=lambda: Conv(3, 8, 1),
        g=lambda: Conv(8, 12, 3, groups=4),
        h=lambda: Conv(12, 12, 1, groups=2),
        e=lambda: Conv(12, 2, 1),
    ),
    "groups that do not nest": image(
        lambda m, x: m.e(F.relu(m.h(F.relu(m.g(F.relu(m.a(x))))))),
        ("g:in", "h:filters"),
        a=lambda: Conv(3, 8, 1),
        g=lambda: Conv(8, 12, 3, groups=2),
        h=lambda: Conv(12, 24, 1, groups=3),
        e=lambda: Conv(24, 2, 1),
    ),
    "depthwise": image(
        lambda m, x: m.e(F.relu(m.n(m.g(F.relu(m.a(x)))))),
        ("a:out",),
        a=lambda: Conv(3, 8, 3),
        g=lambda: Conv(8, 8, 3, groups=8),
        n=lambda: Norm(8),
        e=lambda: Conv(8, 2, 1),
    ),
    "depthwise with a multiplier": image(
        lambda m, x: m.e(F.relu(m.g(F.relu(m.a(x))))),
        ("a:out", "g:filters"),
        a=lambda: Conv(3, 4, 3),
        g=lambda: Conv(4, 12, 3, groups=4),
        e=lambda: Conv(12, 2, 1),
    ),
    "squeeze and excitation": image(
        squeezed,
        ("a:out", "down:out"),
        a=lambda: Conv(3, 6, 3),
        down=lambda: Conv(6, 3, 1),
        up=lambda: Conv(3, 6, 1),
        e=lambda: Conv(6, 2, 1),
    ),
    "a gate of one channel": image(
        lambda m, x: m.e(F.relu(m.a(x)) * torch.sigmoid(m.g(x))),
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        g=lambda: Conv(3, 1, 3),
        e=lambda: Conv(6, 2, 1),
    ),
    "a gate cut out of the channels": image(gated_by_one, None, a=lambda: Conv(3, 6, 3), e=lambda: Conv(6, 2, 1)),
    "flatten": image(
        lambda m, x: m.fc(flat(F.max_pool2d(F.relu(m.a(x)), 2))),
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        fc=lambda: Linear(54, 4),
    ),
    "view": image(
        lambda m, x: m.fc(F.relu(m.a(x)).view(x.size(0), -1)),
        ("a:out",),
        a=lambda: Conv(3, 6, 3),
        fc=lambda: Linear(216, 4),
    ),
    "channels last and back": image(
        lambda m, x: m.fc(flat(m.b(F.relu(m.a(x)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 6, 3),
        b=lambda: Linear(6, 5),
        fc=lambda: Linear(180, 3),
    ),
    "channel shuffle": image(
        shuffled, ("d:filters",), a=lambda: Conv(3, 8, 3), d=lambda: Conv(8, 8, 3, groups=2), e=lambda: Conv(8, 2, 1)
    ),
    "pixel shuffle by hand": image(
        lambda m, x: m.e(m.a(x).view(x.size(0), 2, 2, 2, 6, 6).permute(0, 1, 4, 2, 5, 3).reshape(x.size(0), 2, 12, 12)),
        None,
        a=lambda: Conv(3, 8, 3),
        e=lambda: Conv(2, 2, 1),
    ),
    "densely connected": image(
        dense,
        ("c0:out", "c1:out", "c2:out"),
        c0=lambda: Conv(3, 4, 1),
        n1=lambda: Norm(4),
        c1=lambda: Conv(4, 3, 3, padding=1),
        n2=lambda: Norm(7),
        c2=lambda: Conv(7, 3, 3, padding=1),
        o=lambda: Conv(10, 2, 1),
    ),
    "mobile": image(
        mobile,
        ("a:out", "down:out"),
        a=lambda: Conv(3, 6, 1),
        g=lambda: Conv(6, 6, 3, padding=1, groups=6),
        n=lambda: Norm(6),
        down=lambda: Conv(6, 2, 1),
        up=lambda: Conv(2, 6, 1),
        p=lambda: Conv(6, 6, 1),
        o=lambda: Conv(6, 2, 1),
    ),
    "flattened and sliced": image(
        lambda m, x: m.fc(flat(F.relu(m.a(x)))[:, 36:144]), None, a=lambda: Conv(3, 6, 3), fc=lambda: Linear(108, 4)
    ),
    "sliced across channels": image(
        lambda m, x: m.fc(flat(F.relu(m.a(x)))[:, 10:144]), (), a=lambda: Conv(3, 6, 3), fc=lambda: Linear(134, 4)
    ),
    "flattened and concatenated": image(
        lambda m, x: m.fc(torch.cat([flat(F.relu(m.a(x))), flat(m.b(x))], 1)),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 4, 3),
        b=lambda: Conv(3, 3, 5),
        fc=lambda: Linear(192, 4),
    ),
    "concatenated and grouped": image(
        lambda m, x: m.e(m.g(torch.cat([m.a(x), m.b(x)], 1))),
        None,
        a=lambda: Conv(3, 4, 3),
        b=lambda: Conv(3, 4, 3),
        g=lambda: Conv(8, 8, 1, groups=4),
        e=lambda: Conv(8, 2, 1),
    ),
    "concatenated and depthwise": image(
        lambda m, x: m.e(m.g(torch.cat([m.a(x), m.b(x)], 1))),
        ("a:out", "b:out"),
        a=lambda: Conv(3, 3, 3),
        b=lambda: Conv(3, 5, 3),
        g=lambda: Conv(8, 8, 1, groups=8),
        e=lambda: Conv(8, 2, 1),
    ),
    "concatenated across groups": image(
        lambda m, x: m.e(m.g(torch.cat([m.a(x), m.b(x)], 1))),
        ("g:filters",),
        a=lambda: Conv(3, 3, 3),
        b=lambda: Conv(3, 5, 3),
        g=lambda: Conv(8, 8, 1, groups=2),
        e=lambda: Conv(8, 2, 1),
    ),
    "one dimension": Case(
        lambda m, x: m.o(flat(F.avg_pool1d(F.relu(m.n(m.a(x))), 2))),
        ((5, 9),),
        lambda: {"a": nn.Conv1d(5, 6, 3, stride=2), "n": nn.BatchNorm1d(6), "o": Linear(12, 3)},
        ("a:out",),
    ),
    "three dimensions": Case(
        lambda m, x: m.o(flat(F.avg_pool3d(F.relu(m.n(m.a(x))), 2))),
        ((2, 4, 4, 4),),
        lambda: {"a": nn.Conv3d(2, 6, 3, padding=1), "n": nn.BatchNorm3d(6), "o": Linear(48, 3)},
        ("a:out",),
    ),
}
