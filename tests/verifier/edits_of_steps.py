"""Edits that know what a step is: rules, matches, cuts, encodings, weights; told in one place or everywhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random

import numpy as np

from tests.verifier.edits import Edit, Nothing, leaf, one, other, relist, rows, spots
from tests.verifier.forge import tensor_digest
from tests.verifier.paper import Json, Paper, renamed

RULES = (
    "prune-channels/1", "mask/1", "quantize-codebook/1", "quantize-affine/1", "recover/1", "adjust/1",
    "fake-quantize/1", "rule/1",
)  # fmt: skip
OPERATORS = ("relu", "tanh", "sigmoid", "abs", "neg", "alias", "exp", "silu", "gelu", "square")


def step(paper: Paper, random: Random, rule: str = "") -> Json:
    return one(random, [row for row in paper.steps if not rule or row.get("rule", "").startswith(rule)])


def plain(rows: Sequence[Json]) -> list[Json]:
    return [op for op in rows if op.get("op") != "param"]


def params(rows: Sequence[Json]) -> list[Json]:
    return [op for op in rows if op.get("op") == "param"]


def retarget(paper: Paper, random: Random) -> None:
    """An operation of a rule, or of the graph, reads or makes another wire."""
    where = one(random, [paper.graph, *(row[side] for row in paper.steps for side in ("left", "right"))])
    op = one(random, [op for op in where["operations"] if op["sources"] or op["targets"]])
    ports = op[one(random, [side for side in ("sources", "targets") if op[side]])]
    names = [wire["id"] for row in paper.steps for wire in row["left"]["wires"] + row["right"]["wires"]]
    ports[random.randrange(len(ports))] = one(random, range(len(where["wires"])) if where is paper.graph else names)


def reshape(paper: Paper, random: Random) -> None:
    """A wire has another shape, or dtype, wherever it is written down alike."""
    where = one(random, [paper.graph, *(row[side] for row in paper.steps for side in ("left", "right"))])
    wire = one(random, where["wires"])
    if random.randrange(4) == 0:
        wire["dtype"] = one(random, ["F64", "F32", "F16", "I64", "BOOL"])
    elif wire["shape"]:
        at = random.randrange(len(wire["shape"]))
        wire["shape"][at] = one(random, [1, 2, 3, 4, "B", "2*B", *wire["shape"]])


def everywhere(paper: Paper, random: Random) -> None:
    """An operator, or one of its arguments, is another, wherever it stands."""
    op = one(random, plain(list(paper.operations())))
    old = (op["op"], json.dumps(op["attributes"]))
    rows, name = copy.deepcopy(op["attributes"]), op["op"]
    if rows and random.randrange(2):
        row = one(random, rows)
        box, key = one(random, spots([row[1]], leaf))
        box[key] = other(box[key], random)
        row[1] = box[0] if box is not row[1] and len(box) == 1 and leaf(row[1]) else row[1]
    else:
        name = f"aten.{one(random, OPERATORS)}.default"
    some = random.randrange(2)
    for found in plain(list(paper.operations())):
        if (found["op"], json.dumps(found["attributes"])) == old and (not some or random.randrange(2)):
            found["op"], found["attributes"] = name, rows


def recode(paper: Paper, random: Random) -> None:
    """An encoding is said to be another, in one place or wherever it stands."""
    op = one(random, params(list(paper.operations())))
    old, new = json.dumps(op["encoding"]), copy.deepcopy(op["encoding"])
    box, key = one(random, spots([new], leaf))
    box[key] = other(box[key], random) if key != "kind" else one(random, ["dense", "codebook", "affine", "symmetric"])
    some = random.randrange(2)
    for found in params(list(paper.operations())):
        if json.dumps(found["encoding"]) == old and (not some or found is op):
            found["encoding"] = new


def rename_weight(paper: Paper, random: Random) -> None:
    """A tensor has another name, or role, in one place or everywhere."""
    op = one(random, params(list(paper.operations())))
    part = one(random, op["parts"])
    key = one(random, ["name", "role"])
    old, new = part[key], one(random, ["other", part[key] + ".x", one(random, op["parts"])[key]])
    if random.randrange(2):
        part[key] = new
        return
    for found in params(list(paper.operations())):
        for row in found["parts"]:
            row[key] = new if row[key] == old else row[key]
    if key == "name" and old in paper.names and new not in paper.names:
        paper.names[new] = paper.names.pop(old)


def edit_tensor(paper: Paper, random: Random) -> None:
    """One bit of a tensor is another, wherever the tensor is."""
    name = one(random, sorted(name for name, tensor in paper.tensors.items() if tensor[2]))
    dtype, shape, data = paper.tensors[name]
    at = random.randrange(len(data))
    paper.tensors[name] = (dtype, shape, data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :])


def edit_numbers(paper: Paper, random: Random) -> None:
    """A float of a tensor becomes another number."""
    floats = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
    name = one(random, sorted(name for name, tensor in paper.tensors.items() if tensor[0] in floats and tensor[2]))
    dtype, shape, data = paper.tensors[name]
    values = np.frombuffer(data, floats[dtype]).copy()
    at = random.randrange(len(values))
    with np.errstate(all="ignore"):
        near = np.nextafter(values[at], values.dtype.type(9))
        values[at] = one(random, [0, -0.0, np.nan, np.inf, -values[at], values[at] * 2, near, values[at - 1]])
    paper.tensors[name] = (dtype, shape, values.tobytes())


def part_of_a_step(paper: Paper, random: Random) -> None:
    """One weight that a step makes is another tensor from then on; what it was made of stays."""
    row = step(paper, random)
    made = one(random, [part for op in params(row["right"]["operations"]) for part in op["parts"]])
    dtype, shape, data = paper.tensors[made["digest"]]
    if not data:
        raise Nothing
    at = random.randrange(len(data))
    new = data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    digest = tensor_digest(dtype, shape, new)
    paper.tensors[digest] = (dtype, shape, new)
    start = paper.steps.index(row)
    names = {made["digest"]: digest}
    row["right"] = renamed(row["right"], names)
    paper.steps[start + 1 :] = renamed(paper.steps[start + 1 :], names)


def exchange_tensors(paper: Paper, random: Random) -> None:
    """Two tensors of one shape change their places, in one rule, in the graph, or everywhere."""
    where = one(random, [paper.graph, *(row["right"] for row in paper.steps)])
    parts = [part for op in params(where["operations"]) for part in op["parts"]]
    first = one(random, parts)
    second = one(random, [part for part in parts if (part["shape"], part["dtype"]) == (first["shape"], first["dtype"])])
    first["digest"], second["digest"] = second["digest"], first["digest"]


def edit_arguments(paper: Paper, random: Random) -> None:
    """A value in the arguments of a step."""
    row = step(paper, random)
    if random.randrange(3):
        box, key = one(random, spots(row["arguments"], leaf))
        box[key] = other(box[key], random)
    else:
        box, key = one(random, spots(row["arguments"], rows))
        relist(box[key], random)


def edit_cut(paper: Paper, random: Random) -> None:
    """Another channel is said to be kept, in one list or wherever it stands; scores may follow."""
    row = step(paper, random, "prune")["arguments"]
    rows = [row["keep"], *row["indices"]]
    some = one(random, rows)
    old, new = one(random, some), random.randrange(len(row["scores"]))
    if random.randrange(2):
        for each in rows:
            each[:] = sorted({new if index == old else index for index in each})
    else:
        some[:] = sorted({new if index == old else index for index in some})
    if random.randrange(2) and old < len(row["scores"]):
        row["scores"][old], row["scores"][new] = row["scores"][new], row["scores"][old]


def move_glue(paper: Paper, random: Random) -> None:
    """A wire comes into K, or leaves it."""
    row = step(paper, random)
    wire = one(random, row["left"]["wires"])["id"]
    kept = set(row["glue"]["wires"]) ^ {wire}
    row["glue"]["wires"] = [wire["id"] for wire in row["left"]["wires"] if wire["id"] in kept]


def move_match(paper: Paper, random: Random) -> None:
    """L lies elsewhere."""
    row = step(paper, random)["match"][one(random, ["wires", "operations"])]
    first, second = one(random, row), one(random, row)
    if random.randrange(2):
        first[1], second[1] = second[1], first[1]
    else:
        first[1] = one(random, [f"{letter}{number}" for letter in "wo" for number in range(9)] + ["s0.0", "s1.1"])


def edit_steps(paper: Paper, random: Random) -> None:
    """Steps in another order, twice or gone, numbered anew; their states are formed anew."""
    if not paper.steps:
        raise Nothing
    relist(paper.steps, random)
    for index, row in enumerate(paper.steps):
        row["index"] = index


def graft_step(paper: Paper, random: Random) -> None:
    """One part of a step comes from another step."""
    first, second = step(paper, random), step(paper, random)
    key = one(random, ["left", "right", "glue", "match", "arguments", "rule", "step", "kind", "reduces"])
    if key not in first or first is second:
        raise Nothing
    second[key] = copy.deepcopy(first[key])


def other_rule(paper: Paper, random: Random) -> None:
    """A step goes by the name of another rule, which is asked for."""
    row = step(paper, random)
    old, row["rule"] = row["rule"], one(random, RULES)
    for wanted in paper.predicate["obligations"]:
        if (wanted["rule"], wanted["step"]) == (old, row["step"]):
            wanted["rule"] = row["rule"]


def more_of_r(paper: Paper, random: Random) -> None:
    """R does more: another activation behind what it makes."""
    row = step(paper, random)
    right = row["right"]
    op = one(random, [op for op in right["operations"] if len(op["targets"]) == 1])
    sorts = {wire["id"]: wire for wire in row["left"]["wires"] + right["wires"]}
    target, new = op["targets"][0], f"r{len(right['wires'])}"
    for made in right["operations"]:
        made["id"] = f"r{int(made['id'][1:]) + 1}"
    right["wires"].append({**sorts[target], "id": new})
    op["targets"] = [new]
    more = {"attributes": [], "op": f"aten.{one(random, OPERATORS)}.default", "sources": [new], "targets": [target]}
    right["operations"].append({**more, "id": f"r{len(right['wires']) + len(right['operations'])}"})


EDITS: tuple[Edit, ...] = (
    retarget, reshape, everywhere, recode, rename_weight, edit_tensor, edit_numbers, part_of_a_step, exchange_tensors,
    edit_arguments, edit_cut, move_glue, move_match, edit_steps, graft_step, other_rule, more_of_r,
)  # fmt: skip
