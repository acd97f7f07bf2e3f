"""Makes the corpus anew: `python tests/verifier/corpus/make.py`, or `make corpus`.

The bytes are checked in, and nothing that reads them needs this; a test says that they are still what is made here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.verifier.corpus.about_claims import CLAIMS  # noqa: E402
from tests.verifier.corpus.about_form import FORM  # noqa: E402
from tests.verifier.corpus.about_promises import PROMISED, PROMISES  # noqa: E402
from tests.verifier.corpus.about_rules import RULES  # noqa: E402
from tests.verifier.corpus.about_signatures import SIGNATURES, SIGNED  # noqa: E402
from tests.verifier.corpus.about_steps import STEPS  # noqa: E402
from tests.verifier.corpus.honest import GOOD  # noqa: E402
from tests.verifier.corpus.threats import THREATS  # noqa: E402
from tests.verifier.forge import canon  # noqa: E402

COMPILED = tuple(sorted((HERE / "compiled").glob("*.surg")))
HONEST = (*GOOD, *PROMISED)
BAD = (*FORM, *STEPS, *RULES, *CLAIMS, *PROMISES, *SIGNATURES)
TOP = """# The corpus: what every verifier is held to

Certificates as checked-in bytes. Those in `good/` are honest and must be accepted. Each in `bad/` is an honest one with
one lie, and where the lie is one about content, all digests, the chain and the seal agree with it; it must be rejected
with the code that its `expected.json` names. `options` are those of `surg-verify`, called with the case as its working
folder, so that a name of a file is relative to it. `only` marks cases that not every verifier can see: "command" for
links, which a browser follows.

`make corpus` makes them anew (make.py and its neighbours); test_corpus.py says that they are what it makes. Those named
`compiled-` are what `surg run` makes of the texts in `compiled/`; the others are written by the tests' own writer.

## Threats

| | threat | cases, with the code that rejects them |
|---|---|---|
"""


def expect(folder: Path, code: str, options: Sequence[str], only: str = "") -> None:
    """What a verifier must say of a case; "" is an acceptance."""
    told = {"code": code, "options": list(options)} | ({"only": only} if only else {})
    (folder / "expected.json").write_bytes(canon(told) + b"\n")


def compiled(source: Path, folder: Path) -> None:
    """What `surg run` makes of a text, less what is there for people."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        command = [sys.executable, "-c", "from surgdsl.cli.entry import main; main()", "run", str(source)]
        subprocess.run([*command, "--out", str(out)], cwd=HERE.parents[2], check=True, capture_output=True)
        for name in ("model.safetensors", "input.safetensors", "certificate"):
            shutil.move(out / name, folder / name)


def page() -> str:
    """The README: every threat, and the cases that are instances of it."""
    rows = list[str]()
    for threat, what, instead in THREATS:
        cases = [f"{case.what} {case.code}" for case in BAD if case.threat == threat]
        rows.append(f"| {threat} | {what} | {'; '.join(cases) or f'none: {instead}'} |")
    names = [name for name, _, _ in (*HONEST, *SIGNED)] + [f"compiled-{source.stem}" for source in COMPILED]
    good = "\n".join(f"- `{name}`" for name in names)
    return TOP + "\n".join(rows) + f"\n\n## Honest certificates\n\n{good}\n"


def make(corpus: Path) -> None:
    """Write every case below a folder, and the page about them."""
    for name, build, options in HONEST:
        expect(build().write(corpus / "good" / name), "", options)
    for name, write, options in SIGNED:
        write(corpus / "good" / name)
        expect(corpus / "good" / name, "", options)
    for source in COMPILED:
        folder = corpus / "good" / f"compiled-{source.stem}"
        folder.mkdir()
        compiled(source, folder)
        expect(folder, "", ())
    for case in BAD:
        folder = corpus / "bad" / case.folder
        case.make(folder)
        expect(folder, case.code, case.options, case.only)
    (corpus / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    for kind in ("good", "bad"):
        shutil.rmtree(HERE / kind, ignore_errors=True)
    make(HERE)
