"""Certificates of numbers: honest ones whose elements, codes, formulas and counts lie where arithmetic is delicate.

Signed zeros, NaN with a payload, subnormal numbers, ties of rounding, halves of two widths, powers with thousands of
bits, counts beyond 2^53: whoever computes in another way than the page says accepts others than the other verifier.
`python -m tests.browser.extremes FIRST COUNT` prints where the two differ.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.random import Generator

from tests.browser.forging import Answer, Forged, by_the_command, by_the_page
from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier.declaring import box, given, wire
from tests.verifier.encodings import DTYPES, Array, Weight, affine, bits, codebook, grouped
from tests.verifier.forge import Forge
from tests.verifier.test_figures import TRUE, Formula, ap, each, metric, n, of
from tests.verifier.test_grids import on_grid

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 2.0**-149, -(2.0**-149), 2.0**-126, 2.0**-24, 3 * 2.0**-25, 65504.0)
Named = tuple[tuple[str, ...], Array]
"""Names of axes, and the values along them."""
FLOATS: dict[str, Any] = {"F16": np.float16, "F32": np.float32, "F64": np.float64}
STORED = {"F16": "<u2", "BF16": "<u2", "F32": "<u4", "F64": "<u8", "I16": "<u2", "I8": "u1", "I64": "<u8", "BOOL": "u1"}


def drawn(rng: Generator, *shape: int) -> Array:
    """F32 numbers, many of them special or with few digits, so that sums and halves fall on ties."""
    few = rng.integers(-9, 9, shape) * 2.0 ** rng.integers(-4, 4, shape)
    found = np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), few)
    return np.where(rng.random(shape) < 0.2, rng.standard_normal(shape), found).astype(np.float32)


def lone(weight: Weight, dtype: str = "F32") -> Forge:
    """A net that gives back a weight."""
    f = Forge()
    w = f.param(weight)
    f.wires[w] = (dtype, f.wires[w][1])
    f.begin(("y", w))
    return f


def elements(rng: Generator) -> Forge:
    """Any bits whatever, in any dtype: what is not zero is counted, and what is not finite."""
    dtype = str(rng.choice(list(STORED)))
    shape = tuple(int(extent) for extent in rng.integers(1, 5, rng.integers(0, 4)))
    width = np.dtype(STORED[dtype]).itemsize
    data = rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0x7C, 0xFC], (*shape, width)).astype(np.uint8)
    data = (data & 1 if dtype == "BOOL" else data) * (rng.random((*shape, 1)) < 0.7).astype(np.uint8)
    words = np.frombuffer(data.tobytes(), STORED[dtype]).reshape(shape)
    sign = 0 if dtype == "BOOL" else 1 << (8 * width - 1)
    weight = Weight("w", {"kind": "dense"}, {"values": data}, (words & ~np.array(sign, words.dtype)).astype(np.float64))
    weight.decoded = weight.decoded.reshape(shape)
    weight.parts = [("values", "w", dtype, shape, data.tobytes())]
    return lone(weight, dtype)


def holey(rng: Generator) -> Forge:
    """A mask that keeps anything from nothing to all, zeros of both signs among it."""
    values = drawn(rng, 3, int(rng.integers(2, 12)))
    f = lone(Weight("w", {"kind": "dense"}, {"values": values}, values))
    s.mask(f, "w", rng.random(values.shape) < rng.choice([0.0, 0.2, 0.7]))
    return f


def booked(rng: Generator) -> Forge:
    """The nearest entry of a codebook, where halves are ties and sums leave the range of F32."""
    large = rng.random() < 0.2
    with np.errstate(over="ignore"):
        values = drawn(rng, 5, 17) * np.float32(2.0**126 if large else 1)
    values = np.where(np.isfinite(values), values, np.float32(0))
    f = lone(Weight("w", {"kind": "dense"}, {"values": values}, values))
    book = np.unique(np.where(values == 0, np.float32(0), values))[: int(rng.integers(1, 5))]
    weight = codebook("w", values, 2, book=book, codes=_nearest(book, values))
    s.recode(f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "w", weight)
    return f


def _nearest(book: Array, values: Array) -> Array:
    """As the page counts: how many halves between neighbours lie below."""
    wide, twice = book.astype(np.float64), 2 * values.astype(np.float64).ravel()
    return (twice[:, None] > (wide[1:] + wide[:-1])[None, :]).sum(axis=1)


def gridded(rng: Generator) -> Forge:
    """A grid of one scale, of one for each row, or of groups, in F32 or F16."""
    values = drawn(rng, 8, 9)
    f = lone(Weight("w", {"kind": "dense"}, {"values": values}, values))
    width, axis = int(rng.integers(1, 6)), int(rng.integers(-1, 2))
    if rng.random() < 0.5:
        s.recode(
            f, "r", "quantize-affine/1", "size/1", {"axis": axis, "bits": width}, "w", _ranged(rng, values, width, axis)
        )
        return f
    group = int(rng.integers(6, 40))
    rows, length = (1, values.size) if axis < 0 else (values.shape[axis], values.size // values.shape[axis])
    scale = 2.0 ** rng.integers(-4, 3, (rows, -(-length // group))) * rng.choice([1, 1.5, 1 + 2.0**-10])
    narrow = np.float16 if rng.random() < 0.5 else np.float32
    on_grid(f, "w", grouped("w", values, width, axis, group, scale.astype(narrow), symmetric=bool(rng.random() < 0.5)))
    return f


def _ranged(rng: Generator, values: Array, width: int, axis: int) -> Weight:
    """Scales with few digits, of which elements are halves."""
    weight = affine("w", values, width, axis)
    rows = 1 if axis < 0 else values.shape[axis]
    scale = (2.0 ** rng.integers(-6, 3, rows) * rng.choice([1, 1.25, 3])).astype(np.float32)
    zero = rng.integers(0, 1 << width, rows).astype(np.uint8)
    shape = [rows if dim == axis else 1 for dim in range(values.ndim)]
    wide: Array
    offset: Array
    wide, offset = scale.astype(np.float64).reshape(shape), zero.astype(int).reshape(shape)
    codes: Array = np.clip(np.round(values.astype(np.float64) / wide) + offset, 0, (1 << width) - 1).astype(int)
    decoded: Array = (wide * (codes - offset)).astype(np.float32)
    return Weight("w", weight.encoding, {"codes": bits(codes, width), "scale": scale, "zero": zero}, decoded)


def ruled(rng: Generator) -> Forge:
    """A layer whose weights a rule makes by a random formula, rounded once to F16, F32 or F64."""
    dtype = str(rng.choice(list(FLOATS)))
    f = Forge()
    x = f.input("x", ("B", 3))
    before = {name: drawn(rng, *shape).astype(FLOATS[dtype]) for name, shape in (("weight", (4, 3)), ("bias", (4,)))}
    stored = [f.param(_plain(f"a.{name}", values)) for name, values in before.items()]
    y = f.op("linear.default", [x, *stored], ("B", 4))
    f.wires = {name: (dtype, shape) for name, (_, shape) in f.wires.items()}
    f.begin(("y", y), B=2)
    known: dict[str, Named] = {f"A.{name}": (("o", "i")[: values.ndim], values) for name, values in before.items()}
    made, rows = dict[str, Weight](), list[Any]()
    for name in before:
        formula, values = _made(rng, name, known)
        made[name] = _plain(f"c.{name}", values)
        rows.append(given("C", name, formula))
    left, right = ([box(name, "linear", ["o", "i"], "x", "y")] for name in "AC")
    d = declaring.declaration("by", "lossy", left, right, [wire("x"), wire("y")], **{"with": rows})
    op = f.find("linear.default")
    declaring.declare(f, d, {"A": op}, {"C": (f.ops[op]["raw"], made)}, {"i": 3, "o": 4}, reduces="", dtype=dtype)
    return f


def _made(rng: Generator, name: str, known: dict[str, Named]) -> tuple[Any, Array]:
    """A formula for a weight, and what it gives: finite, and over no axis that the weight lacks."""
    axes, old = known[f"A.{name}"]
    for _ in range(99):
        formula = _formula(rng, 3)
        with np.errstate(all="ignore"):
            own, values = _value(formula, known)
            if {*own} <= {*axes}:
                found = np.broadcast_to(_laid(own, values, axes), old.shape).astype(old.dtype)
                if np.isfinite(found).all():
                    return formula, found
    return declaring.v(f"A.{name}"), old


PAIRS: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "min": lambda a, b: np.where((a <= b) | np.isnan(a), a, b),
    "max": lambda a, b: np.where((a >= b) | np.isnan(a), a, b),
}  # fmt: skip
SINGLE: dict[str, Callable[[Array], Array]] = {"neg": np.negative, "abs": np.abs, "sqrt": np.sqrt}


def _plain(base: str, values: Array) -> Weight:
    weight = Weight(base, {"kind": "dense"}, {"values": values}, values)
    weight.parts = [("values", base, DTYPES[values.dtype.name], values.shape, values.tobytes())]
    return weight


def _formula(rng: Generator, depth: int) -> Any:
    kind = rng.random()
    if depth == 0 or kind < 0.1:
        number = {"number": str(rng.choice(["0", "1", "1/3", "-5/7", "1/1024", "123456789012345678901/3"]))}
        return number if rng.random() < 0.3 else declaring.v(str(rng.choice(["A.weight", "A.bias"])))
    inner = [_formula(rng, depth - 1) for _ in range(3)]
    if kind < 0.2:
        return {"apply": "pow", "terms": [inner[0], {"number": str(rng.integers(-5, 6))}]}
    if kind < 0.35:
        return {"apply": str(rng.choice(list(SINGLE))), "terms": inner[:1]}
    if kind < 0.45:
        return {"apply": "if", "terms": [{"apply": "le", "terms": inner[:2]}, *inner[1:]]}
    if kind < 0.6:
        return {
            "axes": ["*"],
            "body": inner[0],
            "reduce": str(rng.choice(["sum", "mean", "prod", "max", "min", "count"])),
        }
    return {"apply": str(rng.choice(list(PAIRS))), "terms": inner[:2]}


def _laid(own: tuple[str, ...], values: Array, axes: tuple[str, ...]) -> Array:
    """Values with an axis of extent 1 for each that they lack."""
    order = [own.index(axis) for axis in axes if axis in own]
    return values.transpose(order).reshape([values.shape[own.index(axis)] if axis in own else 1 for axis in axes])


def _value(tree: Any, known: dict[str, Named]) -> Named:
    """What the page says of a formula, by numpy."""
    if "number" in tree:
        number, _, divisor = tree["number"].partition("/")
        return (), np.array(int(number) / int(divisor or 1))
    if "variable" in tree:
        axes, values = known[tree["variable"]]
        return axes, values.astype(np.float64)
    if "reduce" in tree:
        _, values = _value(tree["body"], known)
        return (), np.array(_folded(tree["reduce"], [np.float64(value) for value in values.ravel()]))
    if tree["apply"] == "pow":
        axes, values = _value(tree["terms"][0], known)
        return axes, _power(values, int(tree["terms"][1]["number"]))
    terms = tree["terms"][0]["terms"] + tree["terms"][1:] if tree["apply"] == "if" else tree["terms"]
    rows = [_value(term, known) for term in terms]
    axes = tuple(dict.fromkeys(axis for own, _ in rows for axis in own))
    a, *more = [_laid(own, values, axes) for own, values in rows]
    if tree["apply"] == "if":
        return axes, np.where(a <= more[0], more[1], more[2])
    return axes, SINGLE[tree["apply"]](a) if not more else PAIRS[tree["apply"]](a, more[0])


def _folded(kind: str, values: list[Any]) -> Any:
    if kind == "count":
        return float(len(values))
    total, step = values[0], PAIRS[{"sum": "add", "mean": "add", "prod": "mul"}.get(kind, kind)]
    for value in values[1:]:
        total = step(total, value)
    return total / len(values) if kind == "mean" else total


def _power(values: Array, exponent: int) -> Array:
    found = values if exponent else np.ones_like(values)
    for _ in range(abs(exponent) - 1):
        found = found * values
    return 1 / found if exponent < 0 else found


def figured(rng: Generator) -> Forge:
    """Claims over long rationals, near the 4096 bits that a number may have, true, false or undefined."""
    f = s.mlp()
    s.recover(f)
    f.claims = []
    for _ in range(int(rng.integers(1, 4))):
        sides = [_figure(rng, 3), _figure(rng, 3)]
        sides[1] = sides[0] if rng.random() < 0.5 else sides[1]
        relation = str(rng.choice(["<=", "<", ">=", ">"]))
        claim = {"left": sides[0], "relation": relation, "right": sides[1]}
        f.claims.append({"counted": claim, "text": "it holds"})
    return f


def _figure(rng: Generator, depth: int) -> Formula:
    kind = rng.random()
    if depth == 0 or kind < 0.1:
        ratio = f"{rng.integers(10**17, 10**18)}{rng.integers(10**17, 10**18)}"
        leaves = [metric("params/1"), metric("size/1", "before"), n("-7/3"), n(0), n(1), n(ratio), n(f"1/{ratio}")]
        return leaves[rng.integers(len(leaves))]
    inner = [_figure(rng, depth - 1) for _ in range(2)]
    if kind < 0.35:
        return ap("pow", inner[0], n(int(rng.choice([-64, -33, -1, 0, 1, 2, 17, 35, 64]))))
    if kind < 0.45:
        return ap("if", TRUE if rng.random() < 0.5 else ap("lt", *inner), *inner)
    if kind < 0.6:
        return each(str(rng.choice(["sum", "mean", "prod", "max", "min", "count"])), ap("div", of("nnz"), inner[0]))
    return ap(str(rng.choice(["add", "sub", "mul", "div", "min", "max"])), *inner)


def huge(rng: Generator) -> Forge:
    """Multiplications beyond 2^53, at symbols that are bound to large numbers."""
    f = Forge()
    shape = (str(rng.choice(["B", "7*B"])), str(rng.choice(["T", "B*T+1"])), 4)
    y = s.same(
        f,
        "relu",
        f.op(
            "linear.default",
            [f.input("x", shape), f.param(_plain("w", drawn(rng, 3, 4)))],
            (*shape[:2], 3),
            bias={"none": True},
        ),
    )
    f.begin(("y", y), B=int(rng.integers(1, 2**40)), T=int(rng.integers(1, 2**40)))
    s.recover(f)
    return f


FAMILIES = (elements, holey, booked, gridded, ruled, figured, huge)
UNSURE = (booked, gridded, holey, figured)
"""Those of which some are refused: nothing falls, or a claim does not hold."""


@attrs.frozen
class Asked:
    """A certificate by its family and number, and both answers."""

    family: str
    number: int
    command: Answer
    page: Answer

    @property
    def fine(self) -> bool:
        """One code; and acceptance, where nothing is to be refused."""
        sure = self.family not in [family.__name__ for family in UNSURE]
        return self.command.code == self.page.code and (not sure or self.command.code == "")


def asked(first: int, count: int) -> list[Asked]:
    """So many certificates, family after family, judged by both."""
    with tempfile.TemporaryDirectory() as place:
        made: list[Forged] = []
        for number in range(first, first + count):
            family = FAMILIES[number % len(FAMILIES)]
            folder = family(np.random.default_rng(number)).write(Path(place) / str(number))
            made.append(Forged(folder, family.__name__, (str(number),), ()))
        answers = zip(made, map(by_the_command, made), by_the_page(made), strict=True)
        return [Asked(case.source, int(case.edits[0]), one, other) for case, one, other in answers]


if __name__ == "__main__":
    start, total = int(sys.argv[1]), int(sys.argv[2])
    found = [one for at in range(start, start + total, 500) for one in asked(at, min(500, start + total - at))]
    sys.stdout.writelines(f"{one}\n" for one in found if not one.fine)
    codes = Counter((one.family, one.command.code or "accepted") for one in found)
    sys.stdout.writelines(f"{family} {code}: {n}\n" for (family, code), n in sorted(codes.items()))
