"""`surg expect`: what to ask of a certificate, computed from one's own text and model.

A verdict without expectations holds for whatever the certificate speaks of; these words bind it to this file.
"""

from __future__ import annotations

from surgdsl.api import expect as expected
from surgdsl.cli.check import asked
from surgdsl.cli.output import Settings, Threads, Voice


def expect(
    file: str,
    /,
    *,
    surgery: str | None = None,
    setting: Settings = (),
    threads: Threads = 1,
    voice: Voice | None = None,
) -> int:
    """Print the options that bind `surg verify` to this text and to the model that it names.

    Args:
        file: The .surg file.
        surgery: Which surgery, where the file has several.
        setting: A value for a param of the file, as name=value.
        threads: Threads of torch.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    found = expected(asked(file, setting), surgery, threads)
    voice.say(" ".join(f"--expect-{name} {digest}" for name, digest in found.items()))
    voice.line({"type": "expect", **found})
    return 0
