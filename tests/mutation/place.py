"""A mutant put in place: functions get its code, and values of its module are replaced wherever they are held.

Tests have long bound what they import, so that importing the verifier anew would change nothing for them.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutation.mutants import Mutant
from tests.mutation.verifier import Verifier


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code and all that are in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def numbered(code: CodeType) -> dict[tuple[str, int], CodeType]:
    """Codes by their names, and by their numbers among those of one name."""
    seen, found = Counter[str](), dict[tuple[str, int], CodeType]()
    for one in codes(code):
        found[one.co_qualname, seen[one.co_qualname]] = one
        seen[one.co_qualname] += 1
    return found


class Place:
    """The verifier as tests hold it, into which a mutant can be put."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.by_id = dict[int, list[FunctionType]]()
        for thing in gc.get_objects():
            if type(thing) is FunctionType and str(thing.__module__).startswith("surgdsl.verifier"):
                self.by_id.setdefault(id(thing.__code__), []).append(thing)
        self.globals = [
            vars(module) for name, module in list(sys.modules.items())
            if name.startswith(("surgdsl.verifier", "tests", "test"))
        ]  # fmt: skip

    def put(self, mutant: Mutant) -> None:
        """Change this process; not to be taken back."""
        text = self.verifier.paths[mutant.module].read_text(encoding="utf-8")
        old, new = self.verifier.codes[mutant.module], self.verifier.compiled(mutant.module, mutant.applied(text))
        olds, news = numbered(old), numbered(new)
        for name in olds.keys() & news.keys():
            for function in self.by_id.get(id(olds[name]), ()):
                if function.__code__.co_freevars == news[name].co_freevars:
                    function.__code__ = news[name]
        if not mutant.function:
            self.renew(mutant.module, new)

    def renew(self, name: str, code: CodeType) -> None:
        """Values of a module, made by its new code, take the place of the old ones wherever modules hold them."""
        before, after = vars(sys.modules[name]), dict[str, Any]()
        after |= {key: value for key, value in before.items() if key.startswith("__")}
        exec(code, after)  # noqa: S102 - the code of the verifier
        for key, value in after.items():
            old: Any = before.get(key)
            if key.startswith("__") or isinstance(value, FunctionType | type | ModuleType) or same(old, value):
                continue
            if isinstance(value, dict | set):
                old.clear()
                old.update(value)
            for where in self.globals:
                if where.get(key) is old:
                    where[key] = value


def same(old: object, new: object) -> bool:
    """Whether two values of a module are one, or print alike."""
    return old is new or (type(old) is type(new) and " at 0x" not in repr(new) and repr(old) == repr(new))
