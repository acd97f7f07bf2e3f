"""One target under Atheris: `python tests/fuzz/fuzz.py TARGET FOLDER [libFuzzer's options]`; FOLDER collects inputs.

The verifier is instrumented while it is imported, so that inputs which reach something new are kept and changed again.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))


def main(name: str, folder: Path, *options: str) -> None:
    """Fuzz until an input shows a fault, or the runs are used up."""
    atheris: Any = import_module("atheris")  # only `make fuzz` installs it
    with atheris.instrument_imports(include=["surgdsl.verifier"]):
        from tests.fuzz.targets import TARGETS, saved, seeds
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, data in enumerate([*seeds(name), *(path.read_bytes() for path in saved(name))]):
            (folder / f"seed{number:04}").write_bytes(data)
    target = TARGETS[name]
    atheris.Setup([sys.argv[0], str(folder), f"-max_len={target.longest}", *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
