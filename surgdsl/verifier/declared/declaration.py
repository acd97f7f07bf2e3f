"""Declarations: the rules of the file as the statement holds them, and what becomes of them when variables have values.

The declaration is what the auditor compares with the file; a step must be an instance of it, box by box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from surgdsl.verifier import schema as s
from surgdsl.verifier.canonical import is_list, is_object, rising
from surgdsl.verifier.declared.boxes import ANY, KINDS, Kind
from surgdsl.verifier.digest import tagged
from surgdsl.verifier.extent import SYMBOL, Extent, is_extent, product, symbols, terms, total
from surgdsl.verifier.formula import condition, value_of_weight
from surgdsl.verifier.reject import Reject, need

MOST = 64
extent = s.where(is_extent, "an extent in normal form")
symbol = s.where(lambda value: type(value) is str and bool(SYMBOL.fullmatch(value)), "a name of letters and digits")
wires = s.array(s.name, MOST)
BOX = s.record({
    "attributes": s.array(s.row(s.name, s.attribute), MOST), "kind": s.name, "name": symbol,
    "sizes": s.array(extent, 8), "sources": wires, "targets": wires,
})  # fmt: skip
GLUED = s.record(
    {"dtype": s.one_of("real", *(dtype.lower() for dtype in s.ITEMSIZE)), "name": s.name},
    {"shape": s.array(s.where(lambda value: value == "*" or is_extent(value), "an extent or *"), 8)},
)
DECLARATION = s.record(
    {
        "glue": s.array(GLUED, MOST), "grade": s.one_of("exact", "bounded", "lossy"), "left": s.array(BOX, MOST, 1),
        "name": s.name, "parameters": s.array(s.row(symbol, s.one_of("int", "bit")), MOST), "right": s.array(BOX, MOST),
        "where": s.array(condition, MOST),
        "with": s.array(s.record({"box": symbol, "tensor": symbol, "value": value_of_weight}), MOST),
    },
    {
        "bound": s.record({
            "factor": value_of_weight, "input": s.name, "norm": s.one_of("l2", "linf"), "output": s.name,
        }),
        "decreases": s.array(s.row(s.name, s.natural), MOST, 1),
        "scales": s.array(s.row(symbol, s.name, extent), MOST, 1),
    },
)  # fmt: skip
METHOD = s.one_of("identity", "samples", "none")
DISCHARGE = s.record({"bits": s.integer(0), "instances": s.integer(0), "method": METHOD})
ROW = s.record({"declaration": DECLARATION, "discharge": DISCHARGE, "steps": s.array(s.name, 1024, 1)})

Box = dict[str, Any]
Declaration = dict[str, Any]
Values = Mapping[str, Any]


def declared(predicate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of `rules` by the digest of their declarations; V03 unless they are sorted, sound, and used by steps."""
    rows = predicate.get("rules", [])
    found = {tagged("surg-rule-v1", row["declaration"]): row for row in rows}
    need(len(found) == len(rows) and rising(found), "V03", "rules is not sorted or repeats itself")
    used = {raw["arguments"].get("rule") for raw in predicate["steps"] if raw["rule"] == "rule/1"}
    asked = {row["step"] for row in predicate["obligations"] if row["rule"] == "rule/1"}
    need(found.keys() <= used, "V03", "a rule is declared and not used")
    for row in rows:
        check_form(row["declaration"])
        steps = rising(row["steps"]) and asked.issuperset(row["steps"])
        need(steps, "V03", "the steps of a rule are not those asked for")
        silent = row["discharge"]["method"] == "none"
        need(silent == (row["declaration"]["grade"] == "lossy"), "V03", "what speaks for a rule does not fit its grade")
    return found


def spell(row: dict[str, Any]) -> str:
    """A rule for people: what becomes what, of which grade, and what spoke for it."""
    d, spoke = row["declaration"], row["discharge"]
    sides = " -> ".join(" ".join(box["kind"] for box in d[at]) for at in ("left", "right"))
    bits = f", {spoke['bits']} bits" if spoke["bits"] else ""
    attested = f"attested: {spoke['method']}, {spoke['instances']} instances{bits}"
    return f"rule `{d['name']}` of the file: {sides}; {d['grade']}, {attested}"


def check_form(d: Declaration) -> None:
    """Names are unique, boxes are of a known kind, weights are of boxes of R, and a bound is where it belongs; V03."""
    glue = [wire["name"] for wire in d["glue"]]
    names = [
        glue,
        *([box["name"] for box in d[side]] for side in ("left", "right")),
        [row[0] for row in d["parameters"]],
    ]
    scales = [row[0] for row in d.get("scales", ())]
    names += [[*scales, *known(d)], [(row["box"], row["tensor"]) for row in d["with"]]]
    need(all(len(set(row)) == len(row) for row in names), "V03", "two things of a rule share a name")
    for box in (*d["left"], *d["right"]):
        kind = kind_of(box)
        count = kind.inputs == ANY or (len(box["sources"]), len(box["targets"])) == (kind.inputs, 1)
        need(count and len(box["sizes"]) == len(kind.words), "V03", f"the box {box['name']} has other ports or sizes")
        stated = [row[0] for row in box["attributes"]]
        fits = kind.inputs == ANY or kind.arguments.keys() >= set(stated)
        need(fits and rising(stated), "V03", f"the box {box['name']} states what it may not")
    weights = {(box["name"], tensor) for box in d["right"] for tensor in kind_of(box).weights}
    need(weights.issuperset(names[-1]), "V03", "a value is given to a weight that R does not have")
    bound = d.get("bound")
    need((bound is not None) == (d["grade"] == "bounded"), "V03", "a bounded rule has a bound, others have none")
    need(bound is None or {bound["input"], bound["output"]} <= set(glue), "V03", "the bound speaks of no wire of K")
    need(rising(row[0] for row in d.get("decreases", ())), "V03", "decreases is not sorted")


def kind_of(box: Box) -> Kind:
    """The kind of a box: one of the table, or any operator by its own name; V03 when there is none."""
    if box["kind"].startswith("aten."):
        return Kind(box["kind"], inputs=ANY)
    if box["kind"] not in KINDS:
        raise Reject("V03", f"the kind {box['kind']} is unknown")
    return KINDS[box["kind"]]


def variables(boxes: list[Box]) -> Iterator[str]:
    """The variables of sizes and arguments."""
    for box in boxes:
        for size in box["sizes"]:
            yield from symbols(size)
        for _, value in box["attributes"]:
            for item in value if is_list(value) else [value]:
                yield from symbols(item["extent"]) if is_object(item) and "extent" in item else ()


def known(d: Declaration) -> list[str]:
    """The variables of L, of the types of K, and the parameters, sorted."""
    shapes = (extent for wire in d["glue"] for extent in wire.get("shape", ()) if extent != "*")
    found = {*variables(d["left"]), *(symbol for extent in shapes for symbol in symbols(extent))}
    return sorted(found.union(row[0] for row in d["parameters"]))


def size(extent: Extent, values: Values) -> Extent:
    """An extent with the variables put in; V14 when one of them is no extent."""
    found: list[Extent] = []
    for monomial, coefficient in terms(extent).items():
        factors = [_extent(values.get(symbol)) for symbol in monomial]
        found += [] if 0 in factors else [product(coefficient, *factors)]
    return total(found)


def ground(value: Any, values: Values) -> Any:
    """An argument with the variables put in, as a graph writes it."""
    if is_list(value):
        return [ground(item, values) for item in value]
    if not is_object(value) or "extent" not in value:
        return value
    if value["extent"] in values:
        return values[value["extent"]]
    found = size(value["extent"], values)
    return found if isinstance(found, int) else {"extent": found}


def _extent(value: Any) -> Extent:
    if is_object(value) and "extent" in value:
        return value["extent"]
    need(type(value) is int and value >= 0, "V14", "a variable of a size is no extent")
    return value


def number_of(value: Any) -> Fraction | None:
    """The number that a variable or an argument is; None for anything else."""
    if is_object(value) and "float" in value:
        number = float.fromhex(value["float"])
        return Fraction(number) if math.isfinite(number) else None
    return Fraction(value) if type(value) is int else None
