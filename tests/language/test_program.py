"""What planning reads: arguments typed, quantities in the unit of their metric, steps in order, spans on everything."""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgdsl.diagnostic import Refusal, Source
from surgdsl.language import (
    Apply,
    Counted,
    DataName,
    DimDecl,
    Measured,
    Metric,
    Number,
    PathPattern,
    Program,
    Recover,
    Require,
    program,
)  # fmt: skip
from surgdsl.language.library import catalogue, signature

TEXT = """surg 1
use std.importance.taylor as gradient
use std.metric.{accuracy, macs, params, size}
use std.rules.{fold_batchnorm, mask, prune_channels, quantize}
let half = 50%
dim S in {16, 8}
model cnn : (image: f32[B, 1, S, 28], scale: f32) -> (logits: f32[B, 10]) { source = python("zoo.cnn:build") }
data train { source = python("zoo.rows:train")  take = 1_000 }
data test  { source = python("zoo.rows:test") }
interface api on cnn { out logits: f32[B, 10] }
surgery slim on cnn {
  preserve api
  seed 7
  step code   = apply quantize(bits = 4bit) @** except @head | @stem.* then recover { data = train  epochs = 3  rate =
  1e-3 } step fold   = apply exhaustively fold_batchnorm @**
  step narrow = apply prune_channels(keep = half, calibrate = train) @layer{1,2}.** by gradient
  step thin   = apply mask(keep = 3/10) @**
  order fold >> (narrow >> thin) >> code
  recover { data = train  steps = 20  batch = 64 }
  target size(after) <= 20% * size(before)
  require size(after) - 1KiB <= 12kB
  require macs.relative_drop >= 10%
  require 1000 > params(after)
  require 1% >= accuracy.drop on test with confidence 95%
  require accuracy(after) >= 97pp on test
  emit { certificate = "out/cert" }
}
"""


@pytest.fixture(scope="module")
def made() -> Program:
    return program(Source("cnn.surg", TEXT))


def test_declarations(made: Program) -> None:
    assert made.digest == hashlib.sha256(TEXT.encode()).hexdigest()
    assert {one.name: one.target for one in made.uses}["gradient"] == "std.importance.taylor"
    assert made.dims == (DimDecl("S", 8, 16, (8, 16)), DimDecl("B", 1, 4096))
    (model,) = made.models
    assert [port.shape for port in (*model.inputs, *model.outputs)] == [("B", 1, "S", 28), (), ("B", 10)]
    assert (model.source.module, model.source.attribute, model.weights) == ("zoo.cnn", "build", None)
    assert [(one.name, one.take) for one in made.data] == [("train", 1000), ("test", None)]
    assert made.interfaces[0].outputs == model.outputs


def test_steps_stand_in_their_order_with_typed_arguments(made: Program) -> None:
    slim = made.surgery("slim")
    assert (slim.seed, slim.preserve, slim.emit) == (7, ("api",), {"certificate": "out/cert"})
    assert [step.name for step in slim.steps] == ["fold", "narrow", "thin", "code"]
    fold, narrow, thin, code = slim.steps
    assert (fold.exhaustively, fold.criterion, dict(fold.arguments)) == (True, None, {})
    assert dict(narrow.arguments).items() >= {"keep": Fraction(1, 2), "calibrate": DataName("train")}.items()
    assert (narrow.criterion, thin.criterion, code.criterion) == ("taylor", "magnitude", None)
    assert dict(thin.arguments).items() >= {"keep": Fraction(3, 10), "scope": "tensor", "update": "none"}.items()
    assert dict(code.arguments).items() >= {"bits": 4, "scheme": "kmeans", "group": 0}.items()
    assert code.recover == Recover("train", epochs=Fraction(3), rate=Fraction(1, 1000))
    assert slim.recover == Recover("train", steps=20, batch=64)
    assert code.selector.text == "@** except @head | @stem.*"
    assert [path for path in ("stem.conv", "head", "body.fc", "") if code.selector.matches(path)] == ["body.fc", ""]


def test_claims_are_in_the_unit_of_their_metric(made: Program) -> None:
    slim = made.surgery("slim")
    before, after = Metric("size", "before"), Metric("size", "after")
    share = Apply("mul", (Number(Fraction(1, 5)), before))
    assert slim.targets == (Require("size(after) <= 20% * size(before)", Counted(after, "<=", share)),)
    drop = Apply("div", (Apply("sub", (Metric("macs", "before"), Metric("macs", "after"))), Metric("macs", "before")))
    assert [one.claim for one in slim.requires] == [
        Counted(Apply("sub", (after, Number(Fraction(1024)))), "<=", Number(Fraction(12000))),
        Counted(drop, ">=", Number(Fraction(1, 10))),
        Counted(Number(Fraction(1000)), ">", Metric("params", "after")),
        Measured("accuracy.drop", "<=", Fraction(1, 100), "test", Fraction(19, 20)),
        Measured("accuracy.after", ">=", Fraction(97, 100), "test"),
    ]


def test_every_part_knows_its_place(made: Program) -> None:
    slim = made.surgery("slim")
    parts = (*made.models, *made.data, *made.interfaces, *made.uses, slim, *slim.steps, *slim.requires, *slim.targets)
    for part in parts:
        assert part.span.source is made.source
        assert part.span.text
    assert slim.steps[0].line == TEXT[: TEXT.index("step fold")].count("\n") + 1
    assert slim.requires[0].span.text == "require size(after) - 1KiB <= 12kB"


def test_the_morphisms_are_a_path_through_the_stages(made: Program) -> None:
    graph = made.morphisms()
    assert list(graph.nodes) == [f"slim[{stage}]" for stage in range(6)]
    arrows = [(source, target, key) for source, target, key in graph.edges(keys=True)]
    keys = ["fold", "narrow", "thin", "code", "recover"]
    assert arrows == [(f"slim[{at}]", f"slim[{at + 1}]", key) for at, key in enumerate(keys)]
    narrow = graph.edges["slim[1]", "slim[2]", "narrow"]
    assert (narrow["rule"], narrow["selector"], narrow["criterion"]) == ("prune_channels", "@layer{1,2}.**", "taylor")
    assert graph.nodes["slim[0]"]["interfaces"] == ("api",)
    assert made.morphisms("slim").edges == graph.edges


ORDERED = """surg 1
use std.rules.{mask, quantize}
model net : (x: f32[B, 4]) -> (y: f32[B, 2]) { source = python("net:build") }
surgery slim on net {
  step d = apply mask(keep = 50%) @a
  step c = apply mask(keep = 50%) @b
  step b = apply mask(keep = 50%) @c
  step a = apply quantize(bits = 4bit) @**
  order ORDER
}
"""

ORDERS = {
    "a >> b >> c >> d": ("abcd", [("a", 0, 1), ("b", 1, 2), ("c", 2, 3), ("d", 3, 4)]),
    "a >> (b | c) >> d": ("acbd", [("a", 0, 1), ("b", 1, 2), ("c", 1, 2), ("d", 2, 3)]),
    "a >> b | c >> d": ("acbd", [("a", 0, 1), ("b", 1, 2), ("c", 1, 2), ("d", 2, 3)]),
    "(a >> b) | (c >> d)": ("cdab", [("a", 0, 1), ("b", 1, 2), ("c", 0, 3), ("d", 3, 2)]),
    "(b | (a >> c)) >> d": ("bacd", [("b", 0, 1), ("a", 0, 2), ("c", 2, 1), ("d", 1, 3)]),
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_a_diagram_and_steps_take_its_least_extension(order: str) -> None:
    names, arrows = ORDERS[order]
    made = program(Source("slim.surg", ORDERED.replace("ORDER", order)))
    assert "".join(step.name for step in made.surgery("slim").steps) == names
    found = [(key, source, target) for source, target, key in made.morphisms().edges(keys=True)]
    assert sorted(found) == sorted((name, f"slim[{source}]", f"slim[{target}]") for name, source, target in arrows)


def test_formatting_keeps_the_program(made: Program) -> None:
    from surgdsl.language.formatting import format_source

    assert program(Source("cnn.surg", format_source(made.source))) == made


def test_the_short_form() -> None:
    text = """surg 1
use std.metric.size
model net : (x: f32[B, 1, 28, 28]) -> (logits: f32[B, 10]) { source = python("fashion:build") }
surgery tiny on net { target size(after) <= 20% * size(before) }
"""
    (tiny,) = program(Source("tiny.surg", text)).surgeries
    assert (tiny.steps, tiny.preserve, tiny.seed, len(tiny.targets)) == ((), (), 0, 1)


def test_a_refusal_carries_every_fault() -> None:
    with pytest.raises(Refusal) as caught:
        program(
            Source(
                "cnn.surg", TEXT.replace("4bit", "4KB").replace("seed 7", "seed 1.5").replace("on cnn {\n", "on cn {\n")
            )
        )
    assert [one.code for one in caught.value.diagnostics] == ["E0101", "E0207", "E0301"]


@pytest.mark.parametrize("target", catalogue())
def test_the_library_has_a_signature_and_a_comment_for_every_name(target: str) -> None:
    found = signature(target)
    assert found.name == target.rpartition(".")[2]
    assert len(found.doc) > 20


segments = st.sampled_from(["a", "ab", "b", "0", "1", "12", "layer1"])
pieces = st.sampled_from(["a", "a*", "*", "**", "{a,b}", "{a,b}*", "[0..9]", "*[1]", "b", "layer{1,2}"])


@given(st.lists(pieces.filter(lambda one: one[0] != "["), min_size=1, max_size=4), st.lists(segments, max_size=5))
def test_a_pattern_matches_what_its_definition_says(written: list[str], path: list[str]) -> None:
    assert PathPattern("@" + ".".join(written)).matches(".".join(path)) == _matches(_flat(written), path)


def _flat(written: list[str]) -> list[str]:
    return [part for one in written for part in re.findall(r"\[[^]]*\]|[^\[]+", one)]


def _matches(tests: list[str], path: list[str]) -> bool:
    """The definition: `**` is any number of segments, everything else exactly one."""
    if not tests:
        return not path
    if tests[0] == "**":
        return any(_matches(tests[1:], path[at:]) for at in range(len(path) + 1))
    return bool(path) and _one(tests[0], path[0]) and _matches(tests[1:], path[1:])


def _one(test: str, segment: str) -> bool:
    if test.startswith("["):
        low, _, high = test[1:-1].partition("..")
        return segment.isdigit() and int(low) <= int(segment) <= int(high or low)
    options = re.sub(r"\{([^}]*)\}", lambda match: "(" + match[1].replace(",", "|") + ")", test).replace("*", "[^.]*")
    return re.fullmatch(options, segment) is not None
