"""Did-you-mean: the nearest known name, or none where nothing is near.

A wrong suggestion is worse than none, so a candidate must share most of its letters with what was written.

>>> suggest("prune_chanels", ["prune_channels", "quantize"])
'prune_channels'
>>> suggest("KIB", ["KiB", "kB"])
'KiB'
>>> suggest("banana", ["prune_channels", "quantize"]) is None
True
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

NEAR = 0.66  # two letters of three


def suggest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate nearest to `name`; ties go to the alphabetically first, so that messages are reproducible."""
    if len(name) > 100:
        return None
    wanted = name.casefold()
    scored = [
        (SequenceMatcher(None, wanted, one.casefold()).ratio(), one) for one in sorted(set(candidates)) if one != name
    ]
    best = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    return best[1] if best[0] >= NEAR else None


def hint(name: str, candidates: Iterable[str]) -> str:
    """The label ``did you mean `x`?``, or an empty text where nothing is near."""
    near = suggest(name, candidates)
    return f"did you mean `{near}`?" if near else ""
