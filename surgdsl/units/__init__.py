"""Exact quantities with units. Imports no other room."""

from surgdsl.units.quantity import (
    BIT,
    FLOP,
    JOULE,
    MAC,
    PLAIN,
    SECOND,
    UNITS,
    Dimension,
    Quantity,
    exact,
    likely,
    quantity,
)  # fmt: skip

__all__ = [
    "BIT",
    "FLOP",
    "JOULE",
    "MAC",
    "PLAIN",
    "SECOND",
    "UNITS",
    "Dimension",
    "Quantity",
    "exact",
    "likely",
    "quantity",
]
