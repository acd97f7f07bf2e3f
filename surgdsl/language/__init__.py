"""The `.surg` language: from text to a checked `Program`, and back to text in the one layout.

Imports neither torch nor any model; `check` and `fmt` run no code of the file.
"""

from surgdsl.language.checking import check, decoded, load, program, read
from surgdsl.language.claim import Apply, Claim, Counted, Measured, Metric, Number, Require
from surgdsl.language.parsing import Parsed, parse
from surgdsl.language.pattern import PathPattern, Selector
from surgdsl.language.program import (
    DataDecl,
    DataName,
    DimDecl,
    FileRef,
    InterfaceDecl,
    ModelDecl,
    Port,
    Program,
    PythonRef,
    Recover,
    StepDecl,
    SurgeryDecl,
    Use,
    Value,
)  # fmt: skip

__all__ = [
    "Apply", "Claim", "Counted", "DataDecl", "DataName", "DimDecl", "FileRef", "InterfaceDecl", "Measured", "Metric",
    "ModelDecl", "Number", "Parsed", "PathPattern", "Port", "Program", "PythonRef", "Recover", "Require", "Selector",
    "StepDecl", "SurgeryDecl", "Use", "Value", "check", "decoded", "load", "parse", "program", "read",
]  # fmt: skip
