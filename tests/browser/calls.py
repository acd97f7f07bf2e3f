"""Calls of operators as a graph writes them, drawn at random, and what torch makes of them.

torch is asked on the meta device, where it only looks at shapes and dtypes; where it has no such device, with tensors.
"""

import random
from typing import Any

import attrs
import torch

from tests.browser.layers import LAYERS
from tests.browser.shapes import ARRANGING, Drawn, Shape, is_list, some
from tests.browser.table import Row

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
FLOATS = ("F64", "F32", "F16", "BF16")
KINDS = {
    "f": FLOATS,
    "n": tuple(name for name in DTYPES if name != "BOOL"),
    "y": tuple(name for name in DTYPES if name != "U8"),
    "q": tuple(name for name in DTYPES if name != "BOOL"),
    "e": tuple(name for name in DTYPES if name not in FLOATS),
    "i": ("I64", "I32"),
    "b": ("BOOL",),
}
ANYTHING = {"value": 1, "fill_value": 0.5, "s": 2, "device": torch.device("meta")}
TEXTS = {"approximate": ("none", "tanh"), "rounding_mode": ("floor", "trunc"), "mode": ("constant",)}


def generator(seed: int) -> random.Random:
    """The numbers that a test draws from; nothing is kept secret with them."""
    return random.Random(seed)  # noqa: S311 - drawn, not hidden


@attrs.frozen
class Tensor:
    """A tensor of which only dtype and shape are known."""

    dtype: str
    shape: tuple[int, ...]

    def real(self, device: str) -> torch.Tensor:
        """The same for torch."""
        return torch.zeros(self.shape, dtype=DTYPES[self.dtype], device=device)


@attrs.frozen
class Called:
    """An operator and its arguments, in the order of ATen: tensors, lists of them, and plain values."""

    name: str
    arguments: tuple[tuple[str, Any], ...]

    def written(self) -> dict[str, Any]:
        """The operation and its sources as a graph has them (section 4)."""
        sources: list[Tensor] = []
        attributes: dict[str, Any] = {}
        for name, value in self.arguments:
            tensors, attribute = _encoded(value)
            sources += tensors
            if attribute is not None:
                attributes[name] = attribute
        rows = [[name, attributes[name]] for name in sorted(attributes)]
        return {"op": self.name, "attributes": rows, "sources": [attrs.asdict(one) for one in sources]}

    def operator(self) -> Any:
        """The operator of torch; where a number stands for a tensor, the overload for numbers."""
        _, packet, overload = self.name.split(".")
        arguments = dict(self.arguments)
        other = next((arguments[name] for name in ("other", "min", "max") if name in arguments), None)
        if packet in ("clamp_min", "clamp_max"):
            overload = "Tensor" if isinstance(other, Tensor) else "default"
        elif overload.startswith("Tensor") and isinstance(other, (bool, int, float)):
            overload = overload.replace("Tensor", "Scalar")
        elif packet == "floor_divide" and isinstance(other, (bool, int, float)):
            overload = "Scalar"
        return getattr(getattr(torch.ops.aten, packet), overload)

    def made(self) -> list[dict[str, Any]] | None:
        """The sorts that torch makes, or None when it refuses."""
        try:
            results = _ran(self.operator(), self.arguments)
        except Exception:  # noqa: BLE001 - whatever torch raises, it has refused
            return None
        several: list[torch.Tensor] = [results] if isinstance(results, torch.Tensor) else list(results)
        return [{"dtype": NAMES.get(one.dtype, "?"), "shape": list(one.shape)} for one in several]


def tensors_of(called: Called) -> list[Tensor]:
    """The tensors that a call reads, in the order of its sources."""
    return [one for _, value in called.arguments for one in _encoded(value)[0]]


def _encoded(value: Any) -> tuple[list[Tensor], Any]:
    """The tensors that an argument reads, and the attribute, None where there is none."""
    if isinstance(value, Tensor):
        return [value], None
    if is_list(value) and any(isinstance(one, Tensor) for one in value):
        holes = [{"none": True} if one is None else {"tensors": 1} for one in value]
        return [one for one in value if one is not None], holes if None in value else {"tensors": len(value)}
    return [], _attribute(value)


def _attribute(value: Any) -> Any:
    if value is None:
        return {"none": True}
    if isinstance(value, float):
        return {"float": value.hex()}
    if is_list(value):
        return [_attribute(one) for one in value]
    return value if isinstance(value, (bool, int)) else str(value)


def run(called: Called, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """What torch computes of some tensors."""
    left = iter(tensors)

    def filled(value: Any) -> Any:
        if is_list(value):
            return [filled(one) for one in value]
        return next(left) if isinstance(value, Tensor) else value

    arguments = {name: filled(value) for name, value in called.arguments if name != "device"}
    device = {"device": None} if any(name == "device" for name, _ in called.arguments) else {}
    results: Any = called.operator()(**arguments, **device)
    return [results] if isinstance(results, torch.Tensor) else list(results)


def _ran(operator: Any, arguments: tuple[tuple[str, Any], ...]) -> Any:
    try:
        return operator(**{name: _plain(value, "meta") for name, value in arguments})
    except NotImplementedError:
        return operator(**{name: _plain(value, "cpu") for name, value in arguments})


def _plain(value: Any, device: str) -> Any:
    if is_list(value):
        return [_plain(one, device) for one in value]
    return value.real(device) if isinstance(value, Tensor) else value


def draw(row: Row, rng: random.Random) -> Called:
    """One call that the page allows, as far as its letters go."""
    drawn = _drawn(row, rng)
    _, packet, overload = row.name.split(".")
    schema = getattr(getattr(torch.ops.aten, packet), overload)._schema  # noqa: SLF001 - there is no other way to it
    common = rng.choice(_kind(row.sorts[0]))
    arguments: list[tuple[str, Any]] = []
    place = 0
    for argument, declared in zip(row.schema, schema.arguments, strict=True):
        letter = row.sorts[min(place, len(row.sorts) - 1)]
        place += argument in row.tensors
        if argument.written in drawn:
            value = _tensors(drawn[argument.written], letter, common, rng)
        elif declared.has_default_value() and (declared.default_value is not None or rng.random() < 0.5):
            value = declared.default_value
        else:
            value = _value(argument.kind, argument.written, rng)
        if isinstance(value, torch.dtype) and "f" in row.sorts:
            value = DTYPES[rng.choice(FLOATS)]
        arguments.append((argument.written, value))
    return Called(row.name, tuple(arguments))


def _kind(letter: str) -> tuple[str, ...]:
    return KINDS.get(letter, tuple(DTYPES))


def _tensors(value: Any, letter: str, common: str, rng: random.Random) -> Any:
    if isinstance(value, Shape):
        choices = (common,) if letter in "fna" else ("BOOL", common) if letter == "m" else _kind(letter)
        return Tensor(rng.choice(choices), tuple(value))
    if is_list(value):
        return [_tensors(one, letter, common, rng) for one in value]
    return value


def _value(kind: str, name: str, rng: random.Random) -> Any:
    drawn = {
        "number": rng.choice([2, 0.5]),
        "operand": rng.choice([2, 0.5, True]),
        "int": rng.randint(-1, 1),
        "flag": rng.random() < 0.5,
        "off": False,
        "none": None,
        "dtype": rng.choice(list(DTYPES.values())),
        "text": rng.choice(TEXTS.get(name, ("",))),
        "any": ANYTHING.get(name),
    }
    return drawn.get(kind)


def _drawn(row: Row, rng: random.Random) -> Drawn:
    special = {**ARRANGING, **LAYERS}.get(row.places)
    if special is not None:
        return special(rng, row.name)
    terms = row.places.split(">")[0].split() or ["~*"] * len(row.tensors)
    extents = {letter: rng.randint(1, 4) for letter in "abcdefghijklmnopqrstuvwxyzNRCG"}
    run = some(rng, 0 if "c" not in terms else 1)
    found: Drawn = {}
    for argument, term in zip(row.tensors, terms, strict=True):
        if argument.kind == "optional" and rng.random() < 0.3:
            found[argument.written] = None
        elif argument.kind == "either" and rng.random() < 0.3:
            found[argument.written] = rng.choice([2, True] if row.sorts == "e" else [2, 0.5, True])
        else:
            found[argument.written] = _spelled(term, extents, run, rng)
    return found


def _spelled(term: str, extents: dict[str, int], run: list[int], rng: random.Random) -> Shape:
    made: list[int] = []
    stretched = False
    for letter in term:
        if letter == "~":
            stretched = True
            continue
        several = run if letter in "*#" else some(rng) if letter == "." else [] if letter == "_" else [extents[letter]]
        if stretched and letter == "*":
            several = several[rng.randint(0, len(several)) if rng.random() < 0.3 else 0 :]
        made += [1 if stretched and rng.random() < 0.2 else one for one in several]
        stretched = False
    return Shape(made)


def spoiled(called: Called, rng: random.Random) -> Called:
    """The call with one argument changed, which torch may or may not take.

    Of recurrent layers only the input: torch trusts the list of their weights and reads beyond its end.
    """
    at = 0 if any(name == "params" for name, _ in called.arguments) else rng.randrange(len(called.arguments))
    name, value = called.arguments[at]
    changed = (*called.arguments[:at], (name, _spoiled(value, rng)), *called.arguments[at + 1 :])
    return attrs.evolve(called, arguments=changed)


def _spoiled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, Tensor):
        return _spoiled_tensor(value, rng)
    if is_list(value) and value:
        at = rng.randrange(len(value))
        if rng.random() < 0.3:
            return [*value[:at], *value[at + 1 :]]
        return [*value[:at], _spoiled(value[at], rng), *value[at + 1 :]]
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + rng.choice([-1, 1, -3, 3])
    return value


def _spoiled_tensor(value: Tensor, rng: random.Random) -> Tensor:
    shape = list(value.shape)
    if not shape or rng.random() < 0.3:
        return attrs.evolve(value, dtype=rng.choice(list(DTYPES)))
    at = rng.randrange(len(shape))
    shape[at : at + 1] = rng.choice([[], [1, shape[at]], [shape[at] + 1], [max(1, shape[at] - 1)], [1]])
    return attrs.evolve(value, shape=tuple(shape))
