"""One mutant before the corpus: a forked process imports the verifier anew, the mutant in it, and asks for verdicts.

What is asked is only what runs the changed lines, and first what is rejected there; the first verdict or code that is
another one ends it. A process that takes too long or too much memory is one that a reader of its verdict notices, too.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from tests.mutation.mutants import Mutant
from tests.mutation.place import Place
from tests.mutation.verifier import HOUSE, Verifier

CORPUS = HOUSE / "tests" / "verifier" / "corpus"
SECONDS = 60
MEMORY = 4 << 30
MANY = 30
PLAIN = "surgdsl.verifier.arrays.plain"
NOTHING: Any = None
Line = tuple[str, int]


class Case(NamedTuple):
    """A certificate of the corpus, how it is asked for, and what must be said of it."""

    name: str
    folder: Path
    options: tuple[str, ...]
    code: str


def cases() -> list[Case]:
    """The corpus."""
    found = list[Case]()
    for path in sorted(CORPUS.glob("*/*/expected.json")):
        row = json.loads(path.read_bytes())
        found.append(Case(f"{path.parts[-3]}/{path.parts[-2]}", path.parent, tuple(row["options"]), row["code"]))
    return found


def said(case: Case) -> str:
    """The verdict of the verifier that is imported: "" for an acceptance, a code, or how it failed."""
    from surgdsl.verifier.main import main

    os.chdir(case.folder)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            exit_code = main([".", "--json", "--threads", "1", *case.options])
        line = json.loads(out.getvalue().splitlines()[-1])
        fine = line["accepted"] is (exit_code == 0)
        return line.get("code", "") if fine else "the exit code is another"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is no verdict
        return type(error).__name__


class Coverage(NamedTuple):
    """Which cases run a line, and of those which are rejected by it; `always` are lines that every import runs."""

    always: frozenset[Line]
    runs: dict[Line, list[str]]
    rejects: dict[Line, list[str]]

    def of(self, mutant: Mutant, names: list[str]) -> list[str]:
        """The cases that may tell a mutant from the verifier, the likeliest first."""
        lines = [(mutant.module, line) for line in range(mutant.first, mutant.last + 1)]
        everywhere = names if self.at_once(mutant) else []
        likely = sorted({name for line in lines for name in self.rejects.get(line, ())})
        others = dict.fromkeys([*(name for line in lines for name in self.runs.get(line, ())), *everywhere])
        good = [name for name in others if name.startswith("good")][: MANY // 3]
        bad = [name for name in others if name.startswith("bad")]
        return list(dict.fromkeys([*likely, *good, *bad]))[:MANY]

    def at_once(self, mutant: Mutant) -> bool:
        """Whether an import runs the statement, so that only another import can change what came of it."""
        return any((mutant.module, line) in self.always for line in range(mutant.first, mutant.last + 1))


def traced(work: Callable[[], object], paths: dict[str, str]) -> tuple[set[Line], set[Line]]:
    """The lines of the verifier that some work runs, in all its threads, and those that a rejection passes."""
    found, passed = set[Line](), set[Line]()

    def inside(frame: FrameType, event: str, arg: Any) -> Any:
        line = paths[frame.f_code.co_filename], frame.f_lineno
        found.add(line)
        if event == "exception" and arg[0].__name__ == "Reject":
            passed.add(line)
        return inside

    def outside(frame: FrameType, _event: str, _: object) -> Any:
        return inside if frame.f_code.co_filename in paths else None

    threading.settrace(outside)
    sys.settrace(outside)
    try:
        work()
    finally:
        sys.settrace(NOTHING)
        threading.settrace(NOTHING)
    return found, passed


def covered(verifier: Verifier, given: list[Case], *, plain: bool) -> Coverage:
    """Run the corpus once and look which lines it runs; in a forked process, so that this one stays as it is."""
    paths = {str(path): name for name, path in verifier.paths.items()}

    def look() -> Any:
        verifier.install(None, plain=plain)

        always, _ = traced(load, paths)
        rows = list[tuple[float, str, list[Line], list[Line]]]()
        for case in given:
            start = time.perf_counter()
            lines, ends = traced(lambda case=case: said(case), paths)
            rows.append((time.perf_counter() - start, case.name, sorted(lines), sorted(ends)))
        return sorted(always), sorted(rows)

    always, rows = json.loads(forked(look))
    runs, rejects = defaultdict[Line, list[str]](list), defaultdict[Line, list[str]](list)
    for _, name, lines, ends in rows:
        for module, line in lines:
            runs[module, line].append(name)
        for module, line in ends:
            rejects[module, line].append(name)
    return Coverage(frozenset((module, line) for module, line in always), dict(runs), dict(rejects))


def forked(work: Callable[[], Any]) -> str:
    """What some work in a process of its own returns, as JSON; "" when it died."""
    reader, pid = started(work)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told


def started(work: Callable[[], Any], seconds: int = SECONDS) -> tuple[int, int]:
    """Begin some work in a process of its own: the end of a pipe on which it tells the result, and its number."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return reader, pid
    try:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        told = json.dumps(work()).encode()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(told)
    finally:
        os._exit(0)
    raise AssertionError


class Corpus:
    """The corpus, which of it runs what, and the verifier as it stands, into which mutants are put."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier, self.cases = verifier, {case.name: case for case in cases()}
        self.runs = {plain: covered(verifier, list(self.cases.values()), plain=plain) for plain in (False, True)}
        verifier.install(None, plain=False)
        load()
        self.place = Place(verifier)

    def judge(self, mutant: Mutant) -> str:
        """The first case of which the mutant says something else; "" when there is none. To be called in a fork."""
        plain = mutant.module == PLAIN
        runs = self.runs[plain]
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            if plain or runs.at_once(mutant):
                self.verifier.install(mutant, plain=plain)
            else:
                self.place.put(mutant)
            for name in runs.of(mutant, list(self.cases)):
                found = said(self.cases[name])
                if found != self.cases[name].code:
                    return f"{name}: {found or 'accepted'}"
        except Exception as error:  # noqa: BLE001 - a verifier that cannot be imported accepts nothing
            return f"import: {type(error).__name__}"
        return ""


def load() -> None:
    """Import the verifier."""
    for name in ("main", "check"):
        import_module(f"surgdsl.verifier.{name}")


def tried(mutants: Iterable[Mutant], work: Callable[[Mutant], Any], jobs: int) -> Iterator[tuple[Mutant, Any]]:
    """Some work on every mutant, each in a fork, some at a time; what one returned, "died" when it did not."""
    waiting, running = iter(mutants), dict[int, tuple[Mutant, int]]()
    while True:
        for mutant in islice(waiting, jobs - len(running)):
            reader, pid = started(lambda mutant=mutant: work(mutant))
            running[pid] = mutant, reader
        if not running:
            return
        pid, _ = os.wait()
        mutant, reader = running.pop(pid)
        with os.fdopen(reader) as pipe:
            told = pipe.read()
        yield mutant, json.loads(told) if told else "died"
