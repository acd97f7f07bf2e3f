"""Rules of the file and their application, honest or not, by a writer that knows the page and not the verifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.verifier import surgeries as s
from tests.verifier.encodings import Array, Weight, dense
from tests.verifier.forge import Forge, tagged

Json = dict[str, Any]


def v(name: str) -> Json:
    return {"variable": name}


def ap(function: str, *terms: Json) -> Json:
    return {"apply": function, "terms": list(terms)}


def over(axis: str, body: Json) -> Json:
    return {"axes": [axis], "body": body, "reduce": "sum"}


def box(name: str, kind: str, sizes: list[Any], source: str, target: str, **stated: Any) -> Json:
    attributes = [[key, stated[key]] for key in sorted(stated)]
    ports = {"sources": source.split(), "targets": target.split()}
    return {"attributes": attributes, "kind": kind, "name": name, "sizes": sizes, **ports}


def wire(name: str, *shape: Any, dtype: str = "real") -> Json:
    return {"dtype": dtype, "name": name, **({"shape": list(shape)} if shape else {})}


def declaration(name: str, grade: str, left: list[Json], right: list[Json], glue: list[Json], **more: Any) -> Json:
    given: Json = {"parameters": [], "where": [], "with": [], **more}
    return {"glue": glue, "grade": grade, "left": left, "name": name, "right": right, **given}


def given(box_name: str, tensor: str, value: Json) -> Json:
    return {"box": box_name, "tensor": tensor, "value": value}


SCALE = ap("div", v("N.gamma"), ap("sqrt", ap("add", v("N.var"), v("N.eps"))))
CONV = {"padding": {"extent": "p"}, "stride": {"extent": "s"}}
SIZES = ["cout", "cin", "kh", "kw"]
FOLD = declaration(
    "fold", "exact",
    [box("C", "conv2d", SIZES, "x", "m", **CONV), box("N", "batchnorm", ["cout"], "m", "y")],
    [box("D", "conv2d", SIZES, "x", "y", **CONV)],
    [wire("x", "*", "cin", "h", "w"), wire("y", "*", "cout", "h2", "w2")],
    **{"with": [
        given("D", "weight", ap("mul", v("C.weight"), SCALE)),
        given("D", "bias", ap("add", ap("mul", ap("sub", v("C.bias"), v("N.mean")), SCALE), v("N.beta"))),
    ]}, decreases=[["batchnorm", "1"]],
)  # fmt: skip
LINEAR_FOLD = {
    **FOLD, "left": [box("C", "linear", ["cout", "cin"], "x", "m"), FOLD["left"][1]],
    "right": [box("D", "linear", ["cout", "cin"], "x", "y")], "glue": [wire("x", "*", "cin"), wire("y", "*", "cout")],
}  # fmt: skip
FUSE = declaration(
    "fuse", "exact",
    [box("A", "linear", ["h", "i"], "x", "m"), box("B", "linear", ["o", "h"], "m", "y")],
    [box("C", "linear", ["o", "i"], "x", "y")],
    [wire("x", "*", "i"), wire("y", "*", "o")],
    where=[ap("lt", ap("mul", v("o"), v("i")), ap("mul", v("h"), ap("add", v("o"), v("i"))))],
    **{"with": [
        given("C", "weight", over("h", ap("mul", v("A.weight"), v("B.weight")))),
        given("C", "bias", ap("add", over("h", ap("mul", v("A.bias"), v("B.weight"))), v("B.bias"))),
    ]}, decreases=[["linear", "1"]],
)  # fmt: skip
TWICE = declaration(
    "twice", "exact",
    [box("A", "relu", [], "x", "m"), box("B", "relu", [], "m", "y")], [box("C", "relu", [], "x", "y")],
    [wire("x"), wire("y")], decreases=[["relu", "1"]],
)  # fmt: skip


def spectral(part: str, rank: Json, axis: str = "") -> Json:
    return {"axis": axis, "body": v("W.weight"), "rank": rank, "spectral": part}


FACTOR = declaration(
    "factor", "bounded", [box("W", "linear", ["o", "i"], "x", "y")],
    [box("V", "linear", ["r", "i"], "x", "z"), box("U", "linear", ["o", "r"], "z", "y")],
    [wire("x", "*", "i", dtype="f32"), wire("y", "*", "o", dtype="f32")], parameters=[["r", "int"]],
    **{"with": [
        given("U", "weight", spectral("left", v("r"), "r")), given("V", "weight", spectral("right", v("r"), "r")),
        given("U", "bias", v("W.bias")),
    ]},
    bound={"factor": spectral("sigma", ap("add", v("r"), {"number": "1"})), "input": "x", "norm": "l2", "output": "y"},
)  # fmt: skip


def chain() -> Forge:
    """x [B, 8] → linear a → linear b → relu → relu → y [B, 4]."""
    f = Forge()
    x = s.linear(f, s.linear(f, f.input("x", ("B", 8)), "a", 6), "b", 4)
    f.begin(("y", s.same(f, "relu", s.same(f, "relu", x))), B=1)
    return f


def of(d: Json, **changes: Any) -> Json:
    """A declaration with some of its fields replaced; one that is None goes."""
    found = {**copy.deepcopy(d), **changes}
    return {key: value for key, value in found.items() if value is not None}


def put(value: Any, *path: Any) -> Callable[[Json], None]:
    """An edit of what is recorded."""

    def change(found: Json) -> None:
        at: Any = found
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value(at[path[-1]]) if callable(value) else value

    return change


NAMES = dict.fromkeys(("linear", "conv2d"), ("weight", "bias")) | {"batch_norm": ("gamma", "beta", "mean", "var")}
Made = dict[str, tuple[Json, dict[str, Weight]]]


def params(f: Forge, operation: str) -> dict[str, str]:
    """The params that an operation reads, by the names that its kind gives them."""
    op = f.ops[operation]
    makers = [next((i for i, o in f.ops.items() if "key" in o and w in o["targets"]), "") for w in op["sources"]]
    kind = op["raw"]["op"].removeprefix("aten.").partition(".")[0]
    return dict(zip(NAMES.get(kind, ()), filter(None, makers), strict=False))


def value(f: Forge, operation: str, tensor: str) -> Array:
    return f.weight(params(f, operation)[tensor]).decoded.astype(np.float64)


def proper(_: Json) -> None:
    """What is recorded stays as it is."""


def located(f: Forge, d: Json, left: dict[str, str]) -> dict[str, str]:
    """Where the wires of L lie, read off the operations."""
    at = dict[str, str]()
    for each in d["left"]:
        op = f.ops[left[each["name"]]]
        data = op["sources"][: len(each["sources"])]
        at |= dict(zip(each["sources"] + each["targets"], data + op["targets"], strict=True))
    return at


def built(f: Forge, d: Json, right: Made, place: dict[str, str], crossed: bool) -> tuple[list[Json], dict[str, int]]:
    """The operations of R, params first, and which of them are the boxes; `crossed` turns the data of each."""
    made = [
        f.param_op(weight, "parameter", f"{name}.{tensor}")
        for name, (_, weights) in right.items()
        for tensor, weight in weights.items()
    ]
    spots = dict[str, int]()
    for each in d["right"]:
        raw, weights = right[each["name"]]
        spots[each["name"]] = len(made)
        data = each["sources"][::-1] if crossed else each["sources"]
        sources = [*(place[name] for name in data), *(f"{each['name']}.{tensor}" for tensor in weights)]
        made.append({"raw": raw, "sources": sources, "targets": [place[name] for name in each["targets"]]})
    return made, spots


def enter(f: Forge, d: Json) -> None:
    """The row of `rules` for a declaration, with what an honest compiler would have tried."""
    if tagged("surg-rule-v1", d) not in [tagged("surg-rule-v1", row["declaration"]) for row in f.rules]:
        method, bits = {"exact": ("identity", 51), "bounded": ("samples", 0), "lossy": ("none", 0)}[d["grade"]]
        discharge = {"bits": bits, "instances": 0 if method == "none" else 8, "method": method}
        f.rules.append({"declaration": d, "discharge": discharge, "steps": ["declared"]})


def declare(
    f: Forge,
    d: Json,
    left: dict[str, str],
    right: Made,
    variables: Json,
    *,
    inner: dict[str, tuple[Any, ...]] | None = None,
    reduces: str = "params/1",
    change: Callable[[Json], None] = proper,
    swallow: Sequence[str] = (),
    moved: dict[str, str] | None = None,
    crossed: bool = False,
    dtype: str = "F32",
) -> None:
    """Apply a rule: `left` are its boxes in the net, `right` its boxes to be, with their weights.

    `inner` are the shapes of wires that R adds; `change` edits the arguments; `swallow` is deleted along with L;
    `moved` says where wires of L lie otherwise.
    """
    at, more = located(f, d, left) | (moved or {}), inner or {}
    glue = [each["name"] for each in d["glue"]]
    held = {name: params(f, operation) for name, operation in left.items()}
    gone = list(dict.fromkeys([*left.values(), *(param for row in held.values() for param in row.values()), *swallow]))
    weights = {f"{name}.{t}": w.decoded.shape for name, (_, ws) in right.items() for t, w in ws.items()}
    new = {name: (dtype, shape) for name, shape in (more | weights).items()}
    made, spots = built(f, d, right, {name: at[name] for name in glue} | {name: name for name in more}, crossed)
    shown = {name: f"r{len(new) + number}" for number, name in enumerate(weights)}
    shown |= {name: f"r{len(new) + number}" for name, number in spots.items()}

    def recorded(local: dict[str, str]) -> Json:
        old = {operation: f"l{len(local) + number}" for number, operation in enumerate(gone)}
        own = [[name, local[at[name]]] for name in (*glue, *(name for name in at if name not in glue))]
        found: Json = {
            "left": [[name, old[op], [[t, old[i]] for t, i in held[name].items()]] for name, op in left.items()],
            "right": [[name, shown[name], [[t, shown[f"{name}.{t}"]] for t in ws]] for name, (_, ws) in right.items()],
            "rule": tagged("surg-rule-v1", d),
            "variables": [[name, variables[name]] for name in sorted(variables)],
            "wires": own + [[name, f"r{number}"] for number, name in enumerate(more)],
        }
        change(found)
        return found

    enter(f, d)
    f.rewrite("declared", "rule/1", reduces, recorded, gone, [at[name] for name in glue], new, made)


def present(variables: Json) -> Json:
    return {name: value for name, value in variables.items() if value is not None}


def fuse(f: Forge, d: Json = FUSE, **more: Any) -> None:
    """The two linear layers of `chain` become one."""
    a, b = f.find("linear.default"), f.find("linear.default", 1)
    one, two = value(f, a, "weight"), value(f, b, "weight")
    weight, bias = np.zeros((two.shape[0], one.shape[1])), np.zeros(two.shape[0])
    for at in range(len(one)):  # one term after the other, as the page has it
        weight = weight + one[at][None, :] * two[:, at][:, None] if at else one[at][None, :] * two[:, at][:, None]
        bias = bias + value(f, a, "bias")[at] * two[:, at] if at else value(f, a, "bias")[at] * two[:, at]
    bias = bias + value(f, b, "bias")
    spoil = more.pop("spoil", s.as_it_is)
    weight, bias = spoil(weight.astype(np.float32), bias.astype(np.float32))
    made = {"weight": dense("c.weight", weight)} | ({} if bias is None else {"bias": dense("c.bias", bias)})
    raw: Json = {"attributes": [] if bias is not None else [["bias", {"none": True}]], "op": "aten.linear.default"}
    declare(f, d, {"A": a, "B": b}, {"C": (raw, made)}, {"h": 6, "i": 8, "o": 4} | more.pop("put", {}), **more)


def twice(f: Forge, d: Json = TWICE, **more: Any) -> None:
    a, b = f.find("relu.default"), f.find("relu.default", 1)
    made = more.pop("made", f.ops[a]["raw"])
    declare(f, d, {"A": a, "B": b}, {"C": (made, {})}, more.pop("put", {}), reduces=more.pop("reduces", ""), **more)


def fold(f: Forge, d: Json = FOLD, feeder: str = "conv2d.default", **more: Any) -> None:
    """The norm goes into what feeds it, which has a bias afterwards."""
    made_of, norm = f.find(feeder), f.find("batch_norm.default")
    gamma, beta, mean, var = (value(f, norm, name) for name in NAMES["batch_norm"])
    eps = float.fromhex(dict(f.ops[norm]["raw"]["attributes"])["eps"]["float"])
    scale = gamma / np.sqrt(var + eps)
    weight = value(f, made_of, "weight")
    names, shape = d["left"][0]["sizes"], weight.shape
    bias = value(f, made_of, "bias") if "bias" in params(f, made_of) else 0.0
    pair = (weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), (bias - mean) * scale + beta)
    pair = more.pop("spoil", s.as_it_is)(*(array.astype(np.float32) for array in pair))
    base = f.weight(params(f, made_of)["weight"]).base
    made = {"weight": dense(base, pair[0]), "bias": dense(f"{base.removesuffix('weight')}bias", pair[1])}
    op = f.ops[made_of]
    raw = more.pop("remake", dict)(
        {**op["raw"], "attributes": [row for row in op["raw"]["attributes"] if row[0] != "bias"]}
    )
    stated = dict(op["raw"]["attributes"])
    known = dict(zip(names, shape, strict=True)) | {"p": stated.get("padding"), "s": stated.get("stride")}
    ends = (op["sources"][0], f.ops[norm]["targets"][0])
    spaces = [extent for end in ends for extent in f.wires[end][1][2:]]
    known |= dict(zip(("h", "w", "h2", "w2"), spaces, strict=False))
    left = {"C": made_of, "N": norm}
    declare(f, d, left, {"D": (raw, made)}, present(known | more.pop("put", {})), **more)


def factor(f: Forge, d: Json = FACTOR, rank: int = 2, slack: float = 1 + 2**-17, **more: Any) -> None:
    """The first linear layer of `chain` as two of that rank; the bound is told with a little to spare."""
    a = f.find("linear.default")
    matrix = value(f, a, "weight")
    left, sigma, right = np.linalg.svd(matrix)
    root = np.sqrt(sigma[:rank])
    spoil = more.pop("spoil", s.as_it_is)
    u, w = spoil((left[:, :rank] * root).astype(np.float32), (root[:, None] * right[:rank]).astype(np.float32))
    plain: Json = {"attributes": [], "op": "aten.linear.default"}
    bare: Json = {"attributes": [["bias", {"none": True}]], "op": "aten.linear.default"}
    bias = dense("u.bias", value(f, a, "bias"))
    made: Made = {
        "V": (bare, {"weight": dense("v.weight", w)}),
        "U": (plain, {"weight": dense("u.weight", u), "bias": bias}),
    }
    told = more.pop("told", ((sigma[rank] + 2**-18 * sigma[0]) * slack).hex())
    change = more.pop("change", proper)

    def bounded(arguments: Json) -> None:
        arguments["factor"] = told
        change(arguments)

    declare(
        f, d, {"W": a}, made, {"i": 8, "o": 6, "r": rank} | more.pop("put", {}),
        inner={"z": ("B", rank)}, change=bounded, **more,
    )  # fmt: skip
