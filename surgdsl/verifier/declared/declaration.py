"""Declarations: the rules of the file as the statement holds them, and what becomes of them when variables have values.

The declaration is what the auditor compares with the file; a step must be an instance of it, box by box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from surgdsl.verifier.canonical import is_list, is_object, rising
from surgdsl.verifier.declared.boxes import ANY, KINDS, Kind
from surgdsl.verifier.digest import tagged
from surgdsl.verifier.extent import Extent, product, symbols, terms, total
from surgdsl.verifier.formula import condition, value_of_weight
from surgdsl.verifier.reject import Reject, need

Box = dict[str, Any]
Declaration = dict[str, Any]
Values = Mapping[str, Any]
GRADES = {"identity": ("exact",), "samples": ("exact", "bounded"), "none": ("lossy",)}
"""Of what grades a rule may be for which a method speaks."""


def declared(predicate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of `rules` by the digest of their declarations; V03 unless they are sorted, sound, and used by steps."""
    rows = predicate.get("rules", [])
    found = {tagged("surg-rule-v1", row["declaration"]): row for row in rows}
    need(len(found) == len(rows) and rising(found), "V03", "rules is not sorted or repeats itself")
    used = {str(raw["arguments"].get("rule")) for raw in predicate["steps"] if raw["rule"] == "rule/1"}
    asked = {row["step"] for row in predicate["obligations"] if row["rule"] == "rule/1"}
    need(found.keys() <= used, "V03", "a rule is declared and not used")
    for row in rows:
        check_form(row["declaration"])
        steps = rising(row["steps"]) and asked.issuperset(row["steps"])
        need(steps, "V03", "the steps of a rule are not those asked for")
        fits = row["declaration"]["grade"] in GRADES[row["discharge"]["method"]]
        need(fits, "V03", "what speaks for it does not fit its grade")
    return found


def spell(row: dict[str, Any]) -> str:
    """A rule for people: what becomes what, of which grade, and what spoke for it."""
    d, spoke = row["declaration"], row["discharge"]
    sides = " -> ".join(" ".join(box["kind"] for box in d[at]) for at in ("left", "right"))
    bits = f", {spoke['bits']} bits" if spoke["bits"] else ""
    attested = f"attested: {spoke['method']}, {spoke['instances']} instances{bits}"
    return f"rule `{d['name']}` of the file: {sides}; {d['grade']}, {attested}"


def check_form(d: Declaration) -> None:
    """Formulas and boxes are of known kinds, names unique, weights of boxes of R, a bound where it belongs; V03."""
    for formula in d["where"]:
        condition(formula, "where")
    for formula in [row["value"] for row in d["with"]] + [d[key]["factor"] for key in d if key == "bound"]:
        value_of_weight(formula, "with")
    glue = [wire["name"] for wire in d["glue"]]
    names = [glue, *([box["name"] for box in d[side]] for side in ("left", "right"))]
    names += [[row[0] for row in d["parameters"]], [*(row[0] for row in d.get("scales", ())), *known(d)]]
    names += [[(row["box"], row["tensor"]) for row in d["with"]]]
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
    made = [{wire for box in d[side] for wire in box["targets"]} for side in ("left", "right")]
    read, both = {*glue} - made[0] - made[1], {*glue} & made[0] & made[1]
    fits = bound is None or (bound["input"] in read and bound["output"] in both)
    need(fits, "V03", "a bound is from a wire of K that is read to one that both sides make")
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
