"""The index relation means this: cutting commutes with the operation, once the dropped source elements are zero.

Sets are drawn at random; what the relation admits must commute, what commutes for random numbers must be admitted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from surgdsl.verifier.operations import check_type, related
from surgdsl.verifier.operations.letters import Sets
from surgdsl.verifier.reject import Reject
from tests.verifier.calls import operator, recorded, tensors_of

torch.set_num_threads(1)
Retune = Callable[[list[Any], list[Any], tuple[int, ...]], list[Any]]
"""From the arguments, the cut tensors and the cut target's shape to the arguments of the cut call."""


def cut(tensor: torch.Tensor, sets: Sets) -> torch.Tensor:
    for dim, kept in enumerate(sets):
        tensor = tensor if kept is None else tensor.index_select(dim, torch.tensor(kept))
    return tensor


def emptied(tensor: torch.Tensor, sets: Sets) -> torch.Tensor:
    """The tensor with every element that is not kept set to zero."""
    for dim, kept in enumerate(sets):
        if kept is not None:
            gate = torch.zeros(tensor.shape[dim])
            gate[list(kept)] = 1
            tensor = tensor * gate.reshape([-1 if at == dim else 1 for at in range(tensor.dim())])
    return tensor


def swapped(arguments: list[Any], tensors: list[torch.Tensor]) -> list[Any]:
    """The arguments with their tensors replaced in order."""
    left = iter(tensors)
    return [
        next(left) if isinstance(a, torch.Tensor) else [next(left) for _ in a] if tensors_of(a) else a
        for a in arguments
    ]


def verdicts(
    name: str, arguments: list[Any], sources: list[Sets], target: Sets, retune: Retune
) -> tuple[bool, bool] | None:
    """Whether the relation admits the sets, and whether cutting commutes; None where the cut call is ill-typed."""
    tensors = [tensor for argument in arguments for tensor in tensors_of(argument)]
    small = [cut(tensor, sets) for tensor, sets in zip(tensors, sources, strict=True)]
    whole = operator(name)(*swapped(arguments, [emptied(t, s) for t, s in zip(tensors, sources, strict=True)]))
    wanted = cut(whole, target)
    made = swapped(retune(arguments, small, tuple(wanted.shape)), small)
    before, wires = recorded(name, tuple(arguments), tuple(whole.shape))
    after, smaller = recorded(name, tuple(made), tuple(wanted.shape))
    try:
        check_type(after, smaller)
    except Reject:
        return None
    kept = {str(at): sets for at, sets in enumerate(sources)} | {"y": target}
    commutes = bool(torch.allclose(operator(name)(*made), wanted, atol=1e-5))
    return related(before, after, (wires, smaller), kept), commutes


def regroup(arguments: list[Any], small: list[Any], _: tuple[int, ...]) -> list[Any]:
    return [*arguments[:-1], max(1, small[0].shape[1] // small[1].shape[1])]


def resize(arguments: list[Any], _: list[Any], shape: tuple[int, ...]) -> list[Any]:
    return [arguments[0], list(shape)]


def ungroup(arguments: list[Any], small: list[Any], shape: tuple[int, ...]) -> list[Any]:
    return [*arguments[:6], max(1, shape[1] // small[1].shape[1]), arguments[7]]


def recount(arguments: list[Any], small: list[Any], shape: tuple[int, ...]) -> list[Any]:
    times = max(1, shape[1] // small[0].shape[1])
    return [arguments[0], [1, times]] if isinstance(arguments[1], list) else [arguments[0], times, arguments[2]]


CONV = [[1, 1], [1, 1], [1, 1]]
r = torch.randn
torch.random.set_rng_state(torch.Generator().manual_seed(0).get_state())
CASES: list[tuple[str, list[Any], Retune | None]] = [
    ("aten.linear.default", [r(3, 4), r(3, 4), r(3)], None),
    ("aten.conv2d.default", [r(1, 4, 2, 2), r(4, 2, 3, 3), r(4), *CONV, 2], regroup),
    ("aten.conv2d.default", [r(1, 3, 2, 2), r(3, 1, 3, 3), None, *CONV, 3], regroup),
    ("aten.conv1d.default", [r(2, 2, 4), r(3, 2, 3), r(3), [1], [1], [1], 1], regroup),
    ("aten.batch_norm.default", [r(2, 3), r(3), r(3), r(3), r(3).abs() + 1, False, 0.1, 1e-5, True], None),
    ("aten.add.Tensor", [r(2, 3), r(3)], None),
    ("aten.mul.Tensor", [r(2, 1, 3), r(4, 1)], None),
    ("aten.relu.default", [r(2, 3).abs() + 1], None),
    ("aten.max_pool2d.default", [r(2, 3, 4, 4), [2, 2]], None),
    ("aten.cat.default", [[r(2, 2), r(2, 3)], 1], None),
    ("aten.permute.default", [r(2, 3, 2), [2, 0, 1]], None),
    ("aten.unsqueeze.default", [r(2, 3), 1], None),
    ("aten.squeeze.dim", [r(2, 1, 3), 1], None),
    ("aten.flatten.using_ints", [r(2, 2, 3), 1, 2], None),
    ("aten.view.default", [r(2, 6), [2, 3, 2]], resize),
    ("aten.view.default", [r(4, 3), [2, 6]], resize),
    ("aten.mean.dim", [r(2, 3, 2), [1], False], None),
    ("aten.softmax.int", [r(3, 3), 1], None),
    ("aten.matmul.default", [r(2, 3), r(3, 2)], None),
    ("aten.addmm.default", [r(3), r(2, 3), r(3, 3)], None),
    ("aten.layer_norm.default", [r(2, 3, 3), [3], r(3), r(3)], None),
    ("aten.stack.default", [[r(2, 3), r(2, 3)], 1], None),
    ("aten.sum.dim_IntList", [r(2, 3, 2), [1]], None),
    ("aten.expand.default", [r(2, 1, 3), [2, 4, 3]], resize),
    ("aten.repeat_interleave.self_int", [r(2, 3), 2, 1], recount),
    ("aten.repeat.default", [r(2, 2), [1, 2]], recount),
    ("aten.constant_pad_nd.default", [r(2, 2), [1, 1], 0.5], None),
    ("aten.im2col.default", [r(1, 3, 2, 2), [2, 1], [1, 1], [0, 0], [1, 1]], None),
    ("aten.linalg_vector_norm.default", [r(2, 3, 2), 2.0, [1]], None),
    ("aten.conv_transpose2d.input", [r(1, 4, 2, 2), r(4, 2, 2, 2), r(4), [2, 2], [0, 0], [0, 0], 2, [1, 1]], ungroup),
]


def subset(chance: random.Random, extent: int) -> tuple[int, ...] | None:
    size = chance.randint(1, extent)
    return None if size == extent else tuple(sorted(chance.sample(range(extent), size)))


def drawn(chance: random.Random, shape: tuple[int, ...], known: list[tuple[int, ...] | None], first: int) -> Sets:
    """Sets for the first dimensions of a shape: each whole, as one drawn before, or new."""
    found = list[tuple[int, ...] | None]()
    for extent in shape[:first]:
        fitting = [sets for sets in known if sets is not None and sets[-1] < extent and len(sets) < extent]
        choice = chance.random()
        old = choice < 0.85 and fitting
        found.append(None if choice < 0.4 else chance.choice(fitting) if old else subset(chance, extent))
        known.append(found[-1])
    return (*found, *(None for _ in shape[first:]))


@pytest.mark.parametrize(("name", "arguments", "retune"), CASES)
def test_what_is_related_commutes_and_what_commutes_is_related(
    name: str, arguments: list[Any], retune: Retune | None
) -> None:
    chance, seen = random.Random(name), {True: 0, False: 0}  # noqa: S311 - it only has to repeat
    tensors = [tensor for argument in arguments for tensor in tensors_of(argument)]
    shape, first = (
        tuple(operator(name)(*arguments).shape),
        2 if "conv" in name or "pool" in name or "col" in name else 9,
    )
    for _ in range(4000):
        known = list[tuple[int, ...] | None]()
        sources = [drawn(chance, tuple(tensor.shape), known, first) for tensor in tensors]
        if name == "aten.cat.default":
            known.append(tuple(sorted({*(sources[0][1] or (0, 1)), *(2 + i for i in sources[1][1] or (0, 1, 2))})))
        if "im2col" in name:
            known.append(tuple(2 * i + c for i in sources[0][1] or (0, 1, 2) for c in (0, 1)))
        if "view" in name or "flatten" in name:
            known += spread(sources[0], tuple(tensors[0].shape))
        if "repeat" in name or "pad" in name:
            known += copies(name, sources[0][1] or tuple(range(tensors[0].shape[1])))
        target = drawn(chance, shape, known, first)
        found = verdicts(name, arguments, sources, target, retune or (lambda a, _small, _shape: a))
        if found is not None:
            assert found[0] == found[1], (sources, target)
            seen[found[0]] += 1
        if min(seen.values()) > 20:
            break
    assert seen[True] > 10
    assert seen[False] > 0


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_conv_is_not_cut_in_space(dimension: int) -> None:
    """Cutting the last column would commute for a kernel of one; the relation keeps space whole all the same."""
    sets: Sets = tuple((0,) if at == dimension else None for at in range(4))
    arguments = [r(1, 1, 2, 2), r(1, 1, 1, 1), None, [1, 1], [0, 0], [1, 1], 1]
    whole: Sets = (None,) * 4
    assert verdicts("aten.conv2d.default", arguments, [sets, whole], sets, regroup) == (False, True)


def copies(name: str, kept: tuple[int, ...]) -> list[tuple[int, ...] | None]:
    """Candidates for a dimension that holds another one several times, or between margins."""
    if "pad" in name:
        return [(0, *(1 + index for index in kept), 3)]
    return [tuple(2 * i + c for i in kept for c in (0, 1)) if "inter" in name else (*kept, *(2 + i for i in kept))]


def spread(sets: Sets, shape: tuple[int, ...]) -> list[tuple[int, ...] | None]:
    """Candidates for a merged or split dimension: the positions kept in pairs of neighbours, and the quotients."""
    rows = torch.zeros(shape)
    rows[torch.meshgrid(*(torch.tensor(s or range(e)) for s, e in zip(sets, shape, strict=True)), indexing="ij")] = 1
    merged = [
        rows.flatten(at, at + 1).amax(dim=[d for d in range(len(shape) - 1) if d != at]) for at in range(len(shape) - 1)
    ]
    found = [tuple(int(i) for i in row.reshape(-1).nonzero()[:, 0]) for row in merged]
    return [
        *found,
        *(tuple(sorted({i // 2 for i in row})) for row in found),
        *(tuple(sorted({i % 2 for i in row})) for row in found),
    ]
