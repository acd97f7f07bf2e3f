"""The printed form of diagnostics: carets stand under their characters, whatever characters those are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagnostic import Diagnostic, Note, Refusal, Source, Span, render, suggest


def at(text: str, word: str) -> Span:
    start = text.index(word)
    return Span(Source("a.surg", text), start, start + len(word))


def test_caret_label_note_and_help() -> None:
    text = "surg 1\ndata rows {}\n\n\n\n\n\n\n\ndata rows {}\n"
    second = Span(Source("a.surg", text), text.rindex("rows"), text.rindex("rows") + 4)
    made = Diagnostic(
        "E0102",
        "`rows` is declared twice",
        second,
        "here",
        (Note(at(text, "rows"), "first"), Note(None, "two")),
        ("go",),
    )
    assert (
        render([made])
        == """\
error[E0102]: `rows` is declared twice
  ┌─ a.surg:10:6
10│ data rows {}
  │      ^^^^ here
 2│ data rows {}
  │      ---- first
note: two
help: go
more: surg explain E0102"""
    )


def test_the_order_is_that_of_the_text() -> None:
    text = "one two"
    made = [Diagnostic("E0101", "b", at(text, "two")), Diagnostic("E0201", "a", at(text, "one"))]
    assert render(made) == render(reversed(made))
    assert render(made).index("E0201") < render(made).index("E0101")


@pytest.mark.parametrize(("line", "before"), [("né x", 3), ("\tx", 1), ("漢字 x", 5), ("e\u0301 x", 2)])
def test_columns_are_those_of_the_terminal(line: str, before: int) -> None:
    mark = render([Diagnostic("E0001", "m", at(line, "x"))]).splitlines()[3]
    assert " │ " + " " * before + "^" == mark


def test_a_file_cannot_drive_the_terminal() -> None:
    text = "\x1b[31m\u202e x"
    assert not {"\x1b", "\u202e"} & set(render([Diagnostic("E0001", text, at(text, "x"), text)]))


def test_a_span_over_lines_is_marked_to_the_end_of_the_first() -> None:
    assert render([Diagnostic("E0109", "m", at("a {\n}", "{\n}"))]).splitlines()[2:4] == ["1│ a {", " │   ^"]


def test_a_long_line_is_shown_around_the_fault() -> None:
    text = "a" * 5000 + " here " + "b" * 5000
    shown = render([Diagnostic("E0001", "m", at(text, "here"))]).splitlines()
    assert max(map(len, shown)) < 200
    assert shown[2].index("here") == shown[3].index("^")


def test_colour_changes_no_letter() -> None:
    made = [Diagnostic("E0001", "m", at("x", "x"), help=("h",))]
    plain = (
        render(made, color=True)
        .replace("\x1b[31;1m", "")
        .replace("\x1b[34;1m", "")
        .replace("\x1b[1m", "")
        .replace("\x1b[0m", "")
    )
    assert plain == render(made)
    assert render(made, color=True) != plain


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_any_span_can_be_printed(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    span = Span(Source("a", text), start, min(len(text), start + length))
    assert "error[E0001]" in render([Diagnostic("E0001", text, span, text, (Note(span, text),))])
    assert span.line >= 1
    assert span.column >= 1


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=5))
def test_a_suggestion_is_a_candidate_and_another_word(name: str, candidates: list[str]) -> None:
    near = suggest(name, candidates)
    assert near is None or (near in candidates and near != name)


def test_a_refusal_carries_its_diagnostics_and_exit_code() -> None:
    one = Diagnostic("E0801", "too much")
    refusal = Refusal(one, exit_code=3)
    assert (refusal.diagnostics, refusal.exit_code, str(refusal)) == ((one,), 3, "E0801 too much")


def test_diagnostics_are_values() -> None:
    one = Diagnostic("E0001", "m", None, "l", (Note(None, "n"),), ("h",))
    assert eval(repr(one)) == one  # noqa: S307 - the law of the house: repr evaluates
