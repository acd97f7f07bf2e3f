"""The one-way house: who may import whom, checked on the source and again in running processes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
VERIFIER = HOUSE / "surgdsl" / "verifier"
ALLOWED = sys.stdlib_module_names | {"numpy"}
# Runs in a process of its own: does a command, then says which modules that loaded.
PROBE = """
import sys
from surgdsl.cli.main import main
sys.argv = ["surg", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write("\\nloaded: " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported(text: str) -> set[str]:
    """Return the full names of the modules that a text imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(text)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {"." * node.level + (node.module or "") for node in nodes if isinstance(node, ast.ImportFrom)}


def foreign(text: str) -> set[str]:
    """Return what a text imports that the verifier may not."""
    return {
        name
        for name in imported(text)
        if name.partition(".")[0] not in ALLOWED and not f"{name}.".startswith("surgdsl.verifier.")
    }


def test_the_contracts_of_import_linter_hold() -> None:
    command = [sys.executable, "-c", "import importlinter.cli as c; c.lint_imports_command()", "--no-cache"]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_verifier_imports_the_standard_library_and_numpy_only() -> None:
    modules = sorted(VERIFIER.rglob("*.py"))
    assert modules
    found = {path.name: foreign(path.read_text(encoding="utf-8")) for path in modules}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    ["import torch", "from surgdsl.diagram import Net", "def f():\n    import safetensors.numpy", "from . import x"],
)
def test_the_walk_sees_what_is_foreign_to_the_verifier(text: str) -> None:
    assert foreign(text) != set()


def test_a_running_verifier_loads_nothing_else_of_the_house() -> None:
    code = "import sys, surgdsl.verifier.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    house = {name for name in loaded if name.startswith("surgdsl.") and not f"{name}.".startswith("surgdsl.verifier.")}
    assert house == set()
    assert "surgdsl.verifier.main" in loaded
    assert not {"torch", "safetensors", "networkx", "lark", "attrs", "attr"} & set(loaded)


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """Return the exit code of a `surg` command and the top-level modules that it had loaded by its end."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    return done.returncode, set(done.stderr.rpartition("loaded: ")[2].split())


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("check", "examples/mnist_cnn.surg", "examples/digits_mlp.surg", "examples/fashion_cnn.surg"), 0),
        (("fmt", "--check", "examples/mnist_cnn.surg"), 0),
        (("explain", "E0301"), 0),
        (("verify", "examples"), 4),  # no certificate there: the whole way to a rejection
    ],
)
def test_reading_commands_never_load_torch(arguments: tuple[str, ...], exit_code: int) -> None:
    code, loaded = loaded_by(*arguments)
    assert code == exit_code
    assert "surgdsl" in loaded
    assert "torch" not in loaded
