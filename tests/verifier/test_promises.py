"""Claims are the words of the text: what is dropped, weakened, moved, doubled, made up or misread is rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.diagnostic import Source
from surgdsl.language import parse, tree
from surgdsl.language.claims import said
from surgdsl.language.formatting import format_parsed
from surgdsl.language.parsing import Parsed
from surgdsl.verifier.claims import together
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.requirement import asked, read, surgeries
from tests.language_strategies import files
from tests.verifier import surgeries as s
from tests.verifier.asking import verdict
from tests.verifier.conftest import ROWS
from tests.verifier.forge import Forge

USES = "use std.metric.{accuracy, loss, macs, nnz, params, size}\n"
LOSSES = [[row, 100_000, 120_000 + row] for row in range(40)]
Json = dict[str, Any]


def losses(f: Forge, rows: list[list[int]] = LOSSES, **changes: Any) -> str:
    data = {"inputs": "0" * 64, "labels": "1" * 64, "name": "test", "rows": len(rows)}
    return s.log(f, rows, data=data, kind="losses", loss="cross_entropy/8bit", **changes)


def job() -> Forge:
    """Four promises, one of each kind."""
    f = s.mlp()
    s.quantize(f, "fc1.weight", 3)
    evidence = s.log(f, ROWS)
    f.claims = [s.counted("size/1", "1"), s.counted("params/1", "1"), s.measured(evidence, "1/40")]
    f.claims.append(s.measured(evidence, "1/4", confidence="19/20", bound="1/5", candidates=2))
    f.claims.append(s.measured(losses(f), "1/4", measure="loss"))
    return f


def told(f: Forge, folder: Path, change: Callable[[list[Json]], object] = list) -> tuple[str, str]:
    """The code and the reason for a certificate of `f` whose claims are changed after its text was written."""

    def edit(statement: Json) -> None:
        change(statement["predicate"]["claims"])

    line = verdict(f.write(folder / "job", edit))[1]
    return line.get("code", ""), line["reason"]


def on_claim(number: int, **fields: Any) -> Callable[[list[Json]], object]:
    """Other values in the structure of a claim, its text left as it is."""
    return lambda claims: next(v for k, v in claims[number].items() if k != "text").update(fields)


def weaker(claims: list[Json]) -> None:
    claims[0]["counted"]["right"]["terms"][0]["number"] = "2"


def exchanged(claims: list[Json]) -> None:
    claims[0]["text"], claims[1]["text"] = claims[1]["text"], claims[0]["text"]


def renamed(claims: list[Json]) -> None:
    claims[0]["text"] = claims[0]["text"].replace("1 *", "2 *")


LIES: dict[str, Callable[[list[Json]], object]] = {
    "dropped": lambda claims: claims.pop(1),
    "all that is counted dropped": lambda claims: claims.__delitem__(slice(2)),
    "doubled": lambda claims: claims.append(claims[0]),
    "moved": lambda claims: claims.reverse(),
    "texts exchanged": exchanged,
    "another text": renamed,
    "weakened under its text": weaker,
    "another relation": on_claim(0, relation="<"),
    "another metric": on_claim(1, left={"metric": "nnz/1", "state": "after"}),
    "another limit": on_claim(2, limit="1/2"),
    "another measure": on_claim(2, measure="accuracy", relation=">="),
    "less confidence": on_claim(3, confidence="1/2"),
    "fewer candidates": on_claim(3, candidates=1),
    "registered nowhere": on_claim(3, registered="0" * 64),
    "another measure of losses": on_claim(4, measure="lossRise"),
}


def test_the_claims_of_the_text_are_accepted(tmp_path: Path) -> None:
    f = job()
    assert told(f, tmp_path) == ("", "every check passed")


@pytest.mark.parametrize("lie", LIES)
def test_claims_that_are_not_the_words_of_the_text_are_rejected(tmp_path: Path, lie: str) -> None:
    code, reason = told(job(), tmp_path, LIES[lie])
    assert code == "V18"
    assert "text" in reason


def test_more_candidates_than_the_text_has_are_stricter(tmp_path: Path) -> None:
    assert told(job(), tmp_path, on_claim(3, candidates=3, bound="1/4"))[0] == ""


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    f = s.mlp()
    s.quantize(f, "fc1.weight", 3)
    f.text = f"surg 1\n{USES}let most = 1\nsurgery slim on net {{ require size(after) <= most * size(before) }}"
    f.claims = [s.counted("size/1", "1")]
    f.claims[0]["text"] = "size(after) <= most * size(before)"
    line = verdict(f.write(tmp_path / "job"))[1]
    assert line["accepted"]
    assert line["claims"][0]["detail"].endswith("what the text says was not read")


# ---- logs ---------------------------------------------------------------------------------------


def on_log(name: str, log: Callable[[Forge], str], **claim: Any) -> Callable[[], Forge]:
    def forge() -> Forge:
        f = s.mlp()
        s.recover(f)
        f.claims = [s.measured(log(f), "1", **claim)]
        return f

    forge.__name__ = name
    return forge


DATA = {"inputs": "0" * 64, "labels": "1" * 64, "name": "test", "rows": 40}
LOGS: list[tuple[str, Callable[[], Forge]]] = [
    ("", on_log("losses", losses, measure="lossRise")),
    ("V17", on_log("losses_for_an_accuracy", losses)),
    ("V17", on_log("predictions_for_a_loss", lambda f: s.log(f, ROWS), measure="loss")),
    ("V17", on_log("a_row_twice", lambda f: losses(f, [*LOSSES[:-1], LOSSES[0]]), measure="loss")),
    ("V17", on_log("other_models", lambda f: losses(f, before="0" * 64), measure="loss")),
    ("V17", on_log("more_rows", lambda f: s.log(f, LOSSES, data={**DATA, "rows": 41}, kind="losses", loss="l"))),
    ("V17", on_log("seen_too_often", lambda f: s.log(f, LOSSES, data={**DATA, "seen": 41}, kind="losses", loss="l"))),
    ("V03", on_log("seen_by_nobody", lambda f: s.log(f, LOSSES, data={**DATA, "seen": 0}, kind="losses", loss="l"))),
    ("V03", on_log("above_one", lambda f: losses(f, [[0, 0, 1_000_001]]), measure="loss")),
    ("V03", on_log("below_zero", lambda f: losses(f, [[0, -1, 0]]), measure="loss")),
    ("V03", on_log("no_name", lambda f: s.log(f, LOSSES, data=DATA, kind="losses"), measure="loss")),
    ("V03", on_log("another_kind", lambda f: s.log(f, LOSSES, data=DATA, kind="guesses", loss="l"), measure="loss")),
    ("V03", on_log("bound_above", losses, measure="loss", relation=">=", confidence="9/10", bound="1")),
    ("V03", on_log("bound_below", lambda f: s.log(f, ROWS), measure="accuracy", confidence="9/10", bound="0")),
    ("V03", on_log("no_candidate", losses, measure="loss", confidence="9/10", bound="1", candidates=0)),
]


@pytest.mark.parametrize(("code", "build"), LOGS, ids=[build.__name__ for _, build in LOGS])
def test_logs_and_claims_on_them(tmp_path: Path, code: str, build: Callable[[], Forge]) -> None:
    assert told(build(), tmp_path)[0] == code


def test_a_log_of_rows_that_a_step_names_must_say_so(tmp_path: Path) -> None:
    def forge(**more: int) -> Forge:
        f = s.mlp()
        s.recover(f)
        f.claims = [s.measured(s.log(f, LOSSES, data={**DATA, "name": "train", **more}, kind="losses", loss="l"), "1")]
        f.claims[0]["measured"]["measure"] = "loss"
        f.claims[0]["text"] = "loss(after) <= 1 on train"
        return f

    assert told(forge(), tmp_path / "a")[0] == "V17"
    assert told(forge(seen=39), tmp_path / "b")[0] == "V17"
    line = verdict(forge(seen=40).write(tmp_path / "c"))[1]
    assert line["accepted"]
    assert "40 of these rows were also trained or calibrated on" in line["claims"][0]["detail"]


def test_one_report_tells_the_confidence_in_all_claims(tmp_path: Path) -> None:
    f = job()
    f.claims.append(s.measured(losses(f), "1/2", measure="lossRise", confidence="9/10", bound="1/2"))
    assert "with confidence 0.85," in together(f.claims)
    assert "with no confidence," in together([f.claims[-1]] * 10)
    assert together(f.claims[:3]) == ""
    assert told(f, tmp_path)[0] == ""


# ---- the text -----------------------------------------------------------------------------------

TEXTS: list[tuple[str, dict[str, list[str]]]] = [
    ("surgery a on net { require x }", {"a": ["x"]}),
    ("surgery a on net {}", {"a": []}),
    ("surgery a on net{require x require y}", {"a": ["x", "y"]}),
    ("surgery a on net { # require y\n require x # require z\n <= 1 }", {"a": ["x <= 1"]}),
    ('surgery a on net { emit { model = "require y" } require x }', {"a": ["x"]}),
    ("surgery a on net { step s = apply f() @**.require require x }", {"a": ["x"]}),
    ("surgery a on net { step s = apply f() @b[2]require x }", {"a": ["x"]}),
    ("surgery a on net { seed 7require x }", {"a": ["x"]}),
    ("surgery a on net { seed 7_require x }", {"a": ["x"]}),
    ("surgery a on net { target x target minimize y target maximize z }", {"a": ["x"]}),
    ("surgery a on net { require minimize y }", {"a": ["minimize y"]}),
    ("surgery a on net { require max({1, 2}) <= 3 recover { data = rows } }", {"a": ["max({1, 2}) <= 3"]}),
    ("surgery a on net { recover { data = require } }", {"a": ["}"]}),
    ("surgery a on net { require x } surgery b on net { require y }", {"a": ["x"], "b": ["y"]}),
    ("surgery\ta # on net {\n on\nnet { require\n\n x\t<=  1 }", {"a": ["x <= 1"]}),
    ("data d { source = s } surgery a on house.net { require x }", {"a": ["x"]}),
    ("surgery é on net { require x }", {"é": ["x"]}),
    ("surgery a on net { require xérequire y }", {"a": ["xé", "y"]}),
    ("mysurgery a on net { require x }", {}),
    ('use "surgery a on net {" as b', {}),
    ('surgery a"b on net { require x }', {'a"b': ["x"]}),
    ("surgery a on { require x }", {"a": ["x"]}),
    ("surgery a on{ require x }", {}),
    ('surgery "a" on net { require x }', {}),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_the_promises_of_a_text(text: str, expected: dict[str, list[str]]) -> None:
    assert expected == dict(surgeries(f"surg 1\n{text}")[0])


@pytest.mark.parametrize("text", ["surgery a on net {", "}", "surgery a on net { } }", "{ } } {"])
def test_braces_that_do_not_match_are_refused(text: str) -> None:
    with pytest.raises(Reject, match="braces"):
        surgeries(text)


@given(files)
@settings(max_examples=300, deadline=None)
def test_the_scan_finds_what_the_parser_finds(file: tree.File) -> None:
    """Whatever tree is written down, the promises of its surgeries are those that the language reads."""
    text = format_parsed(Parsed(file))
    again = parse(Source("made.surg", text)).file
    made = [one for one in again.declarations if isinstance(one, tree.Surgery)]
    wanted = [[said(one.span) for one in surgery.clauses if promising(one)] for surgery in made]
    assert wanted == [promises for _, promises in surgeries(text)[0]]


def promising(clause: tree.Clause) -> bool:
    return isinstance(clause, tree.Require) or (isinstance(clause, tree.Target) and clause.sense is None)


@pytest.mark.parametrize("broken", ["@", "#", '"', "{", "}", "require", "surgery", " ", "\n", "7_", "é", ".", "5"])
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_promise_is_overlooked_in_a_text_that_the_language_reads(broken: str, data: st.DataObject) -> None:
    """A mark more, anywhere: where the language still reads the text, as many promises are found, or more."""
    text = format_parsed(Parsed(data.draw(files)))
    place = data.draw(st.integers(0, len(text)))
    text = text[:place] + broken + text[place:]
    again = parse(Source("made.surg", text))
    if again.faults:
        return
    made = [one for one in again.file.declarations if isinstance(one, tree.Surgery)]
    wanted = [sum(map(promising, one.clauses)) for one in made]
    found = [len(promises) for _, promises in surgeries(text)[0]]
    assert len(found) >= len(wanted)
    assert all(many >= few for many, few in zip(found, wanted, strict=False))


# ---- readings -----------------------------------------------------------------------------------

COUNTED = {
    "size(after) <= 240KiB": ("size/1", "<=", {"number": "245760"}),
    "size (after)<0.5kB": ("size/1", "<", {"number": "500"}),
    "macs(after) < 2Mmac": ("macs/1", "<", {"number": "2000000"}),
    "params(after) <= 1_000": ("params/1", "<=", {"number": "1000"}),
    "nnz(after) >= 20% * nnz(before)": ("nnz/1", ">=", "1/5"),
    "size(after) <= 1/3 * size(before)": ("size/1", "<=", "1/3"),
}
UNREAD = (
    "size(after) <= 240", "size(after) <= 240kb", "macs(after) <= 2Mimac", "params(after) <= 3B", "size <= 20%",
    "params(after) <= 20%", "size(after) <= 20% * params(before)", "size(before) <= 1kB", "size(after) == 1kB",
    "size(after) <= 1kB and size(after) <= 2kB", "size.drop >= 1kB", "size(after) <= 1/0 * size(before)",
    "accuracy(before) >= 1%", "loss.drop <= 1% on t", "accuracy.rise <= 1% on t", "loss(after) <= 1e-3 on t",
    "accuracy.drop <= 1% on t among 4 candidates", "speed(after) <= 3", "size(after) <= 1kB # no",
    "accuracy.drop <= 1% on t with confidence 95% registered plan",
)  # fmt: skip


@pytest.mark.parametrize("text", COUNTED)
def test_a_counted_promise_is_read(text: str) -> None:
    metric, relation, right = COUNTED[text]
    share = {"apply": "mul", "terms": [{"number": right}, {"metric": metric, "state": "before"}]}
    found = read(text)
    assert found is not None
    assert found.structure == {
        "left": {"metric": metric, "state": "after"}, "relation": relation,
        "right": right if isinstance(right, dict) else share,
    }  # fmt: skip


def test_a_measured_promise_is_read() -> None:
    found = read('loss.rise <= 1pp on house.calib with confidence 95% among 4 candidates registered "a b"')
    assert found is not None
    structure = {"confidence": "19/20", "limit": "1/100", "measure": "lossRise", "relation": "<="}
    assert found.structure == structure
    assert (found.data, found.candidates, found.registered) == ("house.calib", 4, True)


@pytest.mark.parametrize("text", UNREAD)
def test_other_forms_are_not_read(text: str) -> None:
    assert read(text) is None


# ---- what an auditor asks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("size <= 20%", "size(after) <= 20% * size(before)"),
        (" size\n<=  20kB ", "size(after) <= 20kB"),
        ("nnz(after) < 1/2 * nnz(before)", "nnz(after) < 50% * nnz(before)"),
        ("accuracy drop <= 1%", "accuracy.drop <= 1%"),
        ("loss rise<=1% with confidence 90%", "loss.rise <= 1% with confidence 90%"),
        ("accuracy >= 97%", "accuracy(after) >= 97%"),
    ],
)
def test_an_auditor_may_write_less(short: str, long: str) -> None:
    assert asked(long) == asked(short)


@pytest.mark.parametrize(
    "text", ["", "size", "size <= 20", "size <= 20% * nnz(before)", "accuracy <= 97% with confidence 95%",
             "loss >= 1% with confidence 95%", 'loss <= 1% with confidence 95% registered "x"', "speed <= 20%"],
)  # fmt: skip
def test_what_cannot_be_asked_is_an_error_of_use(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        asked(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("size <= 100%", ""),
        ("size <= 1%", "V19"),
        ("params <= 1", "V19"),
        ("macs <= 1Gmac", ""),
        ("accuracy >= 97%", ""),
        ("accuracy >= 98%", "V19"),
        ("accuracy.drop <= 3% on test", ""),
        ("accuracy.drop <= 3% on train", "V19"),
        ("accuracy.drop <= 20% with confidence 95% among 2 candidates", ""),
        ("accuracy.drop <= 20% with confidence 95% among 99 candidates", "V19"),
        ("accuracy.drop <= 14% with confidence 95%", "V19"),  # met for one candidate, and the claims say two
        ("accuracy >= 80% with confidence 95%", ""),
        ("loss <= 20%", ""),
        ("loss.rise <= 1%", "V19"),
    ],
)
def test_what_is_asked_is_decided_by_the_verifiers_own_figures(tmp_path: Path, text: str, code: str) -> None:
    assert verdict(job().write(tmp_path / "job"), "--require", text)[1].get("code", "") == code


def test_what_nothing_decides_is_not_met(tmp_path: Path) -> None:
    f = s.mlp()
    code = verdict(f.write(tmp_path / "job"), "--require", "accuracy >= 0%")[1].get("code", "")
    assert code == "V19"
