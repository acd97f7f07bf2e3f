"""The voice of the house: spans, diagnostics with stable codes, their printed form, and suggestions.

Every other room may import this one; this one imports none.
"""

from surgdsl.diagnostic.codes import CODES, Code, page
from surgdsl.diagnostic.printing import render
from surgdsl.diagnostic.refusal import Diagnostic, Note, Refusal
from surgdsl.diagnostic.shipped import shipped
from surgdsl.diagnostic.source import NOWHERE, Source, Span
from surgdsl.diagnostic.suggestion import hint, suggest

__all__ = [
    "CODES", "NOWHERE", "Code", "Diagnostic", "Note", "Refusal", "Source", "Span", "hint", "page", "render",
    "shipped", "suggest",
]  # fmt: skip
