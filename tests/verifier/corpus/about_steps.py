"""Lies about what was done: metrics, steps, states, rules, weights, types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.verifier import declaring
from tests.verifier import surgeries as s
from tests.verifier import test_declared as declared
from tests.verifier import test_encodings as encodings
from tests.verifier import test_fake_quantize as fake
from tests.verifier import test_grids as grids
from tests.verifier import test_lies as lies
from tests.verifier import test_numbers as numbers
from tests.verifier import test_prune as prune
from tests.verifier import test_rewrites as rewrites
from tests.verifier import test_scales as scales
from tests.verifier.conftest import KEEP, SCORES, cut
from tests.verifier.conftest import job as every_rule
from tests.verifier.corpus.about_form import encoding, net
from tests.verifier.corpus.telling import Case, Json, at, counting, edited, lied, mined, regraphed, told
from tests.verifier.encodings import affine, dense
from tests.verifier.forge import Forge, tagged
from tests.verifier.test_accept import pruned_mlp
from tests.verifier.test_edits import EDITS

EDITED, TOLD, DECLARED = mined(EDITS), mined(lies.TOLD), mined([*declared.MATCH, *declared.BYTES, *numbers.NUMBERS])
GRIDS, SCALES, FAULTS, REMADE = mined(grids.LIES), mined(scales.LIES), mined(rewrites.FAULTS), mined(prune.REMADE)


def step(threat: str, what: str) -> Case:
    """An edit of the statement that holds every rule."""
    _, code, change = EDITED[what]
    return Case(threat, what, code, edited(every_rule, change))


def surgery(threat: str, what: str) -> Case:
    """A surgery that lies."""
    _, code, build = TOLD[what]
    return Case(threat, what, code, lied(told(build)))


def instance(threat: str, what: str) -> Case:
    """What is no instance of the rule that it names."""
    _, code, _, build = DECLARED[what]
    return Case(threat, what, code, lied(build))


def grid(threat: str, what: str) -> Case:
    """A grid that is none."""
    _, code, build = GRIDS[what]
    return Case(threat, f"grid {what}", code, lied(told(build, grids.wide)))


def scale(threat: str, what: str) -> Case:
    """A scale that is another."""
    _, build, code = SCALES[what]
    return Case(threat, f"scales {what}", code, lied(build))


def pushout(threat: str, what: str) -> Case:
    """A rewrite that cannot be one."""
    _, reason, build = FAULTS[what]
    return Case(threat, what, reason[:3], lied(told(build, rewrites.paper)))


def form(threat: str, what: str) -> Case:
    """A rule or a match that is malformed."""
    _, code, change = mined(rewrites.FORMS)[what]
    return Case(threat, what, code, edited(every_rule, rewrites.first(change)))


def cutting(threat: str, what: str) -> Case:
    """A cut that changes more."""
    _, reason, remake = REMADE[what]

    def lie(f: Forge) -> None:
        s.prune(f, cut(f), KEEP, SCORES, remake=lambda made: remake(f, made))

    return Case(threat, what, reason[:3], lied(told(lie)))


def masked(f: Forge) -> None:
    s.mask(f, "fc1.weight", np.abs(f.weight(f.named("fc1.weight")).decoded) > 0.5)


def masked_fc(f: Forge) -> None:
    """A net with buffers, and a mask."""
    s.mask(f, "fc.weight", np.abs(f.weight(f.named("fc.weight")).decoded) > 0.5)


def coded(f: Forge) -> None:
    s.quantize_affine(f, "fc1.weight", 4, -1)


def with_negative_zeros() -> Forge:
    """Half of a weight is −0.0, told to be no zero."""
    f = Forge()
    w = s.noise(2, 4)
    w[:, :2] = -0.0
    y = f.op("linear.default", [f.input("x", ("B", 4)), f.param(dense("w", w))], ("B", 2), bias={"none": True})
    f.begin(("y", y), B=1)
    s.recover(f)
    return f


def wide_codes() -> Forge:
    """Codes of four bits, a byte for each."""
    weight = affine("w", encodings.VALUES, 4)
    return encodings.holding(encodings.part(weight, "codes", lambda a: np.resize(a, 6)))


def bounding(**ends: str) -> Callable[[], Forge]:
    """A layer as a product, with a bound between other wires."""
    d = declaring.of(declaring.FACTOR, bound={**declaring.FACTOR["bound"], **ends})
    return told(lambda f: declaring.factor(f, d), declaring.chain)


def another_tensor(statement: Json) -> None:
    """A new weight goes by the digest of a tensor of another shape, which lies there."""
    step = statement["predicate"]["steps"][-1]
    made = [part for op in step["right"]["operations"] for part in op.get("parts", [])]
    held = [part for op in step["left"]["operations"] for part in op.get("parts", [])]
    made[-1]["digest"] = next(part["digest"] for part in held if part["shape"] != made[-1]["shape"])


def figured() -> Forge:
    """A cut, and a promise with a function."""
    f = pruned_mlp()
    f.claims = [s.counted("size/1", "4/5")]
    return f


def nowhere(statement: Json) -> None:
    """A step goes by a rule of the file; there is none."""
    for row in (*statement["predicate"]["steps"], *statement["predicate"]["obligations"]):
        row["rule"] = "rule/1"


def listed(statement: Json) -> None:
    nowhere(statement)
    statement["predicate"]["steps"][0]["arguments"]["rule"] = []


def reverse_attributes(operations: list[Json]) -> None:
    """The first operation that has several has them in another order."""
    next(op for op in operations if len(op.get("attributes", ())) > 1)["attributes"].reverse()


def astray(graph: Json) -> None:
    """Two faults of a graph: that of its ends is found last."""
    reverse_attributes(graph["operations"])
    graph["outputs"][0]["wire"] = len(graph["wires"])


def astray_in_l(statement: Json) -> None:
    """Two faults of a rule: references come before what an operation is."""
    left = next(row["left"] for row in statement["predicate"]["steps"] if len(row["left"]["operations"]) > 2)
    reverse_attributes(left["operations"])
    left["operations"][-1]["sources"] = ["l999"]


def attribute(name: str, value: Any) -> Callable[[Json], None]:
    """An operation of the graph of `cnn` with another attribute."""

    def change(graph: Json) -> None:
        rows = [op["attributes"] for op in graph["operations"] if any(n == name for n, _ in op.get("attributes", []))]
        rows[0][:] = [[n, value if n == name else old] for n, old in rows[0]]

    return change


def renamed_operation(old: str, new: str) -> Callable[[Json], None]:
    def change(graph: Json) -> None:
        next(op for op in graph["operations"] if old in op["op"])["op"] = new

    return change


def shared_twice() -> Forge:
    """The same layer twice, whose second use is told to cost nothing."""
    f = Forge()
    x, w = f.input("x", ("B", 3)), f.param(dense("w", s.noise(3, 3)))
    for _ in range(2):
        x = f.op("linear.default", [x, w], ("B", 3), bias={"none": True})
    f.begin(("y", x), B=1)
    masked_w = np.eye(3) > 0
    s.mask(f, "w", masked_w)
    return f


def permuted() -> Forge:
    f = Forge()
    y = f.op("permute.default", [f.input("x", ("B", 3, 3))], ("B", 3, 3), dims=[0, 1, 1])
    f.begin(("y", y), B=1)
    return f


def elsewhere() -> Forge:
    """A mask on one weight, and another weight changed on the way: no step touches it."""
    f = s.mlp()
    masked(f)
    other = f.named("fc2.bias")
    wire = f.ops[other]["targets"][0]
    f.ops[other] = f.param_op(dense("fc2.bias", s.noise(2, seed=9)), "parameter", wire)
    return f


def unchained(statement: Json) -> None:
    """A head that is no step's chain, under a right seal."""
    predicate = statement["predicate"]
    predicate["head"] = "0" * 64
    predicate.pop("seal")
    predicate["seal"] = tagged("surg-seal-v1", statement)


def exact_recovery(statement: Json) -> None:
    """The opaque step takes the name of the exact rule that goes before it, and its obligation with it."""
    predicate = statement["predicate"]
    predicate["steps"][1] |= {"rule": "prune-channels/1", "arguments": predicate["steps"][0]["arguments"]}
    predicate["obligations"] = [row for row in predicate["obligations"] if row["rule"] != "recover/1"]


def fake_bits(f: Forge) -> None:
    conv = f.find("conv2d.default", 1)
    fake.rounded(f, [conv], fake.source(f, conv), grid={"quant_max": 127})


STEPS: tuple[Case, ...] = (
    Case("M12", "a buffer that counts for nothing", "V13", edited(told(masked_fc), counting(2, -8))),
    Case("M13", "a codebook that counts for nothing", "V13", edited(told(lambda f: s.quantize(f, "fc1.weight", 2),
        s.mlp), counting(3, -16))),
    Case("M15", "dead tensors in the count before", "V13", edited(told(masked, s.mlp), counting(2, 100, "before"))),
    step("M16", "a metric after, forged low"),
    step("M16", "a forged size"),
    step("M17", "a metric before, forged high"),
    surgery("M18", "a mask that masks nothing"),
    step("M20", "another metric"),
    step("M21", "macs at another binding"),
    step("M21", "an inflated binding"),
    Case("M22", "zeros that count as removed", "V13", edited(told(masked, s.mlp), counting(2, -9))),
    Case("M23", "minus zero that counts as none", "V13", edited(with_negative_zeros, counting(1, 4))),
    Case("M24", "a mask that takes no space", "V13", edited(told(masked, s.mlp), counting(3, -3))),
    Case("M25", "codes of four bits in bytes", "V09", lied(wide_codes)),
    Case("M25", "codes that take less than is stored", "V13", edited(told(coded, s.mlp), counting(3, -5))),
    Case("M26", "an unknown operator", "V09", regraphed(s.mlp, renamed_operation("relu", "aten.relu_.default"))),
    Case("M26", "an operator of another library", "V09", regraphed(
        s.mlp, renamed_operation("relu", "mine.relu.default"))),
    Case("M27", "a loop", "V09", regraphed(s.mlp, renamed_operation("relu", "higher_order.while_loop"))),
    Case("M28", "a second use that costs nothing", "V13", edited(shared_twice, counting(0, -9))),
    Case("M29", "a metric of forty digits", "V03", edited(
        told(masked, s.mlp), at("9" * 40, "steps", 0, "after", 0, "value"))),
    Case("M29", "a metric that wraps", "V13", edited(told(masked, s.mlp), counting(0, 2**64))),
    step("M31", "two steps swapped"),
    step("M31", "steps of two names swapped, links repaired"),
    step("M32", "a step removed"),
    step("M32", "a step removed and the links repaired"),
    step("M32", "a step repeated"),
    step("M32", "a step repeated and the links repaired"),
    step("M32", "an index that repeats"),
    step("M32", "the last step cut off"),
    step("M33", "a graph digest of a state"),
    step("M33", "a manifest digest of the input"),
    step("M34", "an output digest"),
    step("M34", "a subject that is another model"),
    Case("M34", "a head that is no chain", "V05", edited(every_rule, unchained, reseal=False)),
    step("M35", "a rule under another name"),
    step("M35", "a rule that is not listed"),
    step("M35", "a step that nobody asked for"),
    step("M35", "a reduce step that names another metric"),
    pushout("M35", "a rule in name only"),
    surgery("M35", "another activation sold as recovery"),
    surgery("M35", "another scheme under the rule's name"),
    cutting("M35", "another operation"),
    cutting("M35", "another attribute"),
    cutting("M35", "other wires"),
    instance("M35", "a vacuous replacement in the rule's name"),
    instance("M35", "an argument that R changes"),
    instance("M35", "operands exchanged"),
    instance("M35", "a condition that fails"),
    instance("M35", "more is deleted than the boxes"),
    instance("M35", "no such rule"),
    Case("M36", "a weight changed that no step touches", "V06", lied(elsewhere)),
    surgery("M36", "an operation left dangling"),
    pushout("M36", "a reader would dangle"),
    form("M36", "K names a wire twice"),
    form("M36", "K names an operation"),
    form("M36", "R names a wire of L∖K"),
    form("M36", "R numbered from one"),
    form("M36", "a match into nowhere"),
    step("M36", "an operation of R on a deleted wire"),
    step("M37", "an output shape on the boundary"),
    step("M37", "an interface that is not there"),
    pushout("M37", "an output would be deleted"),
    net("M38", "a wire with two producers"),
    net("M38", "a cycle"),
    net("M38", "a source that does not exist"),
    pushout("M38", "a cycle results"),
    pushout("M38", "a created wire is produced twice"),
    step("M38", "a match that is not injective"),
    net("M39", "another shape behind it"),
    net("M39", "a symbol behind it"),
    net("M39", "another dtype behind it"),
    pushout("M39", "a created operation is ill-typed"),
    Case("M39", "another stride behind one shape", "V09", regraphed(s.cnn, attribute("stride", [3, 3]))),
    step("M40", "an unsorted index list"),
    step("M40", "a repeated index"),
    step("M40", "an index out of range"),
    step("M40", "a keep that the scores do not choose"),
    step("M40", "a keep that is nothing kept"),
    surgery("M40", "inconsistent cuts of producer and consumer"),
    surgery("M40", "other channels selected than stated"),
    Case("M41", "a permutation that repeats", "V09", lied(permuted)),
    surgery("M42", "a mask that changes what it keeps"),
    surgery("M42", "a mask that keeps another number"),
    surgery("M42", "a mask that cuts a tile"),
    surgery("M42", "a mask with more neighbours than stated"),
    encoding("M43", "a scale of zero"),
    encoding("M43", "an infinite scale"),
    encoding("M43", "a scale that is NaN"),
    encoding("M43", "a code beyond the codebook"),
    encoding("M43", "a codebook that falls"),
    surgery("M43", "a scale that is negative"),
    surgery("M43", "a code that is not the nearest"),
    grid("M43", "a code that is not the nearest"),
    grid("M43", "scales exchanged"),
    grid("M43", "another group stated"),
    grid("M43", "an error below the least"),
    surgery("M43", "a fold one ulp off"),
    instance("M43", "a product of other factors"),
    instance("M43", "a bound forged low"),
    instance("M43", "a bound over axes"),
    instance("M43", "a singular value along an axis"),
    instance("M43", "singular values inside of a formula"),
    instance("M43", "a product whose rank is no number"),
    instance("M35", "a size of a weight that is a symbol"),
    Case("M35", "a bound from a wire that the rule makes", "V03", lied(bounding(input="y"))),
    Case("M35", "a bound of a wire that the rule only reads", "V03", lied(bounding(output="x"))),
    Case("M44", "an identity that speaks for a bound", "V03", edited(
        bounding(), at({"bits": 51, "instances": 8, "method": "identity"}, "rules", 0, "discharge"))),
    Case("M44", "samples that count bits", "V03", edited(bounding(), at(5, "rules", 0, "discharge", "bits"))),
    Case("M35", "a declared rule that is declared nowhere", "V14", edited(told(masked, s.mlp), nowhere)),
    Case("M35", "a declared rule whose digest is a list", "V14", edited(told(masked, s.mlp), listed)),
    encoding("M43", "a codebook without dimensions"),
    Case("M43", "a cut weight that is another tensor", "V15", edited(pruned_mlp, another_tensor)),
    Case("M43", "a masked weight that is another tensor", "V08", edited(told(masked, s.mlp), another_tensor)),
    Case("M50", "lists of lists among attributes", "V03", regraphed(s.cnn, attribute("stride", [[1], [1]]))),
    Case("M50", "an object for the name of a function", "V03", edited(figured, at({}, "claims", 0, "counted", "right",
        "apply"))),
    Case("M38", "an end that is not there behind unsorted attributes", "V03", regraphed(s.cnn, astray)),
    Case("M36", "a wire that L does not have behind unsorted attributes", "V10", edited(every_rule, astray_in_l)),
    scale("M43", "other powers than were used"),
    scale("M43", "a rule that scales and does not scale back"),
    Case("M43", "a cut that tears groups apart", "V15", lied(lambda: grids.quantized_and_cut([0, 1, 2, 5]))),
    Case("M43", "a grid of other bits", "V14", lied(told(fake_bits))),
    Case("M44", "a class of its own", "V03", edited(every_rule, at("exact", "steps", 1, "class"))),
    Case("M44", "a recovery told to be an exact rule", "V14", edited(every_rule, exact_recovery)),
    surgery("M44", "recovery that moves codes"),
    surgery("M45", "NaN in a recovery"),
    surgery("M45", "infinity in a recovery"),
)  # fmt: skip
