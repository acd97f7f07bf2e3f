"""The verifier alone: the standard library, numpy where bytes are scanned, and little time."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
SOURCES = HOUSE / "surgdsl" / "verifier"
BLOCKED = ["torch", "lark", "networkx", "attrs", "attr", "cyclopts", "rich", "safetensors", "scipy"]
VERIFY = f"""
import sys
sys.modules.update(dict.fromkeys({BLOCKED!r}))
from surgdsl.verifier.main import main
sys.exit(main())
"""
STRUCTURE = """
import sys
sys.modules["numpy"] = None
from surgdsl.verifier import canonical, claims, net, operations, rewrite, schema, tensors
relu = {"attributes": [], "op": "aten.relu.default", "sources": [0], "targets": [1]}
ends = [{"inputs": [{"name": "x", "wire": 0}]}, {"outputs": [{"name": "y", "wire": 1}]}]
raw = {**ends[0], "operations": [relu], **ends[1], "wires": [{"dtype": "F32", "shape": ["B", 2]}] * 2}
schema.conform("graph", raw, "graph")
found = net.parse(raw)
for operation in found.operations.values():
    operations.check_type(operation, found.wires)
assert found.written() == canonical.canon(raw)
"""


def test_the_command_is_quick_and_needs_numpy_alone(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", VERIFY, str(folder)]
    done = subprocess.run(command, cwd=HOUSE, env=environment, check=False, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("Accepted")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_a_reader_that_leaves_changes_no_verdict(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, str(folder)], cwd=HOUSE, stdout=writing, stderr=-1, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_accepted_report_is_plain_ascii(folder: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, str(folder)], cwd=HOUSE, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_structure_is_checked_without_numpy() -> None:
    subprocess.run([sys.executable, "-c", STRUCTURE], cwd=HOUSE, check=True)


def test_help_loads_no_numpy() -> None:
    program = (
        "import sys; from surgdsl.verifier.main import arguments; arguments('x'); assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=HOUSE, check=True)


def test_the_codes_of_the_verifier_are_those_of_the_page() -> None:
    page = (HOUSE / "docs" / "certificate.md").read_text(encoding="utf-8")
    told = re.findall(r"\| (V\d\d) \|", page)
    used = {
        code for path in SOURCES.rglob("*.py") for code in re.findall(r'"(V\d\d)"', path.read_text(encoding="utf-8"))
    }
    assert len(told) == len(set(told))
    assert used == set(told)
