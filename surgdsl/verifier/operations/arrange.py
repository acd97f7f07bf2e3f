"""Rearranging: views, permutations, concatenations, slices, copies; ranges. Elements move, none is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from surgdsl.verifier.extent import LARGEST, Extent, integers, normal, product, terms, total
from surgdsl.verifier.operations.call import Call, dimension
from surgdsl.verifier.operations.letters import Indices, Letters, Map, Places, Sets, Shape
from surgdsl.verifier.operations.signature import POSITIONS, Cut, full
from surgdsl.verifier.reject import need

From = Callable[[int], int | None]
"""The index that an index comes from; none where it comes from nowhere."""


def row(rank: int, instead: Mapping[int, str] | None = None) -> Letters:
    """A letter of its own for each dimension, but where another is given; dimensions are counted from the back."""
    return tuple((instead or {}).get(at, f"a{at}") for at in range(-rank, 0))


def changed(call: Call, pieces: Sequence[Mapping[int, tuple[Extent, From | None]]]) -> Places:
    """One source, and targets that differ from it in the extents of some dimensions, which without a map are whole."""
    rank, mapped = len(call.shape), {at for piece in pieces for at, (_, to) in piece.items() if to}
    marks = {at: "s" if at in mapped else "S" for piece in pieces for at in piece}
    targets, sizes, maps = list[Letters](), dict[str, Extent](), list[Map]()
    for number, piece in enumerate(pieces):
        names = {at: f"{'t' if to else 'T'}{number}{at}" for at, (_, to) in piece.items()}
        sizes |= {name: piece[at][0] for at, name in names.items()}
        maps += [((number + 1, at), (0, at), to) for at, (_, to) in piece.items() if to]
        targets.append(row(rank, names))
    return Places((row(rank, {at: f"{mark}{at}" for at, mark in marks.items()}),), tuple(targets), sizes, tuple(maps))


def combined(outer: Iterable[int], inner: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The positions of pairs, row-major, in a product whose inner factor is of that size."""
    return tuple(one * size + other for one in outer for other in inner)


# Where an index comes from


def shift(before: Iterable[Extent], step: int = 1) -> From:
    """Behind those of other extents."""
    return lambda index: index * step + sum(map(int, before))


def modulo(extent: Extent) -> From:
    """Inside a block of some extent, the inner factor of a product."""
    return lambda index: index % int(extent)


def quotient(size: int) -> From:
    """Of a block of some size, the outer factor of a product."""
    return lambda index: index // size


def inside(before: int, extent: Extent) -> From:
    """Without a margin; none in a margin."""
    return lambda index: index - before if 0 <= index - before < int(extent) else None


# Views


def view(call: Call) -> Places:
    """The shape that is written out, or dimensions start … end merged; the product of extents is kept."""
    x, given = call.shape, call.values
    if "start_dim" in given:
        start, end = (dimension(given[name], len(x)) for name in ("start_dim", "end_dim"))
        need(start <= end, "V09", "flatten: start_dim lies behind end_dim")
        target: Shape = (*x[:start], product(*x[start : end + 1]), *x[end + 1 :])
    else:
        target = given["size" if "size" in given else "shape"]
    need(all(isinstance(extent, str) or extent >= 1 for extent in target), "V09", "view: a size is not an extent")
    need(product(*target) == product(*x), "V09", "view: the number of elements changes")
    sizes = {f"t{at}": extent for at, extent in enumerate(target)}
    return Places((row(len(x)),), (tuple(sizes),), sizes)


def reshaped(cut: Cut) -> bool:
    """In every run of dimensions with one product on both sides the kept row-major positions are the same."""
    (x, kept), (y, wanted) = (refined(*pair) for pair in zip(cut.shapes, cut.sets, strict=True))
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
    rank, given, letters = len(call.shape), call.values, row(len(call.shape))
    order = list(range(rank))
    if "dims" in given:
        order = [dimension(dim, rank) for dim in given["dims"]]
        need(sorted(order) == list(range(rank)), "V09", "permute: dims is no permutation")
    else:
        a, b = (dimension(given[name], rank) for name in ("dim0", "dim1"))
        order[a], order[b] = b, a
    return Places((letters,), (tuple(letters[at] for at in order),))


def squeezed(call: Call) -> Places:
    """The extents 1 taken out of some dimensions, or of all; what is longer there stays, and stays as it is."""
    x = call.shape
    letters = [f"a{at}" for at in range(len(x))]
    for at in call.dims(len(x)):
        letters[at] = "1" if x[at] == 1 else f"A{at}"
    return Places((tuple(letters),), (tuple(letter for letter in letters if letter != "1"),))


# Parts and wholes


def joined(call: Call) -> Places:
    """cat: equal but along dim, where extents add."""
    rank, count = len(call.shape), len(call.shapes)
    at = call.dims(rank)[0] - rank
    need(all(len(shape) == rank for shape in call.shapes), "V09", "cat: the sources do not fit")
    extents = [shape[at] for shape in call.shapes]
    maps = tuple(((number, at), (count, at), shift(extents[:number])) for number in range(count))
    sources = tuple(row(rank, {at: f"c{number}"}) for number in range(count))
    return Places(sources, (row(rank, {at: "t"}),), {"t": total(extents)}, maps)


def stacked(call: Call) -> Places:
    """Side by side along a new dimension."""
    return call.places("^>^T", {"T0": len(call.sorts)})


def split(call: Call) -> Places:
    """Consecutive pieces of the given sizes, which make up the whole."""
    at, sizes = call.dim, call.values["split_sizes"]
    need(total(sizes) == call.shape[at], "V09", "split: the pieces do not make up the whole")
    return changed(call, [{at: (size, shift(sizes[:number]))} for number, size in enumerate(sizes)])


def unbound(call: Call) -> Places:
    """A tensor for each index along dim, or for the one that is selected."""
    (extent,), index = integers([call.shape[call.dim]], "a dimension that is taken apart"), call.values.get("index", 0)
    need(-extent <= index < extent, "V09", "select: there is no such index")
    places = call.places("^W>^")
    return replace(places, targets=places.targets * (1 if "index" in call.values else extent))


def length(call: Call) -> int:
    """How many indices of dim start, end and step name: ⌈(end − start)/step⌉."""
    (start, end, step), extent = (call.values[name] for name in ("start", "end", "step")), call.shape[call.dim]
    fits = isinstance(extent, int) and 0 <= start < end <= extent and step >= 1
    need(fits, "V09", "slice: start, end or step does not fit")
    return -((start - end) // step)


def window(call: Call) -> Places:
    """slice: every step-th index from start on."""
    return changed(call, [{call.dim: (length(call), shift([call.values["start"]], call.values["step"]))}])


def scattered(call: Call) -> Places:
    """slice_scatter: the same with another tensor in the place of a slice."""
    return call.places("^S ^T>^S", {"T0": length(call)})


def unfolded(call: Call) -> Places:
    """unfold: windows of `size` indices along dim, `step` apart, in a last dimension of their own."""
    size, step, (extent,) = call.values["size"], call.values["step"], integers([call.shape[call.dim]], "unfold: dim")
    need(1 <= size <= extent and step >= 1, "V09", "unfold: size or step does not fit")
    places = call.places("^S>^T", {"T0": (extent - size) // step + 1, "U": size})
    return replace(places, targets=((*places.targets[0], "U"),))


# Copies


def expanded(call: Call) -> Places:
    """Extents of 1 grow to the sizes that are written out; −1 leaves one as it is."""
    x, size = call.shape, call.values["size"]
    fill = len(size) - len(x)
    need(fill >= 0 and -1 not in size[:fill], "V09", "expand: there are not enough sizes")
    sizes = {f"e{at}": x[at - fill] if extent == -1 else extent for at, extent in enumerate(size)}
    return Places((tuple(f"~{name}" for name in sizes)[fill:],), (tuple(sizes),), sizes)


def repeated(call: Call) -> Places:
    """repeat, tile: whole copies side by side, aligned from the right."""
    x, counts = call.shape, call.values["repeats"]
    counts = (1,) * (len(x) - len(counts) if "tile" in call.name else 0) + counts
    fill = len(counts) - len(x)
    need(fill >= 0 and all(type(n) is str or n >= 1 for n in counts), "V09", "repeat: a count is missing or not one")
    pairs = zip(range(-len(x), 0), x, counts[fill:], strict=True)
    places = changed(call, [{at: (product(n, extent), modulo(extent)) for at, extent, n in pairs}])
    more = {f"r{at}": n for at, n in enumerate(counts[:fill])}
    return replace(places, targets=((*more, *places.targets[0]),), sizes={**places.sizes, **more})


def interleaved(call: Call) -> Places:
    """repeat_interleave: each index several times along dim."""
    times, length = call.values["repeats"], call.values["output_size"]
    need(times >= 1, "V09", "repeat_interleave: nothing would be left")
    found = product(call.shape[call.dim], times)
    need(length in (None, found), "V09", "repeat_interleave: output_size is another")
    return changed(call, [{call.dim: (found, quotient(times))}])


def padded(call: Call) -> Places:
    """Each dimension longer by its margins, told from the last one backwards; a constant, or else it is whole."""
    x, pad, piece = call.shape, call.values["pad"], dict[int, tuple[Extent, From | None]]()
    mode = call.values.get("mode", "constant")
    need(mode in ("constant", "reflect", "replicate", "circular"), "V09", "pad: the mode is unknown")
    need(len(pad) % 2 == 0 and len(pad) // 2 <= len(x), "V09", "pad: margins come in pairs, one for each dimension")
    for at, (before, behind) in enumerate(zip(pad[::2], pad[1::2], strict=True), 1):
        constant = mode == "constant" and min(before, behind) >= 0
        if before or behind:
            piece[-at] = longer(x[-at], before + behind), inside(before, x[-at]) if constant else None
    return changed(call, [piece])


def longer(extent: Extent, more: int) -> Extent:
    """An extent and a number, which may be negative where the extent is an integer."""
    if isinstance(extent, int):
        return extent + more
    need(more >= 0, "V09", "positions are taken from a dimension of symbolic size")
    return total([extent, *[more] * (more > 0)])


def shuffled(call: Call) -> Places:
    """pixel_shuffle: [*, c·r·r, h, w] → [*, c, h·r, w·r]."""
    r = call.values["upscale_factor"]
    need(len(call.shape) >= 3, "V09", "pixel_shuffle: there are no channels")
    c, h, w = call.shape[-3:]
    (channels,) = integers([c], "channels")
    need(r >= 1 and channels % (r * r) == 0, "V09", "pixel_shuffle: the factor does not divide the channels")
    sizes: dict[str, Extent] = {"d": channels // r**2, "X": product(h, r), "Y": product(w, r)}
    return call.places("*cAB>*dXY", sizes, (((0, -3), (1, -3), quotient(r * r)),))


# Picking, sorting, taking differences


def indexed(call: Call, behind: int = 0) -> Places:
    """x[…, i, j, …]: the indices' common dimensions stand where the indexed ones did; in front if those are apart."""
    given, x, indices = call.values["indices"], call.shape, call.shapes[1 : len(call.shapes) - behind]
    need(any(given) and len(given) <= len(x), "V09", "index: more dimensions are indexed than there are")
    at = [place for place, tensor in enumerate(given) if tensor]
    width = max(map(len, indices))
    picks = tuple(f"#{index}" for index in reversed(range(width)))
    source = tuple(f"{'W' if place in at else 'a'}{place}" for place in range(len(x)))
    rest = [letter for letter in source if letter[0] == "a"]
    start = at[0] if at == list(range(at[0], at[-1] + 1)) else 0
    others = tuple(tuple(f"~{letter}" for letter in picks[width - len(shape) :]) for shape in indices)
    return Places((source, *others), ((*rest[:start], *picks, *rest[start:]),))


def put(call: Call) -> Places:
    """index_put: the same with other elements, which may be stretched, where the indices say."""
    places = indexed(call, 1)
    (picked,), rank = places.targets, len(call.shapes[-1])
    need(rank <= len(picked), "V09", "index_put: the values have more dimensions than what is indexed")
    values = tuple(f"~{letter}" for letter in picked)[len(picked) - rank :]
    return Places((*places.sources, values), places.sources[:1])


def ranked(call: Call) -> Places:
    """topk: the first k along dim."""
    (extent,), k = integers([call.shape[call.dim]], "topk: dim"), call.values["k"]
    need(1 <= k <= extent, "V09", "topk: fewer elements than are asked for")
    return call.places("^S>^T", {"T0": k})


def differences(call: Call) -> Places:
    """diff along dim, of what is put in front, the source and what is put behind."""
    alike = all(len(shape) == len(call.shape) for shape in call.shapes)
    need(call.values["n"] == 1 and alike, "V09", "diff: n is not 1, or a source has another rank")
    extents = integers((shape[call.dim] for shape in call.shapes), "the dimension of diff")
    return call.places("^S ^Y ^Z>^T", {"T0": sum(extents) - 1})


# Making


def ranged(call: Call) -> Places:
    """arange: start, start + step, … before end; ⌈(end − start)/step⌉ numbers, in float64 where one is a float."""
    start, end, step = (call.values.get(name, default) for name, default in (("start", 0), ("end", 0), ("step", 1)))
    found = end
    if isinstance(end, str):
        need((start, step) == (0, 1), "V09", "arange: bounds of extents do not fit")
    else:
        fits = not isinstance(start, str) and not isinstance(step, str) and step != 0
        need(fits and 0 < (end - start) / step < LARGEST, "V09", "arange: nothing, or too much, between the bounds")
        whole = all(isinstance(bound, int) for bound in (start, end, step))
        found = -((start - end) // step) if whole else math.ceil((end - start) / step)
    return Places((), (("A",),), {"A": found})
