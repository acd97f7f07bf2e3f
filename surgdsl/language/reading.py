"""Reading: from a file to its text, or why it holds none."""

from __future__ import annotations

from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal, Source

LARGEST_FILE = 2**20


def read(path: str | Path) -> Source:
    """The text of a file.

    Raises:
        Refusal: E0701 to E0704, where there is no file, or none that holds text.
    """
    shown = str(path)
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise Refusal(Diagnostic("E0701", f"there is no file `{shown}`")) from None
    except IsADirectoryError:
        raise Refusal(Diagnostic("E0702", f"`{shown}` is a folder, not a file")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Refusal(Diagnostic("E0703", f"`{shown}` cannot be read", label=reason)) from None
    return decoded(shown, raw)


def decoded(path: str, raw: bytes) -> Source:
    """The text that `raw` holds.

    Raises:
        Refusal: E0704, where it is not UTF-8, holds zero bytes or a mark at its beginning, or is larger than 1 MiB.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(
            Diagnostic("E0704", f"`{path}` is not text in UTF-8", label=f"byte {error.start} begins no character")
        ) from None
    if "\0" in text:
        raise Refusal(Diagnostic("E0704", f"`{path}` is a binary file", label=f"byte {raw.index(0)} is zero"))
    if len(raw) > LARGEST_FILE:
        raise Refusal(Diagnostic("E0704", f"`{path}` is too large", label="a file has at most 1 MiB"))
    if text.startswith("\N{BYTE ORDER MARK}"):  # dropping it would change the digest of the file
        raise Refusal(
            Diagnostic("E0704", f"`{path}` begins with a byte order mark", help=("save it as UTF-8 without one",))
        )
    return Source(path, text)
