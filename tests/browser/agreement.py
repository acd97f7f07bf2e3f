"""Both verifiers on certificates of one operation: `python -m tests.browser.agreement FIRST LAST COUNT` for many seeds.

The two were written from one page by people who did not read each other's program. Random calls and random cuts of
every operator go through both as whole folders.
"""

import base64
import contextlib
import io
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from surgdsl.verifier.main import main
from tests.browser.calls import draw, generator, spoiled
from tests.browser.certificates import Json, Part, alone, folder, pruned, summed
from tests.browser.cuts import draw_cuts
from tests.browser.engine import evaluate
from tests.browser.shapes import is_list
from tests.browser.table import rows

VERDICTS = """async (base, folders) => {
  const { verify } = await import(base + "verify.js");
  const codes = [];
  for (const files of folders) {
    const entries = new Map(Object.entries(files).map(([path, text]) => {
      const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
      return [path, { size: bytes.length, read: async (start, end) => bytes.slice(start, end) }];
    }));
    codes.push((await verify({ entries })).code);
  }
  return codes;
}"""
ASKED = """async (base, calls) => {
  const { macs, results } = await import(base + "operators.js");
  return calls.map(({ op, attributes, sources, targets }) => {
    const call = { operation: { op, attributes: new Map(attributes), sources: [], targets: [] }, sources, targets };
    try {
      return { made: results(call), macs: String(macs(call, new Map([["B", 2n], ["T", 3n]]))) };
    } catch {
      return { made: null, macs: "0" };
    }
  });
}"""
SYMBOLS = ("B", "2*B", "B*T", "B+1")
SIZES = ("size", "shape", "split_sizes", "normalized_shape", "output_size", "end")
Files = dict[str, bytes]


def alone_with_symbols(rng: random.Random, count: int) -> list[Files]:
    """Certificates of single calls, good and spoiled, in some an extent being a symbol."""
    drawn = [draw(row, rng) for row in rows().values() for _ in range(count)]
    calls = [spoiled(one, rng) if rng.random() < 0.4 else one for one in drawn]
    written = [_symbolic({**one.written(), "targets": one.made() or []}, rng) for one in calls]
    unknown: list[Json] = [{}] * 8
    asked = evaluate(ASKED, [{**one, "targets": one["targets"] or unknown} for one in written])
    dummy = [{"dtype": "F32", "shape": [7, 7]}]
    states = [
        alone({**one, "targets": answer["made"] or one["targets"] or dummy})
        for one, answer in zip(written, asked, strict=True)
    ]
    return [folder(state, state, []) for state in states]


def _symbolic(call: Json, rng: random.Random) -> Json:
    """The call with a symbol for every extent of one value."""
    value, symbol = rng.choice((2, 3, 4)), rng.choice(SYMBOLS)
    if rng.random() < 0.6:
        return call

    def sort(one: Json) -> Json:
        return {**one, "shape": [symbol if extent == value else extent for extent in one["shape"]]}

    def attribute(name: str, given: Any) -> Any:
        if name in SIZES and is_list(given):
            return [attribute(name, one) for one in given]
        return {"extent": symbol} if name in SIZES and given is not True and given == value else given

    sides = {side: [sort(one) for one in call[side]] for side in ("sources", "targets")}
    return {
        "op": call["op"],
        "attributes": [[name, attribute(name, given)] for name, given in call["attributes"]],
        **sides,
    }


def cut_through(rng: random.Random, count: int) -> list[Files]:
    """Certificates that cut weights, one operation on them, and sums of what it makes."""
    written = [one.written() for one in draw_cuts(rng, count)]
    asked = evaluate(ASKED, [one[side] for one in written for side in ("before", "after")])
    return [
        _cut(one, (before["macs"], after["macs"]))
        for one, before, after in zip(written, asked[::2], asked[1::2], strict=True)
    ]


def _cut(cut: Json, macs: tuple[str, str]) -> Files:
    sources, targets = cut["sets"]["source"], cut["sets"]["target"]
    parts = [Part.made(f"p{k}", sort) for k, sort in enumerate(cut["before"]["sources"])]
    first = summed(cut["before"], parts)
    last = summed(cut["after"], [part.cut(kept) for part, kept in zip(parts, sources, strict=True)])
    sums: list[list[list[int] | None]] = [[] for _ in targets]
    return folder(first, last, [pruned(first, last, [*sources, *targets, *sums], macs)])


def verdicts(folders: list[Files]) -> list[tuple[str, str]]:
    """The code of the browser's verifier and that of `surg-verify`, "" for accepted."""
    sent = [{path: base64.b64encode(data).decode() for path, data in files.items()} for files in folders]
    return [(code, _python(files)) for code, files in zip(evaluate(VERDICTS, sent), folders, strict=True)]


def _python(files: Files) -> str:
    with tempfile.TemporaryDirectory() as name:
        for path, data in files.items():
            file = Path(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            main([name, "--json"])
    verdict = json.loads(said.getvalue().splitlines()[-1])
    return "" if verdict["accepted"] else verdict["code"]


def operation(files: Files) -> Json:
    """The call that a certificate is about, for a report."""
    blobs = [json.loads(data) for path, data in files.items() if "blobs" in path and data.startswith(b"{")]
    graph = blobs[0]
    call = next(one for one in graph["operations"] if one["op"] != "param")
    sides = {side: [graph["wires"][wire] for wire in call[side]] for side in ("sources", "targets")}
    steps = json.loads(files["certificate/cert.json"])["predicate"]["steps"]
    return {"op": call["op"], "attributes": call["attributes"], **sides, "cut": [step["arguments"] for step in steps]}


def report(first: int, last: int, count: int) -> None:
    """Prints how often which pair of verdicts came, and the certificates on which they differ."""
    found: Counter[tuple[str, str]] = Counter()
    for seed in range(first, last):
        for made in (alone_with_symbols, cut_through):
            folders = made(generator(seed), count)
            pairs = verdicts(folders)
            found.update(pairs)
            for pair, files in zip(pairs, folders, strict=True):
                if len(set(pair)) > 1:
                    sys.stdout.write(f"{pair} {json.dumps(operation(files))}\n")
    sys.stdout.write(f"seeds {first} to {last - 1}: {sum(found.values())} certificates\n")
    for (one, other), times in sorted(found.items()):
        sys.stdout.write(f"{one or 'accepted':>10} {other or 'accepted':>10} {times:>8}\n")


if __name__ == "__main__":
    report(*map(int, sys.argv[1:4]))
