"""Whether a certificate is true: its states, counts and claims worked out again by code that is not the verifier's."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.stats

from tests.verifier.encodings import Array, Weight
from tests.verifier.forge import Forge
from tests.verifier.paper import Json, Paper

BINOMIAL: Any = scipy.stats.binom
SLACK = 1 + 1e-9
RELATIONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": Fraction.__le__, "<": Fraction.__lt__, ">=": Fraction.__ge__, ">": Fraction.__gt__,
}  # fmt: skip
OPERATOR: Any = operator
NUMBERS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "div": OPERATOR.truediv, "and": OPERATOR.and_, "or": OPERATOR.or_, "not": OPERATOR.not_,
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "pow", "neg", "abs")},
    **{name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
}  # fmt: skip
FOLDS: dict[str, Callable[[Any], Any]] = {
    "sum": sum, "prod": math.prod, "min": min, "max": max, "count": len, "mean": statistics.mean,
}  # fmt: skip


def untrue(paper: Paper, states: list[Forge]) -> str:
    """ "" for a true certificate, else the first thing in it that is not."""
    for index, step in enumerate(paper.steps):
        for side, state in (("before", states[index]), ("after", states[index + 1])):
            if step[side] != state.metrics():
                return f"counts {side} step {index}"
        lie = made(step, states[index], states[index + 1], index)
        if lie:
            return f"step {index}: {lie}"
    return misplaced(paper, states[0], states[-1]) or unkept(paper, states[0], states[-1])


def misplaced(paper: Paper, first: Forge, last: Forge) -> str:
    """ "" where the ends and interfaces are those of the states."""
    if paper.predicate["output"] != {"graph": last.graph(), "manifest": last.manifest()}:
        return "the output"
    if paper.predicate["boundary"] != first.boundary() or first.boundary() != last.boundary():
        return "the boundary"
    ends = [end for side in ("inputs", "outputs") for end in first.boundary()[side]]
    for interface in paper.predicate["interfaces"]:
        if any(end not in ends for side in ("inputs", "outputs") for end in interface[side]):
            return "an interface"
    return ""


def unkept(paper: Paper, first: Forge, last: Forge) -> str:
    """ "" where every claim holds."""
    grounds = {"before": figures(first), "after": figures(last)}
    for claim in paper.predicate["claims"]:
        if not (counted(claim["counted"], grounds) if "counted" in claim else measured(claim["measured"], paper)):
            return f"the claim {claim['text']}"
    return ""


def made(step: Json, before: Forge, after: Forge, index: int) -> str:
    """ "" where the weights after a step are what its rule makes of those before it; else what they are not.

    Rules of the file are left out: whoever compares an accepted one with the honest one compares its weights.
    """
    wires = dict(step["match"]["wires"]) | {
        wire["id"]: f"s{index}.{at}" for at, wire in enumerate(step["right"]["wires"])
    }
    old = {op["targets"][0]: before.weights[op["key"]] for op in before.ops.values() if "key" in op}
    new = {op["targets"][0]: after.weights[op["key"]] for op in after.ops.values() if "key" in op}
    rule, right = step["rule"], [op for op in step["right"]["operations"] if op["op"] == "param"]
    if rule == "prune-channels/1":
        return "" if all(restricted(step, op, wires, old, new) for op in right) else "not the restriction"
    for op in right if rule not in ("rule/1", "fake-quantize/1") else []:
        place = wires[op["targets"][0]]
        was, now = (side[place].decoded.astype(np.float64).ravel() for side in (old, new))
        kept = np.flatnonzero(bits(new[place], now.size))
        if rule == "mask/1" and not np.array_equal(np.where(now == 0, 0, was), now, equal_nan=True):
            return "the mask changes what it keeps"
        if rule == "quantize-codebook/1":
            book = np.unique(now[kept])
            if np.any(np.abs(was[kept] - now[kept]) > np.abs(was[kept, None] - book).min(axis=1)):
                return "not the nearest entry"
        if rule in ("recover/1", "adjust/1") and not np.all(np.isfinite(now)):
            return "not finite"
    return ""


def restricted(step: Json, op: Json, wires: dict[str, str], old: Any, new: Any) -> bool:
    """Whether a weight of R is the part of the one in its place in L that the step says it keeps."""
    at = [made["id"] for made in step["right"]["operations"]].index(op["id"])
    place = step["left"]["operations"][at]["targets"][0]
    whole = old[wires[place]].decoded
    for wire, dim, number in step["arguments"]["kept"]:
        if wire == place:
            whole = np.take(whole, step["arguments"]["indices"][number], axis=dim)
    return np.array_equal(whole, new[wires[op["targets"][0]]].decoded, equal_nan=True)


def bits(weight: Weight, count: int) -> Array:
    """Which elements of a weight are stored."""
    masks = [np.frombuffer(part[4], np.uint8) for part in weight.parts if part[0] == "mask"]
    return np.unpackbits(masks[0], bitorder="little")[:count].astype(bool) if masks else np.ones(count, dtype=bool)


def figures(state: Forge) -> tuple[dict[str, Fraction], list[dict[str, Fraction]]]:
    """The metrics of a state, and the properties of its weights."""
    rows = list[dict[str, Fraction]]()
    for op in (op for op in state.ops.values() if "key" in op):
        weight = state.weights[op["key"]]
        inner = weight.encoding.get("inner", weight.encoding)
        bits = inner.get("bits", weight.decoded.dtype.itemsize * 8)
        nonzero = int(np.count_nonzero(weight.decoded))
        known = {"count": weight.decoded.size, "nnz": nonzero, "size": weight.size, "bits": bits}
        rows.append({key: Fraction(value) for key, value in known.items()})
    return {row["id"]: Fraction(row["value"]) for row in state.metrics()}, rows


def counted(claim: Json, grounds: Json) -> bool:
    return RELATIONS[claim["relation"]](valued(claim["left"], grounds, {}), valued(claim["right"], grounds, {}))


def valued(formula: Json, grounds: Json, weight: dict[str, Fraction]) -> Any:
    """The value of a figure."""
    if "number" in formula or "attested" in formula:
        return Fraction(formula["number" if "number" in formula else "attested"])
    if "metric" in formula:
        return grounds[formula["state"]][0][formula["metric"]]
    if "of" in formula:
        return weight[formula["of"]]
    if "each" in formula:
        return Fraction(FOLDS[formula["each"]]([
            valued(formula["body"], grounds, row) for row in grounds[formula["state"]][1]
        ]))  # fmt: skip
    terms = [valued(term, grounds, weight) for term in formula["terms"]]
    if formula["apply"] == "if":
        return terms[1] if terms[0] else terms[2]
    return NUMBERS[formula["apply"]](*terms)


def measured(claim: Json, paper: Paper) -> bool:
    """Whether a measured claim holds, with scipy where it has a bound."""
    log = paper.logs[claim["evidence"]]
    before, after = (paper.predicate[side]["manifest"] for side in ("input", "output"))
    rows, n = log["rows"], len(log["rows"])
    if (log["before"], log["after"], [row[0] for row in rows]) != (before, after, list(range(n))):
        return False
    losses = claim["measure"].startswith("loss")
    old, new = (
        ([row[at] for row in rows] if losses else [int(row[at + 1] == row[1]) for row in rows]) for at in (1, 2)
    )
    unit = 10**6 if losses else 1
    figure = {
        "accuracy": Fraction(sum(new), n), "accuracyDrop": Fraction(sum(old) - sum(new), n),
        "loss": Fraction(sum(new), n * unit), "lossRise": Fraction(sum(new) - sum(old), n * unit),
    }[claim["measure"]]  # fmt: skip
    limit, holds = Fraction(claim["limit"]), RELATIONS[claim["relation"]]
    if "confidence" not in claim:
        return holds(figure, limit)
    bound, beta = Fraction(claim["bound"]), (1 - float(Fraction(claim["confidence"]))) / claim["candidates"]
    if not 0 < beta < 1:
        return False
    return holds(bound, limit) and supported(claim["measure"], float(bound), beta, [old, new], n)


def supported(measure: str, bound: float, beta: float, sides: list[list[int]], n: int) -> bool:
    """Whether the rows allow a bound, in floats with a little slack."""
    old, new = (np.array(side) for side in sides)
    if measure == "accuracy":
        return bound <= 0 or BINOMIAL.sf(int(new.sum()) - 1, n, bound) <= beta * SLACK
    if measure == "accuracyDrop":
        lost, won = int((old > new).sum()), int((new > old).sum())
        return bound * (1 + 1e-12) + 1e-12 >= paired(lost, won, n, beta / 2)
    mean = bound if measure == "loss" else (bound + 1) / 2
    total = new.sum() / 10**6 if measure == "loss" else (10**6 + new - old).sum() / (2 * 10**6)
    count = math.ceil(total - 1e-9)
    if mean >= 1:
        return True
    bentkus = math.e * BINOMIAL.cdf(count, n, mean)
    share = count / n
    hoeffding = 1.0
    if 0 < share < mean:
        hoeffding = math.exp(-n * (share * math.log(share / mean) + (1 - share) * math.log((1 - share) / (1 - mean))))
    if share == 0:
        hoeffding = (1 - mean) ** n
    return min(bentkus, hoeffding) <= beta * (1 + 1e-6)


def paired(lost: int, won: int, n: int, beta: float) -> float:
    """Clopper and Pearson's upper bound of a share less the lower one of another."""
    table: Any = scipy.stats.beta
    high = 1.0 if lost == n else float(table.ppf(1 - beta, lost + 1, n - lost))
    low = 0.0 if won == 0 else float(table.ppf(beta, won, n - won + 1))
    return high - low
