"""What a syntax error is called: from the parser's state to a phrase that a reader of the language understands.

Readers know words and signs, not terminals; what could stand in a place is told only where the list is short.
"""

from __future__ import annotations

import re
from typing import Any

from lark import Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from surgdsl.diagnostic import Diagnostic, Source, Span, suggest

SIGNS = {
    "LBRACE": "`{`", "RBRACE": "`}`", "LPAR": "`(`", "RPAR": "`)`", "LSQB": "`[`", "RSQB": "`]`", "COLON": "`:`",
    "COMMA": "`,`", "EQUAL": "`=`", "DOT": "`.`", "QMARK": "`?`", "VBAR": "`|`", "NAME": "a name",
    "NUMBER": "a number", "STRING": "a text in quotes", "PATH": "a place such as `@layer1.*`",
    "QUANTITY": "a quantity such as `50%`",
}  # fmt: skip
READABLE = 4


def fault(source: Source, unexpected: UnexpectedInput, start: str, stop: int) -> Diagnostic:
    """The diagnostic of a syntax error met while reading rule `start` up to offset `stop`."""
    seen: Any = unexpected  # lark leaves the types of its exceptions open
    if isinstance(unexpected, UnexpectedCharacters):
        return _character(source, int(seen.pos_in_stream))
    if not isinstance(unexpected, UnexpectedToken) or seen.token.type == "$END":
        message = "the file ends too early" if not source.text[stop:].strip() else f"this {start} ends too early"
        return Diagnostic("E0003", message, _end(source, stop), _expected(set(getattr(seen, "expected", ()))))
    token: Token = seen.token
    begin = int(seen.token.start_pos)
    if not token.type.isidentifier() or str(token) == '"':
        return _character(source, begin)
    expected: set[str] = set(seen.accepts or seen.expected) - {"$END"}
    near = suggest(str(token), (name.lower() for name in expected if name.isalpha() and name not in SIGNS))
    label = f"did you mean `{near}`?" if near and token.type == "NAME" else _expected(expected)
    return Diagnostic("E0002", f"`{token}` cannot stand here", Span(source, begin, begin + len(token)), label)


def _character(source: Source, position: int) -> Diagnostic:
    char = source.text[position]
    if char == '"':
        stop = source.text.find("\n", position)
        span = Span(source, position, len(source.text) if stop < 0 else stop)
        return Diagnostic(
            "E0004", "this text has no closing quote", span, help=('a text ends on its own line, with `"`',)
        )
    return Diagnostic("E0001", f"no word or sign begins with `{char}`", Span(source, position, position + 1))


def _end(source: Source, stop: int) -> Span:
    """The place right after the last solid character before `stop`."""
    text = re.sub(r"#[^\n]*", lambda match: " " * len(match.group()), source.text[:stop]).rstrip()
    return Span(source, max(0, len(text) - 1), len(text)) if text else Span(source, 0, 0)


def _expected(terminals: set[str]) -> str:
    """``expected `{` or a name``, where the choice is small enough to help."""
    phrases = sorted({SIGNS.get(name, f"`{name.lower()}`") for name in terminals if not name.startswith("__")})
    if not 0 < len(phrases) <= READABLE:
        return ""
    *most, last = phrases
    return f"expected {', '.join(most)} or {last}" if most else f"expected {last}"
