"""Networks on rows whose axes can be cut: sharing, heads, outer products, reshapes across the batch.

Each names the axes for which a cut must be exact.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional as F  # noqa: N812 - its usual name

from tests.bridge.zoo import (
    Case,
    Linear,
    flat,
    hidden,
    mixer,
    outer,
    row,
    tied,
    weight,
    with_dead_branch,
)

ROWS: Mapping[str, Case] = {
    "plain": row(lambda m, x: m.o(m.i(x).relu()), ("i:out",), i=lambda: Linear(5, 6), o=lambda: Linear(6, 3)),
    "no biases": row(
        lambda m, x: m.o(m.i(x)), ("i:out",), i=lambda: Linear(5, 6, bias=False), o=lambda: Linear(6, 3, bias=False)
    ),
    "a layer used twice": row(
        lambda m, x: m.o(m.a(F.relu(m.a(F.relu(m.i(x)))))),
        ("i:out",),
        i=lambda: Linear(5, 6),
        a=lambda: Linear(6, 6),
        o=lambda: Linear(6, 3),
    ),
    "a weight used twice": row(
        lambda m, x: m.o(F.linear(F.relu(F.linear(F.relu(m.i(x)), m.w)), m.w.transpose(0, 1))),
        ("i:out", "w:0"),
        i=lambda: Linear(5, 7),
        w=lambda: weight(6, 7),
        o=lambda: Linear(7, 3),
    ),
    "tied weights": Case(lambda m, x: m.o(m.b(F.relu(m.a(F.relu(m.i(x)))))), ((5,),), tied, ("i:out",)),
    "a dead branch": row(
        with_dead_branch, ("i:out",), i=lambda: Linear(5, 6), dead=lambda: Linear(6, 9), o=lambda: Linear(6, 3)
    ),
    "buffers": row(
        lambda m, x: m.o(F.relu(m.i(x)) * m.m + m.k),
        ("i:out",),
        i=lambda: Linear(5, 6),
        o=lambda: Linear(6, 3),
        m=lambda: torch.zeros(6),
        k=lambda: torch.zeros(1, 6),
    ),
    "numbers added": row(
        lambda m, x: m.o(torch.exp(m.i(x) * 0.1) + 2.0 - 1), ("i:out",), i=lambda: Linear(5, 6), o=lambda: Linear(6, 3)
    ),
    "two outputs": row(
        lambda m, x: (m.o(m.i(x)), m.p(m.i(x).relu())),
        ("i:out",),
        i=lambda: Linear(5, 6),
        o=lambda: Linear(6, 3),
        p=lambda: Linear(6, 2),
    ),
    "an output in the middle": row(
        lambda m, x: (m.o(m.a(m.i(x)).relu()), m.i(x)),
        ("a:out",),
        i=lambda: Linear(5, 6),
        a=lambda: Linear(6, 4),
        o=lambda: Linear(4, 3),
    ),
    "two inputs": Case(
        lambda m, x, y: m.o(m.i(x).relu() + m.j(y)),
        ((5,), (4,)),
        lambda: {"i": Linear(5, 6), "j": Linear(4, 6), "o": Linear(6, 3)},
        ("i:out",),
    ),
    "batch in the reshape": Case(
        lambda m, x: m.o(m.b(F.relu(m.i(x)).reshape(x.size(0) * 4, 6)).reshape(x.size(0), 20)),
        ((4, 5),),
        lambda: {"i": Linear(5, 6), "b": Linear(6, 5), "o": Linear(20, 3)},
        ("i:out", "b:out"),
    ),
    "heads": Case(
        lambda m, x: m.o(
            (m.i(x).view(x.size(0), 4, 2, 3).transpose(1, 2) * 2).transpose(1, 2).reshape(x.size(0), 4, 6)
        ),
        ((4, 5),),
        lambda: {"i": Linear(5, 6), "o": Linear(6, 3)},
        None,
    ),
    "three in one": Case(
        lambda m, x: m.o(m.i(x)[..., :6] * m.i(x)[..., 6:12] + m.i(x)[..., 12:]),
        ((4, 5),),
        lambda: {"i": Linear(5, 18), "o": Linear(6, 3)},
        ("i:out/slice",),
    ),
    "three in one by view": row(
        lambda m, x: m.o((m.i(x).view(-1, 3, 6)[:, 0:1] * m.i(x).view(-1, 3, 6)[:, 1:2]).squeeze(1)),
        None,
        i=lambda: Linear(5, 18),
        o=lambda: Linear(6, 3),
    ),
    "mixer": Case(
        mixer,
        ((4, 5),),
        lambda: {"i": Linear(5, 6), "t": Linear(4, 7), "u": Linear(7, 4), "o": Linear(24, 3)},
        ("i:out", "t:out"),
    ),
    "outer product with itself": row(outer, ("i:out",), i=lambda: Linear(5, 4), o=lambda: Linear(16, 3)),
    "an outer product cut": row(
        lambda m, x: m.o(flat(m.i(x).unsqueeze(1) * m.i(x).unsqueeze(2))[:, 4:12]),
        None,
        i=lambda: Linear(5, 4),
        o=lambda: Linear(8, 3),
    ),
    "an outer product split": row(
        lambda m, x: m.o(flat(flat(m.i(x).unsqueeze(1) * m.i(x).unsqueeze(2)).view(-1, 2, 8).relu())),
        None,
        i=lambda: Linear(5, 4),
        o=lambda: Linear(16, 3),
    ),
    "a matrix stretched": row(
        lambda m, x: m.o(flat(F.relu(m.i(x)).unsqueeze(2) * m.p)),
        ("i:out", "p:1"),
        i=lambda: Linear(5, 4),
        p=lambda: weight(4, 3),
        o=lambda: Linear(12, 3),
    ),
    "a sum stretched": row(
        lambda m, x: m.o(flat(F.relu(m.i(x)).unsqueeze(1) + m.p)),
        ("i:out", "p:0"),
        i=lambda: Linear(5, 4),
        p=lambda: weight(3, 4),
        o=lambda: Linear(12, 3),
    ),
    "twice side by side": row(
        lambda m, x: m.o(torch.cat([m.i(x), m.i(x)], 1) * m.p),
        ("i:out",),
        i=lambda: Linear(5, 6),
        p=lambda: weight(12),
        o=lambda: Linear(12, 3),
    ),
    "sums that nest": row(
        lambda m, x: m.o(torch.cat([m.i(x), m.j(x)], 1) + torch.cat([m.k(x), m.l(x)], 1)),
        None,
        i=lambda: Linear(5, 6),
        j=lambda: Linear(5, 4),
        k=lambda: Linear(5, 4),
        l=lambda: Linear(5, 6),
        o=lambda: Linear(10, 3),
    ),
    "a view across a sum": row(
        lambda m, x: m.o(torch.cat([m.i(x), m.j(x)], -1).view(-1, 4, 3).transpose(1, 2).reshape(-1, 12)),
        None,
        i=lambda: Linear(5, 6),
        j=lambda: Linear(5, 6),
        o=lambda: Linear(12, 3),
    ),
    "a view that crosses a sum": row(
        lambda m, x: m.o(torch.cat([m.i(x), m.j(x)], -1).view(-1, 3, 4).transpose(1, 2).reshape(-1, 12)),
        (),
        i=lambda: Linear(5, 6),
        j=lambda: Linear(5, 6),
        o=lambda: Linear(12, 3),
    ),
    "rotated halves": hidden(lambda y: torch.cat([-y[:, 3:], y[:, :3]], 1)),
    "interleaved": hidden(lambda y: y.view(-1, 2, 3).transpose(1, 2).reshape(-1, 6)),
    "a shifted sum": hidden(lambda y: torch.cat([y[:, 4:], y[:, :4]], 1) + y),
    "a mean over the batch": hidden(lambda y: y - y.mean(0, keepdim=True), ("i:out",)),
    "flattened with the batch": hidden(lambda y: y.flatten().view(-1, 6)),
}
