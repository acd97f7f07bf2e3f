"""Normal forms: operators that say the same thing in many ways become one, with every size written out.

Fewer operators to understand, and no −1, default or second spelling that an axis could hide behind. Each form is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from surgdsl.axis.extent import Extent
from surgdsl.diagram.operation import Attribute

Attributes = dict[str, Attribute]
Shape = tuple[Extent, ...]


@frozen
class Spoken:
    """A call as exported: operator, source wires, attributes, the shapes of the first source and of the targets."""

    name: str
    sources: tuple[str, ...]
    attributes: Attributes
    source: Shape
    targets: tuple[Shape, ...]


SPELLINGS: Mapping[str, str] = {
    "aten.multiply": "aten.mul",
    "aten.subtract": "aten.sub",
    "aten.divide": "aten.div",
    "aten.concat": "aten.cat",
    "aten.concatenate": "aten.cat",
    "aten.negative": "aten.neg",
    "aten.absolute": "aten.abs",
    "aten.clip": "aten.clamp",
    "aten.greater": "aten.gt",
    "aten.greater_equal": "aten.ge",
    "aten.less": "aten.lt",
    "aten.less_equal": "aten.le",
    "aten.not_equal": "aten.ne",
}
"""Operators with two names."""


def normal_form(call: Spoken) -> Spoken:
    """The one way in which a net says what `call` says."""
    stem, _, overload = call.name.rpartition(".")
    renamed = f"{SPELLINGS.get(stem, stem)}.{overload}"
    form = FORMS.get(renamed)
    if form is None:
        return Spoken(renamed, call.sources, call.attributes, call.source, call.targets)
    name, count, attributes = form(call)
    return Spoken(name, call.sources[:count] if count else call.sources, attributes, call.source, call.targets)


Form = Callable[[Spoken], tuple[str, int, Attributes]]
"""The new operator, how many sources it keeps (0: all), and its attributes."""


def _split(call: Spoken) -> tuple[str, int, Attributes]:
    place = _int(call.attributes.get("dim", 0)) % len(call.source)
    return (
        "aten.split_with_sizes.default",
        1,
        {"split_sizes": tuple(shape[place] for shape in call.targets), "dim": place},
    )


def _expand(call: Spoken) -> tuple[str, int, Attributes]:
    return "aten.expand.default", 1, {"size": call.targets[0], "implicit": False}


def _reshape(call: Spoken) -> tuple[str, int, Attributes]:
    return "aten.reshape.default", 1, {"shape": call.targets[0]}


def _view(call: Spoken) -> tuple[str, int, Attributes]:
    return "aten.view.default", 1, {"size": call.targets[0]}


def _squeezed(call: Spoken) -> tuple[str, int, Attributes]:
    return "aten.squeeze.dims", 1, {"dim": tuple(place for place, extent in enumerate(call.source) if extent == 1)}


def _reversed(call: Spoken) -> tuple[str, int, Attributes]:
    return "aten.permute.default", 1, {"dims": tuple(reversed(range(len(call.source))))}


def _last_two(call: Spoken) -> tuple[str, int, Attributes]:
    rank = len(call.source)
    return "aten.permute.default", 1, {"dims": (*range(rank - 2), rank - 1, rank - 2)}


def _swapped(first: str, second: str) -> Form:
    def form(call: Spoken) -> tuple[str, int, Attributes]:
        return "aten.transpose.int", 1, {"dim0": call.attributes[first], "dim1": call.attributes[second]}

    return form


def _moved(call: Spoken) -> tuple[str, int, Attributes]:
    rank = len(call.source)
    origin, goal = (
        tuple(_int(place) % rank for place in _many(call.attributes[key])) for key in ("source", "destination")
    )
    placed = dict(zip(goal, origin, strict=True))
    rest = iter(place for place in range(rank) if place not in origin)
    return (
        "aten.permute.default",
        1,
        {"dims": tuple(placed[place] if place in placed else next(rest) for place in range(rank))},
    )


def _sliced(call: Spoken) -> tuple[str, int, Attributes]:
    place = _int(call.attributes["dim"]) % len(call.source)
    start, length = call.attributes["start"], call.attributes["length"]
    if not isinstance(start, int) or not isinstance(length, int):
        return call.name, 0, call.attributes
    extent = call.source[place]
    start = start + extent if start < 0 and isinstance(extent, int) else start
    return "aten.slice.Tensor", 1, {"dim": place, "start": start, "end": start + length, "step": 1}


def _int(value: Attribute) -> int:
    assert isinstance(value, int)
    return int(value)


def _many(value: Attribute) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


SAME: tuple[tuple[str, Form], ...] = (
    (
        "split.Tensor split.sizes split_with_sizes.default chunk.default tensor_split.sections tensor_split.indices",
        _split,
    ),
    ("unsafe_split.Tensor unsafe_chunk.default", _split),
    ("expand.default expand_as.default broadcast_to.default", _expand),
    ("reshape.default reshape_as.default unflatten.int _unsafe_view.default", _reshape),
    ("view.default view_as.default", _view),
    ("squeeze.default", _squeezed),
    ("numpy_T.default t.default", _reversed),
    ("mT.default adjoint.default matrix_H.default", _last_two),
    ("swapaxes.default", _swapped("axis0", "axis1")),
    ("swapdims.default", _swapped("dim0", "dim1")),
    ("movedim.int movedim.intlist moveaxis.int moveaxis.intlist", _moved),
    ("narrow.default", _sliced),
)
FORMS: Mapping[str, Form] = {f"aten.{name}": form for names, form in SAME for name in names.split()}
"""By operator."""
