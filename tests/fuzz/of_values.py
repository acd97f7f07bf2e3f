"""Targets that take bytes as decisions: honest values of the corpus after some edits, everything hashed anew.

Bytes at random never get past the first brace of a statement; edited values reach every check behind the parser.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path

from surgdsl.verifier import claims
from surgdsl.verifier.canonical import parse
from surgdsl.verifier.check import Request, check, check_form
from surgdsl.verifier.declared.declaration import declared, spell
from surgdsl.verifier.extent import symbols
from surgdsl.verifier.formula import Ground, attested, evaluate, figure
from surgdsl.verifier.formula import spell as spelled
from surgdsl.verifier.net import parse as parse_net
from surgdsl.verifier.operations import check_type, macs
from surgdsl.verifier.reject import Reject
from surgdsl.verifier.report import Report, human, machine
from surgdsl.verifier.requirement import promised
from surgdsl.verifier.schema import parsed
from tests.fuzz.choices import Choices, Json, changed, copied
from tests.fuzz.of_bytes import PLACE
from tests.verifier.forge import canon as written
from tests.verifier.forge import sealed
from tests.verifier.paper import Paper

CORPUS = Path(__file__).parents[1] / "verifier" / "corpus"
FAULTS = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What hashing anew may stumble over, where an edit left nothing that can be hashed."""
FORMULAS: tuple[Json, ...] = (
    {"apply": "div", "terms": [{"metric": "size/1", "state": "after"}, {"metric": "size/1", "state": "before"}]},
    {
        "body": {"apply": "pow", "terms": [{"of": "bits", "variable": "w"}, {"number": "-3"}]},
        "each": "mean", "over": "weights", "state": "after", "variable": "w",
    },
    {"apply": "if", "terms": [{"apply": "lt", "terms": [{"number": "1/3"}, {"number": "2"}]}] + [{"number": "0"}] * 2},
    {"attested": "3/2", "reference": "f.py:g", "sha256": "0" * 64, "state": "before"},
    {"apply": "neg", "terms": [{"apply": "max", "terms": [{"number": "9" * 39}, {"number": "-1"}]}]},
)  # fmt: skip
METRICS: dict[str, int] = dict.fromkeys(("macs/1", "nnz/1", "params/1", "size/1"), 12345)
WEIGHTS = [{"count": 6, "nnz": 5, "size": 24, "bits": 32}, {"count": 0, "nnz": 0, "size": 0, "bits": 32}]
NAMES = (
    "little", "prune-residual", "prune-heads", "symbols", "rule-scales", "rule-factor", "every-rule", "bounds",
    "grids", "mask-patterns", "masked-grid", "python", "losses", "fake-quantize", "dtypes", "prune-codes",
)  # fmt: skip
"""Small certificates that hold every rule, encoding and form of claim."""


@cache
def papers() -> list[Paper]:
    """The certificates that are edited."""
    return [Paper(CORPUS / "good" / name) for name in NAMES]


@cache
def calls() -> list[Json]:
    """A graph for every operator of the page, drawn from its row: the operation alone."""
    from tests.browser.calls import draw, generator  # torch, which no other target needs
    from tests.browser.certificates import alone
    from tests.browser.table import rows

    called = [draw(row, generator(7)) for row in rows().values()]
    return [alone({**one.written(), "targets": one.made()}).graph() for one in called if one.made()]


def graph(data: bytes) -> None:
    """A graph of the corpus."""
    choices = Choices(data)
    typed(changed(copied(choices.one(papers()).graph), choices))


def call(data: bytes) -> None:
    """A graph of one operation."""
    choices = Choices(data)
    typed(changed(copied(choices.one(calls())), choices))


def typed(value: Json) -> None:
    """A graph is read, typed, ordered, numbered, counted; what is a net is one again when it is read back."""
    with contextlib.suppress(Reject):
        net = parse_net(parsed(written(value), "graph", "fuzz"))
        for operation in net.operations.values():
            check_type(operation, net.wires)
        used = {symbol for sort in net.wires.values() for extent in sort.shape for symbol in symbols(extent)}
        assert sum(macs(one, net.wires, dict.fromkeys(used, 2)) for one in net.operations.values()) >= 0
        again = parse_net(parsed(net.written(), "graph", "fuzz"))
        assert (again.digest(), again.manifest()) == (net.digest(), net.manifest())
        assert again.boundary() == net.boundary()


def formula(data: bytes) -> None:
    """A figure of a claim: a number, or a refusal."""
    choices = Choices(data)
    value = changed(copied(choices.one(FORMULAS)), choices)
    with contextlib.suppress(Reject):
        value = parse(written(value), "fuzz")
        figure(value, "fuzz")
        ground = Ground({"before": METRICS, "after": METRICS}, {"before": WEIGHTS, "after": WEIGHTS}, ())
        assert str(evaluate(value, ground))
        assert spelled(value)
        assert attested(value) is not None


def statement(data: bytes) -> None:
    """A statement, sealed anew: its form, its rules, and its claims beside the words of the text."""
    choices = Choices(data)
    paper = choices.one(papers())
    value = changed(copied(paper.statement), choices)
    with contextlib.suppress(*FAULTS):
        value = sealed(value)
    with contextlib.suppress(Reject):
        document = parsed(written(value), "statement", "fuzz")
        check_form(document, document["predicate"])
        for row in declared(document["predicate"]).values():
            assert spell(row)
        promised([claim["text"] for claim in document["predicate"]["claims"]], paper.text)


def log(data: bytes) -> None:
    """A log and a claim on it: added up, bounded, compared."""
    choices = Choices(data)
    paper = choices.one([paper for paper in papers() if paper.logs])
    first = choices.one(sorted(paper.logs))
    value = changed(copied(paper.logs[first]), choices)
    claim = changed(copied(choices.one(paper.predicate["claims"])), choices)
    with contextlib.suppress(Reject):
        found = parsed(written(value), "log", "fuzz")
        claims.check_log(found, found["before"], found["after"], set())
        document = parsed(written(claim), "claim", "fuzz")
        if "measured" in document:
            claims.measured(document["measured"], document["text"], claims.summed(found))


def certificate(data: bytes) -> None:
    """A certificate edited in its statement, graph or logs, hashed anew and checked from end to end."""
    choices = Choices(data)
    paper = choices.one(papers()).copy()
    at = choices.below(8)
    with contextlib.suppress(*FAULTS):
        if at < 2:
            paper.graph = changed(paper.graph, choices)
        elif at < 3 and paper.logs:
            name = choices.one(sorted(paper.logs))
            paper.logs[name] = changed(paper.logs[name], choices)
        elif at < 7 and paper.steps:
            one = choices.below(len(paper.steps))
            paper.steps[one] = changed(paper.steps[one], choices)
        else:
            paper.statement["predicate"] = changed(paper.predicate, choices)
        paper.renew(count=choices.below(2) == 0)
    try:
        folder = paper.write(Path(PLACE.name) / "certificate")
    except (*FAULTS, OSError):
        return
    report = Report()
    request = Request(
        str(folder),
        f"{folder}/input.safetensors",
        f"{folder}/model.safetensors",
        dict.fromkeys(("input", "output", "spec"), ""),
    )
    try:
        check(request, report)
    except Reject as reject:
        report.reject = reject
    for lines in (human(report, colour=False), machine(report)):
        assert all(line.isprintable() for line in lines)
