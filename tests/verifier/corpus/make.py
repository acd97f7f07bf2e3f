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

from tests.verifier.corpus.about_claims import CLAIMS  # noqa: E402
from tests.verifier.corpus.about_form import FORM  # noqa: E402
from tests.verifier.corpus.about_steps import STEPS  # noqa: E402
from tests.verifier.corpus.honest import GOOD  # noqa: E402
from tests.verifier.forge import canon  # noqa: E402


def expect(folder: Path, code: str, options: Sequence[str], only: str = "") -> None:
    """What a verifier must say of a case, called in its folder with these options; "" is an acceptance."""
    told = {"code": code, "options": list(options)} | ({"only": only} if only else {})
    (folder / "expected.json").write_bytes(canon(told) + b"\n")


def make(corpus: Path) -> None:
    """Write every case below a folder."""
    for name, build, options in GOOD:
        expect(build().write(corpus / "good" / name), "", options)
    for case in (*FORM, *STEPS, *CLAIMS):
        folder = corpus / "bad" / case.folder
        case.make(folder)
        expect(folder, case.code, case.options, case.only)


if __name__ == "__main__":
    for kind in ("good", "bad"):
        shutil.rmtree(HERE / kind, ignore_errors=True)
    make(HERE)
