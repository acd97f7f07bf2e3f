"""`surg verify`: the verifier, called as `surg-verify` is; nothing is added and nothing is left out.

Imports the verifier alone: no torch, and none of the rooms that made what is being checked.
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surgdsl.verifier.main import main


def verify(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Re-check a certificate without trusting the compiler that wrote it.

    Args:
        arguments: Those of `surg-verify`: the folder, and what you expect of it.

    Returns:
        0 accepted, 2 usage, 4 rejected.
    """
    try:
        return main(arguments, "surg verify")
    except SystemExit as error:  # argparse leaves by itself on --help and on what it cannot read
        return error.code if isinstance(error.code, int) else 2
