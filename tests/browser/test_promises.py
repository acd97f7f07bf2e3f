"""What the browser's verifier reads in a text: surgeries, promises, and the small grammar of sentences."""

from typing import Any

from tests.browser.engine import evaluate

SURGERIES = """async (base, texts) => {
  const { surgeriesOf, ownText, usesMetric } = await import(base + "promise.js");
  return texts.map((text) => {
    try {
      const found = surgeriesOf(ownText(new TextEncoder().encode(text)));
      const known = ["size", "macs", "accuracy"].filter((name) => usesMetric(found, name));
      return [found.surgeries.map(({ name, promises }) => [name, promises]), known];
    } catch (fault) {
      return fault.code;
    }
  });
}"""
SENTENCES = """async (base, [texts, loose]) => {
  const { read } = await import(base + "sentence.js");
  const plain = (key, value) => (typeof value === "bigint" ? String(value) : value);
  return texts.map((text) => JSON.parse(JSON.stringify(read(text, loose), plain)));
}"""


def surgeries(*texts: str) -> list[Any]:
    return evaluate(SURGERIES, list(texts))


def sentences(*texts: str, loose: bool = False) -> list[Any]:
    return evaluate(SENTENCES, [list(texts), loose])


def test_promises_are_cut_out_by_their_words() -> None:
    text = """surg 1
use std.metric.{size, accuracy}
use std.metric.macs as work
# surgery none on x { require false }
surgery slim on models.net {
  step s = apply mask(keep = 50%) @fc{1,2}   # require nothing
  require size(after)  <= 20% *
    size(before)
  target minimize damage
  target macs(after) <= 3Mmac
  emit "require { this"
}
surgery empty on "somewhere" { preserve api }
"""
    ((found, known),) = surgeries(text)
    assert found == [["slim", ["size(after) <= 20% * size(before)", "macs(after) <= 3Mmac"]], ["empty", []]]
    assert known == ["size", "accuracy"]


def test_braces_nest_and_only_outer_ones_are_surgeries() -> None:
    inner = "rule r { surgery s on x { require a } }"
    assert surgeries(inner, "surgery s on x { require a", "surgery s on x { require a } }") == [[[], []], "V18", "V18"]


def test_of_a_closure_only_the_first_text_speaks() -> None:
    own, other = "surgery a on x { require b }\n", "surgery c on x { require d }\n"
    closure = f"surg closure 2\n{len(own)} own.surg\n{len(other)} other.surg\n{own}\n{other}"
    longer = closure.replace(f"{len(own)} own", f"{len(own) + 1} own")
    assert surgeries(closure, closure + "x", longer, "surg closure 1\n5 a\n") == [
        [[["a", ["b"]]], []],
        "V18",
        "V18",
        "V18",
    ]


def test_counted_sentences_are_read_as_the_page_says() -> None:
    size, half, unread, other = sentences(
        "size(after) <= 1.5MiB", "nnz( after )<1/2*nnz(before)", "size(after) <= 20", "size <= 1B"
    )
    left = {"metric": "size/1", "state": "after"}
    assert size["counted"] == {"left": left, "relation": "<=", "right": {"number": "1572864"}}
    assert half["counted"]["right"]["terms"] == [{"number": "1/2"}, {"metric": "nnz/1", "state": "before"}]
    assert [unread, other] == [None, None]


def test_measured_sentences_are_read_as_the_page_says() -> None:
    text = 'accuracy.drop <= 0.5% on data.test with confidence 95% among 4 candidates registered "plan"'
    found, bare, unsure = sentences(text, "loss(after) < 1/8 on d", "accuracy(after) >= 9pp on d among 3 candidates")
    assert found["measured"] == {
        "measure": "accuracyDrop",
        "relation": "<=",
        "limit": {"n": "1", "d": "200"},
        "data": "data.test",
        "confidence": {"n": "19", "d": "20"},
        "candidates": 4,
        "registered": True,
    }
    assert (bare["measured"]["measure"], bare["measured"]["confidence"]) == ("loss", None)
    assert unsure is None


def test_requirements_may_leave_words_out() -> None:
    share, drop, strange = sentences("size <= 20%", "accuracy drop <= 1%", 'loss rise <= 1% registered "x"', loose=True)
    assert share["counted"]["right"]["terms"] == [{"number": "1/5"}, {"metric": "size/1", "state": "before"}]
    assert (drop["measured"]["measure"], drop["measured"]["data"]) == ("accuracyDrop", None)
    assert strange is None
