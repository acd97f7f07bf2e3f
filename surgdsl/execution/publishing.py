"""Publishing: a result appears under its name whole, or not at all.

Everything is written into a hidden folder beside the final one, checked there, and moved in one step. Whatever goes
wrong before (a full disk, an interruption, a rejection) leaves the final name as it was.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from surgdsl.diagnostic import Diagnostic, Refusal
from surgdsl.execution.writing import CERTIFICATE, INPUT, MODEL, RUN

OURS = frozenset({CERTIFICATE, INPUT, MODEL, RUN})
"""What a result consists of: a folder of nothing else is a result of ours, and may be replaced by a newer one."""
OLD = "-old"
"""How the name ends under which a result waits while a newer one takes its place."""


@contextmanager
def publishing(out: Path, inputs: Iterable[Path] = ()) -> Generator[Path]:
    """A fresh folder to write into; when the block ends well it becomes `out`, and an older result there is gone.

    Args:
        out: the final name.
        inputs: files that are read meanwhile, and must not be gone with an older result.

    Raises:
        Refusal: E0901 `out` holds something else than a result, E0902 it cannot be written.
    """
    out = out.absolute()
    draft = out.parent / f"{_prefix(out)}{os.getpid()}"
    with writing_to(out):
        _refuse_foreign(out, inputs)
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
    try:
        with writing_to(out):
            draft.mkdir()
        yield draft
        with writing_to(out):
            _settle(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def writing_to(out: Path) -> Generator[None]:
    """Tells whatever the operating system refuses in the block as a refusal of the result.

    Raises:
        Refusal: E0902, with the reason.
    """
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        told = f"{reason}; nothing was left half written"
        raise Refusal(Diagnostic("E0902", f"`{out}` cannot be written", help=(told,))) from error


def _prefix(out: Path) -> str:
    return f".{out.name}.draft-"


def _refuse_foreign(out: Path, inputs: Iterable[Path]) -> None:
    reason = ""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        reason = "it is a file or a link"
    elif out.is_dir() and (strange := sorted({one.name for one in out.iterdir()} - OURS)):
        reason = f"it holds files that surg did not write: {', '.join(strange[:4])}{' …' if len(strange) > 4 else ''}"
    elif inside := [path for path in inputs if path.resolve().is_relative_to(out.resolve())]:
        reason = f"`{inside[0]}`, which this run reads, lies in it"
    if reason:
        told = (reason, "choose another folder with --out")
        raise Refusal(Diagnostic("E0901", f"`{out}` cannot become the result", help=told))


def _sweep(out: Path) -> None:
    """Remove what a process that was killed has left, and put back a result that it had moved aside."""
    for left in sorted(out.parent.glob(f"{glob.escape(_prefix(out))}*")):
        number = left.name.removesuffix(OLD).rpartition("-")[2]
        if not number.isdecimal() or _alive(int(number)):
            continue
        if left.name.endswith(OLD) and not out.exists():
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _settle(draft: Path, out: Path) -> None:
    """Put the draft in its place; whatever interrupts leaves the old result there, or the new one."""
    for file in draft.rglob("*"):
        if file.is_file():
            _flush(file)
    old = draft.with_name(draft.name + OLD)
    try:
        if out.exists():
            out.rename(old)
        draft.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
