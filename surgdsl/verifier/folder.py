"""Files: how bytes come in. Regular files only, no links, sizes checked before reading, names checked before opening.

No path is ever taken from a certificate; a blob's name is the SHA-256 of its bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat

from surgdsl.verifier.reject import Reject, need

CERTIFICATE_LIMIT = 16 << 20
ENVELOPE_LIMIT = 24 << 20
BLOB_LIMIT = 256 << 20
NAME = re.compile(r"[0-9a-f]{64}")


def opened(path: str, what: str, flags: int, parent: int | None) -> int:
    """A descriptor of what lies there; V01 when nothing does that the flags admit."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise Reject("V01", f"{what} cannot be opened: {reason}") from None


def open_regular(path: str, what: str, parent: int | None = None) -> int:
    """A descriptor of a regular file that is no link, V01 otherwise; FIFOs do not block."""
    descriptor = opened(path, what, os.O_NOFOLLOW | os.O_NONBLOCK, parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Reject("V01", f"{what} is not a regular file")
    return descriptor


def open_folder(path: str, what: str, parent: int | None = None) -> int:
    """A descriptor of a folder; one inside a certificate may not be a link."""
    return opened(path, what, os.O_DIRECTORY | (0 if parent is None else os.O_NOFOLLOW), parent)


def read(path: str, what: str, limit: int, parent: int | None = None) -> bytes:
    """All bytes of a regular file of at most `limit` bytes."""
    descriptor = open_regular(path, what, parent)
    with os.fdopen(descriptor, "rb") as file:
        need(os.fstat(descriptor).st_size <= limit, "V20", f"{what} is larger than {limit} bytes")
        data = file.read(limit + 1)
    need(len(data) <= limit, "V20", f"{what} is larger than {limit} bytes")
    return data


class Certificate:
    """The folder `certificate/`: the statement's bytes and the blobs beside it.

    Raises:
        Reject: V01 when anything lies there that does not belong there.
    """

    def __init__(self, folder: str) -> None:
        outer = open_folder(folder, "the folder")
        inner = open_folder("certificate", "certificate/", outer)
        os.close(outer)
        held = set(os.listdir(inner))  # noqa: PTH208 - of an open folder
        whole = held - {"cert.dsse.json"} == {"cert.json", "blobs"}
        need(whole, "V01", "certificate/ holds more or less than it must")
        self._blobs = open_folder("blobs", "certificate/blobs/", inner)
        self.names = frozenset(os.listdir(self._blobs))  # noqa: PTH208
        need(all(map(NAME.fullmatch, self.names)), "V01", "certificate/blobs/ holds a name that is no digest")
        self.statement = read("cert.json", "certificate/cert.json", CERTIFICATE_LIMIT, inner)
        signed = "cert.dsse.json" in held
        self.envelope = read("cert.dsse.json", "certificate/cert.dsse.json", ENVELOPE_LIMIT, inner) if signed else None
        os.close(inner)

    def blob(self, name: str, what: str) -> bytes:
        """The bytes whose SHA-256 is `name`; V01 when missing, V04 when they are others."""
        need(name in self.names, "V01", f"the blob of {what} is missing")
        data = read(name, f"blob {name[:12]}", BLOB_LIMIT, self._blobs)
        need(hashlib.sha256(data).hexdigest() == name, "V04", f"the blob of {what} has another digest than its name")
        return data
