"""The result, told: what was proved, what was only measured, what is attested, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from surgdsl.execution.carrying import AFTER_ALL
from surgdsl.execution.measuring import Comparison, Finding
from surgdsl.execution.writing import Outcome
from surgdsl.metrics import METRICS, count, ones
from surgdsl.recovery.tuning import RULE as RECOVER
from surgdsl.report.figures import share


def told(outcome: Outcome, folder: Path, verdict: tuple[str, ...]) -> Iterator[str]:
    """The result as lines of text: recoveries, predictions, and the verifier's own words."""
    for rewrite in outcome.carried.rewrites:
        if rewrite.rule == RECOVER:
            yield f"recovered {'at the end' if rewrite.step == AFTER_ALL else rewrite.step}: {rewrite.note}"
    for name, comparison in outcome.comparisons.items():
        yield f"measured on {name}: {_counted(comparison)}"
    yield ""
    yield from verdict
    yield ""
    yield f"written to {folder}/: model.safetensors, certificate/, run.json.   Check it again: surg-verify {folder}"


def _counted(comparison: Comparison) -> str:
    counts = comparison.counts
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
    for name, comparison in outcome.comparisons.items():
        counts = comparison.counts
        yield {
            "type": "measured", "data": name, "rows": counts.rows, "before": counts.before, "after": counts.after,
            "lost": counts.lost, "gained": counts.gained,
        }  # fmt: skip
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


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "type": "finding", "text": finding.require.text, "figure": str(finding.figure),
        "bound": str(finding.bound) if finding.bound is not None else None, "kept": finding.kept,
    }  # fmt: skip
