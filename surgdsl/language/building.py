"""From lark's parse tree to ours: one method for each grammar rule, bottom up, every node with its span.

Lark's tree is untyped; here is the only place that touches it.
"""

from __future__ import annotations

from typing import Any

from lark import Token, Tree

from surgdsl.diagnostic import Source, Span
from surgdsl.language import tree


class Building:
    """The fold of a parse tree of `source` into nodes. Method names are the rule names of the grammar."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def node(self, parsed: Tree[Token]) -> Any:
        """The node of `parsed`, its children first. The depth of trees is limited before this is called."""
        parts: list[Any] = [self.node(child) if isinstance(child, Tree) else child for child in parsed.children]
        return getattr(self, parsed.data)(parsed.meta, parts)

    def _at(self, meta: Any) -> Span:
        return Span(self.source, meta.start_pos, meta.end_pos)

    def _word(self, token: Token) -> tree.Word:
        assert token.start_pos is not None
        assert token.end_pos is not None
        return tree.Word(str(token), span=Span(self.source, token.start_pos, token.end_pos))

    def _text(self, token: Token) -> tree.Text:
        word = self._word(token)
        return tree.Text(word.text[1:-1], span=word.span)

    def _maybe(self, token: Token | None) -> tree.Word | None:
        return None if token is None else self._word(token)

    # ---- the file -------------------------------------------------------------------------------
    def start(self, meta: Any, parts: list[Any]) -> Any:
        edition, *declarations = parts
        return tree.File(self._word(edition), tuple(declarations), span=self._at(meta))

    def declaration(self, _meta: Any, parts: list[Any]) -> Any:
        return parts[0]

    clause = declaration

    def use_one(self, meta: Any, parts: list[Any]) -> Any:
        return tree.UseOne(parts[0], self._maybe(parts[1]), span=self._at(meta))

    def use_some(self, meta: Any, parts: list[Any]) -> Any:
        return tree.UseSome(parts[0], tuple(map(self._word, parts[1:])), span=self._at(meta))

    def use_file(self, meta: Any, parts: list[Any]) -> Any:
        path, alias = self._word(parts[0]), self._word(parts[1])
        return tree.UseFile(tree.Word(path.text[1:-1], span=path.span), alias, span=self._at(meta))

    def dim(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Dim(self._word(parts[0]), parts[1], span=self._at(meta))

    def let(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Let(self._word(parts[0]), parts[1], parts[2], span=self._at(meta))

    def param(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Param(self._word(parts[0]), parts[1], parts[2], span=self._at(meta))

    def model(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Model(self._word(parts[0]), *parts[1:], span=self._at(meta))

    def data(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Data(self._word(parts[0]), parts[1], span=self._at(meta))

    def interface(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Interface(self._word(parts[0]), _joined(parts[1]), tuple(parts[2:]), span=self._at(meta))

    def in_port(self, meta: Any, parts: list[Any]) -> Any:
        return tree.InPort(parts[0], span=self._at(meta))

    def out_port(self, meta: Any, parts: list[Any]) -> Any:
        return tree.OutPort(parts[0], span=self._at(meta))

    def cut(self, meta: Any, parts: list[Any]) -> Any:
        path = self._word(parts[0])
        return tree.Cut(tree.Path(path.text, span=path.span), parts[1], span=self._at(meta))

    def criterion(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Function("criterion", self._word(parts[0]), *parts[1:], span=self._at(meta))

    def metric(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Function("metric", self._word(parts[0]), *parts[1:], span=self._at(meta))

    def extern(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Function(parts[0].text, self._word(parts[1]), *parts[2:], extern=True, span=self._at(meta))

    def kind(self, _meta: Any, parts: list[Any]) -> Any:
        return self._word(parts[0])

    grade = reading = sense = kind

    def optional(self, _meta: Any, _parts: list[Any]) -> bool:
        return True

    exhaustively = optional

    def parameters(self, _meta: Any, parts: list[Any]) -> Any:
        return tuple(part for part in parts if part is not None)

    ports = left = glue = right = parameters

    def parameter(self, meta: Any, parts: list[Any]) -> Any:
        name, optional, kind, domain, default = parts
        return tree.Parameter(self._word(name), bool(optional), kind, domain, default, span=self._at(meta))

    def primitive_rule(self, meta: Any, parts: list[Any]) -> Any:
        grade, name, parameters, score, criterion = parts
        return tree.PrimitiveRule(
            grade, self._word(name), parameters, score, self._maybe(criterion), span=self._at(meta)
        )

    def primitive_function(self, meta: Any, parts: list[Any]) -> Any:
        kind, name, parameters, result = parts
        return tree.PrimitiveFunction(kind.text, self._word(name), parameters, result, span=self._at(meta))

    # ---- rules ----------------------------------------------------------------------------------
    def rule(self, meta: Any, parts: list[Any]) -> Any:
        grade, name, ports, left, glue, right, *provisos = parts
        return tree.Rule(grade, self._word(name), ports, left, glue, right, tuple(provisos), span=self._at(meta))

    def chain(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Chain(tuple(parts), span=self._at(meta))

    def wire(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Wire(self._word(parts[0]), span=self._at(meta))

    def wires(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Wires(tuple(map(self._word, parts)), span=self._at(meta))

    def box(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Box(self._maybe(parts[0]), parts[1], span=self._at(meta))

    def where(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Proviso("where", parts[0], span=self._at(meta))

    def bound(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Proviso("bound", parts[0], span=self._at(meta))

    def decreases(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Proviso("decreases", parts[0], span=self._at(meta))

    def with_(self, meta: Any, parts: list[Any]) -> Any:
        return tree.With(tuple(parts), span=self._at(meta))

    def binding(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Binding(tuple(parts[:-1]), parts[-1], span=self._at(meta))

    # ---- surgeries ------------------------------------------------------------------------------
    def surgery(self, meta: Any, parts: list[Any]) -> Any:
        name, model, *clauses = parts
        return tree.Surgery(self._word(name), _joined(model), tuple(clauses), span=self._at(meta))

    def preserve(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Preserve(tuple(parts), span=self._at(meta))

    def seed(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Seed(self._word(parts[0]), span=self._at(meta))

    def budget(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Budget(tuple(parts), span=self._at(meta))

    def step(self, meta: Any, parts: list[Any]) -> Any:
        name, exhaustively, *rest = parts
        return tree.Step(self._word(name), bool(exhaustively), *rest, span=self._at(meta))

    def scoring(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Scoring(*parts, span=self._at(meta))

    def stages(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Stages(self._word(parts[0]), self._maybe(parts[1]), span=self._at(meta))

    def order(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Order(parts[0], span=self._at(meta))

    def sequence(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Sequence(tuple(parts), span=self._at(meta))

    def parallel(self, meta: Any, parts: list[Any]) -> Any:
        arrows = (self._word(part) if isinstance(part, Token) else part for part in parts)
        return tree.Parallel(tuple(arrows), span=self._at(meta))

    def recover(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Recover(self._maybe(parts[0]), parts[1], span=self._at(meta))

    def target(self, meta: Any, parts: list[Any]) -> Any:
        sense, goal, data = parts
        return tree.Target(sense, goal, None if data is None else _joined(data), span=self._at(meta))

    def require(self, meta: Any, parts: list[Any]) -> Any:
        claim, each, domain, data, confidence = parts
        named = None if data is None else _joined(data)
        return tree.Require(claim, self._maybe(each), domain, named, confidence, span=self._at(meta))

    def confidence(self, meta: Any, parts: list[Any]) -> Any:
        level, candidates, registered = parts
        named = None if registered is None else self._text(registered)
        return tree.Confidence(level, self._maybe(candidates), named, span=self._at(meta))

    def emit(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Emit(parts[0], span=self._at(meta))

    def sweep(self, meta: Any, parts: list[Any]) -> Any:
        name, surgery, *varies, keep, limit = parts
        words = self._word(name), self._word(surgery)
        return tree.Sweep(*words, tuple(varies), keep, self._word(limit), span=self._at(meta))

    def vary(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Vary(self._word(parts[0]), parts[1], span=self._at(meta))

    def selector(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Selector(*parts, span=self._at(meta))

    def paths(self, meta: Any, parts: list[Any]) -> Any:
        words = map(self._word, parts)
        return tree.Paths(tuple(tree.Path(word.text, span=word.span) for word in words), span=self._at(meta))

    # ---- blocks, types --------------------------------------------------------------------------
    def block(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Block(tuple(parts), span=self._at(meta))

    def field(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Field(self._word(parts[0]), parts[1], span=self._at(meta))

    def port(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Port(self._word(parts[0]), parts[1], span=self._at(meta))

    def type(self, meta: Any, parts: list[Any]) -> Any:
        name, *axes = parts
        written = None if axes in ([], [None]) else tuple(axes)
        return tree.Type(self._word(name), written, span=self._at(meta))

    def any_axis(self, meta: Any, _parts: list[Any]) -> Any:
        return tree.AnyAxis(span=self._at(meta))

    def dotted(self, meta: Any, parts: list[Any]) -> Any:
        before = parts[0].words if len(parts) == 2 else ()
        return tree.Dotted((*before, self._word(parts[-1])), span=self._at(meta))

    # ---- expressions ----------------------------------------------------------------------------
    def name(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Name(str(parts[0]), span=self._at(meta))

    def number(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Number(str(parts[0]), span=self._at(meta))

    def quantity(self, meta: Any, parts: list[Any]) -> Any:
        text = str(parts[0])
        digits = text.rstrip("%") if text.endswith("%") else text.rstrip(LETTERS)
        return tree.Amount(digits, text[len(digits) :], span=self._at(meta))

    def text(self, _meta: Any, parts: list[Any]) -> Any:
        return self._text(parts[0])

    def path(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Path(str(parts[0]), span=self._at(meta))

    def pattern(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Pattern(str(parts[0]), span=self._at(meta))

    def binary(self, meta: Any, parts: list[Any]) -> Any:
        left, operator, right = parts
        return tree.Binary(str(operator), left, right, span=self._at(meta))

    compare = binary

    def either(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Binary("or", *parts, span=self._at(meta))

    def both(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Binary("and", *parts, span=self._at(meta))

    def denial(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Unary("not", parts[0], span=self._at(meta))

    def negative(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Unary("-", parts[1], span=self._at(meta))

    def member(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Member(parts[0], self._word(parts[1]), span=self._at(meta))

    def over(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Over(parts[0], tuple(parts[1:]), span=self._at(meta))

    def call(self, meta: Any, parts: list[Any]) -> Any:
        function, *arguments = parts
        return tree.Call(function, tuple(one for one in arguments if one is not None), span=self._at(meta))

    def keyword(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Keyword(self._word(parts[0]), parts[1], span=self._at(meta))

    def each(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Each(self._word(parts[0]), parts[1], parts[2], span=self._at(meta))

    def listing(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Listing(tuple(parts), span=self._at(meta))

    def choice(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Choice(tuple(parts), span=self._at(meta))

    def range(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Range(*parts, span=self._at(meta))

    def choose(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Choose(parts[0], span=self._at(meta))

    def conditional(self, meta: Any, parts: list[Any]) -> Any:
        return tree.Conditional(*parts, span=self._at(meta))


def _joined(dotted: tree.Dotted) -> tree.Word:
    """A name that may be one of another file, as one word."""
    return tree.Word(str(dotted), span=dotted.span)


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
