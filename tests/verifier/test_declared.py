"""Rules of the file: honest applications, and every way to sell something else as an instance of a declared rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, reason_of, verdict
from tests.verifier.declaring import Json, ap, box, given, of, over, put, spectral, v, wire
from tests.verifier.encodings import Array, codebook, dense
from tests.verifier.forge import Forge

Told = Callable[[], Forge]


def job(apply: Callable[..., None], *arguments: Any, **more: Any) -> Told:
    def forge() -> Forge:
        f = s.cnn() if apply is r.fold else r.chain()
        apply(f, *arguments, **more)
        return f

    return forge


HALF: Json = {"number": "1/2"}
WHERE = [ap("lt", v("h"), {"number": "7"}), ap("eq", ap("mul", v("h"), HALF), {"number": "3"})]
SUM = over("h", ap("mul", v("A.weight"), v("B.weight")))
BIAS = r.FUSE["with"][1]["value"]
TURNED = ap("add", ap("mul", {"number": "0"}, over("o", v("W.weight"))), v("W.weight"))  # the inputs are its rows
ACROSS = of(r.FACTOR, **{"with": [
    given("U", "weight", {**spectral("right", v("r"), "r"), "body": TURNED}),
    given("V", "weight", {**spectral("left", v("r"), "r"), "body": TURNED}), r.FACTOR["with"][2]]})  # fmt: skip
HONEST: list[tuple[str, Told]] = [
    ("two linear layers become one", job(r.fuse)),
    ("a norm is folded", job(r.fold)),
    ("two activations become one", job(r.twice)),
    ("a layer becomes a product", job(r.factor)),
    ("a product of rank one", job(r.factor, rank=1)),
    ("a product of the transposed weight", job(r.factor, ACROSS)),
    ("conditions that hold", job(r.fuse, of(r.FUSE, where=WHERE))),
    ("a value over its axes in another order", job(r.fuse, of(r.FUSE, **{"with": [
        given("C", "weight", over("h", ap("mul", v("B.weight"), v("A.weight")))), given("C", "bias", BIAS)]}))),
    ("any dtype of K", job(r.fuse, of(r.FUSE, glue=[wire("x"), wire("y", dtype="f32")]))),
    ("an eps that is bound", job(r.fold, of(r.FOLD, left=[r.FOLD["left"][0], {**r.FOLD["left"][1],
        "attributes": [["eps", {"extent": "e"}]]}]), put={"e": {"float": (1e-5).hex()}})),
    ("an extent that is bound to a symbol", job(r.fuse, of(r.FUSE, glue=[wire("x", "b", "i"), wire("y", "b", "o")]),
        put={"b": {"extent": "B"}})),
    ("an operator by its own name, with its argument", lambda: binary("aten.add.Tensor", alpha=1)),
    ("an integer that stands for a list", job(r.fold, put={"p": 1, "s": 1})),
    ("a neutral lossy rule", job(r.twice, of(r.TWICE, grade="lossy"))),
    ("operands of a sum exchanged", lambda: binary("add", moved=True)),
    ("a wire of doubles", lambda: identity("F64")),
    ("operands in order", lambda: binary("sub")),
    ("an operator by its own name", job(r.twice, of(r.TWICE, decreases=None, left=[
        box("A", "aten.relu.default", [], "x", "m"), box("B", "aten.relu.default", [], "m", "y")]))),
]  # fmt: skip


@pytest.mark.parametrize("told", [row[1] for row in HONEST], ids=[row[0] for row in HONEST])
def test_an_honest_application_is_accepted(told: Told, tmp_path: Path) -> None:
    code, line = verdict(told().write(tmp_path / "job"))
    assert code == 0, line


def nudged(weight: Array, bias: Array) -> tuple[Array, Array]:
    return np.nextafter(weight, np.float32(9)), bias


def biased(weight: Array, bias: Array) -> tuple[Array, Array]:
    return weight, bias * np.float32(2)


def turned(left: Array, right: Array) -> tuple[Array, Array]:
    return left, -right


def worn(left: Array, right: Array) -> tuple[Array, Array]:
    return left * np.float32(1.9), right


def endless(weight: Array, bias: Array) -> tuple[Array, Array]:
    return np.full_like(weight, np.inf), bias


def without(d: Json, field: str, at: int) -> Json:
    return of(d, **{field: [row for number, row in enumerate(d[field]) if number != at]})


def nothing(weight: Array, bias: Array) -> tuple[Array, Array]:
    return weight * 0, bias * 0


def tail(rows: list[Any]) -> list[Any]:
    return rows[1:]


def init(rows: list[Any]) -> list[Any]:
    return rows[:-1]


def ends_exchanged(rows: list[Any]) -> list[Any]:
    return [[rows[0][0], rows[2][1]], rows[1], [rows[2][0], rows[0][1]]]


def named_otherwise(rows: list[Any]) -> list[Any]:
    return [[rows[0][0], rows[1][1], []], [rows[1][0], rows[0][1], []]]


def untold(found: Json) -> None:
    del found["factor"]


def swapped(rows: list[Any]) -> list[Any]:
    return [rows[1], rows[0], *rows[2:]]


def doubled(rows: list[Any]) -> list[Any]:
    return [rows[0], rows[0], *rows[2:]]


def values(*rows: Json) -> Json:
    return of(r.FUSE, **{"with": list(rows)})


def halves(*rows: Json) -> Json:
    return of(r.FACTOR, **{"with": [*rows, r.FACTOR["with"][2]]})


def attribute(name: str, value: Any) -> Callable[[Json], Json]:
    """The operation of R with one attribute changed."""
    return lambda raw: {**raw, "attributes": [[k, value if k == name else a] for k, a in raw["attributes"]]}


def spread_out(raw: Json) -> Json:
    """Another convolution to the same shape."""
    return attribute("padding", [2, 2])(attribute("dilation", [2, 2])(raw))


def exchanged(found: Json) -> None:
    one, two = found["left"][0][2][1], found["left"][1][2][1]
    one[1], two[1] = two[1], one[1]


def quantized(f: Forge) -> None:
    s.recode(
        f, "code", "quantize-codebook/1", "size/1", {"bits": 2}, "a.weight",
        codebook("a.weight", f.weight(f.named("a.weight")).decoded, 2),
    )  # fmt: skip
    r.fuse(f)


def vacuous(f: Forge) -> None:
    """One small layer for both, in the name of the rule: typed, smaller, and no instance."""
    r.fuse(f, spoil=nothing)


def bias_alone(f: Forge) -> None:
    """A bias that the rule does not give is added."""
    r.fuse(f, without(r.FUSE, "with", 1))


def tanh(f: Forge) -> Json:
    return {**f.ops[f.find("relu.default")]["raw"], "op": "aten.tanh.default"}


def another_activation(f: Forge) -> None:
    r.twice(f, made=tanh(f))


AGAIN = r.declaration("again", "exact", [box("A", "relu", [], "x", "y")], [box("C", "relu", [], "x", "y")],
    [wire("x"), wire("y")])  # fmt: skip


def more_deleted(f: Forge) -> None:
    """Two activations go, and the rule speaks of one."""
    first, second = f.find("relu.default"), f.find("relu.default", 1)
    made: r.Made = {"C": (f.ops[first]["raw"], {})}
    at = {"x": f.ops[first]["sources"][0]}
    r.declare(f, AGAIN, {"A": second}, made, {}, reduces="", swallow=[first], moved=at)


def undeclared(f: Forge) -> None:
    """Two rules are applied and one is declared."""
    r.fuse(f)
    r.twice(f)
    f.rules.pop()


def not_for_this_step(f: Forge) -> None:
    """The same rule twice, under the name of a step that it is not declared for."""
    r.fuse(f)
    r.twice(f)
    f.steps[1]["step"] = "other"


def binary(kind: str, moved: bool = False, crossed: bool = False, **stated: Any) -> Forge:
    """y = a − b, or a + b, written again with the sources in an order."""
    f, name = Forge(), kind if kind.startswith("aten.") else f"aten.{kind}.Tensor"
    a, b = f.input("a", ("B", 3)), f.input("b", ("B", 3))
    f.begin(("y", f.op(name.removeprefix("aten."), [a, b], ("B", 3), alpha=1)), B=1)
    left, right = [box("A", kind, [], "x y", "z", **stated)], [box("C", kind, [], "x y", "z", **stated)]
    d = r.declaration("again", "exact", left, right, [wire("x"), wire("y"), wire("z")])
    op = f.find(name.removeprefix("aten."))
    a, b = f.ops[op]["sources"]
    at = {"x": b, "y": a} if moved else {}
    r.declare(f, d, {"A": op}, {"C": (f.ops[op]["raw"], {})}, {}, reduces="", moved=at, crossed=crossed)
    return f


def identity(dtype: str) -> Forge:
    """An identity on a wire of a dtype, written again."""
    f = Forge()
    x = f.wire(("B", 3), dtype)
    f.inputs.append(("x", x))
    y = f.op("alias.default", [x], ("B", 3))
    f.wires[y] = (dtype, ("B", 3))
    f.begin(("y", y), B=1)
    sides = [[box(name, "identity", [], "x", "y")] for name in "AC"]
    d = r.declaration("again", "exact", sides[0], sides[1], [wire("x"), wire("y")])
    op = f.find("alias.default")
    r.declare(f, d, {"A": op}, {"C": (f.ops[op]["raw"], {})}, {}, reduces="")
    return f


def tied() -> Forge:
    """Two layers that share their weight, told as two."""
    f = Forge()
    w = f.param(dense("w", s.noise(4, 4)))
    x = f.input("x", ("B", 4))
    for name in "ab":
        x = f.op("linear.default", [x, w, f.param(dense(f"{name}.bias", s.noise(4)))], ("B", 4))
    f.begin(("y", x), B=1)
    r.fuse(f, of(r.FUSE, where=[]), put={"h": 4, "i": 4, "o": 4}, reduces="macs/1")
    return f


def twins() -> Forge:
    """Two activations of one wire, each told to make what the other makes."""
    f = Forge()
    x = f.input("x", ("B", 3))
    y, z = s.same(f, "relu", x), s.same(f, "tanh", x)
    f.begin(("y", y), ("z", z), B=1)
    kinds = (("A", "relu", "y"), ("B", "tanh", "z"))
    left = [box(name, kind, [], "x", target) for name, kind, target in kinds]
    d = r.declaration("again", "exact", left, left, [wire("x"), wire("y"), wire("z")])
    ops = [f.find("relu.default"), f.find("tanh.default")]
    ends = [f.ops[op]["targets"][0] for op in ops]
    made: r.Made = {name: (f.ops[op]["raw"], {}) for name, op in zip("AB", ops, strict=True)}
    r.declare(f, d, dict(zip("AB", ops, strict=True)), made, {}, reduces="", moved={"y": ends[1], "z": ends[0]})
    return f


def weight_as_data() -> Forge:
    """A wire of the rule that nothing makes, told to be a weight."""
    f = Forge()
    x = f.input("x", ("B", 4))
    w, b = f.param(dense("w", s.noise(4, 4))), f.param(dense("b", s.noise(4)))
    f.begin(("y", f.op("mul.Tensor", [f.op("linear.default", [x, w, b], ("B", 4)), b], ("B", 4))), B=1)
    left = [box("A", "linear", ["o", "i"], "x", "u"), box("B", "mul", [], "u m", "y")]
    right = [box("C", "linear", ["o", "i"], "x", "y")]
    values = [given("C", name, v(f"A.{name}")) for name in ("weight", "bias")]
    d = r.declaration("drop", "exact", left, right, [wire("x"), wire("y")], **{"with": values})
    ops = {"A": f.find("linear.default"), "B": f.find("mul.Tensor")}
    held = {name: f.weight(param) for name, param in r.params(f, ops["A"]).items()}
    r.declare(f, d, ops, {"C": (f.ops[ops["A"]]["raw"], held)}, {"i": 4, "o": 4}, reduces="")
    return f


Lie = tuple[str, str, str, Told]
MATCH: list[Lie] = [
    ("no such rule", "V14", "no rule of that digest", lambda: told(undeclared)),
    ("a rule that is not for this step", "V14", "no rule of that digest", lambda: told(not_for_this_step)),
    ("a variable missing", "V14", "the variables", job(r.fuse, change=put(tail, "variables"))),
    ("a variable too many", "V14", "the variables", job(r.fuse, put={"q": 1})),
    ("a variable twice", "V14", "the variables", job(r.fuse, change=put(doubled, "variables"))),
    ("a variable of another value", "V14", "not of the sizes", job(r.fuse, put={"h": 5})),
    ("a size that is a text", "V14", "no extent", job(r.fuse, of(r.FUSE, where=[]), put={"h": "6"})),
    ("a size that is a float", "V14", "no extent", job(
        r.fuse, of(r.FUSE, where=[]), put={"h": {"float": (6.0).hex()}})),
    ("another extent of K", "V14", "not of the type", job(r.fuse, of(r.FUSE, glue=[
        wire("x", "b", "i"), wire("y", "b", "o")]), put={"b": {"extent": "2*B"}})),
    ("a size that is negative", "V14", "no extent", job(r.fuse, put={"h": -6})),
    ("a size that is a list", "V14", "no extent", job(r.fuse, of(r.FUSE, where=[]), put={"h": [6]})),
    ("wires in another order", "V14", "the wires are not", job(r.fuse, change=put(swapped, "wires"))),
    ("a wire missing", "V14", "the wires are not", job(r.fuse, change=put(init, "wires"))),
    ("two wires that are one", "V14", "two wires", job(r.twice, change=put("l0", "wires", 1, 1))),
    ("a wire of K that is not glue", "V14", "K is not", job(r.twice, change=put(ends_exchanged, "wires"))),
    ("boxes in another order", "V14", "the boxes are not", job(r.twice, change=put(swapped, "left"))),
    ("a box twice", "V14", "the boxes are not", job(r.twice, change=put(doubled, "left"))),
    ("one operation for two boxes", "V14", "each once", job(r.twice, change=put("l3", "left", 1, 1))),
    ("an operation that is not there", "V14", "each once", job(r.twice, change=put("l9", "left", 1, 1))),
    ("boxes exchanged", "V14", "is wired differently", job(r.twice, change=put(named_otherwise, "left"))),
    ("a weight twice", "V14", "named twice", job(r.fuse, change=put("weight", "left", 0, 2, 1, 0))),
    ("a weight under another name", "V14", "of its kind", job(r.fuse, change=put("mean", "left", 0, 2, 1, 0))),
    ("weights in another order", "V14", "in order", job(r.fuse, change=put(swapped, "left", 0, 2))),
    ("weights of two boxes exchanged", "V14", "is wired", job(r.fuse, change=exchanged)),
    ("another operator in L", "V14", "the box A is no", job(r.twice, of(r.TWICE, left=[
        box("A", "tanh", [], "x", "m"), r.TWICE["left"][1]]))),
    ("another operator in R", "V14", "the box C is no", lambda: told(another_activation)),
    ("operands exchanged", "V14", "wired differently", lambda: binary("sub", moved=True)),
    ("operands exchanged in R", "V14", "wired differently", lambda: binary("sub", crossed=True)),
    ("operands of a sum exchanged in R", "V14", "wired differently", lambda: binary("add", crossed=True)),
    ("sizes exchanged", "V14", "not of the sizes", job(r.fuse, put={"o": 6, "h": 4})),
    ("an argument that the rule does not state", "V14", "an argument of C", job(r.fold, of(r.FOLD, left=[
        box("C", "conv2d", r.SIZES, "x", "m", stride={"extent": "s"}), r.FOLD["left"][1]], right=[
        box("D", "conv2d", r.SIZES, "x", "y", stride={"extent": "s"})]), put={"p": None})),
    ("an argument of another value", "V14", "an argument of C", job(r.fold, put={"p": [2, 2]})),
    ("an argument that is true for one", "V14", "an argument of C", job(r.fold, put={"s": True})),
    ("an argument that R changes", "V14", "an argument of D", job(r.fold, remake=spread_out)),
    ("one weight for two boxes", "V14", "each once", tied),
    ("targets exchanged", "V14", "is wired differently", twins),
    ("a wire that is a weight", "V14", "the wires of a side", weight_as_data),
    ("a wire that is not real", "V14", "not of the type", lambda: identity("I64")),
    ("a wire of a dtype that the rules do not compute with", "V14", "not of the type", lambda: identity("BF16")),
    ("more is deleted than the boxes", "V14", "each once", lambda: told(more_deleted)),
    ("a dtype of K", "V14", "not of the type", job(r.twice, of(r.TWICE, glue=[wire("x", dtype="f16"), wire("y")]))),
    ("a dtype that is no float", "V14", "not of the type", job(r.twice, of(r.TWICE, glue=[
        wire("x", dtype="i64"), wire("y")]))),
    ("a shape of K", "V14", "not of the type", job(r.fuse, of(r.FUSE, glue=[wire("x", "*", 7), wire("y")]))),
    ("a rank of K", "V14", "not of the type", job(r.fuse, of(r.FUSE, glue=[wire("x", "*", "*", "i"), wire("y")]))),
    ("a condition that fails", "V14", "does not hold", job(r.fuse, of(r.FUSE, where=[ap("gt", v("h"), v("i"))]))),
    ("a condition that is undefined", "V14", "divides by zero", job(r.fuse, of(r.FUSE, where=[
        ap("lt", ap("div", v("h"), ap("sub", v("h"), v("h"))), v("h"))]))),
    ("a condition on what is no number", "V14", "is no number", job(r.fold, of(r.FOLD, where=[
        ap("lt", v("p"), {"number": "2"})]))),
    ("nothing decreases", "V14", "does not decrease", job(r.fuse, of(r.FUSE, decreases=[["relu", "1"]]))),
    ("weights that are encoded", "V14", "not dense", lambda: told(quantized)),
    ("a weight that nothing gives", "V14", "other weights", lambda: told(bias_alone)),
    ("a rule that reduces something else", "V14", "reduces is params/1", job(r.fuse, reduces="macs/1")),
    ("a rule that is called neutral", "V14", "reduces is params/1", job(r.fuse, reduces="")),
    ("a neutral rule that is called a gain", "V14", "reduces is nothing", job(r.twice, reduces="params/1")),
]  # fmt: skip
BYTES: list[Lie] = [
    ("a weight one ulp off", "V15", "`c.weight` is not what", job(r.fuse, spoil=nudged)),
    ("another bias", "V15", "`c.bias` is not what", job(r.fuse, spoil=biased)),
    ("a vacuous replacement in the rule's name", "V15", "`c.weight` is not what", lambda: told(vacuous)),
    ("a weight that is not finite", "V15", "is not finite", job(r.fuse, values(
        given("C", "weight", ap("div", SUM, {"number": "0"})), r.FUSE["with"][1]), spoil=endless)),
    ("a formula that names nothing", "V15", "`A.gamma`", job(r.fuse, values(
        given("C", "weight", ap("mul", SUM, v("A.gamma"))), r.FUSE["with"][1]))),
    ("a value whose last bit depends on a library", "V15", "no bits that all", job(r.fuse, values(
        given("C", "weight", ap("exp", SUM)), r.FUSE["with"][1]))),
    ("a formula over R", "V15", "`C.bias`", job(r.fuse, values(
        given("C", "weight", ap("mul", SUM, v("C.bias"))), r.FUSE["with"][1]))),
    ("a value with an axis too many", "V15", "has other axes", job(r.fuse, values(
        given("C", "weight", ap("mul", v("A.weight"), v("B.weight"))), r.FUSE["with"][1]))),
    ("axes that do not fit", "V15", "no axes to reduce", job(r.fuse, values(
        given("C", "weight", over("q", SUM)), r.FUSE["with"][1]))),
    ("a product turned", "V15", "the best approximation", job(r.factor, spoil=turned)),
    ("a product of other factors", "V15", "the best approximation", job(r.factor, spoil=worn)),
    ("a product of another rank", "V15", "other axes", job(r.factor, halves(
        given("U", "weight", spectral("left", {"number": "3"}, "r")),
        given("V", "weight", spectral("right", {"number": "3"}, "r"))))),
    ("a product along another axis", "V15", "other axes", job(r.factor, halves(
        given("U", "weight", spectral("left", v("r"), "q")), given("V", "weight", spectral("right", v("r"), "q"))))),
    ("halves exchanged", "V15", "other axes", job(r.factor, halves(
        given("V", "weight", spectral("left", v("r"), "r")), given("U", "weight", spectral("right", v("r"), "r"))))),
    ("half a product", "V15", "is missing", job(r.factor, halves(
        given("U", "weight", spectral("left", v("r"), "r")),
        given("V", "weight", spectral("right", ap("add", v("r"), {"number": "0"}), "r"))))),
    ("one half twice", "V15", "one half", job(r.factor, halves(
        given("U", "weight", spectral("left", v("r"), "r")), given("V", "weight", spectral("left", v("r"), "r"))))),
    ("singular vectors inside of a formula", "V15", "inside of", job(r.factor, halves(
        given("U", "weight", ap("neg", spectral("left", v("r"), "r"))),
        given("V", "weight", spectral("right", v("r"), "r"))))),
    ("a bound forged low", "V15", "is below", job(r.factor, told=(0.01).hex())),
    ("a bound that is infinite", "V15", "is below", job(r.factor, told="inf")),
    ("a bound just too low", "V15", "is below", job(r.factor, slack=1 - 2.0**-28)),
    ("a bound of singular vectors", "V15", "by number", job(r.factor, of(r.FACTOR, bound={
        **r.FACTOR["bound"], "factor": spectral("left", v("r"), "r")}))),
    ("a bound at no number", "V15", "by number", job(r.factor, of(r.FACTOR, bound={
        **r.FACTOR["bound"], "factor": spectral("sigma", HALF)}))),
    ("no bound told", "V03", "exactly where the rule has them", job(r.factor, change=untold)),
    ("a bound for an exact rule", "V03", "exactly where", job(r.fuse, change=put((1.0).hex(), "factor"))),
]  # fmt: skip


def told(build: Callable[[Forge], None]) -> Forge:
    f = r.chain()
    build(f)
    return f


@pytest.mark.parametrize(
    ("code", "reason", "lie"), [row[1:] for row in MATCH + BYTES], ids=[row[0] for row in MATCH + BYTES]
)
def test_what_is_no_instance_is_refused(code: str, reason: str, lie: Told, tmp_path: Path) -> None:
    folder = lie().write(tmp_path / "lie")
    assert (code_of(folder), reason) == (code, reason if reason in reason_of(folder) else reason_of(folder))
