"""Laws of the formatter: the tree stays, the second time changes nothing, every comment is kept in order."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgdsl.diagnostic import Refusal, Source, shipped
from surgdsl.language import check, parse, tables, tree
from surgdsl.language.formatting import format_parsed, format_source
from surgdsl.language.parsing import Parsed

ROOT = Path(__file__).parent.parent.parent
STRATEGIES = ROOT / "tests" / "language_strategies.py"


def _files() -> st.SearchStrategy[tree.File]:
    """The strategy of whole trees; test folders are no packages, so it is found by its place."""
    spec = importlib.util.spec_from_file_location("language_strategies", STRATEGIES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files


files = _files()


def test_the_trees_are_made_of_every_construct() -> None:
    text = STRATEGIES.read_text(encoding="utf-8")
    constructs = {name for name, one in vars(tree).items() if isinstance(one, type) and issubclass(one, tree.Node)}
    assert {name for name in constructs if f"tree.{name}" not in text} == {"Node"}


@given(files)
@settings(max_examples=150, deadline=None)
def test_reading_undoes_spelling(file: tree.File) -> None:
    text = format_parsed(Parsed(file))
    again = parse(Source("made.surg", text))
    assert again.faults == (), text
    assert file == again.file, text
    assert text == format_parsed(again)


X, Y, WORD = tree.Name("x"), tree.Name("y"), tree.Word("w")
OPERATORS = ("+", "-", "*", "/", "^", "and", "or", "<=", "==")
HOLES: tuple[Callable[[tree.Expr], tree.Expr], ...] = (
    *(partial(tree.Binary, operator, X) for operator in OPERATORS),
    *((lambda inner, operator=operator: tree.Binary(operator, inner, Y)) for operator in OPERATORS),
    partial(tree.Unary, "-"),
    partial(tree.Unary, "not"),
    lambda inner: tree.Member(inner, WORD),
    lambda inner: tree.Over(inner, (X,)),
    lambda inner: tree.Over(X, (inner, Y)),
    lambda inner: tree.Call(inner, ()),
    lambda inner: tree.Call(X, (inner, tree.Keyword(WORD, inner), tree.Each(WORD, inner, inner))),
    lambda inner: tree.Listing((inner, inner)),
    lambda inner: tree.Choice((inner,)),
    lambda inner: tree.Range(inner, inner, inner),
    tree.Choose,
    lambda inner: tree.Conditional(inner, inner, inner),
)
"""Every construct of an expression with one of its places left open."""
LEAVES = (
    X,
    tree.Number("1"),
    tree.Number("3e-4"),
    tree.Amount("2", "bit"),
    tree.Text("t"),
    tree.Path("@a"),
    tree.Pattern("2:4"),
)


@pytest.mark.parametrize("outer", range(len(HOLES)))
def test_every_construct_is_read_back_in_every_place_of_every_other(outer: int) -> None:
    exprs = [HOLES[outer](inner) for inner in (*LEAVES, *(hole(leaf) for hole in HOLES for leaf in LEAVES))]
    file = tree.File(tree.Word("1"), tuple(tree.Let(WORD, None, one) for one in exprs))
    again = parse(Source("", format_parsed(Parsed(file))))
    assert again.faults == ()
    for before, after in zip(file.declarations, again.file.declarations, strict=True):
        assert before == after


@given(files, st.data())
@settings(max_examples=80, deadline=None)
def test_comments_are_kept_wherever_they_stand(file: tree.File, data: st.DataObject) -> None:
    lines = format_parsed(Parsed(file)).splitlines()
    for at in data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4)):
        lines[at] += f"  # note {at}" if data.draw(st.booleans()) else f"\n# line {at}\n"
    text = format_source(Source("made.surg", "\n".join(lines)))
    before = [one.text for one in parse(Source("", "\n".join(lines))).comments]
    assert before == [one.text for one in parse(Source("", text)).comments]
    assert text == format_source(Source("made.surg", text))


@given(files, st.data())
@settings(max_examples=80, deadline=None)
def test_where_lines_break_does_not_matter(file: tree.File, data: st.DataObject) -> None:
    text = format_parsed(Parsed(file))
    blanks = [at for at, char in enumerate(text) if char == " " and text.count('"', 0, at) % 2 == 0]
    for at in data.draw(st.lists(st.sampled_from(blanks), max_size=5)) if blanks else []:
        text = f"{text[:at]}\n{text[at + 1 :]}"
    assert file == parse(Source("", format_source(Source("", text)))).file


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(
    ["surg 1\n", "model", " ", "net", "{", "}", "(", ")", "\n", "use", "std.", "step a = apply", "@**", '"', "#",
    "require", "<=", "%", "1", "surgery", " on ", "order", ">>", "not ", "-", "^", "[", "]", "dim B in ", "let x = ",
    "\t", "\r\n", "é", "\u202e", "..", "e9"]
), max_size=30).map("".join)))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_garbage_is_refused_and_never_breaks_the_compiler(text: str) -> None:
    from surgdsl.diagnostic import render
    from surgdsl.language import program

    for attempt in (program, format_source):
        try:
            attempt(Source("garbage.surg", text))
            refused = ()
        except Refusal as refusal:
            refused = refusal.diagnostics
        assert refused == () or "error[E0" in render(refused)


HOUSE = sorted([*shipped("stdlib").rglob("*.surg"), *(ROOT / "examples").glob("*.surg")])


@pytest.mark.parametrize("path", HOUSE, ids=lambda p: p.name)
def test_the_files_of_the_house_are_in_the_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == format_source(Source(path.name, text))


WRITTEN = """# a file
    surg   1
use std.metric.{ size,params } # both
data train {source=python("net:train")}
data test {
 source=python("net:test")   take = 5 # five
}


surgery slim on net{ # begins
# nothing yet
 step  fold=apply fold_batchnorm @**
 step narrow = apply prune_channels(keep=50%, calibrate = train) @layer1.* | @layer2.* except @layer1.0
   by taylor then recover{data=train}
 order (fold)>>narrow
 require (size(after)) <= (1 + 2) * 3kB # all
 # ends
}
# end"""
LAID_OUT = """\
# a file
surg 1
use std.metric.{size, params}  # both
data train { source = python("net:train") }
data test  {
  source = python("net:test")
  take   = 5  # five
}

surgery slim on net {  # begins
  # nothing yet
  step fold   = apply fold_batchnorm @**
  step narrow = apply prune_channels(keep = 50%, calibrate = train) @layer1.* | @layer2.* except @layer1.0 by taylor
      then recover { data = train }
  order (fold) >> narrow
  require size(after) <= (1 + 2) * 3kB  # all
  # ends
}
# end
"""


def test_the_layout() -> None:
    assert format_source(Source("", WRITTEN)) == LAID_OUT


def test_the_grammar_has_no_collision() -> None:
    parser = tables.build(tables.grammar(), strict=True)
    assert "step" in {rule.origin.name for rule in parser.rules}


def test_the_tables_are_those_of_the_grammar() -> None:
    text = tables.grammar()
    assert tables.load(text + "\n") is None
    made: Any = tables.load(text)
    assert made is not None, "make grammar"
    built: Any = tables.build(text)
    for path in HOUSE:
        surg = path.read_text(encoding="utf-8")
        assert built.parse(surg, start="start") == made.parse(surg, start="start")


NESTED = {
    "minus": ("-", "1", ""), "not": ("not ", "a", ""), "sum": ("1 + ", "1", ""), "power": ("2^", "1", ""),
    "call": ("f(", "1", ")"), "keyword": ("f(a = ", "1", ")"), "set": ("{", "1", "}"), "choose": ("choose ", "1", ""),
    "if": ("if a then b else ", "c", ""),
}  # fmt: skip


@pytest.mark.parametrize("form", NESTED)
def test_nesting_is_limited_before_it_exhausts_the_stack(form: str) -> None:
    before, middle, after = NESTED[form]
    levels = 45 if form == "keyword" else 95  # an argument with its name is two levels of the tree
    good = Source("", f"surg 1\nlet x = {before * levels}{middle}{after * levels}\n")
    assert parse(good).faults == ()
    assert format_source(good)
    assert all(one.code != "E0007" for one in check(good)[1])
    _, faults = check(Source("", f"surg 1\nlet x = {before * 5000}{middle}{after * 5000}\n"))
    assert [one.code for one in faults] == ["E0007"]


def test_parentheses_alone_are_no_nesting() -> None:
    assert format_source(Source("", f"surg 1\nlet x = {'(' * 5000}1{')' * 5000}\n")) == "surg 1\nlet x = 1\n"
