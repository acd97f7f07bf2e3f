"""Cuts of one call: kept sets for some of its dimensions, and the call that is left, drawn at random.

A cut starts at one dimension and is carried on to those that the layout of the call binds to it, so that many are
good; then some are spoiled. The layout is what the browser's verifier says of the call. Whether the cut is good is for
others to say.
"""

import math
import random
from collections.abc import Iterable
from typing import Any

import attrs

from tests.browser.calls import Called, Tensor, draw, tensors_of
from tests.browser.engine import evaluate
from tests.browser.shapes import is_list
from tests.browser.table import rows

LAYOUTS = """async (base, calls) => {
  const { layOut } = await import(base + "operators.js");
  return calls.map(({ op, attributes, sources, targets }) => {
    try {
      const operation = { op, attributes: new Map(attributes), sources: [], targets: [] };
      const { layout } = layOut({ operation, sources, targets });
      const extent = ({ side, port, dimension }) => (side === "source" ? sources : targets)[port].shape[dimension];
      const indices = (link) => Array.from({ length: extent(link.from) }, (_, index) => link.at(index));
      const links = layout.links.map((link) => ({ from: link.from, to: link.to, at: indices(link) }));
      return { ties: layout.ties, links, runs: layout.runs, blocks: layout.blocks };
    } catch {
      return null;
    }
  });
}"""
Place = tuple[str, int, int]
Kept = dict[Place, tuple[int, ...]]


@attrs.frozen
class Call:
    """A call as a graph writes it, with its targets, and its layout as JSON."""

    called: Called
    sources: list[Tensor]
    targets: list[Tensor]
    layout: dict[str, Any]

    def extent(self, place: Place) -> int:
        """The extent of a dimension."""
        side, port, dimension = place
        return (self.sources if side == "source" else self.targets)[port].shape[dimension]

    def places(self) -> list[Place]:
        """Every dimension."""
        sides = (("source", self.sources), ("target", self.targets))
        return [
            (side, port, k)
            for side, tensors in sides
            for port, one in enumerate(tensors)
            for k in range(len(one.shape))
        ]

    def sets(self, kept: Kept) -> dict[str, list[list[Any]]]:
        """The kept sets as `relate` takes them."""
        sides = (("source", self.sources), ("target", self.targets))
        return {
            side: [
                [_listed(kept.get((side, port, k))) for k in range(len(one.shape))] for port, one in enumerate(tensors)
            ]
            for side, tensors in sides
        }


def _listed(kept: tuple[int, ...] | None) -> list[int] | None:
    return None if kept is None else list(kept)


@attrs.frozen
class Cut:
    """A call before and after, and what is kept of its dimensions."""

    before: Call
    after: Called
    targets: list[Tensor]
    kept: Kept

    def written(self) -> dict[str, Any]:
        """As JSON: both calls with their targets, and the kept sets."""
        calls = ((self.before.called, self.before.targets), (self.after, self.targets))
        before, after = (
            {**one.written(), "targets": [attrs.asdict(target) for target in targets]} for one, targets in calls
        )
        return {"before": before, "after": after, "sets": self.before.sets(self.kept)}


def draw_cuts(rng: random.Random, count: int) -> list[Cut]:
    """Cuts of some calls of every operator; half of them, or more, are good."""
    drawn = [draw(row, rng) for row in rows().values() for _ in range(count)]
    made = [(one, targets) for one in drawn if (targets := one.made()) is not None]
    layouts = evaluate(LAYOUTS, [{**one.written(), "targets": targets} for one, targets in made])
    calls = [
        Call(one, tensors_of(one), [Tensor(target["dtype"], tuple(target["shape"])) for target in targets], layout)
        for (one, targets), layout in zip(made, layouts, strict=True)
        if layout is not None
    ]
    return [found for call in calls if (found := _drawn(call, rng)) is not None]


def _drawn(call: Call, rng: random.Random) -> Cut | None:
    kept = propose(call, rng)
    if not kept:
        return None
    for _ in range(rng.choice([0, 0, 1, 2])):
        kept = spoil(call, kept, rng)
    return Cut(call, *left(call, kept, rng), kept) if kept else None


def place(row: dict[str, Any]) -> Place:
    """A place of the layout."""
    return row["side"], row["port"], row["dimension"]


def propose(call: Call, rng: random.Random) -> Kept:
    """Kept sets, carried on from one dimension as far as the layout says."""
    open_places = [one for one in call.places() if call.extent(one) > 1]
    if not open_places:
        return {}
    start = rng.choice(open_places)
    kept: Kept = {start: _part(range(call.extent(start)), rng)}
    for _ in range(6):
        before = dict(kept)
        for found in _carried(call, kept):
            for one, indices in found:
                if one not in kept and 0 < len(indices) < call.extent(one):
                    kept[one] = tuple(sorted(indices))
        if kept == before:
            break
    return kept


def _part(indices: Iterable[int], rng: random.Random) -> tuple[int, ...]:
    every = list(indices)
    return tuple(sorted(rng.sample(every, rng.randint(1, len(every) - 1))))


def _carried(call: Call, kept: Kept) -> Iterable[list[tuple[Place, set[int]]]]:
    for tie in call.layout["ties"]:
        places = [place(one) for one in tie]
        known = next((kept[one] for one in places if one in kept), None)
        if known is not None:
            yield [(one, set(known)) for one in places]
    for link in call.layout["links"]:
        yield _linked(place(link["from"]), place(link["to"]), link["at"], kept)
    for run in call.layout["runs"]:
        sides = [[place(one) for one in run[side]] for side in ("source", "target")]
        yield _viewed(call, sides[0], sides[1], kept)
        yield _viewed(call, sides[1], sides[0], kept)
    for block in call.layout["blocks"]:
        yield _grouped(block, kept)


def _linked(start: Place, end: Place, at: list[int | None], kept: Kept) -> list[tuple[Place, set[int]]]:
    if end in kept:
        return [(start, {i for i, j in enumerate(at) if j is None or j in kept[end]})]
    if start not in kept:
        return []
    gone = {j for i, j in enumerate(at) if i not in kept[start] and j is not None}
    return [(end, {j for i, j in enumerate(at) if i in kept[start] and j is not None} or set(range(99)) - gone)]


def _viewed(call: Call, given: list[Place], asked: list[Place], kept: Kept) -> list[tuple[Place, set[int]]]:
    if not any(one in kept for one in given):
        return []
    positions = [0]
    for one in given:
        inner = kept.get(one, range(call.extent(one)))
        positions = [position * call.extent(one) + index for position in positions for index in inner]
    found: list[tuple[Place, set[int]]] = []
    width = 1
    for one in reversed(asked):
        found.append((one, {position // width % call.extent(one) for position in positions}))
        width *= call.extent(one)
    return found


def _grouped(block: dict[str, Any], kept: Kept) -> list[tuple[Place, set[int]]]:
    outer, inner, channels = (place(block[name]) for name in ("outer", "inner", "channels"))
    groups, width, extent = block["groups"], block["width"], block["extent"]
    if channels in kept and groups == 1:
        return [(inner, set(kept[channels]))]
    if channels in kept:
        whole = {group for group in range(groups) if all(group * width + j in kept[channels] for j in range(width))}
        return [(outer, {o for o in range(extent) if o * groups // extent in whole})]
    if inner in kept:
        return [(channels, {group * width + j for group in range(groups) for j in kept[inner]})]
    if outer in kept and groups > 1:
        return [(channels, {o * groups // extent * width + j for o in kept[outer] for j in range(width)})]
    return []


def spoil(call: Call, kept: Kept, rng: random.Random) -> Kept:
    """The same with one dimension cut otherwise, or no longer."""
    where = [one for one in call.places() if call.extent(one) > 1]
    one = rng.choice(where)
    changed = {other: indices for other, indices in kept.items() if other != one}
    return changed if one in kept and rng.random() < 0.5 else {**changed, one: _part(range(call.extent(one)), rng)}


def left(call: Call, kept: Kept, rng: random.Random) -> tuple[Called, list[Tensor]]:
    """The call on what is kept, its attributes as typing forces them where that is one number, and its targets."""
    sources = iter([_cut("source", port, one, kept) for port, one in enumerate(call.sources)])
    targets = [_cut("target", port, one, kept) for port, one in enumerate(call.targets)]
    arguments = tuple((name, _replaced(value, sources)) for name, value in call.called.arguments)
    forced = _forced(call, kept, dict(arguments), targets, rng)
    return attrs.evolve(
        call.called, arguments=tuple((name, forced.get(name, value)) for name, value in arguments)
    ), targets


def _cut(side: str, port: int, tensor: Tensor, kept: Kept) -> Tensor:
    return attrs.evolve(
        tensor, shape=tuple(len(kept.get((side, port, k), range(one))) for k, one in enumerate(tensor.shape))
    )


def _replaced(value: Any, sources: Any) -> Any:
    if is_list(value):
        return [_replaced(one, sources) for one in value]
    return next(sources) if isinstance(value, Tensor) else value


def _forced(
    call: Call, kept: Kept, arguments: dict[str, Any], targets: list[Tensor], rng: random.Random
) -> dict[str, Any]:
    name = call.called.name.split(".")[1]
    made = targets[0].shape
    if name in ("view", "reshape", "expand") or is_list(arguments.get("size")):
        return {"shape" if name == "reshape" else "size": list(made)}
    if name == "split_with_sizes":
        return {"split_sizes": [one.shape[arguments["dim"]] for one in targets]}
    if name == "slice":
        indices = kept.get(("source", 0, arguments["dim"]), range(10**6))
        return {bound: sum(index < arguments[bound] for index in indices) for bound in ("start", "end")}
    if name in ("repeat", "tile"):
        own: tuple[int, ...] = arguments["self"].shape
        shape = (*[1] * (len(made) - len(own)), *own)
        counts = [max(1, one // extent) for one, extent in zip(made, shape, strict=True)]
        return {"dims" if name == "tile" else "repeats": counts}
    if name == "repeat_interleave":
        where: int = arguments["dim"]
        own = arguments["self"].shape
        count = made[where] // own[where]
        return {"repeats": count, "output_size": None if arguments["output_size"] is None else made[where]}
    return _parted(call, arguments, targets, rng)


def _parted(call: Call, arguments: dict[str, Any], targets: list[Tensor], rng: random.Random) -> dict[str, Any]:
    if "num_groups" in arguments:
        size = call.sources[0].shape[1] // arguments["num_groups"]
        return {"num_groups": max(1, targets[0].shape[1] // size)}
    if "groups" in arguments:
        transposed = "transpose" in call.called.name
        channels = targets[0].shape[1] if transposed else arguments["input"].shape[1]
        return {"groups": max(1, channels // arguments["weight"].shape[1])}
    if "enable_gqa" in arguments and arguments["scale"] is None:
        return {"scale": rng.choice([None, 1 / math.sqrt(call.sources[0].shape[-1])])}
    return {}
