"""Requirements: what the text of a surgery promises, and what an auditor asks, in the few forms that a verifier reads.

Text is cut by the marks of the language, and more words are taken for promises rather than fewer: a text that promises
more than its certificate claims is never accepted. What has another form is not read, and the report says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from surgdsl.verifier.reject import Reject, need

LAYER = r"(?:[\w*]|\{[\w*,]+\})+(?:\[\d+(?:\.\.\d+)?\])?"
MARK = re.compile(
    rf'#[^\n]*|"[^"\n]*"|@{LAYER}(?:\.{LAYER})*|[A-Za-z_]\w*|[0-9][0-9_]*|[ \t\n\r]+|.', re.ASCII | re.DOTALL
)
CLAUSES = ("preserve", "seed", "budget", "step", "order", "recover", "target", "require", "emit")
HEAD = re.compile(r"(?<!\w)surgery ([^ ]+) on ", re.ASCII)
USE = re.compile(r"(?<![\w.])use std\.metric\.(?:(\w+)(?![\w.])(?! as\b)|\{([^{}]*)\})", re.ASCII)

NUMBER = r"-?[0-9][0-9_]{0,38}(?:\.[0-9]{1,39})?"
SHARE = rf"{NUMBER}(?:%|pp)?|[0-9]{{1,39}}/[0-9]{{1,39}}"
COUNTED = re.compile(rf"(macs|nnz|params|size)\(after\)(<=|<|>=|>)(?:({NUMBER})([A-Za-z]*)|({SHARE})\*\1\(before\))")
MEASURED = re.compile(
    rf"(accuracy|loss)(\(after\)|\.drop|\.rise)(<=|<|>=|>)({SHARE})(?: on ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*))?"
    rf'(?: with confidence ({SHARE})(?: among ([0-9]{{1,7}}) candidates)?( registered "[^"]*")?)?',
    re.ASCII,
)
MEASURES = {
    "accuracy(after)": "accuracy", "accuracy.drop": "accuracyDrop", "loss(after)": "loss", "loss.rise": "lossRise",
}  # fmt: skip
THOUSANDS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SCALES = THOUSANDS | {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
UNITS = {
    "macs": {f"{prefix}mac": scale for prefix, scale in THOUSANDS.items()}, "nnz": {"": 1}, "params": {"": 1},
    "size": {f"{prefix}B": scale for prefix, scale in SCALES.items()},
}  # fmt: skip
LENIENT = (
    (r"^(macs|nnz|params|size|accuracy|loss)(?=[<>])", r"\1(after)"),
    (r"^(accuracy|loss) (?=drop|rise)", r"\1."),
    (r"^(macs|nnz|params|size)(.*%)$", r"\1\2*\1(before)"),
)
"""What an auditor may leave out, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the structure of a claim and, where it is measured, data, candidates, whether registered."""

    metric: str
    kind: str
    structure: dict[str, Any]
    data: str = ""
    candidates: int = 1
    registered: bool = False


def read(text: str) -> Reading | None:
    """What a text in the strict forms says; None where it has none of them."""
    text = tight(text)
    try:
        if found := COUNTED.fullmatch(text):
            return _counted(*found.groups(""))
        return _measured(*found.groups("")) if (found := MEASURED.fullmatch(text)) else None
    except (KeyError, ZeroDivisionError):
        return None


def _counted(metric: str, relation: str, number: str, unit: str, share: str) -> Reading:
    left, before = ({"metric": f"{metric}/1", "state": state} for state in ("after", "before"))
    value = {"number": str(_share(share) if share else _share(number) * UNITS[metric][unit])}
    right = {"apply": "mul", "terms": [value, before]} if share else value
    return Reading(metric, "counted", {"left": left, "relation": relation, "right": right})


def _measured(
    metric: str, form: str, relation: str, limit: str, data: str, confidence: str, k: str, mark: str
) -> Reading:
    structure = {"limit": str(_share(limit)), "measure": MEASURES[metric + form], "relation": relation}
    structure |= {"confidence": str(_share(confidence))} if confidence else {}
    return Reading(metric, "measured", structure, data, int(k or 1), bool(mark))


def _share(text: str) -> Fraction:
    digits = text.replace("_", "").rstrip("%p")
    return Fraction(digits) / (1 if text[-1].isdigit() else 100)


def asked(text: str) -> Reading:
    """What an auditor asks; ValueError where it has no form that can be decided, or a bound on its other side."""
    wanted = tight(one_line(text))
    for pattern, replacement in LENIENT:
        wanted = re.sub(pattern, replacement, wanted)
    found = read(wanted)
    said = found.structure if found else {}
    turned = "confidence" in said and (said["measure"] == "accuracy") != (said["relation"][0] == ">")
    if found is None or found.registered or turned:
        raise ValueError(f"`{text}` is no requirement that can be decided")
    return found


def own_text(data: bytes) -> str:
    """The text of the file itself, without those that it uses; V18 where the lengths are wrong."""
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Reject("V18", "the text of the surgery is not UTF-8") from None
    if data.startswith(b"surg closure "):
        head = re.match(rb"surg closure ([1-9][0-9]{0,3})\n", data)
        *lines, texts = data[head.end() :].split(b"\n", int(head[1])) if head else [b""]
        sizes = [int(found[1]) for line in lines if (found := re.fullmatch(rb"(0|[1-9][0-9]{0,8}) .*", line))]
        ends = [sum(sizes[: n + 1]) + n for n in range(len(sizes))]
        whole = head and len(sizes) == int(head[1]) and ends[-1] == len(texts)
        whole = whole and all(texts[end : end + 1] == b"\n" for end in ends[:-1])
        need(bool(whole), "V18", "the texts have other lengths")
        data = texts[: ends[0]]
    return data.decode()


def surgeries(text: str) -> tuple[list[tuple[str, list[str]]], str]:
    """The surgeries of a text by name, each with its promises, and all that stands outside of them, without strings."""
    found, depth, outside = list[tuple[str, list[str]]](), 0, ""
    head, inside, body = "", "", list[str]()
    for mark in MARK.findall(text):
        depth += (mark == "{") - (mark == "}")
        need(depth >= 0, "V18", "the braces of the text do not match")
        quiet = " " if mark[0] == "#" or (mark[0] == '"' and len(mark) > 1) else mark
        if depth == 0 and mark == "}":
            name = HEAD.search(spaced(head))
            found += [(name[1], promises(body))] if name else []
            outside += f"{head}{{{'' if name else inside}}}"
            head, inside, body = "", "", []
        elif depth == 0:
            head += quiet
        elif (depth, mark) != (1, "{"):
            inside += quiet
            body.append(" " if mark[0] == "#" else mark)
    need(depth == 0, "V18", "the braces of the text do not match")
    return found, outside + head


def promises(marks: list[str]) -> list[str]:
    """The texts of the promises of a surgery, in order."""
    clauses = [["", ""]]
    for mark in marks:
        clauses += [[mark, ""]] if mark in CLAUSES else []
        clauses[-1][1] += "" if mark in CLAUSES else mark
    said = [(word, one_line(text)) for word, text in clauses if word in ("require", "target")]
    return [text for word, text in said if word == "require" or not re.match(r"(minimize|maximize)\b", text, re.ASCII)]


def one_line(text: str) -> str:
    """A text with one blank for every run of them, and none at its ends."""
    return spaced(text).strip(" ")


def spaced(text: str) -> str:
    """A text with one blank for every run of them."""
    return re.sub(r"[ \t\n\r]+", " ", text)


def tight(text: str) -> str:
    """A text without the blanks around signs."""
    return re.sub(r" ?([()<>=*/.,{}]) ?", r"\1", text)


def promised(texts: list[str], spec: bytes) -> tuple[str, list[Reading | None]]:
    """The surgery whose promises these texts are, and what each says; V18 when there is none."""
    found, outside = surgeries(own_text(spec))
    names = [name for name, said in found if said == texts]
    need(bool(names), "V18", "the claims are the promises of no surgery of the text")
    uses = USE.findall(tight(one_line(outside)))
    library = {name for one, some in uses for name in (one, *some.split(","))}
    readings = [read(text) for text in texts]
    return " or ".join(names), [one if one and one.metric in library else None for one in readings]
