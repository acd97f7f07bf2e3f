"""Hypothesis strategies for trees of the language: whatever the grammar can spell, sense or nonsense."""

from __future__ import annotations

from hypothesis import strategies as st

from surgdsl.language import tree
from surgdsl.language.parsing import KEYWORDS

RESERVED = KEYWORDS | {"L", "K", "R"}

names = st.from_regex(r"[a-z_][a-z0-9_]{0,4}", fullmatch=True).filter(lambda name: name not in RESERVED)
words = names.map(tree.Word)
counts = st.integers(0, 10**6).map(lambda number: tree.Word(str(number)))
dotted = st.lists(words, min_size=1, max_size=3).map(lambda parts: tree.Dotted(tuple(parts)))

owned = st.one_of(words, dotted.map(lambda name: tree.Word(str(name))))
"""A name, perhaps one of another file."""

SEGMENT = r"(?:[a-z0-9_*]|\{[a-z0-9_*,]{1,3}\}){1,3}(?:\[[0-9](?:\.\.[0-9])?\])?"
paths = st.from_regex(rf"@{SEGMENT}(?:\.{SEGMENT}){{0,2}}", fullmatch=True).map(tree.Path)

digits = st.from_regex(r"[0-9][0-9_]{0,2}(?:\.[0-9]{1,2})?", fullmatch=True)
numbers = st.one_of(digits, st.from_regex(r"[0-9](?:\.[0-9])?[eE][+-]?[0-9]", fullmatch=True)).map(tree.Number)
units = st.sampled_from(["%", "bit", "KiB", "kB", "mac", "min", "pp", "parsec"])
amounts = st.builds(tree.Amount, digits, units)
texts = st.text(st.characters(exclude_characters='"\n\r', exclude_categories=["Cs", "Cc", "Cf"]), max_size=6).map(
    tree.Text
)
patterns = st.from_regex(r"[0-9]:[0-9]", fullmatch=True).map(tree.Pattern)

atoms = st.one_of(names.map(tree.Name), numbers, amounts, texts, paths, patterns)


def several(items: st.SearchStrategy[tree.Expr], low: int = 1) -> st.SearchStrategy[tuple[tree.Expr, ...]]:
    return st.lists(items, min_size=low, max_size=3).map(tuple)


def _larger(inner: st.SearchStrategy[tree.Expr]) -> st.SearchStrategy[tree.Expr]:
    arguments = st.one_of(inner, st.builds(tree.Keyword, words, inner), st.builds(tree.Each, words, inner, inner))
    operators = st.sampled_from(["+", "-", "*", "/", "^", "and", "or", "<=", ">=", "==", "!=", "<", ">"])
    return st.one_of(
        st.builds(tree.Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(tree.Binary, operators, inner, inner),
        st.builds(tree.Member, inner, words),
        st.builds(tree.Over, inner, several(inner)),
        st.builds(tree.Call, inner, st.lists(arguments, max_size=2).map(tuple)),
        several(inner, 2).map(tree.Listing),
        several(inner).map(tree.Choice),
        st.builds(tree.Range, inner, inner, st.none() | inner),
        st.builds(tree.Choose, inner),
        st.builds(tree.Conditional, inner, inner, inner),
    )


expressions: st.SearchStrategy[tree.Expr] = st.recursive(atoms, _larger, max_leaves=6)

types = st.builds(
    tree.Type, words, st.none() | st.lists(st.just(tree.AnyAxis()) | expressions, min_size=1, max_size=3).map(tuple)
)  # fmt: skip
ports = st.builds(tree.Port, words, types)
port_lists = st.lists(ports, max_size=2).map(tuple)
some_ports = st.lists(ports, min_size=1, max_size=2).map(tuple)
blocks = st.lists(st.builds(tree.Field, words, expressions), max_size=3).map(lambda fields: tree.Block(tuple(fields)))
grades = st.sampled_from(["exact", "bounded", "lossy"]).map(tree.Word)

parameters = st.builds(tree.Parameter, words, st.booleans(), types, st.none() | expressions, st.none() | expressions)
parameter_lists = st.lists(parameters, max_size=2).map(tuple)

wires = words.map(tree.Wire)
chain_nodes = st.one_of(
    wires, st.lists(words, min_size=1, max_size=2).map(lambda w: tree.Wires(tuple(w))),
    st.builds(tree.Box, st.none() | words, expressions),
)  # fmt: skip
chains = st.lists(chain_nodes, min_size=2, max_size=3).map(lambda nodes: tree.Chain(tuple(nodes)))
sides = st.lists(chains, min_size=1, max_size=2).map(tuple)
bindings = st.builds(tree.Binding, st.lists(dotted, min_size=1, max_size=2).map(tuple), expressions)
provisos = st.one_of(
    st.builds(tree.Proviso, st.sampled_from(["where", "bound", "decreases"]), expressions),
    st.lists(bindings, min_size=1, max_size=2).map(lambda made: tree.With(tuple(made))),
)  # fmt: skip

path_lists = st.lists(paths, min_size=1, max_size=2).map(lambda made: tree.Paths(tuple(made)))
selectors = st.builds(tree.Selector, path_lists, st.none() | path_lists, st.none() | expressions)
readings = st.sampled_from(["frozen", "live"]).map(tree.Word)
scorings = st.builds(tree.Scoring, expressions, st.none() | readings)
stagings = st.builds(tree.Stages, counts, st.none() | words)
recovers = st.builds(tree.Recover, st.none() | words, blocks)
steps = st.builds(
    tree.Step, words, st.booleans(), expressions, selectors, st.none() | scorings, st.none() | stagings,
    st.none() | recovers
)  # fmt: skip


def _arrows(inner: st.SearchStrategy[tree.Word | tree.Sequence]) -> st.SearchStrategy[tree.Sequence]:
    side_by_side = st.lists(inner, min_size=1, max_size=2).map(lambda made: tree.Parallel(tuple(made)))
    return st.lists(side_by_side, min_size=1, max_size=3).map(lambda made: tree.Sequence(tuple(made)))


sequences = _arrows(st.recursive(words, _arrows, max_leaves=4))
confidences = st.none() | st.builds(tree.Confidence, expressions, st.none() | counts, st.none() | texts)
requires = st.builds(tree.Require, expressions, data=st.none() | owned, confidence=confidences) | st.builds(
    tree.Require, expressions, words, expressions, st.none() | owned, confidences
)
clauses = st.one_of(
    st.lists(dotted, min_size=1, max_size=2).map(lambda made: tree.Preserve(tuple(made))),
    counts.map(tree.Seed),
    several(expressions).map(tree.Budget),
    steps,
    sequences.map(tree.Order),
    recovers,
    st.builds(tree.Target, st.none() | st.sampled_from(["minimize", "maximize"]).map(tree.Word), expressions),
    requires,
    blocks.map(tree.Emit),
)

boundaries = st.one_of(ports.map(tree.InPort), ports.map(tree.OutPort), st.builds(tree.Cut, paths, types))
kinds = st.sampled_from(["criterion", "metric"])
vary_lists = st.lists(st.builds(tree.Vary, words, expressions), min_size=1, max_size=2).map(tuple)
file_paths = st.from_regex(r"\./[a-z]{1,5}\.surg", fullmatch=True).map(tree.Word)

rules = st.builds(
    tree.Rule,
    grades,
    words,
    st.none() | port_lists,
    sides,
    some_ports,
    sides,
    st.lists(provisos, max_size=2).map(tuple),
)
primitive_rules = st.builds(tree.PrimitiveRule, grades, words, parameter_lists, st.none(), st.none()) | st.builds(
    tree.PrimitiveRule, grades, words, parameter_lists, types, st.none() | words
)
declarations = st.one_of(
    st.builds(tree.UseOne, dotted, st.none() | words),
    st.builds(tree.UseSome, dotted, st.lists(words, min_size=1, max_size=3).map(tuple)),
    st.builds(tree.UseFile, file_paths, words),
    st.builds(tree.Dim, words, expressions),
    st.builds(tree.Let, words, st.none() | types, expressions),
    st.builds(tree.Param, words, types, expressions),
    st.builds(tree.Model, words, port_lists, port_lists, blocks),
    st.builds(tree.Data, words, blocks),
    st.builds(tree.Interface, words, owned, st.lists(boundaries, min_size=1, max_size=3).map(tuple)),
    st.builds(tree.Function, kinds, words, port_lists, types, expressions, st.booleans()),
    rules,
    primitive_rules,
    st.builds(tree.PrimitiveFunction, kinds, words, parameter_lists, types),
    st.builds(tree.Surgery, words, owned, st.lists(clauses, max_size=3).map(tuple)),
    st.builds(tree.Sweep, words, words, vary_lists, expressions, counts),
)
files = st.lists(declarations, max_size=3).map(lambda made: tree.File(tree.Word("1"), tuple(made)))
"""Any tree of edition 1, whether or not it makes sense."""
