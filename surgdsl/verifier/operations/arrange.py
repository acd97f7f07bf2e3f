"""Rearranging: views, permutations, concatenations, slices, copies. Elements move, none is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from surgdsl.verifier.extent import Extent, integers, normal, product, terms, total
from surgdsl.verifier.operations.letters import Indices, Letters, Map, Places, Sets, Shape
from surgdsl.verifier.operations.signature import Call, Cut, dimension, full
from surgdsl.verifier.reject import need

POSITIONS = 1 << 24


def row(rank: int, **instead: str) -> Letters:
    """A letter of its own for each dimension, but where another is given: `at3="?s"`."""
    return tuple(instead.get(f"at{at}", f"a{at}") for at in range(rank))


def moved(letters: Letters, order: Iterable[int]) -> Places:
    """One source, whose dimensions stand in another order afterwards, or are not all there."""
    return Places((letters,), (tuple(letters[at] for at in order),))


def resized(call: Call, at: int, sizes: Sequence[Extent], maps: Callable[[int], Callable[[int], int | None]]) -> Places:
    """One source, and targets that differ from it along one dimension; `maps` gives for each where it is from."""
    source = row(len(call.shape()), **{f"at{at}": "?s"})
    targets = tuple((*source[:at], f"?t{number}", *source[at + 1 :]) for number in range(len(sizes)))
    found = tuple(((number + 1, at), (0, at), maps(number)) for number in range(len(sizes)))
    return Places((source,), targets, {f"t{number}": size for number, size in enumerate(sizes)}, found)


def combined(outer: Iterable[int], inner: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The positions of pairs, row-major, in a product whose inner factor is of that size."""
    return tuple(one * size + other for one in outer for other in inner)


# Views


def view(call: Call) -> Places:
    """The shape that is written out, or dimensions start … end merged; the product of extents is kept."""
    x, given = call.shape(), call.values
    if "start_dim" in given:
        start, end = (call.dimension(name) for name in ("start_dim", "end_dim"))
        need(start <= end, "V09", "flatten: start_dim lies behind end_dim")
        target: Shape = (*x[:start], product(*x[start : end + 1]), *x[end + 1 :])
    else:
        target = given["size"] if "size" in given else given["shape"]
    need(all(isinstance(extent, str) or extent >= 1 for extent in target), "V09", "view: a size is not an extent")
    need(product(*target) == product(*x), "V09", "view: the number of elements changes")
    sizes = {f"t{at}": extent for at, extent in enumerate(target)}
    return Places((tuple(f"?s{at}" for at in range(len(x))),), (tuple(f"?{name}" for name in sizes),), sizes)


def reshaped(cut: Cut) -> bool:
    """In every run of dimensions with one product on both sides the kept row-major positions are the same."""
    (x, kept), (y, wanted) = (refined(*pair) for pair in zip(cut.shapes, (*cut.sources, *cut.targets), strict=True))
    ends, others = (list(accumulate(shape, product)) for shape in (x, y))
    shared = [(ends.index(p) + 1, others.index(p) + 1) for p in dict.fromkeys(ends) if p in others]
    return all(
        positions(x[a:c], kept[a:c]) == positions(y[b:d], wanted[b:d])
        for (a, b), (c, d) in zip([(0, 0), *shared], [*shared, (len(x), len(y))], strict=True)
    )


def refined(shape: Shape, kept: Sets) -> tuple[Shape, Sets]:
    """A shape in which a multiple of symbols is two dimensions, the symbols and the number: both are whole."""
    found = list[tuple[Extent, Indices]]()
    for extent, some in zip(shape, kept, strict=True):
        (symbols, number), *others = terms(extent).items()
        apart = bool(symbols) and number > 1 and not others and some is None
        found += [(normal({symbols: 1}), None), (number, None)] if apart else [(extent, some)]
    return tuple(extent for extent, _ in found), tuple(some for _, some in found)


def positions(shape: Shape, kept: Sets) -> tuple[int, ...] | None:
    """Row-major positions of the elements whose every index is kept; None where all are."""
    if not any(kept):
        return None
    lists = [full(indices, extent) for indices, extent in zip(kept, shape, strict=True)]
    need(math.prod(map(len, lists)) <= POSITIONS, "V20", "a view has too many positions to compare")
    found: tuple[int, ...] = (0,)
    for extent, indices in zip(shape, lists, strict=True):
        found = combined(found, indices, int(extent))
    return found


def permuted(call: Call) -> Places:
    """Dimensions in another order: as `dims` says, or two of them exchanged."""
    rank, given = len(call.shape()), call.values
    order = list(range(rank))
    if "dims" in given:
        order = [dimension(dim, rank) for dim in given["dims"]]
        need(sorted(order) == list(range(rank)), "V09", "permute: dims is no permutation")
    else:
        a, b = (call.dimension(name) for name in ("dim0", "dim1"))
        order[a], order[b] = b, a
    return moved(row(rank), order)


def unsqueezed(call: Call) -> Places:
    """An extent 1 put in."""
    letters, at = row(len(call.shape())), call.dimension(more=1)
    return Places((letters,), ((*letters[:at], "1", *letters[at:]),))


def squeezed(call: Call) -> Places:
    """The extents 1 taken out of some dimensions, or of all; what is longer there stays, and stays as it is."""
    x, dims = call.shape(), call.values.get("dim", tuple(range(len(call.shape()))))
    chosen = {dimension(dim, len(call.shape())) for dim in ((dims,) if type(dims) is int else dims)}
    letters = row(len(x), **{f"at{at}": "1" if x[at] == 1 else f"A{at}" for at in chosen})
    return moved(letters, [at for at in range(len(x)) if letters[at] != "1"])


# Parts and wholes


def joined(call: Call) -> Places:
    """cat: equal but along dim, where extents add."""
    at, rank, count = call.dimension(), len(call.shape()), len(call.shapes)
    need(all(len(shape) == rank for shape in call.shapes), "V09", "cat: the sources do not fit")
    sources = tuple(row(rank, **{f"at{at}": f"?c{number}"}) for number in range(count))
    extents = [shape[at] for shape in call.shapes]
    maps = tuple(((number, at), (count, at), shift(extents[:number])) for number in range(count))
    return Places(sources, (row(rank, **{f"at{at}": "?t"}),), {"t": total(extents)}, maps)


def shift(before: Sequence[Extent]) -> Callable[[int], int]:
    """Indices behind those of other extents."""
    return lambda index: index + sum(map(int, before))


def stacked(call: Call) -> Places:
    """Side by side along a new dimension."""
    letters, at = row(len(call.shape())), call.dimension(more=1)
    target = (*letters[:at], "T", *letters[at:])
    return Places((letters,) * len(call.sorts), (target,), {"T": len(call.sorts)})


def split(call: Call) -> Places:
    """Consecutive pieces of the given sizes, which make up the whole."""
    at, sizes = call.dimension(), call.values["split_sizes"]
    need(total(sizes) == call.shape()[at], "V09", "split: the pieces do not make up the whole")
    return resized(call, at, sizes, lambda number: shift(sizes[:number]))


def unbound(call: Call) -> Places:
    """A tensor for each index along dim, or for the one that is selected."""
    at, x = call.dimension(), call.shape()
    (extent,) = integers(x[at : at + 1], "a dimension that is taken apart")
    index = call.values.get("index", 0)
    need(-extent <= index < extent, "V09", "select: there is no such index")
    places = moved(row(len(x), **{f"at{at}": "W"}), [other for other in range(len(x)) if other != at])
    return Places(places.sources, places.targets * (1 if "index" in call.values else extent))


def window(call: Call) -> Places:
    """slice: ⌈(end − start)/step⌉ along dim."""
    at, (start, end, step) = call.dimension(), (call.values[name] for name in ("start", "end", "step"))
    extent = call.shape()[at]
    fits = isinstance(extent, int) and 0 <= start < end <= extent and step >= 1
    need(fits, "V09", "slice: start, end or step does not fit")
    return resized(call, at, [-((start - end) // step)], lambda _: lambda index: start + index * step)


# Copies


def expanded(call: Call) -> Places:
    """Extents of 1 grow to the sizes that are written out; −1 leaves one as it is."""
    x, size = call.shape(), call.values["size"]
    fill = len(size) - len(x)
    need(fill >= 0 and -1 not in size[:fill], "V09", "expand: there are not enough sizes")
    sizes = {f"e{at}": x[at - fill] if extent == -1 else extent for at, extent in enumerate(size)}
    letters = tuple(f"~{name}" for name in sizes)
    return Places((letters[fill:],), (tuple(sizes),), sizes)


def repeated(call: Call) -> Places:
    """repeat, tile: whole copies side by side, aligned from the right."""
    x, counts = call.shape(), call.values["repeats"]
    counts = (1,) * (len(x) - len(counts) if "tile" in call.name else 0) + counts
    fill = len(counts) - len(x)
    need(fill >= 0 and all(type(n) is str or n >= 1 for n in counts), "V09", "repeat: a count is missing or not one")
    sizes = {f"r{at}": product(n, *x[max(at - fill, 0) : at - fill + 1]) for at, n in enumerate(counts)}
    source = tuple(f"?s{at}" for at in range(len(x)))
    maps = tuple(((1, fill + at), (0, at), modulo(extent)) for at, extent in enumerate(x))
    return Places((source,), (tuple(f"?{name}" for name in sizes),), sizes, maps)


def modulo(extent: Extent) -> Callable[[int], int]:
    """The index inside a block of some extent, the inner factor of a product."""
    return lambda index: index % int(extent)


def quotient(size: int) -> Callable[[int], int]:
    """The index of a block of some size, the outer factor of a product."""
    return lambda index: index // size


def interleaved(call: Call) -> Places:
    """repeat_interleave: each index several times along dim."""
    at, times, extent = call.dimension(), call.values["repeats"], call.shape()[call.dimension()]
    need(times >= 1, "V09", "repeat_interleave: nothing would be left")
    length = product(extent, times)
    need(call.values["output_size"] in (None, length), "V09", "repeat_interleave: output_size is another")
    return resized(call, at, [length], lambda _: quotient(times))


def padded(call: Call) -> Places:
    """Each dimension longer by its margins, told from the last one backwards; a constant, or else it is whole."""
    x, pad = call.shape(), call.values["pad"]
    need(len(pad) % 2 == 0 and len(pad) // 2 <= len(x), "V09", "pad: margins come in pairs, one for each dimension")
    letters, target, sizes, maps = list(row(len(x))), list(row(len(x))), dict[str, Extent](), list[Map]()
    for at, before, behind in zip(range(len(x) - 1, -1, -1), pad[::2], pad[1::2], strict=False):
        if before or behind:
            constant = call.values.get("mode", "constant") == "constant" and min(before, behind) >= 0
            letters[at], target[at] = (f"?s{at}", f"?t{at}") if constant else (f"S{at}", f"T{at}")
            sizes[target[at].lstrip("?")] = longer(x[at], before + behind)
            maps += [((1, at), (0, at), inside(before, x[at]))]
    return Places((tuple(letters),), (tuple(target),), sizes, tuple(maps))


def inside(before: int, extent: Extent) -> Callable[[int], int | None]:
    """The index without a margin; none in a margin."""
    return lambda index: index - before if 0 <= index - before < int(extent) else None


def longer(extent: Extent, more: int) -> Extent:
    """An extent and a number, which may be negative where the extent is an integer."""
    if isinstance(extent, int):
        return extent + more
    need(more >= 0, "V09", "positions are taken from a dimension of symbolic size")
    return total([extent, *[more] * (more > 0)])


def shuffled(call: Call) -> Places:
    """pixel_shuffle: [*, c·r·r, h, w] → [*, c, h·r, w·r]."""
    r, rank = call.values["upscale_factor"], len(call.shape())
    need(rank >= 3, "V09", "pixel_shuffle: there are no channels")
    *_, c, h, w = call.shape()
    (channels,) = integers([c], "channels")
    need(r >= 1 and channels % (r * r) == 0, "V09", "pixel_shuffle: the factor does not divide the channels")
    source = row(rank, **{f"at{rank - 3}": "?c", f"at{rank - 2}": "H", f"at{rank - 1}": "W"})
    sizes: dict[str, Extent] = {"d": channels // r**2, "X": product(h, r), "Y": product(w, r)}
    maps: tuple[Map, ...] = (((0, rank - 3), (1, rank - 3), quotient(r**2)),)
    return Places((source,), ((*source[:-3], "?d", "X", "Y"),), sizes, maps)


# Picking


def indexed(call: Call) -> Places:
    """x[…, i, j, …]: the indices' common dimensions stand where the indexed ones did; in front if those are apart."""
    given, x = call.values["indices"], call.shape()
    need(any(given) and len(given) <= len(x), "V09", "index: more dimensions are indexed than there are")
    at = [place for place, tensor in enumerate(given) if tensor]
    width = max(len(shape) for shape in call.shapes[1:])
    picks = tuple(f"#{index}" for index in reversed(range(width)))
    rest = [f"a{place}" for place in range(len(x)) if place not in at]
    start = at[0] if at == list(range(at[0], at[-1] + 1)) else 0
    source = row(len(x), **{f"at{place}": f"W{place}" for place in at})
    others = tuple(tuple(f"~{letter}" for letter in picks[width - len(shape) :]) for shape in call.shapes[1:])
    return Places((source, *others), ((*rest[:start], *picks, *rest[start:]),))


def picked(call: Call) -> Places:
    """index_select, gather: positions along dim that a tensor of numbers says."""
    at, (x, index) = call.dimension(), call.shapes
    if call.name.startswith("aten.index_select"):
        source = row(len(x), **{f"at{at}": "W"})
        return Places((source, ("I",)), ((*source[:at], "I", *source[at + 1 :]),))
    pairs = enumerate(zip(x, index, strict=False))
    fits = len(index) == len(x) and all(place == at or a == b for place, (a, b) in pairs)
    need(fits, "V09", "gather: the index does not fit")
    source, target = (row(len(x), **{f"at{at}": letter}) for letter in "WI")
    return Places((source, target), (target,))
