"""The rows of operators that the browser's verifier has, as far as calls can be drawn from them.

The text is read anew here, so that a row which that verifier reads wrongly is not drawn wrongly as well.
"""

import re
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
TENSORS = {"": "tensor", "?": "optional", "*": "list", "%": "holes", "/": "either"}


@attrs.frozen
class Argument:
    """One argument of a row; `kind` is one of TENSORS, or the kind of an attribute."""

    name: str
    written: str
    kind: str
    nullable: bool


@attrs.frozen
class Row:
    """One operator."""

    name: str
    schema: tuple[Argument, ...]
    sorts: str
    places: str

    @property
    def tensors(self) -> tuple[Argument, ...]:
        """Its tensor arguments."""
        return tuple(one for one in self.schema if one.kind in TENSORS.values())


def table() -> str:
    """The rows in the module of the browser's verifier."""
    text = (ROOT / "surgdsl" / "browser" / "operators" / "table.js").read_text()
    return text.split("`\n", 1)[1].removesuffix("\n`;\n")


def table_of_the_page() -> str:
    """The rows of docs/operators.md."""
    return (ROOT / "docs" / "operators.md").read_text().split("## Table\n```\n")[1].split("\n```")[0]


def rows() -> dict[str, Row]:
    """Every operator of torch in the table; those of other packages are left out."""
    joined = re.sub(r"\n[ \t]+", " ", table())
    shared: dict[str, str] = {}
    found: dict[str, Row] = {}
    for line in filter(None, joined.split("\n")):
        if line.startswith("@"):
            name, words = line.split(" = ")
            shared[name] = words
            continue
        operators, schema, *rest = (field.strip() for field in line.split("|"))
        dtypes, places = (*rest, "", "")[:2]
        written = " ".join(shared.get(word, word) for word in schema.split()).split()
        for operator in operators.split():
            name = (
                operator
                if operator.count(".") == 2
                else f"aten.{operator}"
                if "." in operator
                else f"aten.{operator}.default"
            )
            if name.startswith("aten."):
                found[name] = Row(name, tuple(map(_argument, written)), dtypes.split(">")[0] or "f", places)
    return found


def _argument(text: str) -> Argument:
    name, _, kind = text.replace("!", "").partition(":")
    mark = name[-1] if name[-1] in "?*%/" else ""
    name, _, other = name.removesuffix(mark).partition("=")
    return Argument(name, other or name, kind.removesuffix("?") or TENSORS[mark], kind.endswith("?"))
