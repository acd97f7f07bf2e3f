"""The verifier as one file: an archive that Python runs, with the same bytes wherever and whenever it is made.

An auditor can read what is in it (it is a zip file), compare its digest, and run it where nothing is installed:
`python3 -I surg-verify.pyz FOLDER`.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
SHEBANG = b"#!/usr/bin/env python3\n"
MAIN = """from surgdsl.verifier.main import main
raise SystemExit(main())
"""


def build(path: Path) -> None:
    """Write the archive: modules and tables in the order of their names, stored, dated with the first day of zip."""
    room = HOUSE / "surgdsl" / "verifier"
    kept = (file for file in room.rglob("*") if file.suffix in (".py", ".txt"))
    files = {file.relative_to(HOUSE).as_posix(): file.read_bytes() for file in kept}
    files |= {"__main__.py": MAIN.encode(), "surgdsl/__init__.py": b""}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        out.write(SHEBANG)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(files):
                row = zipfile.ZipInfo(name)  # without a date: 1980-01-01
                row.create_system, row.external_attr = 3, 0o100644 << 16
                archive.writestr(row, files[name])
    path.chmod(0o755)


if __name__ == "__main__":
    made = Path(sys.argv[1])
    build(made)
    data = made.read_bytes()
    sys.stdout.write(f"{made}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n")
