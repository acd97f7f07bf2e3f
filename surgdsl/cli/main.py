"""`surg`: finds the command, and is the last to hear of a refusal, an interruption or a bug.

Commands are imported by name when they are called: `check`, `fmt` and `explain` must start without torch.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

from cyclopts import App, CycloptsError

from surgdsl.cli.interruption import exit_code, stopping
from surgdsl.cli.output import Voice
from surgdsl.diagnostic import Refusal, hint

REFUSED, USAGE, BUG = 1, 2, 70

COMMANDS = (
    ("check", "surgdsl.cli.check:check", "Read .surg files and report every fault; no model is loaded."),
    ("fmt", "surgdsl.cli.fmt:fmt", "Bring .surg files into the one layout."),
    ("explain", "surgdsl.cli.explain:explain", "Print the page of an error code."),
    ("show", "surgdsl.cli.show:show", "Print what a .surg file means; no model is loaded."),
    ("axes", "surgdsl.cli.axes:axes", "List the axes of a model, and why a pinned one is pinned."),
    ("draw", "surgdsl.cli.draw:picture", "Draw a model, with the axes that can be cut in colour."),
    ("plan", "surgdsl.cli.plan:plan", "Resolve every step on the model; nothing is changed."),
    ("run", "surgdsl.cli.run:run", "Plan, apply and verify; write the model and its certificate."),
    ("sweep", "surgdsl.cli.sweep:sweep", "Run a surgery for many values of its params, and keep the best."),
    ("lock", "surgdsl.cli.lock:lock", "Pin the files that .surg files use, in surg.lock."),
    ("expect", "surgdsl.cli.expect:expect", "Print what to ask of a certificate about one's own text and model."),
    ("sign", "surgdsl.cli.sign:sign", "Sign the certificate of a result."),
    ("verify", "surgdsl.cli.verify:verify", "Re-check a certificate, claim by claim."),
)
"""Every command, the function that runs it and returns its exit code, and its line in the help."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `surg` with `arguments` (those of the process by default) and leaves with the exit code of the command."""
    _open_streams()
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def _open_streams() -> None:
    """What we say can always be said: to nobody where a stream is closed, with escapes where it takes ASCII alone."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open as long as we run
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(arguments: list[str]) -> int:
    """Runs one command and gives its exit code; prints refusals, never raises."""
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first is not None and first not in (name for name, _, _ in COMMANDS):
        return _unknown(first)
    try:
        with stopping():
            return _called(arguments)
    except Refusal as refusal:
        _voice(arguments).refuse(refusal.diagnostics)
        return refusal.exit_code
    except KeyboardInterrupt as interruption:
        sys.stderr.write("surg: interrupted; nothing was left half done\n")
        return exit_code(interruption)
    except MemoryError:
        sys.stderr.write("surg: there is not enough memory for this\n")
        return REFUSED
    except Exception as error:  # noqa: BLE001 - users never see a traceback that they did not ask for
        return _bug(error, arguments)


def _called(arguments: list[str]) -> int:
    words = ["<stdin>" if word == "-" else word for word in arguments]  # a lone dash would be taken for an option
    try:
        code = application()(words, exit_on_error=False, print_error=True)
        sys.stdout.flush()
    except CycloptsError:
        return USAGE
    except BrokenPipeError:  # the reader of our output left, as in `surg explain | head`
        _hush()
        return 0
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EIO}:
            raise
        _hush()
        sys.stderr.write(f"surg: the output cannot be written: {error.strerror}\n")
        return REFUSED
    return code if isinstance(code, int) else 0


def _hush() -> None:
    """Nothing can be told on standard output any more, and Python must not try at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _voice(arguments: list[str]) -> Voice:
    """How to speak of a refusal, when the command that knew is gone."""
    words = " ".join(arguments).replace("=", " ").split()
    color = next((to for word, to in pairwise(words) if word == "--color"), "auto")
    return Voice(json="--json" in words, color=color if color in ("always", "never") else "auto")


def application() -> App:
    """The commands, not imported yet."""
    app = App(
        name="surg", help="Compress trained torch models from a short text, with a certificate.", version=_version,
        result_action="return_value", suppress_keyboard_interrupt=False,
        help_epilogue="Every error has a page: surg explain CODE.",
    )  # fmt: skip
    for name, place, line in COMMANDS:
        # The verifier reads its own command line, `--help` and `--` included.
        own: dict[str, Any] = {"help_flags": [], "end_of_options_delimiter": ""} if name == "verify" else {}
        app.command(place, name=name, help=line, **own)
    return app


def _unknown(word: str) -> int:
    """Told here, since the command line library would import every command to say the same."""
    names = [name for name, _, _ in COMMANDS]
    near = hint(word, names) or f"there are {', '.join(names)}"
    sys.stderr.write(f"surg: there is no command `{word}`; {near}\n")
    return USAGE


def _version() -> str:
    try:
        return version("surgdsl")
    except PackageNotFoundError:
        return "0 (not installed)"


def _bug(error: Exception, arguments: list[str]) -> int:
    sys.stderr.write(f"surg: this is a bug in surgdsl ({type(error).__name__}: {error})\n")
    if "--verbose" in arguments:
        sys.stderr.write("".join(traceback.format_exception(error)))
    else:
        sys.stderr.write("run the command again with --verbose and send us what it prints\n")
    return BUG


if __name__ == "__main__":
    main()
