"""The statement: the whole surgery as one canonical text with its blobs, for a verifier that shares no code with it.

Everything in it follows from the states, the rewrites and what the file asks for; no clock, host or path is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from surgdsl.bridge.encoding import Part, parts_of
from surgdsl.bridge.storage import check_names
from surgdsl.bridge.weight import State
from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.diagram.canonical import number
from surgdsl.diagram.net import Net
from surgdsl.diagram.sort import Sort
from surgdsl.execution import digest
from surgdsl.execution.canonical import Json, encode
from surgdsl.execution.declaration import Applied, rule_rows
from surgdsl.execution.graph import Scribe, port_rows
from surgdsl.execution.steps import Standing, standing, step_row
from surgdsl.execution.superseding import FIRST, Place
from surgdsl.metrics import METRICS, count, ones
from surgdsl.surgery.rewrite import Rewrite

LARGEST = 16 << 20
"""Bytes of a statement that a verifier still reads."""

RECOMPUTED = ("prune-channels/1", "rule/1")
"""Rules whose weights follow byte for byte from the weights before, but for decompositions."""

Ports = Sequence[tuple[str, Sort]]


@frozen(eq=False)
class Request:
    """What the surgery was asked for, and what is said about it besides: all that does not follow from the rewrites.

    `interfaces` are (name, inputs, outputs), `obligations` (step, rule) in order; `claims` are as the certificate
    has them, and `evidence` are the blobs that they name. `binding` gives symbols other values than 1.
    """

    spec: str
    version: str
    seed: int = 0
    interfaces: Sequence[tuple[str, Ports, Ports]] = ()
    obligations: Sequence[tuple[str, str]] = ()
    claims: Sequence[Json] = ()
    evidence: Sequence[bytes] = ()
    rules: Applied = ()
    facts: Mapping[str, str] = field(factory=dict[str, str])
    binding: Mapping[str, int] = field(factory=dict[str, int])
    place: Place = FIRST


@frozen(eq=False)
class Certificate:
    """The statement's bytes, and its blobs by name."""

    statement: bytes
    blobs: Mapping[str, bytes]


def certificate(
    start: State, rewrites: Sequence[Rewrite], request: Request, scribe: Scribe | None = None
) -> Certificate:
    """Write down a surgery.

    Args:
        start: the input; its net is canonically numbered, as `diagram.canonical.renumber` leaves it.
        rewrites: the steps in order; rewrite i creates items named ``s{i}.k``.
        request: what was asked for.
        scribe: one that has hashed these tensors before, to be quicker.

    Raises:
        Refusal: E0716, the statement is larger than a verifier reads; E0715, names that it cannot hold.
    """
    _check_numbering(start.net)
    check_names(name for name, _ in (*start.net.inputs, *start.net.outputs))
    scribe = scribe or Scribe()
    binding = {symbol: request.binding.get(symbol, 1) for symbol in ones(start.net)}
    written = scribe.graph(start)
    first = Standing(digest.graph(written), scribe.manifest(start), count(start.net, start.weights, binding))
    steps, last = _steps(scribe, rewrites, first, binding)
    tensors, blobs = _tensors(scribe, start, rewrites)
    files = [encode(written), request.spec.encode(), *request.evidence]
    blobs |= {digest.blob(data): data for data in files}
    predicate: dict[str, Json] = {
        "binding": [[symbol, binding[symbol]] for symbol in sorted(binding)],
        "boundary": _boundary(start.net),
        "head": steps[-1]["chain"] if steps else digest.START,
        "input": {"graph": first.graph, "graphBlob": digest.blob(files[0]), "manifest": first.manifest},
        "output": {"graph": last.graph, "manifest": last.manifest},
        "spec": {"blob": digest.blob(files[1]), "language": "surg/1"},
        "steps": steps,
        "tensors": tensors,
        **_asked(request),
    }
    return Certificate(_sealed(predicate, last.manifest), blobs)


def _check_numbering(net: Net) -> None:
    order = number(net)
    wires = tuple(f"w{place}" for place in range(len(net.graph.wires)))
    operations = tuple(f"o{place}" for place in range(len(net.graph.operations)))
    assert (order.wires, order.operations) == (wires, operations), "the input net must be canonically numbered"


def _steps(
    scribe: Scribe, rewrites: Sequence[Rewrite], first: Standing, binding: Mapping[str, int]
) -> tuple[list[dict[str, Json]], Standing]:
    """All steps, chained, and the standing after the last."""
    steps: list[dict[str, Json]] = []
    head, before = digest.START, first
    for index, rewrite in enumerate(rewrites):
        after = standing(scribe, rewrite, before, binding)
        row = step_row(scribe, rewrite, index, (before, after))
        head = digest.step(head, row)
        steps.append({**row, "chain": head})
        before = after
    return steps, before


def _tensors(scribe: Scribe, start: State, rewrites: Sequence[Rewrite]) -> tuple[list[Json], dict[str, bytes]]:
    """The tensors that lie in neither weight file and that no exact step makes, and their bytes as blobs."""
    if not rewrites:
        return [], {}
    held = {role: _parts(scribe, start, _named(start, role)) for role in ("parameter", "buffer", "constant")}
    passing = held["constant"] | {name: part for one in rewrites for name, part in _sent(scribe, one).items()}
    filed = held["parameter"].keys() | held["buffer"].keys() | scribe.parts(rewrites[-1].after).keys()
    rows: list[Json] = []
    blobs: dict[str, bytes] = {}
    for name in sorted(passing.keys() - filed):
        part, data = passing[name], bytes(digest.raw(passing[name].array))
        blobs[digest.blob(data)] = data
        rows.append({"blob": digest.blob(data), "digest": name, "dtype": part.dtype, "shape": list(part.shape)})
    return rows, blobs


def _sent(scribe: Scribe, rewrite: Rewrite) -> dict[str, Part]:
    """The tensors that a step creates, unless a verifier makes them itself from the ones before."""
    if rewrite.rule in RECOMPUTED and not ("rule" in rewrite.arguments and rewrite.arguments["rule"].decomposes):
        return {}
    return _parts(scribe, rewrite.after, list(rewrite.derivation.comatch_operations.values()))


def _named(state: State, role: str) -> list[str]:
    params = state.net.params().items()
    return [name for name, operation in params if operation.payload and operation.payload.role == role]


def _parts(scribe: Scribe, state: State, names: Sequence[str]) -> dict[str, Part]:
    """The stored tensors of some weights, by digest."""
    found = [
        part
        for name in names
        if name in state.weights and (payload := state.net.graph.operations[name].payload)
        for part in parts_of(payload.base, state.weights[name])
    ]
    return {scribe.digests.of(part.dtype, part.array): part for part in found}


def _boundary(net: Net) -> dict[str, Json]:
    return {
        "inputs": port_rows((name, net.sort(wire)) for name, wire in net.inputs),
        "outputs": port_rows((name, net.sort(wire)) for name, wire in net.outputs),
    }


def _asked(request: Request) -> dict[str, Json]:
    """The fields that a request fills."""
    return {
        **({"rules": rule_rows(request.rules)} if request.rules else {}),
        "claims": request.claims,
        "facts": [[name, request.facts[name]] for name in sorted(request.facts)],
        "format": 1,
        "interfaces": [
            {"inputs": port_rows(inputs), "name": name, "outputs": port_rows(outputs)}
            for name, inputs, outputs in request.interfaces
        ],
        "metrics": METRICS,
        "obligations": [{"rule": rule, "step": step} for step, rule in request.obligations],
        "producer": {"name": "surgdsl", "version": request.version},
        "seed": request.seed,
        **request.place.fields(),
    }


def _sealed(predicate: dict[str, Json], output: str) -> bytes:
    """The bytes of the whole statement, its seal set."""
    statement: dict[str, Json] = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://surgdsl.org/certificate/v1",
        "subject": [{"digest": {"surgManifestV1": output}, "name": "model.safetensors"}],
        "predicate": predicate,
    }
    predicate["seal"] = digest.seal(statement)
    data = encode(statement)
    if len(data) > LARGEST:
        raise Refusal(Diagnostic("E0716", f"the certificate would have {len(data)} bytes, more than {LARGEST}"))
    return data
