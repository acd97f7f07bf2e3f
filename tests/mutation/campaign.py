"""The mutation run: every mutant of the verifier before the corpus, what survives before the other tests; resumable.

`python tests/mutation/campaign.py`, or `make mutation-verifier`: what is known stands in build/mutation/verdicts.jsonl,
by the names of mutants, which stay while the functions around them do. It writes docs/mutation.md, and killers.json,
from which the tests take a sample.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.mutation.mutants import KINDS, Mutant, mutants
from tests.mutation.suite import asked
from tests.mutation.survivors import argument
from tests.mutation.trial import Corpus, tried
from tests.mutation.verifier import HOUSE, Verifier

KNOWN = HOUSE / "build" / "mutation" / "verdicts.jsonl"
KILLERS = Path(__file__).with_name("killers.json")
PAGE = HOUSE / "docs" / "mutation.md"
KEPT = 500
"""How many killed mutants killers.json names: those whose names come first."""
JOBS = 2
TOP = """# Mutants of the verifier

`make mutation-verifier` writes this page. Each mutant is the verifier with one thing changed, as
tests/mutation/mutants.py says: a check deleted, a condition negated or one of its parts dropped, `<` for `<=`, a limit
moved by one. It is killed when a certificate of the corpus is given another verdict or another code, or when a test of
the verifier fails. *Equivalent* are survivors of which an argument says that nothing can tell them from the verifier,
or that what tells them does no harm: they are listed with it below. The rest is *open*. A fixed sample is tried in
every run of the tests.

"""
HEAD = """| | mutants | killed by the corpus | by other tests | equivalent | open | untried | not open, of the tried |
|---|---|---|---|---|---|---|---|
"""
FATES = ("corpus", "tests", "equivalent", "open", "untried")


class Verdict(NamedTuple):
    """Which case of the corpus killed a mutant, else which test; "" for none, None where it was not tried."""

    corpus: str | None = None
    tests: str | None = None


def all_of(verifier: Verifier) -> list[Mutant]:
    """Every mutant of every module."""
    return [one for name, path in verifier.paths.items() for one in mutants(name, path.read_text(encoding="utf-8"))]


def known() -> dict[str, Verdict]:
    """The verdicts of runs before this one."""
    found = dict[str, Verdict]()
    for line in KNOWN.read_text(encoding="utf-8").splitlines() if KNOWN.exists() else ():
        row = json.loads(line)
        found[row["name"]] = found.get(row["name"], Verdict())._replace(**{row["stage"]: row["how"]})
    return found


def telling(stage: str, found: dict[str, Verdict]) -> Callable[[Mutant, str], None]:
    """Write a verdict down as soon as it is there."""

    def tell(mutant: Mutant, how: str) -> None:
        found[mutant.name] = found.get(mutant.name, Verdict())._replace(**{stage: how})
        with KNOWN.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": mutant.name, "stage": stage, "how": how}) + "\n")

    return tell


def run(verifier: Verifier, given: Iterable[Mutant], found: dict[str, Verdict]) -> None:
    """Try what was not tried."""
    fresh = [
        one
        for one in sorted(given, key=lambda one: [*KINDS].index(one.kind))
        if found.get(one.name, Verdict()).corpus is None
    ]
    if fresh:
        corpus, tell = Corpus(verifier), telling("corpus", found)
        for mutant, how in tried(fresh, corpus.judge, JOBS):
            tell(mutant, how)
    left = [one for one in given if found[one.name].corpus == "" and found[one.name].tests is None]
    if left:
        asked(Verifier(), left, telling("tests", found), JOBS)


def row(name: str, some: list[Mutant], found: dict[str, Verdict]) -> str:
    """A line of a table."""
    count = Counter(fate(one, found.get(one.name, Verdict())) for one in some)
    done = len(some) - count["untried"]
    cells = [len(some), *(count[word] for word in FATES)]
    share = f"{1 - count['open'] / done:.1%}" if done else ""
    return f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + f" | {share} |"


def fate(mutant: Mutant, verdict: Verdict) -> str:
    """What became of a mutant, in a word."""
    if verdict.corpus:
        return "corpus"
    if verdict.tests:
        return "tests"
    if argument(mutant):
        return "equivalent"
    return "untried" if verdict.tests is None else "open"


def page(given: list[Mutant], found: dict[str, Verdict]) -> str:
    """The record."""
    kinds = [row(what, [one for one in given if one.kind == kind], found) for kind, what in KINDS.items()]
    modules = sorted({one.module for one in given})
    rooms = [
        row(f"`{module.removeprefix('surgdsl.verifier.')}`", [one for one in given if one.module == module], found)
        for module in modules
    ]
    told = TOP + HEAD + "\n".join([*kinds, row("all", given, found)]) + "\n\n## By module\n\n" + HEAD + "\n".join(rooms)
    for title, word in (("Equivalent, or harmless", "equivalent"), ("Open", "open")):
        lines = [listed(one) for one in given if fate(one, found.get(one.name, Verdict())) == word]
        told += f"\n\n## {title}\n\n" + ("\n".join(lines) or "None.")
    return told + "\n"


def listed(mutant: Mutant) -> str:
    """A survivor in a line."""
    place = f"`{mutant.module.removeprefix('surgdsl.verifier.')}` {mutant.function or 'module'}"
    before, after = (" ".join(text.split()).replace("|", "\\|") for text in (mutant.before, mutant.after))
    why = argument(mutant)
    return f"- {place}: `` {before} `` → `` {after} ``" + (f". {why}" if why else "")


def main() -> None:
    """Run what is left to run and write the record."""
    KNOWN.parent.mkdir(parents=True, exist_ok=True)
    verifier, found = Verifier(), known()
    given = all_of(verifier)
    run(verifier, given, found)
    PAGE.write_text(page(given, found), encoding="utf-8")
    dead = {one.name: found[one.name].corpus for one in given if one.name in found and found[one.name].corpus}
    killers = {name: str(dead[name]).partition(":")[0] for name in sorted(dead) if str(dead[name]).count("/")}
    KILLERS.write_text(json.dumps(dict(list(killers.items())[:KEPT]), indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
