"""Long inputs of one pattern: fuzzers try short ones, in which time that grows with the square of a length hides.

A hundred thousand repetitions squared would be hours, so that a minute of the processor tells one from the other.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from surgdsl.verifier.canonical import parse
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.requirement import asked, promised
from surgdsl.verifier.tensors import parse_header

COUNT = 100_000
MINUTE = 60.0
TEXTS = (
    b"{}", b"{", b"surgery a on b {require x\n}", b"surgery ", b" ", b'"', b'"a\n', b"@a", b"@{a,", b"@a[1]", b"@a.",
    b"use std.metric.{", b"use std.metric.a ", b"#", b"require ", b"require size <= 1%\n", b"surgery a on ", b"1 a\n",
)  # fmt: skip
HEADS = (b"", b"surgery a on b {", b"surgery ", b"use std.metric.{", b"surg closure 9999\n")
DOCUMENTS = (b'"', b"\\", b'"\\', b"[", b"9", b"-", b"1e", b'"a":1,', b"a", b"null", b"[],", b'{"a":')
REQUIREMENTS = ("9", "9_", " ", "(", "a.", "macs", "size<=", "1/")
Read = Callable[[bytes], object]


def seconds(read: Read, data: bytes) -> float:
    """What reading takes of the processor, whether the text is taken or not."""
    start = time.process_time()
    with contextlib.suppress(Reject, ValueError):
        read(data)
    return time.process_time() - start


@pytest.mark.parametrize("pattern", TEXTS)
def test_texts(pattern: bytes) -> None:
    longest = pattern * (COUNT // len(pattern))
    assert sum(seconds(lambda data: promised(["x"], data), head + longest + b"}") for head in HEADS) < MINUTE


@pytest.mark.parametrize("pattern", DOCUMENTS)
def test_documents(pattern: bytes) -> None:
    readers: tuple[Read, ...] = (lambda data: parse(data, "x"), lambda data: parse_header(data, "x"))
    heads = (b"", b"{", b"[", b'"')
    assert sum(seconds(read, head + pattern * COUNT) for read in readers for head in heads) < MINUTE


@pytest.mark.parametrize("pattern", REQUIREMENTS)
def test_requirements(pattern: str) -> None:
    heads = ("", "size<=", "accuracy(after)>=0.9 on ", 'loss(after)<=1 registered "')
    assert sum(seconds(lambda data: asked(data.decode()), (head + pattern * COUNT).encode()) for head in heads) < MINUTE
