"""Lies about bytes: files, blobs, canonical JSON, weight files, graphs, digests."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.verifier import surgeries as s
from tests.verifier.asking import edit
from tests.verifier.corpus.telling import (
    Build,
    Case,
    Json,
    Make,
    at,
    blobbed,
    counting,
    edited,
    headed,
    lied,
    mined,
    regraphed,
    shuffled,
    tabled,
    touched,
)
from tests.verifier.encodings import Weight, dense
from tests.verifier.forge import Forge, canon, sha, tensor_digest, weight_file
from tests.verifier.test_accept import pruned_mlp
from tests.verifier.test_bytes import small
from tests.verifier.test_encodings import WRONG, holding
from tests.verifier.test_nets import FAULTS

MODEL, CERT = "model.safetensors", "certificate/cert.json"
NETS, ENCODINGS = mined(FAULTS), mined(WRONG)


def whole() -> Forge:
    """relu(x·W) + relu(x·W)."""
    f = Forge()
    x, w = f.input("x", ("B", 2)), f.param(dense("w", s.noise(2, 2)))
    y = f.op("relu.default", [f.op("linear.default", [x, w], ("B", 2), bias={"none": True})], ("B", 2))
    f.begin(("y", f.op("add.Tensor", [y, y], ("B", 2), alpha=1)), B=1)
    return f


def net(threat: str, what: str) -> Case:
    """A fault of a graph, hashed wherever it stands."""
    _, code, change = NETS[what]
    return Case(threat, what, code, regraphed(whole, change))


def encoding(threat: str, what: str) -> Case:
    """An invalid encoding in a model as it comes in."""
    _, code, build = ENCODINGS[what]
    return Case(threat, what, code, lied(lambda: holding(build())))


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Bytes for bytes, which must be there."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def resealed(old: bytes, new: bytes) -> Make:
    """Bytes of the statement replaced, in a text whose digest no check needs: what is wrong is the form alone."""
    return touched(s.mlp, CERT, replaced(old, new))


def header(change: Callable[[Json], object], build: Build = s.mlp, name: str = "input.safetensors") -> Make:
    return headed(build, tabled(change), name)


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def renamed(first: str, second: str) -> Callable[[Json], None]:
    """Two tensors change their names."""

    def change(table: Json) -> None:
        table[first], table[second] = table[second], table[first]
        for name, row in sorted(table.items()):
            table[name] = table.pop(name) if row else row

    return change


def retyped(table: Json) -> None:
    table["fc1.bias"]["dtype"] = "I32"


def reshaped(table: Json) -> None:
    table["fc1.weight"]["shape"] = [5, 4]


def hidden(header: bytes, body: bytes) -> tuple[bytes, bytes]:
    """A tensor more than the certificate knows."""
    change = tabled(lambda t: t.update(z={"dtype": "U8", "shape": [4], "data_offsets": [len(body), len(body) + 4]}))
    return change(header, body)[0], body + b"hide"


def fewer(header: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The last tensor is gone."""
    gone = list[int]()

    def change(table: Json) -> None:
        name = max(table)
        gone.extend(table.pop(name)["data_offsets"])

    raw = tabled(change)(header, body)[0]
    return raw, body[: gone[0]]


def unused(statement: Json) -> None:
    rows = statement["predicate"]["tensors"]
    row = {"blob": sha(b"payload!"), "digest": tensor_digest("U8", (8,), b"payload!"), "dtype": "U8", "shape": [8]}
    rows.insert(sum(other["digest"] < row["digest"] for other in rows), row)


def payload() -> Forge:
    f = pruned_mlp()
    f.blobs[sha(b"payload!")] = b"payload!"
    return f


def missing(folder: Path) -> None:
    next(iter(sorted((folder / "certificate" / "blobs").iterdir()))).unlink()


def linked(folder: Path) -> None:
    """A blob is a link to a file beside it."""
    blob = min((folder / "certificate" / "blobs").iterdir())
    blob.rename(folder / "elsewhere")
    blob.symlink_to("../../elsewhere")


def linked_model(folder: Path) -> None:
    (folder / MODEL).rename(folder / "elsewhere")
    (folder / MODEL).symlink_to("elsewhere")


def wide() -> Forge:
    """A weight with ten thousand numbers hidden in the attributes of an operation."""
    f = Forge()
    y = f.op("flip.default", [f.input("x", ("B", 3))], ("B", 3), dims=list(range(80)))
    f.begin(("y", y), B=1)
    return f


def same_part() -> Forge:
    """Two params share one stored tensor, which is counted twice before, and once in the file."""
    f = Forge()
    x = f.input("x", ("B", 3))
    w = s.noise(3, 3)
    for _ in range(2):
        x = f.op("linear.default", [x, f.param(dense("w", w))], ("B", 3), bias={"none": True})
    f.begin(("y", x), B=1)
    return f


def tied() -> Forge:
    """One weight, read twice."""
    f = Forge()
    x, w = f.input("x", ("B", 3)), f.param(dense("w", s.noise(3, 3)))
    for _ in range(2):
        x = f.op("linear.default", [x, w], ("B", 3), bias={"none": True})
    f.begin(("y", x), B=1)
    s.mask(f, "w", np.eye(3) > 0)
    return f


def by_case() -> Forge:
    f = Forge()
    x = f.input("x", ("B", 3))
    y = f.op("linear.default", [x, f.param(dense("w", s.noise(2, 3))), f.param(dense("W", s.noise(2)))], ("B", 2))
    f.begin(("y", y), B=1)
    return f


def named(name: str) -> Build:
    """A weight of this name."""

    def forge() -> Forge:
        f = Forge()
        x = f.input("x", ("B", 3))
        y = f.op("linear.default", [x, f.param(dense(name, s.noise(2, 3)))], ("B", 2), bias={"none": True})
        f.begin(("y", y), B=1)
        return f

    return forge


def other_text(blob: Path) -> None:
    blob.write_bytes(b"surg 2\n")


def swapped_values(build: Build) -> Make:
    """Two tensors of one shape change their places in the result, and with them their names' meaning."""

    def change(data: bytes) -> bytes:
        one, two, three = b'"bn.bias"', b'"bn.weight"', b'"bn.swap"'
        return data.replace(one, three).replace(two, one).replace(three, two)

    return touched(build, MODEL, change)


def exchanged(path: Path) -> None:
    """The graph has the digests of two tensors exchanged, everything hashed; the file keeps them as they were."""
    f = s.cnn()
    parts = {p["name"]: p for op in f.ops.values() for p in op["raw"].get("parts", [])}
    one, two = parts["bn.running_mean"], parts["bn.bias"]
    one["digest"], two["digest"] = two["digest"], one["digest"]
    f.first.update(graph=f.graph(), manifest=f.manifest())
    f.graph_blob = canon(f.written())
    f.write(path)
    held = {name: f.pool[part["digest"]] for name, part in s.cnn().first_parts.items()}
    (path / "input.safetensors").write_bytes(weight_file(held))


class Leafless(Forge):
    """It takes the digest of a leaf without the byte that tells leaves from what they are leaves of."""

    def param_op(self, weight: Weight, role: str, wire: str) -> Json:
        made = super().param_op(weight, role, wire)
        for part, (_, _, dtype, shape, data) in zip(made["raw"]["parts"], weight.parts, strict=True):
            dims = b"".join(struct.pack("<Q", extent) for extent in shape)
            head = b"surg-tensor-v1\0" + dtype.encode() + b"\0" + bytes([len(shape)]) + dims
            part["digest"] = sha(head + struct.pack("<Q", len(data)) + hashlib.sha256(data).digest())
            self.pool[part["digest"]] = (dtype, shape, data)
        return made


def unprefixed() -> Forge:
    f = Leafless()
    w = f.param(dense("w", s.noise(2, 3)))
    f.begin(("y", f.op("linear.default", [f.input("x", ("B", 3)), w], ("B", 2), bias={"none": True})), B=1)
    return f


def confused(kind: str) -> Make:
    """A log where a graph belongs, or the other way round; what nobody names then is gone."""

    def make(path: Path) -> None:
        edit(small().write(path), change)
        statement = (path / CERT).read_bytes()
        for blob in (path / "certificate" / "blobs").iterdir():
            if blob.name.encode() not in statement:
                blob.unlink()

    def change(statement: Json) -> None:
        source, claim = statement["predicate"]["input"], statement["predicate"]["claims"][0]["measured"]
        if kind == "log":
            source["graphBlob"] = claim["evidence"]
        else:
            claim["evidence"] = source["graphBlob"]

    return make


def facts(value: Any) -> Callable[[Json], None]:
    return at(value, "facts", 0, 1)


def deep(depth: int) -> Any:
    return [deep(depth - 1)] if depth else []


def duplicate(header: bytes, body: bytes) -> tuple[bytes, bytes]:
    """One name twice: a reader that keeps the last one sees another shape."""
    raw = header.rstrip()[:-1] + b',"fc1.bias":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}'
    return raw + b" " * (-len(raw) % 8), body


def escaped(header: bytes, body: bytes) -> tuple[bytes, bytes]:
    raw, rest = duplicate(header, body)
    at_ = raw.rindex(b'"fc1.bias"')
    raw = (raw[:at_] + b'"\\u0066c1.bias"' + raw[at_ + 10 :]).rstrip()
    return raw + b" " * (-len(raw) % 8), rest


def rename(old: str, new: str) -> Callable[[Json], None]:
    def change(table: Json) -> None:
        table[new] = table.pop(old)

    return change


def moved(name: str, start: int, stop: int) -> Callable[[Json], None]:
    return lambda table: table[name].update(data_offsets=[start, stop])


ZIP = b"PK\x03\x04" + bytes(26)
SECOND = b'"format":1,"Format":2,'
FORM: tuple[Case, ...] = (
    Case("M04", "the text of the file swapped", "V04", blobbed(pruned_mlp, other_text)),
    Case("M05", "one bit of the result", "V08", touched(pruned_mlp, MODEL, flipped)),
    Case("M05", "one bit of the input", "V08", touched(pruned_mlp, "input.safetensors", flipped)),
    Case("M06", "two tensors swapped in the result", "V07", swapped_values(s.cnn)),
    Case("M06", "two tensors swapped in the graph", "V08", exchanged),
    Case("M07", "a dtype reinterpreted", "V08", header(retyped)),
    Case("M07", "a shape reinterpreted", "V08", header(reshaped)),
    Case("M08", "a tensor renamed in the result", "V08", header(rename("fc2.weight", "fc3.weight"), s.mlp, MODEL)),
    Case("M09", "a tensor too many in the result", "V08", headed(s.mlp, hidden, MODEL)),
    Case("M09", "a tensor blob that nobody uses", "V08", edited(payload, unused)),
    Case("M10", "a tensor missing in the result", "V08", headed(pruned_mlp, fewer, MODEL)),
    Case("M10", "a tensor missing in the input", "V08", headed(pruned_mlp, fewer)),
    net("M11", "an operation that no output needs"),
    net("M11", "an island"),
    Case("M12", "numbers hidden in attributes", "V20", lied(wide)),
    Case("M14", "two params share one tensor", "V12", lied(same_part)),
    Case("M14", "a tied weight counted twice", "V13", edited(tied, counting(2, 9, "before"))),
    Case("M30", "a wrapped shape", "V07", header(lambda t: t["fc1.bias"].update(shape=[0, 2**32, 2**32]))),
    Case("M30", "negative extents", "V07", header(lambda t: t["fc1.bias"].update(shape=[-2, -2]))),
    net("M30", "an extent of zero"),
    Case("M46", "a key twice", "V02", resealed(b'"format":1,', b'"format":1,"format":1,')),
    Case("M46", "a key twice under an escape", "V02", resealed(b'"format":1,', b'"format":1,"\\u0066ormat":2,')),
    Case("M47", "keys out of order", "V02", resealed(b'"binding"', b'"zinding"')),
    Case("M47", "white space", "V02", resealed(b'"format":1', b'"format": 1')),
    Case("M47", "a line break at the end", "V02", touched(s.mlp, CERT, lambda data: data + b"\n")),
    Case("M47", "a byte order mark", "V02", touched(s.mlp, CERT, lambda data: b"\xef\xbb\xbf" + data)),
    Case("M47", "a zero byte at the end", "V02", touched(s.mlp, CERT, lambda data: data + b"\0")),
    Case("M48", "a float", "V02", resealed(b'"format":1', b'"format":1.0')),
    Case("M48", "an exponent", "V02", resealed(b'"seed":7', b'"seed":7e0')),
    Case("M48", "a leading zero", "V02", resealed(b'"seed":7', b'"seed":07')),
    Case("M48", "minus zero", "V02", resealed(b'"seed":7', b'"seed":-0')),
    Case("M48", "NaN", "V02", resealed(b'"seed":7', b'"seed":NaN')),
    Case("M48", "null", "V02", resealed(b'"seed":7', b'"seed":null')),
    Case("M48", "a number of five thousand digits", "V02", resealed(b'"seed":7', b'"seed":' + b"7" * 5000)),
    Case("M49", "an integer above 2^53", "V02", resealed(b'"seed":7', b'"seed":9007199254740993')),
    Case("M50", "an overlong encoding", "V02", resealed(b'"cpu"', b'"\xc0\x80"')),
    Case("M50", "a lone surrogate", "V02", resealed(b'"cpu"', b'"\\ud800"')),
    Case("M50", "a confusable letter in a name", "V03", edited(s.mlp, at("\u0445", "boundary", "inputs", 0, "name"))),
    Case("M48", "an offset of minus zero", "V07", headed(s.mlp, lambda h, b: (h.replace(b"[0,", b"[-0,", 1)[:-1], b))),
    Case("M50", "half of a pair in metadata", "V07", header(lambda t: t.update(__metadata__={"a": "\ud800"}))),
    Case("M50", "a name that runs backwards", "V07", header(rename("fc1.bias", "\u202efc1.bias"))),
    Case("M51", "names that differ by case", "V12", lied(by_case)),
    Case("M52", "an unknown field", "V03", edited(s.mlp, at([], "verdict"))),
    Case("M52", "a second truth in capitals", "V02", resealed(b'"format":1,', SECOND)),
    Case("M52", "an unknown format", "V03", edited(s.mlp, at(2, "format"))),
    Case("M53", "deep nesting", "V20", edited(s.mlp, facts(deep(40)))),
    Case("M53", "too many items", "V20", edited(s.mlp, at([["B", 1]] * 65, "binding"))),
    net("M53", "nine dimensions"),
    Case("M54", "a header longer than the file", "V07", touched(
        s.mlp, "input.safetensors", lambda data: struct.pack("<Q", 1 << 20) + data[8:])),
    Case("M54", "a header of 2^64 bytes", "V20", touched(
        s.mlp, "input.safetensors", lambda data: b"\xff" * 8 + data[8:])),
    Case("M55", "a hole", "V07", header(moved("fc2.weight", 28, 60))),
    Case("M55", "an overlap", "V07", header(moved("fc1.weight", 12, 92))),
    Case("M55", "bytes behind the last tensor", "V07", touched(s.mlp, MODEL, lambda data: data + b"x")),
    Case("M55", "a file cut short", "V07", touched(s.mlp, "input.safetensors", lambda data: data[:-1])),
    Case("M56", "a header padded with zeros", "V07", headed(s.mlp, lambda h, b: (h + bytes(8), b))),
    Case("M56", "a header that begins with a space", "V07", headed(s.mlp, lambda h, b: (b" " + h, b))),
    Case("M56", "a header padded further", "V07", headed(s.mlp, lambda h, b: (h + b" " * 8, b), MODEL)),
    Case("M56", "metadata that are no texts", "V07", header(lambda t: t.update(__metadata__={"a": [0, 8]}))),
    Case("M56", "metadata in the result", "V07", header(lambda t: t.update(__metadata__={"a": "b"}), s.mlp, MODEL)),
    Case("M57", "a tensor named twice", "V07", headed(s.mlp, duplicate)),
    Case("M57", "a tensor named twice under an escape", "V07", headed(s.mlp, escaped)),
    encoding("M58", "padding bits behind the codes"),
    encoding("M58", "padding bits behind the mask"),
    Case("M58", "a dtype below a byte", "V07", header(lambda t: t["fc1.bias"].update(dtype="F4"))),
    Case("M59", "a path for the name of a tensor", "V07", header(rename("fc1.bias", "../../fc1 bias"))),
    Case("M59", "a stray file", "V01", shuffled(s.mlp, lambda f: (f / "certificate" / "x.txt").write_bytes(b"x"))),
    Case("M59", "a stray blob", "V01", lied(payload)),
    Case("M59", "a blob missing", "V01", shuffled(small, missing)),
    Case("M59", "a blob that is no digest", "V01", shuffled(
        s.mlp, lambda f: (f / "certificate" / "blobs" / "notes").write_bytes(b"x"))),
    Case("M59", "a path for the name of a blob", "V03", edited(s.mlp, at("../../cert.json", "spec", "blob"))),
    Case("M59", "no result", "V01", shuffled(s.mlp, lambda f: (f / MODEL).unlink())),
    Case("M59", "a linked blob", "V01", shuffled(s.mlp, linked), only="command"),
    Case("M59", "a linked result", "V01", shuffled(s.mlp, linked_model), only="command"),
    Case("M61", "an archive for weights", "V20", touched(s.mlp, MODEL, lambda data: ZIP + data)),
    Case("M61", "an archive behind the weights", "V07", touched(s.mlp, MODEL, lambda data: data + ZIP)),
    Case("M62", "a digest cut short", "V03", edited(s.mlp, at("0" * 40, "input", "manifest"))),
    Case("M62", "a digest in capitals", "V03", edited(s.mlp, at(str.upper, "input", "manifest"))),
    Case("M62", "an empty digest", "V03", edited(s.mlp, at("", "output", "graph"))),
    Case("M62", "a second digest of the subject", "V03", edited(s.mlp, lambda st: st["subject"][0]["digest"].update(
        {"sha1": "0" * 40}))),
    Case("M63", "leaves without their prefix", "V08", lied(unprefixed)),
    Case("M64", "a log for a graph", "V03", confused("log")),
    Case("M64", "a graph for a log", "V03", confused("graph")),
)  # fmt: skip
