"""The tree of a `.surg` file: one frozen class for each construct, a span on every node.

Spans do not count in comparisons, so that `parse(format(tree)) == tree` is a law.
"""

from surgdsl.language.tree.clause import (
    Budget, Clause, Emit, Order, Parallel, Paths, Preserve, Recover, Require, Scoring, Seed, Selector, Sequence,
    Stages, Step, Target,
)  # fmt: skip
from surgdsl.language.tree.declaration import (
    Binding, Box, Chain, Cut, Data, Declaration, Dim, File, Function, InPort, Interface, Let, Model, OutPort,
    Param, Parameter, PrimitiveFunction, PrimitiveRule, Proviso, Rule, Surgery, Sweep, UseFile, UseOne, UseSome,
    Vary, Wire, Wires, With,
)  # fmt: skip
from surgdsl.language.tree.expression import (
    Amount, AnyAxis, Binary, Block, Call, Choice, Choose, Conditional, Dotted, Each, Expr, Field, Keyword,
    Listing, Member, Name, Node, Number, Over, Path, Pattern, Port, Range, Text, Type, Unary, Word,
)  # fmt: skip

__all__ = [
    "Amount", "AnyAxis", "Binary", "Binding", "Block", "Box", "Budget", "Call", "Chain", "Choice", "Choose",
    "Clause", "Conditional", "Cut", "Data", "Declaration", "Dim", "Dotted", "Each", "Emit", "Expr", "Field",
    "File", "Function", "InPort", "Interface", "Keyword", "Let", "Listing", "Member", "Model", "Name", "Node",
    "Number", "Order", "OutPort", "Over", "Parallel", "Param", "Parameter", "Path", "Paths", "Pattern", "Port",
    "Preserve", "PrimitiveFunction", "PrimitiveRule", "Proviso", "Range", "Recover", "Require", "Rule", "Scoring",
    "Seed", "Selector", "Sequence", "Stages", "Step", "Surgery", "Sweep", "Target", "Text", "Type", "Unary",
    "UseFile", "UseOne", "UseSome", "Vary", "Wire", "Wires", "With", "Word",
]  # fmt: skip
