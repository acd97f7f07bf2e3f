"""Formulas over tensors, singular values and rounding in the browser's verifier, against numpy."""

from typing import Any

import numpy as np
import pytest

from tests.browser.engine import evaluate

TENSOR = """async (base, cases) => {
  const { evaluateTensor } = await import(base + "tensor.js");
  const build = ([axes, data]) => ({ axes: new Map(axes), data: Float64Array.from(data, Number) });
  return cases.map(([tree, tensors]) => {
    const named = new Map(Object.entries(tensors).map(([name, tensor]) => [name, build(tensor)]));
    const { axes, data } = evaluateTensor(tree, { tensors: named, slack: 0 });
    return [[...axes], [...data].map(String)];
  });
}"""
SINGULAR = """async (base, cases) => {
  const { singularValues } = await import(base + "spectral.js");
  const matrix = (rows, columns, data) => ({ rows, columns, data: Float64Array.from(data) });
  return cases.map(([rows, columns, data, numbers]) => singularValues(matrix(rows, columns, data), numbers));
}"""
ROUND = """async (base, values) => {
  const { encodeFloats } = await import(base + "rules/round.js");
  const { floats } = await import(base + "weights.js");
  const given = Float64Array.from(values, Number);
  return ["F64", "F32", "F16"].map((dtype) => {
    const bytes = encodeFloats(dtype, given);
    return [[...bytes], [...floats(dtype, bytes)].map(String)];
  });
}"""
NEAREST = """async (base, texts) => {
  const { nearest, ratio } = await import(base + "rational.js");
  return texts.map(([n, d]) => String(nearest(ratio(BigInt(n), BigInt(d)))));
}"""

Array = np.ndarray[Any, np.dtype[np.float64]]


def apply(function: str, *terms: object) -> dict[str, object]:
    return {"apply": function, "terms": list(terms)}


def of(name: str) -> dict[str, str]:
    return {"variable": name}


def named(**extents: int) -> list[tuple[str, int]]:
    return list(extents.items())


def value(tree: object, **tensors: tuple[list[tuple[str, int]], Array]) -> tuple[list[list[object]], list[float]]:
    given = {name: [axes, [repr(float(item)) for item in data.ravel()]] for name, (axes, data) in tensors.items()}
    ((axes, data),) = evaluate(TENSOR, [[tree, given]])
    return axes, [float(text) for text in data]


def test_terms_are_aligned_by_the_names_of_their_axes() -> None:
    rng = np.random.default_rng(1)
    w, g, b = rng.standard_normal((4, 3)), rng.standard_normal(4), rng.standard_normal((3, 4))
    tree = apply("add", apply("mul", of("g"), of("w")), of("b"))
    axes, data = value(tree, w=(named(o=4, i=3), w), g=(named(o=4), g), b=(named(i=3, o=4), b))
    assert axes == [["o", 4], ["i", 3]]
    assert (g[:, None] * w + b.T).ravel().tolist() == data


@pytest.mark.parametrize("shape", [(5, 7, 6), (3, 1500, 1200)], ids=["at once", "in slices"])
def test_a_sum_adds_one_after_the_other(shape: tuple[int, int, int]) -> None:
    o, h, i = shape
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((h, i)), rng.standard_normal((o, h))
    expected = a[0][None, :] * b[:, 0][:, None]
    for k in range(1, h):
        expected = expected + a[k][None, :] * b[:, k][:, None]
    tree = {"axes": ["h"], "body": apply("mul", of("b"), of("a")), "reduce": "sum"}
    axes, data = value(tree, a=(named(h=h, i=i), a), b=(named(o=o, h=h), b))
    assert [["o", o], ["i", i]] == axes
    assert expected.ravel().tolist() == data


@pytest.mark.parametrize(
    ("kind", "fold"), [("sum", np.add), ("prod", np.multiply), ("min", np.minimum), ("max", np.maximum)]
)
def test_reductions_go_row_major_through_the_listed_axes(kind: str, fold: np.ufunc) -> None:
    w = np.random.default_rng(3).standard_normal((3, 4, 5)) * 1e8 ** np.random.default_rng(4).standard_normal((3, 4, 5))
    _, data = value({"axes": ["c", "a"], "body": of("w"), "reduce": kind}, w=(named(a=3, b=4, c=5), w))
    rows = w.transpose(2, 0, 1).reshape(15, 4)
    expected = rows[0]
    for row in rows[1:]:
        expected = fold(expected, row)
    assert expected.tolist() == data


def test_functions_are_those_of_the_page() -> None:
    x = np.array([-2.0, -0.0, 0.5, 3.0, np.nan])
    negative = apply("lt", of("x"), {"number": "0"})
    third = apply("pow", of("x"), {"number": "3"})
    cases = {
        "if": (
            apply("if", negative, apply("neg", of("x")), third),
            [2.0, 0.0, 0.125, 27.0, np.nan],
        ),
        "min": (apply("min", of("x"), {"number": "1/2"}), [-2.0, -0.0, 0.5, 0.5, np.nan]),
        "max": (apply("max", {"number": "1/2"}, of("x")), [0.5, 0.5, 0.5, 3.0, np.nan]),
        "inverse": (apply("pow", of("x"), {"number": "-2"}), [0.25, np.inf, 4.0, 1 / 9.0, np.nan]),
        "mean": ({"axes": ["*"], "body": apply("abs", of("y")), "reduce": "mean"}, [0.2]),
        "count": ({"axes": ["b"], "body": of("y"), "reduce": "count"}, [2.0]),
    }
    y = np.array([-0.1, 0.3])
    for tree, expected in cases.values():
        _, data = value(tree, x=(named(a=5), x), y=(named(b=2), y))
        np.testing.assert_array_equal(expected, data)


def test_singular_values_are_those_of_numpy() -> None:
    rng = np.random.default_rng(5)
    shapes = [(1, 1), (1, 9), (9, 1), (6, 8), (40, 25), (25, 40)]
    matrices = [rng.standard_normal(shape) for shape in shapes]
    matrices += [np.ones((6, 4)), np.zeros((3, 2)), np.diag([1e200, 1.0, 1e-200]), np.diag([1e-290, 1e-300])]
    matrices += [rng.standard_normal((30, 4)) @ rng.standard_normal((4, 50)), np.vander(np.linspace(0, 1, 12))]
    cases = [[*m.shape, m.ravel().tolist(), list(range(1, min(m.shape) + 2))] for m in matrices]
    for matrix, found in zip(matrices, evaluate(SINGULAR, cases), strict=True):
        expected = [*np.linalg.svd(matrix, compute_uv=False), 0.0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * (expected[0] or 1))


def test_floats_are_rounded_once_to_the_nearest_ties_to_even() -> None:
    rng = np.random.default_rng(6)
    half = np.arange(0, 0x7C00, 7, dtype=np.uint16).view(np.float16).astype(np.float64)
    between = (half[1:] + half[:-1]) / 2
    near = np.concatenate(
        [np.nextafter(between, np.inf), np.nextafter(between, 0), half, between, 2.0 ** np.arange(-30, 18)]
    )
    wide = rng.standard_normal(500) * 10.0 ** rng.integers(-9, 6, 500)
    values = np.concatenate([near, -near, wide, [65519.99, 65520.0, -65520.0, 1e300, 0.0, -0.0, 5e-324]])
    with np.errstate(over="ignore"):
        expected = [values.astype(dtype) for dtype in (np.float64, np.float32, np.float16)]
    for (encoded, decoded), array in zip(evaluate(ROUND, [repr(float(v)) for v in values]), expected, strict=True):
        assert list(array.tobytes()) == encoded
        assert array.astype(np.float64).tolist() == [float(text.replace("Infinity", "inf")) for text in decoded]


def test_a_rational_becomes_the_nearest_float() -> None:
    rng = np.random.default_rng(7)
    pairs = [(int(n), int(d)) for n, d in rng.integers(1, 2**62, (200, 2))]
    pairs += [
        (1, 2**1074),
        (3, 2**1075),
        (1, 2**1075),
        (2**53 + 1, 1),
        (-(2**53) - 3, 1),
        (10**308, 3),
        (2**1024 - 2**970 - 1, 1),
        (1, 10**320),
    ]
    found = evaluate(NEAREST, [[str(n), str(d)] for n, d in pairs])
    assert [n / d for n, d in pairs] == [float(text) for text in found]
