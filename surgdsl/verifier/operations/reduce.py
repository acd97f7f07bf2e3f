"""Operations over dimensions: sums take them away, softmax works along them, sorting makes them another."""

from __future__ import annotations

from surgdsl.verifier.extent import integers
from surgdsl.verifier.operations.arrange import longer, row
from surgdsl.verifier.operations.letters import Places
from surgdsl.verifier.operations.signature import Call, dimension
from surgdsl.verifier.reject import need


def over(call: Call) -> frozenset[int]:
    """The dimensions that are worked over: all where none is given."""
    rank, given = len(call.shape()), call.values.get("dim")
    if given is None:
        return frozenset(range(rank))
    found = [dimension(dim, rank) for dim in ((given,) if type(given) is int else given)]
    need(bool(found) and len(set(found)) == len(found), "V09", "dim is empty or repeats itself")
    return frozenset(found)


def reduced(call: Call, mark: str = "W") -> Places:
    """The source without the dimensions worked over, or with extents 1 there."""
    dims, keep, rank = over(call), call.values.get("keepdim", False), len(call.shape())
    source = row(rank, **{f"at{at}": f"{mark}{at}" for at in dims})
    return Places(
        (source,), (tuple("1" if at in dims else source[at] for at in range(rank) if keep or at not in dims),)
    )


def summed(call: Call) -> Places:
    """As `reduced`; what is zero adds nothing, so that the dimensions need not be whole."""
    return reduced(call, "w")


def along(call: Call) -> Places:
    """The shape of the source; the dimensions worked over are whole."""
    letters = row(len(call.shape()), **{f"at{at}": f"W{at}" for at in over(call)})
    return Places((letters,), (letters,))


def running(call: Call) -> Places:
    """cumsum: the shape of the source; what is zero adds nothing, so that no dimension need be whole."""
    need(bool(over(call)), "V09", "there is no dimension")
    return Places((row(len(call.shape())),), (row(len(call.shape())),))


def ranked(call: Call) -> Places:
    """topk: the first k along dim."""
    at, k = call.dimension(), call.values["k"]
    extent = call.shape()[at]
    need(k >= 1 and (not isinstance(extent, int) or k <= extent), "V09", "topk: fewer elements than are asked for")
    source, target = (row(len(call.shape()), **{f"at{at}": letter}) for letter in "ST")
    return Places((source,), (target,), {"T": k})


def differences(call: Call) -> Places:
    """diff along dim, of what is put in front, the source and what is put behind."""
    at = call.dimension()
    need(
        call.values["n"] == 1 and all(len(shape) == len(call.shape()) for shape in call.shapes),
        "V09",
        "diff: n is not 1",
    )
    extents = integers((shape[at] for shape in call.shapes), "the dimension of diff")
    sources = tuple(row(len(shape), **{f"at{at}": f"C{number}"}) for number, shape in enumerate(call.shapes))
    target = (*sources[0][:at], "T", *sources[0][at + 1 :])
    return Places(sources, (target,), {"T": longer(sum(extents), -1)})
