"""Settings: a value on the command line stands in the text that is compiled, and means what it would mean there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagnostic import Refusal, Source
from surgdsl.language import program, settings, with_settings

TEXT = """surg 1
use std.rules.{mask, quantize}
param width: bit = 4bit  # a comment stays
param share: ratio = (1 + 2) / 4
let twice = 2 * width
model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }
surgery slim on net {
  step thin = apply mask(keep = share) @**
  step code = apply quantize(bits = twice) @**
}
"""
SOURCE = Source("slim.surg", TEXT)


def codes(*given: str) -> list[str]:
    with pytest.raises(Refusal) as refused:
        program(with_settings(SOURCE, settings(given)))
    return [one.code for one in refused.value.diagnostics]


def test_a_setting_is_the_text_with_another_value() -> None:
    made = with_settings(SOURCE, settings(("share=1/2", "width = 1bit + 1bit")))
    assert made.text == TEXT.replace("4bit", "1bit + 1bit").replace("(1 + 2) / 4", "1 / 2")
    thin, code = program(made).surgeries[0].steps
    assert (str(thin.arguments["keep"]), code.arguments["bits"]) == ("1/2", 4)


def test_the_same_text_with_another_value_is_another_job() -> None:
    digests = {program(with_settings(SOURCE, settings(one))).digest for one in ((), ("width=2bit",), ("width=3bit",))}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("withd=4bit",), ["E0101"]),
        (("twice=4bit",), ["E0101"]),
        (("width=4parsec",), ["E0301"]),
        (("width=50%",), ["E0302", "E0302"]),
        (("width=4bit }",), ["E0002"]),
        (("width=",), ["E0003"]),
        (("width=\u202e4bit",), ["E0001"]),
        (("width=width",), ["E0105"]),
        (("width",), ["E0107"]),
        (("width=1bit", "width=2bit"), ["E0107"]),
        (("share=1/0", "width=7"), ["E0302", "E0302", "E0304"]),
    ],
)
def test_a_wrong_setting_is_refused(given: tuple[str, ...], expected: list[str]) -> None:
    assert sorted(expected) == sorted(codes(*given))


@given(st.text(max_size=12))
def test_no_value_reaches_beyond_its_place(text: str) -> None:
    try:
        made = with_settings(SOURCE, {"width": text})
    except Refusal:
        return
    head, _, tail = TEXT.partition("4bit")
    assert made.text.startswith(head)
    assert made.text.endswith(tail)
    assert "\n" not in made.text[len(head) : len(made.text) - len(tail)]
