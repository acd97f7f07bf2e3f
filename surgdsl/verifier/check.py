"""The check: from a folder and two weight files to a verdict, everything recomputed, nothing believed.

Each group of checks is announced before it starts, so that a rejection says in which group it fell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from surgdsl.verifier import claims, replay, signature
from surgdsl.verifier import digest as digests
from surgdsl.verifier.canonical import rising
from surgdsl.verifier.declared.declaration import declared, spell
from surgdsl.verifier.extent import symbols
from surgdsl.verifier.folder import Certificate
from surgdsl.verifier.formula import Ground, figure
from surgdsl.verifier.metrics import Ledger
from surgdsl.verifier.net import Net
from surgdsl.verifier.net import parse as parse_net
from surgdsl.verifier.operations import check_type
from surgdsl.verifier.reject import need
from surgdsl.verifier.report import Report
from surgdsl.verifier.requirement import Reading, promised
from surgdsl.verifier.schema import parsed
from surgdsl.verifier.tensors import Store, WeightFile


@dataclass(frozen=True, slots=True)
class Request:
    """What the auditor gives: the folder, two weight files, what is expected ("" for no expectation) and trusted.

    `keys` are distinct public keys of which `signatures` must have signed; `minimum` is the least sequence, and
    `required` what the auditor requires besides, with what was read of it.
    """

    folder: str
    input: str
    model: str
    expected: dict[str, str]
    trusted: Collection[str] = ()
    strict: bool = False
    keys: Sequence[bytes] = ()
    signatures: int = 0
    minimum: int = 0
    required: Sequence[tuple[str, Reading]] = ()
    threads: int = 1


def check(request: Request, report: Report) -> None:
    """Fill the report; Reject when anything is not as the certificate says."""
    report.begin("form")
    certificate = Certificate(request.folder)
    document = parsed(certificate.statement, "statement", "cert.json")
    predicate = document["predicate"]
    check_form(document, predicate)
    blobs = read_blobs(predicate, certificate)
    report.found = about(predicate, certificate)
    report.done(f"canonical, sealed, {len(blobs)} blobs agree with their names")
    check_signatures(request, certificate, report)
    report.begin("weights")
    before = WeightFile(request.input, "the input file", canonical=False, threads=request.threads)
    after = WeightFile(request.model, "model.safetensors", canonical=True, threads=request.threads)
    store = Store((before, after))
    for row in predicate["tensors"]:
        store.add(row, partial(certificate.blob, row["blob"], f"tensor {row['digest'][:12]}"))
    counts = f"{len(before.entries)} tensors in, {len(after.entries)} out, {len(store.blobs)} between"
    report.done(f"{counts}: every byte hashed")
    ledger = Ledger(store, dict(predicate["binding"]))
    first = start(blobs[predicate["input"]["graphBlob"]], predicate, ledger, before, report)
    last = walk(predicate, first, ledger, report, store)
    check_output(request, document, last, ledger, after, report)
    check_interfaces(predicate, last.net, report)
    states = {"before": first, "after": last}
    on = ground(states, ledger, request.trusted)
    bind(request, predicate, on, check_claims(predicate, states, on, blobs, report), report)
    for file in (before, after):
        file.unchanged()


def check_form(document: dict[str, Any], predicate: dict[str, Any]) -> None:
    """What the schema leaves open of formulas, the seal, and the lists that are sorted without repetition."""
    for at, claim in enumerate(predicate["claims"]):
        for side in ("left", "right") * ("counted" in claim):
            figure(claim["counted"][side], f"claims[{at}].{side}")
    unsealed = {**document, "predicate": {key: value for key, value in predicate.items() if key != "seal"}}
    need(digests.tagged("surg-seal-v1", unsealed) == predicate["seal"], "V04", "the seal is not that of the statement")
    lists = {name: [row[0] for row in predicate[name]] for name in ("binding", "facts")}
    lists["tensors"] = [row["digest"] for row in predicate["tensors"]]
    for name, keys in lists.items():
        need(rising(keys), "V03", f"{name} is not sorted or repeats itself")
    names = [row["name"] for row in predicate["interfaces"]]
    need(len(set(names)) == len(names), "V03", "two interfaces share a name")
    first = predicate["sequence"] == 0
    need(("supersedes" in predicate) != first, "V03", "`supersedes` stands there exactly when sequence is not 0")


def about(predicate: dict[str, Any], certificate: Certificate) -> dict[str, Any]:
    """What the verdict is about, for whoever compares it with something."""
    found = {name: predicate[name] for name in ("sequence", "supersedes") if name in predicate}
    found |= {"certificate": hashlib.sha256(certificate.statement).hexdigest(), "spec": predicate["spec"]["blob"]}
    found |= {side: predicate[side]["manifest"] for side in ("input", "output")}
    return found | {"graph": predicate["input"]["graph"]}


def read_blobs(predicate: dict[str, Any], certificate: Certificate) -> dict[str, bytes]:
    """Every blob that the statement refers to, but b"" for those of tensors, which are read again when they are needed.

    V01 when one is missing or a stray one lies there.
    """
    wanted = {row["blob"]: f"tensor {row['digest'][:12]}" for row in predicate["tensors"]}
    texts = {predicate["input"]["graphBlob"]: "the input graph", predicate["spec"]["blob"]: "the .surg text"}
    texts |= {row["measured"]["evidence"]: "a log" for row in predicate["claims"] if "measured" in row}
    wanted |= texts
    stray = certificate.names - wanted.keys()
    need(not stray, "V01", f"the blob {min(stray, default='')[:12]} is referenced by nothing")
    read = ((name, certificate.blob(name, what)) for name, what in sorted(wanted.items()))
    return {name: data if name in texts else b"" for name, data in read}


def check_signatures(request: Request, certificate: Certificate, report: Report) -> None:
    """The envelope, where there is one, is around this statement, and enough of the auditor's keys signed it; V22."""
    report.begin("signatures")
    if certificate.envelope is None:
        need(not request.keys, "V22", "keys are named, and the certificate is not signed")
        return
    envelope = parsed(certificate.envelope, "envelope", "cert.dsse.json")
    signers = signature.signers(envelope, certificate.statement, request.keys)
    report.found["signers"] = signers
    need(len(signers) >= request.signatures, "V22", f"{len(signers)} keys signed it, {request.signatures} must have")
    names = " and ".join(name[:12] for name in signers)
    report.done(f"by {names}, of {len(request.keys)} named" if request.keys else "signed, not checked: no --key")


def start(graph: bytes, predicate: dict[str, Any], ledger: Ledger, file: WeightFile, report: Report) -> replay.State:
    """The input net: typed, numbered, counted, its weights those of the input file by name."""
    report.begin("input")
    net = parse_net(parsed(graph, "graph", "the graph blob"))
    for operation in net.operations.values():
        check_type(operation, net.wires)
    used = {symbol for sort in net.wires.values() for extent in sort.shape for symbol in symbols(extent)}
    need(used == {row[0] for row in predicate["binding"]}, "V03", "the binding is not over the symbols of the graph")
    need(list(net.operations) == net.order(), "V06", "the operations of the input graph are not in canonical order")
    wires = [wire for _, wire in net.inputs] + [wire for op in net.operations.values() for wire in op.targets]
    need(wires == list(net.wires), "V06", "the wires of the input graph are not in canonical order")
    for part in (part for op in net.operations.values() for part in op.parts):
        entry = file.entries.get(part.name)
        need(entry is None or entry.digest == part.digest, "V08", f"`{part.name}` is another tensor in the input file")
    state = replay.begin(net, ledger)
    stated = predicate["input"]
    need((stated["graph"], stated["manifest"]) == state.digests, "V06", "the input's graph or manifest is another")
    need(predicate["boundary"] == net.boundary(), "V16", "the boundary is not that of the input graph")
    report.done(f"{len(net.operations)} operations typed, {replay.spell(state.counts)}")
    return state


def walk(predicate: dict[str, Any], first: replay.State, ledger: Ledger, report: Report, store: Store) -> replay.State:
    """Replay the steps; afterwards every tensor blob was used, and the metrics are recounted from scratch."""
    report.begin("rewrites")
    steps = predicate["steps"]
    replay.check_order(steps, predicate["obligations"])
    state = first
    rows = declared(predicate)
    report.rules = [spell(row) for row in rows.values()]
    for row, after in replay.replay(steps, rows, first, ledger):
        report.rows.append(row)
        state = after
    need(predicate["head"] == state.chain, "V05", "head is not the chain of the last step")
    created = (op for step in steps for op in step["right"]["operations"])
    used = {part["digest"] for op in created for part in op.get("parts", ())}
    used |= {part.digest for op in first.net.operations.values() for part in op.parts}
    need(not store.blobs - used, "V08", "a tensor blob belongs to no weight of any state")
    fresh = replay.begin(replace(state.net, known=None), ledger)
    same = (fresh.counts, fresh.digests) == (state.counts, state.digests)
    need(same, "V13", "the last state differs from what is counted from scratch")
    done = {(row["step"], row["rule"]) for row in steps}
    asked = [(row["step"], row["rule"]) for row in predicate["obligations"]]
    report.idle = [f"{step} ({rule})" for step, rule in asked if (step, rule) not in done]
    report.done(f"{len(steps)} pushouts re-formed; types, metrics, weights, digests and chain recomputed")
    return state


def check_output(
    request: Request, document: dict[str, Any], last: replay.State, ledger: Ledger, file: WeightFile, report: Report
) -> None:
    """The last state is the output's, and the output file holds exactly its manifest."""
    report.begin("output")
    stated, subject = document["predicate"]["output"], document["subject"][0]["digest"]
    need((stated["graph"], stated["manifest"]) == last.digests, "V06", "the output is not the last state")
    need(subject["surgManifestV1"] == last.manifest, "V06", "the subject is not the last state's manifest")
    need(file.manifest() == last.manifest, "V08", "model.safetensors does not hold the last state's tensors")
    odd = ledger.odd(last.net.weights())
    need(not (request.strict and odd), "V19", f"--strict: {odd} elements of the output are not finite")
    told = f"; not finite: {odd} elements" * (odd > 0)
    report.done(f"model.safetensors is what the last step left, recounted from scratch{told}")


def check_interfaces(predicate: dict[str, Any], net: Net, report: Report) -> None:
    """The boundary is unchanged and every declared interface stands in it; V16."""
    report.begin("interfaces")
    need(net.boundary() == predicate["boundary"], "V16", "the boundary of the last state is another")
    for interface in predicate["interfaces"]:
        for side in ("inputs", "outputs"):
            for port in interface[side]:
                need(port in predicate["boundary"][side], "V16", f"`{port['name']}` of {interface['name']} is gone")
    report.done(f"boundary and {len(predicate['interfaces'])} declared: names, dtypes and shapes unchanged")


def ground(states: dict[str, replay.State], ledger: Ledger, trusted: Collection[str]) -> Ground:
    """What the figures of claims speak of, weights in canonical order."""
    weights = {name: [ledger.properties(weight) for weight in state.net.weights()] for name, state in states.items()}
    return Ground({name: state.counts for name, state in states.items()}, weights, trusted)


def check_claims(
    predicate: dict[str, Any], states: dict[str, replay.State], on: Ground, blobs: dict[str, bytes], report: Report
) -> claims.Logs:
    """Evaluate every claim and insist on all of them; then hold them against the words of the text.

    Returns the logs by their blobs.
    """
    report.begin("claims")
    said, logs = predicate["claims"], dict[str, claims.Evidence]()
    for name in (claim["measured"]["evidence"] for claim in said if "measured" in claim):
        logs[name] = logs.get(name) or read_log(blobs[name], states, predicate["steps"])
    report.claims += [claims.evaluated(claim, logs, on) for claim in said]
    claims.settle(report.claims)
    report.done(f"every claim holds, each from numbers recounted here{claims.together(said)}")
    report.begin("promises")
    surgery, readings = promised([claim["text"] for claim in said], blobs[predicate["spec"]["blob"]])
    rows = zip(report.claims, said, readings, strict=True)
    report.claims = [claims.agreed(found, claim, reading, logs) for found, claim, reading in rows]
    report.done(f"the claims are those of the surgery {surgery}, word for word")
    return logs


def read_log(data: bytes, states: dict[str, replay.State], steps: list[dict[str, Any]]) -> claims.Evidence:
    """A log about these two models, added up."""
    log = parsed(data, "log", "a log")
    seen = {step["arguments"].get("data", "") for step in steps}
    claims.check_log(log, states["before"].manifest, states["after"].manifest, seen)
    return claims.summed(log)


def bind(request: Request, predicate: dict[str, Any], on: Ground, logs: claims.Logs, report: Report) -> None:
    """Compare with the auditor's expectations; without all four the verdict is unbound, which --strict refuses."""
    report.begin("expectations")
    for text, reading in request.required:
        claims.require(reading, text, on, logs, predicate["claims"])
    for name, wanted in request.expected.items():
        need(wanted in ("", report.found[name]), "V19", f"the {name} is {report.found[name]}, expected was {wanted}")
    report.unbound = not all(request.expected.values())
    sequence = predicate["sequence"]
    need(sequence >= request.minimum, "V19", f"the sequence is {sequence}, expected was at least {request.minimum}")
    need(not (request.strict and report.unbound), "V19", "UNBOUND: --strict wants all four of --expect-...")
    given = [name for name, wanted in request.expected.items() if wanted] + [text for text, _ in request.required]
    given += [f"sequence {sequence}"] if request.minimum else []
    report.done(f"met: {', '.join(given)}" if given else "none given")
