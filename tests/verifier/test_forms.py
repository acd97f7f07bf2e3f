"""The ground floor: canonical bytes, weight files, extents, bounds; against an oracle or a list of known tricks."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import safetensors.numpy
import scipy.stats
from hypothesis import event, given, settings
from hypothesis import strategies as st

from surgdsl.verifier import canonical, claims, digest, extent, schema, statistics
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.tensors import Lazy, WeightFile
from tests.verifier.forge import tensor_digest, weight_file

KEYS = st.from_regex(r"[a-z][a-zA-Z0-9]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_canonical_bytes_are_accepted_and_give_the_value_back(value: Any) -> None:
    assert canonical.parse(canonical.canon(value), "it") == value


BAD = [
    b"", b" 1", b"1 ", b"1\n", b"\xef\xbb\xbf1", b"01", b"-0", b"1.0", b"1e3", b"NaN", b"Infinity", b"null", b"[null]",
    b"9007199254740992", b"1" * 5000, b'"unclosed', b"[" * 33 + b"]" * 33, b"[" * 100000, b'"' + b'\\"' * 50000,
    b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}', b'{"A":1}', b'{"a_b":1}', b'{"a": 1}',
    b"[1,]", b"[1 ,2]",
    b'"\\u0041"', b'"\\/"', b'"\\ud800"', b'"\xff"', b'"\xc0\x80"', b'"\x01"', b'"\\u000A"',
]  # fmt: skip


@pytest.mark.parametrize("data", BAD)
def test_what_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(Reject) as error:
        canonical.parse(data, "it")
    assert error.value.code in ("V02", "V20")


@given(st.binary(max_size=40))
def test_garbage_is_refused_or_canonical(data: bytes) -> None:
    try:
        assert canonical.canon(canonical.parse(data, "it")) == data
    except Reject as reject:
        event(reject.code)


LIBRARY: Any = safetensors.numpy
BINOMIAL: Any = scipy.stats.binom
TENSORS = {
    "a": ("F32", (2, 1), np.array([1, 2], "<f4").tobytes()),
    "b": ("U8", (3,), b"abc"),
    "c": ("F32", (), b"\0\0\0\0"),
}


def test_a_weight_file_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(weight_file(TENSORS))
    found = WeightFile(str(path), "it", canonical=True)
    library: dict[str, Any] = LIBRARY.load_file(path)
    assert found.entries.keys() == library.keys()
    for name, entry in found.entries.items():
        assert (entry.shape, Lazy(found, entry)[:]) == (library[name].shape, library[name].tobytes())
        assert entry.digest == tensor_digest(entry.dtype, entry.shape, library[name].tobytes())
    LIBRARY.save_file(library, path, {"format": "pt"})
    assert WeightFile(str(path), "it", canonical=False).manifest() == found.manifest()
    with pytest.raises(Reject, match="V07"):
        WeightFile(str(path), "it", canonical=True)


Spoil = Callable[[bytes, bytes], tuple[bytes, bytes]]


def spoiled(change: Spoil) -> bytes:
    """The file with its header and body changed, the length made to fit."""
    data = weight_file(TENSORS)
    (length,) = struct.unpack("<Q", data[:8])
    header, body = change(data[8 : 8 + length], data[8 + length :])
    return struct.pack("<Q", len(header)) + header + body


def rewritten(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def apply(header: bytes, body: bytes) -> tuple[bytes, bytes]:
        table = json.loads(header)
        change(table)
        return json.dumps(table, separators=(",", ":")).encode(), body

    return apply


SPOILED: list[Spoil] = [
    lambda h, b: (h, b + b"x"),
    lambda h, b: (h, b[:-1]),
    lambda h, b: (b" " + h, b),
    lambda h, b: (h + b"\0", b),
    lambda h, b: (h.replace(b'"b"', b'"a"'), b),
    lambda h, b: (h.replace(b'"b"', b'"\\u0061"'), b),
    lambda _, b: (b"[]", b),
    rewritten(lambda t: t["a"].update(shape=[3, 1])),
    rewritten(lambda t: t["a"].update(shape=[-2, -1])),
    rewritten(lambda t: t["a"].update(shape=[True, 2])),
    rewritten(lambda t: t["a"].update(shape=[0, 2**32, 2**32])),
    rewritten(lambda t: t["a"].update(dtype="F8")),
    rewritten(lambda t: t["a"].update(extra=1)),
    rewritten(lambda t: t["b"].update(data_offsets=[7, 10])),
    rewritten(lambda t: t["b"].update(data_offsets=[8, 2**60])),
    rewritten(lambda t: t.update({"../../x": t.pop("b"), "a b": t.pop("c")})),
    rewritten(lambda t: t.pop("b")),
]


@pytest.mark.parametrize("change", SPOILED)
@pytest.mark.parametrize("strict", [True, False])
def test_a_weight_file_with_a_trick_in_it_is_refused(change: Any, strict: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(spoiled(change))
    with pytest.raises(Reject, match="V07"):
        WeightFile(str(path), "it", canonical=strict)


@pytest.mark.parametrize(("length", "code"), [(2**64 - 1, "V20"), (1 << 20, "V07")])
def test_a_header_longer_than_the_file_is_refused(length: int, code: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(Reject, match=code):
        WeightFile(str(path), "it", canonical=False)


def test_metadata_and_another_order_are_not_canonical(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    plain: list[Spoil] = [
        rewritten(lambda t: t.update(__metadata__={"format": "pt"})),
        lambda h, b: (h + b" " * 8, b),
    ]
    for change in plain:
        path.write_bytes(spoiled(change))
        WeightFile(str(path), "it", canonical=False)
        with pytest.raises(Reject, match="V07"):
            WeightFile(str(path), "it", canonical=True)


def test_the_digests_of_the_page() -> None:
    """Golden: dtype and shape are bound, chunks are leaves, names are bound into a manifest."""
    data = bytes(range(8))
    assert tensor_digest("F32", (2,), data) == digest.tensor("F32", (2,), digest.leaves("F32", data))
    assert (
        len(
            {
                digest.tensor(t, s, digest.leaves(t, data))
                for t, s in (("F32", (2,)), ("I32", (2,)), ("F32", (2, 1)), ("F32", (1, 2)))
            }
        )
        == 4
    )
    long = bytes(digest.CHUNK + 1)
    assert len(digest.leaves("U8", long)) == 2
    rows = [("a", "U8", (1,), "0" * 64), ("b", "U8", (1,), "1" * 64)]
    swapped = [("a", "U8", (1,), "1" * 64), ("b", "U8", (1,), "0" * 64)]
    assert digest.manifest(rows) == digest.manifest(rows[::-1]) != digest.manifest(swapped)


EXTENTS = st.recursive(
    st.integers(1, 9) | st.sampled_from(["B", "T", "_x1"]),
    lambda inner: st.tuples(st.sampled_from("+*"), inner, inner),
    max_leaves=6,
)


def evaluated(tree: Any, binding: dict[str, int]) -> tuple[extent.Extent, int]:
    if not isinstance(tree, tuple):
        return tree, binding[tree] if isinstance(tree, str) else int(tree)
    sign, *sides = cast("tuple[Any, ...]", tree)
    (left, a), (right, b) = (evaluated(side, binding) for side in sides)
    return (extent.total([left, right]), a + b) if sign == "+" else (extent.product(left, right), a * b)


@given(EXTENTS, st.integers(1, 20), st.integers(1, 20))
def test_extents_are_polynomials_in_normal_form(tree: Any, b: int, t: int) -> None:
    binding = {"B": b, "T": t, "_x1": 3}
    found, value = evaluated(tree, binding)
    assert extent.is_extent(found)
    assert extent.value(found, binding) == value
    mirrored: Any = (tree[0], tree[2], tree[1]) if type(tree) is tuple else tree
    assert evaluated(mirrored, binding)[0] == found


@pytest.mark.parametrize(
    "text", ["", "1", "B*2", "B+B", "1*B", "1+B", "T*B", "B+T*T", "2B", "B-1", "0*B", "B+", "B ", "é", "B**2"]
)
def test_an_extent_out_of_normal_form_is_refused(text: str) -> None:
    assert not extent.is_extent(text)


@given(st.integers(1, 60), st.data(), st.sampled_from([Fraction(1, 20), Fraction(1, 40), Fraction(1, 2000)]))
@settings(deadline=None)
def test_the_bounds_are_the_tightest_on_their_grid(rows: int, data: st.DataObject, beta: Fraction) -> None:
    """Against scipy: the bound keeps the tail below beta, one unit less does not."""
    hits, unit = data.draw(st.integers(0, rows)), statistics.UNIT
    high, low = statistics.highest(hits, rows, beta), statistics.lowest(hits, rows, beta)
    if hits < rows:
        assert BINOMIAL.cdf(hits, rows, high / unit) <= float(beta) * (1 + 1e-9)
        assert BINOMIAL.cdf(hits, rows, (high - 1) / unit) > float(beta) * (1 - 1e-9)
    if hits:
        assert BINOMIAL.sf(hits - 1, rows, low / unit) <= float(beta) * (1 + 1e-9)
        assert BINOMIAL.sf(hits - 1, rows, (low + 1) / unit) > float(beta) * (1 - 1e-9)
    assert low <= hits / rows * unit <= high


def test_the_paired_bound_of_the_design_page() -> None:
    """10 000 rows, 150 lost, 100 won: 0.9436 percentage points at 95 %."""
    rows = [[row, 0, 0, 1] for row in range(150)] + [[row, 0, 1, 0] for row in range(100)] + [[0, 0, 0, 0]] * 9750
    log = claims.summed({"data": {"name": "test"}, "kind": "predictions", "rows": rows})
    claim = {"confidence": "19/20", "candidates": 1, "measure": "accuracyDrop"}
    assert 0.00943 < claims.bound(claim, log) < 0.00944


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("0x1.8000000000000p+1", True),
        ("0x1.8p+1", False),
        ("nan", False),
        ("inf", True),
        ("0x1p0", False),
        ("1.5", False),
    ],
)
def test_floats_are_written_as_python_writes_them(text: str, fine: bool) -> None:
    assert schema.is_float(text) is fine
