"""Shapes and arguments with which an operator can be called, drawn at random.

One function for each kind of places on the page that is more than letters for single dimensions. It gives shapes for
tensors (a `Shape`, or a list of them) and plain values for the rest.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

Drawn = dict[str, Any]


class Shape(tuple[int, ...]):
    """The shape of a tensor, to be told from a list of integers."""

    __slots__ = ()


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a list, of whatever."""
    return isinstance(value, list)


def some(rng: random.Random, least: int = 0, most: int = 3) -> list[int]:
    """Some small extents."""
    return [rng.randint(1, 4) for _ in range(rng.randint(least, most))]


def _axis(rng: random.Random, rank: int) -> int:
    return rng.randrange(-rank, rank)


def _axes(rng: random.Random, rank: int) -> list[int]:
    chosen = rng.sample(range(rank), rng.randint(1, rank))
    return [one - rank if rng.random() < 0.3 else one for one in chosen]


def _view(rng: random.Random, name: str) -> Drawn:
    x = some(rng, 1, 4)
    if "flatten" in name:
        start, end = sorted(rng.choices(range(len(x)), k=2))
        return {"self": Shape(x), "start_dim": start - len(x), "end_dim": end}
    made = list(x)
    rng.shuffle(made)
    if len(made) > 1 and rng.random() < 0.7:
        made[:2] = [made[0] * made[1]]
    return {"self": Shape(x), "shape" if "reshape" in name else "size": made}


def _permute(rng: random.Random, name: str) -> Drawn:
    x = some(rng, 1, 4)
    if "transpose" in name:
        return {"self": Shape(x), "dim0": _axis(rng, len(x)), "dim1": _axis(rng, len(x))}
    return {"self": Shape(x), "dims": rng.sample(range(len(x)), len(x))}


def _unsqueeze(rng: random.Random, _name: str) -> Drawn:
    x = some(rng)
    return {"self": Shape(x), "dim": _axis(rng, len(x) + 1)}


def _squeeze(rng: random.Random, name: str) -> Drawn:
    x = [rng.choice([1, 1, 3]) for _ in range(rng.randint(1, 4))]
    return {"self": Shape(x), "dim": _axes(rng, len(x)) if "dims" in name else _axis(rng, len(x))}


def _cat(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = rng.randrange(len(x))
    parts = [Shape([*x[:where], rng.randint(1, 4), *x[where + 1 :]]) for _ in range(rng.randint(1, 3))]
    return {"tensors": parts, "dim": where - rng.choice([0, len(x)])}


def _stack(rng: random.Random, _name: str) -> Drawn:
    x = some(rng)
    return {"tensors": [Shape(x)] * rng.randint(1, 3), "dim": _axis(rng, len(x) + 1)}


def _split(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    sizes = some(rng, 1)
    where = rng.randrange(len(x))
    return {"self": Shape([*x[:where], sum(sizes), *x[where + 1 :]]), "split_sizes": sizes, "dim": where}


def _slice(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = rng.randrange(len(x))
    start = rng.randrange(x[where])
    return {
        "self": Shape(x),
        "dim": where,
        "start": start,
        "end": rng.randint(start + 1, x[where]),
        "step": rng.randint(1, 3),
    }


def _unbind(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = _axis(rng, len(x))
    return {"self": Shape(x), "dim": where, "index": rng.randrange(-x[where], x[where])}


def _expand(rng: random.Random, _name: str) -> Drawn:
    made = some(rng, 1, 4)
    own = [rng.choice([one, one, 1]) for one in made][rng.randint(0, len(made)) :]
    lead = len(made) - len(own)
    size = [-1 if k >= lead and own[k - lead] == one and rng.random() < 0.3 else one for k, one in enumerate(made)]
    return {"self": Shape(own), "size": size}


def _repeat(rng: random.Random, name: str) -> Drawn:
    x = some(rng)
    return {
        "self": Shape(x),
        "dims" if "tile" in name else "repeats": [rng.randint(1, 3) for _ in range(len(x) + rng.randint(0, 2))],
    }


def _interleave(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    return {"self": Shape(x), "repeats": rng.randint(1, 3), "dim": _axis(rng, len(x))}


def _pad(rng: random.Random, name: str) -> Drawn:
    x = [rng.randint(4, 6) for _ in range(4)]
    modes = ["reflect", "replicate", "circular"]
    mode = "constant" if "constant" in name else rng.choice(["constant", "constant", *modes])
    margins = rng.choices([0, 1, 2, -1], k=2 * rng.randint(1, 4)) if mode == "constant" else rng.choices([0, 1, 2], k=4)
    return {"self": Shape(x), "pad": margins, **({} if "constant" in name else {"mode": mode})}


def _shuffle(rng: random.Random, _name: str) -> Drawn:
    factor = rng.randint(1, 3)
    return {
        "self": Shape([*some(rng, 0, 2), rng.randint(1, 3) * factor**2, *some(rng, 2, 2)]),
        "upscale_factor": factor,
    }


def _index(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1, 4)
    grid = some(rng, 0, 2)
    holes = [
        None if rng.random() < 0.4 else Shape(rng.choice([grid, [1] * len(grid), grid[1:]]))
        for _ in range(rng.randint(1, len(x)))
    ]
    return {"self": Shape(x), "indices": [Shape(grid), *holes[1:]]}


def _pick(rng: random.Random, name: str) -> Drawn:
    x = some(rng, 1)
    where = _axis(rng, len(x))
    chosen = list(x)
    chosen[where] = rng.randint(1, 4)
    return {"self": Shape(x), "dim": where, "index": Shape(chosen if "gather" in name else [chosen[where]])}


def _fill(rng: random.Random, _name: str) -> Drawn:
    return {"self": Shape(some(rng)), "size": some(rng)}


def _range(rng: random.Random, name: str) -> Drawn:
    start, count, step = rng.randint(-3, 3), rng.randint(1, 5), rng.choice([1, 2, -1, 0.5])
    if "start_step" not in name:
        step = 1
    return {"start": start, "end": start + count * step if "start" in name else count, "step": step}


def _over(rng: random.Random, name: str) -> Drawn:
    x = some(rng, 1)
    single = any(word in name for word in ("dim_int", "max.dim", "min.dim", "argm", "any.dim", "all.dim"))
    return {
        "self": Shape(x),
        "dim": _axis(rng, len(x)) if single else _axes(rng, len(x)),
        "keepdim": rng.random() < 0.5,
    }


def _along(rng: random.Random, name: str) -> Drawn:
    x = some(rng, 1)
    if "flip" in name or "roll" in name:
        dims = _axes(rng, len(x))
        return {"self": Shape(x), "dims": dims, "shifts": [rng.randint(-2, 2) for _ in dims]}
    return {"self": Shape(x), "dim": _axis(rng, len(x))}


def _topk(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = _axis(rng, len(x))
    return {"self": Shape(x), "dim": where, "k": rng.randint(1, x[where])}


def _diff(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = rng.randrange(len(x))
    others = [Shape([*x[:where], rng.randint(1, 3), *x[where + 1 :]]) for _ in range(2)]
    x[where] += 1
    return {
        "self": Shape(x),
        "dim": where,
        "prepend": rng.choice([None, others[0]]),
        "append": rng.choice([None, others[1]]),
    }


def _histogram(rng: random.Random, _name: str) -> Drawn:
    return {"self": Shape(some(rng)), "bins": rng.randint(1, 4), "min": -2, "max": 3}


def _vector(rng: random.Random, name: str) -> Drawn:
    return {**_over(rng, name), "ord": rng.choice([2, 0, 1.5, -1])}


def _scatter(rng: random.Random, name: str) -> Drawn:
    drawn = _slice(rng, name)
    made = list(drawn["self"])
    made[drawn["dim"]] = -((drawn["start"] - drawn["end"]) // drawn["step"])
    return {**drawn, "src": Shape(made)}


def _unfold(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1)
    where = _axis(rng, len(x))
    return {"self": Shape(x), "dimension": where, "size": rng.randint(1, x[where]), "step": rng.randint(1, 3)}


def _put(rng: random.Random, _name: str) -> Drawn:
    x = some(rng, 1, 3)
    grid = some(rng, 0, 2)
    holes = [None if rng.random() < 0.4 else Shape(grid) for _ in range(rng.randint(1, len(x)) - 1)]
    named = [0, *(k + 1 for k, one in enumerate(holes) if one is not None)]
    front = named[0] if named[-1] - named[0] == len(named) - 1 else 0
    left = [x[k] for k in range(len(x)) if k not in named]
    made = [*left[:front], *grid, *left[front:]]
    values = [rng.choice([1, one, one]) for one in made][rng.randint(0, len(made)) if rng.random() < 0.3 else 0 :]
    return {"self": Shape(x), "indices": [Shape(grid), *holes], "values": Shape(values)}


ARRANGING: Mapping[str, Callable[[random.Random, str], Drawn]] = {
    "#>[Bins]": _histogram,
    ".>[size]": _fill,
    "^>^1": _unsqueeze,
    "^W I0>^I": _pick,
    "^W ^I>^I": _pick,
    "^W>^": _over,
    "^W>^W": _along,
    "^w>^": _over,
    "^w>^w": _along,
    "<cat>": _cat,
    "<diff>": _diff,
    "<expand>": _expand,
    "<index>": _index,
    "<interleave>": _interleave,
    "<pad>": _pad,
    "<permute>": _permute,
    "<put>": _put,
    "<range>": _range,
    "<repeat>": _repeat,
    "<scatter>": _scatter,
    "<shuffle>": _shuffle,
    "<slice>": _slice,
    "<split>": _split,
    "<squeeze>": _squeeze,
    "<stack>": _stack,
    "<topk>": _topk,
    "<unbind>": _unbind,
    "<unfold>": _unfold,
    "<vector>": _vector,
    "<view>": _view,
}
