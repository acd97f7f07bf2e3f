"""The `.surg` language: from text to a checked `Program`, and back to text in the one layout.

Imports neither torch nor any model; `check` and `fmt` run no code of the file.
"""

from surgdsl.language.checking import check, load, program
from surgdsl.language.claim import Apply, Claim, Counted, Measured, Metric, Number, Require
from surgdsl.language.parsing import Parsed, parse
from surgdsl.language.pattern import PathPattern, Selector
from surgdsl.language.program import (
    Budget,
    DataDecl,
    DataName,
    DimDecl,
    FileRef,
    InterfaceDecl,
    ModelDecl,
    Objective,
    ParamDecl,
    Port,
    Program,
    PythonRef,
    Recover,
    Sparsity,
    StepDecl,
    SurgeryDecl,
    Use,
    Value,
)  # fmt: skip
from surgdsl.language.reading import decoded, read
from surgdsl.language.setting import settings, with_settings

__all__ = [
    "Apply", "Budget", "Claim", "Counted", "DataDecl", "DataName", "DimDecl", "FileRef", "InterfaceDecl", "Measured",
    "Metric", "ModelDecl", "Number", "Objective", "ParamDecl", "Parsed", "PathPattern", "Port", "Program",
    "PythonRef", "Recover", "Require", "Selector", "Sparsity", "StepDecl", "SurgeryDecl", "Use", "Value", "check",
    "decoded", "load", "parse", "program", "read", "settings", "with_settings",
]  # fmt: skip
