"""Accuracy against stored bytes on real models, ours beside the peers': `curves.py [NAME ...]` writes docs/models.md.

What was measured is kept as lines of JSON under build/models, one file for each model, so that a run adds what is
missing; `--anew` forgets it. Our rows are whole runs: a text in the language, published and accepted by the verifier.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import chargpt
import crepe
import fashion
import page
import sentences
import torch
from attrs import frozen
from libraries import PEERS, Peer
from safetensors import safe_open
from subject import HOUSE, Subject
from torch import nn

import surgdsl

SUBJECTS = (fashion.SUBJECT, chargpt.SUBJECT, crepe.TINY, crepe.FULL, sentences.SUBJECT)
FOLDER = HOUSE / "build" / "models"
BITS, PERCENT = (8, 4, 3, 2), (30, 50, 70)
TEXT = """surg 1
use std.metric.{{damage, size}}
use std.rules.{{mask, quantize}}
dim B in 1..4096
{declaration}
surgery small on net {{
  seed 7
  step only = apply {step}
}}
"""
SCALES = 0.75
"""Bits a weight that a budget leaves for scales and for what is not quantized."""


@frozen
class Own:
    """A method of ours: a step of a surgery, with the level and the selector of the subject to be filled in."""

    name: str
    step: str
    sparse: bool = False
    second_order: bool = False
    levels: tuple[int, ...] = BITS
    """Bits, or percent that is zero."""


OWN = (
    Own("surgdsl grid a channel", 'quantize(bits = {level}bit, scheme = "affine") @**'),
    Own("surgdsl k-means a tensor", "quantize(bits = {level}bit) @**"),
    Own("surgdsl grid a group", 'quantize(bits = {level}bit, scheme = "affine", group = 64, clip = "mse") @**'),
    Own(
        "surgdsl GPTQ",
        'quantize(bits = {level}bit, scheme = "affine", group = 128, update = "obs", calibrate = calib) @**',
        second_order=True,
    ),
    Own(
        "surgdsl GPTQ, clipped",
        'quantize(bits = {level}bit, scheme = "affine", group = 128, clip = "mse", update = "obs", '
        "calibrate = calib) @**",
        second_order=True,
    ),
    Own(
        "surgdsl GPTQ, bits by damage",
        'quantize(bits = choose {{2bit, 3bit, 4bit, 8bit}}, scheme = "affine", group = 128, clip = "mse", '
        'update = "obs", calibrate = calib) @**'
        "\n  target minimize damage on calib\n  require size(after) <= {budget}% * size(before)",
        second_order=True,
        levels=(4, 3, 2),
    ),
    Own("surgdsl magnitude", "mask(keep = {kept}%) {weighty}", sparse=True, levels=PERCENT),
    Own(
        "surgdsl SparseGPT",
        'mask(keep = {kept}%, update = "obs", calibrate = calib) {weighty}',
        sparse=True,
        second_order=True,
        levels=PERCENT,
    ),
)
Method = Own | Peer


def wanted(subject: Subject) -> Iterator[tuple[Method, int]]:
    """Every method that a subject can be asked, at each of its levels."""
    for method in (*OWN, *PEERS):
        if subject.second_order or not method.second_order:
            yield from ((method, level) for level in method.levels)


def measured(subject: Subject, method: Method, level: int) -> dict[str, Any]:
    """The row of one method at one level: bytes, scores and seconds, or why there are none."""
    start = time.perf_counter()
    row: dict[str, Any] = {"method": method.name, "level": level, "sparse": method.sparse}
    try:
        made, size = _own(subject, method, level) if isinstance(method, Own) else _peer(subject, method, level)
        row |= {"bytes": size, "seconds": round(time.perf_counter() - start, 1)}
        return row | {"scores": [score(made) for _, score in subject.scores]}
    except surgdsl.Refusal as refusal:
        said = f"{refusal}: {refusal.diagnostics[0].label or ''}".replace(f"{HOUSE}/", "")
        return row | {"fault": said[:160]}
    except Exception as error:  # noqa: BLE001  # whatever a peer fails with is its row
        return row | {"fault": f"{type(error).__name__}: {error}".splitlines()[0][:160]}


def _own(subject: Subject, method: Own, level: int) -> tuple[nn.Module, int]:
    folder = FOLDER / "run" / subject.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    budget = f"{100 * (level + SCALES) / 32:.1f}"
    step = method.step.format(level=level, kept=100 - level, weighty=subject.weighty, budget=budget)
    text = folder / "spec.surg"
    text.write_text(TEXT.format(declaration=subject.declaration, step=step), encoding="utf-8")
    surgdsl.run(surgdsl.load(text), folder / "out")
    made = subject.build()
    unread = made.load_state_dict(surgdsl.decoded(folder / "out"), strict=False)
    assert not unread.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in unread.missing_keys)  # else a weight is still whole
    return made, _stored(folder / "out" / "model.safetensors")


def _stored(path: Path) -> int:
    """The bytes of all tensors of a file, its header not counted: the peers' have none."""
    with safe_open(path, framework="pt") as file:
        return sum(tensor.numel() * tensor.element_size() for tensor in map(file.get_tensor, file.keys()))


def _peer(subject: Subject, method: Peer, level: int) -> tuple[nn.Module, int]:
    return method.make(subject.build(), subject.calibration(), level)


def main() -> None:
    """Measure what is missing of the models named, or of all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(one.name for one in SUBJECTS)], help="models; without, all")
    parser.add_argument("--anew", action="store_true", help="forget what was measured of them")
    parser.add_argument("--only", default="", help="methods whose name begins so")
    parser.add_argument("--level", type=int, help="only this many bits, or percent that is zero")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for subject in SUBJECTS:
        if not arguments.names or subject.name in arguments.names:
            _add(subject, arguments)
    kept = {one: _kept(one) for one in SUBJECTS if _file(one).exists()}
    page.write(HOUSE / "docs", kept)


def _add(subject: Subject, arguments: argparse.Namespace) -> None:
    if arguments.anew:
        _file(subject).unlink(missing_ok=True)
    rows = _kept(subject)
    known = {(row["method"], row["level"]) for row in rows if "scores" in row}
    if not known:
        network = subject.build()
        size = sum(one.numel() * one.element_size() for one in network.state_dict().values() if one.ndim)
        scores = [score(network) for _, score in subject.scores]
        _note(subject, {"method": "as trained", "level": 32, "sparse": False, "bytes": size, "scores": scores})
    for method, level in wanted(subject):
        asked = method.name.startswith(arguments.only) and arguments.level in (None, level)
        if asked and (method.name, level) not in known:
            _note(subject, measured(subject, method, level))


def _note(subject: Subject, row: dict[str, Any]) -> None:
    sys.stderr.write(f"{subject.name}: {json.dumps(row)}\n")
    with _file(subject).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _kept(subject: Subject) -> Sequence[dict[str, Any]]:
    path = _file(subject)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = {(row["method"], row["level"]): row for row in map(json.loads, lines)}
    return list(rows.values())


def _file(subject: Subject) -> Path:
    return FOLDER / f"{subject.name}.jsonl"


if __name__ == "__main__":
    main()
