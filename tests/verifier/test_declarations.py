"""Declarations: rows of the statement that are no rules, or whose steps are others; and what a person reads of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surgdsl.verifier.declared.boxes import KINDS
from surgdsl.verifier.declared.values import Placed, check_dtypes, half
from surgdsl.verifier.main import main
from surgdsl.verifier.named import at_least, evaluate
from surgdsl.verifier.net import Operation
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.weight import Weight
from tests.verifier import declaring as r
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, edit, reason_of
from tests.verifier.columns import array, tensor
from tests.verifier.declaring import Json, ap, box, of, over, put, v
from tests.verifier.forge import tagged

SUM = over("h", ap("mul", v("A.weight"), v("B.weight")))


def doubled(rows: list[Any]) -> list[Any]:
    return [rows[0], rows[0], *rows[2:]]


def digest_of(row: Json) -> str:
    return tagged("surg-rule-v1", row["declaration"])


def unsent(statement: Json) -> None:
    statement["predicate"]["tensors"] = []


def rule(*path: Any) -> tuple[Any, ...]:
    return ("rules", 0, "declaration", *path)


def respelled(change: Callable[[Json], None]) -> Callable[[Json], None]:
    """An edit of the statement after which the steps name the rule by its new digest, and the rows are sorted."""

    def apply(statement: Json) -> None:
        predicate = statement["predicate"]
        old = [digest_of(row) for row in predicate["rules"]]
        change(predicate)
        new = [digest_of(row) for row in predicate["rules"]]
        for step in predicate["steps"]:
            if step["rule"] == "rule/1":
                step["arguments"]["rule"] = dict(zip(old, new, strict=False)).get(step["arguments"]["rule"])
        predicate["rules"].sort(key=digest_of)

    return apply


def backwards(predicate: Json) -> None:
    """A step that found nothing to do is asked for before the other."""
    predicate["obligations"].insert(0, {"rule": "rule/1", "step": "a"})
    predicate["rules"][0]["steps"] = ["declared", "a"]


METHOD = ("rules", 0, "discharge", "method")
NOTHING: Json = {"bits": 0, "instances": 0, "method": "none"}
FORMS: list[tuple[str, str, Callable[[Json], None]]] = [
    ("nothing speaks for an exact rule", "does not fit its grade", put(NOTHING, *METHOD[:-1])),
    ("a proof of a lossy rule", "does not fit its grade", put("lossy", *rule("grade"))),
    ("another method", "discharge.method is not", put("trust", *METHOD)),
    ("a grade of its own", "grade is not", put("proved", *rule("grade"))),
    ("no steps", "at least 1", put([], "rules", 0, "steps")),
    ("steps out of order", "not those asked for", put(["z", "declared"], "rules", 0, "steps")),
    ("two steps out of order", "not those asked for", backwards),
    ("a step that nobody asked for", "not those asked for", put(["declared", "z"], "rules", 0, "steps")),
    ("a rule twice", "repeats itself", lambda p: p["rules"].append(p["rules"][0])),
    ("a rule that is not used", "not used", lambda p: p["rules"].append(
        {**p["rules"][0], "declaration": of(r.TWICE)})),
    ("two boxes of one name", "share a name", put("B", *rule("left", 0, "name"))),
    ("two wires of one name", "share a name", put("x", *rule("glue", 1, "name"))),
    ("two parameters of one name", "share a name", put([["q", "int"], ["q", "bit"]], *rule("parameters"))),
    ("two values for a weight", "share a name", put(doubled, *rule("with"))),
    ("an unknown kind", "is unknown", put("dense", *rule("left", 0, "kind"))),
    ("a box of two inputs", "other ports", put(["x", "x"], *rule("left", 0, "sources"))),
    ("a box of two targets", "other ports", put(["m", "n"], *rule("left", 0, "targets"))),
    ("a box of one size", "other ports", put(["h"], *rule("left", 0, "sizes"))),
    ("a parameter that is no name", "of the form symbol", put([["a.b", "int"]], *rule("parameters"))),
    ("a parameter that is a number", "of the form symbol", put([[7, "int"]], *rule("parameters"))),
    ("an argument that the kind does not have", "states what", put([["eps", 1]], *rule("left", 0, "attributes"))),
    ("a value for a weight that the kind does not have", "R does not have", put("gamma", *rule("with", 0, "tensor"))),
    ("a value for a box of L", "R does not have", put("A", *rule("with", 0, "box"))),
    ("an exact rule with a bound", "a bounded rule has", put(r.FACTOR["bound"], *rule("bound"))),
    ("decreases out of order", "decreases is not", put([["relu", "1"], ["linear", "1"]], *rule("decreases"))),
    ("a condition that is a number", "lacks apply, terms", put([v("h")], *rule("where"))),
    ("a condition that is not exact", "is not exact", put([ap("lt", ap("sqrt", v("h")), v("h"))], *rule("where"))),
    ("a value that is a truth value", "is not one of", put(ap("lt", SUM, SUM), *rule("with", 0, "value"))),
    ("a value over metrics", "not stand there", put({"metric": "size/1", "state": "after"}, *rule("with", 0, "value"))),
    ("an unknown field", "unknown field", put(1, *rule("extra"))),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "change"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_declaration_of_another_form_is_refused(reason: str, change: Callable[[Json], None], tmp_path: Path) -> None:
    f = r.chain()
    r.fuse(f)
    folder = edit(f.write(tmp_path / "lie"), respelled(change))
    assert (code_of(folder), reason) == ("V03", reason if reason in reason_of(folder) else reason_of(folder))


@pytest.mark.parametrize(("field", "wire"), [("input", "z"), ("output", "z"), ("input", "y"), ("output", "x")])
def test_a_bound_is_from_a_wire_of_k_that_is_read_to_one_that_is_made(field: str, wire: str, tmp_path: Path) -> None:
    f = r.chain()
    r.factor(f, of(r.FACTOR, bound={**r.FACTOR["bound"], field: wire}))
    folder = f.write(tmp_path / "lie")
    assert code_of(folder) == "V03"
    assert "a bound is from a wire of K" in reason_of(folder)


def test_a_bounded_rule_without_a_bound_is_refused(tmp_path: Path) -> None:
    f = r.chain()
    r.factor(f, of(r.FACTOR, bound=None))
    folder = f.write(tmp_path / "lie")
    assert (code_of(folder), "a bounded rule has a bound" in reason_of(folder)) == ("V03", True)


def test_rules_are_there_only_when_a_step_has_one(tmp_path: Path) -> None:
    folder = s.cnn().write(tmp_path / "lie")
    row = {"declaration": r.FUSE, "discharge": {"bits": 1, "instances": 1, "method": "identity"}, "steps": ["declared"]}
    assert code_of(edit(folder, lambda statement: put([row], "rules")(statement["predicate"]))) == "V03"
    assert code_of(edit(folder, lambda statement: put([], "rules")(statement["predicate"]))) == "V03"


def test_rules_are_sorted_by_their_digests(tmp_path: Path) -> None:
    f = r.chain()
    r.fuse(f)
    r.twice(f)
    folder = f.write(tmp_path / "job")
    assert code_of(folder) == ""
    assert code_of(edit(folder, lambda statement: statement["predicate"]["rules"].reverse())) == "V03"


def test_exact_weights_need_not_be_sent(tmp_path: Path) -> None:
    """The layer in between lies in no file: the verifier makes it."""
    f = r.chain()
    r.fuse(f)
    values = np.abs(f.weight(f.named("c.weight")).decoded)
    s.mask(f, "c.weight", values > np.median(values))
    folder = f.write(tmp_path / "job")
    assert code_of(folder) == ""
    statement = f.statement()["predicate"]
    assert len(statement["tensors"]) == 1
    (folder / "certificate" / "blobs" / statement["tensors"][0]["blob"]).unlink()
    assert code_of(edit(folder, unsent)) == ""


def test_a_person_reads_what_the_rules_are_and_what_speaks_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    f = r.chain()
    r.factor(f)
    r.twice(f)
    assert main([str(f.write(tmp_path / "job"))]) == 0
    text = capsys.readouterr().out
    assert "rule/1 factor                1  bounded" in text
    assert "|change of y| <= " in text
    assert "rule `twice` of the file: relu relu -> relu; exact, attested: identity, 8 instances, 51 bits" in text
    assert "rule `factor` of the file: linear -> linear linear; bounded, attested: samples, 8 instances" in text


def placed(kind: str, sizes: list[Any], *dtypes: str) -> Placed:
    """A box on its own, with weights of these dtypes."""
    names = list(KINDS[kind].weights)[: len(dtypes)]
    weights = {
        name: Weight(name, "parameter", dtype, (), "dense", 0, -1, 0, False, {})
        for name, dtype in zip(names, dtypes, strict=True)
    }
    return Placed(box("A", kind, sizes, "x", "y"), KINDS[kind], (), Operation("", b"", {}, (), (), None), weights)


@pytest.mark.parametrize(
    ("kind", "sizes", "axes"),
    [
        ("linear", ["o", "i"], ("o", "i")),
        ("linear", ["n", "n"], ("n", "cin")),
        ("linear", [4, 4], ("cout", "cin")),
        ("linear", ["cin", 4], ("cin", "cin'")),
        ("linear", ["2*c", "c"], ("2*c", "c")),
        ("conv1d", ["o", "i", 3], ("o", "i", "kw")),
        ("conv2d", ["o", "i", "k", "k"], ("o", "i", "k", "kw")),
        ("conv3d", ["o", "i", 1, 1, 1], ("o", "i", "kd", "kh", "kw")),
    ],
)
def test_axes_are_called_as_the_page_says(kind: str, sizes: list[Any], axes: tuple[str, ...]) -> None:
    assert placed(kind, sizes).axes("weight") == axes


@pytest.mark.parametrize(
    ("old", "new", "real", "fine"),
    [
        (("F32", "F32"), "F32", [], True),
        (("F64", "F64"), "F64", [], True),
        (("F16", "F16"), "F16", ["F32"], True),
        (("BF16", "BF16"), "BF16", [], False),
        (("F32", "F64"), "F32", [], False),
        (("F32", "F32"), "F64", [], False),
        ((), "F32", ["F32"], True),
        ((), "F32", ["F64"], False),
        ((), "F32", [], False),
    ],
)
def test_weights_are_of_one_dtype(old: tuple[str, ...], new: str, real: list[str], fine: bool) -> None:
    sides = {"A": placed("linear", ["o", "i"], *old)}, {"A": placed("linear", ["o", "i"], new)}
    rows = [{"box": "A", "tensor": "weight"}]
    if fine:
        assert check_dtypes(rows, sides, real).keys() == {("A", "weight")}
    else:
        with pytest.raises(Reject, match="V14"):
            check_dtypes(rows, sides, real)


@pytest.mark.parametrize(
    ("axes", "shape", "fine"),
    [
        (("o", "r"), (2, 3), True),
        (("o", "r", "kh", "kw"), (2, 3, 1, 1), True),
        (("o", "r", "kh", "kw"), (2, 3, 1, 2), False),
        (("r", "o"), (2, 3), False),
        (("r", "o"), (3, 2), True),
        (("o",), (2,), False),
        (("o", "r"), (2, 4), False),
    ],
)
def test_a_half_of_a_product_may_lie_in_any_order_with_axes_of_extent_one_besides(
    axes: tuple[str, ...], shape: tuple[int, ...], fine: bool
) -> None:
    stored = tensor(axes, np.arange(np.prod(shape), dtype=float).reshape(shape))
    if fine:
        laid = array(stored).T if axes == ("r", "o") else array(stored).reshape(2, 3)
        np.testing.assert_array_equal(half(stored, {"o": 2, "r": 3}), laid.ravel())
    else:
        with pytest.raises(Reject, match="V15"):
            half(stored, {"o": 2, "r": 3})


def test_singular_values_are_read_with_what_a_library_may_lose() -> None:
    matrix = tensor("ab", np.diag([3.0, 2.0]))
    lost = 3 * 2.0**-18
    assert [at_least(matrix, rank) - lost for rank in (1, 2, 3)] == pytest.approx([3, 2, 0], abs=1e-14)
    for bad in (tensor("", np.array(1.0)), tensor("ab", np.full((2, 2), np.nan))):
        with pytest.raises(Reject, match="V15"):
            at_least(bad, 1)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"spectral": "left"},
        {"axis": "a"},
        *({"rank": rank} for rank in (v("m"), {"number": "0"}, {"number": "3/2"})),
    ],
)
def test_only_a_singular_value_by_number_is_a_number(change: dict[str, Any]) -> None:
    formula = {"spectral": "sigma", "body": v("m"), "rank": {"number": "1"}, "axis": ""} | change
    bound = {"m": tensor("ab", np.diag([3.0, 2.0]))}
    if not change:
        assert [*evaluate(formula, bound).values] == pytest.approx([3 + 3 * 2.0**-18], abs=1e-14)
        return
    with pytest.raises(Reject, match="V15"):
        evaluate(formula, bound)
