"""The verifier compiled, to be imported anew in a forked process, one module of it changed."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from tests.mutation.mutants import Mutant

HOUSE = Path(__file__).resolve().parents[2]
ROOM = HOUSE / "surgdsl" / "verifier"
NOTHING: Any = None


def sources() -> dict[str, Path]:
    """The modules of the verifier by name, packages without `__init__`."""
    paths = sorted(ROOM.rglob("*.py"))
    names = (".".join(path.relative_to(HOUSE).with_suffix("").parts) for path in paths)
    return {name.removesuffix(".__init__"): path for name, path in zip(names, paths, strict=True)}


class Compiled(SourceFileLoader):
    """A loader that finds a module compiled."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader is that of one module
        return self.code


class Verifier:
    """The verifier compiled, to be imported anew in a forked process, one module of it changed."""

    def __init__(self) -> None:
        self.paths = sources()
        self.codes = {name: self.compiled(name, path.read_text(encoding="utf-8")) for name, path in self.paths.items()}

    def compiled(self, name: str, text: str) -> CodeType:
        """A module compiled."""
        return compile(text, str(self.paths[name]), "exec", dont_inherit=True)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Where a module of the verifier comes from: importlib's protocol."""
        if name not in self.codes:
            return None
        path = self.paths[name]
        below = [str(path.parent)] if path.name == "__init__.py" else None
        loader = Compiled(name, str(path), self.codes[name])
        return spec_from_file_location(name, path, loader=loader, submodule_search_locations=below)

    def install(self, mutant: Mutant | None, *, plain: bool) -> None:
        """From now on this process imports the verifier with the mutant in it."""
        for name in [name for name in sys.modules if name.startswith(("surgdsl.verifier", "tests.verifier"))]:
            del sys.modules[name]
        if plain:
            sys.modules["surgdsl.verifier.arrays.by_numpy"] = NOTHING
        if mutant is not None:
            text = self.paths[mutant.module].read_text(encoding="utf-8")
            self.codes[mutant.module] = self.compiled(mutant.module, mutant.applied(text))
        sys.meta_path.insert(0, self)  # pyright: ignore[reportArgumentType] - the protocol asks for this one method
