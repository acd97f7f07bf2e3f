"""Declarations: the rules of the file as a certificate has them, so that every application can be held against one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from surgdsl.axis.extent import Extent, show
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json
from surgdsl.execution.graph import attribute
from surgdsl.formula import as_json
from surgdsl.rules.discharge import Discharged, discharge
from surgdsl.rules.schema import Box, Port, Schema
from surgdsl.surgery.declared import RULE as DECLARED
from surgdsl.surgery.rewrite import Rewrite

Applied = Sequence[tuple[Schema, Sequence[str]]]
"""Rules with the names of the steps that apply them."""


def declared(rewrites: Sequence[Rewrite]) -> Applied:
    """The declared rules that were applied, with the steps that did."""
    found: dict[Schema, list[str]] = {}
    for one in rewrites:
        if one.rule == DECLARED:
            found.setdefault(one.arguments["rule"], []).append(one.step)
    return list(found.items())


def rule_rows(applied: Applied) -> list[Json]:
    """The rules of a statement, sorted by digest."""
    rows = {
        identifier(schema): {
            "declaration": declaration(schema),
            "discharge": _discharged(schema),
            "steps": sorted(set(steps)),
        }
        for schema, steps in applied
    }
    return [rows[name] for name in sorted(rows)]


@cache
def identifier(schema: Schema) -> str:
    """The digest of a declaration."""
    return digest.rule(declaration(schema))


def declaration(schema: Schema) -> dict[str, Json]:
    """A rule with its holes."""
    made: dict[str, Json] = {
        "glue": [_port(port) for port in schema.glue],
        "grade": schema.grade,
        "left": [_box(box) for box in schema.left],
        "name": schema.name,
        "parameters": [list(pair) for pair in schema.parameters],
        "right": [_box(box) for box in schema.right],
        "where": [as_json(one) for one in schema.where],
        "with": [{"box": one.box, "tensor": one.tensor, "value": as_json(one.value)} for one in schema.weights],
    }
    if schema.bound is not None:
        bound = schema.bound
        made["bound"] = {
            "factor": as_json(bound.factor), "input": bound.input, "norm": bound.norm, "output": bound.output,
        }  # fmt: skip
    if schema.scales:
        made["scales"] = [[one.name, one.axis, _extent(one.size)] for one in schema.scales]
    if schema.decreases is not None:
        made["decreases"] = [[kind, str(factor)] for kind, factor in schema.decreases]
    return made


def _discharged(schema: Schema) -> dict[str, Json]:
    found = discharge(schema)
    assert isinstance(found, Discharged), "a rule that was refuted is not applied"
    return {"bits": found.bits, "instances": found.instances, "method": found.method}


def _box(box: Box) -> dict[str, Json]:
    return {
        "attributes": [[name, attribute(value)] for name, value in sorted(box.attributes)],
        "kind": box.operation,
        "name": box.name,
        "sizes": [_extent(size) for size in box.sizes],
        "sources": list(box.sources),
        "targets": list(box.targets),
    }


def _port(port: Port) -> dict[str, Json]:
    shape: dict[str, Json] = {}
    if port.shape is not None:
        shape = {"shape": ["*" if one is None else _extent(one) for one in port.shape]}
    return {"dtype": port.dtype, "name": port.wire, **shape}


def _extent(extent: Extent) -> Json:
    return extent if isinstance(extent, int) else show(extent)
