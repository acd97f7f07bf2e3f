"""Steps as a certificate writes them: the span, the match, and what the step did to weights and metrics.

Ids of the net are never written: whoever reads a step forms the pushout again and derives them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json, natural
from surgdsl.execution.declaration import identifier
from surgdsl.execution.graph import Scribe, attribute, sort_row
from surgdsl.metrics import METRICS, recount
from surgdsl.surgery.rewrite import Rewrite

Counts = Mapping[str, int]


@frozen
class Standing:
    """What a certificate says of a state: its graph, its weights, its metrics."""

    graph: str
    manifest: str
    counts: Counts


@frozen
class Names:
    """Local ids of a rule: ``l0, l1, …`` for the wires and then the operations of L, ``r0, r1, …`` for those of R∖K."""

    wires: Mapping[str, str]
    operations: Mapping[str, str]

    @classmethod
    def of(cls, rewrite: Rewrite) -> Names:
        """The ids of the rule of a rewrite, in the order in which it lists its items."""
        rule = rewrite.derivation.match.rule
        wires, operations = dict[str, str](), dict[str, str]()
        for letter, side in (("l", rule.left), ("r", rule.created)):
            wires |= {wire: f"{letter}{place}" for place, wire in enumerate(side.wires)}
            operations |= {name: f"{letter}{place}" for place, name in enumerate(side.operations, len(side.wires))}
        return cls(wires, operations)


def standing(scribe: Scribe, rewrite: Rewrite, before: Standing, binding: Mapping[str, int]) -> Standing:
    """What is to be said of the state after a rewrite."""
    counts = recount(before.counts, rewrite.derivation, (rewrite.before, rewrite.after), binding)
    return Standing(digest.graph(scribe.graph(rewrite.after)), scribe.manifest(rewrite.after), counts)


def step_row(scribe: Scribe, rewrite: Rewrite, index: int, standings: tuple[Standing, Standing]) -> dict[str, Json]:
    """One step without its place in the chain; `standings` are before and after it."""
    before, after = standings
    names, rule = Names.of(rewrite), rewrite.derivation.match.rule
    rises = [metric for metric in METRICS if after.counts[metric] > before.counts[metric]]
    reduces: dict[str, Json] = {}
    if rewrite.kind == "reduce":
        assert rewrite.reduces is not None
        assert after.counts[rewrite.reduces] < before.counts[rewrite.reduces], f"{rewrite.rule} reduces nothing"
        reduces = {"reduces": rewrite.reduces}
    return {
        "after": count_rows(after.counts),
        "arguments": arguments(rewrite.arguments, names),
        "before": count_rows(before.counts),
        "glue": {
            "operations": [names.operations[name] for name in rule.left.operations if name in rule.glue.operations],
            "wires": [names.wires[wire] for wire in rule.left.wires if wire in rule.glue.wires],
        },
        "graphAfter": after.graph,
        "graphBefore": before.graph,
        "index": index,
        "kind": rewrite.kind,
        "left": _left(scribe, rewrite, names),
        "manifestAfter": after.manifest,
        "manifestBefore": before.manifest,
        "match": _match(rewrite, names),
        "mayRaise": rises,
        "note": rewrite.note,
        **reduces,
        "right": _right(scribe, rewrite, names),
        "rule": rewrite.rule,
        "step": rewrite.step,
    }


def count_rows(counts: Counts) -> list[Json]:
    """The four metrics."""
    return [{"id": metric, "value": natural(counts[metric])} for metric in METRICS]


def arguments(given: Mapping[str, Any], names: Names) -> dict[str, Json]:
    """The arguments of a rule, with the wires in `kept` by their local ids."""
    if "variables" in given:
        return applied(given, names)
    if "kept" not in given:
        return dict(given)
    kept: Sequence[tuple[str, int, int]] = given["kept"]
    return {**given, "kept": [[names.wires[wire], dimension, place] for wire, dimension, place in kept]}


def applied(given: Mapping[str, Any], names: Names) -> dict[str, Json]:
    """The arguments of a declared rule: boxes and wires by their local ids, variables in the form of arguments."""

    def boxes(side: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> list[Json]:
        return [
            [box, names.operations[name], [[tensor, names.operations[param]] for tensor, param in tensors]]
            for box, name, tensors in side
        ]

    return {
        **({"factor": given["factor"].hex()} if "factor" in given else {}),
        "rule": identifier(given["rule"]),
        "left": boxes(given["left"]),
        "right": boxes(given["right"]),
        **({"scales": given["scales"]} if "scales" in given else {}),
        "variables": [[name, attribute(value)] for name, value in given["variables"]],
        "wires": [[wire, names.wires[image]] for wire, image in given["wires"]],
    }


def _match(rewrite: Rewrite, names: Names) -> dict[str, Json]:
    match = rewrite.derivation.match
    return {
        "operations": [[names.operations[name], match.operations[name]] for name in match.rule.left.operations],
        "wires": [[names.wires[wire], match.wires[wire]] for wire in match.rule.left.wires],
    }


def _left(scribe: Scribe, rewrite: Rewrite, names: Names) -> dict[str, Json]:
    """L, with its weights as they lie in the net (their names are no part of a pattern's label)."""
    match, state = rewrite.derivation.match, rewrite.before
    rows: list[Json] = []
    for name, pattern in match.rule.left.operations.items():
        image = match.operations[name]
        found = evolve(pattern, payload=state.net.graph.operations[image].payload)
        row = scribe.operation(found, state.weights.get(image), names.wires)
        rows.append({"id": names.operations[name], **row})
    return {"operations": rows, "wires": _wires(match.rule.left, names)}


def _right(scribe: Scribe, rewrite: Rewrite, names: Names) -> dict[str, Json]:
    """R∖K."""
    created, state = rewrite.derivation.match.rule.created, rewrite.after
    rows: list[Json] = []
    for name, operation in created.operations.items():
        weight = state.weights.get(rewrite.derivation.comatch_operations[name])
        rows.append({"id": names.operations[name], **scribe.operation(operation, weight, names.wires)})
    return {"operations": rows, "wires": _wires(created, names)}


def _wires(side: Hypergraph, names: Names) -> list[Json]:
    return [{"id": names.wires[wire], **sort_row(sort)} for wire, sort in side.wires.items()]
