"""Texts of surgeries as the spec blob holds them: which of several is meant, and whose metrics it uses."""

from __future__ import annotations

import pytest

from surgdsl.verifier.reject import Reject
from surgdsl.verifier.requirement import own_text, promised


def closure(*texts: str) -> bytes:
    head = [f"{len(text.encode())} file{place}.surg" for place, text in enumerate(texts)]
    return "\n".join([f"surg closure {len(texts)}", *head, *texts]).encode()


def test_the_own_text_is_the_first_of_a_closure() -> None:
    assert own_text(b"surg 1\n") == "surg 1\n"
    assert own_text(closure("é\n", "", "surg closure 1\n")) == "é\n"
    with pytest.raises(Reject, match="V18"):
        own_text(b"\xff")
    with pytest.raises(Reject, match="V18"):
        own_text(closure("a", "b").replace(b"b", b"\xff"))


@pytest.mark.parametrize(
    ("old", "new"),
    [("two.", "two.x"), ("closure 2", "closure +2"), ("3 f", "+3 f"), ("3 f", "03 f"), ("closure 2\n", "closure "),
     ("two.", "two"), ("3 f", "2 f"), ("3 f", "4 f"), ("closure 2", "closure 3"),
     ("closure 2", "closure 1"), ("3 f", "-3 f"), ("3 file0", "3file0"), ("one\ntwo.", "")],
)  # fmt: skip
def test_a_closure_with_other_lengths_is_refused(old: str, new: str) -> None:
    data = closure("one", "two.")
    assert own_text(data) == "one"
    with pytest.raises(Reject, match="V18"):
        own_text(data.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    ("uses", "library"),
    [
        ("use std.metric.size", True),
        ("use std.metric.{params, size}", True),
        ("use std . metric # here\n . { size , params }", True),
        ("use std.metric.size as bytes", False),
        ("use std.metric.nnz as size", False),
        ("use std.metric.size1 as nnz", False),
        ("metric size(m: model) -> bit = 1", False),
        ('data d { source = python("use std.metric.size") }', False),
        ("# use std.metric.size\n", False),
        ("surgery b on net { use std.metric.size }", False),
        ("use other.std.metric.size", False),
        ("use std.metric.size.more", False),
        ("{ use std.metric.size }", True),
        ('{ use std.metric.si""ze }', False),
        ("surgery b on net {}use std.metric.size", True),
    ],
)
def test_a_metric_is_read_where_it_is_the_librarys(uses: str, library: bool) -> None:
    text = f"surg 1\n{uses}\nsurgery a on net {{ require size(after) <= 1 * size(before) }}"
    name, readings = promised(["size(after) <= 1 * size(before)"], text.encode())
    assert (name, readings[0] is not None) == ("a", library)
