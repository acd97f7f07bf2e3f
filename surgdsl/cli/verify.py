"""`surg verify`: the verifier, called as `surg-verify` is; nothing is added and nothing is left out.

Imports the verifier alone: no torch, and none of the rooms that made what is being checked.
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surgdsl.verifier.main import main

Flag = Annotated[bool, Parameter(negative=())]


def verify(
    folder: str,
    /,
    *,
    input: str | None = None,  # noqa: A002 - the name of the option
    model: str | None = None,
    expect_input: str | None = None,
    expect_output: str | None = None,
    expect_spec: str | None = None,
    trust: tuple[str, ...] = (),
    strict: Flag = False,
    json: Flag = False,
) -> int:
    """Re-check a certificate without trusting the compiler that wrote it.

    Args:
        folder: The folder that holds model.safetensors and certificate/.
        input: The input weights (default: what run.json names, else FOLDER/input.safetensors).
        model: The output weights (default: FOLDER/model.safetensors).
        expect_input: The manifest digest of the input that you expect.
        expect_output: The manifest digest of the output that you expect.
        expect_spec: The SHA-256 of the .surg text that you expect.
        trust: The SHA-256 of a Python file whose numbers you believe; may be repeated.
        strict: Refuse a verdict that is not bound to all three expectations.
        json: Print JSON lines, the verdict last.

    Returns:
        0 accepted, 4 rejected.
    """
    options = {
        "--input": input, "--model": model,
        "--expect-input": expect_input, "--expect-output": expect_output, "--expect-spec": expect_spec,
    }  # fmt: skip
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    given += [f"--trust={digest}" for digest in trust]
    flags = ["--strict"] * strict + ["--json"] * json
    try:
        return main([*given, *flags, "--", folder])
    except SystemExit as error:  # argparse leaves by itself on a malformed digest
        return error.code if isinstance(error.code, int) else 2
