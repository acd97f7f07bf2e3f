"""Encodings: what is stored decodes to what the certificate says, and cuts and masks reach through exactly."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from surgdsl.bridge.encoding import (
    decode,
    dense,
    kept,
    part_names,
    parts_of,
    stored,
    stored_bytes,
    stored_count,
    take,
    with_affine,
    with_codebook,
    with_mask,
)
from surgdsl.bridge.packing import pack, packed_size, unpack
from surgdsl.bridge.weight import NUMPY, Weight
from surgdsl.diagnostic import Refusal
from surgdsl.diagram.payload import Affine, Codebook, Dense, Masked, innermost

FLOATS = st.floats(-100, 100, width=32)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)
ARRAYS = hnp.arrays(np.float32, SHAPES, elements=FLOATS)


@st.composite
def weights(draw: st.DrawFn) -> Weight:
    """A weight in any encoding of the contract."""
    weight = dense(draw(ARRAYS))
    if draw(st.booleans()):
        mask = draw(hnp.arrays(np.bool_, weight.shape))
        mask.reshape(-1)[draw(st.integers(0, mask.size - 1))] = True
        weight = with_mask(weight, mask)
    bits = draw(st.integers(1, 8))
    kind = draw(st.sampled_from(["dense", "codebook", "affine"]))
    if kind == "codebook":
        entries = draw(st.sets(FLOATS, min_size=1, max_size=1 << bits))
        return with_codebook(weight, np.array(sorted(entries), dtype=np.float32), bits)
    if kind == "affine":
        return with_affine(weight, *draw(grids(weight.shape, bits)))
    return weight


@st.composite
def grids(
    draw: st.DrawFn, shape: tuple[int, ...], bits: int
) -> tuple[Affine, NDArray[np.floating[Any]], NDArray[np.uint8] | None]:
    """A grid for weights of a shape, with scales and zero points."""
    grid = Affine(bits, draw(st.integers(-1, len(shape) - 1)), draw(st.integers(0, 7)), draw(st.booleans()))
    rows = 1 if grid.axis < 0 else shape[grid.axis]
    runs = (-(-(int(np.prod(shape)) // rows) // grid.group),) if grid.group else ()
    narrow = bool(grid.group) and draw(st.booleans())
    elements = st.floats(2**-10, 10, width=16) if narrow else st.floats(2**-10, 10, width=32)
    scale = draw(hnp.arrays(np.float16 if narrow else np.float32, (rows, *runs), elements=elements))
    zero = draw(hnp.arrays(np.uint8, (rows, *runs), elements=st.integers(0, (1 << bits) - 1)))
    return grid, scale, None if grid.symmetric else zero


def sharing(grid: Affine, shape: tuple[int, ...]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """The place of the scale of each element, in loops."""
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    seen = dict[int, int]()
    for place in itertools.product(*map(range, shape)):
        row = 0 if grid.axis < 0 else place[grid.axis]
        rank = seen[row] = seen.get(row, -1) + 1
        found[place] = (row, rank // grid.group) if grid.group else (row,)
    return found


def bit_equal(left: np.ndarray, right: np.ndarray) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


@given(st.integers(1, 8), st.data())
def test_unpack_undoes_pack_and_bits_lie_where_the_contract_says(bits: int, data: st.DataObject) -> None:
    codes = data.draw(hnp.arrays(np.uint8, st.integers(0, 40), elements=st.integers(0, (1 << bits) - 1)))
    packed = pack(codes, bits)
    number = sum(int(code) << (place * bits) for place, code in enumerate(codes))
    assert number.to_bytes(packed_size(codes.size, bits), "little") == packed.tobytes()
    assert codes.tolist() == unpack(packed, bits, codes.size).tolist()


@given(weights(), st.data())
def test_cutting_and_decoding_commute(weight: Weight, data: st.DataObject) -> None:
    keep = {
        dim: sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
        for dim, size in enumerate(weight.shape)
        if data.draw(st.booleans())
    }
    expected, mask = decode(weight), kept(weight)
    for dim, index in keep.items():
        expected, mask = np.take(expected, index, axis=dim), np.take(mask, index, axis=dim)
    if isinstance(innermost(weight.encoding), Codebook) and not mask.any():
        with pytest.raises(Refusal, match="E0505"):
            take(weight, keep)
        return
    if breaks(weight, keep):
        for one in (weight, evolve(weight, parts={})):
            with pytest.raises(Refusal, match="E0505"):
                take(one, keep)
        return
    cut = take(weight, keep)
    assert cut.encoding == weight.encoding
    assert bit_equal(expected, decode(cut))
    assert cut.shape == expected.shape
    well_formed(cut)


def breaks(weight: Weight, keep: dict[int, list[int]]) -> bool:
    """Whether elements that would share a scale after a cut had different ones before it."""
    grid = innermost(weight.encoding)
    if not isinstance(grid, Affine):
        return False
    index = [keep.get(dim, list(range(size))) for dim, size in enumerate(weight.shape)]
    before, held = sharing(grid, weight.shape), dict[tuple[int, ...], set[tuple[int, ...]]]()
    for place, scale in sharing(grid, tuple(map(len, index))).items():
        held.setdefault(scale, set()).add(before[tuple(one[at] for one, at in zip(index, place, strict=True))])
    return any(len(scales) > 1 for scales in held.values())


@given(weights(), st.data())
def test_a_mask_zeroes_what_it_leaves_out_and_nothing_else(weight: Weight, data: st.DataObject) -> None:
    mask = data.draw(hnp.arrays(np.bool_, weight.shape))
    if isinstance(innermost(weight.encoding), Codebook) and not (mask & kept(weight)).any():
        with pytest.raises(Refusal, match="E0505"):
            with_mask(weight, mask)
        return
    masked = with_mask(weight, mask)
    assert masked.encoding == Masked(innermost(weight.encoding))
    assert bit_equal(np.where(mask, decode(weight), np.float32(0)), decode(masked))
    assert stored_count(masked) == int((mask & kept(weight)).sum())
    well_formed(masked)


@given(weights())
def test_parts_have_the_shapes_of_the_contract(weight: Weight) -> None:
    well_formed(weight)


def well_formed(weight: Weight) -> None:
    """Section 5 of the certificate, said once more in loops."""
    count, inner = stored_count(weight), innermost(weight.encoding)
    shapes: dict[str, tuple[int, ...]] = {}
    if isinstance(weight.encoding, Masked):
        shapes["mask"] = ((int(np.prod(weight.shape)) + 7) // 8,)
    if isinstance(inner, Dense):
        shapes["values"] = (count,) if isinstance(weight.encoding, Masked) else weight.shape
    else:
        shapes["codes"] = ((count * inner.bits + 7) // 8,)
    if isinstance(inner, Codebook):
        shapes["codebook"] = weight.parts["codebook"].shape
    if isinstance(inner, Affine):
        runs = set(sharing(inner, weight.shape).values())
        shapes["scale"] = tuple(max(places) + 1 for places in zip(*runs, strict=True))
        if not inner.symmetric:
            shapes["zero"] = shapes["scale"]
    parts = parts_of("w", weight)
    assert list(shapes.items()) == [(part.role, part.shape) for part in parts]
    assert [(part.role, part.name) for part in parts] == list(part_names("w", weight.encoding).items())
    for part in parts:
        assert part.array.dtype == NUMPY[part.dtype]
        assert part.dtype == "U8" if part.role in ("mask", "codes", "zero") else part.dtype.startswith("F")
        assert part.array.shape == part.shape
        assert part.array.flags.c_contiguous
        assert not part.array.flags.writeable
    assert stored_bytes(weight) == sum(part.array.nbytes for part in parts)


@given(ARRAYS, st.sets(FLOATS, min_size=1, max_size=16))
def test_codes_follow_the_midpoint_rule_in_float64(array: np.ndarray, entries: set[float]) -> None:
    codebook = np.array(sorted(entries), dtype=np.float32)
    weight = with_codebook(dense(array), codebook, 4)
    middles = codebook[:-1].astype(np.float64) + codebook[1:].astype(np.float64)
    expected = [int((2 * float(value) > middles).sum()) for value in array.reshape(-1)]
    assert expected == unpack(weight.parts["codes"], 4, array.size).tolist()


def test_codes_at_and_around_every_midpoint() -> None:
    tiny = np.float32(1e-45)
    codebook = np.array([-3.4e38, -1.0, -tiny, 0, tiny, 2 * tiny, 0.1, 0.3, 1, 1.0000001, 3.4e38], dtype=np.float32)
    middles = (codebook[:-1].astype(np.float64) + codebook[1:].astype(np.float64)) / 2
    near = middles.astype(np.float32)
    values = np.concatenate(
        [near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf)), codebook]
    )
    weight = with_codebook(dense(values), codebook, 4)
    expected = [int((2 * float(value) > 2 * middles).sum()) for value in values]
    assert expected == unpack(weight.parts["codes"], 4, values.size).tolist()


@given(ARRAYS, st.integers(1, 8), st.data())
def test_affine_codes_and_values_follow_the_contract(array: np.ndarray, bits: int, data: st.DataObject) -> None:
    grid, scale, zero = data.draw(grids(array.shape, bits))
    weight = with_affine(dense(array), grid, scale, zero)
    codes = unpack(weight.parts["codes"], bits, array.size).reshape(array.shape)
    for place, at in sharing(grid, array.shape).items():
        offset = 1 << (bits - 1) if zero is None else int(zero[at])
        step = round(float(array[place]) / float(scale[at])) + offset
        assert min(max(step, 0), (1 << bits) - 1) == codes[place]
        assert np.float32(float(scale[at]) * (int(codes[place]) - offset)) == decode(weight)[place]


@pytest.mark.parametrize("dtype", [name for name in NUMPY if name != "F32"])
def test_other_dtypes_are_stored_and_cut_but_neither_masked_nor_quantized(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(NUMPY[dtype])
    weight = dense(array, dtype if dtype == "BF16" else None)
    assert weight.dtype == dtype
    assert bit_equal(array[:, [0, 2]], decode(take(weight, {1: [0, 2]})))
    for change in (
        lambda: with_mask(weight, np.ones((2, 3), dtype=np.bool_)),
        lambda: with_codebook(weight, np.zeros(1, dtype=np.float32), 1),
        lambda: with_affine(weight, Affine(1, -1), np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.uint8)),
    ):
        with pytest.raises(Refusal, match="E0505"):
            change()


def test_quantizing_twice_is_refused() -> None:
    weight = with_codebook(dense(np.ones(3, dtype=np.float32)), np.ones(1, dtype=np.float32), 1)
    with pytest.raises(Refusal, match="E0505"):
        with_codebook(weight, np.ones(1, dtype=np.float32), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_not_quantized(bad: float) -> None:
    with pytest.raises(Refusal, match="E0506"):
        with_codebook(dense(np.array([1, bad], dtype=np.float32)), np.ones(1, dtype=np.float32), 1)


def test_a_dtype_that_no_certificate_has_is_refused() -> None:
    with pytest.raises(Refusal, match="E0713"):
        dense(np.zeros(2, dtype=np.complex64))
    with pytest.raises(Refusal, match="E0713"):
        dense(np.zeros(2, dtype=np.uint16))


def test_a_scalar_weight_goes_through() -> None:
    weight = with_mask(dense(np.array(2.5, dtype=np.float32)), np.array(True))
    assert bit_equal(np.array(2.5, dtype=np.float32), decode(weight))
    assert stored(weight).tolist() == [2.5]
