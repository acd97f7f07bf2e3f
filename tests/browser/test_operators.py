"""The operators of the browser's verifier take and make what torch does, and are cut where torch computes the same."""

from collections import Counter
from typing import Any

import torch

from tests.browser.calls import DTYPES, Called, Tensor, draw, generator, run, spoiled
from tests.browser.cuts import Cut, Kept, draw_cuts
from tests.browser.engine import evaluate
from tests.browser.table import rows, table, table_of_the_page

RESULTS = """async (base, calls) => {
  const { results } = await import(base + "operators.js");
  return calls.map(({ op, attributes, sources, targets }) => {
    const operation = { op, attributes: new Map(attributes), sources: [], targets: [] };
    try {
      return results({ operation, sources, targets });
    } catch (error) {
      return error.code ?? `crash: ${error.stack}`;
    }
  });
}"""
RELATE = """async (base, cuts) => {
  const { check, relate } = await import(base + "operators.js");
  const call = ({ op, attributes, sources, targets }) => {
    return { operation: { op, attributes: new Map(attributes), sources: [], targets: [] }, sources, targets };
  };
  return cuts.map(({ before, after, sets }) => {
    try {
      check(call(after));
      relate(call(before), call(after), sets.source, sets.target);
      return "accepted";
    } catch (error) {
      return error.code ?? `crash: ${error.stack}`;
    }
  });
}"""
# What torch asks of values, or of how many dimensions lie before space, and the page does not.
OPEN = (
    "aten.adaptive_",
    "aten.addcdiv.",
    "aten.arange.",
    "aten.avg_pool",
    "aten.batch_norm.",
    "aten.clamp.",
    "aten.col2im.",
    "aten.contiguous.",
    "aten.dropout.",
    "aten.feature_dropout.",
    "aten.histc.",
    "aten.im2col.",
    "aten.instance_norm.",
    "aten.linalg_vector_norm.",
    "aten.pad.",
    "aten.roll.",
    "aten.softshrink.",
)
UNKNOWN: list[dict[str, Any]] = [{}] * 8
# Values that nothing sets.
UNSET = ("aten.empty.", "aten.empty_like.", "aten.new_empty.")


def _answers(calls: list[Called], made: list[Any]) -> list[Any]:
    return evaluate(
        RESULTS, [{**one.written(), "targets": targets or UNKNOWN} for one, targets in zip(calls, made, strict=True)]
    )


def test_the_table_is_that_of_the_page() -> None:
    assert table_of_the_page() == table()


def test_what_is_typed_is_what_torch_makes() -> None:
    rng = generator(1)
    calls = [draw(row, rng) for row in rows().values() for _ in range(8)]
    made = [one.made() for one in calls]
    answers = _answers(calls, made)
    assert not [
        (one.written(), targets, answer)
        for one, targets, answer in zip(calls, made, answers, strict=True)
        if targets is not None and answer != targets
    ]
    taken = Counter(one.name for one, targets in zip(calls, made, strict=True) if targets is not None)
    assert set(rows()) == set(taken)


def test_what_torch_refuses_is_refused() -> None:
    rng = generator(2)
    calls = [spoiled(draw(row, rng), rng) for row in rows().values() for _ in range(8)]
    made = [one.made() for one in calls]
    wrong = [
        (one.written(), targets, answer)
        for one, targets, answer in zip(calls, made, _answers(calls, made), strict=True)
        if answer not in ("V09", targets) and not (targets is None and one.name.startswith(OPEN))
    ]
    assert not wrong


def test_what_a_cut_keeps_is_what_torch_computes_where_the_rest_is_zero() -> None:
    cuts = draw_cuts(generator(3), 8)
    answers = evaluate(RELATE, [one.written() for one in cuts])
    assert {"accepted", "V09", "V14"} == set(answers)
    good = [
        one
        for one, answer in zip(cuts, answers, strict=True)
        if answer == "accepted" and not one.after.name.startswith(UNSET)
    ]
    values = torch.Generator().manual_seed(3)
    compared = [_same(one, values) for one in good]
    assert not [one.written() for one, same in zip(good, compared, strict=True) if same is False]
    assert sum(same is True for same in compared) > 500


def _same(cut: Cut, generator: torch.Generator) -> bool | None:
    """Whether torch computes on what is kept what it computes on zeros elsewhere; None where it cannot compute."""
    values = [_values(one, generator) for one in cut.before.sources]
    try:
        whole = run(cut.before.called, [_zeroed(one, cut.kept, port) for port, one in enumerate(values)])
        part = run(cut.after, [_taken(one, cut.kept, "source", port) for port, one in enumerate(values)])
    except (RuntimeError, ValueError):
        return None
    pairs = zip([_taken(one, cut.kept, "target", port) for port, one in enumerate(whole)], part, strict=True)
    return all(one.shape == other.shape and _close(one, other) for one, other in pairs)


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-5, equal_nan=True)


def _values(tensor: Tensor, generator: torch.Generator) -> torch.Tensor:
    dtype = DTYPES[tensor.dtype]
    if dtype.is_floating_point:
        return torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
    return torch.zeros(tensor.shape, dtype=dtype)


def _zeroed(tensor: torch.Tensor, kept: Kept, port: int) -> torch.Tensor:
    for k in range(tensor.dim()):
        indices = kept.get(("source", port, k), range(tensor.shape[k]))
        gone = torch.tensor([index for index in range(tensor.shape[k]) if index not in indices], dtype=torch.int64)
        tensor = tensor.index_fill(k, gone, 0)
    return tensor


def _taken(tensor: torch.Tensor, kept: Kept, side: str, port: int) -> torch.Tensor:
    for k in range(tensor.dim()):
        indices = kept.get((side, port, k))
        tensor = tensor if indices is None else tensor.index_select(k, torch.tensor(indices))
    return tensor


def test_no_extent_makes_it_follow_indices_without_end() -> None:
    margin = 2**50
    calls = [
        {
            "op": "aten.constant_pad_nd.default",
            "attributes": [["pad", [margin, 0]], ["value", 0]],
            "sources": [{"dtype": "F32", "shape": [extent]}],
            "targets": [{"dtype": "F32", "shape": [extent + margin]}],
        }
        for extent in (4, 3)
    ]
    cut = {"before": calls[0], "after": calls[1], "sets": {"source": [[[0, 1, 2]]], "target": [[None]]}}
    assert evaluate(RELATE, [cut]) == ["V20"]
