"""Sorts: what a wire carries, a dtype and a shape.

A step may only join what has equal sorts; everything finer (which indices move together) is derived by `axes`, never
stored here.
"""

from __future__ import annotations

from attrs import frozen

from surgdsl.axis.extent import Extent, show

WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Bytes of one element, by dtype; the names are those of safetensors."""


@frozen
class Sort:
    """A dtype and a shape.

    >>> print(Sort("F32", (2, 3)))
    F32[2, 3]
    """

    dtype: str
    shape: tuple[Extent, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(show, self.shape))}]"
