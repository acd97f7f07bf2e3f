"""Garbage: whatever a file holds, it is refused with diagnostics that can be printed, and nothing is raised."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surgdsl.diagnostic import CODES, Refusal, Source, render
from surgdsl.language import check, lock, program, with_settings
from surgdsl.language.formatting import format_source

ROOT = Path(__file__).parent.parent.parent
PLACES = ("tests/language/mistakes/*.surg", "tests/language/golden/*.surg", "examples/*.surg", "stdlib/std/*/*.surg")
GOOD = [path.read_text(encoding="utf-8") for place in PLACES for path in sorted(ROOT.glob(place))]
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|@[\w.*{},\[\]]+|\w+%?|\s+|[<>=!.\-]{2}|.', re.DOTALL)
TOKENS = sorted({token for text in GOOD for token in TOKEN.findall(text)})
KNOWN = {row.code for row in CODES}

tokens = st.sampled_from(TOKENS)
soup = st.lists(tokens, max_size=60).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good file with some tokens left out, doubled, swapped or replaced."""
    parts = TOKEN.findall(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        match draw(st.sampled_from(("leave out", "double", "swap", "replace", "cut"))):
            case "leave out":
                parts[at] = ""
            case "double":
                parts[at] += parts[other]
            case "swap":
                parts[at], parts[other] = parts[other], parts[at]
            case "replace":
                parts[at] = draw(tokens)
            case _:
                parts = parts[: max(1, at)]
    return "".join(parts)


def told(text: str) -> None:
    """Read, check and lay out `text`; every refusal has a known code and prints."""
    source = Source("garbage.surg", text)
    _, faults = check(source)
    assert {one.code for one in faults} <= KNOWN
    assert render(faults).count("error[E") == len(faults)
    with suppress(Refusal):
        assert format_source(source)
    assert all(0 <= one.span.start <= one.span.stop <= len(one.span.source.text) for one in faults if one.span)


@given(soup)
@settings(max_examples=150)
def test_token_soup(text: str) -> None:
    told(text)
    told(f"surg 1\n{text}")


@given(mutated())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_good_files_with_something_wrong(text: str) -> None:
    told(text)


@given(st.text(max_size=80))
@settings(max_examples=150)
def test_any_text(text: str) -> None:
    told(text)
    told(f"surg 1\nlet x = {text}")
    told(f"surg 1\nuse std.rules.{text}")


@given(st.dictionaries(st.text(max_size=6), soup, max_size=3))
@settings(max_examples=60)
def test_any_setting(given: dict[str, str]) -> None:
    codes: set[str] = set()
    try:
        program(with_settings(Source("garbage.surg", GOOD[0]), given))
    except Refusal as refusal:
        codes = {one.code for one in refusal.diagnostics}
    assert codes <= KNOWN


@given(st.binary(max_size=120), st.sampled_from((b"", lock.HEAD.encode() + b"\n")))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_lock(tmp_path: Path, raw: bytes, head: bytes) -> None:
    (tmp_path / "other.surg").write_text("surg 1\nlet width = 4bit\n", encoding="utf-8")
    (tmp_path / lock.NAME).write_bytes(head + raw)
    made, faults = check(Source(str(tmp_path / "root.surg"), 'surg 1\nuse "./other.surg" as other\n'))
    assert made is None
    assert {one.code for one in faults} <= set(lock.STALE)


@given(mutated())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_import(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.surg").write_text(text, encoding="utf-8")
    root = 'surg 1\nuse "./other.surg" as other\nlet twice = 2 * other.width\n'
    _, faults = check(Source(str(tmp_path / "root.surg"), root))
    assert faults, "nothing is pinned"
    assert {one.code for one in faults} <= KNOWN


def test_the_tokens_are_all_there() -> None:
    assert len(TOKENS) > 200
    assert all("".join(TOKEN.findall(text)) == text for text in GOOD)
    with pytest.raises(AssertionError):
        assert check(Source("x", "surg"))[1] == ()
