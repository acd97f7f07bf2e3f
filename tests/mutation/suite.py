"""Mutants that the corpus does not tell from the verifier, before the other tests: pytest forks after collecting.

Tests have long bound what they import, so a mutant is put in place: functions get the code of the mutant, and values of
a module are replaced wherever they are held. Only tests that run the changed lines are asked.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.place import Place
from tests.mutation.trial import Line, started, traced, tried
from tests.mutation.verifier import HOUSE, Verifier

LEFT_OUT = ("corpus", "forger", "isolation", "archive", "arrays", "planted", "command", "against_torch")
"""Tests that ask the corpus again, that ask other processes, or that take long."""
MANY = 150


class Campaign:
    """A plugin of pytest that, in place of running the tests once, runs them for every mutant."""

    def __init__(
        self, verifier: Verifier, mutants: Iterable[Mutant], tell: Callable[[Mutant, str], None], jobs: int
    ) -> None:
        self.verifier, self.mutants, self.tell, self.jobs = verifier, mutants, tell, jobs
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        place = Place(self.verifier)
        runs = covering(self, list(items.values()))

        def work(mutant: Mutant) -> str:
            place.put(mutant)
            for name in runs.of(mutant)[:MANY]:
                self.run(items[name])
                if self.failed:
                    return self.failed
            return ""

        for mutant, how in tried(self.mutants, work, self.jobs):
            self.tell(mutant, how)
        return True

    def run(self, item: pytest.Item) -> None:
        """One test."""
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


class Runs:
    """Which tests run which lines, the quickest first."""

    def __init__(self, rows: list[tuple[float, str, list[Line]]], always: set[Line]) -> None:
        self.by_line, self.always = defaultdict[Line, list[str]](list), always
        self.by_module = defaultdict[str, list[str]](list)
        for _, name, lines in sorted(rows):
            for module, line in lines:
                self.by_line[module, line].append(name)
            for module in {module for module, _ in lines}:
                self.by_module[module].append(name)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that run the statement of a mutant; where it is the module's, those that run any line of it."""
        lines = [(mutant.module, line) for line in range(mutant.first, mutant.last + 1)]
        found = [name for line in lines for name in self.by_line.get(line, ())]
        return list(dict.fromkeys(found if mutant.function else [*found, *self.by_module[mutant.module]]))


def covering(campaign: Campaign, items: list[pytest.Item]) -> Runs:
    """Run every test once, in some processes, and look which lines it runs."""
    paths = {str(path): name for name, path in campaign.verifier.paths.items()}

    def look(some: list[pytest.Item]) -> list[tuple[float, str, list[Line]]]:
        rows = list[tuple[float, str, list[Line]]]()
        for item in some:
            start = time.perf_counter()
            lines, _ = traced(lambda item=item: campaign.run(item), paths)
            assert not campaign.failed, campaign.failed
            rows.append((time.perf_counter() - start, item.nodeid, sorted(lines)))
        return rows

    parts = [items[at :: campaign.jobs] for at in range(campaign.jobs)]
    pipes = [started(lambda part=part: look(part), seconds=1200) for part in parts]
    rows = list[tuple[float, str, list[Line]]]()
    for reader, pid in pipes:
        with os.fdopen(reader) as pipe:
            rows += [(took, name, [(m, line) for m, line in lines]) for took, name, lines in json.loads(pipe.read())]
        os.waitpid(pid, 0)
    return Runs(rows, set())


def asked(verifier: Verifier, mutants: Iterable[Mutant], tell: Callable[[Mutant, str], None], jobs: int) -> None:
    """Put mutants before the tests of the verifier; `tell` is told which test fails, "" when none does."""
    verifier.install(None, plain=False)
    files = sorted(str(path) for path in (HOUSE / "tests" / "verifier").glob("test_*.py"))
    files = [path for path in files if Path(path).stem.removeprefix("test_") not in LEFT_OUT]
    arguments = [
        *files,
        str(HOUSE / "surgdsl" / "verifier"),
        "-p",
        "no:cacheprovider",
        "-p",
        "no:terminal",
        "--hypothesis-profile=mutation",
    ]
    pytest.main(arguments, plugins=[Campaign(verifier, mutants, tell, jobs)])
