"""Contractions whose letters depend on the call: matrix products, einsum, attention, recurrent layers."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from surgdsl.verifier.extent import Extent, product
from surgdsl.verifier.operations.arrange import modulo, quotient
from surgdsl.verifier.operations.call import Call
from surgdsl.verifier.operations.letters import Letters, Places
from surgdsl.verifier.operations.signature import Cut
from surgdsl.verifier.reject import need


def matmul(call: Call) -> Places:
    """Rows times columns over batches that broadcast; a vector is a row or a column."""
    left, right = (len(shape) for shape in call.shapes)
    need(min(left, right) >= 1, "V09", "matmul: a source has no dimension")
    sides = "~*li" if left > 1 else "i", "~*ir" if right > 1 else "i"
    return call.places(f"{' '.join(sides)}>*{'l' * (left > 1)}{'r' * (right > 1)}")


def einsum(call: Call) -> Places:
    """Two sources by an equation of letters, `...` among them; a sum over one of them alone is no product."""
    equation = re.sub(r"\s", "", call.values["equation"]).replace("*", "?").replace("...", "*")
    plain = re.fullmatch(r"([*a-zA-Z]+),([*a-zA-Z]+)->([*a-zA-Z]*)", equation)
    need(plain is not None and len(call.sorts) == 2, "V09", "einsum: the equation is not of two sources and a target")
    terms = plain.groups() if plain else ()
    need(all(len({*term}) == len(term) for term in terms), "V09", "einsum: a letter stands twice in a term")
    letters = sorted({*"".join(terms)} - {"*"})
    need(len(letters) <= 26, "V09", "einsum: too many letters")
    low = {letter: chr(97 + at) for at, letter in enumerate(letters)} | {"*": "~*"}
    *sources, target = ("".join(low[letter] for letter in term) for term in terms)
    return replace(call, order=(0, 1)).places(f"{' '.join(sources)}>{target.replace('~', '') or '_'}")


def product_of_two(call: Call, places: Places) -> list[Extent]:
    """The cost of an einsum: all letters, when a letter of both sources, of an extent other than 1, is summed over."""
    extents = places.extents(call.shapes)
    left, right = ({letter.lstrip("~") for letter in letters} for letters in places.sources)
    summed = {letter for letter in (left | right).difference(places.targets[0]) if extents[letter] != 1}
    need(summed <= left & right, "V09", "einsum: a letter of one source alone is summed over")
    return [product(*(extents[letter] for letter in left | right))] if summed else []


def attention(call: Call) -> Places:
    """softmax(q·kᵀ·scale + mask)·v; with `enable_gqa` several heads of q share one of k and v."""
    need(call.values["dropout_p"] == 0, "V09", "attention: dropout is in use")
    masked = len(call.shapes) == 4
    need(not (masked and call.values["is_causal"]), "V09", "attention: a mask is causal already, or stands alone")
    rows = "L" if masked or call.values["is_causal"] else "l"
    if not call.values["enable_gqa"]:
        return call.places(f"~*{rows}e ~*Se ~*Sv ~*~L~S>*{rows}v")
    need(all(len(shape) == 4 for shape in call.shapes[:3]), "V09", "attention: grouped queries have four dimensions")
    heads, groups = (shape[1] for shape in call.shapes[:2])
    fits = isinstance(heads, int) and isinstance(groups, int) and heads % groups == 0
    need(fits, "V09", "attention: the heads do not group")
    times = quotient(int(heads) // int(groups) if fits else 1)
    return call.places(f"bh{rows}e bgSe bgSv ~b~h~L~S>bh{rows}v", {}, (((0, 1), (1, 1), times),))


def scaled(cut: Cut) -> bool:
    """The scale is that of the width before."""
    before, after, width = cut.before.values["scale"], cut.after.values["scale"], cut.shapes[0][-1]
    if before is None and isinstance(width, int) and after == 1 / math.sqrt(width):
        return True
    return after == before and (before is not None or cut.sets[0][-1] is None)


def layers(call: Call) -> Places:
    """lstm, gru, rnn: in each layer and direction k gates of w_ih[k·h, i], w_hh[k·h, h], and biases [k·h]."""
    given, count = call.values, 4 if ".lstm" in call.name else 3 if ".gru" in call.name else 1
    states, rank = (2 if count == 4 else 1), len(call.shape)
    still = not given["train"] or given["dropout"] == 0
    need(still and rank == len(call.shapes[1]) == 3, "V09", "a recurrence has another rank, or dropout")
    ways, per = 1 + given["bidirectional"], 2 + 2 * given["has_biases"]
    cells, hidden = given["num_layers"] * ways, call.shapes[1][-1]
    need(len(call.sorts) == 1 + states + cells * per, "V09", "a recurrence has another number of weights")
    x: Letters = ("b", "T", "i") if given["batch_first"] else ("T", "b", "i")
    state, sources = ("C", "b", "h"), list[Letters]()
    for cell in range(cells):
        gates = [f"g{4 * cell + at}" for at in range(4)]
        inner = "i" if cell < ways else f"d{cell}"
        sources += [(gates[0], inner), (gates[1], "h"), (gates[2],), (gates[3],)][:per]
    ends = ((*x[:2], "d"), *(state,) * states)
    ports = enumerate((x, *ends[1:], *sources, *ends))
    blocks = [(port, at, one) for port, letters in ports for at, one in enumerate(letters) if one[0] in "dg"]
    sizes = {one: product(count if one[0] == "g" else ways, hidden) for _, _, one in blocks} | {"C": cells}
    maps = tuple(((port, at), (1, 2), modulo(hidden)) for port, at, _ in blocks)
    return Places((x, *ends[1:], *sources), ends, sizes, maps)


def steps(call: Call, places: Places) -> list[Extent]:
    """Every matrix once for every position of x in time and batch."""
    del places
    return [product(*call.shape[:2], *shape) for shape in call.shapes[1:] if len(shape) == 2]
