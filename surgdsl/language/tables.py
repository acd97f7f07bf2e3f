"""The parser's tables, made from the grammar ahead of time: to make them takes longer than to check a file.

They lie beside the grammar with a digest of it and of lark's version. Tables of another grammar are never used; the
parser is then built from the grammar, which is slower and the same.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import lark

from surgdsl.diagnostic import shipped

STARTS = ("start", "declaration", "clause", "expr")
"""A whole file, and the pieces that are read on their own."""
NUMBERED = ("states", "tokens")
"""Parts of the tables whose keys are numbers, which JSON spells as texts."""


class Postlex:
    """Lets a NAME be lexed everywhere, so that ``requires`` is one wrong word and not ``require`` followed by ``s``."""

    always_accept = ("NAME",)

    def process(self, stream: Any) -> Any:
        """The tokens, unchanged."""
        return stream


def grammar() -> str:
    """The text of the grammar."""
    return (shipped("grammar") / "surg.lark").read_text(encoding="utf-8")


def place() -> Path:
    """Where the tables lie."""
    return shipped("grammar") / "surg.tables.json"


def build(text: str, *, strict: bool = False) -> lark.Lark:
    """A parser from the grammar itself. `strict` refuses every collision of terminals and takes a second."""
    return lark.Lark(
        text, parser="lalr", lexer="contextual", strict=strict, propagate_positions=True, maybe_placeholders=True,
        postlex=Postlex(), start=list(STARTS),
    )  # fmt: skip


def written(text: str) -> str:
    """The tables of a grammar as one line of JSON, after a line with their digest."""
    parser: Any = build(text)
    data, memo = parser.memo_serialize([type(parser.terminals[0]), type(parser.rules[0])])
    data["options"] = {**data["options"], "postlex": None}
    return f"{digest(text)}\n{json.dumps({'data': data, 'memo': memo}, sort_keys=True, separators=(',', ':'))}\n"


def load(text: str) -> lark.Lark | None:
    """The parser that the tables hold, if they are those of the grammar `text`."""
    try:
        first, _, rest = place().read_text(encoding="utf-8").partition("\n")
    except OSError:
        return None
    if first != digest(text):
        return None
    tables = json.loads(rest)
    inner = tables["data"]["parser"]["parser"]
    for name in NUMBERED:
        inner[name] = {int(key): value for key, value in inner[name].items()}
    inner["states"] = {
        key: {int(token): action for token, action in row.items()} for key, row in inner["states"].items()
    }
    tables["memo"] = {int(key): value for key, value in tables["memo"].items()}
    tables["data"]["options"]["postlex"] = Postlex()
    parser: Any = lark.Lark
    return parser.load(tables)  # a file is not needed: it takes the tables themselves


def digest(text: str) -> str:
    """What tables must be made of: this grammar, these start rules, this lark."""
    return hashlib.sha256("\n".join((lark.__version__, *STARTS, text)).encode()).hexdigest()
