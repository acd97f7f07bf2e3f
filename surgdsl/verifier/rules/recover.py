"""recover/1, adjust/1: weights take new values of the same form. Nobody can re-derive them: opaque, named first."""

from __future__ import annotations

from surgdsl.verifier.canonical import rising
from surgdsl.verifier.content import Load
from surgdsl.verifier.digest import FLOATING
from surgdsl.verifier.reject import need
from surgdsl.verifier.rewrite import Rewrite
from surgdsl.verifier.weight import Weight


def check(rewrite: Rewrite, load: Load) -> str:
    """Each param is replaced on its wire by one of the same form; integers stay, floats are finite."""
    sides = rewrite.left.operations.values(), rewrite.right.operations.values()
    before, after = ({op.targets[0]: op.weight for op in side if op.weight is not None} for side in sides)
    only = [len(before), len(after)] == [*map(len, sides)]
    same = only and before.keys() == after.keys() == rewrite.glue == rewrite.left.wires.keys()
    need(same, "V14", "the rule replaces params on their wires")
    for wire, old in before.items():
        check_form(old, after[wire], load)
    return ""


def adjusted(rewrite: Rewrite, load: Load) -> str:
    """adjust/1, values that data decided: its figures are in order, and the weights are checked as recovered ones."""
    need(rising(row[0] for row in rewrite.arguments["figures"]), "V03", "the figures are not sorted, each once")
    return check(rewrite, load)


def check_form(old: Weight, new: Weight, load: Load) -> None:
    """Encoding, names, dtypes and shapes are equal; loading has checked that codebooks rise and scales are positive."""
    form = [(w.role, w.coding, [(p.name, p.dtype, p.shape) for p in w.parts.values()]) for w in (old, new)]
    need(form[0] == form[1], "V14", f"`{old.base}` changes its form")
    for role, part in new.parts.items():
        if role in ("codes", "mask", "zero") or part.dtype not in FLOATING:
            need(part.digest == old.parts[role].digest, "V15", f"`{part.name}` is no float and changes")
    load(new)
    values = new.parts.get("values")
    if values is not None and new.dtype in FLOATING:
        _, odd = load.store.counts(values)
        need(not odd, "V15", f"`{new.base}` is not finite")
