"""Edits of any part of a certificate: values, lists, fields, the graph, counts, claims, logs, the text."""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random
from typing import Any, cast

from tests.verifier.forge import tensor_digest
from tests.verifier.paper import Json, Paper

Edit = Callable[[Paper, Random], object]
Spot = tuple[Any, Any]
DERIVED = {"chain", "head", "seal", "graphBlob", "blob", "graphBefore", "graphAfter", "manifestBefore", "manifestAfter"}
METRICS = ("macs/1", "nnz/1", "params/1", "size/1")


class Nothing(Exception):
    """The edit finds nothing to change in this certificate."""


def spots(value: Any, wanted: Callable[[Any], bool], skip: frozenset[str] = frozenset(DERIVED)) -> list[Spot]:
    """Every place below a value, as its container and the key there, whose content is wanted."""
    found = list[Spot]()
    table = isinstance(value, dict)
    for key, item in cast("Json", value).items() if table else enumerate(cast("list[Any]", value)):
        if key in skip:
            continue
        if wanted(item):
            found.append((value, key))
        if not leaf(item):
            found += spots(item, wanted, skip)
    return found


def one(random: Random, items: Sequence[Any]) -> Any:
    """One of several; an edit that has none to choose from is another day's."""
    if not items:
        raise Nothing
    return items[random.randrange(len(items))]


def leaf(value: Any) -> bool:
    return not isinstance(value, dict | list)


def rows(value: Any) -> bool:
    return isinstance(value, list) and value != []


def fields(value: Any) -> bool:
    return isinstance(value, dict) and value != {}


def other(value: Any, random: Random) -> Any:
    """A value of the same kind that is near, or far."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return one(random, [value + 1, value - 1, 0, -value, value * 2, value + 2**32, 2**53 - 1])
    try:
        ratio = Fraction(value)
        return str(one(random, [ratio + 1, ratio - 1, ratio * 2, ratio / 2, -ratio, ratio + Fraction(1, 10**6)]))
    except (ValueError, ZeroDivisionError):
        pass
    try:
        return float.hex(float.fromhex(value) * one(random, [2.0, 0.5, -1.0, 1 + 2**-30, 1 - 2**-30]))
    except (ValueError, OverflowError):
        return one(random, [value + "x", value[:-1], value.upper(), value[::-1], "", "x"])


def change_leaf(paper: Paper, random: Random) -> None:
    box, key = one(random, spots(paper.predicate, leaf))
    box[key] = other(box[key], random)


def exchange_leaves(paper: Paper, random: Random) -> None:
    """Two values under one key change their places."""
    found = [spot for spot in spots(paper.predicate, leaf) if isinstance(spot[1], str)]
    box, key = one(random, found)
    twin, _ = one(random, [spot for spot in found if spot[1] == key])
    box[key], twin[key] = twin[key], box[key]


def edit_list(paper: Paper, random: Random) -> None:
    box, key = one(random, spots(paper.predicate, rows))
    relist(box[key], random)


def relist(items: list[Any], random: Random) -> None:
    """An item goes, comes twice, or moves."""
    at, to = random.randrange(len(items)), random.randrange(len(items))
    kind = random.randrange(4)
    if kind == 0:
        del items[at]
    elif kind == 1:
        items.insert(to, copy.deepcopy(items[at]))
    elif kind == 2:
        items[at], items[to] = items[to], items[at]
    else:
        items.reverse()


def edit_fields(paper: Paper, random: Random) -> None:
    """A field goes, or one of another object comes."""
    objects = spots(paper.statement, fields)
    box, key = one(random, objects)
    row = box[key]
    if random.randrange(2):
        del row[one(random, sorted(row))]
        return
    giver, name = one(random, objects)
    field = one(random, sorted(giver[name]))
    row[field] = copy.deepcopy(giver[name][field])


def exchange_parts(paper: Paper, random: Random) -> None:
    """Two objects or lists under one key change their places."""
    found = [spot for spot in spots(paper.predicate, lambda v: not leaf(v)) if isinstance(spot[1], str)]
    box, key = one(random, found)
    twin, _ = one(random, [spot for spot in found if spot[1] == key and spot[0] is not box])
    box[key], twin[key] = copy.deepcopy(twin[key]), copy.deepcopy(box[key])


def edit_graph(paper: Paper, random: Random) -> None:
    """The input graph: a value, a list, a source."""
    if random.randrange(2):
        box, key = one(random, spots(paper.graph, leaf))
        box[key] = other(box[key], random)
    else:
        box, key = one(random, spots(paper.graph, rows))
        relist(box[key], random)


def edit_metric(paper: Paper, random: Random) -> None:
    """A count, in one place or on both sides of a state."""
    at = random.randrange(len(paper.steps)) if paper.steps else one(random, [])
    metric, side = random.randrange(4), one(random, ["before", "after"])
    row = paper.steps[at][side][metric]
    row["value"] = str(max(0, int(row["value"]) + one(random, [1, -1, 2**63, -(2**63), 100, -10])))
    if side == "after" and at + 1 < len(paper.steps) and random.randrange(2):
        paper.steps[at + 1]["before"][metric]["value"] = row["value"]


def edit_claim(paper: Paper, random: Random) -> None:
    """Another promise, with the words or without."""
    claim = one(random, paper.predicate["claims"])
    box, key = one(random, spots(claim, leaf, frozenset({*DERIVED, "evidence"})))
    old = str(box[key])
    relations = ["<=", "<", ">=", ">"]
    measures = ["accuracy", "accuracyDrop", "loss", "lossRise"]
    told = relations if key == "relation" else measures if key == "measure" else METRICS if key == "metric" else []
    box[key] = one(random, told) if told else other(box[key], random)
    if random.randrange(2):
        words = claim["text"].replace(old, str(box[key]))
        paper.text = paper.text.replace(claim["text"].encode(), words.encode())
        claim["text"] = words


def edit_claims(paper: Paper, random: Random) -> None:
    """A promise goes, comes twice, or moves, and perhaps its words too."""
    claims = paper.predicate["claims"]
    if not claims:
        raise Nothing
    relist(claims, random)


def edit_log(paper: Paper, random: Random) -> None:
    """Rows of a log; the labels are hashed anew, and the number of rows follows or not."""
    log = paper.logs[one(random, sorted(paper.logs))]
    rows = log["rows"]
    if random.randrange(2):
        row = one(random, rows)
        row[random.randrange(len(row))] = one(random, [0, 1, 2, len(rows), 10**6])
    else:
        relist(rows, random)
    if random.randrange(2):
        log["data"]["rows"] = len(rows)
    if len(rows[0:1]) and len(rows[0]) == 4 and log["kind"] == "predictions":
        labels = b"".join(struct.pack("<q", row[1]) for row in rows)
        log["data"]["labels"] = tensor_digest("I64", (len(rows),), labels)


def edit_log_head(paper: Paper, random: Random) -> None:
    """What a log says of itself."""
    log = paper.logs[one(random, sorted(paper.logs))]
    box, key = one(random, spots({key: log[key] for key in log if key != "rows"}, leaf))
    target = log["data"] if box is log["data"] else log
    target[key] = other(box[key], random)


def edit_boundary(paper: Paper, random: Random) -> None:
    """A name, a type or a place on the boundary, here and perhaps in the graph."""
    side = one(random, ["inputs", "outputs"])
    row = one(random, paper.predicate["boundary"][side])
    key = one(random, sorted(row))
    if key != "name":
        box, spot = one(random, spots([row[key]], leaf))
        box[spot] = other(box[spot], random)
        row[key] = box[0] if leaf(row[key]) else row[key]
        return
    old, row[key] = row[key], "other"
    ends: list[Json] = paper.graph[side] if random.randrange(2) else []
    for end in ends:
        end["name"] = "other" if end["name"] == old else end["name"]


def edit_binding(paper: Paper, random: Random) -> None:
    """Metrics are counted at another size."""
    row = one(random, paper.predicate["binding"])
    row[1] = one(random, [1, 2, 3, row[1] + 1])


def edit_text(paper: Paper, random: Random) -> None:
    """The text of the file: a line goes, or a byte is another."""
    lines = paper.text.split(b"\n")
    if random.randrange(2):
        relist(lines, random)  # type: ignore[arg-type]
        paper.text = b"\n".join(lines)
    else:
        at = random.randrange(len(paper.text))
        paper.text = paper.text[:at] + bytes([32 + random.randrange(95)]) + paper.text[at + 1 :]


def edit_words(paper: Paper, random: Random) -> None:
    """What nobody checks: facts, notes, versions, seeds."""
    row = one(random, [*paper.steps, {}])
    row["note"] = "another note"
    paper.predicate["seed"] = random.randrange(99)
    paper.predicate["producer"]["version"] = "9"
    paper.predicate["facts"] = [["device", "quantum"]]


EDITS: tuple[Edit, ...] = (
    change_leaf, exchange_leaves, edit_list, edit_fields, exchange_parts, edit_graph, edit_metric, edit_claim,
    edit_claims, edit_log, edit_log_head, edit_boundary, edit_binding, edit_text, edit_words,
)  # fmt: skip
