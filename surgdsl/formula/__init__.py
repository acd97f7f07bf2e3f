"""Formulas over named axes: trees and their form in JSON. `evaluation` gives their value, in three fields of numbers.

What is imported here needs no numpy, so that a file can be checked without it.
"""

from surgdsl.formula.tree import (
    EVERY,
    FUNCTIONS,
    LARGEST_POWER,
    REDUCTIONS,
    Apply,
    Attested,
    Each,
    Extern,
    Formula,
    Metric,
    Number,
    Of,
    Reduce,
    Spectral,
    Variable,
    children,
    rewritten,
    variables,
    walk,
)
from surgdsl.formula.writing import as_json, from_json

__all__ = [
    "EVERY", "FUNCTIONS", "LARGEST_POWER", "REDUCTIONS", "Apply", "Attested", "Each", "Extern", "Formula", "Metric",
    "Number", "Of", "Reduce", "Spectral", "Variable", "as_json", "children", "from_json", "rewritten", "variables",
    "walk",
]  # fmt: skip
