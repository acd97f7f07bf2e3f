"""What the tests of the verifier share: an honest job that uses every rule, and how to ask for a verdict."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier.forge import Forge

NOTHING: Any = None
if os.environ.get("SURG_WITHOUT_NUMPY"):  # before anything imports the verifier: it then computes in plain Python
    sys.modules["surgdsl.verifier.arrays.by_numpy"] = NOTHING

ROWS = [[i, i % 3, i % 3, (i + (i == 4)) % 3] for i in range(40)]
KEEP = [0, 2]
SCORES = [9, 1, 9, 1]


def cut(f: Forge) -> s.Kept:
    """The wires around conv1's output channels, with two of four kept."""
    conv = f.find("conv2d.default")
    norm, relu, pool = f.find("batch_norm.default"), f.find("relu.default"), f.find("max_pool2d.default")
    wires = [f.ops[i]["targets"][0] for i in (conv, norm, relu, pool)]
    kept: s.Kept = {wire: {1: KEEP} for wire in wires}
    kept |= {wire: {0: KEEP} for wire in [*f.ops[conv]["sources"][1:], *f.ops[norm]["sources"][1:]]}
    kept[f.ops[f.find("conv2d.default", 1)]["sources"][1]] = {1: KEEP}
    return kept


def job() -> Forge:
    """Prune, recover, fold, mask, both quantizations: every rule once or more, with claims of every kind."""
    f = s.cnn()
    s.prune(f, cut(f), KEEP, SCORES)
    s.recover(f)
    declaring.fold(f)
    s.mask(f, "fc.weight", np.abs(f.weight(f.named("fc.weight")).decoded) > 0.5)
    s.quantize(f, "fc.weight", 2)
    s.quantize(f, "conv2.weight", 3)
    s.quantize_affine(f, "conv1.weight", 4, 0)
    evidence = s.log(f, ROWS)
    f.claims = [s.counted("size/1", "1"), s.counted("params/1", "99/100"), s.measured(evidence, "1/40")]
    f.claims.append(s.measured(evidence, "1/4", confidence="19/20", bound="1/5"))
    f.interfaces = [{"name": "api", **f.boundary()}]
    return f


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return job().write(tmp_path / "job")
