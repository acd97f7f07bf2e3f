"""Makes the corpus anew: `python tests/verifier/corpus/make.py`, or `make corpus`.

The bytes are checked in, and nothing that reads them needs this; a test says that they are still what is made here.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.verifier.corpus.honest import GOOD  # noqa: E402
from tests.verifier.forge import canon  # noqa: E402


def expect(folder: Path, code: str, options: Sequence[str]) -> None:
    """What the verifier must say of a case, called in its folder with these options; "" is an acceptance."""
    (folder / "expected.json").write_bytes(canon({"code": code, "options": list(options)}) + b"\n")


def make(corpus: Path) -> None:
    """Write every case below a folder."""
    for name, build, options in GOOD:
        expect(build().write(corpus / "good" / name), "", options)


if __name__ == "__main__":
    for kind in ("good", "bad"):
        shutil.rmtree(HERE / kind, ignore_errors=True)
    make(HERE)
