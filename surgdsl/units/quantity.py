"""Exact quantities: a rational number times a power of bit, flop, mac, second and joule.

Limits decide what a certificate accepts, so they are computed in fractions and never rounded.

>>> quantity("1", "KiB") == quantity("1024", "B") == quantity("8192", "bit")
True
>>> quantity("1", "kB").value
Fraction(8000, 1)
>>> str((quantity("3", "mac") / quantity("2", "s")).dimension)
'mac/s'
>>> quantity("50", "%") * quantity("4", "bit") == quantity("2", "bit")
True
"""

from __future__ import annotations

from fractions import Fraction

from attrs import evolve, field, frozen

BASES = ("bit", "flop", "mac", "s", "J")


@frozen
class Dimension:
    """The exponents of the base units, in the order of `BASES`."""

    exponents: tuple[int, ...] = (0,) * len(BASES)

    def times(self, other: Dimension, sign: int = 1) -> Dimension:
        """The dimension of a product (`sign` 1) or of a quotient (`sign` -1)."""
        return Dimension(tuple(a + sign * b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def power(self, exponent: int) -> Dimension:
        """The dimension of a power."""
        return Dimension(tuple(a * exponent for a in self.exponents))

    def __str__(self) -> str:
        above = " ".join(_power(base, n) for base, n in zip(BASES, self.exponents, strict=True) if n > 0)
        below = " ".join(_power(base, -n) for base, n in zip(BASES, self.exponents, strict=True) if n < 0)
        return (above or ("1" if below else "a plain number")) + (f"/{below}" if below else "")


def _power(base: str, exponent: int) -> str:
    return base if exponent == 1 else f"{base}^{exponent}"


def _base(name: str) -> Dimension:
    return Dimension(tuple(int(base == name) for base in BASES))


PLAIN, BIT, FLOP, MAC, SECOND, JOULE = Dimension(), _base("bit"), _base("flop"), _base("mac"), _base("s"), _base("J")


@frozen
class Quantity:
    """`value` times the base units of `dimension`. `percent` remembers that it was written with `%` or `pp`."""

    value: Fraction
    dimension: Dimension = PLAIN
    percent: bool = field(default=False, eq=False)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.value, self.dimension, self.percent and other.percent)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - other.value, self.dimension, self.percent and other.percent)

    def __mul__(self, other: Quantity) -> Quantity:
        return Quantity(self.value * other.value, self.dimension.times(other.dimension))

    def __truediv__(self, other: Quantity) -> Quantity:
        return Quantity(self.value / other.value, self.dimension.times(other.dimension, -1))

    def __neg__(self) -> Quantity:
        return evolve(self, value=-self.value)

    def __str__(self) -> str:
        if self.percent:
            return f"{_decimal(self.value * 100)}%"
        return _decimal(self.value) + ("" if self.dimension == PLAIN else f" {self.dimension}")


def _decimal(value: Fraction) -> str:
    """`value` in decimals where twelve are enough, else as a fraction."""
    scaled = value * 10**12
    if scaled.denominator != 1:
        return str(value)
    whole, part = divmod(abs(scaled.numerator), 10**12)
    return ("-" if value < 0 else "") + f"{whole}.{part:012}".rstrip("0").rstrip(".")


_SI = (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12))
_IEC = (("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30), ("Ti", 2**40))

UNITS: dict[str, Quantity] = {
    "%": Quantity(Fraction(1, 100), PLAIN, percent=True),
    "pp": Quantity(Fraction(1, 100), PLAIN, percent=True),
    **{f"{prefix}B": Quantity(Fraction(8 * scale), BIT) for prefix, scale in (*_SI, *_IEC)},
    **{f"{prefix}bit": Quantity(Fraction(scale), BIT) for prefix, scale in (*_SI, *_IEC)},
    **{f"{prefix}flop": Quantity(Fraction(scale), FLOP) for prefix, scale in _SI},
    **{f"{prefix}mac": Quantity(Fraction(scale), MAC) for prefix, scale in _SI},
    **{f"{prefix}J": Quantity(Fraction(scale), JOULE) for prefix, scale in (("m", Fraction(1, 1000)), *_SI)},
    "us": Quantity(Fraction(1, 10**6), SECOND),
    "ms": Quantity(Fraction(1, 1000), SECOND),
    "s": Quantity(Fraction(1), SECOND),
    "min": Quantity(Fraction(60), SECOND),
    "h": Quantity(Fraction(3600), SECOND),
}
"""Every unit of the language. KB, Mb and their kin are left out on purpose: readers disagree on what they mean."""


def quantity(digits: str, unit: str = "") -> Quantity:
    """The quantity that `digits` and `unit` spell.

    Raises:
        KeyError: for an unknown unit.
        OverflowError: for a number whose exact value would not be worth holding.
    """
    number = exact(digits)
    if not unit:
        return Quantity(number)
    one = UNITS[unit]
    return evolve(one, value=number * one.value)


LONGEST, LARGEST_EXPONENT = 100, 300


def exact(digits: str) -> Fraction:
    """The fraction that a literal spells; underscores group digits.

    >>> exact("1_000.5"), exact("3e-4")
    (Fraction(2001, 2), Fraction(3, 10000))

    Raises:
        OverflowError: for a literal of more than 100 characters or an exponent beyond 300.
    """
    plain = digits.replace("_", "")
    exponent = plain.lower().partition("e")[2] or "0"
    if len(plain) > LONGEST or len(exponent) > len("+300") or abs(int(exponent)) > LARGEST_EXPONENT:
        message = f"`{digits[:20]}…` is too large"
        raise OverflowError(message)
    return Fraction(plain)


def likely(unit: str) -> tuple[str, ...]:
    """The units that a writer of the unknown `unit` may have meant: same letters in another case, or a missing ``i``.

    >>> likely("KB"), likely("MAC"), likely("parsec")
    (('KiB', 'kB'), ('mac',), ())
    """
    wanted = unit.casefold()
    forms = {
        wanted,
        wanted.removesuffix("s"),
        wanted.replace("bytes", "b").replace("byte", "b"),
        wanted.replace("bits", "bit"),
    }
    return tuple(sorted(one for one in UNITS if one.casefold() in forms or one.casefold().replace("ib", "b") in forms))
