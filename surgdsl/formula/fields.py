"""Number fields: in what numbers a formula is evaluated.

`FLOATS` is IEEE float64 element by element, and what is made of weights is made in it: no operation here is fused,
reordered or approximated but exp and log, so another implementation gets the same bits. `RATIONALS` are exact, for
promises. `Residues` are the integers modulo the prime 2^61 − 1, in which a false identity of polynomials survives a
random point with a probability of at most its degree over p (Schwartz 1980, Zippel 1979).
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import Any, Protocol

import numpy as np
from attrs import frozen

from surgdsl.formula.tensor import Values

FLOAT, OBJECT = np.dtype("<f8"), np.dtype(object)
PRIME = 2**61 - 1
LARGEST_BITS = 4096
"""An exact number with more bits above or below its line is not computed with."""


class Undefined(ArithmeticError):
    """The formula has no value here: a division by zero, a root that is not rational, a mean of nothing."""


class Resample(Undefined):
    """Not undefined for good: at this random point only, so another one is to be drawn."""


class Field(Protocol):
    """Numbers and what can be done with them."""

    @property
    def dtype(self) -> Any:
        """How arrays of these numbers are held."""
        ...

    def number(self, value: Fraction) -> Any:
        """The number of this field that stands for a rational."""
        ...

    def apply(self, op: str, *terms: Values) -> Values:
        """A function of `FUNCTIONS` other than ``pow``, element by element, on arrays that broadcast.

        Raises:
            Undefined: it has no value.
        """
        ...


def power(field: Field, base: Values, exponent: int) -> Values:
    """``((base·base)·base)…``: left to right, so that its rounding is defined; below 0 the reciprocal of that."""
    one = np.full(np.shape(base), field.number(Fraction(1)), dtype=field.dtype)
    made = base if exponent else one
    for _ in range(abs(exponent) - 1):
        made = field.apply("mul", made, base)
    return field.apply("div", one, made) if exponent < 0 else made


# ---- float64 ------------------------------------------------------------------------------------


def _larger(left: Values, right: Values) -> Values:
    return np.where((left >= right) | np.isnan(left), left, right)


def _smaller(left: Values, right: Values) -> Values:
    return np.where((left <= right) | np.isnan(left), left, right)


IEEE: Mapping[str, Callable[..., Values]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "abs": np.abs,
    "min": _smaller, "max": _larger, "sqrt": np.sqrt, "exp": np.exp, "log": np.log,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "if": np.where,
}  # fmt: skip
"""NaN goes through min and max, and among equals the first stays."""


@frozen
class Floats:
    """IEEE 754 binary64, rounded to nearest, ties to even; what is undefined is infinite or no number.

    Sums are `sequential`, so that they have one value; scores, which only advise, may be summed as numpy likes.
    """

    sequential: bool = True
    dtype: Any = FLOAT

    def number(self, value: Fraction) -> Any:
        """The nearest float."""
        return value.numerator / value.denominator

    def apply(self, op: str, *terms: Values) -> Values:
        """See `Field.apply`; never raises."""
        with np.errstate(all="ignore"):
            return np.asarray(IEEE[op](*terms))


# ---- exact rationals ----------------------------------------------------------------------------


def _divided(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise Undefined("a division by zero")
    return left / right


def _root(value: Fraction) -> Fraction:
    if value < 0:
        raise Undefined("the root of a negative number")
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if above**2 != value.numerator or below**2 != value.denominator:
        raise Undefined(f"the root of {value} is not rational")
    return Fraction(above, below)


def _irrational(value: Fraction) -> Fraction:
    raise Undefined(f"an exact value of a function that is not rational, at {value}")


def _held(function: Callable[..., Any]) -> Callable[..., Any]:
    def bounded(*terms: Any) -> Any:
        made = function(*terms)
        if isinstance(made, Fraction) and made.numerator.bit_length() + made.denominator.bit_length() > LARGEST_BITS:
            raise Undefined(f"a number of more than {LARGEST_BITS} bits")
        return made

    return bounded


Unary = Mapping[str, Callable[[Any], Any]]
Binary = Mapping[str, Callable[[Any, Any], Any]]
Elementwise = Mapping[str, Callable[..., Any]]


def _elementwise(unary: Unary, binary: Binary) -> Elementwise:
    """Each function of one or two numbers as a function of object arrays."""
    one = {name: np.frompyfunc(function, 1, 1) for name, function in unary.items()}
    return one | {name: np.frompyfunc(function, 2, 1) for name, function in binary.items()}


def _chosen(test: Any, yes: Any, no: Any) -> Any:
    return yes if test else no


EXACT: Elementwise = {
    **_elementwise(
        {"neg": operator.neg, "abs": abs, "sqrt": _root, "exp": _irrational, "log": _irrational, "not": operator.not_},
        {
            "add": _held(operator.add), "sub": _held(operator.sub), "mul": _held(operator.mul), "div": _held(_divided),
            "min": min, "max": max, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
            "eq": operator.eq, "ne": operator.ne, "and": lambda a, b: bool(a and b), "or": lambda a, b: bool(a or b),
        },
    ),
    "if": np.frompyfunc(_chosen, 3, 1),
}  # fmt: skip


@frozen
class Rationals:
    """Exact fractions in object arrays."""

    dtype: Any = OBJECT

    def number(self, value: Fraction) -> Any:
        """The fraction itself."""
        return value

    def apply(self, op: str, *terms: Values) -> Values:
        """See `Field.apply`."""
        return np.asarray(EXACT[op](*terms), dtype=object)


# ---- residues -----------------------------------------------------------------------------------


@frozen
class Residues:
    """Integers modulo 2^61 − 1. Functions that are no polynomials are random oracles drawn by `seed`.

    An oracle gives equal answers to equal questions and is random otherwise; the square root is the canonical one of
    a residue, which is multiplicative, and asks for another point where there is none.
    """

    seed: int = 0
    dtype: Any = OBJECT

    def number(self, value: Fraction) -> Any:
        """The residue of a rational.

        Raises:
            Undefined: its denominator is a multiple of the prime.
        """
        return value.numerator * _inverse(value.denominator) % PRIME

    def apply(self, op: str, *terms: Values) -> Values:
        """See `Field.apply`. Comparisons have no meaning here and are refused.

        Raises:
            Resample: a division by zero, or a root of no residue.
        """
        if op in POLYNOMIAL:
            return np.asarray(POLYNOMIAL[op](*terms), dtype=object)
        if op not in ("abs", "exp", "log", "min", "max"):
            raise Undefined(f"there is no order among residues: {op}")
        ask = np.frompyfunc(partial(self.oracle, op), len(terms), 1)
        return np.asarray(ask(*terms), dtype=object)

    def oracle(self, name: str, *asked: int) -> int:
        """A random function called `name`, the same for the same seed; min and max ignore the order."""
        words = sorted(asked) if name in ("min", "max") else asked
        text = f"{self.seed}:{name}:{','.join(map(str, words))}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16]) % PRIME


def _inverse(value: int) -> int:
    if value % PRIME == 0:
        raise Resample("a division by zero")
    return pow(value, -1, PRIME)


def _square_root(value: int) -> int:
    """The root that is a residue itself: p ≡ 3 (mod 4), so it is the power (p + 1)/4."""
    root = pow(value, (PRIME + 1) // 4, PRIME)
    if root * root % PRIME != value % PRIME:
        raise Resample("the root of a number that is no square")
    return root


POLYNOMIAL = _elementwise(
    {"neg": lambda a: -a % PRIME, "sqrt": _square_root},
    {
        "add": lambda a, b: (a + b) % PRIME, "sub": lambda a, b: (a - b) % PRIME, "mul": lambda a, b: a * b % PRIME,
        "div": lambda a, b: a * _inverse(b) % PRIME,
    },
)  # fmt: skip

FLOATS, RATIONALS = Floats(), Rationals()
