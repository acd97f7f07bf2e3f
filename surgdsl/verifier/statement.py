"""The statement: the closed schema of cert.json, of a graph and of a prediction log.

Everything that a certificate may say stands here; an unknown word is a rejection, never ignored.
"""

from __future__ import annotations

from typing import Any

from surgdsl.verifier.canonical import is_object
from surgdsl.verifier.claims import KINDS
from surgdsl.verifier.declared.declaration import ROW
from surgdsl.verifier.formula import figure
from surgdsl.verifier.schema import (
    METRICS,
    Check,
    array,
    attribute,
    choice,
    digest,
    dtype,
    integer,
    metric,
    name,
    natural,
    one_of,
    rational,
    record,
    row,
    shape,
    sizes,
    text,
    where,
)
from surgdsl.verifier.signature import PAYLOAD
from surgdsl.verifier.statistics import UNIT

NODES = 200_000
STEPS = 10_000
ROWS = 10_000_000

relation = one_of("<=", "<", ">=", ">")

BITS = integer(1, 8)
DENSE = record({"kind": one_of("dense")})
CODEBOOK = record({"bits": BITS, "kind": one_of("codebook")})
GRID = record(
    {"axis": integer(-1, 7), "bits": BITS, "kind": one_of("affine", "symmetric")}, {"group": integer(1, 2**40 - 1)}
)
PLAIN: dict[Any, Check] = {"dense": DENSE, "codebook": CODEBOOK, "affine": GRID, "symmetric": GRID}
MASKED = record({"inner": choice("kind", PLAIN), "kind": one_of("masked")})
ENCODING = choice("kind", {**PLAIN, "masked": MASKED})

ROLE = one_of("values", "codes", "codebook", "scale", "zero", "mask")
PART = record({"digest": digest, "dtype": dtype, "name": name, "role": ROLE, "shape": sizes})


def operation(wire: Check, identified: bool) -> Check:
    """An operation, its ports being wires as `wire` admits them; inside rules it carries an `id`."""
    shared: dict[str, Check] = {"op": name, **{side: array(wire, 1024) for side in ("sources", "targets")}}
    shared |= {"id": name} if identified else {}
    plain = record({**shared, "attributes": array(row(name, attribute), 64)})
    weight = record({
        **shared, "encoding": ENCODING, "parts": array(PART, 4, 1), "role": one_of("parameter", "buffer", "constant"),
    })  # fmt: skip
    return lambda value, place: (weight if is_object(value) and value.get("op") == "param" else plain)(value, place)


PORTS = array(record({"dtype": dtype, "name": name, "shape": shape}), 1024)
ENDS = array(record({"name": name, "wire": integer(0)}), 1024)
GRAPH = record({
    "inputs": ENDS, "operations": array(operation(integer(0), False), NODES), "outputs": ENDS,
    "wires": array(record({"dtype": dtype, "shape": shape}), NODES),
})  # fmt: skip

FRAGMENT = record({
    "operations": array(operation(name, True), NODES),
    "wires": array(record({"dtype": dtype, "id": name, "shape": shape}), NODES),
})  # fmt: skip
IDS = array(name, NODES)
PAIRS = array(row(name, name), NODES)
COUNTS = row(*(record({"id": one_of(name_of), "value": natural}) for name_of in METRICS))
SHARED: dict[str, Check] = {
    "after": COUNTS, "arguments": where(is_object, "an object"), "before": COUNTS, "chain": digest,
    "glue": record({"operations": IDS, "wires": IDS}), "graphAfter": digest, "graphBefore": digest, "index": integer(0),
    "left": FRAGMENT,
    "manifestAfter": digest, "manifestBefore": digest, "match": record({"operations": PAIRS, "wires": PAIRS}),
    "mayRaise": array(metric, 4), "note": text, "right": FRAGMENT, "rule": name, "step": name,
}  # fmt: skip
STEP = choice("kind", {
    "reduce": record({**SHARED, "kind": one_of("reduce"), "reduces": metric}),
    "neutral": record({**SHARED, "kind": one_of("neutral")}),
})  # fmt: skip


MEASURE: dict[str, Check] = {"evidence": digest, "limit": rational, "relation": relation}
CERTAIN = record({**MEASURE, "measure": one_of(*KINDS)})
SAFE = dict.fromkeys(KINDS, ("<=", "<")) | {"accuracy": (">=", ">")}
SURE: dict[str, Check] = {**MEASURE, "bound": rational, "candidates": integer(1, 10**6), "confidence": rational}
CONFIDENT = choice("measure", {
    measure: record({**SURE, "measure": one_of(measure), "relation": one_of(*signs)}, {"registered": digest})
    for measure, signs in SAFE.items()
})  # fmt: skip
COUNTED_CLAIM = record({"counted": record({"left": figure, "relation": relation, "right": figure}), "text": text})


def measured(value: Any, place: str) -> None:
    """A measured claim, exact over its rows or with a confidence."""
    (CONFIDENT if is_object(value) and "confidence" in value else CERTAIN)(value, place)


MEASURED_CLAIM = record({"measured": measured, "text": text})


def claim(value: Any, place: str) -> None:
    """A claim: counted or measured."""
    (COUNTED_CLAIM if is_object(value) and "counted" in value else MEASURED_CLAIM)(value, place)


STATE: dict[str, Check] = {"graph": digest, "manifest": digest}
PREDICATE = record({
    "binding": array(row(name, integer(1, 2**40)), 64), "boundary": record({"inputs": PORTS, "outputs": PORTS}),
    "claims": array(claim, 256), "facts": array(row(name, text), 256), "format": integer(1, 1), "head": digest,
    "input": record({**STATE, "graphBlob": digest}),
    "interfaces": array(record({"inputs": PORTS, "name": name, "outputs": PORTS}), 256),
    "metrics": row(*map(one_of, METRICS)), "obligations": array(record({"rule": name, "step": name}), STEPS),
    "output": record(STATE), "producer": record({"name": one_of("surgdsl"), "version": text}), "seal": digest,
    "seed": integer(0), "sequence": integer(0),
    "spec": record({"blob": digest, "language": one_of("surg/1")}), "steps": array(STEP, STEPS),
    "tensors": array(record({"blob": digest, "digest": digest, "dtype": dtype, "shape": sizes}), NODES),
}, {"rules": array(ROW, STEPS, 1), "supersedes": digest})  # fmt: skip
STATEMENT = record({
    "_type": one_of("https://in-toto.io/Statement/v1"),
    "predicate": PREDICATE,
    "predicateType": one_of("https://surgdsl.org/certificate/v1"),
    "subject": row(record({"digest": record({"surgManifestV1": digest}), "name": one_of("model.safetensors")})),
})  # fmt: skip

ENVELOPE = record({
    "payload": where(lambda value: type(value) is str, "a text"), "payloadType": one_of(PAYLOAD),
    "signatures": array(record({"keyid": text, "sig": text}), 16, 1),
})  # fmt: skip
DATA: dict[str, Check] = {"inputs": digest, "labels": digest, "name": name, "rows": integer(1, ROWS)}
SIDES: dict[str, Check] = {"after": digest, "before": digest, "data": record(DATA, {"seen": integer(1, ROWS)})}
PREDICTED, LOST = row(*[integer(0)] * 4), row(integer(0), integer(0, UNIT), integer(0, UNIT))
LOG = choice("kind", {
    "predictions": record({**SIDES, "kind": one_of("predictions"), "rows": array(PREDICTED, ROWS, 1)}),
    "losses": record({**SIDES, "kind": one_of("losses"), "loss": name, "rows": array(LOST, ROWS, 1)}),
})  # fmt: skip
