"""Mistakes in criteria and metrics are told at their characters, and right ones become the formula that is meant."""

from __future__ import annotations

from fractions import Fraction

import pytest

from surgdsl.diagnostic import Source
from surgdsl.formula import EVERY, Apply, Formula, Number, Reduce, Variable
from surgdsl.language import check, tree
from surgdsl.language.expressions import Place, Shaped, shaped
from surgdsl.language.parsing import parse
from surgdsl.language.scope import Scope, scope_of

HEAD = """surg 1
use std.importance.{magnitude, taylor}
use std.metric.{accuracy, macs, nnz, params, size}
use std.norm.l2
dim T in 1..8
data rows { source = python("net:rows") }
"""
CRITERION = "criterion c(w: tensor[cout, cin]) -> score[cout] = "
METRIC = "metric c(m: model) -> ratio = "
GUILTY = {
    CRITERION + "sum[cin, kh](w)": ("E0324", "kh"),
    CRITERION + "sum[cin, cin](w)": ("E0324", "cin"),
    CRITERION + "sum[cin](w) + w": ("E0325", "sum[cin](w) + w"),
    CRITERION + "sum[cin](w * 4bit)": ("E0302", "4bit"),
    CRITERION + 'sum[cin](w * "a")': ("E0201", '"a"'),
    CRITERION + "sum[cin](v)": ("E0101", "v"),
    CRITERION + "sum[cin](w.bias)": ("E0101", "w.bias"),
    CRITERION + "sum[2](w)": ("E0201", "2"),
    CRITERION + "sum[cin](w, w)": ("E0201", "sum[cin](w, w)"),
    CRITERION + "sqrt(sum[cin](w), 2)": ("E0201", "sqrt(sum[cin](w), 2)"),
    CRITERION + "sum[cin](w^w)": ("E0305", "w"),
    CRITERION + "sum[cin](w^0.5)": ("E0305", "0.5"),
    CRITERION + "sum[cin](w) and 1 < 2": ("E0201", "sum[cin](w)"),
    CRITERION + "if sum[cin](w) then 1 else 2": ("E0201", "sum[cin](w)"),
    CRITERION + "scale[kh](sum[cin](w), 2)": ("E0324", "kh"),
    CRITERION + "sum[cin](scale[cin](w, sum[cin](w)))": ("E0324", "scale[cin](w, sum[cin](w))"),
    CRITERION + "sum[cin](grad(2 * w))": ("E0201", "grad(2 * w)"),
    CRITERION + "sum[cin](grad(sum))": ("E0201", "grad(sum)"),
    CRITERION + "sum[B](activation(w))": ("E0325", "sum[B](activation(w))"),
    CRITERION + "sum[B, U, cin](activation(w))": ("E0324", "U"),
    CRITERION + "c(w)": ("E0105", "c"),
    CRITERION + "taylor(sum[cin](w))": ("E0324", "sum[cin](w)"),
    CRITERION + "size(w)": ("E0201", "size"),
    CRITERION + "rows": ("E0201", "rows"),
    "criterion c(w: tensor[cout]) -> score[cout] = sum[B](activation(w))": ("E0324", "activation(w)"),
    "criterion c(w: tensor[*]) -> score[*] = sum[cin](w)": ("E0324", "cin"),
    "criterion c(w: tensor[*]) -> score[cout] = w": ("E0325", "w"),
    "criterion c(w: tensor[cout, 3]) -> score[cout] = sum(w)": ("E0326", "3"),
    "criterion c(w: tensor[cout, cout]) -> score[cout] = sum(w)": ("E0102", "cout"),
    "criterion c(w: tensor[h, cout]) -> score[cout] = sum[h](w)": ("E0326", "cout"),
    "criterion c(size: tensor[*]) -> score[*] = size": ("E0103", "size"),
    "criterion c() -> score[*] = 1": ("E0326", "c"),
    "criterion c(w: tensor[*], rows2: data) -> score[*] = w": ("E0326", "rows2"),
    'extern criterion c(w: tensor[*], calibrate: data) -> score[*] = python("a:b")': ("E0326", "calibrate"),
    "criterion c(calibrate: data) -> score[*] = 1": ("E0326", "c"),
    "criterion c(w: tensor[*]) -> ratio = sum(w)": ("E0326", "ratio"),
    METRIC + "size(m) / macs(m)": ("E0302", "size(m) / macs(m)"),
    METRIC + "size(m) / size(n)": ("E0201", "n"),
    METRIC + "1 + params(m) / params(before) + nnz(m)": ("E0302", "1 + params(m) / params(before) + nnz(m)"),
    METRIC + "sum(p in weights(m): width(p)) / params(m)": ("E0101", "width"),
    METRIC + "sum(p in weights(n): count(p)) / params(m)": ("E0422", "weights(n)"),
    METRIC + "sum(m in weights(m): count(m)) / params(before)": ("E0103", "m"),
    METRIC + "sum(p in weights(m): p) / params(m)": ("E0201", "p"),
    METRIC + "prod(p in weights(m): size(p))": ("E0302", "size(p)"),
    METRIC + "size(m)^params(m)": ("E0305", "params(m)"),
    METRIC + "max(size(m), params(m)) / size(m)": ("E0302", "params(m)"),
    METRIC + "max(size(m))": ("E0201", "max(size(m))"),
    METRIC + "(if size(m) then 1 else 2) * params(m) / params(before)": ("E0201", "size(m)"),
    METRIC + "if size(m) < params(m) then 1 else size(m) / size(before)": ("E0302", "size(m) < params(m)"),
    METRIC + "if params(m) < 1e40 then 1 else size(m) / size(before)": ("E0305", "1e40"),
    METRIC + "accuracy(m)": ("E0420", "accuracy"),
    METRIC + "l2(m)": ("E0201", "l2"),
    METRIC + "size": ("E0420", "size"),
    METRIC + "size.fall / size(m)": ("E0101", "fall"),
    METRIC + "c(before)": ("E0105", "c"),
    "metric c(m: model) -> bit = params(m)": ("E0302", "params(m)"),
    "metric c(m: model) -> count = size(m) / size(before)": ("E0302", "size(m) / size(before)"),
    "metric c(m: model) -> bit[3] = size(m)": ("E0326", "bit[3]"),
    "metric c(m: model, n: model) -> bit = size(m)": ("E0326", "c"),
    "metric c(d: data) -> bit = 1B": ("E0326", "data"),
    "metric c(x: tensor[*]) -> bit = sum(x)": ("E0326", "bit"),
    "metric c(x: tensor[*]) -> ratio = x": ("E0325", "x"),
}


@pytest.mark.parametrize("text", GUILTY)
def test_a_mistake_is_told_once_at_its_characters(text: str) -> None:
    _, faults = check(Source("c.surg", f"{HEAD}{text}\n"))
    assert [GUILTY[text]] == [(one.code, one.span.text if one.span else "") for one in faults]
    (fault,) = faults
    assert fault.span is not None
    assert fault.span.line == HEAD.count("\n") + 1


def place() -> Place:
    source = Source("c.surg", HEAD)
    scope: Scope = scope_of(parse(source), source)
    axes = {"w": ("i", "j"), "C.bias": ("i",), "r": ()}
    return Place(scope, {name: Shaped(Variable(name), found) for name, found in axes.items()})


def expression(text: str) -> tree.Expr:
    (node,) = parse(Source("e.surg", f"surg 1\nlet e = {text}\n")).file.declarations
    assert isinstance(node, tree.Let)
    return node.value


w, bias, r = Variable("w"), Variable("C.bias"), Variable("r")


def number(value: str) -> Number:
    return Number(Fraction(value))


MEANT: dict[str, tuple[Formula, tuple[str, ...]]] = {
    "-w + 2": (Apply("add", (Apply("neg", (w,)), number("2"))), ("i", "j")),
    "C.bias * w": (Apply("mul", (bias, w)), ("i", "j")),
    "scale[i](w, C.bias)": (Apply("mul", (w, bias)), ("i", "j")),
    "sum[j](w)^-1": (Apply("pow", (Reduce("sum", ("j",), w), number("-1"))), ("i",)),
    "max(w)": (Reduce("max", (EVERY,), w), ()),
    "max(w, r, 1)": (Apply("max", (Apply("max", (w, r)), number("1"))), ("i", "j")),
    "1 + 1/2": (number("3/2"), ()),
    "not r < 2": (Apply("not", (Apply("lt", (r, number("2"))),)), ()),
    "if r == 0 then w else C.bias": (Apply("if", (Apply("eq", (r, number("0"))), w, bias)), ("i", "j")),
    "r < 1 and true": (Apply("and", (Apply("lt", (r, number("1"))), Apply("eq", (number("0"), number("0"))))), ()),
    "l2(w)": (Apply("sqrt", (Reduce("sum", (EVERY,), Apply("pow", (w, number("2")))),)), ()),
    "magnitude(C.bias)": (Apply("abs", (bias,)), ("i",)),
}


@pytest.mark.parametrize("text", MEANT)
def test_an_expression_becomes_the_formula_that_is_meant(text: str) -> None:
    here = place()
    found = shaped(here, expression(text))
    assert found is not None, here.scope.faults
    assert MEANT[text] == (found.expr, found.axes)
