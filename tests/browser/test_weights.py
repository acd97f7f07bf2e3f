"""Weights in the browser's verifier against numpy, and the layers that it computes against torch."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from tests.browser.engine import evaluate

WEIGHTS = """async (base, cases) => {
  const { Store } = await import(base + "store.js");
  const { checkParts, decoder, inspect, runs } = await import(base + "weights.js");
  const { layout } = await import(base + "layout.js");
  const results = [];
  for (const { encoding, parts, sort } of cases) {
    const store = new Store();
    const operation = { op: "param", encoding, parts: [] };
    for (const { bytes, dtype, name, role, shape } of parts)
      operation.parts.push({ digest: await store.put(dtype, shape, Uint8Array.from(bytes)), dtype, name, role, shape });
    try {
      checkParts(operation, sort);
      const { nnz, infinite } = await inspect(operation, sort, store);
      const form = layout(operation, sort);
      const decode = sort.dtype === "F32" ? await decoder(form, store) : null;
      const bits = new Uint32Array(form.elements);
      for await (const run of runs(form, store)) {
        const stored = decode === null ? [] : decode(run);
        for (let i = 0, rank = 0; i < run.length && decode; i++)
          if (run.kept === null || run.kept[i]) bits[run.start + i] = stored[rank++];
      }
      results.push([Number(nnz), Number(infinite), [...bits]]);
    } catch (fault) {
      results.push(fault.code);
    }
  }
  return results;
}"""
LAYERS = """async (base, cases) => {
  const { applyBox } = await import(base + "rules/forward.js");
  const build = ([shape, data]) => ({ shape, data: Float64Array.from(data) });
  return cases.map(([kind, given, sources, weights, sizes]) => {
    const weight = (name) => (name in weights ? Float64Array.from(weights[name]) : null);
    const { shape, data } = applyBox(kind, new Map(Object.entries(given)), sources.map(build), weight, sizes);
    return [shape, [...data]];
  });
}"""

Array = np.ndarray[Any, Any]
Json = dict[str, Any]
SHAPE = (6, 5, 3)
GRIDS = [(-1, None, "affine"), (1, None, "symmetric"), (0, 4, "affine"), (1, 5, "affine"), (-1, 7, "symmetric")]
DTYPES = {"float32": "F32", "float16": "F16", "uint8": "U8", "int64": "I64", "float64": "F64"}


def part(role: str, array: Array, name: str = "") -> Json:
    stored = {"dtype": DTYPES[str(array.dtype)], "shape": list(array.shape), "bytes": list(array.tobytes())}
    return {"role": role, "name": name or f"w.{role}", **stored}


def packed(codes: Array, bits: int) -> Array:
    digits = (codes.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(digits.ravel().astype(np.uint8), bitorder="little")


def weight(encoding: Json, *parts: Json, dtype: str = "F32") -> Json:
    return {"encoding": encoding, "parts": list(parts), "sort": {"dtype": dtype, "shape": list(SHAPE)}}


def results(*cases: Json) -> list[Any]:
    return evaluate(WEIGHTS, list(cases))


def agrees(found: list[Any], expected: Array) -> None:
    nnz, _, bits = found
    assert expected.astype(np.float32).ravel().view(np.uint32).tolist() == bits
    assert int(np.count_nonzero(expected)) == nnz


def test_codebooks_are_decoded_with_and_without_a_mask() -> None:
    rng = np.random.default_rng(1)
    book = np.array([-1.5, 0.0, 0.25, 7.0, 8.0], np.float32)
    codes, mask = rng.integers(0, 5, SHAPE).astype(np.uint8), rng.integers(0, 2, SHAPE).astype(np.uint8)
    inner = {"bits": 3, "kind": "codebook"}
    plain = weight(inner, part("codes", packed(codes, 3)), part("codebook", book))
    kept = part("codes", packed(codes[mask == 1], 3))
    masked = weight({"inner": inner, "kind": "masked"}, part("mask", packed(mask, 1)), kept, part("codebook", book))
    first, second = results(plain, masked)
    agrees(first, book[codes])
    agrees(second, np.where(mask, book[codes], np.float32(0)))


def test_grids_take_the_scale_of_their_channel_and_group() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 16, SHAPE).astype(np.uint8)
    mask = rng.integers(0, 2, SHAPE).astype(np.uint8)
    for axis, group, kind in [
        (-1, None, "affine"),
        (1, None, "symmetric"),
        (0, 4, "affine"),
        (1, 5, "affine"),
        (-1, 7, "symmetric"),
    ]:
        channels = 1 if axis < 0 else SHAPE[axis]
        inside = np.zeros(SHAPE, int) if axis < 0 else np.indices(SHAPE)[axis]
        rank = np.zeros(SHAPE, int)
        for channel in range(channels):
            rank[inside == channel] = np.arange(np.count_nonzero(inside == channel))
        groups = 1 if group is None else -(-codes.size // channels // group)
        shape = (channels,) if group is None else (channels, groups)
        scale = rng.uniform(0.01, 3, shape).astype(np.float16 if group else np.float32)
        zero = rng.integers(0, 16, shape).astype(np.uint8) if kind == "affine" else np.full(shape, 8, np.uint8)
        place = inside * groups + (0 if group is None else rank // group)
        decoded = (scale.ravel().astype(np.float64)[place] * (codes.astype(int) - zero.ravel()[place])).astype(
            np.float32
        )
        inner = {"axis": axis, "bits": 4, "kind": kind, **({"group": group} if group else {})}
        grid = [part("scale", scale), *([part("zero", zero)] if kind == "affine" else [])]
        plain = weight(inner, part("codes", packed(codes, 4)), *grid)
        kept = part("codes", packed(codes[mask == 1], 4))
        masked = weight({"inner": inner, "kind": "masked"}, part("mask", packed(mask, 1)), kept, *grid)
        first, second = results(plain, masked)
        agrees(first, decoded)
        agrees(second, np.where(mask, decoded, np.float32(0)))


def test_what_is_not_zero_is_counted_by_its_bits() -> None:
    size = int(np.prod(SHAPE))
    single = np.zeros(size, np.float32)
    single[:5] = [-0.0, np.inf, np.nan, 1e-45, 2.0]
    wide, whole = single.astype(np.float64), np.zeros(size, np.int64)
    whole[:3] = [1, -1, 2**40]
    dense = {"kind": "dense"}
    cases = [(single, "F32"), (wide, "F64"), (single.astype(np.float16), "F16"), (whole, "I64")]
    stored = [weight(dense, part("values", array.reshape(SHAPE), "w"), dtype=dtype) for array, dtype in cases]
    assert [found[:2] for found in results(*stored)] == [[4, 2], [4, 2], [3, 2], [3, 0]]


def test_bytes_that_section_5_does_not_allow_are_refused() -> None:
    size = int(np.prod(SHAPE))
    mask = np.zeros(size, np.uint8)
    mask[:9] = 1
    nine, bits = part("values", np.ones(9, np.float32)), packed(mask, 1)
    stray = bits.copy()
    stray[-1] |= 0x80
    dense = {"inner": {"kind": "dense"}, "kind": "masked"}
    book = {"bits": 3, "kind": "codebook"}
    codes = part("codes", packed(np.full(size, 2), 3))
    grid = {"axis": -1, "bits": 3, "kind": "symmetric"}
    good = results(weight(dense, part("mask", bits), nine))
    assert good[0][0] == 9
    assert (
        results(
            weight(dense, part("mask", stray), nine),
            weight(dense, part("mask", bits), part("values", np.ones(8, np.float32))),
            weight(book, codes, part("codebook", np.array([0, 1], np.float32))),
            weight(book, codes, part("codebook", np.array([0, 1, 1], np.float32))),
            weight(book, codes, part("codebook", np.array([0, 1, np.inf], np.float32))),
            weight(book, codes, part("codebook", np.arange(9, dtype=np.float32))),
            weight(grid, codes, part("scale", np.array([-1], np.float32))),
            weight(grid, codes, part("scale", np.array([1], np.float16))),
            weight({**grid, "axis": 3}, codes, part("scale", np.array([1], np.float32))),
            weight(book, part("codes", packed(np.full(size, 2), 2)), part("codebook", np.arange(3, dtype=np.float32))),
        )
        == ["V15"] * 7 + ["V09"] * 3
    )


def test_layers_compute_what_torch_does() -> None:
    torch.manual_seed(3)
    x, w, b = (torch.randn(*shape, dtype=torch.float64) for shape in ((2, 6, 9, 8), (8, 3, 3, 2), (8,)))
    rows, deep = torch.randn(3, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    gamma, beta, mean = (torch.randn(6, dtype=torch.float64) for _ in range(3))
    variance = torch.rand(6, dtype=torch.float64)
    window = {"groups": 2, "stride": [2, 1], "padding": [1, 0], "dilation": [1, 3]}
    alone: Json = {"weight": w.ravel().tolist()}
    same = {"groups": 2, "stride": [1], "padding": "same", "dilation": [2]}
    small = {"float": "0x1.4f8b588e368f1p-17"}

    def plain(*tensors: torch.Tensor) -> list[object]:
        return [[list(tensor.shape), tensor.ravel().tolist()] for tensor in tensors]

    both: Json = {**alone, "bias": b.tolist()}
    scales: Json = {"gamma": gamma.tolist(), "beta": beta.tolist(), "mean": mean.tolist(), "var": variance.tolist()}
    ends = torch.linspace(-7, 7, 57, dtype=torch.float64)
    cases: list[tuple[torch.Tensor, list[Any]]] = [
        (functional.conv2d(x, w, b, (2, 1), (1, 0), (1, 3), 2), ["conv2d", window, plain(x), both, [8, 3, 3, 2]]),
        (
            functional.conv2d(x, w, None, 1, "same", 2, 2),
            ["conv2d", same, plain(x), alone, [8, 3, 3, 2]],
        ),
        (functional.linear(rows, deep), ["linear", {}, plain(rows), {"weight": deep.ravel().tolist()}, [4, 5]]),
        (functional.batch_norm(x, mean, variance, gamma, beta), ["batchnorm", {"eps": small}, plain(x), scales, [6]]),
        (functional.layer_norm(rows, [5]), ["layernorm", {"eps": small}, plain(rows), {}, [5]]),
        (functional.gelu(ends), ["gelu", {"approximate": "none"}, plain(ends), {}, []]),
        (functional.gelu(ends, approximate="tanh"), ["gelu", {"approximate": "tanh"}, plain(ends), {}, []]),
        (rows * torch.ones(5) * 3 + rows, ["add", {"alpha": 1}, plain(rows * 3, rows), {}, []]),
        (rows / rows[:1], ["div", {}, plain(rows, rows[:1]), {}, []]),
    ]
    names = ["silu", "relu", "relu6", "hardsigmoid", "hardswish", "mish", "sigmoid", "tanh"]
    cases += [(getattr(functional, name)(ends), [name, {}, plain(ends), {}, []]) for name in names]
    for (expected, case), (shape, data) in zip(cases, evaluate(LAYERS, [case for _, case in cases]), strict=True):
        assert list(expected.shape) == shape, case[0]
        np.testing.assert_allclose(data, expected.ravel().numpy(), rtol=1e-12, atol=1e-13, err_msg=str(case[0]))
