"""Payloads: what a weight is, where its bytes come from and how they are stored.

Encodings are syntax, so that sizes are counted without reading a tensor; provenance is a term (`diagram.term`) over the
tensors of the input file, so that a step's effect on weights can be said, compared and re-derived.

Masked is the outermost layer, and a quantized layer lies on plain values. Slices reach through both:

>>> masked(Codebook(4)) == Masked(Codebook(4)), masked(masked(Dense())) == Masked(Dense())
(True, True)
"""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, in_, le

from surgdsl.diagram.term import Term


@frozen
class Dense:
    """Every element, as it is."""


@frozen
class Codebook:
    """A code of `bits` bits for each element, into a rising list of values."""

    bits: int = field(validator=[ge(1), le(8)])


@frozen
class Affine:
    """A code of `bits` bits for each element; the value is scale · (code − zero).

    There is a scale for each index of dimension `axis`, or one for all elements where that is −1; with a `group`, one
    for each run of so many elements of it. Where it is `symmetric`, zero is the code in the middle, and is not stored.
    """

    bits: int = field(validator=[ge(1), le(8)])
    axis: int = field(validator=ge(-1))
    group: int = field(default=0, validator=ge(0))
    symmetric: bool = False

    @property
    def middle(self) -> int:
        """The code of zero where the grid is symmetric."""
        return 1 << (self.bits - 1)


@frozen
class Masked:
    """A bit for each element; only elements whose bit is set are stored, by `inner`. Make one with `masked`."""

    inner: Dense | Codebook | Affine


Encoding = Dense | Codebook | Affine | Masked


def masked(encoding: Encoding) -> Masked:
    """`encoding` with elements left out; masks compose to one mask."""
    return encoding if isinstance(encoding, Masked) else Masked(encoding)


def innermost(encoding: Encoding) -> Dense | Codebook | Affine:
    """How the stored elements are written, whatever is left out."""
    return encoding.inner if isinstance(encoding, Masked) else encoding


@frozen
class Payload:
    """A weight's name, role, encoding and provenance.

    The name is an annotation that users know the weight by; renaming changes no meaning, so equality ignores it.
    """

    base: str = field(eq=False)
    role: str = field(validator=in_(("parameter", "buffer", "constant")))
    encoding: Encoding
    term: Term
