"""rule/1: a step is an instance of a rule of the file, box by box, with its weights recomputed.

What the variables, the wires and the operations of the rule are is told by the step and looked up here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from surgdsl.verifier.arrays import ops
from surgdsl.verifier.canonical import canon
from surgdsl.verifier.content import Load
from surgdsl.verifier.declared.boxes import NONE, SIZES, Kind
from surgdsl.verifier.declared.declaration import Box, Declaration, Values, ground, kind_of, known, number_of, size
from surgdsl.verifier.declared.meaning import point
from surgdsl.verifier.declared.values import REAL, Placed, settle
from surgdsl.verifier.digest import tagged
from surgdsl.verifier.formula import all_of, exactly
from surgdsl.verifier.named import Tensor
from surgdsl.verifier.net import Sort
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rewrite import Fragment, Rewrite
from surgdsl.verifier.rules.schema import FREE, Rule

LISTS = ("dilation", "kernel_size", "padding", "stride")
SYMMETRIC = ("add", "mul")


def rule_of(raw: dict[str, Any], rows: dict[str, dict[str, Any]]) -> Rule:
    """The rule that a step of `rule/1` names; V14 when none is declared for it."""
    row = rows.get(str(raw["arguments"].get("rule")))  # what is no text names nothing
    if row is None or raw["step"] not in row["steps"]:
        raise Reject("V14", "no rule of that digest is declared for this step")
    d = row["declaration"]
    guessed = any("spectral" in each for row in d["with"] for each in all_of(row["value"]))
    grade = "bounded" if guessed and d["grade"] == "exact" else d["grade"]
    given = raw["arguments"].keys()
    named = ("factor" in given) == (d["grade"] == "bounded") and ("scales" in given) == ("scales" in d)
    need(named, "V03", "a factor or scales are given exactly where the rule has them")
    return Rule(grade, FREE, partial(check, d), f"rule/1 {d['name']}")


def check(d: Declaration, rewrite: Rewrite, load: Load) -> str:
    """The step is an instance of the declaration (section 11, points 2 to 11); tells its bound."""
    given = rewrite.arguments
    need([row[0] for row in given["variables"]] == known(d), "V14", "the variables are not those of the rule")
    values = dict(given["variables"])
    left, right = wires_of(d, rewrite)
    olds = side(d["left"], given["left"], rewrite.left, (left, values, False))
    news = side(d["right"], given["right"], rewrite.right, (right, values, True))
    glued = [(wire, rewrite.left.wires[left[wire["name"]]]) for wire in d["glue"]]
    for wire, sort in glued:
        need(fits(wire, sort, values), "V14", f"the wire {wire['name']} is not of the type that the rule says")
    numbers = {name: number for name, value in values.items() if (number := number_of(value)) is not None}
    for formula in d["where"]:
        need(bool(exactly(formula, numbers)), "V14", "a condition of the rule does not hold")
    costs = [weighed(d, at) for at in ("right", "left")]
    need("decreases" not in d or costs[0] < costs[1], "V14", "what the rule decreases does not decrease")
    real = [sort.dtype for _, sort in glued if sort.dtype in REAL]
    given_at = {wire["name"]: sort.shape for wire, sort in glued}
    sample = point(d, given_at, tagged("surg-point-v1", given))
    about = real, numbers, scaled(d, given, values), load
    return settle(d, (olds, news), about, sample, float.fromhex(given.get("factor", "inf")))


def scaled(d: Declaration, given: Values, values: Values) -> dict[str, Tensor]:
    """The scales of a rule, powers of two along axes of the extents that it says; V14 when there are others."""
    rows, told = d.get("scales", ()), given.get("scales", ())
    expected = [(name, size(extent, values)) for name, _, extent in rows]
    fits = [(name, len(powers)) for name, powers in told] == expected
    need(fits, "V14", "the scales are not those of the rule, or of other extents")
    return {
        name: Tensor({axis: len(powers)}, ops.numbers(2.0**power for power in powers))
        for (name, axis, _), (_, powers) in zip(rows, told, strict=True)
    }


def weighed(d: Declaration, at: str) -> int:
    """What `decreases` counts on one side."""
    kinds = [box["kind"] for box in d[at]]
    return sum(int(factor) * kinds.count(kind) for kind, factor in d.get("decreases", ()))


def wires_of(d: Declaration, rewrite: Rewrite) -> tuple[dict[str, str], dict[str, str]]:
    """Where the wires of the rule lie: those of its left side, then those of its right side."""
    rows, glue = rewrite.arguments["wires"], [wire["name"] for wire in d["glue"]]
    inner = [
        dict.fromkeys(wire for box in d[at] for wire in (*box["sources"], *box["targets"]) if wire not in glue)
        for at in ("left", "right")
    ]
    need([row[0] for row in rows] == [*glue, *inner[0], *inner[1]], "V14", "the wires are not those of the rule")
    need(len({row[1] for row in rows}) == len(rows), "V14", "two wires of the rule are one")
    shared, split = dict(rows[: len(glue)]), len(glue) + len(inner[0])
    need(sorted(rewrite.glue) == sorted(shared.values()), "V14", "K is not the glue of the rule")
    return shared | dict(rows[len(glue) : split]), shared | dict(rows[split:])


def side(
    boxes: list[Box], rows: list[Any], fragment: Fragment, known: tuple[dict[str, str], Values, bool]
) -> dict[str, Placed]:
    """The boxes of one side with the operations and params that they are, which are all that the side has."""
    wires, values, created = known
    need([row[0] for row in rows] == [box["name"] for box in boxes], "V14", "the boxes are not those of the rule")
    ids = [identity for row in rows for identity in (row[1], *(pair[1] for pair in row[2]))]
    whole = len(set(ids)) == len(ids) and set(ids) == fragment.operations.keys()
    need(whole, "V14", "the operations of a side are not those of its boxes, each once")
    found = dict[str, Placed]()
    for box, (name, identity, named) in zip(boxes, rows, strict=True):
        params = [fragment.operations[param] for _, param in named]
        weights = {tensor: op.weight for (tensor, _), op in zip(named, params, strict=True) if op.weight is not None}
        need(len(weights) == len(params), "V14", f"a weight of {name} is no param, or is named twice")
        sizes = tuple(size(extent, values) for extent in box["sizes"])
        placed = Placed(box, kind_of(box), sizes, fragment.operations[identity], weights)
        check_ports(placed, tuple(op.targets[0] for op in params), wires, created)
        for tensor, weight in weights.items():
            same = weight.shape == sizes[: placed.kind.weights[tensor].rank]
            need(same, "V14", f"{name}.{tensor} is not of the sizes of its box")
        check_arguments(placed, values, created)
        found[name] = placed
    own = [wires[name] for name in wires if wires[name] in fragment.wires]
    params = [op.targets[0] for op in fragment.operations.values() if op.weight is not None]
    need(sorted(own + params) == sorted(fragment.wires), "V14", "the wires of a side are not those of its boxes")
    return found


def check_ports(placed: Placed, params: tuple[str, ...], wires: dict[str, str], created: bool) -> None:
    """The operator is that of the kind; it reads the wires of the box, then its weights, and makes its targets."""
    box, kind, operation = placed.box, placed.kind, placed.operation
    need(operation.name == kind.operator, "V14", f"the box {box['name']} is no `{operation.name}`")
    order = [tensor for tensor in kind.weights if tensor in placed.weights]
    need(list(placed.weights) == order, "V14", f"the weights of {box['name']} are not those of its kind, in order")
    sources, targets = (tuple(wires[wire] for wire in box[at]) for at in ("sources", "targets"))
    either = [sources] if created or box["kind"] not in SYMMETRIC else [sources, sources[::-1]]
    orders = [(*params, *data) if kind.ahead else (*data, *params) for data in either]
    wired = operation.sources in orders and operation.targets == targets
    need(wired, "V14", f"the box {box['name']} is wired differently")


def check_arguments(placed: Placed, values: Values, created: bool) -> None:
    """Every argument is what the box states, or the default, or free; a weight that is not there may be absent."""
    kind, actual, stated = placed.kind, placed.operation.attributes, dict(placed.box["attributes"])
    given = {name: list(placed.sizes) if value is SIZES else value for name, value in kind.arguments.items()} | stated
    expected = {name: spread(name, ground(value, values), kind) for name, value in given.items()}
    expected |= {name: actual.get(name) for name in kind.free if not created and name not in stated}
    for name, tensor in kind.weights.items():
        if name not in placed.weights:
            need(tensor.neutral is not None, "V14", f"{placed.box['name']}.{name} is missing")
            expected[tensor.port] = NONE
    need(canon(actual) == canon(expected), "V14", f"an argument of {placed.box['name']} is not what the rule says")


def spread(name: str, value: Any, kind: Kind) -> Any:
    """An argument as the operator takes it: a list where a single integer stands for equal ones."""
    return [value] * kind.spread if kind.spread and name in LISTS and type(value) is int else value


def fits(wire: dict[str, Any], sort: Sort, values: Values) -> bool:
    """Whether a wire has the type that the rule gives it; * is any extent."""
    real = wire["dtype"] == "real" and sort.dtype in REAL
    shape = wire.get("shape", ["*"] * len(sort.shape))
    same = len(shape) == len(sort.shape) and all(
        extent in ("*", found) or (extent != "*" and size(extent, values) == found)
        for extent, found in zip(shape, sort.shape, strict=True)
    )
    return (real or wire["dtype"].upper() == sort.dtype) and same
