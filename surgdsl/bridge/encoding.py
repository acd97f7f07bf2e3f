"""Encodings: how a weight is written as stored tensors, read back, cut and re-coded.

Every operation works on the stored form: a cut keeps codes, masks and scales bit for bit, so that what was promised
about a weight before the cut still holds of what is left.

>>> weight = dense(np.array([[0.0, 1.0], [3.0, 4.0]], dtype=np.float32))
>>> weight = with_codebook(weight, np.array([0.5, 3.5], dtype=np.float32), 1)
>>> decode(weight).tolist(), decode(take(weight, {1: [1]})).tolist()
([[0.5, 0.5], [3.5, 3.5]], [[0.5], [3.5]])
>>> decode(with_mask(weight, np.array([[True, False], [False, True]]))).tolist()
[[0.5, 0.0], [0.0, 3.5]]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from surgdsl.bridge.packing import Codes, pack, packed_size, unpack
from surgdsl.bridge.scaling import NARROW, after_cut, places, rows_of, scale_shape, spread
from surgdsl.bridge.weight import NUMPY, Array, Weight, is_stand_in
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.payload import Affine, Codebook, Dense, Encoding, Masked, innermost, masked

Indices = Sequence[int] | NDArray[np.integer[Any]]
Exact = NDArray[np.float64]


class Part(NamedTuple):
    """One stored tensor of a weight."""

    role: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    array: Array


def dense(array: Array, dtype: str | None = None) -> Weight:
    """The weight that `array` is. `dtype` is needed only for BF16, which numpy takes for uint16.

    Raises:
        Refusal: E0713, the dtype has no name in the certificate.
    """
    laid = {known: name for name, known in NUMPY.items() if name != "BF16"}
    name = dtype or laid.get(array.dtype.newbyteorder("<"))
    if name is None or NUMPY.get(name) != array.dtype.newbyteorder("<"):
        raise Refusal(
            Diagnostic("E0713", f"a tensor of dtype `{dtype or array.dtype}`, which no certificate can state")
        )
    return Weight(Dense(), name, array.shape, {"values": array.astype(NUMPY[name], copy=False)})


def decode(weight: Weight) -> Array:
    """Every element of the weight, in its dtype and shape (BF16 as raw bits)."""
    if not isinstance(weight.encoding, Masked):
        return stored(weight).reshape(weight.shape)
    values = np.zeros(math.prod(weight.shape), dtype=NUMPY[weight.dtype])
    values[kept(weight).reshape(-1)] = stored(weight)
    return values.reshape(weight.shape)


def stored(weight: Weight) -> Array:
    """The decoded values that are really stored, in order: all, or those that the mask keeps. Shape [m]."""
    match innermost(weight.encoding):
        case Dense():
            return weight.parts["values"].reshape(-1)
        case Codebook():
            return weight.parts["codebook"][codes(weight)]
        case Affine() as grid:
            return _on_grid(weight, grid)


RUN = 1 << 18
"""Elements that are computed with in float64 at a time."""


def _on_grid(weight: Weight, grid: Affine) -> Array:
    """scale · (code − zero) in float64, rounded once."""
    found, code = np.empty(stored_count(weight), dtype=NUMPY[weight.dtype]), codes(weight)
    for run, scale, zero in _blocks(weight, grid, weight.parts):
        found[run] = (scale * (code[run].reshape(len(scale), -1) - zero)).reshape(-1)
    return found


def _blocks(weight: Weight, grid: Affine, parts: Mapping[str, Array]) -> Iterator[tuple[slice, Exact, Exact]]:
    """Runs of stored elements, with the scales and the zero points that hold for equal shares of each.

    Shapes [r, 1]; a run has the elements of r scales, or r elements that have a scale each.
    """
    zero = np.full(scale_shape(grid, weight.shape), grid.middle) if grid.symmetric else parts["zero"]
    width = grid.group or rows_of(grid, weight.shape)[1]
    if grid.axis <= 0 and width and not rows_of(grid, weight.shape)[1] % width and not _masked(weight):
        scale, zero = (one.reshape(-1, 1).astype(np.float64) for one in (parts["scale"], zero))
        step = max(1, RUN // width)
        for start in range(0, len(scale), step):
            rows = slice(start, start + step)
            yield slice(start * width, (start + step) * width), scale[rows], zero[rows]
        return
    wide = (spread(one, grid, weight.shape) for one in (parts["scale"], zero))
    each: Any = tuple(one[kept(weight)] if _masked(weight) else one.flat for one in wide)
    for start in range(0, stored_count(weight), RUN):
        run = slice(start, start + RUN)
        scale, zero = (one[run].astype(np.float64)[:, None] for one in each)
        yield run, scale, zero


def _masked(weight: Weight) -> bool:
    return isinstance(weight.encoding, Masked)


def codes(weight: Weight) -> Codes:
    """The code of each stored element of a quantized weight. Shape [m]."""
    inner = innermost(weight.encoding)
    assert not isinstance(inner, Dense)
    return unpack(weight.parts["codes"], inner.bits, stored_count(weight))


def kept(weight: Weight) -> NDArray[np.bool_]:
    """Which elements are stored, in the shape of the weight; all of them where nothing is masked."""
    count = math.prod(weight.shape)
    if not isinstance(weight.encoding, Masked):
        return np.ones(weight.shape, dtype=np.bool_)
    return unpack(weight.parts["mask"], 1, count).astype(np.bool_).reshape(weight.shape)


def stored_count(weight: Weight) -> int:
    """m: the number of elements that are stored."""
    if not isinstance(weight.encoding, Masked):
        return math.prod(weight.shape)
    return int(np.bitwise_count(weight.parts["mask"]).sum(dtype=np.int64))


def channels(weight: Weight) -> Array:
    """Which of the scales of an affine weight each stored element has, counted row-major. Shape [m]."""
    inner = innermost(weight.encoding)
    assert isinstance(inner, Affine)
    everywhere = places(inner, weight.shape)
    return everywhere[kept(weight)] if isinstance(weight.encoding, Masked) else everywhere.reshape(-1)


def take(weight: Weight, keep: Mapping[int, Indices]) -> Weight:
    """The weight cut to the given indices of each dimension; its encoding, codes and scales stay as they are.

    Raises:
        Refusal: E0505, the cut would leave a masked weight with a codebook and no elements, or would break the groups
            of elements that share a scale.
    """
    indices = {dim: np.asarray(index, dtype=np.intp) for dim, index in keep.items()}
    scales = _scales_left(weight, indices)
    if weight.bare:
        return evolve(weight, shape=tuple(len(indices.get(dim, range(size))) for dim, size in enumerate(weight.shape)))
    if isinstance(weight.encoding, Dense):
        values = _shrunk(weight.parts["values"], indices)
        return evolve(weight, shape=values.shape, parts={"values": values})
    place = np.arange(stored_count(weight))
    if isinstance(weight.encoding, Masked):
        mask = kept(weight)
        rank = (np.cumsum(mask, dtype=np.int64) - 1).reshape(weight.shape)
        cut = _cut(mask, indices)
        place = _cut(rank, indices)[cut]
        shape, parts = cut.shape, {"mask": pack(cut.view(np.uint8), 1)}
    else:
        place = _cut(place.reshape(weight.shape), indices)
        shape, parts = place.shape, {}
    return _guarded(Weight(weight.encoding, weight.dtype, shape, parts | _selected(weight, place) | scales))


def _scales_left(weight: Weight, indices: Mapping[int, NDArray[np.intp]]) -> dict[str, Array]:
    """The scales and zero points of what a cut leaves of a weight; nothing where it has none."""
    grid = innermost(weight.encoding)
    if not isinstance(grid, Affine):
        return {}
    found = after_cut(grid, weight.shape, indices)
    if found is None:
        raise Refusal(_clash(weight, "a cut would break its groups; cut first, or use one scale for each channel"))
    after = tuple(len(indices.get(dim, range(size))) for dim, size in enumerate(weight.shape))
    held = {role: weight.parts[role] for role in ("scale", "zero") if role in weight.parts}
    return {role: part.reshape(-1)[found].reshape(scale_shape(grid, after)) for role, part in held.items()}


def _shrunk(values: Array, indices: Mapping[int, NDArray[np.intp]]) -> Array:
    if not is_stand_in(values):
        return _cut(values, indices)
    shape = tuple(len(indices[dim]) if dim in indices else size for dim, size in enumerate(values.shape))
    return np.broadcast_to(values[(0,) * values.ndim], shape)


def _cut(array: Array, indices: Mapping[int, NDArray[np.intp]]) -> Array:
    for dim, index in indices.items():
        array = np.take(array, index, axis=dim)
    return array


def _selected(weight: Weight, place: NDArray[np.intp] | NDArray[np.bool_]) -> dict[str, Array]:
    """The inner parts for the stored elements at `place`, or where it is true; scales stay."""
    parts = weight.parts
    match innermost(weight.encoding):
        case Dense():
            return {"values": parts["values"].reshape(-1)[place]}
        case Codebook(bits):
            return {"codes": pack(codes(weight)[place], bits), "codebook": parts["codebook"]}
        case Affine(bits):
            scales = {role: parts[role] for role in ("scale", "zero") if role in parts}
            return {"codes": pack(codes(weight)[place], bits)} | scales


def with_codebook(weight: Weight, codebook: NDArray[np.float32], bits: int) -> Weight:
    """The weight with every stored element replaced by its nearest codebook entry, ties to the lower.

    Raises:
        Refusal: E0505, the weight is already quantized, is not F32 or stores nothing; E0506, it is not finite.
    """
    values = _plain(weight)
    codebook = np.asarray(codebook, dtype=np.float32)
    assert 1 <= codebook.size <= 1 << bits
    assert np.isfinite(codebook).all()
    assert (np.diff(codebook) > 0).all()
    if not values.size:
        raise Refusal(_clash(weight, "a codebook needs at least one element"))
    code, limits = np.empty(values.size, dtype=np.uint8), thresholds(codebook)
    for start in range(0, values.size, RUN):
        code[start : start + RUN] = np.searchsorted(limits, values[start : start + RUN])
    return _recoded(weight, Codebook(bits), {"codes": pack(code, bits), "codebook": codebook})


def thresholds(codebook: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest float32 t with 2t ≤ c_k + c_{k+1}: 2w > c_k + c_{k+1} in float64 exactly when w > t."""
    half = (codebook[:-1].astype(np.float64) + codebook[1:].astype(np.float64)) / 2
    nearest = half.astype(np.float32)
    return np.where(nearest.astype(np.float64) > half, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def with_affine(weight: Weight, grid: Affine, scale: Array, zero: Codes | None = None) -> Weight:
    """The weight with every stored element as clamp(round_half_even(w/scale) + zero, 0, 2^bits − 1).

    Args:
        weight: what is encoded.
        grid: the bits, and which elements share a scale.
        scale: float32, or float16 where there are groups, of the shape that `scale_shape` tells.
        zero: uint8 of that shape; None where the grid is symmetric.

    Raises:
        Refusal: E0505, the weight is already quantized or is not F32; E0506, it is not finite.
    """
    values = _plain(weight)
    assert scale.dtype == np.float32 or (scale.dtype == NARROW and grid.group)
    assert (zero is None) == grid.symmetric
    assert scale.shape == scale_shape(grid, weight.shape) == (scale if zero is None else zero).shape
    assert np.isfinite(scale).all()
    assert (scale > 0).all()
    parts: dict[str, Array] = {"scale": scale} if zero is None else {"scale": scale, "zero": zero.astype(np.uint8)}
    code = np.empty(values.size, dtype=np.uint8)
    for run, steps, zeros in _blocks(weight, grid, parts):
        exact = values[run].reshape(len(steps), -1) / steps
        np.rint(exact, out=exact)
        exact += zeros
        code[run] = np.clip(exact, 0, (1 << grid.bits) - 1, out=exact).reshape(-1)
    return _recoded(weight, grid, {"codes": pack(code, grid.bits)} | parts)


def with_mask(weight: Weight, keep: NDArray[np.bool_]) -> Weight:
    """The weight with only the elements of `keep` (of its shape) stored; what an earlier mask left out stays out.

    Raises:
        Refusal: E0505, the weight is not F32, or has a codebook and would store nothing.
    """
    if weight.dtype != "F32":
        raise Refusal(_clash(weight, "only F32 weights can be masked"))
    before = kept(weight)
    after = before & keep
    chosen = after[before] if isinstance(weight.encoding, Masked) else after.reshape(-1)
    parts = {"mask": pack(after.view(np.uint8), 1)} | _selected(weight, chosen)
    return _guarded(Weight(masked(weight.encoding), weight.dtype, weight.shape, parts))


def _plain(weight: Weight) -> NDArray[np.float32]:
    """The finite stored values of a weight that is not quantized yet."""
    check_codable(weight)
    values = stored(weight)
    if not np.isfinite(values).all():
        raise Refusal(Diagnostic("E0506", "a weight that holds NaN or an infinity cannot be quantized"))
    return values


def _recoded(weight: Weight, inner: Codebook | Affine, parts: dict[str, Array]) -> Weight:
    if isinstance(weight.encoding, Masked):
        return evolve(weight, encoding=Masked(inner), parts={"mask": weight.parts["mask"]} | parts)
    return evolve(weight, encoding=inner, parts=parts)


def _guarded(weight: Weight) -> Weight:
    """`weight`, unless it has a mask over a codebook and keeps nothing, which no certificate can state."""
    if isinstance(weight.encoding, Masked) and isinstance(weight.encoding.inner, Codebook) and not stored_count(weight):
        raise Refusal(_clash(weight, "a codebook needs at least one element"))
    return weight


def _clash(weight: Weight, reason: str) -> Diagnostic:
    found = f"the weight is {weight.dtype}, stored as {weight.encoding!r}"
    return Diagnostic("E0505", "this encoding does not compose", label=f"{reason}; {found}")


def part_names(base: str, encoding: Encoding) -> dict[str, str]:
    """The tensor name of each part by role, in the order in which a certificate lists them.

    >>> part_names("w", Masked(Codebook(4)))
    {'mask': 'w.mask', 'codes': 'w.codes', 'codebook': 'w.codebook'}
    """
    match encoding:
        case Masked(Dense()):
            roles = ("mask", "values")
        case Masked(inner):
            return {"mask": f"{base}.mask"} | part_names(base, inner)
        case Dense():
            return {"values": base}
        case Codebook():
            roles = ("codes", "codebook")
        case Affine(symmetric=symmetric):
            roles = ("codes", "scale") if symmetric else ("codes", "scale", "zero")
    return {role: f"{base}.{role}" for role in roles}


def parts_of(base: str, weight: Weight) -> list[Part]:
    """The stored tensors of `weight` under the name `base`, in the order of a certificate."""
    others = {"mask": "U8", "codes": "U8", "zero": "U8"}
    if "scale" in weight.parts and weight.parts["scale"].dtype == NARROW:
        others["scale"] = "F16"
    return [
        Part(role, name, others.get(role, weight.dtype), weight.parts[role].shape, weight.parts[role])
        for role, name in part_names(base, weight.encoding).items()
    ]


def check_codable(weight: Weight) -> None:
    """Refuse a weight that can lie neither in a codebook nor on a grid, whatever its values are.

    Raises:
        Refusal: E0505, it is already quantized or is not F32.
    """
    if not isinstance(innermost(weight.encoding), Dense):
        raise Refusal(_clash(weight, "a weight that is already quantized cannot be quantized again"))
    if weight.dtype != "F32":
        raise Refusal(_clash(weight, "codes can only stand for F32 values"))


def coded_bytes(weight: Weight, form: Codebook | Affine) -> int:
    """The bytes of all parts of a weight that is not bare, were its elements stored in `form`: at most so many."""
    others = weight.parts["mask"].nbytes if isinstance(weight.encoding, Masked) else 0
    codes = packed_size(stored_count(weight), form.bits)
    if isinstance(form, Codebook):
        return others + codes + 4 * (1 << form.bits)
    return others + codes + math.prod(scale_shape(form, weight.shape)) * (4 if form.symmetric else 5)


def stored_bytes(weight: Weight) -> int:
    """Bytes of all parts together."""
    return sum(array.nbytes for array in weight.parts.values())
