"""`surg explain`: prints the page of an error code.

The same pages are in docs/errors, so that a search engine and the terminal say the same.
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surgdsl.cli.output import Voice
from surgdsl.diagnostic import CODES, page


def explain(code: Annotated[str, Parameter()] = "", /, *, voice: Voice | None = None) -> int:
    """Print the page of an error code, or the list of all codes.

    Args:
        code: The code, such as E0301.
        voice: How to speak.
    """
    voice = voice or Voice()
    voice.begin()
    if not code:
        for row in CODES:
            voice.say(f"{row.code}  {row.title}")
            voice.line({"type": "code", "code": row.code, "title": row.title})
        return 0
    text = page(code)
    voice.say(text.removesuffix("\n"))
    voice.line({"type": "page", "code": code.upper(), "text": text})
    return 0
