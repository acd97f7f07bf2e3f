"""Pointing: a refusal of a room that has never seen the text gets the place in the text that brought it about."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from attrs import evolve

from surgdsl.diagnostic import Refusal, Span


@contextmanager
def pointing(span: Span) -> Generator[None]:
    """Diagnostics that leave the block without a place point at `span`.

    Raises:
        Refusal: the one of the block, with its exit code.
    """
    try:
        yield
    except Refusal as refusal:
        told = (evolve(one, span=one.span or span) for one in refusal.diagnostics)
        raise Refusal(*told, exit_code=refusal.exit_code) from refusal
