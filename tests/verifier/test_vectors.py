"""The golden vectors of the certificate's page: digests and encodings that every verifier has to agree on.

They were computed from the page's words alone; the verifier for the browser is held to the same file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from surgdsl.verifier import digest as digests
from surgdsl.verifier.canonical import parse
from surgdsl.verifier.content import unpack
from surgdsl.verifier.extent import is_extent
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.schema import is_float

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "certificate-vectors.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
DOMAINS = {"graph": "surg-graph-v1", "manifest": "surg-manifest-v1", "rule": "surg-rule-v1", "seal": "surg-seal-v1"}


def of_kind(*kinds: str) -> list[Any]:
    return [pytest.param(row, id=f"{row['kind']}-{number}") for number, row in enumerate(ROWS) if row["kind"] in kinds]


def bytes_of(row: dict[str, Any]) -> bytes:
    if "repeat" in row:
        return bytes.fromhex(row["repeat"]) * digests.nbytes(row["dtype"], row["shape"])
    return bytes.fromhex(row["bytes"]) if "bytes" in row else row["text"].encode()


@pytest.mark.parametrize("row", of_kind("tensor"))
def test_digest_of_a_tensor(row: dict[str, Any]) -> None:
    assert digests.tensor(row["dtype"], row["shape"], digests.leaves(row["dtype"], bytes_of(row))) == row["digest"]


@pytest.mark.parametrize("row", of_kind(*DOMAINS))
def test_digest_of_a_value(row: dict[str, Any]) -> None:
    assert digests.tagged(DOMAINS[row["kind"]], row["value"]) == row["digest"]


@pytest.mark.parametrize("row", of_kind("step"))
def test_digest_of_a_step(row: dict[str, Any]) -> None:
    assert digests.chain(row["previous"], {**row["value"], "chain": "left out"}) == row["digest"]


@pytest.mark.parametrize("row", of_kind("canonical"))
def test_what_is_canonical(row: dict[str, Any]) -> None:
    try:
        parse(bytes_of(row), "a vector")
    except Reject:
        assert not row["accepted"]
    else:
        assert row["accepted"]


@pytest.mark.parametrize("row", of_kind("extent", "float"))
def test_what_is_an_extent_and_a_float(row: dict[str, Any]) -> None:
    assert (is_extent if row["kind"] == "extent" else is_float)(row["text"]) == row["accepted"]


@pytest.mark.parametrize("row", of_kind("packed"))
def test_bit_strings(row: dict[str, Any]) -> None:
    assert list(unpack(bytes_of(row), row["bits"], len(row["codes"]), "a vector")) == row["codes"]


def test_dsse_binds_type_and_lengths() -> None:
    (row,) = (row for row in ROWS if row["kind"] == "pae")
    kind, payload = row["type"].encode(), bytes.fromhex(row["payload"])
    assert b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload) == bytes.fromhex(row["bytes"])


def test_every_kind_of_vector_is_tested() -> None:
    tested = {"tensor", "step", "canonical", "extent", "float", "packed", "pae", *DOMAINS}
    assert {row["kind"] for row in ROWS} == tested
