"""Paging: large arrays live on the disk, and take memory only while they are looked at.

The operating system counts every page of a mapped file that was ever touched to the process; giving pages back when a
tensor is done with keeps the peak at one layer, whatever the size of the model.
"""

from __future__ import annotations

import mmap
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from attrs import define, evolve, field, frozen

from surgdsl.bridge.weight import Array, Weight, is_stand_in

LARGE = 1 << 20
"""Bytes: what is smaller is not worth a call of the system."""
REGION = 1 << 30


def release(array: Array) -> None:
    """Give the pages of a mapped array back; they are read again when they are looked at. Does nothing to others."""
    file = _mapping(array)
    if file is None or array.nbytes < LARGE or not array.flags.c_contiguous:
        return
    origin = np.frombuffer(file, np.uint8).__array_interface__["data"][0]
    start = array.__array_interface__["data"][0] - origin
    first = start - start % mmap.PAGESIZE
    file.madvise(mmap.MADV_DONTNEED, first, start + array.nbytes - first)


def _mapping(array: Array) -> mmap.mmap | None:
    """The read-only mapping of a file in which an array lies."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = cast("Array", base).base
    if isinstance(base, memoryview):  # as which numpy holds a mapping
        base = base.obj
    return base if isinstance(base, mmap.mmap) else None


def runs(array: Array, size: int = LARGE) -> Iterator[Array]:
    """A row-major array in flat runs of at most `size` bytes, so that what is computed of it stays small."""
    flat = array.reshape(-1)
    step = max(1, size // max(1, array.itemsize))
    return (flat[start : start + step] for start in range(0, flat.size, step))


@define(eq=False)
class _Region:
    """A sparse file, mapped whole, and how much of it is taken."""

    file: IO[bytes]
    data: mmap.mmap
    taken: int = 0


@frozen(eq=False)
class Scratch:
    """Files without names, into which large new tensors are moved; they are gone with the process."""

    folder: Path = field(factory=lambda: Path(tempfile.gettempdir()))
    regions: list[_Region] = field(factory=list[_Region], repr=False)

    def moved(self, weight: Weight) -> Weight:
        """The weight with its large parts on the disk, byte for byte the same.

        Raises:
            OSError: the disk would not take them.
        """
        large = {role: self._mapped(part) for role, part in weight.parts.items() if self._fits(part)}
        return evolve(weight, parts={**weight.parts, **large}) if large else weight

    def _fits(self, part: Array) -> bool:
        return part.nbytes >= LARGE and not is_stand_in(part) and _mapping(part) is None

    def _mapped(self, part: Array) -> Array:
        region = self._region(part.nbytes)
        start, region.taken = region.taken, region.taken + part.nbytes + -part.nbytes % mmap.PAGESIZE
        region.file.seek(start)
        region.file.writelines(np.ascontiguousarray(one).view(np.uint8).data for one in runs(part))
        region.file.flush()
        return np.frombuffer(region.data, part.dtype, part.size, start).reshape(part.shape)

    def _region(self, size: int) -> _Region:
        """The last region, or a new one where that is full: a mapping holds a descriptor, and those are few."""
        if not self.regions or self.regions[-1].taken + size > len(self.regions[-1].data):
            file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - closed with its region
            file.truncate(max(REGION, size))
            self.regions.append(_Region(file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
            weakref.finalize(self.regions[-1], file.close)  # the mapping outlives it, as long as a tensor lies there
        return self.regions[-1]
