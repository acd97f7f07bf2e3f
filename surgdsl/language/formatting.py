"""The one layout of `.surg` text: every file that means the same reads the same, and no comment is lost.

There are no options. Blank lines of the writer are kept, one at most; braces stay open where the writer broke the
line after them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from surgdsl.diagnostic import Refusal, Source
from surgdsl.language import tree
from surgdsl.language.layout import Shape, braces, shape
from surgdsl.language.parsing import Comment, Parsed, parse

WIDTH = 120
INDENT = "  "
OPENING = re.compile(r'#[^\n]*|"[^"\n]*"|\{[ \t]*(?P<break>\n|#)?')


def format_source(source: Source) -> str:
    """`source` in the one layout.

    The result is read again and compared with what was read: a formatter that changes a meaning or loses a comment
    must not be believed.

    Raises:
        Refusal: with the syntax errors of a text that cannot be read.
    """
    parsed = parse(source)
    if parsed.faults:
        raise Refusal(*parsed.faults)
    text = format_parsed(parsed)
    again = parse(Source(source.path, text))
    assert again.file == parsed.file, "formatting changed the tree"
    assert [one.text for one in again.comments] == [one.text for one in parsed.comments], "formatting lost a comment"
    assert format_parsed(again) == text, "formatting is not stable"
    return text


def format_parsed(parsed: Parsed) -> str:
    """The tree and the comments of `parsed` as text."""
    return Page(parsed).written()


class Page:
    """The text written so far, and how far in the source it has come: `at` is the end of what was written last."""

    def __init__(self, parsed: Parsed) -> None:
        """A page for `parsed`, still empty."""
        self.file = parsed.file
        self.comments = list(parsed.comments)
        self.text = parsed.file.span.source.text
        self.at = 0
        self.lines: list[str] = []

    def written(self) -> str:
        """The whole file."""
        self._comments_before(self.file.span.start, "")
        self.lines.append(f"surg {self.file.edition}")
        self.at = self.file.edition.span.stop
        self._trailing()
        self._items(self.file.declarations, "")
        self._comments_before(len(self.text) + 1, "")
        return "\n".join(self.lines) + "\n"

    # ---- items ----------------------------------------------------------------------------------
    def _items(self, nodes: Sequence[tree.Node], indent: str) -> None:
        shapes = [shape(node) for node in nodes]
        widths = _widths(nodes, shapes)
        for node, made, width in zip(nodes, shapes, widths, strict=True):
            self._item(node, made, width, indent)

    def _item(self, node: tree.Node, made: Shape, width: int, indent: str) -> None:
        parts = [f"{made.left:{width}}", *made.parts] if made.left else list(made.parts)
        if made.children is not None:
            return self._braced(node, made, parts, indent)
        self._comments_before(node.span.stop, indent)
        self._gap(node)
        self.lines.extend(_stacked(parts, indent) if made.stacked else _filled(parts, indent))
        return self._after(node)

    def _braced(self, node: tree.Node, made: Shape, parts: list[str], indent: str) -> None:
        opening, broken = self._opening(node)
        self._comments_before(opening, indent)
        self._gap(node)
        children = made.children or ()
        inline = f"{indent}{' '.join(parts)} {braces([_one_line(child) for child in children])}"
        inside = any(comment.span.start < node.span.stop for comment in self.comments)
        if not inside and (not children or not (made.open or broken or len(inline) > WIDTH)):
            self.lines.append(inline)
            return self._after(node)
        self.lines.extend(_filled([*parts[:-1], f"{parts[-1]} {{"], indent))
        self.at = opening
        self._trailing()
        self._items(children, indent + INDENT)
        self._comments_before(node.span.stop, indent + INDENT)
        self.lines.append(f"{indent}}}")
        return self._after(node)

    def _after(self, node: tree.Node) -> None:
        self.at = max(self.at, node.span.stop)
        self._trailing()

    # ---- comments and blank lines ---------------------------------------------------------------
    def _opening(self, node: tree.Node) -> tuple[int, bool]:
        """Where the braces of `node` open, and whether the writer broke the line there."""
        for match in OPENING.finditer(self.text, node.span.start, node.span.stop):
            if match.group().startswith("{"):
                return match.start() + 1, match["break"] is not None
        return node.span.start, False

    def _comments_before(self, stop: int, indent: str) -> None:
        """Writes the comments up to `stop`, each on a line of its own."""
        while self.comments and self.comments[0].span.start < stop:
            self._comment(self.comments.pop(0), indent)

    def _comment(self, comment: Comment, indent: str) -> None:
        self._gap(comment)
        self.lines.append(indent + comment.text)
        self.at = comment.span.stop

    def _trailing(self) -> None:
        """Puts a comment that follows on the same line at the end of the line just written."""
        following = self.comments[0] if self.comments else None
        if (
            following is None
            or following.span.start < self.at
            or self.text[self.at : following.span.start].strip(" \t\r")
        ):
            return
        self.comments.pop(0)
        self.lines[-1] += f"  {following.text}"
        self.at = following.span.stop

    def _gap(self, following: tree.Node | Comment) -> None:
        """Keeps one blank line where the writer left some, though not right inside of braces."""
        blank = self.text.count("\n", self.at, max(self.at, following.span.start)) > 1
        if blank and self.lines and not self.lines[-1].split("  #")[0].endswith("{"):
            self.lines.append("")


def _widths(nodes: Sequence[tree.Node], shapes: list[Shape]) -> list[int]:
    """For each item the width of its left part, the same for neighbours of one kind."""
    widths: list[int] = []
    for at, node in enumerate(nodes):
        if at and type(node) is type(nodes[at - 1]):
            widths.append(widths[-1])
            continue
        run = [len(shapes[at].left)]
        for later in range(at + 1, len(nodes)):
            if type(nodes[later]) is not type(node):
                break
            run.append(len(shapes[later].left))
        widths.append(max(run))
    return widths


def _one_line(node: tree.Node) -> str:
    made = shape(node)
    head = [made.left] if made.left else []
    return " ".join([*head, *made.parts])


def _filled(parts: Sequence[str], indent: str) -> list[str]:
    """`parts` joined by blanks, as many on a line as fit; further lines stand four columns deeper."""
    lines = [indent + parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= WIDTH:
            lines[-1] += f" {part}"
        else:
            lines.append(f"{indent}{INDENT * 2}{part}")
    return lines


def _stacked(parts: Sequence[str], indent: str) -> list[str]:
    """The parts after the first below each other, behind the first."""
    head, *rest = parts
    return [indent + (head if at == 0 else " " * len(head)) + " " + part for at, part in enumerate(rest)]
