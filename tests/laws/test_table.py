"""The table of the laws tells the truth: each test that it names exists."""

import ast
import re
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
ROWS = [
    line.split("|")[1:-1]
    for line in (HOUSE / "docs" / "laws.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d", line)
]


def named_in(path: Path) -> set[str]:
    """Return the names of the tests of a file, also of those that are made by assignment."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    targets = (target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets)
    return functions | {target.id for target in targets if isinstance(target, ast.Name)}


def test_every_law_of_the_table_has_its_test() -> None:
    known = set[str]().union(*(named_in(path) for path in (HOUSE / "tests").rglob("test_*.py")))
    named = [name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])]
    assert [name for name in named if name not in known] == []


def test_the_laws_are_fifty_of_which_one_does_not_apply() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 51))
    assert [int(row[0]) for row in ROWS if "`" not in row[2]] == [41]
