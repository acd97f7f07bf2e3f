"""What must be accepted: honest certificates of every rule, on nets of every shape of coupling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surgdsl.verifier.main import main
from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier.asking import code_of, verdict
from tests.verifier.forge import Forge


def pruned_mlp() -> Forge:
    f = s.mlp()
    first, second = f.find("linear.default"), f.find("linear.default", 1)
    wires = [f.ops[first]["targets"][0], f.ops[f.find("relu.default")]["targets"][0]]
    kept: s.Kept = {wire: {1: [1, 2, 3]} for wire in wires}
    kept |= {wire: {0: [1, 2, 3]} for wire in f.ops[first]["sources"][1:]} | {
        f.ops[second]["sources"][1]: {1: [1, 2, 3]}
    }
    s.prune(f, kept, [1, 2, 3], [0, 5, 6, 7])
    return f


def pruned_residual(keep: tuple[int, ...] = (0, 3)) -> Forge:
    f, rows = s.residual(), list(keep)
    convs = [f.find("conv2d.default", at) for at in (0, 1)]
    wires = [f.ops[i]["targets"][0] for i in (*convs, f.find("relu.default"), f.find("add.Tensor"))]
    kept: s.Kept = {wire: {1: rows} for wire in wires}
    for conv in convs:
        kept |= {wire: {0: rows} for wire in f.ops[conv]["sources"][1:]}
    second = next(i for i in convs if f.wires[f.ops[i]["sources"][1]][1][1] == 4)
    kept[f.ops[second]["sources"][1]] = {0: rows, 1: rows}
    spots = [channel * 4 + at for channel in rows for at in range(4)]
    kept[f.ops[f.find("flatten.using_ints")]["targets"][0]] = {1: spots}
    kept[f.ops[f.find("linear.default")]["sources"][1]] = {1: spots}
    s.prune(f, kept, rows, [int(index in rows) for index in range(4)])
    return f


def pruned_groups(whole: bool = True) -> Forge:
    """Cut one of two groups, or half of each: the channel that goes must go on both sides."""
    f = s.grouped()
    convs = {
        len(f.wires[f.ops[i]["targets"][0]][1]) and f.weight(f.maker(f.ops[i]["sources"][1])).base[0]: i
        for i in f.ops
        if "conv2d" in f.ops[i]["raw"]["op"]
    }
    a, b, c = (f.ops[convs[name]] for name in "abc")
    rows = [0, 1, 2, 3] if whole else [0, 1, 4, 5]
    ins: s.Kept = {wire: {0: rows} for wire in (*a["sources"][1:], *b["sources"][1:])}
    kept: s.Kept = {**ins, a["targets"][0]: {1: rows}, b["targets"][0]: {1: rows}, c["sources"][1]: {1: rows}}
    if not whole:
        kept[b["sources"][1]] = {0: rows, 1: [0, 1]}
    keep, scores = ([0], [2, 1]) if whole else ([0, 1], [9, 8, 7, 6])
    s.prune(f, kept, keep, scores, attributes={"groups": 1} if whole else {})
    return f


def pruned_join() -> Forge:
    f = s.joined()
    a, b, c = (f.ops[f.find("conv2d.default", at)] for at in range(3))
    short, rows = next((op, [1, 2]) for op in (a, b) if f.wires[op["targets"][0]][1][1] == 4)
    offset = 0 if short["targets"] == f.ops[f.find("cat.default")]["sources"][:1] else 3
    both = [*range(offset), *(offset + row for row in rows), *range(offset + 4, 7)]
    kept: s.Kept = {wire: {0: rows} for wire in short["sources"][1:]} | {short["targets"][0]: {1: rows}}
    kept |= {f.ops[f.find("cat.default")]["targets"][0]: {1: both}, c["sources"][1]: {1: both}}
    s.prune(f, kept, rows, [0, 5, 5, 0])
    return f


def pruned_codes() -> Forge:
    """Encoded first, cut afterwards: codes and mask bits are selected, the codebook stays."""
    f = s.mlp()
    s.mask(f, "fc1.weight", np.abs(f.weight(f.named("fc1.weight")).decoded) > 0.4)
    s.quantize(f, "fc1.weight", 2)
    s.quantize(f, "fc2.weight", 2)
    first, second = f.find("linear.default"), f.find("linear.default", 1)
    wires = [f.ops[first]["targets"][0], f.ops[f.find("relu.default")]["targets"][0]]
    kept: s.Kept = {wire: {1: [0, 2]} for wire in wires}
    kept |= {wire: {0: [0, 2]} for wire in f.ops[first]["sources"][1:]} | {f.ops[second]["sources"][1]: {1: [0, 2]}}
    s.prune(f, kept, [0, 2], [7, 6, 7, 6])
    s.recover(f)
    return f


def patterned() -> Forge:
    """Masks of neighbours and of tiles, one over the other, the last ones smaller."""
    f = s.cnn()
    columns, channels = np.arange(24), np.arange(4)
    s.mask(f, "fc.weight", np.tile(columns % 5 < 3, (3, 1)), few=[3, 5])
    s.mask(f, "fc.weight", np.tile(columns % 5 == 1, (3, 1)), few=[1, 4])
    s.mask(f, "fc.weight", np.outer(np.arange(3) < 2, columns % 5 == 1), tile=[2, 7])
    s.mask(f, "conv2.weight", np.broadcast_to((channels % 2 == 0)[:, None, None], (6, 4, 3, 3)), few=[1, 2])
    return f


def adjusted() -> Forge:
    """Values that data decided, once they are masked and coded."""
    f = s.cnn()
    s.mask(f, "fc.weight", np.abs(f.weight(f.named("fc.weight")).decoded) > 0.5)
    s.quantize(f, "conv2.weight", 2)
    s.adjust(f, figures=[], data="")
    return f


def folded_linear() -> Forge:
    f = Forge()
    x = s.norm(f, s.linear(f, f.input("x", ("B", 5)), "fc", 4), "bn")
    f.begin(("y", x), B=1)
    declaring.fold(f, declaring.LINEAR_FOLD, "linear.default")
    return f


HONEST: list[Callable[[], Forge]] = [
    s.cnn, s.mlp, s.residual, s.grouped, s.joined, folded_linear,
    adjusted, patterned, pruned_mlp, pruned_residual, pruned_groups, lambda: pruned_groups(whole=False), pruned_join,
    pruned_codes,
]  # fmt: skip


@pytest.mark.parametrize("build", HONEST)
def test_an_honest_certificate_is_accepted(build: Callable[[], Forge], tmp_path: Path) -> None:
    forge = build()
    forge.claims = [s.counted("params/1", "1")]
    code, line = verdict(forge.write(tmp_path / "job"))
    assert (code, line["accepted"], line["unbound"]) == (0, True, True), line


def test_every_rule_in_one_job(folder: Path) -> None:
    code, line = verdict(folder)
    assert code == 0, line
    assert [claim["grade"] for claim in line["claims"]] == ["proved", "proved", "measured", "measured"]
    assert all(claim["holds"] for claim in line["claims"])
    assert line["opaque"] == ["narrow (recover/1)"]


def test_expectations_bind_the_verdict(folder: Path) -> None:
    predicate = json.loads((folder / "certificate" / "cert.json").read_bytes())["predicate"]
    right = {
        "input": predicate["input"]["manifest"],
        "graph": predicate["input"]["graph"],
        "output": predicate["output"]["manifest"],
        "spec": predicate["spec"]["blob"],
    }
    bound = [f"--expect-{name}={digest}" for name, digest in right.items()]
    assert code_of(folder, "--strict") == "V19"
    assert code_of(folder, "--strict", *bound[:3]) == "V19"
    assert code_of(folder, "--strict", *bound) == ""
    assert verdict(folder, *bound)[1]["unbound"] is False
    for name in right:
        assert code_of(folder, *bound, f"--expect-{name}={'0' * 64}") == "V19"


def test_the_input_may_lie_where_run_json_says(folder: Path) -> None:
    (folder.parent / "weights.safetensors").write_bytes((folder / "input.safetensors").read_bytes())
    (folder / "input.safetensors").unlink()
    assert code_of(folder) == "V01"
    assert code_of(folder, "--input", str(folder.parent / "weights.safetensors")) == ""
    (folder / "run.json").write_text(json.dumps({"input": "../weights.safetensors"}))
    assert code_of(folder) == ""


def test_a_usage_error_exits_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], [str(folder), "--expect-input", "abc"], [str(folder), "--nonsense"]):
        with pytest.raises(SystemExit) as error:
            main(arguments)
        assert error.value.code == 2
    capsys.readouterr()


def test_a_person_reads_the_ledger_and_the_claims(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert "opaque" in lines[1]
    assert "\x1b" not in text
    assert lines[-1].startswith("Accepted: 7 rewrites, 4 claims (2 proved, 2 measured)")
    assert "UNBOUND" in text
    (folder / "model.safetensors").write_bytes(b"")
    assert main([str(folder)]) == 4
    assert capsys.readouterr().out.splitlines()[-1].startswith("Rejected: V07")
