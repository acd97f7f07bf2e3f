"""Writing: a surgery that was carried out becomes a folder: the model, its certificate, and where the input lay.

What the certificate promises is what the file asked for; what it says is computed from the derivation and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import field, frozen

from surgdsl import __version__
from surgdsl.axis.extent import symbol
from surgdsl.bridge import storage
from surgdsl.bridge.encoding import parts_of
from surgdsl.bridge.facts import facts
from surgdsl.bridge.weight import State
from surgdsl.diagram.sort import Sort
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json
from surgdsl.execution.carrying import Carried, obligations
from surgdsl.execution.declaration import declared
from surgdsl.execution.evidence import Log, LossLog
from surgdsl.execution.graph import Scribe
from surgdsl.execution.measuring import Compared, Comparison, Finding, Losing, key
from surgdsl.execution.seeing import seen
from surgdsl.execution.statement import Certificate, Request, certificate
from surgdsl.execution.superseding import FIRST, Place
from surgdsl.formula import as_json
from surgdsl.language.claim import Counted, Measured, Require
from surgdsl.language.program import Port
from surgdsl.planning.opening import Opened
from surgdsl.planning.plan import Plan

CERTIFICATE, INPUT, MODEL, RUN = "certificate", "input.safetensors", "model.safetensors", "run.json"
"""What a result consists of."""


@frozen(eq=False)
class Outcome:
    """A surgery that is done: the plan, the rewrites, the predictions and what became of the measured promises."""

    plan: Plan
    carried: Carried
    compared: Compared
    findings: tuple[Finding, ...]
    promises: tuple[Require, ...]
    """Targets and requires, with every figure that they rest on."""
    registered: Mapping[str, str] = field(factory=dict[str, str])
    """The SHA-256 of the files that registered promises, by their names in the text."""


def write(outcome: Outcome, draft: Path, out: Path, threads: int, place: Place = FIRST) -> Certificate:
    """Write a result into the folder `draft`, which will be called `out`.

    Raises:
        OSError: the disk would not take it.
        Refusal: E0715 or E0716, something cannot be stated.
    """
    opened, final = outcome.plan.opened, outcome.carried.final
    made = _certified(outcome, threads, place)
    blobs = draft / CERTIFICATE / "blobs"
    blobs.mkdir(parents=True)
    for name, data in made.blobs.items():
        (blobs / name).write_bytes(data)
    (draft / CERTIFICATE / "cert.json").write_bytes(made.statement)
    storage.write(draft / MODEL, _tensors(final))
    if opened.weights is None:
        storage.write(draft / INPUT, _tensors(opened.start, constants=False))
    (draft / RUN).write_text(json.dumps(_run(opened, out), indent=2) + "\n", encoding="utf-8")
    return made


def _tensors(state: State, *, constants: bool = True) -> storage.Tensors:
    return {
        part.name: (part.dtype, part.array)
        for name, operation in state.net.params().items()
        if operation.payload and (constants or operation.payload.role != "constant")
        for part in parts_of(operation.payload.base, state.weights[name])
    }


def _run(opened: Opened, out: Path) -> dict[str, object]:
    """Conveniences for people and for `surg verify`; nobody has to believe them."""
    source = opened.weights.resolve() if opened.weights else None
    return {
        "surg": 1,
        "version": __version__,
        "spec": os.path.relpath(opened.program.source.path, out),
        "surgery": opened.surgery.name,
        "input": os.path.relpath(source, out) if source else INPUT,
    }


def _certified(outcome: Outcome, threads: int, place: Place) -> Certificate:
    opened, rewrites, scribe = outcome.plan.opened, outcome.carried.rewrites, Scribe()
    manifests = scribe.manifest(opened.start), scribe.manifest(outcome.carried.final)
    logs = {name: _log(one, seen(opened, one.rows)).blob(manifests) for name, one in outcome.compared.items()}
    surgery = opened.surgery
    promises = outcome.promises
    bounds = {id(finding.require): finding for finding in outcome.findings}
    request = Request(
        spec=opened.program.spec,
        version=__version__,
        seed=surgery.seed,
        interfaces=_interfaces(opened),
        obligations=obligations(outcome.plan, rewrites),
        claims=[_claim(one, bounds.get(id(one)), logs, outcome.registered) for one in promises],
        evidence=list(logs.values()),
        rules=declared(rewrites),
        facts={**facts(threads), **(outcome.plan.allocation.facts if outcome.plan.allocation else {})},
        place=place,
    )
    return certificate(opened.start, rewrites, request, scribe)


def _log(compared: Comparison | Losing, known: int) -> Log | LossLog:
    rows = compared.rows
    names = {dtype: name for name, dtype in storage.NUMPY.items() if name != "BF16"}
    digests = [digest.tensor(names[array.dtype], array) for array in rows.inputs]
    inputs = digests[0] if len(digests) == 1 else digest.blob("".join(digests).encode())
    made = LossLog if isinstance(compared, Losing) else Log
    return made(rows.name, inputs, rows.labels.astype(np.int64), compared.before, compared.after, known)


def _interfaces(opened: Opened) -> Sequence[tuple[str, list[tuple[str, Sort]], list[tuple[str, Sort]]]]:
    kept = [(name, opened.program.interface(name)) for name in opened.surgery.preserve]
    return [(name, [_port(port) for port in one.inputs], [_port(port) for port in one.outputs]) for name, one in kept]


def _port(port: Port) -> tuple[str, Sort]:
    return port.name, Sort(
        port.dtype.upper(), tuple(symbol(size) if isinstance(size, str) else size for size in port.shape)
    )


MEASURES = {
    "accuracy.after": "accuracy",
    "accuracy.drop": "accuracyDrop",
    "loss.after": "loss",
    "loss.rise": "lossRise",
}
"""What certificates call a measure."""


def _claim(require: Require, finding: Finding | None, logs: Mapping[str, bytes], registered: Mapping[str, str]) -> Json:
    match require.claim:
        case Counted(left, relation, right):
            return {
                "counted": {"left": as_json(left), "relation": relation, "right": as_json(right)},
                "text": require.text,
            }
        case Measured() as claim:
            assert finding is not None
            made: dict[str, Json] = {
                "evidence": digest.blob(logs[key(claim)]),
                "limit": str(claim.limit),
                "measure": MEASURES[claim.measure],
                "relation": claim.relation,
            }
            if claim.confidence is not None:
                bound, sure = str(finding.bound), str(claim.confidence)
                made |= {"bound": bound, "candidates": claim.candidates, "confidence": sure}
            if claim.registered is not None:
                made |= {"registered": registered[claim.registered]}
            return {"measured": made, "text": require.text}
