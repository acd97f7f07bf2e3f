"""Publishing: a result appears under its name whole, or not at all.

Everything is written into a hidden folder beside the final one, checked there, and moved in one step. Whatever goes wrong before (a full disk, an
interruption, a rejection) leaves the final name as it was.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal

MARK = "run.json"
"""A folder that holds this file is a result of ours, and may be replaced by a newer one."""


@contextmanager
def publishing(out: Path) -> Iterator[Path]:
    """A fresh folder to write into; when the block ends well it becomes `out`, and a result that was there before is gone.

    Raises:
        Refusal: E0901 `out` holds something else than a result, E0902 it cannot be written.
    """
    out = out.absolute()
    _refuse_foreign(out)
    with _told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        draft = out.parent / f".{out.name}.draft-{os.getpid()}"
        draft.mkdir()
    try:
        with _told(out):
            yield draft
            _settle(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refuse_foreign(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise Refusal(Diagnostic("E0901", f"`{out}` is not a folder of results", help=("choose another folder with --out",)))
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        told = ("it holds files that surg did not write", "choose another folder with --out")
        raise Refusal(Diagnostic("E0901", f"`{out}` is not a folder of results", help=told))


def _sweep(out: Path) -> None:
    """Remove drafts that an earlier process was killed over."""
    for left in out.parent.glob(f".{out.name}.draft-*"):
        number = left.name.rpartition("-")[2]
        if number.isdecimal() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _settle(draft: Path, out: Path) -> None:
    for file in draft.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
    old = out.parent / f".{out.name}.draft-{os.getpid()}-old"
    if out.exists():
        out.rename(old)
    try:
        draft.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise Refusal(Diagnostic("E0902", f"`{out}` cannot be written", help=(f"{reason}; nothing was left under this name",))) from error
