"""Dot: writes a sketch as text for Graphviz, in the same colours as the picture, for who wants another layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surgdsl.report.picture.body import title
from surgdsl.report.picture.ink import PINNED, Ink
from surgdsl.report.picture.shape import Runs
from surgdsl.report.picture.sketch import Card, Frame, Line, Node, Port, Sketch, Terminal
from surgdsl.report.picture.svg import clean

OPENING = (
    '  graph [bgcolor="white", fontname="monospace", fontsize=12, labeljust="l", labelloc="t"];',
    '  node [fontname="monospace", fontsize=11, shape=box, style="rounded,filled"];',
    '  node [fillcolor="#f6f7f9", color="#aab2be"];',
    '  edge [fontname="monospace", fontsize=11, color="#7a8494"];',
)


def dot(name: str, summary: str, sketch: Sketch, ink: Ink, pinned: Sequence[str]) -> str:
    """The graph of a net called `name`, with the legend as a node of its own."""
    heading = f"<B>{clean(name)}</B><BR ALIGN='LEFT'/>{clean(summary)}<BR ALIGN='LEFT'/>"
    lines = [
        "digraph {",
        *OPENING,
        f"  label=<{heading}>;",
        *_inside(sketch, ink, "n", "  "),
        f"  legend [shape=plain, style=solid, label=<{_legend(ink, pinned)}>];",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _inside(sketch: Sketch, ink: Ink, stem: str, indent: str) -> Iterator[str]:
    for number, node in enumerate(sketch.nodes):
        yield from _node(node, ink, f"{stem}{number}", indent)
    for edge in sketch.edges:
        source = _end(sketch.nodes[edge.source], f"{stem}{edge.source}", "out", edge.port)
        target = _end(sketch.nodes[edge.target], f"{stem}{edge.target}", "in", edge.into)
        runs = sketch.writes[edge.source][edge.port]
        label = f" [label=<{_runs(runs, ink)}>]" if runs else ""
        yield f"{indent}{source} -> {target}{label};"


def _node(node: Node, ink: Ink, name: str, indent: str) -> Iterator[str]:
    match node:
        case Card(lines):
            rows = "".join(_line(line, ink) for line in lines)
            yield f'{indent}{name} [label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0">{rows}</TABLE>>];'
        case Terminal(kind, called):
            yield f'{indent}{name} [fillcolor="#1d2430", fontcolor="white", label=<{kind} <B>{clean(called)}</B>>];'
        case Port():
            yield f"{indent}{name} [shape=point, width=0.04];"
        case Frame(_, _, inner):
            yield f"{indent}subgraph cluster_{name} {{"
            yield f'{indent}  style="dashed"; label=<<B>{clean(title(node))}</B>>;'
            yield from _inside(inner, ink, f"{name}_", f"{indent}  ")
            yield f"{indent}}}"


def _end(node: Node, name: str, side: str, number: int) -> str:
    """The node that an edge goes to: a frame is entered and left at its ports."""
    if not isinstance(node, Frame):
        return name
    ports = [place for place, one in enumerate(node.inner.nodes) if isinstance(one, Port) and one.side == side]
    return f"{name}_{ports[number]}"


def _line(line: Line, ink: Ink) -> str:
    name = f"<B>{clean(line.name)}</B>" if line.kind == "head" else clean(line.name)
    note = f' <FONT COLOR="{PINNED}">{clean(line.note)}</FONT>' if line.note else ""
    shape = _runs(line.shape, ink) if line.shape else ""
    return f'<TR><TD ALIGN="LEFT">{name}{note}</TD><TD ALIGN="RIGHT">{shape}</TD></TR>'


def _runs(runs: Runs, ink: Ink) -> str:
    found: list[str] = []
    for run in runs:
        row = ink.by_axis[run.axis] if run.axis else None
        colour, letters = (row.colour, f"<SUP>{row.key}</SUP>") if row else (PINNED, "")
        found.append(f'<FONT COLOR="{colour}">{clean(run.text)}{letters}</FONT>')
    return "".join(found)


def _legend(ink: Ink, pinned: Sequence[str]) -> str:
    rows = "".join(
        f'<TR><TD BGCOLOR="{row.colour}"><FONT COLOR="white">{row.key}</FONT></TD>'
        f'<TD ALIGN="LEFT">{clean(row.text)}</TD></TR>'
        for row in ink.rows
    )
    grey = f'<TR><TD BGCOLOR="{PINNED}"> </TD><TD ALIGN="LEFT">cannot be cut: {len(pinned)} axes of weights</TD></TR>'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2">{rows}{grey}</TABLE>'
