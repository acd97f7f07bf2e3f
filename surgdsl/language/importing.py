"""Imports: the files that a text uses, each read and checked once, as a file of its own.

An imported file sees its own names only, and is seen through the name that `use … as` gives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import evolve, field, frozen

from surgdsl.diagnostic import Diagnostic, Refusal, Source, Span
from surgdsl.language import lock, tree
from surgdsl.language.program import Program
from surgdsl.language.reading import LARGEST_FILE, read
from surgdsl.language.scope import Scope

DEEPEST = 32


@frozen
class Unit:
    """A file that was read: its text, its names, what it means as far as it can, and the units that it uses by name."""

    source: Source
    scope: Scope
    program: Program
    units: dict[str, Unit] = field(factory=dict[str, "Unit"])


Build = Callable[[Source, "Closure", tuple[Path, ...]], Unit]
"""Reads and checks one text, asking the closure for what it uses; the path of files that led to it."""


@frozen
class Closure:
    """The files that one root text reaches; `folder` is the root's, and all shown paths are as the root would write."""

    folder: Path
    build: Build
    made: dict[Path, Unit] = field(factory=dict[Path, Unit])
    uses: dict[Path, Span] = field(factory=dict[Path, Span])

    def unit(self, use: tree.UseFile, user: Source, chain: tuple[Path, ...]) -> Unit:
        """The file that `use` in `user` means.

        Raises:
            Refusal: E0105 it is being read already, E0007 the chain of files is too long, E0701 to E0704 it cannot be
                read.
        """
        path = Path(os.path.normpath(lock.folder(user) / use.path.text))
        if path in chain:
            told = " -> ".join(one.name for one in (*chain[chain.index(path) :], path))
            raise Refusal(Diagnostic("E0105", "these files use each other in a circle", use.path.span, told))
        if len(chain) > DEEPEST:
            raise Refusal(Diagnostic("E0007", "too long a chain of files", use.path.span, f"more than {DEEPEST}"))
        self.uses.setdefault(path, use.path.span)
        if path not in self.made:
            self.made[path] = self.build(self._source(path, use), self, (*chain, path))
        return self.made[path]

    def name(self, path: Path) -> str:
        """`path` from the folder of the root, with slashes."""
        return Path(os.path.relpath(path, self.folder)).as_posix()

    def _source(self, path: Path, use: tree.UseFile) -> Source:
        span, written = use.path.span, use.path.text
        if not written.endswith(".surg") or Path(written).is_absolute() or not written.isprintable():
            label = 'expected a path from here, such as "./shared.surg"'
            raise Refusal(Diagnostic("E0703", f"`{written}` is no file that can be used", span, label))
        if path.exists() and not path.is_dir() and not (path.is_file() and path.stat().st_size <= LARGEST_FILE):
            raise Refusal(Diagnostic("E0704", f"`{written}` holds no text that can be used", span))
        try:
            source = read(path)
        except Refusal as refusal:
            told = (
                evolve(one, message=one.message.replace(str(path), written), span=span) for one in refusal.diagnostics
            )
            raise Refusal(*told) from None
        return Source(os.path.relpath(path), source.text)

    def stale(self) -> Iterator[Diagnostic]:
        """Every file that the lock does not pin, or pins otherwise."""
        if not self.made:
            return
        known = lock.pins(self.folder)
        for path, unit in self.made.items():
            name, found = self.name(path), lock.digest(unit.source)
            helps = ("if this is what you mean: surg lock FILE",)
            if name not in known:
                yield Diagnostic("E0705", f"`{name}` is not pinned in {lock.NAME}", self.uses[path], help=helps)
            elif known[name] != found:
                label = f"pinned {known[name][:12]}…, found {found[:12]}…"
                yield Diagnostic("E0706", f"`{name}` is not what was pinned", self.uses[path], label, help=helps)
