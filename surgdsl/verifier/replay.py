"""The replay: every step is re-formed, re-typed, re-weighed and hashed again, from the input to the output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from surgdsl.verifier import digest as digests
from surgdsl.verifier import rewrite as rewriting
from surgdsl.verifier.declared.instance import rule_of
from surgdsl.verifier.metrics import Ledger
from surgdsl.verifier.net import Net
from surgdsl.verifier.reject import Reject, need
from surgdsl.verifier.rules import RULES
from surgdsl.verifier.rules.schema import FREE, Attested, Rule
from surgdsl.verifier.schema import METRICS, conform

Rows = dict[str, dict[str, Any]]
"""The rules of the file: rows of the statement by the digest of their declaration."""


@dataclass(frozen=True, slots=True)
class State:
    """Where the derivation stands: the net, its metrics, its digests and the chain that led to it."""

    net: Net
    counts: Counter[str]
    graph: str
    manifest: str
    chain: str

    @property
    def digests(self) -> tuple[str, str]:
        """Of the graph and of the manifest."""
        return self.graph, self.manifest


@dataclass(frozen=True, slots=True)
class Row:
    """One step in the ledger."""

    step: str
    rule: str
    grade: str
    before: Counter[str]
    after: Counter[str]
    error: str
    note: str


def begin(net: Net, ledger: Ledger) -> State:
    """The state of a net, everything counted from scratch."""
    return State(net, ledger.count(net.operations.values(), net.wires), net.digest(), net.manifest(), "0" * 64)


def replay(steps: list[dict[str, Any]], rows: Rows, state: State, ledger: Ledger) -> Iterator[tuple[Row, State]]:
    """The states that the steps lead through; a rejection names its step."""
    for index, raw in enumerate(steps):
        try:
            row, state = one_step(raw, (index, rows), state, ledger)
        except Reject as reject:
            raise Reject(reject.code, f"step {index} ({raw['step']}, {raw['rule']}): {reject.message}") from None
        yield row, state


def one_step(raw: dict[str, Any], at: tuple[int, Rows], state: State, ledger: Ledger) -> tuple[Row, State]:
    """One rewrite, checked as section 8 says, points 1 to 6."""
    index, rows = at
    need(raw["index"] == index, "V05", f"its index is {raw['index']}")
    chain = digests.chain(state.chain, raw)
    need(chain == raw["chain"], "V05", "its chain digest is not that of the steps up to here")
    rule = the_rule(raw, rows)
    need((raw["graphBefore"], raw["manifestBefore"]) == state.digests, "V06", "it starts not where the last one ended")
    need(stated(raw["before"]) == state.counts, "V13", f"its metrics before are not {spell(state.counts)}")
    rewrite, gone = rewriting.parse(raw, state.net)
    net = rewriting.pushout(rewrite, gone, index)
    graph, manifest = net.digest(), net.manifest()  # which also says whether it is a net
    error = rule.check(rewrite, ledger.load)
    counts = state.counts.copy()
    counts.subtract(ledger.count(rewrite.left.operations.values(), rewrite.left.wires))
    counts.update(ledger.count(rewrite.right.operations.values(), rewrite.visible()))
    check_metrics(raw, rule, state.counts, counts)
    after = State(net, counts, graph, manifest, chain)
    need((raw["graphAfter"], raw["manifestAfter"]) == after.digests, "V06", "its graph or manifest after is another")
    grade = "attested" if isinstance(error, Attested) else rule.grade
    return Row(raw["step"], rule.name or raw["rule"], grade, state.counts, counts, error, raw["note"]), after


def the_rule(raw: dict[str, Any], rows: Rows) -> Rule:
    """The schema that a step names; V14 when it is unknown or of another kind, V03 for other arguments."""
    need(raw["rule"] in (*RULES, "rule/1"), "V14", "the rule is unknown")
    rule = rule_of(raw, rows) if raw["rule"] == "rule/1" else RULES[raw["rule"]]
    reduces = rule.reduces in (FREE, raw.get("reduces", ""))
    need(reduces, "V14", f"what the rule reduces is {rule.reduces or 'nothing'}")
    conform(raw["rule"], raw["arguments"], "arguments")
    return rule


def check_metrics(raw: dict[str, Any], rule: Rule, before: Counter[str], after: Counter[str]) -> None:
    """The recount is what is stated, the metric of a reduce step falls, and what rises was announced; V13."""
    need(stated(raw["after"]) == after, "V13", f"its metrics after are not {spell(after)}")
    if rule.reduces == FREE:
        falls = [metric for metric in ("params/1", "macs/1") if after[metric] < before[metric]]
        need([raw.get("reduces", "")] == [*falls, ""][:1], "V14", f"what the step reduces is {[*falls, 'nothing'][0]}")
    elif rule.reduces:
        need(after[rule.reduces] < before[rule.reduces], "V13", f"{rule.reduces} does not fall")
    else:
        equal = all(after[metric] == before[metric] for metric in METRICS if metric != "nnz/1")
        need(equal, "V13", "a neutral step changes a metric")
    raised = [metric for metric in METRICS if after[metric] > before[metric]]
    need(raw["mayRaise"] == raised, "V13", f"mayRaise is not what rises: {', '.join(raised) or 'nothing'}")


def check_order(steps: list[dict[str, Any]], obligations: list[dict[str, Any]]) -> None:
    """The steps, repetitions merged, are a subsequence of what the file asks for; V14."""
    left = iter([(row["step"], row["rule"]) for row in obligations])
    last: tuple[str, str] | None = None
    for raw in steps:
        pair = (raw["step"], raw["rule"])
        need(pair == last or pair in left, "V14", f"step {raw['index']}, {pair}, is not authorised at its place")
        last = pair


def stated(rows: list[dict[str, Any]]) -> Counter[str]:
    """The metrics that a step records."""
    return Counter({row["id"]: int(row["value"]) for row in rows})


def spell(counts: Counter[str]) -> str:
    """Metrics for people."""
    return ", ".join(f"{metric.partition('/')[0]} {counts[metric]}" for metric in METRICS)
