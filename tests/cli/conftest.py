"""A folder as a user has it: the source of a small network, its trained weights, and a text."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "fixtures"

SPEC = """surg 1
use std.importance.magnitude
use std.metric.{accuracy, params, size}
use std.rules.{fold_batchnorm, prune_channels, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 3]) {
  source  = python("net:build")
  weights = file("net.safetensors")
}
data train { source = python("net:train") }
data test  { source = python("net:test") }
interface api on net { in x: f32[B, 4]  out y: f32[B, 3] }
surgery slim on net {
  preserve api
  seed 7
  step narrow = apply prune_channels(keep = 50%) @{first,second} by magnitude then recover { data = train  epochs = 2 }
  step fold   = apply fold_batchnorm @**
  step code   = apply quantize(bits = 2bit) @second
  order narrow >> fold >> code
  require params(after) <= 60% * params(before)
  require accuracy.drop <= 20% on test
}
"""


@pytest.fixture(autouse=True)
def own_modules() -> Iterator[None]:
    """Whatever modules a test imports from its folder are forgotten after it, and so is its number of threads."""
    before, threads = set(sys.modules), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    for name in set(sys.modules) - before:
        if "." not in name and Path(getattr(sys.modules[name], "__file__", None) or "/").parent.name.startswith(
            "test_"
        ):
            del sys.modules[name]
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the network with its trained weights, and a file with a tensor of 8-bit floats."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(HERE / "net.py", folder)
    scope: dict[str, Any] = {}
    exec(compile((HERE / "net.py").read_text(encoding="utf-8"), "net.py", "exec"), scope)  # noqa: S102 - our own file
    save_file(_trained(scope), folder / "net.safetensors")
    header = json.dumps({"head.weight": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).encode()
    (folder / "eighths.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    return folder


def _trained(scope: dict[str, Any]) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = scope["build"]()
    inputs, labels = scope["train"]()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    return net.eval().state_dict()


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh copy of all that, with a text that works, as the folder that we stand in."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    (tmp_path / "slim.surg").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
