"""The result, told: what was proved, what was only measured, what is attested, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from surgdsl.execution.carrying import AFTER_ALL
from surgdsl.execution.measuring import Comparison, Finding, Losing
from surgdsl.execution.writing import Outcome
from surgdsl.metrics import METRICS, count, ones
from surgdsl.metrics.loss import NAME, Lost
from surgdsl.recovery.tuning import RULE as RECOVER
from surgdsl.report.figures import share


def told(outcome: Outcome, folder: Path, verdict: tuple[str, ...]) -> Iterator[str]:
    """The result as lines of text: recoveries, predictions, and the verifier's own words."""
    for rewrite in outcome.carried.rewrites:
        if rewrite.rule == RECOVER:
            yield f"recovered {'at the end' if rewrite.step == AFTER_ALL else rewrite.step}: {rewrite.note}"
    for one in outcome.compared.values():
        yield f"measured on {one.rows.name}: {_counted(one)}"
    yield ""
    yield from verdict
    yield ""
    yield f"written to {folder}/: model.safetensors, certificate/, run.json.   Check it again: surg-verify {folder}"


def _counted(compared: Comparison | Losing) -> str:
    counts = compared.counts
    if isinstance(counts, Lost):
        was = float(counts.mean - counts.rise)
        return f"a loss of {was:.4%} before, {float(counts.mean):.4%} after, of 8 bits ({counts.rows} rows)"
    moved = f"{counts.lost} rows lost, {counts.gained} gained"
    return (
        f"{counts.before} of {counts.rows} right before, {counts.after} after ({moved}; drop {float(counts.drop):+.2%})"
    )


def records(outcome: Outcome, folder: Path) -> Iterator[dict[str, Any]]:
    """The result as JSON objects."""
    opened = outcome.plan.opened
    binding = ones(opened.start.net)
    before = count(opened.start.net, opened.start.weights, binding)
    final = outcome.carried.final
    after = count(final.net, final.weights, binding)
    for rewrite in outcome.carried.rewrites:
        yield {
            "type": "rewrite",
            "step": rewrite.step,
            "rule": rewrite.rule,
            "kind": rewrite.kind,
            "note": rewrite.note,
        }
    for one in outcome.compared.values():
        yield _measured(one)
    for finding in outcome.findings:
        yield _finding(finding)
    shares = {metric: share(after[metric], before[metric]) for metric in METRICS}
    yield {
        "type": "result",
        "folder": str(folder),
        "before": before,
        "after": after,
        "change": shares,
        "accepted": True,
    }


def _measured(compared: Comparison | Losing) -> dict[str, Any]:
    counts = compared.counts
    known = {"type": "measured", "data": compared.rows.name, "rows": counts.rows}
    known |= {"before": counts.before, "after": counts.after}
    return known | ({"loss": NAME} if isinstance(counts, Lost) else {"lost": counts.lost, "gained": counts.gained})


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "type": "finding", "text": finding.require.text, "figure": str(finding.figure),
        "bound": str(finding.bound) if finding.bound is not None else None, "kept": finding.kept,
    }  # fmt: skip
