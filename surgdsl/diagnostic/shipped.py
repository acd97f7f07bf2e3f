"""Where the files that travel with the program lie: the grammar, the standard library, the pages of the error codes.

In a wheel they sit inside the package; in an editable checkout they keep their places at the top of the repository.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = {"grammar": "grammar", "stdlib": "stdlib", "errors": "docs/errors"}


def shipped(name: str) -> Path:
    """The folder of `name`: ``grammar``, ``stdlib`` or ``errors``."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / PLACES[name]
