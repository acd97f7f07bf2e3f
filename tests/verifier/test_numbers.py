"""Numbers of declared rules that are none: sizes, ranks, singular values and factors that are tensors or symbols."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier import declaring as r
from tests.verifier.asking import code_of, reason_of
from tests.verifier.declaring import ap, given, of, spectral, v
from tests.verifier.test_declared import SUM, Lie, Told, halves, job, values

NUMBERS: list[Lie] = [
    ("a size of a weight that is a symbol", "V14", "not of the sizes", job(
        r.fuse, of(r.FUSE, where=[]), put={"h": {"extent": "B"}})),
    ("singular values inside of a formula", "V15", "inside of", job(r.fuse, values(
        given("C", "weight", ap("mul", SUM, {**spectral("sigma", {"number": "1"}), "body": v("A.weight")})),
        r.FUSE["with"][1]))),
    ("a product whose rank is no number", "V15", "by number", job(r.factor, halves(
        given("U", "weight", spectral("left", v("W.bias"), "r")),
        given("V", "weight", spectral("right", v("W.bias"), "r"))))),
    ("a bound over axes", "V15", "no number", job(r.factor, of(r.FACTOR, bound={
        **r.FACTOR["bound"], "factor": v("W.weight")}))),
    ("a singular value along an axis", "V15", "by number", job(r.factor, of(r.FACTOR, bound={
        **r.FACTOR["bound"], "factor": spectral("sigma", v("r"), "q")}))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reason", "lie"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS])
def test_what_is_no_number_is_refused(code: str, reason: str, lie: Told, tmp_path: Path) -> None:
    folder = lie().write(tmp_path / "lie")
    assert (code_of(folder), reason) == (code, reason if reason in reason_of(folder) else reason_of(folder))
