"""The order of a plan as it is told: layers, verdicts, and the weights between two steps."""

from __future__ import annotations

from surgdsl.planning.plan import Plan, plan
from surgdsl.report.ordered import records, told
from tests.bridge.cases import CASES
from tests.bridge.zoo import captured
from tests.planning.plans import opened

CUT, MORE = "prune_channels(keep = 50%) @a by magnitude", "prune_channels(keep = 50%) @b by magnitude"
MASK = "mask(keep = 50%) @fc"


def made(*steps: str, order: str = "") -> Plan:
    return plan(opened(captured(CASES["batch norm"]), steps, order))


def test_layers_and_verdicts_are_told() -> None:
    assert list(told(made(CUT, MORE, "quantize(bits = 2bit) @fc", order="order a >> b >> c"))) == [
        "  order     a >> b >> c    as the file says",
    ]
    assert list(told(made(CUT, MASK))) == ["  order     (a | b)    derived", "            a, b: independent"]
    assert list(told(made(CUT, MORE))) == [
        "  order     a >> b    derived",
        "            a, b: both change `b.weight`, and either order gives the same",
    ]
    assert list(told(made(CUT))) == []


def test_records_say_the_same() -> None:
    (record,) = records(made(CUT, MORE))
    assert record == {
        "type": "order",
        "layers": [["a"], ["b"]],
        "pairs": [{"first": "a", "second": "b", "verdict": "joinable", "shared": ["b.weight"]}],
    }
