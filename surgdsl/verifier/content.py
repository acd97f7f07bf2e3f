"""Weights as bytes: what their elements are, which of them a cut keeps, and whether bytes are what a step makes.

Elements that no step computes with are bytes to the end, so that −0.0, NaN and every dtype are exact.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier.arrays import Column, agree, each, finite, ops, steps
from surgdsl.verifier.digest import ITEMSIZE
from surgdsl.verifier.reject import need
from surgdsl.verifier.tensors import Store
from surgdsl.verifier.weight import Weight

WORDS = {1: "B", 2: "H", 4: "I", 8: "Q"}
FLOATS = {"F64": "d", "F32": "f", "F16": "e"}
RUN = 1 << 18
"""Elements that are looked at a time, so that memory holds a weight as it is stored and little more."""


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a weight: a byte for each code or bit of a mask, scales and zeros as columns, the rest as stored."""

    weight: Weight
    parts: dict[str, Any]

    def runs(self) -> Iterator[tuple[Column, slice]]:
        """All elements in runs: the positions of those that are stored, row-major, and where they are stored."""
        done = 0
        for start in range(0, self.weight.count, RUN):
            at = ops.kept(start, min(start + RUN, self.weight.count), self.parts.get("mask"))
            yield at, slice(done, done + len(at))
            done += len(at)

    def grid(self, at: Any) -> tuple[Any, Any]:
        """The scale and the zero point of the elements at some positions."""
        place, zero = scale_at(self.weight, self.weight.shape, at), self.parts.get("zero")
        return self.parts["scale"][place], 1 << (self.weight.bits - 1) if zero is None else zero[place]

    def stored(self, at: Column, run: slice, letter: str) -> Column:
        """What a run of stored elements decodes to, of those that are not computed the words that `letter` means."""
        if self.weight.kind == "dense":
            size = ITEMSIZE[self.weight.dtype]
            return ops.column(self.parts["values"][size * run.start : size * run.stop], letter)
        codes = ops.column(self.parts["codes"][run], "B")
        if self.weight.kind == "codebook":
            return ops.take(ops.column(self.parts["codebook"], letter), codes)

        def decoded(code: Any, at: Any) -> Any:
            scale, zero = self.grid(at)
            return ops.single(scale * (code - zero))

        return each(decoded, codes, at)

    def decoded(self) -> Iterator[Column]:
        """Every element, run by run, in words or computed; 0 where the mask is clear."""
        for number, (at, run) in enumerate(self.runs()):
            size, start = min(RUN, self.weight.count - number * RUN), number * RUN
            found = self.stored(at, run, WORDS[ITEMSIZE[self.weight.dtype]])
            whole = len(at) == size
            yield found if whole else ops.put(size, each(lambda place, start=start: place - start, at), found)

    def nonzero(self) -> int:
        """Elements of an encoded weight that are not zero."""
        return sum(int(ops.count(self.stored(at, run, "f"))) for at, run in self.runs())


def scale_at(weight: Weight, shape: tuple[int, ...], at: Any) -> Any:
    """For positions in a tensor of this shape, encoded like this weight, the number of the scale of each."""
    rows = shape[weight.axis] if weight.axis >= 0 else 1
    length = math.prod(shape) // max(1, rows)
    inner = math.prod(shape[weight.axis + 1 :]) if weight.axis >= 0 else length
    group = weight.group or max(1, length)
    within = at // (inner * rows) * inner + at % inner
    return at // inner % rows * -(-length // group) + within // group


@dataclass(frozen=True, slots=True)
class Load:
    """What gives the content of weights: from the files and blobs, and from what exact steps were found to make."""

    store: Store

    def __call__(self, weight: Weight) -> Content:
        """The content of a weight; V08 when bytes are missing, V15 when the encoding is invalid."""
        found = {role: self.store.fetch(part) for role, part in weight.parts.items()}
        parts = {role: data if role == "values" else data[:] for role, data in found.items()}
        parts["mask"], kept = self.mask(weight) if weight.masked else (None, weight.count)
        if "codes" in parts:
            parts["codes"] = unpack(parts["codes"], weight.bits, kept, weight.base)
        if weight.kind == "codebook":
            book, limit = ops.column(parts["codebook"], "f"), 1 << weight.bits
            fits = kept >= 1 and 1 <= len(book) <= limit
            need(fits, "V15", f"the codebook of `{weight.base}` has {len(book)} entries")
            rises = finite(book) and agree(operator.lt, book[:-1], book[1:])
            need(rises, "V15", f"the codebook of `{weight.base}` does not rise")
            beyond = parts["codes"].translate(None, bytes(range(len(book))))
            need(not beyond, "V15", f"a code of `{weight.base}` lies outside the codebook")
        if "scale" in parts:
            parts["scale"] = ops.column(parts["scale"], FLOATS[weight.parts["scale"].dtype])
            fits = agree(lambda scale: (scale > 0) & (scale < math.inf), parts["scale"])
            need(fits, "V15", f"a scale of `{weight.base}` is not finite and positive")
        if "zero" in parts:
            parts["zero"] = ops.column(parts["zero"], "B")
        return Content(weight, parts)

    def mask(self, weight: Weight) -> tuple[bytes, int]:
        """The mask of a weight, a byte for each bit, and how many are set; V15 when the other parts do not fit it."""
        mask = unpack(self.store.fetch(weight.parts["mask"])[:], 1, weight.count, weight.base)
        kept: int = ops.scan(mask, 1, True, 0)[0]
        for role, part in weight.parts.items():
            fits = part.shape == weight.part_shape(role, kept)
            need(fits, "V15", f"the shape of `{part.name}` does not fit its mask")
        return mask, kept

    def nonzero(self, weight: Weight) -> int:
        """Elements whose bits, the sign bit cleared, are not all zero; V15 for a truth value above 1."""
        if weight.kind != "dense":
            return self(weight).nonzero()
        if weight.masked:
            self.mask(weight)
        found, odd = self.store.counts(weight.parts["values"])
        need(not odd or weight.dtype != "BOOL", "V15", f"`{weight.base}` holds a truth value above 1")
        return found


def unpack(raw: bytes, bits: int, count: int, what: str) -> bytes:
    """`count` codes of `bits` bits each, least significant bit first; V15 when the padding is not zero."""
    rest = count * bits % 8
    need(not rest or raw[-1] >> rest == 0, "V15", f"the padding bits of `{what}` are not zero")
    return ops.unpack(raw, bits, count)


def select(content: Content, kept: tuple[tuple[int, ...] | None, ...]) -> dict[str, bytes]:
    """The bytes of each part of a weight restricted to the kept indices of each dimension, encoded as before.

    V15 when elements of different scales would come to share one.
    """
    weight, parts = content.weight, {role: held for role, held in content.parts.items() if held is not None}
    if weight.plain:
        cut = max(dim for dim, some in enumerate(kept) if some is not None) + 1  # what is whole behind it is one item
        item = ITEMSIZE[weight.dtype] * math.prod(weight.shape[cut:])
        return {"values": ops.choose(parts["values"], item, weight.shape[:cut], kept[:cut])}
    indices = [range(extent) if some is None else some for extent, some in zip(weight.shape, kept, strict=True)]
    rows = ([index * step for index in row] for row, step in zip(indices, steps(weight.shape), strict=True))
    everywhere = positions = ops.places(rows)
    if weight.masked:
        mask = parts["mask"]
        parts["mask"] = ops.gather(mask, 1, positions)
        stored = ops.kept(0, weight.count, mask)
        ranks = ops.put(weight.count, stored, ops.kept(0, len(stored), None))
        positions = ops.take(ranks, ops.take(positions, ops.kept(0, len(positions), parts["mask"])))
        parts["mask"] = ops.pack(parts["mask"], 1)
    for role, item in (("values", ITEMSIZE[weight.dtype]), ("codes", 1)):
        if role in parts:
            parts[role] = ops.gather(parts[role][:], item, positions)
    if "codes" in parts:
        parts["codes"] = ops.pack(parts["codes"], weight.bits)
    if "scale" in parts:
        before = each(lambda at: scale_at(weight, weight.shape, at), everywhere)
        shape = tuple(map(len, indices))
        after = each(lambda at: scale_at(weight, shape, at), ops.kept(0, len(before), None))
        at = ops.put(int(max(after)) + 1, after, before)
        same = agree(operator.eq, ops.take(at, after), before)
        need(same, "V15", f"the cut breaks groups of `{weight.base}`")
        parts["scale"] = ops.packed(ops.take(parts["scale"], at), FLOATS[weight.parts["scale"].dtype])
        if "zero" in parts:
            parts["zero"] = bytes(map(int, ops.take(parts["zero"], at)))
    return parts


def check_parts(weight: Weight, expected: Mapping[str, bytes], load: Load) -> None:
    """The parts of a weight are these bytes, which are known from now on; V15 when a digest says otherwise."""
    for role, part in weight.parts.items():
        same = load.store.learn(part.digest, part.dtype, part.shape, expected[role])
        need(same, "V15", f"`{part.name}` is not what the step makes of the weights before")
