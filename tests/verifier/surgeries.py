"""The rules of the page as numpy computes them, and small nets to operate on; hooks let a test lie in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.verifier.encodings import Array, Weight, affine, bits, codebook, dense
from tests.verifier.forge import Forge, canon, tensor_digest

Kept = dict[str, dict[int, list[int]]]


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def conv(f: Forge, x: str, name: str, out: int, kernel: int = 3, groups: int = 1, *, bias: bool = True) -> str:
    batch, channels, height, width = f.wires[x][1]
    sources = [x, f.param(dense(f"{name}.weight", noise(out, channels // groups, kernel, kernel)))]
    more: dict[str, Any] = {} if bias else {"bias": {"none": True}}
    if bias:
        sources.append(f.param(dense(f"{name}.bias", noise(out))))
    same, pad = {"groups": groups, "stride": [1, 1], "dilation": [1, 1]}, kernel // 2
    return f.op("conv2d.default", sources, (batch, out, height, width), padding=[pad, pad], **same, **more)


def linear(f: Forge, x: str, name: str, out: int) -> str:
    shape = f.wires[x][1]
    sources = [x, f.param(dense(f"{name}.weight", noise(out, shape[-1]))), f.param(dense(f"{name}.bias", noise(out)))]
    return f.op("linear.default", sources, (*shape[:-1], out))


def norm(f: Forge, x: str, name: str, eps: float = 1e-5) -> str:
    count = f.wires[x][1][1]
    rows = {"weight": noise(count, seed=1), "bias": noise(count, seed=2), "running_mean": noise(count, seed=3)}
    rows["running_var"] = np.abs(noise(count, seed=4)) + np.float32(0.5)
    sources = [
        f.param(dense(f"{name}.{key}", values), "parameter" if key in ("weight", "bias") else "buffer")
        for key, values in rows.items()
    ]
    numbers = {"momentum": {"float": (0.1).hex()}, "eps": {"float": eps.hex()}}
    return f.op("batch_norm.default", [x, *sources], f.wires[x][1], training=False, cudnn_enabled=True, **numbers)


def same(f: Forge, name: str, x: str, **attributes: Any) -> str:
    return f.op(f"{name}.default", [x], f.wires[x][1], **attributes)


def pool(f: Forge, x: str) -> str:
    *lead, height, width = f.wires[x][1]
    windows = {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": False}
    return f.op("max_pool2d.default", [x], (*lead, height // 2, width // 2), **windows)


def flat(f: Forge, x: str) -> str:
    batch, *rest = f.wires[x][1]
    return f.op("flatten.using_ints", [x], (batch, int(np.prod(rest))), start_dim=1, end_dim=-1)


def cnn(eps: float = 1e-5) -> Forge:
    """image → conv1 → bn → relu → pool → conv2 → relu → flatten → fc → logits."""
    f = Forge()
    x = f.input("image", ("B", 1, 4, 4))
    x = pool(f, same(f, "relu", norm(f, conv(f, x, "conv1", 4, bias=False), "bn", eps)))
    x = linear(f, flat(f, same(f, "relu", conv(f, x, "conv2", 6))), "fc", 3)
    f.begin(("logits", x), B=1)
    return f


def mlp() -> Forge:
    f = Forge()
    x = same(f, "relu", linear(f, f.input("x", ("B", 5)), "fc1", 4))
    f.begin(("y", linear(f, x, "fc2", 2)), B=1)
    return f


def residual() -> Forge:
    """Two convs whose outputs are added, then a classifier: the channels of both move together."""
    f = Forge()
    a = same(f, "relu", conv(f, f.input("image", ("B", 1, 2, 2)), "a", 4))
    b = conv(f, a, "b", 4)
    x = f.op("add.Tensor", [a, b], f.wires[a][1], alpha=1)
    f.begin(("logits", linear(f, flat(f, x), "fc", 2)), B=1)
    return f


def grouped() -> Forge:
    """A conv with two groups between two plain ones."""
    f = Forge()
    x = conv(f, f.input("image", ("B", 1, 2, 2)), "a", 8)
    x = conv(f, conv(f, x, "b", 8, groups=2), "c", 2, kernel=1)
    f.begin(("logits", x), B=1)
    return f


def joined() -> Forge:
    """Two convs side by side, concatenated, then a third."""
    f = Forge()
    x = f.input("image", ("B", 1, 2, 2))
    a, b = conv(f, x, "a", 3), conv(f, x, "b", 4)
    both = f.op("cat.default", [a, b], ("B", 7, 2, 2), dim=1, tensors={"tensors": 2})
    f.begin(("logits", conv(f, both, "c", 2)), B=1)
    return f


def as_it_is(weight: Array, bias: Array) -> tuple[Array, Array]:
    return weight, bias


def chosen(values: Array, sets: dict[int, list[int]]) -> Array:
    for dim, indices in sets.items():
        values = np.take(values, indices, axis=dim)
    return values


def unchanged(_: dict[str, Any]) -> None:
    """What is recorded stays as it is."""


def prune(
    f: Forge,
    kept: Kept,
    keep: list[int],
    scores: list[int],
    *,
    weights: Kept | None = None,
    attributes: dict[str, Any] | None = None,
    arguments: Callable[[dict[str, Any]], None] = unchanged,
    remake: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> None:
    """Restrict the wires of `kept`.

    `weights` overrides what a weight keeps, `arguments` edits what is recorded, `remake` each operation of R.
    """
    left = [i for i, op in f.ops.items() if any(w in kept for w in op["sources"] + op["targets"])]
    touched = list(dict.fromkeys(w for i in left for side in ("sources", "targets") for w in f.ops[i][side]))
    shrinking = [w for w in touched if w in kept]
    new = {
        f"new {w}": (f.wires[w][0], tuple(len(kept[w].get(d, [])) or e for d, e in enumerate(f.wires[w][1])))
        for w in shrinking
    }
    place = {w: f"new {w}" if w in kept else w for w in touched}
    right = list[dict[str, Any]]()
    for i in left:
        if "key" in f.ops[i]:
            wire = f.ops[i]["targets"][0]
            smaller = select(f.weight(i), (weights or {}).get(wire, kept[wire]))
            right.append(f.param_op(smaller, f.ops[i]["raw"]["role"], place[wire]))
            continue
        raw = f.ops[i]["raw"]
        raw = {**raw, "attributes": [[k, (attributes or {}).get(k, v)] for k, v in raw["attributes"]]}
        right.append(f.moved({"raw": raw, "sources": f.ops[i]["sources"], "targets": f.ops[i]["targets"]}, place))

    def recorded(local: dict[str, str]) -> dict[str, Any]:
        found = witness(kept, shrinking, keep, scores, local)
        arguments(found)
        return found

    glue, remade = [w for w in touched if w not in kept], [remake(made) for made in right]
    f.rewrite("narrow", "prune-channels/1", "params/1", recorded, left, glue, new, remade)


def witness(
    kept: Kept, shrinking: list[str], keep: list[int], scores: list[int], local: dict[str, str]
) -> dict[str, Any]:
    """The arguments of a cut as a certificate holds them."""
    lists = [kept[w][d] for w in shrinking for d in sorted(kept[w])]
    indices = [list(row) for row in dict.fromkeys(map(tuple, lists))]
    rows = [[local[w], d, indices.index(kept[w][d])] for w in shrinking for d in sorted(kept[w])]
    told = [str(score) for score in scores]
    return {"axis": "conv:out", "indices": indices, "keep": keep, "kept": rows, "scores": told}


def select(weight: Weight, sets: dict[int, list[int]]) -> Weight:
    """The restriction of a weight; of an encoded one, its stored parts are cut."""
    kind = weight.encoding.get("inner", weight.encoding)
    parts = {
        role: np.frombuffer(data, {"U8": "u1", "F16": "<f2", "F32": "<f4"}[dtype])
        for role, _, dtype, _, data in weight.parts
    }
    shape, small = weight.decoded.shape, chosen(weight.decoded, sets)
    mask = (
        np.unpackbits(parts["mask"], bitorder="little")[: weight.decoded.size].reshape(shape)
        if "mask" in parts
        else None
    )
    cut = None if mask is None else chosen(mask, sets).astype(bool)
    if kind["kind"] == "dense":
        return dense(weight.base, small, cut)
    width, count = int(kind["bits"]), weight.decoded.size if mask is None else int(mask.sum())
    columns = np.unpackbits(parts["codes"], bitorder="little")[: count * width].reshape(count, width)
    codes = (columns.astype(np.int64) << np.arange(width)).sum(axis=1)
    whole = np.zeros(shape, dtype=np.int64)
    whole[np.ones(shape, bool) if mask is None else mask.astype(bool)] = codes
    left = chosen(whole, sets)
    if kind["kind"] == "codebook":
        return codebook(
            weight.base, small, kind["bits"], cut, parts["codebook"], (left if cut is None else left[cut]).ravel()
        )
    assert (kind["kind"], kind["axis"], cut) == ("symmetric", 0, None), "the forge prunes rows of groups only"
    group = int(kind["group"])
    wide = np.repeat(parts["scale"].reshape(shape[0], -1), group, axis=1)[:, : shape[1]]
    scale = np.ascontiguousarray(chosen(wide, sets)[:, ::group])  # the first of each group that is left
    return Weight(weight.base, weight.encoding, {"codes": bits(left, width), "scale": scale}, small)


def recode(f: Forge, step: str, rule: str, reduces: str, arguments: dict[str, Any], base: str, weight: Weight) -> None:
    """Replace one param on its wire."""
    identity = f.named(base)
    wire = f.ops[identity]["targets"][0]
    made = f.param_op(weight, f.ops[identity]["raw"]["role"], wire)
    f.rewrite(step, rule, reduces, arguments, [identity], [wire], {}, [made])


def mask(
    f: Forge, base: str, keep: Array, *, values: Array | None = None, stated: int | None = None, **pattern: list[int]
) -> None:
    old = f.weight(f.named(base)).decoded if values is None else values
    count = int(keep.sum()) if stated is None else stated
    recode(f, "sparse", "mask/1", "nnz/1", {"keep": str(count), **pattern}, base, dense(base, old, keep))


def mask_of(f: Forge, base: str) -> Array | None:
    weight = f.weight(f.named(base))
    found = [np.frombuffer(part[4], np.uint8) for part in weight.parts if part[0] == "mask"]
    if not found:
        return None
    return np.unpackbits(found[0], bitorder="little")[: weight.decoded.size].reshape(weight.decoded.shape).astype(bool)


def quantize(f: Forge, base: str, width: int, **lies: Any) -> None:
    weight = codebook(base, f.weight(f.named(base)).decoded, width, mask_of(f, base), **lies)
    recode(f, "code", "quantize-codebook/1", "size/1", {"bits": width}, base, weight)


def quantize_affine(f: Forge, base: str, width: int, axis: int) -> None:
    weight = affine(base, f.weight(f.named(base)).decoded, width, axis)
    recode(f, "round", "quantize-affine/1", "size/1", {"axis": axis, "bits": width}, base, weight)


Change = Callable[[str, Array], Array]
TRAINED = {"batch": "32", "change": "1/10", "data": "train", "epochs": "2", "rate": "1/1000", "seed": "7"}
SOLVED = {"data": "train", "figures": [["fc.damping", "1/100"], ["fc.error", "1/8"]], "method": "sequential"}


def recover(f: Forge, change: Change = lambda _, a: a * np.float32(1.25)) -> None:
    """Scale every float part of every weight."""
    moved(f, "recover/1", TRAINED, change)


def adjust(f: Forge, change: Change = lambda _, a: a * np.float32(0.75), **lies: Any) -> None:
    """The same, as something that data decided."""
    moved(f, "adjust/1", {**SOLVED, **lies}, change)


def moved(f: Forge, rule: str, arguments: dict[str, Any], change: Change) -> None:
    """Every float part of every weight moved."""
    ids = [i for i, op in f.ops.items() if "key" in op]
    wires = [f.ops[i]["targets"][0] for i in ids]
    right = list[dict[str, Any]]()
    for i, wire in zip(ids, wires, strict=True):
        old = f.weight(i)
        weight = Weight.__new__(Weight)
        weight.base, weight.encoding = old.base, old.encoding
        weight.decoded = change("decoded", old.decoded)
        weight.parts = [
            (role, name, dtype, shape, change(role, np.frombuffer(data, "<f4")).tobytes() if dtype == "F32" else data)
            for role, name, dtype, shape, data in old.parts
        ]
        right.append(f.param_op(weight, f.ops[i]["raw"]["role"], wire))
    f.rewrite("narrow", rule, "", arguments, ids, wires, {}, right)


def counted(metric: str, limit: str, relation: str = "<=") -> dict[str, Any]:
    right = {"apply": "mul", "terms": [{"number": limit}, {"metric": metric, "state": "before"}]}
    claim = {"left": {"metric": metric, "state": "after"}, "relation": relation, "right": right}
    name = metric.partition("/")[0]
    return {"counted": claim, "text": f"{name}(after) {relation} {limit} * {name}(before)"}


def log(f: Forge, rows: list[list[int]], **changes: Any) -> str:
    """A prediction log about the two models as they stand."""
    labels = np.array([row[1] for row in rows], dtype="<i8")
    data = {
        "inputs": "0" * 64,
        "labels": tensor_digest("I64", labels.shape, labels.tobytes()),
        "name": "test",
        "rows": len(rows),
    }
    body = {
        "after": f.manifest(),
        "before": f.first["manifest"],
        "data": data,
        "kind": "predictions",
        "rows": rows,
        **changes,
    }
    return f.blob(canon(body))


def measured(evidence: str, limit: str, **more: Any) -> dict[str, Any]:
    """A claim on a drop of accuracy, or on what `more` says instead, in the words of a file."""
    claim: dict[str, Any] = {
        "evidence": evidence, "limit": limit, "measure": "accuracyDrop", "relation": "<=",
        **({"candidates": 1} if "confidence" in more else {}), **more,
    }  # fmt: skip
    words = {"accuracy": "accuracy(after)", "accuracyDrop": "accuracy.drop", "loss": "loss(after)"}
    text = f"{words.get(claim['measure'], 'loss.rise')} {claim['relation']} {limit} on test"
    if "confidence" in claim:
        text += f" with confidence {claim['confidence']}"
        text += f" among {claim['candidates']} candidates" if claim["candidates"] > 1 else ""
        text += ' registered "plan.md"' if "registered" in claim else ""
    return {"measured": claim, "text": text}
