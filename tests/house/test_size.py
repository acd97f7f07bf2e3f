"""The size gate: a module or a function that outgrows a page is asked whether it is one concept."""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
MODULE_LINES = 400
FUNCTION_LINES = 40  # without the docstring: nobody should save words there
VERIFIER_CODE = 3930  # lines of code of the whole verifier, plain Python in place of numpy included; it is to fall
ROOMS = {
    "operators": ("operations",),
    "rules": ("rules", "weight.py", "content.py"),
    "rules of the file": ("declared", "named.py"),
    "claims": ("claims.py", "requirement.py", "statistics.py", "formula.py"),
    "signatures": ("signature.py",),
    "arrays, twice": ("arrays",),
    "command and report": ("main.py", "report.py"),
}
"""What an auditor may read by itself, by its first name below surgdsl/verifier; the rest is the kernel."""


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def code_of(text: str) -> int:
    """Return how many lines hold code: no blanks, no comments, no docstrings."""
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {line for token in tokens if token.type not in layout for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def too_long(name: str, text: str) -> list[str]:
    """Return what in a module is over the limits, with its size."""
    faults = [f"{name}: {count} lines"] if (count := len(text.splitlines())) > MODULE_LINES else []
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return faults + [
        f"{name}:{function.lineno} {function.name}: {lines_of(function)} lines"
        for function in functions
        if lines_of(function) > FUNCTION_LINES
    ]


def verifier_code() -> Counter[str]:
    """Lines of code of the verifier by room."""
    names, found = {first: room for room, firsts in ROOMS.items() for first in firsts}, Counter[str]()
    house = HOUSE / "surgdsl" / "verifier"
    for path in house.rglob("*.py"):
        found[names.get(path.relative_to(house).parts[0], "kernel")] += code_of(path.read_text(encoding="utf-8"))
    return found


def test_nothing_is_too_long() -> None:
    modules = {
        path.relative_to(HOUSE).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("surgdsl", "tests", "examples")
        for path in sorted((HOUSE / folder).rglob("*.py"))
    }
    faults = [fault for name, text in modules.items() for fault in too_long(name, text)]
    assert faults == []


def test_the_verifier_is_small() -> None:
    assert {*ROOMS, "kernel"} == {*verifier_code()}
    assert 1000 < verifier_code().total() <= VERIFIER_CODE


def test_the_gate_sees_a_long_module_and_a_long_function() -> None:
    function = "def long():\n    '''A docstring\n    is free.'''\n" + "    pass\n" * FUNCTION_LINES
    assert too_long("m.py", function) == [f"m.py:1 long: {FUNCTION_LINES + 1} lines"]
    assert too_long("m.py", "x = 1\n" * (MODULE_LINES + 1)) == [f"m.py: {MODULE_LINES + 1} lines"]
    assert too_long("m.py", "x = 1\n" * MODULE_LINES) == []


def test_lines_of_code_are_counted_without_words() -> None:
    text = '"""Words.\n\nMore.\n"""\n\n# a comment\nx = (\n    1,\n)\n\n\ndef f():\n    """Words."""\n    return x\n'
    assert code_of(text) == 5


if __name__ == "__main__":
    by_room = ", ".join(f"{room} {count}" for room, count in verifier_code().most_common())
    sys.stdout.write(f"verifier: {verifier_code().total()} lines of code, at most {VERIFIER_CODE} ({by_room})\n")
