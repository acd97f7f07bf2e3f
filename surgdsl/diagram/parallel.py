"""Parallel steps: one pushout for many independent matches (the parallelism theorem).

The rules are joined over what their matches share, which all of them keep, so the joined match is an inclusion; the
result is that of taking the steps one after another, under the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from surgdsl.diagram.derivation import Derivation
from surgdsl.diagram.fault import Fault, fault
from surgdsl.diagram.hypergraph import Hypergraph
from surgdsl.diagram.independence import clashes
from surgdsl.diagram.item import Item
from surgdsl.diagram.match import Match
from surgdsl.diagram.net import Net
from surgdsl.diagram.pushout import Naming, NoPushout, Step, placed, rewrite, taken
from surgdsl.diagram.rule import Rule


def together(host: Net, matches: Sequence[Match], namings: Sequence[Naming]) -> Step:
    """The step that takes all matches on `host` at once, each with the names of its new items.

    Raises:
        NoPushout: a rule or a match is wrong by itself, two are not independent (I), two new items have one name (P2),
            or the result is not a net, which may be although each of them alone gives one.
    """
    faults = tuple(found for match in matches for found in match.rule.faults() or match.violations())
    faults = faults or _dependent(matches)
    if faults:
        raise NoPushout(faults)
    left, glue = _covered(host, matches)
    faults = taken(glue, namings)
    if faults:
        raise NoPushout(faults)
    rule = Rule(_name(matches), left, glue, _right(glue, matches, namings))
    new = rule.created
    whole = Match(rule, host, {wire: wire for wire in left.wires}, {name: name for name in left.operations})
    return rewrite(whole, Naming({wire: wire for wire in new.wires}, {name: name for name in new.operations}))


def in_layers(derivation: Derivation) -> Derivation:
    """The same derivation with one step for each layer.

    Raises:
        NoPushout: the net between two layers would not be a net.
    """
    short = Derivation(derivation.start)
    for layer in derivation.layers():
        steps = [derivation.steps[number] for number in layer]
        short = short.then(together(short.result, [step.match for step in steps], [step.naming for step in steps]))
    return short


def _dependent(matches: Sequence[Match]) -> tuple[Fault, ...]:
    between = chain.from_iterable(clashes(matches).values())
    return fault("I", "the steps are not independent", dict.fromkeys(conflict.item.name for conflict in between))


def _name(matches: Sequence[Match]) -> str:
    return " + ".join(dict.fromkeys(match.rule.name for match in matches))


def _covered(host: Net, matches: Sequence[Match]) -> tuple[Hypergraph, Hypergraph]:
    """L and K of the joined rule, as parts of the host."""
    wires = dict.fromkeys(wire for match in matches for wire in match.wires.values())
    names = dict.fromkeys(name for match in matches for name in match.operations.values())
    left = Hypergraph(
        {wire: host.graph.wires[wire] for wire in wires}, {name: host.graph.operations[name] for name in names}
    )
    gone = {item for match in matches for item in match.deletes}
    glue = Hypergraph(
        {wire: sort for wire, sort in left.wires.items() if Item("wire", wire) not in gone},
        {name: one for name, one in left.operations.items() if Item("operation", name) not in gone},
    )
    return left, glue


def _right(glue: Hypergraph, matches: Sequence[Match], namings: Sequence[Naming]) -> Hypergraph:
    wires, operations = dict(glue.wires), dict(glue.operations)
    for match, names in zip(matches, namings, strict=True):
        images = {**match.wires, **names.wires}
        wires |= {names.wires[wire]: sort for wire, sort in match.rule.created.wires.items()}
        new = match.rule.created.operations
        operations |= {names.operations[name]: placed(one, images) for name, one in new.items()}
    return Hypergraph(wires, operations)
