"""The forger: honest certificates, edited anywhere, with everything hashed anew; none may be accepted and be untrue.

An edit that merely breaks a digest would test SHA-256. These leave every digest, chain, count and seal right, so that
only the check of the thing itself can tell; where a count is itself the lie, it is left as it was forged.

What is accepted must be *equal in content*: about the same two models, graphs and weights, or about another input that
its own digests name, with every count and every claim true when it is counted again here, by other code.

`python tests/verifier/forger.py 100000`, or `make forger`, writes the record to docs/forgeries.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.verifier import edits, edits_of_steps  # noqa: E402
from tests.verifier.asking import verdict  # noqa: E402
from tests.verifier.paper import Paper  # noqa: E402
from tests.verifier.truth import untrue  # noqa: E402

EDITS = {edit.__name__: edit for edit in (*edits.EDITS, *edits_of_steps.EDITS)}
COUNTED = {"edit_metric"}
FAULTS = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What an edit, or what is made of one, may stumble over: then there is nothing to write down."""
TRIES = 20
ALIKE = ("signed", "superseding")
"""Certificates that are another one's but for what a forger does not write."""
PAGE = """# Forgeries

`make forger` writes this page: honest certificates of the corpus under one to three typed edits, everything hashed
anew (tests/verifier/forger.py). An accepted forgery is counted again by other code. *Equal*: about the same models,
graphs and weights, every count and claim true. *Another input*, *another output*: an honest certificate of other
models, as its digests say. *Lie*: none of these. *Crash*: a rejection that no check foresaw. What no file can say is
left out.

| | rejected | equal | another input | another output | lie | crash |
|---|---|---|---|---|---|---|
"""
HOWS = ("rejected", "equal", "another input", "another output", "LIE", "crash")


class Honest(NamedTuple):
    """An honest certificate and what binds it."""

    name: str
    paper: Paper
    options: tuple[str, ...]


class Forgery(NamedTuple):
    """What was done to which certificate, what the verifier said, and what became of it."""

    name: str
    kinds: tuple[str, ...]
    code: str
    how: str


def honest(corpus: Path) -> list[Honest]:
    """The certificates to forge: those whose weights are all there, so that any lie can be counted again."""
    found = list[Honest]()
    for folder in sorted(path.parent for path in corpus.glob("*/expected.json")):
        paper = Paper(folder)
        if not folder.name.startswith(ALIKE) and paper.copy().renew(count=False):
            options = tuple(json.loads((folder / "expected.json").read_bytes())["options"])
            found.append(Honest(folder.name, paper, options))
    return found


def forge(given: Honest, random: Random, folder: Path) -> Forgery:
    """One forgery of a certificate: one to three edits, hashed anew, written, and judged twice."""
    paper, kinds, names = given.paper.copy(), list[str](), list(EDITS)
    wanted = (1, 1, 1, 2, 2, 3)[random.randrange(6)]
    for _ in range(TRIES):
        if len(kinds) == wanted:
            break
        name, draft = names[random.randrange(len(names))], paper.copy()
        try:
            EDITS[name](draft, random)
        except (edits.Nothing, *FAULTS):
            continue
        if vars(draft) == vars(paper):
            continue
        paper = draft
        kinds.append(name)
    try:
        paper.renew(count=not COUNTED & set(kinds))
        paper.write(folder)
    except FAULTS:
        return Forgery(given.name, tuple(kinds), "", "unwritten")
    if paper.statement == given.paper.statement and paper.model == given.paper.model:
        return Forgery(given.name, tuple(kinds), "", "unchanged")
    code, line = verdict(folder, *given.options)
    if code:
        crashed = line["reason"].startswith("it cannot be processed")
        return Forgery(given.name, tuple(kinds), line["code"], f"crash: {line['reason']}" if crashed else "rejected")
    return Forgery(given.name, tuple(kinds), "", judged(given.paper, paper))


def judged(before: Paper, after: Paper) -> str:
    """What an accepted forgery is: equal, about another model, or a lie that was believed."""
    states = after.copy().renew(count=False)
    if not states:
        return "LIE: its states cannot be formed"
    lie = untrue(after, states)
    if lie:
        return f"LIE: {lie}"
    if after.predicate["input"] != before.predicate["input"]:
        return "another input"
    return "equal" if after.predicate["output"] == before.predicate["output"] else "another output"


def made(numbers: range) -> list[Forgery]:
    """The forgeries of these numbers; each depends on its own number only."""
    given = honest(HERE / "corpus" / "good")
    with tempfile.TemporaryDirectory() as place:
        found = list[Forgery]()
        for number in numbers:
            random = Random(number)  # noqa: S311 - chance that repeats, no secret
            found.append(forge(given[random.randrange(len(given))], random, Path(place) / "forged"))
    return found


def page(found: list[Forgery]) -> str:
    """The record: what became of them, altogether, by edit, by code."""
    written = [forgery for forgery in found if forgery.how not in ("unwritten", "unchanged")]

    def row(name: str, some: list[Forgery]) -> str:
        count = Counter(forgery.how.partition(":")[0] for forgery in some)
        return f"| {name} | " + " | ".join(f"{count[how]:,}" for how in HOWS) + " |"

    kinds = [row(f"`{kind}`", [one for one in written if kind in one.kinds]) for kind in EDITS]
    names = sorted({forgery.name for forgery in written})
    rows = [row(f"`{name}`", [one for one in written if one.name == name]) for name in names]
    codes = Counter(forgery.code for forgery in written if forgery.code)
    table = "By code: " + ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items())) + "."
    return PAGE + "\n".join([row(f"all {len(written):,}", written), *kinds, *rows]) + f"\n\n{table}\n"


def main(count: int, workers: int = 2) -> None:
    """Make so many forgeries, write the page, and say what was believed."""
    size = 500
    with ProcessPoolExecutor(workers) as pool:
        pieces = [range(start, min(start + size, count)) for start in range(0, count, size)]
        found = [forgery for piece in pool.map(made, pieces) for forgery in piece]
    (HERE.parents[1] / "docs" / "forgeries.md").write_text(page(found), encoding="utf-8")
    wrong = [(number, forgery) for number, forgery in enumerate(found) if forgery.how.startswith(("LIE", "crash"))]
    sys.stdout.writelines(f"{number} {forgery}\n" for number, forgery in wrong)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(int(sys.argv[1]))
