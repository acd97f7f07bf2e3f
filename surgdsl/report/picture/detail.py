"""Details: the words of a box, short enough for it: names without what goes without saying, and literals that tell."""

from __future__ import annotations

from surgdsl.axis.extent import Polynomial, show
from surgdsl.diagram.operation import Attribute, Operation, Tensors
from surgdsl.report.picture.unit import within

TELLING: tuple[tuple[str, str], ...] = (
    ("kernel_size", ""),
    ("stride", "1"),
    ("dilation", "1"),
    ("groups", "1"),
    ("output_size", ""),
    ("dim", ""),
    ("dims", ""),
    ("index", ""),
    ("exponent", ""),
    ("other", ""),
)
"""Literals that are shown, each unless it is what one expects."""
LONG = 24
"""Characters of a literal beyond which it is left out."""


def short_name(operation: Operation) -> str:
    """The name of an operator without its namespace and overload.

    >>> short_name(Operation("aten.add.Tensor", (), ()))
    'add'
    """
    parts = operation.name.split(".")
    return parts[1] if len(parts) > 2 else operation.name


def details(operation: Operation) -> str:
    """The telling literals.

    >>> details(Operation("aten.conv2d.default", (), (), (("stride", (2, 2)), ("groups", 1))))
    'stride 2'
    """
    given = dict(operation.attributes)
    found = ((name, _literal(given[name])) for name, _ in TELLING if name in given)
    return " ".join(f"{name} {text}" for name, text in found if text and text != dict(TELLING)[name])


def _literal(value: Attribute) -> str:
    """A literal in few characters; nothing where it takes many."""
    if isinstance(value, tuple):
        parts = list(map(_literal, value))
        same = len(parts) > 1 and len(set(parts)) == 1
        text = parts[0] if same else ",".join(parts)
    elif isinstance(value, (int, Polynomial)) and not isinstance(value, bool):
        text = show(value)
    elif value is None or isinstance(value, Tensors):
        text = ""
    else:
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONG else ""


def own_path(path: str, module: str) -> str:
    """`path` as it is called within `module`.

    >>> own_path("layer1.0.conv1", "layer1.0"), own_path("stem", "layer1.0")
    ('conv1', 'stem')
    """
    return path[len(module) :].lstrip(".") if module and within(path, module) else path


def last_words(path: str, known: str) -> str:
    """The end of `path` from its last name that is no number; nothing where `known` lies in it.

    >>> last_words("layer1.0.bn1", "layer1.0.conv1"), last_words("a.down.1", "a.down.0"), last_words("a", "a.b")
    ('bn1', 'down.1', '')
    """
    if within(known, path):
        return ""
    segments = path.split(".")
    start = max((place for place, segment in enumerate(segments) if not segment.isdecimal()), default=0)
    return ".".join(segments[start:])


def span_of(first: str, last: str) -> str:
    """Two names as one, with braces around what differs.

    >>> span_of("blocks.1.f:out", "blocks.11.f:out"), span_of("a", "b")
    ('blocks.{1…11}.f:out', '{a…b}')
    """
    shortest = min(len(first), len(last))
    head = next((place for place in range(shortest) if first[place] != last[place]), shortest)
    head = len(first[:head].rstrip("0123456789"))
    ends = zip(first[: head - 1 - len(first) : -1], last[: head - 1 - len(last) : -1], strict=False)
    tail = next((place for place, (one, other) in enumerate(ends) if one != other), shortest - head)
    end = first[len(first) - tail :].lstrip("0123456789")
    return f"{first[:head]}{{{first[head : len(first) - len(end)]}…{last[head : len(last) - len(end)]}}}{end}"


def weight_name(weight: Operation, path: str, module: str) -> str:
    """What a weight is called by the operation that reads it: its last word, or its path where it belongs elsewhere."""
    base = weight.payload.base if weight.payload else weight.name
    return own_path(base, path) if path and within(base, path) else own_path(base, module)
